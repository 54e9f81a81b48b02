//! Rules 11, 15 to 20, 22, 23 and 26: a day as a whole, against registers, limits, and the days before.

use crate::scene::{Scene, at, clock, outage, quiet};
use crate::{Row, rests, speaks};
use jiff::ToSpan;
use model::{ChannelKind, CustomerClass, Quality, QualityClass};
use vee::{DayTemperature, Register, Rule, TouRead};

pub(crate) fn rows() -> Vec<Row> {
    [
        sums(),
        dials(),
        rates(),
        high_low(),
        weather(),
        capacity(),
        zero(),
        inactive(),
        below_zero(),
        estimated(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn sums() -> Vec<Row> {
    let total: i64 = quiet(24).iter().sum();
    let moved = |by: i64| Scene::default().registered(500, 500 + by);
    let large = |by: i64| Scene::default().set(|s| s.values = vec![1000; 24]).registered(0, 24_000 + by);
    vec![
        speaks(Rule::SumCheck, "three steps too much", moved(total + 3)),
        speaks(Rule::SumCheck, "three steps too little", moved(total - 3)),
        rests(Rule::SumCheck, "two steps", moved(total + 2)),
        speaks(Rule::SumCheck, "more than a thousandth", large(25)),
        rests(Rule::SumCheck, "a thousandth", large(24)),
        rests(Rule::SumCheck, "a step of ten", moved(total + 20).set(|s| s.facts.resolution = 10)),
        rests(Rule::SumCheck, "no registers", Scene::default()),
        rests(
            Rule::SumCheck,
            "another meter from noon on",
            moved(total + 3).set(|s| s.exchanges = vec![clock("12:00")]),
        ),
        rests(Rule::SumCheck, "voltages have no sum", {
            Scene::of(ChannelKind::Voltage).registered(0, total + 300)
        }),
    ]
}

fn dials() -> Vec<Row> {
    let shows = |from: i64, to: i64, dials: Option<i64>| {
        Scene::default().registered(from, to).set(|s| s.facts.modulus = dials)
    };
    let total: i64 = quiet(24).iter().sum();
    vec![
        speaks(Rule::Register, "backward", shows(5000, 4999, Some(100_000))),
        rests(Rule::Register, "over the end of the dials", shows(99_990, total - 10, Some(100_000))),
        speaks(Rule::Register, "the same without dials on file", shows(99_990, total - 10, None)),
        speaks(Rule::Register, "what five dials cannot show", shows(100_000 - total, 100_000, Some(100_000))),
        rests(Rule::Register, "what they can", shows(99_999 - total, 99_999, Some(100_000))),
        speaks(Rule::Register, "more than half of the range", shows(0, 50_001, Some(100_000))),
        rests(Rule::Register, "half of the range", shows(0, 50_000, Some(100_000))),
        rests(Rule::Register, "a net register runs backward", {
            Scene::of(ChannelKind::Net).registered(5000, 4999)
        }),
        rests(
            Rule::Register,
            "another meter from noon on",
            shows(5000, 12, None).set(|s| s.exchanges = vec![clock("12:00")]),
        ),
    ]
}

fn rates() -> Vec<Row> {
    let total: i64 = quiet(24).iter().sum();
    let moved = |second: i64| {
        let ends = [(1, "00:00", 7), (2, "00:00", 9), (1, "24:00", 1007), (2, "24:00", 9 + second)];
        Scene::default().registered(500, 500 + total).set(|s| {
            s.rates = ends.map(|(register, at, value)| TouRead { register, at: clock(at), value }).into();
        })
    };
    vec![
        speaks(Rule::RateSum, "three steps for two registers", moved(total - 997)),
        rests(Rule::RateSum, "a step for each", moved(total - 998)),
        rests(Rule::RateSum, "one of them was not read", moved(total - 997).set(|s| _ = s.rates.pop())),
        rests(Rule::RateSum, "no total register", moved(total - 997).set(|s| s.registers.clear())),
        rests(Rule::RateSum, "no rate registers", moved(total - 997).set(|s| s.rates.clear())),
    ]
}

fn level(value: i64) -> Vec<i64> {
    (0..24).map(|hour| value + hour % 2).collect()
}

fn high_low() -> Vec<Row> {
    // 24 x 500 + 12 = 12,012 a day; the same with 1,001 and 1,002 is twice that.
    let kind = |kind, value: i64, days: i64| {
        Scene::of(kind).set(|s| s.values = level(value)).after(days, &level(500), Quality::VALID)
    };
    let import = |value: i64, days: i64| kind(ChannelKind::Import, value, days);
    let since = |days: i64| {
        let mut scene = import(2000, 28);
        scene.history.iter_mut().filter(|(back, ..)| *back <= days).for_each(|day| day.1 = level(2000));
        scene
    };
    let volts = |values: [i64; 2], nominal: Option<i64>| {
        Scene::of(ChannelKind::Voltage).set(|s| {
            s.values = vec![2300; 24];
            (s.values[4], s.values[9], s.facts.nominal_dv) = (values[0], values[1], nominal);
        })
    };
    vec![
        speaks(Rule::HighLow, "more than twice", import(1001, 7)),
        rests(Rule::HighLow, "twice", import(1000, 7).set(|s| s.values[0] += 12)),
        speaks(Rule::HighLow, "less than a quarter", import(124, 7)),
        rests(Rule::HighLow, "a quarter", import(125, 7)),
        rests(Rule::HighLow, "too few days to compare with", import(1001, 6)),
        rests(Rule::HighLow, "small in kilowatt-hours", {
            // From 2,412 to 7,412: just as far apart as is ordinary.
            Scene::default().set(|s| (s.values, s.values[0]) = (level(308), 316)).after(
                7,
                &level(100),
                Quality::VALID,
            )
        }),
        rests(Rule::HighLow, "high since yesterday", since(1)),
        speaks(Rule::HighLow, "high for a week", since(7)),
        speaks(Rule::HighLow, "low yesterday", since(1).set(|s| s.values = level(124))),
        rests(Rule::HighLow, "a roof follows the sun", kind(ChannelKind::Generation, 1001, 7)),
        speaks(Rule::HighLow, "volts below the band", volts([1839, 2300], Some(2300))),
        speaks(Rule::HighLow, "volts above the band", volts([2300, 2646], Some(2300))),
        rests(Rule::HighLow, "volts at its edges", volts([1840, 2645], Some(2300))),
        rests(Rule::HighLow, "volts while there was no power", {
            volts([1839, 2300], Some(2300)).set(|s| s.outages = vec![outage("04:00", "05:00")])
        }),
        rests(Rule::HighLow, "power failed within the hour", {
            volts([1839, 2300], Some(2300)).set(|s| s.outages = vec![outage("04:59", "06:00")])
        }),
        rests(Rule::HighLow, "no nominal voltage on file", volts([1839, 2646], None)),
    ]
}

/// A day of five times the usual use, of which three were as cold and used as much.
fn weather() -> Vec<Row> {
    let with = |coldest: i32| {
        let mut scene = Scene::default().set(|s| s.values = level(2200));
        for back in (1..=8).rev() {
            let cold = back % 2 == 0;
            scene.history.push((back, level(if cold { 1500 } else { 300 }), Quality::VALID));
            let date = scene.date - back.days();
            scene.temperatures.push(DayTemperature { date, mean_dc: if cold { coldest } else { 150 } });
        }
        let today = DayTemperature { date: scene.date, mean_dc: -60 };
        scene.set(|s| s.temperatures.push(today))
    };
    vec![
        rests(Rule::HighLow, "a cold day among days three degrees warmer", with(-30)),
        speaks(Rule::HighLow, "a tenth of a degree more apart", with(-29)),
    ]
}

fn capacity() -> Vec<Row> {
    let rated = |kind, value: i64, watts: Option<i64>| {
        Scene::of(kind).with(&[(8, value)]).set(|s| s.facts.rating_w = watts)
    };
    let busy = |most: i64, days: i64| {
        let values = [(8, most / 2), (9, most), (10, most / 2), (11, most / 2)];
        let before = Scene::default().with(&[(1, 5000), (2, 5000), (3, 5000)]).values;
        let mut scene = Scene::default().with(&values);
        // A month never judges itself.
        scene.history.extend((4..4 + days).rev().map(|back| (back, before.clone(), Quality::VALID)));
        scene
    };
    vec![
        speaks(Rule::Capacity, "a watt too much", rated(ChannelKind::Import, 14_491, Some(14_490))),
        rests(Rule::Capacity, "what the service carries", rated(ChannelKind::Import, 14_490, Some(14_490))),
        rests(Rule::Capacity, "no rating on file", rated(ChannelKind::Import, 14_491, None)),
        rests(Rule::Capacity, "watts are nothing to gas", rated(ChannelKind::Gas, 14_491, Some(14_490))),
        speaks(
            Rule::Capacity,
            "backward through the same wires",
            rated(ChannelKind::Net, -14_491, Some(14_490)),
        ),
        speaks(Rule::Capacity, "more than twice the most of months", busy(10_001, 28)),
        rests(Rule::Capacity, "twice", busy(10_000, 28)),
        rests(Rule::Capacity, "too few days to compare with", busy(10_001, 27)),
    ]
}

fn zero() -> Vec<Row> {
    let idle = |kind, days: i64| {
        Scene::of(kind).set(|s| s.values = vec![0; 24]).after(days, &[0; 24], Quality::VALID)
    };
    let import = |days: i64| idle(ChannelKind::Import, days);
    vec![
        speaks(Rule::Zero, "the third day of a home", import(2)),
        rests(Rule::Zero, "its second", import(1)),
        speaks(Rule::Zero, "the first of a shop", import(0).of_class(CustomerClass::Commercial)),
        rests(Rule::Zero, "the first of street lights", import(0).of_class(CustomerClass::Lighting)),
        rests(Rule::Zero, "a watt-hour", import(2).with(&[(7, 1)])),
        rests(Rule::Zero, "nobody lives there", import(2).set(|s| s.facts.vacant = true)),
        rests(
            Rule::Zero,
            "there was no power for a while",
            import(2).set(|s| s.outages = vec![outage("03:00", "03:01")]),
        ),
        rests(Rule::Zero, "the relay was open", import(2).set(|s| s.off = vec![outage("03:00", "03:01")])),
        rests(Rule::Zero, "its fourth, of which it was told the day before", import(3)),
        speaks(Rule::Zero, "a week later still", import(9)),
        speaks(Rule::Zero, "four weeks without water", idle(ChannelKind::Water, 27)),
        rests(Rule::Zero, "a day less", idle(ChannelKind::Water, 26)),
        rests(Rule::Zero, "a house may be without gas", idle(ChannelKind::Gas, 27)),
        rests(Rule::Zero, "a roof in winter", idle(ChannelKind::Export, 9)),
    ]
}

fn inactive() -> Vec<Row> {
    let off =
        |value: i64| Scene::default().with(&[(4, value)]).set(|s| s.off = vec![outage("00:00", "05:00")]);
    let vacant = |kind, value: i64| {
        Scene::of(kind).set(|s| {
            s.values = vec![0; 24];
            (s.values[7], s.facts.vacant) = (value, true);
        })
    };
    vec![
        speaks(Rule::Inactive, "501 Wh while disconnected", off(99)),
        rests(Rule::Inactive, "500 Wh", off(98)),
        rests(Rule::Inactive, "disconnected for less than any of the hours", {
            off(9000).set(|s| s.off = vec![outage("04:01", "05:00")])
        }),
        speaks(Rule::Inactive, "501 Wh where nobody is supplied", vacant(ChannelKind::Import, 501)),
        rests(Rule::Inactive, "500 Wh there", vacant(ChannelKind::Import, 500)),
        speaks(Rule::Inactive, "101 litres of water", vacant(ChannelKind::Water, 101)),
        rests(Rule::Inactive, "100 litres of gas", vacant(ChannelKind::Gas, 100)),
        rests(Rule::Inactive, "a roof is nobody's use", vacant(ChannelKind::Export, 501)),
        rests(Rule::Inactive, "somebody is supplied", {
            vacant(ChannelKind::Import, 501).set(|s| s.facts.vacant = false)
        }),
    ]
}

fn below_zero() -> Vec<Row> {
    let hour = |kind, value: i64| Scene::of(kind).with(&[(3, 0), (6, value)]);
    let back = |wh: i64, generation| {
        Scene::of(ChannelKind::Export).set(|s| {
            s.values = vec![0; 24];
            (s.values[12], s.values[13], s.facts.generation) = (wh - 500, 500, generation);
        })
    };
    vec![
        speaks(Rule::Negative, "a watt-hour below zero", hour(ChannelKind::Import, -1)),
        rests(Rule::Negative, "zero", hour(ChannelKind::Import, 0)),
        rests(Rule::Negative, "a net channel counts both ways", hour(ChannelKind::Net, -1)),
        rests(Rule::Negative, "nobody read it", {
            hour(ChannelKind::Import, -1).set(|s| s.quality[6] = Quality::new(QualityClass::EstimatedLinear))
        }),
        speaks(Rule::ReverseEnergy, "1,001 Wh in a day", back(1001, false)),
        rests(Rule::ReverseEnergy, "1,000 Wh", back(1000, false)),
        rests(Rule::ReverseEnergy, "generation is on file", back(1001, true)),
        speaks(Rule::ReverseFlow, "ten litres", hour(ChannelKind::Water, -10)),
        rests(Rule::ReverseFlow, "nine litres", hour(ChannelKind::Water, -9)),
        speaks(Rule::ReverseFlow, "gas", hour(ChannelKind::Gas, -10)),
        rests(Rule::ReverseFlow, "electricity does not flow in pipes", hour(ChannelKind::Import, -10)),
        speaks(Rule::Leak, "a litre in every hour", Scene::of(ChannelKind::Water).with(&[(3, 1)])),
        rests(Rule::Leak, "an hour of rest", hour(ChannelKind::Water, 0)),
        speaks(Rule::Leak, "gas", Scene::of(ChannelKind::Gas)),
        rests(Rule::Leak, "a fridge never rests", Scene::of(ChannelKind::Import)),
        rests(Rule::Leak, "nobody read an hour", {
            Scene::of(ChannelKind::Water).set(|s| s.quality[3] = Quality::new(QualityClass::EstimatedProfile))
        }),
    ]
}

fn estimated() -> Vec<Row> {
    let guessed = Quality::new(QualityClass::EstimatedProfile);
    let days = |days: i64| Scene::default().set(|s| s.quality[12] = guessed).after(days, &quiet(24), guessed);
    let noon = Register { at: at("2026-03-04T12:00:00Z"), value: 1 };
    vec![
        speaks(Rule::ProlongedEstimation, "the seventh day", days(6)),
        rests(Rule::ProlongedEstimation, "the sixth", days(5)),
        rests(Rule::ProlongedEstimation, "the eighth, of which it was told the day before", days(7)),
        speaks(Rule::ProlongedEstimation, "a week later still", days(13)),
        rests(
            Rule::ProlongedEstimation,
            "the seventh was read",
            days(6).set(|s| s.quality[12] = Quality::RAW),
        ),
        rests(Rule::ProlongedEstimation, "somebody set it", {
            days(6).set(|s| s.quality[12] = Quality::new(QualityClass::Edited))
        }),
        rests(
            Rule::ProlongedEstimation,
            "a day between was read",
            days(6).set(|s| s.history[3].2 = Quality::VALID),
        ),
        rests(Rule::SumCheck, "a single register read", Scene::default().set(|s| s.registers = vec![noon])),
    ]
}
