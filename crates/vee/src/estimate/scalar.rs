//! Registers where there are intervals, and consumption where there are only registers.

use crate::facts::{Advance, register_advance};

/// Carries a register forward over intervals that add up to `sum` of the stored unit.
///
/// `previous` is the last read in register units, `multiplier` how many stored units one of them is, and
/// `modulus` the register value at which it starts again from zero (10^dials). Returned are the register
/// and the rest of `sum` that is less than one unit of it, which belongs to the next step.
///
/// ```
/// // Five dials, a multiplier of 40: 1,000 are 25 units, through zero.
/// assert_eq!(vee::register_from_intervals(99_990, 1_000, 40, Some(100_000)), Some((15, 0)));
/// assert_eq!(vee::register_from_intervals(500, 70, 40, None), Some((501, 30)));
/// ```
///
/// None where the multiplier or the modulus is not above zero, or the register would overflow.
pub fn register_from_intervals(
    previous: i64,
    sum: i64,
    multiplier: i64,
    modulus: Option<i64>,
) -> Option<(i64, i64)> {
    if multiplier <= 0 || modulus.is_some_and(|modulus| modulus <= 0) {
        return None;
    }
    let next = previous.checked_add(sum.div_euclid(multiplier))?;
    let next = modulus.map_or(next, |modulus| next.rem_euclid(modulus));
    Some((next, sum.rem_euclid(multiplier)))
}

/// Shares a consumption that only two reads bracket among parts of the time between them, by days, by
/// degree days, or by any other weights. Exact: the shares add up to `total`.
///
/// ```
/// // 330 between two reads, of which 10 days lie in one bill and 23 in the next.
/// assert_eq!(vee::prorate(330, &[10, 23]), Some(vec![100, 230]));
/// ```
///
/// None where every weight is zero.
pub fn prorate(total: i64, weights: &[u32]) -> Option<Vec<i64>> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return None;
    }
    let values: Vec<i64> = weights.iter().map(|weight| i64::from(*weight)).collect();
    Some(super::scale::spread(&values, total.into()))
}

/// The register that was not read, from last year's consumption over the same period and how this year
/// compares: `recent` over `recent_last_year` is the trend.
///
/// ```
/// // Last year 900 in these weeks; this spring 1,100 against 1,000 of last spring.
/// assert_eq!(vee::last_year_with_trend(900, 1_100, 1_000), Some(990));
/// ```
///
/// None where nothing was used in the comparison period last year.
pub fn last_year_with_trend(last_year: i64, recent: i64, recent_last_year: i64) -> Option<i64> {
    if recent_last_year <= 0 {
        return None;
    }
    let scaled = i128::from(last_year) * i128::from(recent);
    Some(super::narrow(super::rounded_div(scaled, recent_last_year.into())))
}

/// The register between two reads, from the share of the consumption up to there.
///
/// ```
/// assert_eq!(vee::register_between(1_000, 1_330, None, 100), Some(1_100));
/// assert_eq!(vee::register_between(99_990, 15, Some(100_000), 20), Some(10));
/// ```
///
/// None where the register went backward, or the share is more than it moved.
pub fn register_between(from: i64, to: i64, modulus: Option<i64>, share: i64) -> Option<i64> {
    let moved = match register_advance(from, to, modulus) {
        Advance::Forward(moved) | Advance::RolledOver(moved) => moved,
        Advance::Backward(_) => return None,
    };
    if !(0..=moved).contains(&share) {
        return None;
    }
    let at = from.checked_add(share)?;
    Some(modulus.map_or(at, |modulus| at.rem_euclid(modulus)))
}
