//! `wattle import --weather`: tables of air temperatures.

use crate::import::{OnDisk, tell_refusals};
use crate::talk::Talk;
use anyhow::Result;
use exchange::Options;
use mdm::Mdm;
use operations::files::{FileWish, WeatherReport, import_weather};
use serde_json::json;
use server::clock::Clock;
use std::path::Path;

/// Takes a table in and tells what came of it; how many lines were left out.
pub(crate) fn load(
    mdm: &Mdm,
    path: &Path,
    options: &Options,
    (station, dry_run): (Option<&str>, bool),
    talk: Talk,
) -> Result<u64> {
    let name = path.display().to_string();
    let wish = FileWish { name: &name, options, dry_run, by: None };
    let report = import_weather(mdm, Clock::real().now(), &OnDisk(path), &wish, station)?;
    tell(&name, &report, talk)?;
    Ok(report.refused)
}

fn tell(name: &str, report: &WeatherReport, talk: Talk) -> Result<()> {
    let span = report.span.map(|(first, last)| (first.to_string(), last.to_string()));
    let record = json!({
        "kind": "weather", "file": name, "import": report.file, "known": report.known,
        "observations": report.observations, "empty": report.empty, "elsewhere": report.elsewhere,
        "new": report.new, "replaced": report.replaced, "same": report.same, "refused": report.refused,
        "first": span.as_ref().map(|span| &span.0), "last": span.as_ref().map(|span| &span.1),
    });
    let again = if report.known { ", taken in before" } else { "" };
    let (first, last) = span.unwrap_or_default();
    let mut text = format!(
        "{name}: weather{again}: {} temperatures from {first} to {last}: {} hours new, {} in place of others, {} known; {} lines \
         left out",
        report.observations, report.new, report.replaced, report.same, report.refused
    );
    for (count, what) in
        [(report.empty, "lines without a temperature"), (report.elsewhere, "of other stations")]
    {
        if count > 0 {
            text = format!("{text}; {count} {what}");
        }
    }
    talk.data(&record, text)?;
    tell_refusals(name, (&report.refusals, report.refused), talk)
}
