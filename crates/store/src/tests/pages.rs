//! Days in pages and in months read as days in rows do.

use super::*;
use jiff::ToSpan;
use jiff::civil::Date;

const FIRST: Date = date(2026, 3, 1);

fn values(channel: u32, day: Date) -> Vec<i64> {
    (0..24).map(|hour| i64::from(channel) * 10 + i64::from(day.day()) * 7 + hour % 5).collect()
}

fn start(day: Date) -> Timestamp {
    day.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(1))).unwrap().timestamp()
}

fn page(day: Date, page: u32, channels: &[u32]) -> DayPage {
    let head = PageHead {
        day,
        start: start(day),
        interval: IntervalLength::HOUR,
        slots: 24,
        quality: Quality::VALID,
        recorded_at: start(day) + SignedDuration::from_hours(30),
        rules: 1,
        received_at: start(day) + SignedDuration::from_hours(29),
        source: BatchSource::Import,
        unit: Unit::WattHour,
        scaler: 0,
        exponent: 0,
    };
    let mut page = DayPage::new(head, page);
    for channel in channels {
        assert!(page.push(ChannelId::new(*channel), &values(*channel, day)));
    }
    page
}

fn row(channel: u32, day: Date, version: u32, sealed: bool) -> StoredDay {
    let mut values = values(channel, day);
    values[3] = 9000 + i64::from(version);
    let block = DayBlock {
        channel: ChannelId::new(channel),
        day,
        version,
        interval: IntervalLength::HOUR,
        quality: vec![Quality::VALID; values.len()],
        values,
        recorded_at: start(day) + SignedDuration::from_hours(40),
    };
    StoredDay { block, sealed, rules: 1 }
}

