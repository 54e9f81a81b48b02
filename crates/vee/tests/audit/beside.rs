//! Rules 14, 27 and 30 to 32: one channel beside others, and beside the sun.

use crate::scene::{Scene, at, quiet};
use crate::{Row, rests, speaks};
use model::{ChannelKind, Quality};
use vee::Rule;

pub(crate) fn rows() -> Vec<Row> {
    [reactive(), sibling(), night(), main_check(), voltage()].into_iter().flatten().collect()
}

fn missing(hour: usize) -> Vec<Quality> {
    let mut quality = vec![Quality::RAW; 24];
    quality[hour] = Quality::MISSING;
    quality
}

fn beside(scene: Scene, kind: ChannelKind, values: Vec<i64>, quality: Vec<Quality>) -> Scene {
    scene.set(|s| s.beside.push((kind, values, quality)))
}

fn reactive() -> Vec<Row> {
    let read = || vec![Quality::RAW; 24];
    let for_hours = |kind, hours: usize, var: i64| {
        let mut values = vec![30; 24];
        values[3..3 + hours].fill(var);
        beside(Scene::of(kind), ChannelKind::ReactiveImport, values, read())
    };
    // 100 Wh beside 318 varh are a power factor of 0.29999, beside 317 of 0.30084.
    let factor = |var: i64| {
        let mut values = vec![30; 24];
        values[3..8].fill(var * 10);
        let active = Scene::default().set(|s| s.values[3..8].fill(1000));
        beside(active, ChannelKind::ReactiveImport, values, read())
    };
    let holed =
        |hour: usize| beside(Scene::default(), ChannelKind::ReactiveImport, vec![30; 24], missing(hour));
    vec![
        speaks(Rule::Reactive, "a poor power factor for five hours", for_hours(ChannelKind::Import, 5, 1001)),
        rests(Rule::Reactive, "for four", for_hours(ChannelKind::Import, 4, 1001)),
        rests(Rule::Reactive, "small in var", for_hours(ChannelKind::Import, 5, 1000)),
        rests(Rule::Reactive, "export beside it", for_hours(ChannelKind::Export, 5, 1001)),
        speaks(Rule::Reactive, "just below 30 %", factor(318)),
        rests(Rule::Reactive, "just above 30 %", factor(317)),
        speaks(Rule::Reactive, "reactive energy was not read", holed(7)),
        rests(Rule::Reactive, "neither was read", holed(7).set(|s| s.quality = missing(7))),
        rests(Rule::Reactive, "it may still come", holed(23).set(|s| s.now = at("2026-03-05T05:59:59Z"))),
        rests(Rule::Reactive, "the meter has no such channel", Scene::default()),
    ]
}

fn sibling() -> Vec<Row> {
    let holed = |other: Vec<Quality>, now: &str| {
        let scene = Scene::of(ChannelKind::Export).set(|s| {
            (s.quality, s.now) = (missing(23), at(now));
        });
        beside(scene, ChannelKind::Import, quiet(24), other)
    };
    let read = vec![Quality::RAW; 24];
    vec![
        speaks(Rule::Sibling, "import was read, export was not", holed(read.clone(), "2026-03-05T06:00:00Z")),
        rests(Rule::Sibling, "it may still come", holed(read.clone(), "2026-03-05T05:59:59Z")),
        rests(Rule::Sibling, "neither was read", holed(missing(23), "2026-03-05T06:00:00Z")),
        rests(Rule::Sibling, "both were read", {
            holed(read, "2026-03-05T06:00:00Z").set(|s| s.quality = vec![Quality::RAW; 24])
        }),
        rests(Rule::Sibling, "a meter of one channel", Scene::default().set(|s| s.quality = missing(23))),
    ]
}

/// Zurich in March: the sun is more than six degrees below the horizon until about 05:30 UTC.
fn night() -> Vec<Row> {
    let fed_in = |kind, hour: usize, wh: i64| {
        Scene::of(kind).set(|s| {
            s.values = vec![0; 24];
            (s.values[11], s.values[12]) = (900, 901);
            s.values[hour] = wh;
            (s.facts.position, s.facts.generation) = (Some((47_376_900, 8_541_700)), true);
        })
    };
    vec![
        speaks(Rule::SolarNight, "51 Wh at two in the morning", fed_in(ChannelKind::Export, 2, 51)),
        speaks(Rule::SolarNight, "a generator's own meter", fed_in(ChannelKind::Generation, 2, 51)),
        rests(Rule::SolarNight, "50 Wh", fed_in(ChannelKind::Export, 2, 50)),
        rests(Rule::SolarNight, "in the afternoon", fed_in(ChannelKind::Export, 14, 51)),
        rests(Rule::SolarNight, "nobody knows where", {
            fed_in(ChannelKind::Export, 2, 51).set(|s| s.facts.position = None)
        }),
        rests(Rule::SolarNight, "people use energy by night", fed_in(ChannelKind::Import, 2, 51)),
    ]
}

fn main_check() -> Vec<Row> {
    // 1.5 % of 24,000 are 360.
    let apart = |kind, wh: i64| {
        Scene::default().set(|s| {
            s.values = vec![1000; 24];
            (s.values[0], s.values[1]) = (999, 1001);
            let mut check = s.values.clone();
            check[2] -= wh;
            s.check = Some((kind, check));
        })
    };
    vec![
        speaks(Rule::MainCheck, "361 of 24,000 Wh", apart(ChannelKind::Import, 361)),
        speaks(Rule::MainCheck, "the other way", apart(ChannelKind::Import, -361)),
        rests(Rule::MainCheck, "360", apart(ChannelKind::Import, 360)),
        rests(Rule::MainCheck, "the check meter counts something else", apart(ChannelKind::Export, 361)),
        rests(Rule::MainCheck, "no check meter", apart(ChannelKind::Import, 361).set(|s| s.check = None)),
        rests(Rule::MainCheck, "an hour was not read", {
            apart(ChannelKind::Import, 361).set(|s| s.quality[5] = Quality::MISSING)
        }),
    ]
}

fn voltage() -> Vec<Row> {
    let volts = |scene: Scene, dv: i64, quality: Vec<Quality>| {
        let mut values = vec![2300; 24];
        values[7] = dv;
        beside(scene, ChannelKind::Voltage, values, quality).set(|s| s.facts.nominal_dv = Some(2300))
    };
    let read = || vec![Quality::RAW; 24];
    vec![
        speaks(Rule::VoltageEnergy, "a tenth of a volt below half", volts(Scene::default(), 1149, read())),
        rests(Rule::VoltageEnergy, "half of nominal", volts(Scene::default(), 1150, read())),
        rests(Rule::VoltageEnergy, "nothing flowed", volts(Scene::default().with(&[(7, 0)]), 1149, read())),
        rests(Rule::VoltageEnergy, "power failed within the hour", {
            let scene = Scene::default().set(|s| s.quality[7] = Quality::RAW.with(Quality::POWER_FAIL));
            volts(scene, 1149, read())
        }),
        speaks(Rule::VoltageEnergy, "no voltage where the others have one", {
            volts(Scene::default(), 0, missing(7))
        }),
        rests(Rule::VoltageEnergy, "no voltage all day", {
            volts(Scene::default(), 0, vec![Quality::MISSING; 24])
        }),
        rests(Rule::VoltageEnergy, "no nominal voltage on file", {
            volts(Scene::default(), 1149, read()).set(|s| s.facts.nominal_dv = None)
        }),
        rests(Rule::VoltageEnergy, "water beside it", volts(Scene::of(ChannelKind::Water), 1149, read())),
    ]
}
