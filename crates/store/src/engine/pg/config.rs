//! Where the PostgreSQL database is and how one gets in.

use crate::error::{Result, StoreError};
use postgres::config::Host;
use postgres::{Client, Config, NoTls};
use std::path::Path;

/// The address of a PostgreSQL database and the password for it, which is never printed.
#[derive(Clone)]
pub struct PgConfig {
    config: Config,
}

impl core::fmt::Debug for PgConfig {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PgConfig")
            .field("hosts", &self.config.get_hosts())
            .field("ports", &self.config.get_ports())
            .field("database", &self.config.get_dbname())
            .finish_non_exhaustive()
    }
}

impl PgConfig {
    /// Reads `postgres://user@host:port/database`, or `host=... dbname=...`.
    ///
    /// The connection is not encrypted; therefore only a host of this machine is accepted: a socket directory, `localhost` or a
    /// loopback address. A database elsewhere is reached through a tunnel that ends here.
    ///
    /// # Errors
    /// [`StoreError::Address`] for what is no such address, holds a password or is not on this machine.
    pub fn parse(address: &str) -> Result<Self> {
        // The parser's own words may repeat the password.
        let mut config: Config =
            address.parse().map_err(|_| StoreError::Address { why: "it is no PostgreSQL address" })?;
        if config.get_password().is_some() {
            return Err(StoreError::Address {
                why: "it holds a password: put that into a file that nobody else can read, and name the file",
            });
        }
        let local = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        };
        if config.get_hosts().is_empty() {
            return Err(StoreError::Address { why: "it names no host" });
        }
        if !config.get_hosts().iter().all(local) || config.get_hostaddrs().iter().any(|ip| !ip.is_loopback())
        {
            return Err(StoreError::Address {
                why: "it is on another machine, and the connection is not encrypted: let a tunnel end on this one",
            });
        }
        config.application_name("wattle");
        Ok(Self { config })
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

    pub(super) fn connect(&self) -> Result<Client> {
        Ok(self.config.connect(NoTls)?)
    }
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
        ] {
            assert!(PgConfig::parse(good).is_ok(), "{good}");
        }
        for (bad, told) in [
            ("postgres://wattle@db.example/wattle", "another machine"),
            ("host=localhost hostaddr=203.0.113.9 user=wattle", "another machine"),
            ("postgres://wattle:s3cret@localhost/wattle", "holds a password"),
            ("user=wattle", "no host"),
            ("/var/lib/wattle", "no PostgreSQL address"),
        ] {
            let error = PgConfig::parse(bad).unwrap_err().to_string();
            assert!(error.contains(told), "{bad}: {error}");
            assert!(!error.contains("s3cret"));
        }
    }
}
