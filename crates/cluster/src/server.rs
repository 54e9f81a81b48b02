//! A server for one test that needs settings of its own: it listens on a port of this machine and asks for a password.

use super::{as_server_user, is_root, programs, run};
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A PostgreSQL of its own, which ends with this.
#[derive(Debug)]
pub struct Server {
    bin: PathBuf,
    dir: PathBuf,
    port: u16,
}

impl Server {
    /// Who may sign in, with a password.
    pub const USER: &'static str = "wattle";

    /// Starts one that encrypts with `certificate` and `key` (PEM) and takes nobody unencrypted; `None` where PostgreSQL is not
    /// installed and nobody insists on it.
    ///
    /// # Panics
    /// When it cannot be started: a test cannot go on then.
    pub fn encrypted(certificate: &str, key: &str, password: &str) -> Option<Self> {
        let bin = programs();
        assert!(bin.is_some() || std::env::var_os(super::REQUIRED).is_none(), "PostgreSQL is not installed");
        let dir = PathBuf::from(format!("/tmp/wattle-tls-{}", std::process::id()));
        let server = Self { bin: bin?, dir, port: free_port().expect("a free port") };
        server.start(certificate, key, password).expect("a PostgreSQL server for a test");
        Some(server)
    }

    /// The port that it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    fn start(&self, certificate: &str, key: &str, password: &str) -> io::Result<()> {
        let dir = &self.dir;
        std::fs::create_dir_all(dir)?;
        let hba = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
        for (name, text) in [("crt", certificate), ("key", key), ("password", password), ("hba", hba)] {
            std::fs::write(dir.join(name), text)?;
        }
        run(Command::new("chmod")
            .arg("600")
            .args(["crt", "key", "password", "hba"].map(|name| dir.join(name))))?;
        if is_root()? {
            run(Command::new("chown").args(["-R", "postgres"]).arg(dir))?;
        }
        let script = format!(
            "{bin}/initdb -D {dir}/data -U {user} --pwfile={dir}/password --auth=scram-sha-256 -E UTF8 --locale=C --no-sync \
             >{dir}/initdb.log 2>&1 && {bin}/pg_ctl -D {dir}/data -w -s -l {dir}/log -o \"-c listen_addresses=127.0.0.1 \
             -c port={port} -k {dir} -c fsync=off -c ssl=on -c ssl_cert_file={dir}/crt -c ssl_key_file={dir}/key \
             -c hba_file={dir}/hba\" start",
            bin = self.bin.display(),
            dir = dir.display(),
            user = Self::USER,
            port = self.port,
        );
        let mut shell = as_server_user("sh")?;
        run(shell.arg("-c").arg(script).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (bin, dir) = (self.bin.display(), self.dir.display());
        let script = format!("{bin}/pg_ctl -D {dir}/data -m immediate -w -s stop; rm -rf {dir}");
        // What stays behind is a directory under /tmp.
        let _ = as_server_user("sh").and_then(|mut shell| run(shell.arg("-c").arg(script).current_dir("/")));
    }
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
