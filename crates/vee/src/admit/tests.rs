use super::*;
use model::{ChannelKind, IntervalLength, MeterId, Unit};

type Change = fn(&mut ReadBatch);

fn batch() -> ReadBatch {
    ReadBatch {
        meter: MeterId::new(1),
        kind: ChannelKind::Import,
        start: "2026-03-01T10:00:00Z".parse().unwrap(),
        interval: IntervalLength::QUARTER_HOUR,
        values: vec![Some(100), None, Some(300)],
        scaler: 0,
        unit: Unit::WattHour,
        status: vec![0, 0, status::POWER_FAIL],
        received_at: "2026-03-01T11:00:00Z".parse().unwrap(),
        source: BatchSource::Scheduled,
    }
}

fn facts() -> Facts {
    Facts::new(ChannelKind::Import, IntervalLength::QUARTER_HOUR)
}

fn admitted(batch: &ReadBatch) -> Admitted {
    admit(batch, &facts(), &Rules::default(), "2026-03-01T11:00:00Z".parse().unwrap())
}

#[test]
fn holes_stay_holes_and_flags_come_along() {
    let out = admitted(&batch());
    assert!(out.findings.is_empty());
    let got: Vec<_> = out.arrivals.iter().map(|a| (a.start.to_string(), a.value, a.quality)).collect();
    assert_eq!(
        got,
        [
            ("2026-03-01T10:00:00Z".to_owned(), 100, Quality::RAW),
            ("2026-03-01T10:30:00Z".to_owned(), 300, Quality::RAW.with(Quality::POWER_FAIL)),
        ]
    );
}

#[test]
fn a_batch_that_does_not_fit_the_channel_is_refused_whole() {
    let cases: [(&str, Change, Rule); 4] = [
        ("interval", |b| b.interval = IntervalLength::HALF_HOUR, Rule::Overlap),
        ("grid", |b| b.start = "2026-03-01T10:07:00Z".parse().unwrap(), Rule::Overlap),
        ("unit", |b| b.unit = Unit::VarHour, Rule::Unit),
        ("kind", |b| b.kind = ChannelKind::Export, Rule::Unit),
    ];
    for (name, change, rule) in cases {
        let mut batch = batch();
        change(&mut batch);
        let out = admitted(&batch);
        assert!(out.arrivals.is_empty(), "{name}");
        assert_eq!(out.findings.len(), 1, "{name}");
        assert_eq!((out.findings[0].rule, out.findings[0].severity), (rule, Severity::Fail), "{name}");
        assert_eq!(out.findings[0].slots, 0..3);
    }
}

#[test]
fn single_values_are_refused_one_by_one() {
    let cases: [(&str, Change, Rule, usize); 5] = [
        ("inexact", |b| b.scaler = -3, Rule::Unit, 0),
        ("one inexact", |b| (b.scaler, b.values[0]) = (-1, Some(101)), Rule::Unit, 1),
        ("absurd", |b| b.values[0] = Some(i64::MIN), Rule::Unit, 1),
        ("test mode", |b| b.status[2] = status::TEST_MODE, Rule::TestMode, 1),
        ("future", |b| b.start = "2026-03-01T10:30:00Z".parse().unwrap(), Rule::Future, 1),
    ];
    for (name, change, rule, kept) in cases {
        let mut batch = batch();
        change(&mut batch);
        let out = admitted(&batch);
        assert_eq!(out.arrivals.len(), kept, "{name}: {out:?}");
        assert_eq!(out.findings.iter().map(|f| f.rule).collect::<Vec<_>>(), [rule], "{name}");
    }
}

#[test]
fn scalers_convert_exactly() {
    let mut batch = batch();
    batch.scaler = 1;
    assert_eq!(admitted(&batch).arrivals[0].value, 1000);
    batch.scaler = -2;
    assert_eq!(admitted(&batch).arrivals[0].value, 1);
}

type Fact = fn(&mut Facts);

#[test]
fn evidence_against_a_batch_refuses_it_whole() {
    let now = "2026-03-01T11:00:00Z".parse().unwrap();
    // evidence, multiplier on file, rule, values admitted
    let rows = [
        (Evidence { serial: Some(("40", "40")), ..Evidence::default() }, 1, None, 2),
        (Evidence { serial: Some(("40", "41")), ..Evidence::default() }, 1, Some(Rule::Identification), 0),
        (Evidence { multiplier: Some(80), ..Evidence::default() }, 80, None, 2),
        (Evidence { multiplier: Some(80), ..Evidence::default() }, 1, Some(Rule::Multiplier), 0),
        (Evidence { multiplier: Some(1), ..Evidence::default() }, 80, Some(Rule::Multiplier), 0),
        (Evidence { system_offset_ms: Some(-2000), ..Evidence::default() }, 1, None, 2),
        (Evidence { system_offset_ms: Some(2001), ..Evidence::default() }, 1, Some(Rule::SystemClock), 2),
        (Evidence { meter_offset_ms: Some(180_000), ..Evidence::default() }, 1, None, 2),
        (Evidence { meter_offset_ms: Some(-180_001), ..Evidence::default() }, 1, Some(Rule::Clock), 2),
        (Evidence { meter_offset_ms: Some(900_000), ..Evidence::default() }, 1, Some(Rule::Clock), 2),
    ];
    for (evidence, multiplier, rule, kept) in rows {
        let facts = Facts { multiplier, ..facts() };
        let out = admit_with(&batch(), &evidence, &facts, &Rules::default(), now);
        let found: Vec<Rule> = out.findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(found, rule.into_iter().collect::<Vec<_>>(), "{evidence:?}");
        assert_eq!(out.arrivals.len(), kept, "{evidence:?}");
    }
}

