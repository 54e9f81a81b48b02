//! The utility's side: head-end, duty, meter data manager and store, as the server puts them together.

use anyhow::Context;
use dlms::security::SystemTitle;
use headend::{HeadEnd, HeadEndConfig, ReadPlan, What};
use jiff::{SignedDuration, Timestamp};
use mdm::Mdm;
use operations::provision::provision;
use operations::{Duty, MasterKey, READ_GROUP, models};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use territory::{Doors, MeterRoute, Registry};
use vee::RuleBook;

/// How often every meter is read.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// A utility that runs.
#[derive(Debug)]
pub(crate) struct Utility {
    pub(crate) head_end: HeadEnd,
    pub(crate) duty: Duty,
    pub(crate) mdm: Arc<Mdm>,
    pub(crate) store: Store,
}

/// The utility's disk: what is left when the process is gone.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: tempfile::TempDir,
    lives: u32,
}

impl Disk {
    /// An empty disk, in memory where the machine has such a folder: what is simulated is the death of a
    /// process, not of a machine, so nothing has to wait for a real disk.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let memory = Path::new("/dev/shm");
        let maker = || tempfile::Builder::new().prefix("wattle-sim-").to_owned();
        let folder = if memory.is_dir() { maker().tempdir_in(memory) } else { maker().tempdir() };
        Ok(Self { folder: folder.context("make a folder for the database")?, lives: 0 })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join(format!("utility-{}.sqlite", self.lives))
    }

    /// Keeps what a process that dies now leaves behind: call it while the store is still open.
    pub(crate) fn freeze(&mut self) -> anyhow::Result<()> {
        let old = self.file();
        self.lives += 1;
        let new = self.file();
        for ending in ["", "-wal"] {
            let with = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
            if with(&old).exists() {
                std::fs::copy(with(&old), with(&new)).context("copy the database as it stands")?;
            }
        }
        Ok(())
    }
}

/// The key under which meter keys are stored; nobody's secret in a simulation.
fn master_key() -> MasterKey {
    MasterKey::new([0x42; 16])
}

/// Makes the utility's database from what the territory says of itself.
pub(crate) fn found(disk: &Disk, registry: &Registry, now: Timestamp) -> anyhow::Result<()> {
    let store = Store::open(&disk.file())?;
    store.write(|write| write.set_utility(&registry.utility, &registry.zone))?;
    let doors = Doors {
        collectors: registry.collectors.iter().map(|c| (c.id, format!("collector-{}", c.id))).collect(),
        meters: registry
            .meters
            .iter()
            .filter(|meter| meter.route == MeterRoute::Direct)
            .map(|meter| (meter.id, format!("meter-{}", meter.id)))
            .collect(),
    };
    provision(&store, registry.master_data(&doors), &master_key(), now)?;
    let meters = store.read(store::Read::meters)?;
    let same = |(ours, theirs): (&store::Meter, &territory::MeterEntry)| {
        ours.id == theirs.id && ours.serial == theirs.serial
    };
    anyhow::ensure!(
        meters.len() == registry.meters.len() && meters.iter().zip(&registry.meters).all(same),
        "the store numbers meters in another order than the territory"
    );
    Ok(())
}

impl Utility {
    /// Starts the process: opens the database, hands every meter to a new head-end and takes up what was open.
    pub(crate) fn start(disk: &Disk, seed: u64, now: Timestamp) -> anyhow::Result<Self> {
        let store = Store::open(&disk.file()).context("open the database")?;
        let mdm = Arc::new(Mdm::new(store.clone(), RuleBook::default(), models::judged())?);
        let duty = Duty::new(Arc::clone(&mdm), master_key());
        let config = HeadEndConfig::new(SystemTitle(*b"WTL\0\0SIM"));
        let mut head_end = HeadEnd::new(config, seed ^ (u64::from(disk.lives) << 32));
        let unlisted = duty.enlist(&mut head_end, now)?;
        if let Some(first) = unlisted.first() {
            anyhow::bail!("meter {} cannot be enlisted: {}", first.meter, first.why);
        }
        let plan = ReadPlan {
            group: READ_GROUP.to_owned(),
            first_at: now + SignedDuration::from_secs(30),
            every: EVERY,
            patience: SignedDuration::from_mins(50),
            what: What::ALL,
        };
        head_end.schedule(now, plan);
        for command in duty.unanswered()? {
            head_end.command(now, &command);
        }
        Ok(Self { head_end, duty, mdm, store })
    }
}
