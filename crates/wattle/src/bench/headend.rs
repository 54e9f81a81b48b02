//! How fast a city is read: every meter's day, over real sockets, until it is in the store.

use super::report::{Line, Report};
use super::{Manner, cpu};
use crate::talk::Talk;
use crate::town::{self, Town};
use anyhow::{Context, Result, bail, ensure};
use dlms::security::SystemTitle;
use headend::{HeadEndConfig, Metrics, ReadPlan, What};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use operations::READ_GROUP;
use serde_json::{Value, json};
use server::clock::Clock;
use server::collection::{Collection, Watch};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use store::Store;

/// Five past midnight in the town: what meters hold of the last 24 hours is one full day.
const START: Timestamp = Timestamp::constant(1_795_161_900, 0);
const DAY: Date = jiff::civil::date(2026, 11, 19);
const INTERVALS: u64 = 96;
/// Import, export and voltage.
const CHANNELS: u64 = 3;
const BOUND_S: f64 = 60.0;
/// Who takes longer than this has hung.
const PATIENCE: Duration = Duration::from_secs(300);
const KEY: &str = "000102030405060708090A0B0C0D0E0F";
const AUTH_KEY: &str = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";

/// What one reading of a town came to.
struct Outcome {
    seconds: f64,
    metrics: Metrics,
}

pub(super) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let meters = if manner.quick { 500 } else { 10_000 };
    // A connection for every collector, both ends, and the database.
    let _ = rlimit::increase_nofile_limit(65_536);
    let only_profile = What { clock: false, profile: true, registers: false, events: false };
    let day = read(meters, only_profile, manner.talk)?;
    let peer = peer(manner)?;
    let per_second = |outcome: &Outcome| f64::from(meters) / outcome.seconds;
    let name = format!("headend.{meters}.day_profile");
    report.tell(&Line::new(&name, day.seconds, "s").at_most(BOUND_S))?;
    report.tell(&Line::new(format!("{name}.reads"), per_second(&day), "meters/s").beside(peer))?;
    let bytes_a_meter = |outcome: &Outcome| -> Result<f64> {
        let bytes = outcome.metrics.bytes_in + outcome.metrics.bytes_out;
        Ok(f64::from(u32::try_from(bytes / u64::from(meters))?))
    };
    let intervals = per_second(&day) * f64::from(u32::try_from(INTERVALS * CHANNELS)?);
    report.tell(&Line::new(format!("{name}.stored"), intervals, "intervals/s"))?;
    report.tell(&Line::new(format!("{name}.bytes"), bytes_a_meter(&day)?, "B/meter"))?;
    if let Some(peak) = cpu::peak_mib("self") {
        report.tell(&Line::new(format!("{name}.rss"), peak, "MiB"))?;
    }
    let all = read(meters, What::ALL, manner.talk)?;
    let name = format!("headend.{meters}.everything");
    report.tell(&Line::new(&name, all.seconds, "s"))?;
    report.tell(&Line::new(format!("{name}.reads"), per_second(&all), "meters/s"))?;
    report.tell(&Line::new(format!("{name}.bytes"), bytes_a_meter(&all)?, "B/meter"))
}

/// Reads every meter of a fresh town once and waits until every interval is in the store.
fn read(meters: u32, what: What, talk: Talk) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let directory = tempfile::Builder::new().prefix("wattle-bench-").tempdir()?;
        let store = server::utility::open_store(directory.path())?;
        let scenario = town::scenario("bench", Some(meters))?;
        let clock = Clock::new(START, 1);
        let mut town = Town::open(&scenario, 1, clock, store).await?;
        let truth = truth(&mut town);
        let plan = ReadPlan {
            group: READ_GROUP.to_owned(),
            first_at: clock.now(),
            every: SignedDuration::from_hours(24),
            patience: SignedDuration::from_hours(1),
            what,
        };
        let config = HeadEndConfig::new(SystemTitle(*b"WTL\0\0\0\0\x02"));
        let (head_end, duty) = town.utility.head_end(config, plan, clock.now(), operations::Part::Whole)?;
        ensure!(
            head_end.meter_count() == usize::try_from(meters)?,
            "the head-end knows only some of the meters"
        );
        let world = tokio::spawn(town.world.run());
        let collection = Collection::new(head_end, clock, duty);
        let watch = collection.watch();
        let began = now();
        let collecting = tokio::spawn(collection.run(None));
        let done = stored(&town.utility.store, &watch, meters, began, talk).await;
        collecting.abort();
        world.abort();
        let done = done?;
        let (_, sum) = in_store(&town.utility.store)?;
        ensure!(sum == truth, "the meters measured {truth} in all and {sum} was stored");
        Ok(done)
    })
}

/// Waits until the whole day of every meter is in the store.
async fn stored(store: &Store, watch: &Watch, meters: u32, began: Instant, talk: Talk) -> Result<Outcome> {
    let bar = talk.progress(u64::from(meters), "meters");
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let metrics = watch.metrics();
        bar.set_position(metrics.reads_done);
        if metrics.reads_missed > 0 {
            bail!("{} meters could not be read: {metrics:?}", metrics.reads_missed);
        }
        let over = began.elapsed() > PATIENCE;
        if metrics.reads_done == u64::from(meters) || over {
            let (intervals, _) = in_store(store)?;
            if intervals == u64::from(meters) * INTERVALS * CHANNELS {
                bar.finish_and_clear();
                return Ok(Outcome { seconds: began.elapsed().as_secs_f64(), metrics });
            }
            ensure!(!over, "only {intervals} intervals were stored in {PATIENCE:?}: {metrics:?}");
        }
    }
}

/// How many intervals of the day are in the store as read, and the sum of their values.
fn in_store(store: &Store) -> Result<(u64, i64)> {
    let days = store.read(|read| read.day_summaries(DAY))?;
    let intervals = days.iter().map(|day| u64::from(day.present)).sum();
    Ok((intervals, days.iter().map(|day| day.total).sum()))
}

/// The sum of everything that the town's meters measured on the day.
fn truth(town: &mut Town) -> i64 {
    let days = town.world.territory().history(DAY, DAY);
    days.flat_map(|day| day.channels).flat_map(|(_, values)| values).flatten().sum()
}

#[expect(clippy::disallowed_methods, reason = "a bench is about real time")]
fn now() -> Instant {
    Instant::now()
}

/// Meters a second that the peer reads: one meter of ours again and again, with an association each time.
fn peer(manner: &Manner) -> Result<Option<f64>> {
    let Some(python) = &manner.python else { return Ok(None) };
    let mut meter = Command::new(std::env::current_exe()?)
        .args(["--json", "meter", "--listen", "127.0.0.1:0", "--key", KEY, "--auth-key", AUTH_KEY])
        .args(["--start", &START.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start a meter")?;
    let order = meter.stdout.take().context("the meter has no output").and_then(|stdout| {
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).context("the meter did not start")?;
        Ok(json!({
            "listening": told["listening"], "key": KEY, "auth_key": AUTH_KEY, "rows": INTERVALS,
            "from": "2026-11-19T00:15:00", "to": "2026-11-20T00:00:00",
            "seconds": if manner.quick { 1 } else { 10 },
        }))
    });
    let rate = order.and_then(|order| python.measure("gurux_read.py", &order));
    let _ = meter.kill();
    let _ = meter.wait();
    rate.map(Some)
}
