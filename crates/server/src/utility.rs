//! A utility's data directory: the database, and beside it the master key in a file of its own.

use anyhow::{Context, Result, bail};
use headend::{HeadEnd, HeadEndConfig, ReadPlan};
use jiff::{SignedDuration, Timestamp};
use mdm::Mdm;
use operations::{BATTERY_GROUP, Duty, MasterKey, Part, models};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{PgConfig, Sql, Store};
use vee::RuleBook;

const DATABASE: &str = "wattle.sqlite";
/// Meters on batteries wake once a day.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
const MASTER_KEY: &str = "master.key";

/// Everything that is opened of a utility.
#[derive(Clone, Debug)]
pub struct Utility {
    /// The database.
    pub store: Store,
    /// The meter data manager over it.
    pub mdm: Arc<Mdm>,
    /// What opens the meters' keys.
    pub master: MasterKey,
}

/// Where a utility is: a data directory, and perhaps a PostgreSQL database instead of the file in it.
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// The data directory.
    pub data: PathBuf,
    /// The master key, if it is not `master.key` in the data directory.
    pub master_key: Option<PathBuf>,
    /// The address of a PostgreSQL database.
    pub database: Option<String>,
    /// A file whose first line is the password for it.
    pub password_file: Option<PathBuf>,
}

impl Home {
    /// A data directory with everything in it.
    pub fn new(data: &Path, master_key: Option<&Path>) -> Self {
        Self { data: data.to_owned(), master_key: master_key.map(Path::to_owned), ..Self::default() }
    }

    /// Opens the database, bringing its schema up to date.
    ///
    /// # Errors
    /// A message that names the file or the setting.
    pub fn open_store(&self) -> Result<Store> {
        let Some(address) = &self.database else { return open_store(&self.data) };
        Store::connect(&self.server(address)?).context("could not open the PostgreSQL database")
    }

    /// Opens the database for queries of people; nothing is written, its schema neither.
    ///
    /// # Errors
    /// A message that names the file or the setting, or the remedy where there is none.
    pub fn open_sql(&self) -> Result<Sql> {
        let Some(address) = &self.database else {
            check_known(&self.data)?;
            let file = self.data.join(DATABASE);
            return Sql::open(&file).with_context(|| format!("could not open {}", file.display()));
        };
        Sql::connect(&self.server(address)?).context("could not open the PostgreSQL database")
    }

    fn server(&self, address: &str) -> Result<PgConfig> {
        let config = PgConfig::parse(address).context("`database` cannot be used")?;
        if let Some(file) = &self.password_file {
            check_private(file, "the password")?;
            return config
                .with_password_file(file)
                .with_context(|| format!("could not read {}", file.display()));
        }
        let Some(file) = std::env::var_os("PGPASSFILE").map(PathBuf::from) else { return Ok(config) };
        check_private(&file, "the passwords")?;
        config.with_pass_file(&file).with_context(|| format!("could not read {}", file.display()))
    }

    /// As [`Home::open_store`], where a utility must be there already.
    ///
    /// # Errors
    /// A message that names the file or the setting, or the remedy where there is none.
    pub fn open_known_store(&self) -> Result<Store> {
        if self.database.is_none() {
            return open_known_store(&self.data);
        }
        let store = self.open_store()?;
        if store.read(store::Read::utility)?.is_none() {
            bail!(
                "the database holds no utility; `wattle admin migrate --database ... --name NAME --zone ZONE` sets one up"
            );
        }
        Ok(store)
    }
}

impl Utility {
    /// Opens a data directory that was set up before.
    ///
    /// # Errors
    /// A message that names the file and the remedy.
    pub fn open(directory: &Path, master_key: Option<&Path>) -> Result<Self> {
        Self::open_at(&Home::new(directory, master_key))
    }

    /// Opens a utility that was set up before.
    ///
    /// # Errors
    /// A message that names the file and the remedy.
    pub fn open_at(home: &Home) -> Result<Self> {
        let store = home.open_known_store()?;
        let master = read_master_key(&key_file(&home.data, home.master_key.as_deref()))?;
        let mdm = Mdm::new(store.clone(), RuleBook::default(), models::judged())
            .context("could not start the meter data manager")?;
        Ok(Self { store, mdm: Arc::new(mdm), master })
    }

    /// Sets a data directory up, or brings an old one up to date: folders, database, master key.
    ///
    /// # Errors
    /// A message that names the file and the remedy.
    pub fn set_up(directory: &Path, master_key: Option<&Path>) -> Result<(Store, MasterKey)> {
        Self::set_up_at(&Home::new(directory, master_key))
    }

