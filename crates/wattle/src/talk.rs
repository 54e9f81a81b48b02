//! How the command line speaks: data on standard output, talk on standard error.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use tracing_subscriber::EnvFilter;

/// The manner of this run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    json: bool,
    quiet: bool,
}

/// The caller asked for something that cannot be asked; exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongUsage(pub String);

impl Talk {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Whether data is wanted as JSON.
    pub(crate) fn json(self) -> bool {
        self.json
    }

    /// A sentence for the person at the terminal.
    #[expect(clippy::print_stderr, reason = "talk goes to standard error")]
    pub(crate) fn say(self, sentence: impl std::fmt::Display) {
        if !self.quiet {
            eprintln!("{sentence}");
        }
    }

    /// One record of data: a JSON object, or the text for people.
    pub(crate) fn data(self, record: &impl Serialize, text: impl std::fmt::Display) -> Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, record)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{text}")?;
        }
        out.flush()?;
        Ok(())
    }

    /// A progress bar of `length` steps, drawn on a terminal only.
    pub(crate) fn progress(self, length: u64, what: &'static str) -> ProgressBar {
        let bar = ProgressBar::new(length).with_message(what);
        if self.quiet || self.json || !io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        } else if let Ok(style) =
            ProgressStyle::with_template("{msg:24} {bar:40} {human_pos:>9} of {human_len} {eta}")
        {
            bar.set_style(style);
        }
        bar
    }
}

/// `1 record`, `2 records`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `1 record was left out`, `2 records were left out`.
pub(crate) fn left_out(count: u64) -> String {
    let were = if count == 1 { "was" } else { "were" };
    format!("{} {were} left out", counted(count, "record"))
}

/// Logs to standard error, from the level `usual` on or as the environment variable WATTLE_LOG asks; in colour on a
/// terminal only.
pub(crate) fn log(usual: &str) {
    let filter = EnvFilter::try_from_env("WATTLE_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .try_init();
}

/// Whether whoever read our output went away, which is no failure of ours.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
            || cause
                .downcast_ref::<serde_json::Error>()
                .is_some_and(|json| json.io_error_kind() == Some(io::ErrorKind::BrokenPipe))
    })
}
