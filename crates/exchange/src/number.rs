//! Decimal numbers as written, straight into integers; never through a float.

/// A decimal number: `mantissa x 10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal {
    /// The digits.
    pub mantissa: i64,
    /// The power of ten.
    pub exponent: i8,
}

/// Powers of ten that fit.
const POWERS: [i64; 19] = {
    let mut powers = [1i64; 19];
    let mut index = 1;
    while index < 19 {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// `10^n`, where it fits 64 bits.
pub fn power(n: u8) -> Option<i64> {
    POWERS.get(usize::from(n)).copied()
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: 0, exponent: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, exponent: 0 };

    /// A number.
    pub const fn new(mantissa: i64, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// Reads a number with `point` as its decimal point: sign, digits, point, an exponent of ten. `None` for anything
    /// else, separators of thousands included, and for what does not fit 64 bits exactly.
    pub fn parse(text: &[u8], point: u8) -> Option<Self> {
        let (scanned, rest) = scan(text, point)?;
        let mut exponent = -i16::from(scanned.decimals);
        if let [b'e' | b'E', tail @ ..] = rest {
            let digits = tail.strip_prefix(b"+").unwrap_or(tail);
            let shift: i16 = core::str::from_utf8(digits).ok()?.parse().ok()?;
            exponent = exponent.checked_add(shift)?;
        } else if !rest.is_empty() {
            return None;
        }
        if scanned.mantissa == 0 {
            return Some(Self::ZERO);
        }
        Some(Self { mantissa: scanned.mantissa, exponent: i8::try_from(exponent).ok()? })
    }

    /// The integer of the same number under another exponent, if it is one.
    pub fn rescaled(self, exponent: i8) -> Option<i64> {
        let up = i16::from(self.exponent) - i16::from(exponent);
        if self.mantissa == 0 {
            return Some(0);
        }
        if up >= 0 {
            return self.mantissa.checked_mul(power(u8::try_from(up).ok()?)?);
        }
        let divisor = power(u8::try_from(-up).ok()?)?;
        (self.mantissa % divisor == 0).then(|| self.mantissa / divisor)
    }

    /// The product, if it fits.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        Some(Self {
            mantissa: self.mantissa.checked_mul(other.mantissa)?,
            exponent: self.exponent.checked_add(other.exponent)?,
        })
    }

    /// The same number without zeros at its end.
    pub fn trimmed(mut self) -> Self {
        if self.mantissa == 0 {
            return Self::ZERO;
        }
        while self.mantissa % 10 == 0 && self.exponent < i8::MAX {
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self
    }
}

impl core::fmt::Display for Decimal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let digits = self.mantissa.unsigned_abs().to_string();
        let sign = if self.mantissa < 0 { "-" } else { "" };
        if self.exponent >= 0 {
            let zeros = if self.mantissa == 0 { 0 } else { usize::from(self.exponent.unsigned_abs()) };
            return write!(f, "{sign}{digits}{:0<zeros$}", "");
        }
        let decimals = usize::from(self.exponent.unsigned_abs());
        let digits = format!("{digits:0>width$}", width = decimals + 1);
        let (whole, part) = digits.split_at(digits.len() - decimals);
        write!(f, "{sign}{whole}.{part}")
    }
}

/// Digits and a point, without an exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// The digits, signed.
    pub mantissa: i64,
    /// How many of them stand behind the point.
    pub decimals: u8,
}

/// Reads a number at the beginning of `text` and returns what follows it. The bytes of a field are looked at once.
#[inline]
pub fn scan(text: &[u8], point: u8) -> Option<(Scanned, &[u8])> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mut mantissa, mut at) = (0u64, 0usize);
    while let Some(digit) = digits.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    let (whole, mut decimals) = (at, 0usize);
    if digits.get(at) == Some(&point) {
        at += 1;
        let from = at;
        while let Some(digit) = digits.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)
        {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        decimals = at - from;
    }
    let (_, rest) = digits.split_at(at);
    if whole + decimals == 0 {
        return None;
    }
    if whole + decimals > 18 {
        return long(digits.get(..at)?, point, negative).map(|scanned| (scanned, rest));
    }
    let mantissa = i64::try_from(mantissa).ok()?;
    let decimals = u8::try_from(decimals).ok()?;
    Some((Scanned { mantissa: if negative { -mantissa } else { mantissa }, decimals }, rest))
}

/// A number of more than 18 digits: zeros at both ends do not count.
#[cold]
fn long(digits: &[u8], point: u8, negative: bool) -> Option<Scanned> {
    let mut parts = digits.splitn(2, |byte| *byte == point);
    let (whole, part) = (parts.next()?, parts.next().unwrap_or_default());
    let kept = part.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    let mut mantissa = 0i64;
    for digit in whole.iter().chain(part.get(..kept)?) {
        let digit = i64::from(digit.wrapping_sub(b'0'));
        mantissa = mantissa.checked_mul(10)?.checked_add(if negative { -digit } else { digit })?;
    }
    Some(Scanned { mantissa, decimals: u8::try_from(kept).ok()? })
}

/// Numbers of one series under a common count of decimals, widened as finer ones come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mantissas {
    values: Vec<i64>,
    decimals: u8,
}

