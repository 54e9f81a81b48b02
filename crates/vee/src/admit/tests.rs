use super::*;
use crate::finding::Severity;
use model::{BatchSource, ChannelKind, IntervalLength, MeterId, Unit};

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
