//! The meter's own clock: it drifts, it can be set, and it runs on through a power failure.

/// Maps true time to the meter's time. Both in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// True time of the last setting.
    set_at_ms: i64,
    /// What it showed too much at that moment.
    offset_ms: i64,
    /// How fast it gains, parts per billion.
    gain_ppb: i64,
}

impl Clock {
    /// A clock that is right at `now_ms` and gains `gain_ppb`.
    pub(crate) const fn new(now_ms: i64, gain_ppb: i64) -> Self {
        Self { set_at_ms: now_ms, offset_ms: 0, gain_ppb }
    }

    /// What it shows at true time `true_ms`.
    pub(crate) fn shows(&self, true_ms: i64) -> i64 {
        let gained = i128::from(true_ms - self.set_at_ms) * i128::from(self.gain_ppb) / 1_000_000_000;
        true_ms + self.offset_ms + i64::try_from(gained).unwrap_or(0)
    }

    /// The first true time at which it shows `shown_ms` or later.
    pub(crate) fn when_shows(&self, shown_ms: i64) -> i64 {
        let mut at = shown_ms - self.offset_ms;
        for _ in 0..3 {
            at -= self.shows(at) - shown_ms;
        }
        while self.shows(at) < shown_ms {
            at += 1;
        }
        while self.shows(at - 1) >= shown_ms {
            at -= 1;
        }
        at
    }

    /// Makes it show `shown_ms` at `true_ms`.
    pub(crate) fn set(&mut self, true_ms: i64, shown_ms: i64) {
        self.set_at_ms = true_ms;
        self.offset_ms = shown_ms - true_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_way_back_is_exact(start in 1_600_000_000_000i64..1_900_000_000_000, offset in -100_000i64..100_000,
                                 ppb in -500_000i64..500_000, later in 0i64..90 * 86_400_000) {
            let mut clock = Clock::new(start, ppb);
            clock.set(start, start + offset);
            let shown = start + offset + later;
            let at = clock.when_shows(shown);
            prop_assert!(clock.shows(at) >= shown);
            prop_assert!(clock.shows(at - 1) < shown);
        }
    }

    #[test]
    fn a_hundred_ppm_are_nine_seconds_a_day() {
        let clock = Clock::new(0, 100_000);
        assert_eq!(clock.shows(86_400_000), 86_408_640);
    }
}
