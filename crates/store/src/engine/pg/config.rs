//! Where the PostgreSQL database is and how one gets in.

use super::address::{Encryption, taken_apart};
use super::passfile;
use crate::error::{Result, StoreError};
use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// The address of a PostgreSQL database and the password for it, which is never printed.
#[derive(Clone)]
pub struct PgConfig {
    config: Config,
    /// Encrypted, and whose certificates are believed: those of a file, or those of this machine.
    encrypted: Option<Option<PathBuf>>,
}

impl core::fmt::Debug for PgConfig {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PgConfig")
            .field("hosts", &self.config.get_hosts())
            .field("ports", &self.config.get_ports())
            .field("database", &self.config.get_dbname())
            .field("encrypted", &self.encrypted)
            .finish_non_exhaustive()
    }
}

impl PgConfig {
    /// Reads `postgres://user@host:port/database`, or `host=... dbname=...`.
    ///
    /// With `sslmode=verify-full` the connection is encrypted (TLS 1.2 or 1.3) and the server must show a certificate for the name of the
    /// host, issued by an authority in the PEM file `sslrootcert`, or by one that this machine trusts where no file is named.
    /// `require` and `verify-ca` mean the same here: encryption to somebody unknown protects nobody. Without it only a host of this
    /// machine is accepted: a socket directory, `localhost` or a loopback address.
    ///
    /// # Errors
    /// [`StoreError::Address`] for what is no such address, holds a password or is on another machine and not encrypted.
    pub fn parse(address: &str) -> Result<Self> {
        let (rest, encryption) = taken_apart(address)?;
        // The parser's own words may repeat the password.
        let mut config: Config =
            rest.parse().map_err(|_| StoreError::Address { why: "it is no PostgreSQL address" })?;
        if config.get_password().is_some() {
            return Err(StoreError::Address {
                why: "it holds a password: put that into a file that nobody else can read, and name the file",
            });
        }
        if config.get_hosts().is_empty() {
            return Err(StoreError::Address { why: "it names no host" });
        }
        let encrypted = match encryption {
            Encryption::None => None,
            Encryption::Verified { root } => Some(root),
        };
        if encrypted.is_none() && !is_local(&config) {
            return Err(StoreError::Address {
                why: "it is on another machine and not encrypted: add sslmode=verify-full, and sslrootcert=FILE for an \
                      authority of your own",
            });
        }
        config.ssl_mode(if encrypted.is_some() { SslMode::Require } else { SslMode::Disable });
        config.application_name("wattle");
        Ok(Self { config, encrypted })
    }

    /// With the password that the first line of a file holds.
    ///
    /// # Errors
    /// [`StoreError::Address`] when the file cannot be read.
    pub fn with_password_file(mut self, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|_| StoreError::Address { why: "its password file cannot be read" })?;
        self.config.password(text.lines().next().unwrap_or("").trim());
        Ok(self)
    }

    /// With the password that a file in the format of PostgreSQL's own programs (`PGPASSFILE`, `~/.pgpass`) has for it: lines of
    /// `host:port:database:user:password`, of which the first that fits counts; `*` fits everything. Without one where none fits.
    ///
    /// # Errors
    /// [`StoreError::Address`] when the file cannot be read.
    pub fn with_pass_file(mut self, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|_| StoreError::Address { why: "its PGPASSFILE cannot be read" })?;
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            // A socket counts as this host there.
            _ => "localhost".to_owned(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432).to_string();
        let user = self.config.get_user().unwrap_or_default().to_owned();
        let database = self.config.get_dbname().unwrap_or(&user).to_owned();
        if let Some(password) = passfile::find(&text, [&host, &port, &database, &user]) {
            self.config.password(password);
        }
        Ok(self)
    }

    pub(super) fn connect(&self) -> Result<Client> {
        match &self.encrypted {
            None => Ok(self.config.connect(NoTls)?),
            Some(root) => Ok(self.config.connect(MakeRustlsConnect::new(believing(root.as_deref())?))?),
        }
    }
}

fn is_local(config: &Config) -> bool {
    let local = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    };
    config.get_hosts().iter().all(local) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

/// A client that believes the authorities of a file, or of this machine. Read for each connection, so that a file that was
/// renewed counts at once.
fn believing(root: Option<&Path>) -> Result<ClientConfig> {
    let unusable = || StoreError::Address { why: "its sslrootcert holds no certificate that can be read" };
    let mut roots = RootCertStore::empty();
    match root {
        Some(file) => {
            for one in CertificateDer::pem_file_iter(file).map_err(|_| unusable())? {
                roots.add(one.map_err(|_| unusable())?).map_err(|_| unusable())?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(unusable());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|_| StoreError::Address { why: "no version of TLS is at hand" })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_no_password_in_the_open() {
        for good in [
            "postgres://wattle@localhost/wattle",
            "postgres://wattle@127.0.0.1:5433/wattle",
            "postgres://wattle@%2Frun%2Fpostgresql/wattle",
            "host=/run/postgresql user=wattle dbname=wattle",
            "postgres://wattle@localhost/wattle?sslmode=disable",
            "postgres://wattle@db.example/wattle?sslmode=verify-full",
            "host=db.example user=wattle sslmode=require sslrootcert=/etc/ca.pem",
        ] {
            assert!(PgConfig::parse(good).is_ok(), "{good}");
        }
        for (bad, told) in [
            ("postgres://wattle@db.example/wattle", "another machine"),
            ("host=localhost hostaddr=203.0.113.9 user=wattle", "another machine"),
            ("postgres://wattle:s3cret@localhost/wattle", "holds a password"),
            ("postgres://wattle@db.example/wattle?sslmode=prefer", "sslmode"),
            ("postgres://wattle@db.example/wattle?sslmode=disable", "not encrypted"),
            ("user=wattle", "no host"),
            ("/var/lib/wattle", "no PostgreSQL address"),
        ] {
            let error = PgConfig::parse(bad).unwrap_err().to_string();
            assert!(error.contains(told), "{bad}: {error}");
            assert!(!error.contains("s3cret"));
        }
    }
}
