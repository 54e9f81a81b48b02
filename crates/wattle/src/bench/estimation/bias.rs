//! By how much the estimates of all gaps together are too high or too low, and how well that is known.

use super::WAYS;
use std::collections::BTreeMap;

/// What a home used in its gaps, and by how much each way was above that.
#[derive(Clone, Copy, Default)]
struct Tally {
    truth: i64,
    signed: [i64; WAYS],
}

/// Signed errors by home, in the stored unit.
#[derive(Default)]
pub(super) struct Bias {
    homes: BTreeMap<(String, usize), Tally>,
}

impl Bias {
    /// Counts a gap of a home of a set.
    pub(super) fn count(&mut self, (set, home): (&str, usize), truth: i64, signed: &[i64; WAYS]) {
        let tally = self.homes.entry((set.to_owned(), home)).or_default();
        tally.truth += truth;
        for (sum, error) in tally.signed.iter_mut().zip(signed) {
            *sum += error;
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.homes.extend(other.homes);
    }

    /// The bias of a way in percent of what was used, above zero where estimates are too high, and its standard error.
    ///
    /// It is a ratio of two sums over homes, so its error is that of the homes' departures from the common ratio. Of a
    /// single home nothing is known of the error, and it is said to be 100 %.
    pub(super) fn percent(&self, way: usize) -> (f64, f64) {
        let float = |value: i64| {
            #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
            let value = value as f64;
            value
        };
        let truth = float(self.homes.values().map(|home| home.truth).sum::<i64>().max(1));
        let ratio = float(self.homes.values().map(|home| home.signed[way]).sum()) / truth;
        let Some(others) = u32::try_from(self.homes.len()).ok().and_then(|homes| homes.checked_sub(1)) else {
            return (0.0, 100.0);
        };
        if others == 0 {
            return (100.0 * ratio, 100.0);
        }
        let squares: f64 = self
            .homes
            .values()
            .map(|home| (float(home.signed[way]) - ratio * float(home.truth)).powi(2))
            .sum();
        let correction = f64::from(others + 1) / f64::from(others);
        (100.0 * ratio, 100.0 * (correction * squares).sqrt() / truth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_that_err_alike_leave_no_doubt_and_homes_that_differ_do() {
        let bias = |rows: &[(i64, i64)]| {
            let mut bias = Bias::default();
            for (home, (truth, error)) in rows.iter().enumerate() {
                bias.count(("set", home), *truth, &[*error; WAYS]);
            }
            bias.percent(0)
        };
        let tables = [
            (vec![], (0.0, 100.0)),
            (vec![(1000, 20)], (2.0, 100.0)),
            (vec![(1000, 20), (3000, 60)], (2.0, 0.0)),
            // Departures of 20 from a ratio of 0: the root of 2 * (400 + 400), over 2000.
            (vec![(1000, 20), (1000, -20)], (0.0, 2.0)),
        ];
        for (rows, (percent, error)) in tables {
            let found = bias(&rows);
            assert!(
                (found.0 - percent).abs() < 1e-9 && (found.1 - error).abs() < 1e-9,
                "{rows:?}: {found:?}"
            );
        }
    }
}
