//! Rules 1 to 10, 28 and 33: what a batch and the evidence that came with it must be, and whether everything is there.

use crate::scene::{Scene, at, clock, outage};
use crate::{Row, rests, speaks};
use jiff::civil::date;
use model::reading::status;
use model::{BatchSource, ChannelKind, IntervalLength, Quality, QualityClass, Unit};
use vee::{Evidence, Rule};

pub(crate) fn rows() -> Vec<Row> {
    [clocks(), device(), payload(), contradictions(), gaps(), times()].into_iter().flatten().collect()
}

fn seen(evidence: Evidence<'static>) -> Scene {
    Scene::default().arriving().set(|s| s.evidence = evidence)
}

fn ours(ms: i64) -> Scene {
    seen(Evidence { system_offset_ms: Some(ms), ..Evidence::default() })
}

fn meters(ms: i64) -> Evidence<'static> {
    Evidence { meter_offset_ms: Some(ms), ..Evidence::default() }
}

fn clocks() -> Vec<Row> {
    let since = |from: &str, to: &str| Evidence {
        clock_lost: Some((Some(clock(from)), clock(to))),
        ..meters(180_001)
    };
    let flagged = |flag: u8| Scene::default().set(|s| s.quality[5] = Quality::RAW.with(flag));
    vec![
        speaks(Rule::SystemClock, "a millisecond too far ahead", ours(2001)),
        speaks(Rule::SystemClock, "a millisecond too far behind", ours(-2001)),
        rests(Rule::SystemClock, "at the tolerance", ours(2000)),
        rests(Rule::SystemClock, "nobody asked the reference", seen(Evidence::default())),
        speaks(Rule::Clock, "a millisecond too far", seen(meters(180_001))),
        speaks(Rule::Clock, "behind", seen(meters(-180_001))),
        rests(Rule::Clock, "at the tolerance", seen(meters(180_000))),
        rests(Rule::Clock, "nobody looked at it", seen(Evidence::default())),
        speaks(Rule::Clock, "lost during the batch", seen(since("04:59", "05:00"))),
        rests(Rule::Clock, "lost after the batch", seen(since("05:00", "06:00"))),
        speaks(Rule::Clock, "the meter flags it", flagged(Quality::CLOCK_DOUBTFUL)),
        rests(Rule::Clock, "the meter flags something else", flagged(Quality::POWER_FAIL)),
    ]
}

fn device() -> Vec<Row> {
    let serial = |told| seen(Evidence { serial: Some((told, "4711")), ..Evidence::default() });
    let there = |from: Option<&str>, to: Option<&str>| {
        Scene::default().arriving().set(|s| (s.facts.installed, s.facts.removed) = (from.map(at), to.map(at)))
    };
    let ratio = |told: Option<u32>, off: Option<i8>| {
        seen(Evidence { multiplier: told, scaler_off: off, ..Evidence::default() })
    };
    let counter = |raw: i64, bits: Option<u8>, flags: u8| {
        Scene::default().with(&[(1, raw)]).arriving().set(|s| {
            s.facts.counter_bits = bits;
            s.batch().status[1] = flags;
        })
    };
    vec![
        speaks(Rule::Identification, "another serial number", serial("4712")),
        rests(Rule::Identification, "the serial number on file", serial("4711")),
        rests(Rule::Identification, "no serial number was asked", seen(Evidence::default())),
        speaks(
            Rule::Identification,
            "installed a second after the first hour began",
            there(Some("2026-03-04T00:00:01Z"), None),
        ),
        rests(
            Rule::Identification,
            "installed when the first hour began",
            there(Some("2026-03-04T00:00:00Z"), None),
        ),
        speaks(
            Rule::Identification,
            "removed a second before the last ended",
            there(None, Some("2026-03-04T04:59:59Z")),
        ),
        rests(Rule::Identification, "removed when the last ended", there(None, Some("2026-03-04T05:00:00Z"))),
        speaks(Rule::Multiplier, "80 where the registry has 1", ratio(Some(80), None)),
        speaks(Rule::Multiplier, "registers ten times as fine", ratio(Some(1), Some(-1))),
        rests(Rule::Multiplier, "as in the registry", ratio(Some(1), Some(0))),
        rests(Rule::Multiplier, "the meter does not tell", ratio(None, None)),
        speaks(Rule::Overflow, "a counter of eight bits at its end", counter(255, Some(8), 0)),
        rests(Rule::Overflow, "one before its end", counter(254, Some(8), 0)),
        rests(Rule::Overflow, "the same value, another counter", counter(255, Some(9), 0)),
        rests(Rule::Overflow, "the same value, a counter of unknown width", counter(255, None, 0)),
        speaks(Rule::Overflow, "the meter flags it", counter(7, None, status::OVERFLOW)),
        rests(Rule::Overflow, "the meter flags something else", counter(7, None, status::POWER_FAIL)),
        speaks(Rule::TestMode, "the meter flags it", counter(7, None, status::TEST_MODE)),
        rests(Rule::TestMode, "the meter flags something else", counter(7, None, status::DST)),
        rests(
            Rule::TestMode,
            "a sender's quality has the same bit",
            counter(7, None, status::TEST_MODE).set(|s| s.batch().source = BatchSource::Sender),
        ),
    ]
}

