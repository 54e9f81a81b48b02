//! Sealing pushed days leaves what taking them in one by one leaves, and they lie in pages.

use super::*;
use crate::profile::tests::{Chance, FIRST, METERS, kept, utility};
use jiff::{SignedDuration, ToSpan};
use model::{BillId, MeterCheck, Serial, Unit};
use store::Pin;

/// A night's pushes: whole days for the most part, each received at its own moment; some short, holed, marked by the meter, sent
/// twice, of a day before, of another unit or of a time that nobody believes.
fn pushes(mdm: &Mdm, offset: i64, chance: &mut Chance) -> Vec<ReadBatch> {
    let day = mdm.local_day(FIRST + offset.days()).unwrap();
    let slots = day.intervals(IntervalLength::HOUR);
    let mut all = Vec::new();
    for meter in 1..=METERS + 2 {
        let received = i64::try_from(chance.below(3_600_000)).unwrap();
        let mut batch = ReadBatch {
            meter: MeterId::new(meter.into()),
            kind: ChannelKind::Import,
            start: day.start(),
            interval: IntervalLength::HOUR,
            values: (0..slots).map(|_| Some(150 + i64::try_from(chance.below(900)).unwrap())).collect(),
            scaler: 0,
            unit: Unit::WattHour,
            status: vec![0; slots],
            received_at: day.end() + SignedDuration::from_millis(received),
            source: BatchSource::Push,
        };
        match chance.below(60) {
            0 => batch.values[5] = Some(900_000),
            1 => batch.values[6] = None,
            2 => batch.values[7] = Some(-40),
            3 => batch.status[3] = 0x08,
            4 => {
                batch.values.truncate(9);
                batch.status.truncate(9);
            }
            5 => all.push(batch.clone()),
            6 => batch.unit = Unit::Volt,
            7 => batch.start = Timestamp::from_second(5).unwrap(),
            8 => batch.start = mdm.local_day(FIRST + (offset - 1).days()).unwrap().start(),
            9 => continue,
            _ => {}
        }
        all.push(batch);
    }
    all
}

/// Some meters gave another name, or had their clock off; a channel was billed.
fn remarks(mdm: &Mdm) {
    let start = mdm.local_day(FIRST).unwrap().start();
    let check = |meter: u32, serial: &str, offset_ms| MeterCheck {
        serial: Some(Serial::new(serial)),
        clock_offset_ms: Some(offset_ms),
        ..MeterCheck::new(MeterId::new(meter), start + SignedDuration::from_hours(5))
    };
    let told = [check(11, "M-11", 100), check(12, "M-13", 0), check(13, "M-13", 900_000)];
    mdm.receive(start, told.into_iter().map(Incoming::Check).collect()).unwrap();
    let pin = Pin { channel: ChannelId::new(21), day: FIRST + 1.days(), version: 1 };
    mdm.store().write(|w| w.pin(BillId::new(1), &pin, start)).unwrap();
}

#[test]
fn sealed_days_are_what_they_would_be_otherwise() {
    for seed in 1..3u64 {
        let (sealed, ordinary) = (utility(), utility());
        let mut whole = 0;
        for night in 0..3i64 {
            let mut chance = Chance(seed * 7_919 + night.unsigned_abs() * 31 + 1);
            // The second night two days come at once.
            let offsets = if night == 1 { vec![1, 2] } else { vec![night + i64::from(night > 1)] };
            let batches: Vec<ReadBatch> =
                offsets.iter().flat_map(|offset| pushes(&sealed, *offset, &mut chance)).collect();
            let last = FIRST + offsets[offsets.len() - 1].days();
            let now = sealed.local_day(last).unwrap().end() + SignedDuration::from_hours(3);
            if night == 0 {
                remarks(&sealed);
                remarks(&ordinary);
            }
            sealed.store().write(|w| w.append_pushes(&batches, now)).unwrap();
            let told = sealed.seal_pushes(now, 9).unwrap();
            let items = batches.into_iter().map(Incoming::Batch).collect();
            let report = ordinary.receive(now, items).unwrap();
            let counts = |told: &IngestReport| {
                let IngestReport {
                    batches,
                    repeated_batches,
                    stored,
                    duplicates,
                    unknown,
                    refused,
                    findings,
                    ..
                } = told;
                (*batches, *repeated_batches, *stored, *duplicates, *unknown, *refused, *findings)
            };
            assert_eq!(counts(&told), counts(&report), "night {night} of seed {seed}");
            let days =
                |told: &IngestReport| told.days.iter().copied().collect::<std::collections::BTreeSet<_>>();
            assert_eq!(days(&told), days(&report));
            whole += told.days.len();
        }
        let (a, b) = (kept(&sealed, 5), kept(&ordinary, 5));
        for (channel, (one, other)) in (1..).zip(a.iter().zip(&b)) {
            assert_eq!(one, other, "channel {channel} of seed {seed}");
        }
        let paged = sealed.store().read(|r| r.paged_days(FIRST + 1.days())).unwrap();
        assert!(whole > 1000 && paged > u32::from(METERS) / 2, "most lie in pages: {paged} of {METERS}");
        // A second time nothing is new.
        assert_eq!(sealed.seal_pushes(Timestamp::MAX, 9).unwrap(), IngestReport::default());
    }
}