#[test]
fn a_meters_clock_is_flagged_and_from_an_intervals_length_on_fails() {
    let now = "2026-03-01T11:00:00Z".parse().unwrap();
    let rows = [
        (899_000, Severity::Info, Quality::CLOCK_DOUBTFUL),
        (899_001, Severity::Fail, Quality::CLOCK_DOUBTFUL | Quality::PARTIAL),
        (-900_000, Severity::Fail, Quality::CLOCK_DOUBTFUL | Quality::PARTIAL),
    ];
    for (offset, severity, flags) in rows {
        let evidence = Evidence { meter_offset_ms: Some(offset), ..Evidence::default() };
        let out = admit_with(&batch(), &evidence, &facts(), &Rules::default(), now);
        assert_eq!(out.findings[0].severity, severity, "{offset}");
        assert_eq!(out.arrivals[0].quality, Quality::RAW.with(flags), "{offset}");
    }
}

#[test]
fn facts_of_the_channel_refuse_intervals_one_by_one() {
    let now = "2026-03-01T11:00:00Z".parse().unwrap();
    let rows: [(&str, Fact, Option<Rule>, usize); 9] = [
        ("16 bits, far from full", |f| f.counter_bits = Some(16), None, 2),
        ("the second is full", |f| f.counter_bits = Some(9), None, 2),
        ("installed before", |f| f.installed = Some("2026-03-01T10:00:00Z".parse().unwrap()), None, 2),
        (
            "installed meanwhile",
            |f| f.installed = Some("2026-03-01T10:00:01Z".parse().unwrap()),
            Some(Rule::Identification),
            1,
        ),
        ("removed after", |f| f.removed = Some("2026-03-01T10:45:00Z".parse().unwrap()), None, 2),
        (
            "removed meanwhile",
            |f| f.removed = Some("2026-03-01T10:44:59Z".parse().unwrap()),
            Some(Rule::Identification),
            1,
        ),
        ("billed before", |f| f.billed_to = Some("2026-03-01T10:00:00Z".parse().unwrap()), None, 2),
        (
            "billed meanwhile",
            |f| f.billed_to = Some("2026-03-01T10:15:00Z".parse().unwrap()),
            Some(Rule::Late),
            2,
        ),
        ("multiplied beyond all meters", |f| f.multiplier = u32::MAX, Some(Rule::Unit), 1),
    ];
    for (name, change, rule, kept) in rows {
        let mut facts = facts();
        change(&mut facts);
        let mut batch = batch();
        batch.values[2] = Some(510);
        let out = admit_with(&batch, &Evidence::default(), &facts, &Rules::default(), now);
        let found: Vec<Rule> = out.findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(found, rule.into_iter().collect::<Vec<_>>(), "{name}: {out:?}");
        assert_eq!(out.arrivals.len(), kept, "{name}");
    }
}

#[test]
fn a_counter_at_its_end_is_refused_and_so_is_one_that_says_so() {
    let now = "2026-03-01T11:00:00Z".parse().unwrap();
    for (raw, flags, kept) in [(511, 0, 1), (510, 0, 2), (7, status::OVERFLOW, 1)] {
        let mut batch = batch();
        (batch.values[2], batch.status[2]) = (Some(raw), flags);
        let facts = Facts { counter_bits: Some(9), ..facts() };
        assert_eq!(admit(&batch, &facts, &Rules::default(), now).arrivals.len(), kept, "{raw}");
    }
}

#[test]
fn what_comes_after_weeks_is_queued_unless_a_file_brings_it() {
    let now = "2026-03-01T11:00:00Z".parse().unwrap();
    let rows = [
        (BatchSource::Backfill, "2026-01-15T11:00:00Z", 0),
        (BatchSource::Backfill, "2026-01-15T10:30:00Z", 1),
        (BatchSource::Import, "2026-01-15T10:30:00Z", 0),
    ];
    for (source, start, findings) in rows {
        let batch = ReadBatch { source, start: start.parse().unwrap(), received_at: now, ..batch() };
        let out = admit(&batch, &facts(), &Rules::default(), now);
        assert_eq!((out.findings.len(), out.arrivals.len()), (findings, 2), "{start}");
    }
}

#[test]
fn multipliers_make_primary_energy() {
    let facts = Facts { multiplier: 80, ..facts() };
    let out = admit(&batch(), &facts, &Rules::default(), "2026-03-01T11:00:00Z".parse().unwrap());
    assert_eq!(out.arrivals.iter().map(|a| a.value).collect::<Vec<_>>(), [8000, 24_000]);
}