fn payload() -> Vec<Row> {
    let arriving = |change: fn(&mut Scene)| Scene::default().arriving().set(change);
    vec![
        speaks(
            Rule::Overlap,
            "half hours for a channel of hours",
            arriving(|s| s.batch().interval = IntervalLength::HALF_HOUR),
        ),
        speaks(
            Rule::Overlap,
            "a second off the grid",
            arriving(|s| s.batch().start = at("2026-03-04T00:00:01Z")),
        ),
        rests(Rule::Overlap, "on the grid", arriving(|s| s.batch().start = at("2026-03-04T01:00:00Z"))),
        speaks(Rule::Unit, "varh for a channel of Wh", arriving(|s| s.batch().unit = Unit::VarHour)),
        speaks(Rule::Unit, "export for import", arriving(|s| s.batch().kind = ChannelKind::Export)),
        speaks(
            Rule::Unit,
            "tenths that are no whole Wh",
            arriving(|s| (s.batch().scaler, s.batch().values[0]) = (-1, Some(1001))),
        ),
        rests(
            Rule::Unit,
            "tenths that are whole Wh",
            arriving(|s| {
                s.batch().scaler = -1;
                s.batch().values = [1000, 1010, 1000, 1010, 1000].map(Some).into();
            }),
        ),
        speaks(
            Rule::Unit,
            "one more than any meter counts",
            arriving(|s| s.batch().values[0] = Some(1_000_000_000_001)),
        ),
        rests(Rule::Unit, "as much as is kept", arriving(|s| s.batch().values[0] = Some(1_000_000_000_000))),
    ]
}

fn contradictions() -> Vec<Row> {
    let again = |value: i64, held: QualityClass| {
        Scene::default().arriving().set(|s| {
            s.quality[1] = Quality::new(held);
            s.batch().values[1] = Some(value);
        })
    };
    vec![
        speaks(Rule::Duplicate, "another value than was read before", again(102, QualityClass::Valid)),
        rests(Rule::Duplicate, "the value that was read before", again(101, QualityClass::Valid)),
        rests(Rule::Duplicate, "a reading where we had estimated", again(102, QualityClass::EstimatedLinear)),
        rests(Rule::Duplicate, "a person's edit stands", again(102, QualityClass::Edited)),
        rests(Rule::Duplicate, "nothing was there", again(102, QualityClass::Missing)),
    ]
}