impl Mantissas {
    /// An empty column with room for `capacity` values, that begins with `decimals` decimals.
    pub fn with_capacity(capacity: usize, decimals: u8) -> Self {
        Self { values: Vec::with_capacity(capacity), decimals }
    }

    /// Adds a number. `false`, and nothing is added, where the column would leave 64 bits.
    #[inline]
    pub fn push(&mut self, number: Scanned) -> bool {
        if number.decimals == self.decimals {
            self.values.push(number.mantissa);
            return true;
        }
        self.push_other(number)
    }

    /// Adds a number that has as many decimals as the column; else nothing is added.
    #[inline]
    pub fn push_alike(&mut self, number: Scanned) -> bool {
        let alike = number.decimals == self.decimals;
        if alike {
            self.values.push(number.mantissa);
        }
        alike
    }

    fn push_other(&mut self, number: Scanned) -> bool {
        if number.decimals < self.decimals || number.mantissa == 0 {
            let factor = power(self.decimals.saturating_sub(number.decimals));
            let Some(value) = factor.and_then(|factor| number.mantissa.checked_mul(factor)) else {
                return self.push_trimmed(number);
            };
            self.values.push(value);
            return true;
        }
        let Some(factor) = power(number.decimals - self.decimals) else { return self.push_trimmed(number) };
        if self.values.iter().any(|value| value.checked_mul(factor).is_none()) {
            return self.push_trimmed(number);
        }
        for value in &mut self.values {
            *value *= factor;
        }
        self.decimals = number.decimals;
        self.values.push(number.mantissa);
        true
    }

    /// Zeros at the end of a number ask for no room.
    fn push_trimmed(&mut self, number: Scanned) -> bool {
        let Ok(decimals) = i8::try_from(number.decimals) else { return false };
        let trimmed = Decimal::new(number.mantissa, -decimals).trimmed();
        let fewer = u8::try_from(-i16::from(trimmed.exponent)).unwrap_or(0);
        if trimmed.exponent > 0 || fewer >= number.decimals {
            return false;
        }
        self.push(Scanned { mantissa: trimmed.mantissa, decimals: fewer })
    }

    /// Adds a number with any exponent. `false` where the column would leave 64 bits.
    pub fn push_decimal(&mut self, number: Decimal) -> bool {
        if number.exponent > 0 {
            let Some(mantissa) = number.rescaled(0) else { return false };
            return self.push(Scanned { mantissa, decimals: 0 });
        }
        self.push(Scanned { mantissa: number.mantissa, decimals: number.exponent.unsigned_abs() })
    }

    /// Adds a zero that stands for no value.
    #[inline]
    pub fn push_nothing(&mut self) {
        self.values.push(0);
    }

    /// Takes the last values away so that `len` remain.
    pub fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values, and the decimal exponent that they and a unit's `exponent` make together.
    pub fn finish(self, exponent: i8) -> (Vec<i64>, i8) {
        let decimals = i8::try_from(self.decimals).unwrap_or(i8::MAX);
        (self.values, exponent.saturating_sub(decimals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_as_written() {
        for (text, mantissa, exponent) in [
            ("1.111", 1111, -3),
            (".5", 5, -1),
            ("5.", 5, 0),
            ("-0.25", -25, -2),
            ("+7", 7, 0),
            ("8.17e-05", 817, -7),
            ("1E3", 1, 3),
            ("0", 0, 0),
            ("0.000", 0, 0),
            ("1.50000000000000000000000", 15, -1),
            ("000000000000000000000012", 12, 0),
        ] {
            assert_eq!(
                Decimal::parse(text.as_bytes(), b'.'),
                Some(Decimal::new(mantissa, exponent)),
                "{text}"
            );
        }
        for text in ["", ".", "-", "1,5", "1 5", "1e", "1e999", "0x1", "nan", "99999999999999999999", "1.2.3"]
        {
            assert_eq!(Decimal::parse(text.as_bytes(), b'.'), None, "{text}");
        }
        assert_eq!(Decimal::parse(b"1,5", b','), Some(Decimal::new(15, -1)));
        assert_eq!(Decimal::new(-5, -3).to_string(), "-0.005");
        assert_eq!(Decimal::new(5, 3).to_string(), "5000");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(mantissa in any::<i32>(), exponent in -9i8..=3) {
            let number = Decimal::new(i64::from(mantissa), exponent);
            let back = Decimal::parse(number.to_string().as_bytes(), b'.').unwrap();
            prop_assert_eq!(back.trimmed(), number.trimmed());
        }

        #[test]
        fn a_column_keeps_every_number(numbers in prop::collection::vec((-1_000_000i64..1_000_000, 0u8..7), 1..50)) {
            let mut column = Mantissas::default();
            for (mantissa, decimals) in &numbers {
                let number = Scanned { mantissa: *mantissa, decimals: *decimals };
                prop_assert!(column.push(number));
            }
            let (values, exponent) = column.finish(0);
            for ((mantissa, decimals), value) in numbers.iter().zip(values) {
                let written = Decimal::new(*mantissa, -i8::try_from(*decimals).unwrap());
                prop_assert_eq!(Decimal::new(value, exponent).trimmed(), written.trimmed());
            }
        }

        #[test]
        fn any_bytes_are_a_number_or_none(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Decimal::parse(&text, b'.');
        }
    }
}
