//! Axis steps that people like to read.

/// Half the width of a float comparison, relative to the step.
const SLACK: f64 = 1e-9;

/// An axis from `lo` to `hi` in steps of 1, 2, 2.5 or 5 times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    /// Lower end, a multiple of the step.
    pub(crate) lo: f64,
    /// Upper end, a multiple of the step, above `lo`.
    pub(crate) hi: f64,
    /// Distance of two grid lines.
    pub(crate) step: f64,
}

impl Axis {
    /// An axis that holds `lo..=hi` in about four steps. Equal or swapped ends still give a valid axis.
    pub(crate) fn spanning(lo: f64, hi: f64) -> Self {
        let hi = if hi > lo { hi } else { lo + 1.0 };
        // An axis through zero ends on a step at both sides, so it needs finer ones to fit as closely.
        let steps = if lo < 0.0 { 5.0 } else { 4.0 };
        let raw = ((hi - lo) / steps).max(0.001);
        let magnitude = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0]
            .into_iter()
            .map(|s| s * magnitude)
            .find(|s| *s >= raw * (1.0 - SLACK))
            .unwrap_or(10.0 * magnitude);
        let lo = (lo / step + SLACK).floor() * step;
        let hi = (hi / step - SLACK).ceil() * step;
        Self { lo, hi: if hi > lo { hi } else { lo + step }, step }
    }

    /// Every grid line, from low to high.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        let mut ticks = Vec::new();
        let mut at = self.lo;
        while at <= self.hi + self.step / 2.0 && ticks.len() < 16 {
            // A sum of steps that should be zero must not print as -0.
            ticks.push(if at.abs() < self.step / 1000.0 { 0.0 } else { at });
            at += self.step;
        }
        ticks
    }

    /// A tick in as many decimals as the step needs; below zero with a true minus sign.
    pub(crate) fn text(&self, tick: f64) -> String {
        let decimals = if self.step >= 1.0 && (self.step % 1.0).abs() < SLACK {
            0
        } else if (self.step * 10.0 % 1.0).abs() < 1e-6 {
            1
        } else {
            2
        };
        let digits = format!("{:.decimals$}", tick.abs());
        if tick < 0.0 { format!("\u{2212}{digits}") } else { digits }
    }

    /// Where `value` lies: 0 at the top, 1 at the bottom.
    pub(crate) fn depth(&self, value: f64) -> f64 {
        (self.hi - value) / (self.hi - self.lo)
    }
}
