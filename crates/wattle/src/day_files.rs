//! `wattle export --parquet-days`: each day of everything as one Parquet file.

use crate::talk::{Talk, WrongUsage};
use anyhow::Result;
use jiff::civil::Date;
use serde_json::json;
use server::utility::Utility;
use std::path::Path;

/// Writes the days from the first to the last into `folder`, and says of each what it holds.
pub(crate) fn run(utility: &Utility, folder: &Path, (from, to): (Date, Date), talk: Talk) -> Result<()> {
    if to < from {
        return Err(WrongUsage("--to lies before --from".into()).into());
    }
    let mut next = Some(from);
    while let Some(date) = next.filter(|date| *date <= to) {
        next = date.tomorrow().ok();
        let Some((path, done)) = server::day_files::write(&utility.mdm, folder, date)? else {
            talk.say(format_args!("{date}: nothing is kept of the day"));
            continue;
        };
        let record = json!({
            "day": date.to_string(), "file": path, "channels": done.channels, "intervals": done.intervals,
        });
        let text = format!("{}: {} intervals of {} channels", path.display(), done.intervals, done.channels);
        talk.data(&record, text)?;
    }
    Ok(())
}