fn gaps() -> Vec<Row> {
    let hole = |now: &str| {
        Scene::default().set(|s| {
            (s.quality[9], s.values[9]) = (Quality::MISSING, 0);
            s.quality[10..].fill(Quality::MISSING);
            s.values[10..].fill(0);
            s.now = at(now);
        })
    };
    let dark = hole("2026-03-04T16:00:00Z");
    let with = |change: fn(&mut Scene)| dark.clone().set(change);
    let local = |day, hours: usize| {
        Scene::default().set(|s| {
            (s.zone, s.date, s.now) = ("Europe/Zurich", day, at("2026-12-01T00:00:00Z"));
            s.values = crate::scene::quiet(hours);
            s.quality = vec![Quality::RAW; hours];
        })
    };
    vec![
        speaks(Rule::Gap, "six hours after its end", dark.clone()),
        rests(Rule::Gap, "a second before that", hole("2026-03-04T15:59:59Z")),
        speaks(Rule::Gap, "estimated is not read", {
            dark.clone().set(|s| s.quality[9] = Quality::new(QualityClass::EstimatedLinear))
        }),
        rests(Rule::Gap, "somebody set it", with(|s| s.quality[9] = Quality::new(QualityClass::Edited))),
        rests(
            Rule::Gap,
            "no power for the whole of it",
            with(|s| s.outages = vec![outage("09:00", "10:00")]),
        ),
        speaks(Rule::Gap, "power for a minute of it", with(|s| s.outages = vec![outage("09:01", "10:00")])),
        rests(Rule::Gap, "the relay was open", with(|s| s.off = vec![outage("09:00", "10:00")])),
        speaks(Rule::DstCompleteness, "24 hours of a day of 23", local(date(2026, 3, 29), 24)),
        rests(Rule::DstCompleteness, "23 hours of it", local(date(2026, 3, 29), 23)),
        speaks(Rule::DstCompleteness, "24 hours of a day of 25", local(date(2026, 10, 25), 24)),
        rests(Rule::DstCompleteness, "25 hours of it", local(date(2026, 10, 25), 25)),
        speaks(Rule::DstCompleteness, "23 hours of an ordinary day", local(date(2026, 3, 30), 23)),
    ]
}

fn times() -> Vec<Row> {
    let now = |text: &str| Scene::default().set(|s| s.now = at(text));
    let sent = |now: &str| {
        Scene::default().arriving().set(|s| {
            s.now = at(now);
            s.values[1..].fill(0);
            s.quality[1..].fill(Quality::MISSING);
        })
    };
    let late = |source, start: &str| {
        Scene::default().arriving().set(|s| {
            s.now = at("2026-04-18T03:00:00Z");
            (s.batch().source, s.batch().received_at) = (source, at("2026-04-18T03:00:00Z"));
            s.batch().start = at(start);
        })
    };
    let billed = |to: &str| Scene::default().arriving().set(|s| s.facts.billed_to = Some(at(to)));
    vec![
        speaks(Rule::Future, "a second more than the tolerance", now("2026-03-04T23:56:59Z")),
        rests(Rule::Future, "at the tolerance", now("2026-03-04T23:57:00Z")),
        rests(
            Rule::Future,
            "nothing is there yet",
            now("2026-03-04T23:56:59Z").set(|s| s.quality[23] = Quality::MISSING),
        ),
        speaks(Rule::Future, "refused when it arrives", sent("2026-03-04T04:56:59Z")),
        rests(Rule::Future, "taken when it arrives", sent("2026-03-04T04:57:00Z")),
        speaks(
            Rule::Late,
            "an hour ended more than 45 days before",
            late(BatchSource::Backfill, "2026-03-04T00:00:00Z"),
        ),
        rests(
            Rule::Late,
            "the first of them ended just then",
            late(BatchSource::Backfill, "2026-03-04T02:00:00Z"),
        ),
        rests(Rule::Late, "a file brings what is old", late(BatchSource::Import, "2026-03-04T00:00:00Z")),
        speaks(Rule::Late, "its first second is billed", billed("2026-03-04T00:00:01Z")),
        rests(Rule::Late, "billed up to its beginning", billed("2026-03-04T00:00:00Z")),
        rests(Rule::Late, "nothing is billed", Scene::default().arriving()),
    ]
}
