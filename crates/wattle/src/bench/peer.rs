//! Independent programs that do the same beside ours, as processes of their own.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SCRIPTS: &str = "tests/peers";
const USUAL: &str = "target/interop-venv/bin/python";

/// A Python that has gurux-dlms.
#[derive(Debug)]
pub(super) struct Python(PathBuf);

impl Python {
    /// The one that was named, or the one the test command installs; none if neither is there.
    ///
    /// One that was named must work.
    pub(super) fn find(named: Option<&Path>) -> Result<Option<Self>> {
        let works = |path: &Path| {
            let tried = Command::new(path)
                .args(["-c", "import gurux_dlms"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            tried.is_ok_and(|status| status.success()) && Path::new(SCRIPTS).is_dir()
        };
        match named {
            Some(path) if works(path) => Ok(Some(Self(path.to_owned()))),
            Some(path) => bail!(
                "{} with gurux-dlms and the scripts of {SCRIPTS} are not both there; run in a checkout, after `{} -m pip \
                 install gurux-dlms==1.0.203`",
                path.display(),
                path.display()
            ),
            None => Ok(Some(PathBuf::from(USUAL)).filter(|path| works(path)).map(Self)),
        }
    }

    /// As [`Python::measure`]; none where the script says that its peer is not there.
    pub(super) fn try_measure(&self, script: &str, order: &Value) -> Result<Option<f64>> {
        let told = self.told(script, order)?;
        Ok(if told["absent"].is_string() { None } else { told["rate"].as_f64() })
    }

    /// What `script` measures when it is given `order`: the number it calls `rate`.
    pub(super) fn measure(&self, script: &str, order: &Value) -> Result<f64> {
        self.told(script, order)?["rate"].as_f64().with_context(|| format!("{script} told no rate"))
    }

    fn told(&self, script: &str, order: &Value) -> Result<Value> {
        let file = Path::new(SCRIPTS).join(script);
        let mut child = Command::new(&self.0)
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", self.0.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(order.to_string().as_bytes())?;
        }
        let done = child.wait_with_output()?;
        if !done.status.success() {
            bail!("{} failed; its own words are above", file.display());
        }
        serde_json::from_slice(&done.stdout).with_context(|| format!("{} told no JSON", file.display()))
    }
}
