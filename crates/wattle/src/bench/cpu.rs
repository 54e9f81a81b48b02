//! How much processor time this thread has had, so that a machine with other work does not spoil a measure.

use std::fs;
use std::time::{Duration, Instant};

/// A stopwatch over the processor time of one thread; over passing time where the system does not tell.
#[derive(Debug)]
pub(super) struct Stopwatch {
    began: Instant,
    cpu: Option<Duration>,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a bench is about real time")]
    pub(super) fn start() -> Self {
        Self { began: Instant::now(), cpu: used() }
    }

    /// Time had since the start.
    pub(super) fn had(&self) -> Duration {
        match (self.cpu, used()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.began.elapsed(),
        }
    }
}

/// The first field of `schedstat` is the time spent on a processor, in nanoseconds.
fn used() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// Seconds of processor that all threads of this process have had, to a hundredth; 0 where the system does not tell.
pub(super) fn process() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    // After the name in brackets, user time is the twelfth field and system time the thirteenth, in hundredths.
    fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .map(|ticks| f64::from(ticks) / 100.0)
        .sum()
}

/// The most memory that a process has had at a time, in MiB; none where the system does not tell.
pub(super) fn peak_mib(process: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u32 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(f64::from(kib) / 1024.0)
}
