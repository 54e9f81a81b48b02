//! How fast are the two engines at what a night's load, a page of a customer and a queue ask of them?
//!
//! `cargo run --release -p store --example engines [PAGES]`: hourly days of 256 channels a page, one transaction of 64
//! pages each, durable; then single channels' days; then jobs taken and finished one by one. PostgreSQL is one of its own
//! that waits for no disk, so its commits are flattered; SQLite's wait.

#![expect(clippy::disallowed_methods, reason = "a stopwatch reads the clock")]
#![expect(clippy::print_stdout, reason = "a table is what it makes")]

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use model::{BatchSource, ChannelId, IntervalLength, Quality, Unit};
use std::error::Error;
use std::time::Instant;
use store::{DayPage, NewJob, PageHead, PgConfig, Store, StoreError};

const JOBS: u32 = 500;
const READS: u32 = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let pages: u32 = std::env::args().nth(1).map_or(Ok(1_000), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    measure("SQLite", &Store::open(&dir.path().join("wattle.sqlite"))?, pages)?;
    if let Some(database) = cluster::Database::fresh() {
        let store = Store::connect(&PgConfig::parse(&database.address())?)?;
        measure("PostgreSQL", &store, pages)?;
        let bytes: f64 = database.psql("SELECT pg_total_relation_size('day_page')")?.parse()?;
        println!(
            "PostgreSQL: {:.2} bytes an interval, its key included",
            bytes / (f64::from(pages) * 256.0 * 24.0)
        );
    }
    Ok(())
}

fn measure(name: &str, store: &Store, pages: u32) -> Result<(), Box<dyn Error>> {
    let now = Timestamp::from_second(1_790_000_000)?;
    let head = PageHead {
        day: date(2026, 9, 20),
        start: now,
        interval: IntervalLength::HOUR,
        slots: 24,
        quality: Quality::VALID,
        recorded_at: now,
        rules: 1,
        received_at: now,
        source: BatchSource::Import,
        unit: Unit::WattHour,
        scaler: 0,
        exponent: 0,
    };
    let full = |page: u32| {
        let mut filled = DayPage::new(head, page);
        for channel in page * 256..(page + 1) * 256 {
            let load = |hour: i64| 300 + (((i64::from(channel) * 24 + hour) * 0x5DEE_CE66D) >> 7) % 1_700;
            let values: Vec<i64> = (0..24).map(load).collect();
            filled.push(ChannelId::new(channel), &values);
        }
        filled
    };
    let filled: Vec<DayPage> = (0..pages).map(full).collect();
    let start = Instant::now();
    for group in filled.chunks(64) {
        store.write(|write| group.iter().try_for_each(|page| write.put_page(page).map(|_| ())))?;
    }
    let taken = start.elapsed().as_secs_f64();
    let intervals = f64::from(pages) * 256.0 * 24.0;
    println!("{name}: {:.2} M intervals/s, {:.0} pages/s", intervals / taken / 1e6, f64::from(pages) / taken);

    let start = Instant::now();
    for read in 0..READS {
        let channel = ChannelId::new(read.wrapping_mul(2_654_435_761) % (pages * 256));
        store.read(|one| one.day(channel, head.day))?.ok_or("a day is missing")?;
    }
    println!(
        "{name}: {:.3} ms for one channel's day",
        start.elapsed().as_secs_f64() * 1e3 / f64::from(READS)
    );

    let job = |number: u32| NewJob {
        kind: "measure".to_owned(),
        key: number.to_string(),
        payload: String::new(),
        due_at: now,
        most_attempts: 1,
    };
    store.write(|write| (0..JOBS).try_for_each(|number| write.enqueue_job(&job(number), now).map(|_| ())))?;
    let start = Instant::now();
    while let Some(held) = store.claim_job(now, "one", &["measure"], SignedDuration::from_secs(60))? {
        store.run_job(&held, now, |_| Ok::<_, StoreError>(String::new()))?;
    }
    println!("{name}: {:.0} jobs/s, taken and finished", f64::from(JOBS) / start.elapsed().as_secs_f64());
    Ok(())
}