    /// Sets a utility up, or brings an old one up to date: folders, database, master key.
    ///
    /// # Errors
    /// A message that names the file and the remedy.
    pub fn set_up_at(home: &Home) -> Result<(Store, MasterKey)> {
        fs::create_dir_all(&home.data)
            .with_context(|| format!("could not create {}", home.data.display()))?;
        let store = home.open_store()?;
        let file = key_file(&home.data, home.master_key.as_deref());
        if !file.exists() {
            write_master_key(&file)?;
        }
        Ok((store, read_master_key(&file)?))
    }
}

impl Utility {
    /// A head-end that knows every collector and meter of this utility and follows `plan`, and the duty
    /// that stores for it, as far as `part` says. Meters that cannot be enlisted are logged with the reason.
    ///
    /// # Errors
    /// What the store says.
    pub fn head_end(
        &self,
        config: HeadEndConfig,
        plan: ReadPlan,
        now: Timestamp,
        part: Part,
    ) -> Result<(HeadEnd, Arc<Duty>)> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| anyhow::anyhow!("no random bytes from the system: {error}"))?;
        let mut head_end = HeadEnd::with_entropy(config, seed);
        let duty = Duty::new(Arc::clone(&self.mdm), self.master.clone()).with_part(part);
        for unlisted in duty.enlist(&mut head_end, now)? {
            tracing::error!(meter.id = %unlisted.meter, why = unlisted.why, "a meter will not be read");
        }
        let battery = ReadPlan {
            group: BATTERY_GROUP.to_owned(),
            every: A_DAY,
            patience: A_DAY - SignedDuration::from_mins(1),
            ..plan.clone()
        };
        head_end.schedule(now, plan);
        head_end.schedule(now, battery);
        for command in duty.unanswered()? {
            head_end.command(now, &command);
        }
        Ok((head_end, Arc::new(duty)))
    }
}

/// Opens the database of a data directory, bringing its schema up to date.
///
/// # Errors
/// A message that names the file.
pub fn open_store(directory: &Path) -> Result<Store> {
    let file = directory.join(DATABASE);
    Store::open(&file).with_context(|| format!("could not open {}", file.display()))
}

/// Whether a data directory holds a database.
pub fn holds_store(directory: &Path) -> bool {
    directory.join(DATABASE).exists()
}

/// As [`open_store`], where a database must be there already.
///
/// # Errors
/// A message that names the file, or the remedy where there is none.
pub fn open_known_store(directory: &Path) -> Result<Store> {
    check_known(directory)?;
    open_store(directory)
}

fn check_known(directory: &Path) -> Result<()> {
    if !holds_store(directory) {
        bail!(
            "{} holds no utility; `wattle admin migrate --data {} --name NAME --zone ZONE` sets one up",
            directory.display(),
            directory.display()
        );
    }
    Ok(())
}

fn key_file(directory: &Path, given: Option<&Path>) -> PathBuf {
    given.map_or_else(|| directory.join(MASTER_KEY), Path::to_owned)
}

fn read_master_key(file: &Path) -> Result<MasterKey> {
    let text = fs::read_to_string(file).with_context(|| {
        format!("could not read the master key {}; without it no meter key opens", file.display())
    })?;
    check_private(file, "the master key")?;
    let bytes = hex::decode(text.trim()).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    // The text is not repeated: it may be most of a key.
    bytes
        .map(MasterKey::new)
        .with_context(|| format!("the master key {} is not 32 hexadecimal digits", file.display()))
}

/// A secret that others can read is none.
#[cfg(unix)]
fn check_private(file: &Path, what: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(file)
        .with_context(|| format!("could not look at {}", file.display()))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        bail!("{what} in {} can be read by others; run `chmod 600 {}`", file.display(), file.display());
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &Path, _: &str) -> Result<()> {
    Ok(())
}

fn write_master_key(file: &Path) -> Result<()> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("no random bytes from the system: {error}"))?;
    let written = write_private(file, &format!("{}\n", hex::encode(bytes)));
    written.with_context(|| format!("could not write the master key {}", file.display()))
}

/// Writes a new file that only its owner may read.
///
/// # Errors
/// What the system says; a file that is there already is left alone.
pub fn write_private(file: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(file)?.write_all(text.as_bytes())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_master_key_is_private_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = Utility::set_up(directory.path(), None).unwrap();
        store.write(|write| write.set_utility("Test", "Europe/Zurich")).unwrap();
        let file = directory.path().join(MASTER_KEY);
        let before = fs::read_to_string(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        Utility::set_up(directory.path(), None).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), before);
        Utility::open(directory.path(), None).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Utility::open(directory.path(), None).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }

    #[test]
    fn an_empty_directory_is_no_utility() {
        let directory = tempfile::tempdir().unwrap();
        let refused = Utility::open(directory.path(), None).unwrap_err().to_string();
        assert!(refused.contains("wattle admin migrate"), "{refused}");
    }
}
