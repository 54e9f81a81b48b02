use super::{at, batch, on_each_street};
use crate::*;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{
    BatchSource, BillId, ChannelId, ChannelKind, ClockStatus, DayBlock, EventKind, IntervalLength,
    MeterEvent, MeterId, Quality, ReadBatch, RegisterRead, RegisterValue, Unit,
};

const ONE: ChannelId = ChannelId::new(1);
const TWO: ChannelId = ChannelId::new(3);
/// The first day that is kept.
const BEFORE: Date = date(2025, 3, 1);
const PINNED: Date = date(2025, 1, 20);
const EDITED: Date = date(2025, 1, 10);
const OPEN: Date = date(2025, 1, 15);
/// Its first version came in a page and is what was read.
const PAGED: Date = date(2025, 2, 7);

fn midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).unwrap().timestamp()
}

fn stored(channel: ChannelId, day: Date, version: u32, sealed: bool) -> StoredDay {
    StoredDay {
        block: DayBlock {
            channel,
            day,
            version,
            interval: IntervalLength::HOUR,
            values: (0..24).map(|hour| 100 + hour * 3 + i64::from(version)).collect(),
            quality: vec![Quality::VALID; 24],
            recorded_at: at(0),
        },
        sealed,
        rules: 1,
    }
}

fn finding(day: Date) -> StoredFinding {
    StoredFinding {
        channel: ONE,
        day,
        origin: Origin::Validation,
        rule: "spike".to_owned(),
        first: 3,
        count: 1,
        version: 1,
        severity: "warning".to_owned(),
        sentence: "too high".to_owned(),
        found_at: at(0),
    }
}

fn page(day: Date) -> DayPage {
    let head = PageHead {
        day,
        start: midnight(day),
        interval: IntervalLength::HOUR,
        slots: 24,
        quality: Quality::VALID,
        recorded_at: at(0),
        rules: 1,
        received_at: at(0),
        source: BatchSource::Import,
        unit: Unit::WattHour,
        scaler: 0,
        exponent: 0,
    };
    let mut page = DayPage::new(head, 0);
    assert!(page.push(ONE, &(0..24).map(|hour| 50 + hour).collect::<Vec<_>>()));
    page
}