/// Two months of 500 channels in pages, with some days in rows: a second version, a first one that is open.
fn fill(store: &Store) {
    let channels: Vec<u32> = (1..500).collect();
    store
        .write(|w| {
            w.rule_set_id("hash", "text")?;
            for offset in 0..45 {
                let day = FIRST + offset.days();
                w.put_page(&page(day, 0, &channels[..100]))?;
                w.put_page(&page(day, 0, &channels[120..255]))?;
                w.put_page(&page(day, 1, &channels[255..]))?;
            }
            w.put_day(&row(7, FIRST + 3.days(), 2, true))?;
            w.put_day(&row(110, FIRST + 3.days(), 1, true))?;
            w.put_day(&row(110, FIRST + 4.days(), 1, false))?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

/// Days and versions, totals, summaries, raw batches and how many these are.
type Told = (Vec<Vec<StoredDay>>, Vec<Vec<DaySummary>>, Vec<DaySummary>, Vec<Vec<RawBatch>>, u64);

/// Everything that can be asked of some channels.
fn told(store: &Store) -> Told {
    let end = FIRST + 60.days();
    store
        .read(|r| {
            let some = [1, 7, 100, 110, 255, 256, 499].map(ChannelId::new);
            let mut days = Vec::new();
            for channel in some {
                days.push(r.days(channel, FIRST, end)?);
                days.push(r.day_versions(channel, FIRST + 3.days())?);
                days.push(r.day(channel, FIRST + 4.days())?.into_iter().collect());
                days.push(r.day_version(channel, FIRST + 3.days(), 1)?.into_iter().collect());
            }
            let totals =
                some.map(|channel| r.day_totals(channel, FIRST, end)).into_iter().collect::<Result<_>>()?;
            let raw = some
                .map(|channel| r.raw_batches(channel, start(FIRST), start(FIRST + 20.days())))
                .into_iter()
                .collect::<Result<_>>()?;
            Ok::<_, StoreError>((days, totals, r.day_summaries(FIRST + 3.days())?, raw, r.raw_batch_count()?))
        })
        .unwrap()
}

#[test]
fn folding_changes_no_answer() {
    on_each_engine(|store| {
        fill(&store);
        let before = told(&store);
        assert_eq!(before.0[0].len(), 45);
        assert_eq!(before.0[5].len(), 2, "two versions of channel 7's day");
        assert_eq!(before.3[0].len(), 20);
        assert_eq!(before.2.len(), 480);
        for round in 0..2 {
            let report = store
                .write(|w| {
                    let mut total = FoldReport::default();
                    for page in w.unfolded_pages(FIRST, 0)? {
                        let one = w.fold(FIRST, page, at(0))?;
                        total.days += one.days;
                        total.open += one.open;
                    }
                    Ok::<_, StoreError>(total)
                })
                .unwrap();
            assert_eq!(report.days, if round == 0 { 479 * 31 + 2 } else { 0 });
            assert_eq!(told(&store), before);
        }
        // A version after folding stands above what is folded, and what is folded is never changed.
        store.write(|w| w.put_day(&row(1, FIRST, 2, true))).unwrap();
        assert!(store.write(|w| w.put_day(&row(2, FIRST, 1, true))).is_err());
        store.write(|w| w.fold(FIRST, 0, at(1))).unwrap();
        let versions = store.read(|r| r.day_versions(ChannelId::new(1), FIRST)).unwrap();
        assert_eq!(versions.iter().map(|stored| stored.block.values[3]).collect::<Vec<_>>(), [20, 9002]);
        assert_eq!(store.read(Read::day_range).unwrap(), Some((FIRST, FIRST + 44.days())));
    });
}

#[test]
fn a_day_of_everything_is_the_newest_day_of_each_channel() {
    on_each_engine(|store| {
        fill(&store);
        let days = [FIRST, FIRST + 3.days(), FIRST + 4.days(), FIRST + 44.days(), FIRST + 45.days()];
        for round in 0..2 {
            for day in days {
                for (first, end) in [(0, 12), (7, 8), (100, 130), (250, 260), (256, 256), (490, 510)] {
                    let of_day = store.read(|r| r.days_of(day, (ChannelId::new(first), ChannelId::new(end))));
                    let one_by_one = store.read(|r| {
                        let all = (first..end).map(|channel| r.day(ChannelId::new(channel), day));
                        all.collect::<Result<Vec<_>>>()
                    });
                    let one_by_one: Vec<StoredDay> = one_by_one.unwrap().into_iter().flatten().collect();
                    assert_eq!(
                        of_day.unwrap(),
                        one_by_one,
                        "{day}, channels {first} to {end}, round {round}"
                    );
                }
            }
            store
                .write(|w| {
                    for page in w.unfolded_pages(FIRST, 0)? {
                        w.fold(FIRST, page, at(0))?;
                    }
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        }
    });
}

#[test]
fn a_month_that_comes_in_folded_reads_as_one_that_was_folded_here() {
    on_each_engine(|store| {
        let channels: Vec<u32> = (700..760).collect();
        let pages: Vec<DayPage> = (0..31).map(|offset| page(FIRST + offset.days(), 2, &channels)).collect();
        let other = Store::open_in_memory().unwrap();
        for store in [&store, &other] {
            store.write(|w| w.rule_set_id("hash", "text")).unwrap();
        }
        store.write(|w| w.put_months(2, &MonthPage::of(&pages)?, at(0))).unwrap();
        other
            .write(|w| {
                for page in &pages {
                    w.put_page(page)?;
                }
                w.fold(FIRST, 2, at(0))
            })
            .unwrap();
        let end = FIRST + 31.days();
        for channel in [700, 735, 736, 759].map(ChannelId::new) {
            let days = store.read(|r| r.days(channel, FIRST, end)).unwrap();
            assert_eq!(days.len(), 31);
            assert_eq!(days, other.read(|r| r.days(channel, FIRST, end)).unwrap());
        }
        assert_eq!(store.read(Read::day_range).unwrap(), Some((FIRST, end - 1.days())));
        assert_eq!(store.read(Read::raw_batch_count).unwrap(), 60 * 31);
        assert!(store.write(|w| w.put_months(2, &MonthPage::of(&pages)?, at(0))).is_err(), "twice");
    });
}

#[test]
fn sums_by_bucket_are_those_of_the_days() {
    on_each_engine(|store| {
        fill(&store);
        let (from, to) = (FIRST + 2.days(), FIRST + 40.days());
        // Weekends are a bucket of their own in the morning, as a calendar of rates has it.
        let morning = |day: Date| if day.weekday().to_monday_zero_offset() < 5 { 0 } else { 2 };
        let runs = |day: Date, slots: usize| vec![(7, morning(day)), (20, 1), (slots, 0)];
        let channels = (ChannelId::new(5), ChannelId::new(300));
        let mut wanted = std::collections::BTreeMap::<u32, [i64; 3]>::new();
        for channel in 5..300 {
            for stored in store.read(|r| r.days(ChannelId::new(channel), from, to)).unwrap() {
                for (hour, value) in stored.block.values.iter().enumerate() {
                    let bucket = match hour {
                        0..7 => morning(stored.block.day),
                        7..20 => 1,
                        _ => 0,
                    };
                    wanted.entry(channel).or_default()[bucket] += value;
                }
            }
        }
        for _ in 0..2 {
            let sums = store.read(|r| r.bucket_sums((from, to), channels, runs)).unwrap();
            for channel in 5..300 {
                let found = sums.of(ChannelId::new(channel)).unwrap();
                assert_eq!(found[..3], wanted.get(&channel).copied().unwrap_or_default(), "{channel}");
            }
            store.write(|w| w.fold(FIRST, 0, at(0))).unwrap();
        }
    });
}

#[test]
fn what_is_known_of_a_page_is_told() {
    on_each_engine(|store| {
        fill(&store);
        let known =
            |day: Date| store.read(|r| r.known_in_page(day, 0, start(day).as_second())).unwrap().len();
        assert_eq!((known(FIRST), known(FIRST + 3.days()), known(FIRST + 50.days())), (235, 236, 0));
        store.write(|w| w.fold(FIRST, 0, at(0))).unwrap();
        assert_eq!((known(FIRST), known(FIRST + 3.days())), (235, 236));
    });
}

#[test]
fn a_batch_that_is_kept_as_its_day_is_not_kept_twice() {
    on_each_street(|store| {
        let (channel, day) = (ChannelId::new(1), FIRST);
        let batch = ReadBatch {
            meter: MeterId::new(1),
            kind: ChannelKind::Import,
            start: start(day),
            interval: IntervalLength::HOUR,
            values: values(1, day).into_iter().map(Some).collect(),
            scaler: 0,
            unit: Unit::WattHour,
            status: vec![0; 24],
            received_at: at(5),
            source: BatchSource::Push,
        };
        let mut other = batch.clone();
        other.values[5] = Some(1);
        store.write(|w| w.put_page(&page(day, 0, &[1, 2]))).unwrap();
        assert!(!store.write(|w| w.insert_raw(channel, &batch)).unwrap());
        store.write(|w| w.fold(day, 0, at(0))).unwrap();
        assert!(!store.write(|w| w.insert_raw(channel, &batch)).unwrap());
        assert!(store.write(|w| w.insert_raw(channel, &other)).unwrap());
    });
}

#[test]
fn statistics_in_pages_give_way_to_newer_rows() {
    on_each_engine(|store| {
        let channel = ChannelId::new;
        let empty = store.read(|r| r.stats_page(0)).unwrap();
        let of = [(channel(1), vec![1u8]), (channel(255), vec![2; 300])];
        store.write(|w| w.put_stats_page(0, &empty, of.iter().map(|(c, s)| (*c, s.as_slice())))).unwrap();
        assert!(!store.read(|r| r.is_current(0, &empty)).unwrap());
        let page = store.read(|r| r.stats_page(0)).unwrap();
        assert!(page.iter().eq(of.iter().map(|(c, s)| (*c, s.as_slice()))));
        store.write(|w| w.put_channel_stats(channel(1), &[9])).unwrap();
        assert!(!store.read(|r| r.is_current(0, &page)).unwrap());
        assert_eq!(store.read(|r| r.channel_stats(channel(1))).unwrap(), Some(vec![9]));
        assert_eq!(store.read(|r| r.channel_stats(channel(255))).unwrap(), Some(vec![2; 300]));
        let page = store.read(|r| r.stats_page(0)).unwrap();
        assert_eq!((page.at(0), page.len()), (Some((channel(1), &[9u8][..])), 2));
        assert_eq!(page.find(channel(255)), Some(&[2; 300][..]));
        store.write(|w| w.put_stats_page(0, &page, page.iter())).unwrap();
        assert_eq!(store.read(|r| r.channel_stats(channel(1))).unwrap(), Some(vec![9]));
        assert!(store.read(|r| r.is_current(0, &r.stats_page(0)?)).unwrap());
    });
}

#[test]
fn batches_of_a_page_keep_the_moments_at_which_they_came() {
    on_each_engine(|store| {
        let came =
            |channel: u32| start(FIRST) + SignedDuration::from_millis(i64::from(channel * channel) * 7_919);
        let whole = page(FIRST, 0, &[1, 2, 90, 255]);
        let mut moments = DayPage::new(whole.head, 0);
        for channel in whole.channels() {
            let values = values(channel.get(), FIRST);
            assert!(moments.push_received(channel, &values, came(channel.get())));
        }
        store.write(|w| w.put_page(&moments)).unwrap();
        let told = || {
            let batches = [1, 2, 90, 255].map(|channel| {
                let of = store
                    .read(|r| r.raw_batches(ChannelId::new(channel), start(FIRST), start(FIRST + 1.days())));
                of.unwrap()
            });
            batches.map(|of| (of.len(), of[0].received_at, of[0].values.len()))
        };
        let expected = [1, 2, 90, 255].map(|channel| (1, came(channel), 24));
        assert_eq!(told(), expected);
        store.write(|w| w.fold(FIRST, 0, at(0))).unwrap();
        assert_eq!(told(), expected, "folded too");
    });
}

#[test]
fn many_pages_at_once_are_numbered_on_and_many_statistics_replaced() {
    on_each_engine(|store| {
        let (one, two) = (page(FIRST, 0, &[1, 2]), page(FIRST, 0, &[3, 4]));
        let (three, other) = (page(FIRST, 700, &[179_201]), page(FIRST + 1.days(), 0, &[1]));
        store.write(|w| w.put_pages(&[&one, &three])).unwrap();
        store.write(|w| w.put_pages(&[&two, &other, &page(FIRST, 0, &[9])])).unwrap();
        let known = store.read(|r| r.known_in_pages(FIRST, (0, 701), 0)).unwrap();
        let of = |page| known[&page].iter().map(|channel| channel.get()).collect::<Vec<_>>();
        assert_eq!((known.len(), of(0), of(700)), (2, vec![1, 2, 3, 4, 9], vec![179_201]));
        let empty = StatsPage::default();
        let put = |stamp: u8, read: &[&StatsPage]| {
            let bytes = [stamp; 3];
            let new = |page: usize| {
                let of = [(ChannelId::new(u32::try_from(page).unwrap() * 256 + 1), &bytes[..])];
                NewStats::new(u32::try_from(page).unwrap(), read[page], of.into_iter())
            };
            let all: Vec<_> = (0..read.len()).map(new).collect();
            store.write(|w| w.put_stats_pages(&all)).unwrap();
        };
        put(1, &[&empty, &empty, &empty]);
        let first = store.read(|r| r.stats_pages((0, 9))).unwrap();
        store.write(|w| w.put_channel_stats(ChannelId::new(300), &[8])).unwrap();
        let of = [(0, &first[&0]), (1, &first[&1]), (2, &first[&2])];
        assert_eq!(store.read(|r| r.changed_stats((0, 9), &of)).unwrap(), [1]);
        let second = store.read(|r| r.stats_pages((0, 9))).unwrap();
        assert_eq!(second[&1].len(), 2);
        put(2, &[&second[&0], &second[&1]]);
        let third = store.read(|r| r.stats_pages((0, 9))).unwrap();
        assert_eq!(third[&0].iter().collect::<Vec<_>>(), [(ChannelId::new(1), &[2u8; 3][..])]);
        assert_eq!(third[&2], first[&2]);
        assert_eq!(store.read(|r| r.changed_stats((0, 9), &of)).unwrap(), [0, 1]);
    });
}
