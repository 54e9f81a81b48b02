//! The one clock: real time, or time that runs faster for a demo.

use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// Tells the time to engines. With a speed of 60, an hour passes in a minute.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    origin: Timestamp,
    speed: u32,
}

impl Clock {
    /// A clock that shows `origin` now and runs at `speed` times real time.
    #[expect(clippy::disallowed_methods, reason = "a shell reads the clock for everybody else")]
    pub fn new(origin: Timestamp, speed: u32) -> Self {
        Self { started: Instant::now(), origin, speed: speed.max(1) }
    }

    /// Real time.
    #[expect(clippy::disallowed_methods, reason = "a shell reads the clock for everybody else")]
    pub fn real() -> Self {
        Self::new(Timestamp::now(), 1)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::MAX);
        let scaled = passed.checked_mul(i32::try_from(self.speed).unwrap_or(i32::MAX));
        self.origin.checked_add(scaled.unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
    }

    /// How long to sleep, in real time, until this clock shows `at`.
    pub fn until(&self, at: Timestamp) -> Duration {
        let left = at.duration_since(self.now());
        Duration::try_from(left).unwrap_or(Duration::ZERO) / self.speed
    }

    /// How many times faster than real time it runs.
    pub const fn speed(&self) -> u32 {
        self.speed
    }
}