/// Twenty months of days, a day in each, and the particular ones.
fn history(store: &Store) {
    store
        .write(|w| {
            for back in 0..20 {
                let day = date(2025, 4, 2) - back.months();
                w.put_day(&stored(ONE, day, 1, true))?;
                w.put_day(&stored(TWO, day, 1, true))?;
                w.insert_finding(&finding(day))?;
            }
            for day in [PINNED, EDITED, BEFORE, BEFORE.yesterday().unwrap()] {
                w.put_day(&stored(ONE, day, 1, true))?;
                w.insert_finding(&finding(day))?;
            }
            w.put_page(&page(PAGED))?;
            for day in [PINNED, EDITED, PAGED] {
                w.put_day(&stored(ONE, day, 2, true))?;
            }
            w.put_day(&stored(TWO, OPEN, 1, false))?;
            w.pin(BillId::new(7), &Pin { channel: ONE, day: PINNED, version: 1 }, at(1))?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

fn cut(kind: Kept, raw_before: Option<Date>) -> Cut {
    Cut { kind, before: BEFORE, before_at: midnight(BEFORE), raw_before }
}

/// Removes everything, as a worker that dies before every commit the first time; what went, what stayed, how many portions.
fn removed(store: &Store, cut: &Cut, dying: bool) -> (u64, u64, usize) {
    let (mut gone, mut pinned, mut portions) = (0, 0, 0);
    let mut next = Some(Cursor::default());
    while let Some(cursor) = next {
        if dying {
            let dead: Result<()> = store.write(|w| {
                w.remove_portion(cut, cursor, at(9))?;
                Err(StoreError::Nested)
            });
            assert!(matches!(dead, Err(StoreError::Nested)));
        }
        let portion = store.write(|w| w.remove_portion(cut, cursor, at(9))).unwrap();
        gone += portion.removed;
        pinned += portion.pinned;
        portions += 1;
        next = portion.next;
    }
    (gone, pinned, portions)
}

/// Every version that is kept, by channel, day and version.
fn versions(store: &Store) -> Vec<(ChannelId, Date, u32)> {
    store
        .read(|r| {
            let mut all = Vec::new();
            let Some((first, last)) = r.day_range()? else { return Ok(all) };
            for channel in [ONE, TWO] {
                for day in first.series(1.day()).take_while(|day| *day <= last) {
                    for stored in r.day_versions(channel, day)? {
                        all.push((channel, day, stored.block.version));
                    }
                }
            }
            Ok::<_, StoreError>(all)
        })
        .unwrap()
}

#[test]
fn old_days_go_the_boundary_and_what_was_billed_stay() {
    on_each_street(|store| {
        history(&store);
        let all = versions(&store);
        let kept =
            |(channel, day, _): &(ChannelId, Date, u32)| *day >= BEFORE || (*channel, *day) == (ONE, PINNED);
        let expected: Vec<_> = all.iter().copied().filter(kept).collect();
        assert!(expected.contains(&(ONE, BEFORE, 1)) && expected.contains(&(ONE, PINNED, 1)));
        let cut = cut(Kept::Intervals, Some(BEFORE));
        let (gone, pinned, portions) = removed(&store, &cut, true);
        assert_eq!((gone, pinned), ((all.len() - expected.len()) as u64, 2));
        assert!(portions > 1, "it is done in portions");
        assert_eq!(versions(&store), expected);
        let of_findings = |from, to| store.read(|r| r.findings(ONE, from, to)).unwrap().len();
        assert_eq!(of_findings(date(2020, 1, 1), BEFORE), 1, "that of the billed day");
        assert_eq!(of_findings(BEFORE, date(2026, 1, 1)), 3);
        // Once more, and once more from the middle, nothing goes.
        assert_eq!(removed(&store, &cut, false).0, 0);
        let again = store.write(|w| w.remove_portion(&cut, Cursor(660, 0), at(10))).unwrap();
        assert_eq!((again.removed, again.pinned), (0, 2));
    });
}

#[test]
fn superseded_versions_go_but_not_what_was_read_or_billed() {
    on_each_street(|store| {
        history(&store);
        let all = versions(&store);
        let without = |gone: &[(ChannelId, Date, u32)]| -> Vec<_> {
            all.iter().copied().filter(|one| !gone.contains(one)).collect()
        };
        assert_eq!(removed(&store, &cut(Kept::Versions, None), true).0, 1);
        assert_eq!(versions(&store), without(&[(ONE, EDITED, 1)]));
        let raw = |store: &Store| {
            store
                .read(|r| r.raw_batches(ONE, midnight(PAGED), midnight(PAGED.tomorrow().unwrap())))
                .unwrap()
                .len()
        };
        assert_eq!(raw(&store), 1);
        let (gone, pinned, _) = removed(&store, &cut(Kept::Versions, Some(BEFORE)), false);
        assert_eq!((gone, pinned), (1, 1));
        assert_eq!(versions(&store), without(&[(ONE, EDITED, 1), (ONE, PAGED, 1)]));
        assert_eq!(raw(&store), 0);
        let newest = store.read(|r| r.day(ONE, PAGED)).unwrap().unwrap();
        assert_eq!(newest.block, stored(ONE, PAGED, 2, true).block);
        // What was read stays for ever where nothing else is set, and so do the days that are what was read.
        let fresh = store.write(|w| w.put_page(&page(date(2025, 2, 9))));
        fresh.unwrap();
        removed(&store, &cut(Kept::Intervals, None), false);
        assert!(store.read(|r| r.day(ONE, date(2025, 2, 9))).unwrap().is_some());
        assert!(store.read(|r| r.day(ONE, EDITED)).unwrap().is_none());
    });
}

#[test]
fn batches_registers_events_and_logs_go_by_their_time() {
    on_each_street(|store| {
        history(&store);
        let hours = |day: Date, hour: i64| midnight(day) + SignedDuration::from_hours(hour);
        let eve = BEFORE.yesterday().unwrap();
        let register = |meter: u32, at: Timestamp| RegisterRead {
            meter: MeterId::new(meter),
            kind: ChannelKind::Import,
            tou: 0,
            at,
            value: RegisterValue { raw: 1, scaler: 0, unit: Unit::WattHour },
            received_at: at,
            source: BatchSource::Scheduled,
        };
        let event = |at| MeterEvent {
            meter: MeterId::new(1),
            kind: EventKind::CoverOpened,
            at,
            clock: ClockStatus::Synchronised,
            seq: 1,
        };
        store
            .write(|w| {
                // The first two go, the third ends after midnight, the fourth is of the day that is kept, the fifth was billed.
                for (day, hour) in [(date(2024, 5, 5), 0), (eve, 22), (eve, 23), (BEFORE, 0), (PINNED, 3)] {
                    let values = if hour == 23 { 5 } else { 4 };
                    w.insert_raw(ONE, &ReadBatch { ..batch(hours(day, hour), &vec![7; values]) })?;
                }
                for at in [hours(date(2024, 5, 5), 0), hours(PINNED, 0), hours(PINNED, 24), hours(BEFORE, 0)]
                {
                    w.insert_register(&register(1, at))?;
                    w.insert_register(&register(2, at))?;
                    w.insert_event(&event(at), at)?;
                    let note = |received_at| PushEntry {
                        received_at,
                        meter: None,
                        peer: "p".to_owned(),
                        accepted: false,
                        note: "n".to_owned(),
                    };
                    w.log_push(&note(at))?;
                }
                Ok::<_, StoreError>(())
            })
            .unwrap();
        let removed_of = |kind| {
            let first = removed(&store, &cut(kind, Some(BEFORE)), true);
            assert_eq!(removed(&store, &cut(kind, Some(BEFORE)), false).0, 0, "{kind:?} twice");
            (first.0, first.1)
        };
        assert_eq!(removed_of(Kept::Raw), (2, 1));
        assert_eq!(removed_of(Kept::Registers), (4, 2));
        assert_eq!(removed_of(Kept::Events), (3, 0));
        assert_eq!(removed_of(Kept::Logs), (3, 0));
        let left = store.read(|r| r.raw_batches(ONE, midnight(date(2024, 1, 1)), hours(BEFORE, 5))).unwrap();
        let starts: Vec<_> = left.iter().filter(|raw| raw.interval == IntervalLength::QUARTER_HOUR).collect();
        assert_eq!(starts.len(), 3, "{starts:?}");
        let far = Timestamp::from_second(2_000_000_000).unwrap();
        let of = |meter| {
            let range = (midnight(date(2020, 1, 1)), far);
            store
                .read(|r| r.register_reads(MeterId::new(meter), ChannelKind::Import, 0, range.0, range.1))
                .unwrap()
                .len()
        };
        assert_eq!((of(1), of(2)), (3, 1));
    });
}

#[test]
fn settings_and_removals_are_remembered() {
    on_each_street(|store| {
        let setting = Retention {
            kind: Kept::Raw,
            months: 84,
            set_by: "Ada".to_owned(),
            reason: "law".to_owned(),
            set_at: at(1),
        };
        let removal = Removal {
            kind: Kept::Raw,
            before: BEFORE,
            removed: 10,
            pinned: 2,
            months: 84,
            done_by: "one".to_owned(),
            done_at: at(2),
        };
        store
            .write(|w| {
                w.set_retention(&Retention { months: 85, ..setting.clone() })?;
                w.set_retention(&setting)?;
                assert_eq!(w.retention()?, core::slice::from_ref(&setting));
                assert!(!w.is_removed(Kept::Raw, BEFORE)?);
                w.log_removal(&removal)?;
                assert!(w.is_removed(Kept::Raw, BEFORE)? && !w.is_removed(Kept::Events, BEFORE)?);
                assert!(!w.is_removed(Kept::Raw, BEFORE + 1.month())?);
                assert_eq!(w.removals(5)?, core::slice::from_ref(&removal));
                assert!(w.keep_for_ever(Kept::Raw)? && !w.keep_for_ever(Kept::Raw)?);
                assert!(w.retention()?.is_empty());
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}
