//! How long the demo takes from its start to its first useful page, and how much memory.

use super::report::{Line, Report};
use super::{Manner, cpu, fleet, page};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A town, and what its demo may take.
struct Town {
    meters: u32,
    days: u32,
    /// s.
    first_page: Option<f64>,
    /// MiB.
    rss: Option<f64>,
    /// How long it lives on before its memory is looked at.
    life: Duration,
}

pub(super) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let second = Duration::from_secs(1);
    let small = Town { meters: 500, days: 60, first_page: Some(10.0), rss: Some(500.0), life: second * 20 };
    let large = Town { meters: 5_000, days: 60, first_page: Some(60.0), rss: None, life: second * 20 };
    let quick = Town { meters: 100, days: 10, first_page: None, rss: None, life: second / 2 };
    for town in if manner.quick { vec![quick] } else { vec![small, large] } {
        start(&town, report)?;
    }
    fleet::run(manner, report)
}

#[expect(clippy::disallowed_methods, reason = "a bench is about real time")]
fn start(town: &Town, report: &mut Report) -> Result<()> {
    let began = Instant::now();
    let child = Command::new(std::env::current_exe()?)
        .args(["--json", "--quiet", "demo", "--port", "0", "--exit-after", "300"])
        .args(["--meters", &town.meters.to_string(), "--days", &town.days.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start the demo")?;
    let mut demo = Running(child);
    let stdout = demo.0.stdout.take().context("the demo has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let told: Value =
        serde_json::from_str(&line).context("the demo did not start; its own words are above")?;
    let url = told["url"].as_str().context("the demo told no address")?;
    page::first_useful(url.trim_start_matches("http://").trim_end_matches('/'))?;
    let first_page = began.elapsed().as_secs_f64();
    let bounded = |line: Line, bound: Option<f64>| match bound {
        Some(bound) => line.at_most(bound),
        None => line,
    };
    let name = format!("demo.{}", town.meters);
    report.tell(&bounded(Line::new(format!("{name}.first_page"), first_page, "s"), town.first_page))?;
    std::thread::sleep(town.life);
    if let Some(peak) = cpu::peak_mib(&demo.0.id().to_string()) {
        report.tell(&bounded(Line::new(format!("{name}.rss"), peak, "MiB"), town.rss))?;
    }
    Ok(())
}

/// A child that does not outlive us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
