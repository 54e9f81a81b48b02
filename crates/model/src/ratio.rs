//! Exact rational numbers, for coefficients and factors that people write.

use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// A rational number in lowest terms, its denominator above zero: `3/2`, `0.93`, `-1`.
///
/// ```
/// use model::Ratio;
/// let share: Ratio = "0.93".parse().unwrap();
/// assert_eq!((share.numerator(), share.denominator()), (93, 100));
/// assert_eq!("4/6".parse::<Ratio>().unwrap().to_string(), "2/3");
/// assert_eq!(share.times(100), 93);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ratio {
    numerator: i64,
    denominator: i64,
}

/// A text that is no ratio.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no exact number: write a whole number, a decimal as in 0.93, or a fraction as in 3/2")]
pub struct NotARatio(pub String);

impl Ratio {
    /// Zero.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// One.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };
    /// Minus one.
    pub const MINUS_ONE: Self = Self { numerator: -1, denominator: 1 };

    /// `numerator / denominator` in lowest terms; `None` for a denominator of zero or a number that does not fit.
    pub fn new(numerator: i64, denominator: i64) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let common = i128::from(gcd(numerator.unsigned_abs(), denominator.unsigned_abs()));
        let sign = if denominator < 0 { -1 } else { 1 };
        let part = |number: i64| i64::try_from(i128::from(number) * sign / common).ok();
        Some(Self { numerator: part(numerator)?, denominator: part(denominator)? })
    }

    /// The number above the line.
    pub const fn numerator(self) -> i64 {
        self.numerator
    }

    /// The number below the line, above zero.
    pub const fn denominator(self) -> i64 {
        self.denominator
    }

    /// `value` times this, rounded to the nearest whole number, halves away from zero; held at the limits of 64 bits.
    pub fn times(self, value: i64) -> i64 {
        rounded(i128::from(value) * i128::from(self.numerator), i128::from(self.denominator))
    }
}

/// `numerator / denominator` to the nearest whole number, halves away from zero; held at the limits of 64 bits.
/// A denominator of zero gives zero.
pub fn rounded(numerator: i128, denominator: i128) -> i64 {
    if denominator == 0 {
        return 0;
    }
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let up = rest.unsigned_abs() >= denominator.unsigned_abs() - rest.unsigned_abs();
    let sign = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
    let value = if rest != 0 && up { whole + sign } else { whole };
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { 1 } else { a }
}

impl FromStr for Ratio {
    type Err = NotARatio;

    fn from_str(text: &str) -> Result<Self, NotARatio> {
        let refused = || NotARatio(text.to_owned());
        let text = text.trim();
        let whole = |text: &str| text.trim().parse::<i64>().map_err(|_| refused());
        if let Some((above, below)) = text.split_once('/') {
            return Self::new(whole(above)?, whole(below)?).ok_or_else(refused);
        }
        let Some((before, after)) = text.split_once('.') else {
            return Self::new(whole(text)?, 1).ok_or_else(refused);
        };
        if after.is_empty() || after.len() > 9 || !after.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        let digits = u32::try_from(after.len()).map_err(|_| refused())?;
        Self::new(whole(&[before, after].concat())?, 10i64.pow(digits)).ok_or_else(refused)
    }
}

impl core::fmt::Display for Ratio {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.denominator == 1 {
            self.numerator.fmt(f)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

impl TryFrom<String> for Ratio {
    type Error = NotARatio;

    fn try_from(text: String) -> Result<Self, NotARatio> {
        text.parse()
    }
}

impl From<Ratio> for String {
    fn from(ratio: Ratio) -> Self {
        ratio.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_their_numbers() {
        let rows = [
            ("1", Some((1, 1))),
            ("-1", Some((-1, 1))),
            ("0.93", Some((93, 100))),
            ("-0.5", Some((-1, 2))),
            (" 6 / -4 ", Some((-3, 2))),
            ("0", Some((0, 1))),
            ("1/0", None),
            ("1.", None),
            ("1.0000000001", None),
            ("1e3", None),
            ("", None),
            ("0.-5", None),
        ];
        for (text, expected) in rows {
            let found = text.parse::<Ratio>().ok().map(|ratio| (ratio.numerator(), ratio.denominator()));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_and_away_from_zero() {
        let rows =
            [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (-4, 3, -1), (5, 3, 2), (6, 3, 2), (5, -2, -3), (1, 0, 0)];
        for (above, below, expected) in rows {
            assert_eq!(rounded(above, below), expected, "{above}/{below}");
        }
        assert_eq!(Ratio::new(3, 2).unwrap().times(i64::MAX), i64::MAX);
    }
}
