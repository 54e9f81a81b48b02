//! A private PostgreSQL for tests: started by the first test that asks, shared by all that run, stopped when none is left.
//!
//! Every test gets an empty database of its own, which goes when its [`Database`] is dropped. The cluster listens on a socket
//! in its own directory and nowhere else, and waits for no disk. As root it runs as the user `postgres`, since PostgreSQL
//! refuses to run as root. Tests in many processes find the same cluster: each holds a shared lock on a file beside it, and a
//! small watcher stops the server and removes it once nobody has held that lock for a quarter of a minute.

mod server;

pub use server::Server;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Set to make the absence of PostgreSQL a failure instead of a reason to test on SQLite only.
pub const REQUIRED: &str = "WATTLE_TEST_POSTGRES";

const USER: &str = "wattle";

/// A database of its own for one test.
#[derive(Debug)]
pub struct Database {
    cluster: &'static Cluster,
    name: String,
}

#[derive(Debug)]
struct Cluster {
    bin: PathBuf,
    dir: PathBuf,
    /// Held shared as long as this process lives.
    _user: File,
}

impl Database {
    /// A new empty database; `None` where PostgreSQL is not installed and nobody insists on it.
    ///
    /// # Panics
    /// When the cluster cannot be started, or PostgreSQL is absent and [`REQUIRED`] is set: a test cannot go on then.
    pub fn fresh() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let cluster = shared()?;
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        cluster.sql(&format!("CREATE DATABASE {name}")).expect("a database for a test");
        Some(Self { cluster, name })
    }

    /// How to connect, as PostgreSQL's programs and libraries understand it.
    pub fn address(&self) -> String {
        format!("host={} user={USER} dbname={}", self.cluster.dir.display(), self.name)
    }

    /// Runs SQL in it through `psql`, as somebody beside Wattle would; what it prints, unaligned.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn psql(&self, sql: &str) -> io::Result<String> {
        self.cluster.psql(&self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The whole cluster goes soon; a database that stays until then harms nobody.
        let _ = self.cluster.sql(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn shared() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER
        .get_or_init(|| {
            let bin = programs();
            assert!(
                bin.is_some() || std::env::var_os(REQUIRED).is_none(),
                "PostgreSQL is not installed: `cargo xtask test` installs it, or: apt-get install postgresql"
            );
            bin.map(|bin| Cluster::join(bin).expect("a PostgreSQL cluster for tests"))
        })
        .as_ref()
}

/// The directory of `initdb`: on the path, or where Debian puts it; the newest.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|found| found.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    places.extend(debian.into_iter().rev());
    // A link to one program leads to the directory where the others are.
    let homes = places.iter().filter_map(|place| place.join("initdb").canonicalize().ok());
    let mut homes = homes.filter_map(|program| program.parent().map(Path::to_owned));
    homes.find(|home| ["pg_ctl", "postgres", "psql"].iter().all(|program| home.join(program).is_file()))
}

impl Cluster {
    /// Starts the cluster, or finds it running.
    fn join(bin: PathBuf) -> io::Result<Self> {
        // Short, as the path of a socket may have a hundred bytes; one for each user, so that nobody meets another's files.
        let home = PathBuf::from(format!("/tmp/wattle-pg-{}", whoami()?));
        std::fs::create_dir_all(&home)?;
        let user = open(&home.join("users"))?;
        // Whoever holds this alone is stopping the cluster; when we have it, it runs or is gone.
        user.lock_shared()?;
        let starting = open(&home.join("starting"))?;
        starting.lock()?;
        let dir = home.join("pg");
        let cluster = Self { bin, dir, _user: user };
        if cluster.sql("SELECT 1").is_err() {
            cluster.start(&home)?;
        }
        Ok(cluster)
    }

    fn start(&self, home: &Path) -> io::Result<()> {
        let dir = self.dir.display();
        let script = format!(
            "rm -rf {dir} && mkdir -m 700 {dir} && {bin}/initdb -D {dir}/data -U {USER} --auth=trust -E UTF8 --locale=C --no-sync \
             >{dir}/initdb.log 2>&1 && {bin}/pg_ctl -D {dir}/data -w -s -l {dir}/log -o \"-c listen_addresses='' -k {dir} \
             -c fsync=off -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB\" start",
            bin = self.bin.display(),
        );
        // The directory belongs to whom the server runs as.
        if is_root()? {
            run(Command::new("chown").arg("postgres").arg(home))?;
        }
        run(as_server_user("sh")?.arg("-c").arg(script).stdout(Stdio::null()).stderr(Stdio::null()))?;
        self.watch(home)
    }

    /// Leaves a process behind that stops the cluster when nobody uses it.
    fn watch(&self, home: &Path) -> io::Result<()> {
        let script = format!(
            "while sleep 15; do flock -n {home}/users sh -c '{bin}/pg_ctl -D {dir}/data -m immediate -w -s stop; rm -rf {dir}' \
             && exit; done",
            home = home.display(),
            bin = self.bin.display(),
            dir = self.dir.display(),
        );
        let mut watcher = as_server_user("sh")?;
        watcher.arg("-c").arg(script).current_dir("/");
        watcher.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut watcher, 0);
        watcher.spawn().map(drop)
    }

    fn sql(&self, sql: &str) -> io::Result<String> {
        self.psql("postgres", sql)
    }

    fn psql(&self, database: &str, sql: &str) -> io::Result<String> {
        let mut command = Command::new(self.bin.join("psql"));
        command.arg("-h").arg(&self.dir).args(["-U", USER, "-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1"]);
        // Through a pipe: an argument may not be long.
        let mut child = command
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdin, text) = (child.stdin.take(), sql.to_owned());
        let writing = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(text.as_bytes())));
        let output = child.wait_with_output()?;
        // Whoever stops reading at an error says so itself.
        drop(writing.join());
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
        }
    }
}

/// A lock file that every user may open.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    // Only its owner may set this, and whoever made it did.
    let _ = file.set_permissions(everybody);
    Ok(file)
}

fn as_server_user(program: &str) -> io::Result<Command> {
    Ok(if is_root()? {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", program]);
        command
    } else {
        Command::new(program)
    })
}

fn is_root() -> io::Result<bool> {
    Ok(whoami()? == "root")
}

fn whoami() -> io::Result<String> {
    let output = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?} ended with {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_has_a_database_of_its_own() {
        let (Some(one), Some(other)) = (Database::fresh(), Database::fresh()) else { return };
        assert_ne!(one.name, other.name);
        assert_eq!(other.psql(r"\echo :DBNAME").unwrap(), other.name);
        assert!(one.psql("nonsense").is_err());
    }
}
