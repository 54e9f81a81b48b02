//! How much memory ten thousand meters with full profiles take.

use super::report::{Line, Report};
use super::{FLEET, Manner, cpu};
use crate::talk::Talk;
use anyhow::{Context, Result, bail, ensure};
use dlms::security::Key;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use meter::household::Household;
use meter::{Feed, Meter, MeterConfig, MeterModel, Secrets};
use model::Serial;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// As many as the profile holds.
const DAYS: i64 = 45;
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// 2024-05-01 00:00 UTC.
const START: Timestamp = Timestamp::constant(1_714_521_600, 0);
const BOUND_MIB: f64 = 1024.0;

/// Fills the meters in a process of its own and tells that one's peak.
pub(super) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let meters = if manner.quick { 500 } else { 10_000 };
    let done = Command::new(std::env::current_exe()?)
        .args(["--json", "--quiet", "bench", FLEET, "--meters", &meters.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("could not start a process for the meters")?;
    if !done.status.success() {
        bail!("the process that holds the meters failed; its own words are above");
    }
    let told: Value = serde_json::from_slice(&done.stdout).context("the meters' process told no JSON")?;
    let line = |what: &str, unit| {
        told[what].as_f64().map(|value| Line::new(format!("meters.{meters}.{what}"), value, unit))
    };
    if let Some(line) = line("rss", "MiB") {
        report.tell(&if manner.quick { line } else { line.at_most(BOUND_MIB) })?;
    }
    if let Some(line) = line("own", "B/meter") {
        report.tell(&line)?;
    }
    Ok(())
}

/// In the process of its own: meters that measured as long as their profiles reach back.
pub(super) fn fill(meters: u32, talk: Talk) -> Result<()> {
    let model = MeterModel::builtin("electricity").context("there is no model for electricity")?;
    let config = |number: u32| MeterConfig {
        serial: Serial::new(format!("B{number:08}")),
        model: std::sync::Arc::clone(&model),
        zone: TimeZone::UTC,
        system_title: (u64::from_be_bytes(*b"WTL\x01\0\0\0\0") + u64::from(number)).to_be_bytes(),
        secrets: Secrets {
            guek: Key::new([1; 16]),
            gak: Key::new([2; 16]),
            master: Some(Key::new([3; 16])),
            password: b"12345678".to_vec().into(),
        },
        invocation_counter: 1,
        installed_at: START,
        seed: u64::from(number),
        faults: Vec::new(),
    };
    let mut fleet: Vec<Meter> = (0..meters).map(|number| Meter::new(config(number), START)).collect();
    let home = Household::new(1, true);
    let mut from = START;
    for _ in 0..DAYS * 96 {
        let load = home.load(from, 900, &TimeZone::UTC);
        let feed = Feed::electricity(from, from + QUARTER, load.import, load.export, load.voltage);
        from += QUARTER;
        for meter in &mut fleet {
            meter.feed(&feed);
            meter.advance(from);
        }
    }
    let own = fleet.iter().map(Meter::memory_bytes).max().unwrap_or(0);
    let rows = fleet.iter().map(|meter| meter.load_profile().len()).min().unwrap_or(0);
    ensure!(rows == usize::try_from(DAYS * 96)?, "a meter kept only {rows} rows");
    let record = json!({ "rss": cpu::peak_mib("self"), "own": own });
    talk.data(&record, format_args!("{record}"))
}
