//! Files for analysts: each day of everything as Parquet, one file a day, in a folder of somebody's choice.
//!
//! ```text
//! FOLDER/date=2026-11-27/part-0.parquet
//! FOLDER/date=2026-11-28/part-0.parquet
//! ```
//!
//! A file appears whole or not at all: it is written beside, synchronised and given its name. Written again, it has the same
//! bytes while nobody has changed the day.

use anyhow::{Context, Result};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use mdm::Mdm;
use operations::day_file::{DayFile, write_day};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{NewJob, StoreError};

/// Write a closed day; the key is its date.
pub const EXPORT_DAY: &str = "export-day";
/// Closed days before the last one that are written where they were not yet. Jobs are forgotten later than that.
const BACK_D: i64 = 21;
const ATTEMPTS: u32 = 12;
/// The wait after a failure: a full disk is seldom emptied at once.
const WAIT: SignedDuration = SignedDuration::from_mins(10);

/// Writes the file of a day and says where it is; `None` where nothing is kept of the day.
///
/// # Errors
/// What the disk or the store says; a file that was there before is then still there.
pub fn write(mdm: &Mdm, folder: &Path, date: Date) -> Result<Option<(PathBuf, DayFile)>> {
    let folder = folder.join(format!("date={date}"));
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    // Readers of such folders pass over names that begin with a point.
    let beside = folder.join(format!(".part-0.{}.unfinished", std::process::id()));
    let written = whole(mdm, date, &beside);
    let done = match written {
        Ok(done) if done.channels > 0 => done,
        other => {
            let _ = fs::remove_file(&beside);
            // Only where it is empty: a file of before stays.
            let _ = fs::remove_dir(&folder);
            return other.map(|_| None);
        }
    };
    let path = folder.join("part-0.parquet");
    fs::rename(&beside, &path).with_context(|| format!("could not write {}", path.display()))?;
    File::open(&folder)?.sync_all()?;
    Ok(Some((path, done)))
}

fn whole(mdm: &Mdm, date: Date, path: &Path) -> Result<DayFile> {
    let file = File::create(path).with_context(|| format!("could not write {}", path.display()))?;
    let mut output = BufWriter::with_capacity(1 << 20, file);
    let done = write_day(mdm, date, &mut output).with_context(|| format!("could not write {date}"))?;
    output.flush()?;
    output.get_ref().sync_all()?;
    Ok(done)
}

/// Writes each day when it is closed, as jobs that any process with this role may do.
#[derive(Clone, Debug)]
pub struct DayFiles {
    mdm: Arc<Mdm>,
    folder: PathBuf,
    owner: String,
    lease: SignedDuration,
    planned: Option<Date>,
}

impl DayFiles {
    /// A worker that writes into `folder`; `owner` and `lease` as of [`operations::Chores`].
    pub const fn new(mdm: Arc<Mdm>, folder: PathBuf, owner: String, lease: SignedDuration) -> Self {
        Self { mdm, folder, owner, lease, planned: None }
    }

    /// Writes down the closed days that have no file yet. How many jobs are new.
    ///
    /// # Errors
    /// What the store says.
    pub fn plan(&mut self, now: Timestamp) -> Result<usize> {
        let store = self.mdm.store();
        let range = store.read(|read| Ok::<_, StoreError>(read.last_closed_day()?.zip(read.day_range()?)))?;
        let Some((last, (first, _))) = range.filter(|(last, _)| self.planned != Some(*last)) else {
            return Ok(0);
        };
        let mut date = last.checked_sub(BACK_D.days())?.max(first);
        let mut new = 0;
        while date <= last {
            let job = NewJob {
                kind: EXPORT_DAY.to_owned(),
                key: date.to_string(),
                payload: String::new(),
                due_at: now,
                most_attempts: ATTEMPTS,
            };
            if store.read(|read| read.job(EXPORT_DAY, &job.key))?.is_none() {
                new += usize::from(store.write(|write| write.enqueue_job(&job, now))?);
            }
            date = date.tomorrow()?;
        }
        self.planned = Some(last);
        Ok(new)
    }

    /// Writes the day that has waited the longest; `false` where none waits.
    ///
    /// # Errors
    /// What the store says when not even the failure could be written down.
    pub fn turn(&self, now: Timestamp) -> Result<bool> {
        let store = self.mdm.store();
        let Some(job) = store.claim_job(now, &self.owner, &[EXPORT_DAY], self.lease)? else {
            return Ok(false);
        };
        let date: Date = job.key.parse().with_context(|| format!("{} is no date", job.key))?;
        match write(&self.mdm, &self.folder, date) {
            Ok(done) => {
                let text = done.map_or_else(
                    || "nothing is kept of the day".to_owned(),
                    |(path, done)| {
                        format!("{} rows of {} channels in {}", done.intervals, done.channels, path.display())
                    },
                );
                store.run_job(&job, now, |_| Ok::<_, StoreError>(text))?;
            }
            Err(error) => {
                let why = format!("{error:#}");
                tracing::error!(day = job.key, why, "the day's file was not written");
                store.fail_job(&job, now, &why, Some(now.saturating_add(WAIT)?))?;
            }
        }
        Ok(true)
    }
}
