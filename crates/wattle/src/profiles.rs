//! `wattle import --profiles`: a night's profiles of many meters, by the short way.

use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result};
use jiff::civil::Date;
use mdm::profile::{BadLine, ProfileHead};
use mdm::{Mdm, MdmError};
use model::{BatchSource, ChannelKind, IntervalLength};
use serde_json::json;
use server::clock::Clock;
use server::profiles::load_profiles;
use sha2::{Digest, Sha256};
use std::num::NonZero;
use std::path::Path;
use std::thread::available_parallelism;
use store::StoreError;

/// Refused lines that are printed; the rest is counted.
const SHOWN: usize = 20;

/// What the lines of a file of profiles are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Night {
    kind: ChannelKind,
    interval: IntervalLength,
    day: Date,
}

impl Night {
    /// As the command line names it.
    ///
    /// # Errors
    /// A name that is no kind of channel, a length that is no interval.
    pub(crate) fn new(kind: &str, interval_s: u32, day: Date) -> Result<Self> {
        let kind = ChannelKind::from_name(kind).ok_or_else(|| {
            let kinds: Vec<&str> = ChannelKind::ALL.into_iter().map(ChannelKind::name).collect();
            WrongUsage(format!("--profiles: `{kind}` is no kind of channel; kinds are {}", kinds.join(", ")))
        })?;
        let interval = IntervalLength::from_secs(interval_s)
            .map_err(|_| WrongUsage(format!("--interval-s: {interval_s} s is no length of an interval")))?;
        Ok(Self { kind, interval, day })
    }
}

/// Takes one file in; how many lines were left out.
///
/// # Errors
/// The file and what the store says of it. What was kept before stays, and the same file again goes on from there.
pub(crate) fn load(mdm: &Mdm, path: &Path, night: Night, data: &Path, talk: Talk) -> Result<u64> {
    let name = path.display().to_string();
    let text = std::fs::read(path).with_context(|| format!("could not read {name}"))?;
    let now = Clock::real().now();
    let (unit, scaler) = night.kind.stored_unit();
    let head = ProfileHead {
        kind: night.kind,
        interval: night.interval,
        unit,
        scaler,
        source: BatchSource::Import,
        received_at: now,
    };
    // By its content: another file of the same name is another load.
    let mark = format!("profiles {} {} {}", night.kind.name(), night.day, hex::encode(Sha256::digest(&text)));
    let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let load = mdm.begin_profiles(now, head, night.day)?;
    let loaded = load_profiles(mdm, &load, (&mark, &text), threads);
    let (done, bad) = loaded.map_err(|error| stopped(error, data)).with_context(|| name.clone())?;
    let refused = u64::try_from(bad.len())? + done.unknown;
    let record = json!({
        "kind": "file", "file": name, "format": "profiles", "whole": done.whole, "odd": done.odd, "repeated": done.repeated,
        "stored": done.intervals, "findings": done.findings, "unknown": done.unknown, "refused": refused,
    });
    let text = format!(
        "{name}: {} profiles by the short way, {} by the ordinary one, {} intervals new, {} of unknown meters, {} lines left out",
        done.whole,
        done.odd,
        done.intervals,
        done.unknown,
        bad.len()
    );
    talk.data(&record, text)?;
    tell(&name, &bad, talk)?;
    Ok(refused)
}

fn tell(name: &str, bad: &[BadLine], talk: Talk) -> Result<()> {
    let shown = if talk.json() { bad.len() } else { SHOWN };
    for line in bad.iter().take(shown) {
        let record = json!({ "kind": "refusal", "file": name, "line": line.line, "sentence": line.why });
        talk.data(&record, format_args!("  {name}:{}: {}", line.line, line.why))?;
    }
    Ok(())
}

/// Says where room is missing, and that nothing need be done twice.
fn stopped(error: MdmError, data: &Path) -> anyhow::Error {
    let full = matches!(&error, MdmError::Store(StoreError::DiskFull(_)));
    let error = anyhow::Error::new(error).context("the load was cut short");
    if full {
        return error.context(format!(
            "free some space in {} and give the same file again: it goes on where it stopped",
            data.display()
        ));
    }
    error.context("give the same file again: it goes on where it stopped")
}
