//! OBIS codes: the names of what a meter holds.

use core::fmt;
use core::str::FromStr;

/// A logical name of six bytes, printed `A-B:C.D.E.F`.
///
/// Standard: IEC 62056-6-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Obis(pub [u8; 6]);

impl Obis {
    /// From its six value groups.
    pub const fn new(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) -> Self {
        Self([a, b, c, d, e, f])
    }
}

impl fmt::Display for Obis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(out, "{a}-{b}:{c}.{d}.{e}.{f}")
    }
}

impl fmt::Debug for Obis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Text that is no OBIS code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no OBIS code; write it as 1-0:1.8.0.255 or 1.0.1.8.0.255")]
pub struct NotObis(pub String);

impl FromStr for Obis {
    type Err = NotObis;

    /// Takes `A-B:C.D.E.F`, `A-B:C.D.E*F`, `A.B.C.D.E.F` and, with F = 255, `A-B:C.D.E`.
    fn from_str(text: &str) -> Result<Self, NotObis> {
        let refuse = || NotObis(text.to_owned());
        let mut groups = [255u8; 6];
        let mut count = 0;
        for part in text.trim().split(['-', ':', '.', '*']) {
            let slot = groups.get_mut(count).ok_or_else(refuse)?;
            *slot = part.parse().map_err(|_| refuse())?;
            count += 1;
        }
        if count >= 5 { Ok(Self(groups)) } else { Err(refuse()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_ways() {
        let total = Obis::new(1, 0, 1, 8, 0, 255);
        for text in ["1-0:1.8.0.255", "1-0:1.8.0*255", "1.0.1.8.0.255", "1-0:1.8.0", " 1-0:1.8.0 "] {
            assert_eq!(text.parse(), Ok(total), "{text}");
        }
        for text in ["", "1-0", "1-0:1.8.0.255.1", "1-0:1.8.256", "x"] {
            assert!(text.parse::<Obis>().is_err(), "{text}");
        }
        assert_eq!(total.to_string(), "1-0:1.8.0.255");
    }
}
