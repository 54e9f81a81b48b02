//! Files for analysts: each day of everything as Parquet, one file a day, in a folder of somebody's choice.
//!
//! ```text
//! FOLDER/date=2026-11-27/part-0.parquet
//! FOLDER/date=2026-11-28/part-0.parquet
//! ```
//!
//! A file appears whole or not at all: it is written beside, synchronised and given its name. Written again, it has the same
//! bytes while nobody has changed the day. A day that is corrected after its file was written gets a new one some minutes
//! later, see [`mdm::EXPORT_DAY`].

use anyhow::{Context, Result};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use mdm::Mdm;
use operations::day_file::{DayFile, write_day};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{NewJob, Stage, StoreError};

pub use mdm::EXPORT_DAY;

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
                store.advance_job(&job, now, |write| {
                    // Of a version that came while the file was written the file may know nothing.
                    let payload =
                        write.job(EXPORT_DAY, &job.key)?.map_or_else(String::new, |job| job.payload);
                    Ok::<_, StoreError>(if payload == job.payload {
                        Stage::Done(text)
                    } else {
                        Stage::More { payload, outcome: text }
                    })
                })?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use mdm::edit::{Edit, Editor, Op, ReasonCode};
    use model::{
        BatchSource, ChannelId, ChannelKind, Commodity, IntervalLength, MeterId, ReadBatch, Serial, Unit,
        UserId,
    };
    use store::{JobState, NewMeter, NewRoute, Provision, Store};

    const DAY: Date = date(2026, 3, 2);

    /// One meter at no service point, whose days are whole.
    fn utility() -> Arc<Mdm> {
        let store = Store::open_in_memory().unwrap();
        let meter = NewMeter {
            serial: Serial::new("M-1"),
            model: "any".to_owned(),
            commodity: Commodity::Electricity,
            service_point: None,
            route: NewRoute::Direct { endpoint: "10.0.0.1:4059".to_owned() },
            system_title: [1; 8],
            client_sap: 1,
            server_sap: 1,
            security: "hls5".to_owned(),
            installed_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            channels: vec![(ChannelKind::Import, IntervalLength::HOUR)],
            keys: Vec::new(),
            metering: model::master::Metering::default(),
        };
        let all = Provision { meters: vec![meter], ..Provision::default() };
        store
            .write(|write| {
                write.set_utility("Test", "Europe/Zurich")?;
                write.provision(&all)
            })
            .unwrap();
        Arc::new(Mdm::new(store, vee::Rules::default(), std::collections::BTreeMap::new()).unwrap())
    }

    fn read(mdm: &Mdm, day: Date, now: Timestamp) {
        let batch = ReadBatch {
            meter: MeterId::new(1),
            kind: ChannelKind::Import,
            start: mdm.local_day(day).unwrap().start(),
            interval: IntervalLength::HOUR,
            values: (0..24).map(|hour| Some(300 + hour)).collect(),
            scaler: 0,
            unit: Unit::WattHour,
            status: vec![0; 24],
            received_at: now,
            source: BatchSource::Scheduled,
        };
        mdm.ingest(now, vec![batch]).unwrap();
    }

    fn set_first_hour(mdm: &Mdm, value: i64, now: Timestamp) {
        let edit = Edit {
            command: format!("set {value}"),
            channel: ChannelId::new(1),
            date: DAY,
            slots: (0..1).into(),
            op: Op::Set { values: vec![value] },
            reason: Some(ReasonCode::MeterFault),
            note: String::new(),
            expected_version: mdm
                .store()
                .read(|read| read.day(ChannelId::new(1), DAY))
                .unwrap()
                .unwrap()
                .block
                .version,
        };
        let editor = Editor { user: UserId::new(1), may_edit_billed: false };
        mdm.apply(now, editor, &edit).unwrap().unwrap();
    }

    #[test]
    fn a_day_that_is_corrected_after_its_file_was_written_is_written_again() {
        let mdm = utility();
        let folder = tempfile::tempdir().unwrap();
        let now = mdm.local_day(date(2026, 3, 4)).unwrap().start();
        let minutes = |count: i64| now.saturating_add(SignedDuration::from_mins(count)).unwrap();
        let lease = SignedDuration::from_mins(1);
        let mut files = DayFiles::new(Arc::clone(&mdm), folder.path().to_owned(), "one".to_owned(), lease);
        read(&mdm, DAY, now);
        mdm.close_due(now).unwrap();
        let job = || mdm.store().read(|read| read.job(EXPORT_DAY, &DAY.to_string())).unwrap();
        set_first_hour(&mdm, 1, now);
        assert_eq!(job(), None, "nobody has days written as files");

        assert!(files.plan(now).unwrap() > 0);
        while files.turn(now).unwrap() {}
        let path = folder.path().join(format!("date={DAY}/part-0.parquet"));
        let first = fs::read(&path).unwrap();
        assert_eq!(job().unwrap().state, JobState::Done);
        assert!(!files.turn(minutes(60)).unwrap(), "nothing has changed");

        set_first_hour(&mdm, 2, minutes(60));
        set_first_hour(&mdm, 3, minutes(62));
        assert!(!files.turn(minutes(64)).unwrap(), "more corrections may come");
        assert!(files.turn(minutes(65)).unwrap());
        assert!(!files.turn(minutes(99)).unwrap(), "once for both");
        let second = fs::read(&path).unwrap();
        assert_ne!(second, first);
        let mut expected = Vec::new();
        write_day(&mdm, DAY, &mut expected).unwrap();
        assert_eq!(second, expected);

        // A correction while the file is being written: whoever writes it cannot know of it.
        set_first_hour(&mdm, 4, minutes(100));
        let held = mdm.store().claim_job(minutes(110), "two", &[EXPORT_DAY], lease).unwrap().unwrap();
        set_first_hour(&mdm, 5, minutes(110));
        let now_asked = job().unwrap();
        assert_ne!(now_asked.payload, held.payload, "it is to be done once more");
        assert_eq!((now_asked.owner.as_deref(), now_asked.state), (Some("two"), JobState::Waiting));

        // Its job was forgotten long ago.
        let forget = |write: &store::Write| write.forget_jobs(Timestamp::MAX);
        assert!(files.turn(minutes(120)).unwrap());
        assert!(mdm.store().write(forget).unwrap() > 0);
        read(&mdm, date(2026, 3, 3), minutes(120));
        files.planned = None;
        mdm.close_due(minutes(48 * 60)).unwrap();
        assert!(files.plan(minutes(48 * 60)).unwrap() > 0);
        while files.turn(minutes(48 * 60)).unwrap() {}
    }
}
