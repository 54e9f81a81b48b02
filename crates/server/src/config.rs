//! The configuration file of `wattle serve`.

use crate::utility::Home;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// What `wattle serve --config FILE` reads. `wattle serve --example` prints one with every setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The data directory.
    pub data: PathBuf,
    /// The master key, if it is not `master.key` in the data directory.
    pub master_key: Option<PathBuf>,
    /// A PostgreSQL database instead of the file in the data directory.
    pub database: Option<String>,
    /// A file whose first line is the password for it.
    pub database_password_file: Option<PathBuf>,
    /// The pages.
    #[serde(default)]
    pub web: Web,
    /// The head-end.
    #[serde(default)]
    pub head_end: HeadEnd,
    /// The jobs.
    #[serde(default)]
    pub jobs: Jobs,
}

/// Settings of the jobs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jobs {
    /// How long a job whose process died waits for another one, seconds.
    pub lease_s: u32,
    /// Meters whose day one job closes; a fleet of more is shared by all workers.
    pub close_meters: u32,
    /// The folder that each closed day is written to as Parquet, for analysts; none is written where it is not named.
    pub export_dir: Option<PathBuf>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { lease_s: 120, close_meters: 16_384, export_dir: None }
    }
}

/// Settings of the pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Where the pages listen. Another host than this one needs a proxy with TLS in front.
    pub listen: SocketAddr,
}

/// Settings of the head-end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeadEnd {
    /// Where meters send what nobody asked for.
    pub listen_pushes: SocketAddr,
    /// Our DLMS system title, 16 hexadecimal digits; unique in the utility.
    pub system_title: String,
    /// How often every meter is read, minutes.
    pub read_every_min: u32,
    /// A clock that is off by more is set, seconds.
    pub clock_tolerance_s: u32,
    /// How long one answer may take, seconds.
    pub response_timeout_s: u32,
    /// A time server, `host:port`, that our own clock is compared with; it is not compared without.
    pub time_server: Option<String>,
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}

impl Default for HeadEnd {
    fn default() -> Self {
        Self {
            listen_pushes: SocketAddr::from(([127, 0, 0, 1], 4060)),
            system_title: "5741540000000000".to_owned(),
            read_every_min: 240,
            clock_tolerance_s: 60,
            response_timeout_s: 60,
            time_server: None,
        }
    }
}

/// A configuration with every setting at its default, commented.
pub const EXAMPLE: &str = include_str!("../serve.example.toml");

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// A message that names file, line and remedy.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
        let config: Self =
            Self::parse(&text).with_context(|| format!("{} is no configuration", file.display()))?;
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self> {
        let config: Self = toml::from_str(text)?;
        if !is_local(config.web.listen.ip()) {
            bail!(
                "web.listen is {}: pages without TLS may only listen on this host; put a proxy with TLS in front",
                config.web.listen
            );
        }
        if config.head_end.read_every_min == 0
            || config.head_end.response_timeout_s == 0
            || config.jobs.lease_s == 0
            || config.jobs.close_meters == 0
        {
            bail!(
                "head_end.read_every_min, head_end.response_timeout_s, jobs.lease_s and jobs.close_meters must be at least 1"
            );
        }
        config.system_title()?;
        Ok(config)
    }

    /// Where the utility is.
    pub fn home(&self) -> Home {
        Home {
            data: self.data.clone(),
            master_key: self.master_key.clone(),
            database: self.database.clone(),
            password_file: self.database_password_file.clone(),
        }
    }

    /// The head-end's system title.
    ///
    /// # Errors
    /// When it is not 16 hexadecimal digits.
    pub fn system_title(&self) -> Result<[u8; 8]> {
        let title = &self.head_end.system_title;
        let bytes = hex::decode(title).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.with_context(|| format!("head_end.system_title is `{title}`, not 16 hexadecimal digits"))
    }
}

fn is_local(address: IpAddr) -> bool {
    address.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration_of_defaults() {
        let config = Config::parse(EXAMPLE).unwrap();
        assert_eq!(config.web.listen, Web::default().listen);
        assert_eq!(config.head_end.listen_pushes, HeadEnd::default().listen_pushes);
        assert_eq!(config.head_end.system_title, HeadEnd::default().system_title);
        assert_eq!(config.head_end.read_every_min, HeadEnd::default().read_every_min);
        assert_eq!(config.head_end.clock_tolerance_s, HeadEnd::default().clock_tolerance_s);
        assert_eq!(config.head_end.response_timeout_s, HeadEnd::default().response_timeout_s);
        assert_eq!(config.jobs.lease_s, Jobs::default().lease_s);
        assert_eq!(config.jobs.close_meters, Jobs::default().close_meters);
    }

    #[test]
    fn what_would_be_unsafe_or_senseless_is_refused() {
        for (from, to, told) in [
            ("127.0.0.1:8080", "0.0.0.0:8080", "TLS"),
            ("5741540000000000", "5741", "16 hexadecimal digits"),
            ("read_every_min = 240", "read_every_min = 0", "at least 1"),
            ("read_every_min", "read_evry_min", "unknown field"),
        ] {
            let text = EXAMPLE.replace(from, to);
            assert_ne!(text, EXAMPLE, "{from} is not in the example");
            let error = format!("{:#}", Config::parse(&text).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
    }
}
