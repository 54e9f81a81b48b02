//! Numbers and times in words. Integers in, text out; nothing here knows a page.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{ChannelKind, Commodity};

/// How the values of a commodity are shown: stored integer, shifted by `exponent` decimals, in `unit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    /// The unit in words of the page.
    pub(crate) unit: &'static str,
    /// Power of ten between the stored integer and the unit shown.
    pub(crate) exponent: u8,
    /// Decimals of one interval or hour.
    pub(crate) fine: u8,
    /// Decimals of a day or more.
    pub(crate) coarse: u8,
}

impl Measure {
    /// How `kind` is shown.
    pub(crate) const fn of(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::Import | ChannelKind::Export | ChannelKind::Net | ChannelKind::Generation => {
                Self { unit: "kWh", exponent: 3, fine: 2, coarse: 1 }
            }
            ChannelKind::ReactiveImport | ChannelKind::ReactiveExport => {
                Self { unit: "kvarh", exponent: 3, fine: 2, coarse: 1 }
            }
            ChannelKind::Voltage => Self { unit: "V", exponent: 1, fine: 1, coarse: 1 },
            ChannelKind::Gas => Self { unit: "m³", exponent: 3, fine: 2, coarse: 1 },
            ChannelKind::Water => Self { unit: "L", exponent: 0, fine: 0, coarse: 0 },
        }
    }

    /// How the main channel of a commodity is shown.
    pub(crate) const fn of_commodity(commodity: Commodity) -> Self {
        Self::of(match commodity {
            Commodity::Electricity => ChannelKind::Import,
            Commodity::Gas => ChannelKind::Gas,
            Commodity::Water => ChannelKind::Water,
        })
    }

    /// A value of an interval or hour, without its unit.
    pub(crate) fn fine(self, value: i64) -> String {
        decimal(value, self.exponent, self.fine)
    }

    /// A value of a day or more, without its unit.
    pub(crate) fn coarse(self, value: i64) -> String {
        decimal(value, self.exponent, self.coarse)
    }

    /// A value in the unit shown, as a chart coordinate.
    pub(crate) fn real(self, value: i64) -> f64 {
        crate::chart::real(value) / 10f64.powi(i32::from(self.exponent))
    }
}

/// `value / 10^exponent` with `digits` decimals, rounded half away from zero, thousands set apart, with a true
/// minus sign.
pub(crate) fn decimal(value: i64, exponent: u8, digits: u8) -> String {
    let digits = digits.min(exponent);
    let cut = 10u64.pow(u32::from(exponent - digits));
    let rounded = (value.unsigned_abs() + cut / 2) / cut;
    let unit = 10u64.pow(u32::from(digits));
    let sign = if value < 0 && rounded > 0 { "\u{2212}" } else { "" };
    let whole = grouped(rounded / unit);
    if digits == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{:0width$}", rounded % unit, width = usize::from(digits))
}

/// A count with thousands set apart.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 meter`, `1,204 meters`.
pub(crate) fn counted(value: u64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{}\u{a0}{noun}{plural}", grouped(value))
}

/// By how many percent `value` differs from `usual`, rounded; `None` without a usual value.
pub(crate) fn percent_off(value: i64, usual: i64) -> Option<i64> {
    if usual <= 0 {
        return None;
    }
    let scaled = (value - usual).checked_mul(100)?;
    let half = if scaled < 0 { -usual / 2 } else { usual / 2 };
    Some((scaled + half) / usual)
}

/// Instants and dates in the words of one zone.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// The utility's zone.
    pub(crate) zone: TimeZone,
    /// The present.
    pub(crate) now: Timestamp,
}

impl Words {
    /// Today.
    pub(crate) fn today(&self) -> Date {
        self.now.to_zoned(self.zone.clone()).date()
    }

    /// `Tuesday 14 July`, with the year where it is not this one.
    pub(crate) fn long(&self, date: Date) -> String {
        let pattern = if date.year() == self.today().year() { "%A %-d %B" } else { "%A %-d %B %Y" };
        date.strftime(pattern).to_string()
    }

    /// `14:05:09`
    pub(crate) fn clock_secs(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// `14 Jul 14:05`, or only the time when it is today.
    pub(crate) fn stamp(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(self.zone.clone());
        let pattern = if zoned.date() == self.today() {
            "%H:%M:%S"
        } else if zoned.year() == self.today().year() {
            "%-d %b %H:%M"
        } else {
            "%-d %b %Y %H:%M"
        };
        zoned.strftime(pattern).to_string()
    }

    /// `just now`, `12 min ago`, `3 h ago`, `5 days ago`; a time ahead of the present is given as a stamp.
    pub(crate) fn ago(&self, at: Timestamp) -> String {
        let secs = self.now.as_second() - at.as_second();
        match secs {
            ..-60 => self.stamp(at),
            -60..60 => "just now".to_owned(),
            60..3600 => format!("{}\u{a0}min ago", secs / 60),
            3600..172_800 => format!("{}\u{a0}h ago", secs / 3600),
            _ => format!("{}\u{a0}days ago", secs / 86_400),
        }
    }
}

/// `Tue 14 Jul`
pub(crate) fn short(date: Date) -> String {
    date.strftime("%a %-d %b").to_string()
}

/// `Tuesday`
pub(crate) fn weekday(date: Date) -> String {
    date.strftime("%A").to_string()
}

/// `July 2026`
pub(crate) fn month(date: Date) -> String {
    date.strftime("%B %Y").to_string()
}

/// A name of ours as a heading: `high_low` becomes `High low`.
pub(crate) fn heading(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Ready for a query string: everything but letters, digits and `-._~` percent-encoded.
pub(crate) fn query_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `path` with these parameters, escaped; without a question mark where there are none.
pub(crate) fn address(path: &str, params: &[(&str, String)]) -> String {
    let pairs: Vec<String> =
        params.iter().map(|(name, value)| format!("{name}={}", query_escape(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn decimals_round_half_away_from_zero() {
        let rows = [
            (0, 3, 2, "0.00"),
            (1_234, 3, 2, "1.23"),
            (1_235, 3, 2, "1.24"),
            (-1_235, 3, 2, "\u{2212}1.24"),
            (-4, 3, 2, "0.00"),
            (999_999, 3, 1, "1,000.0"),
            (12_345_678, 3, 0, "12,346"),
            (2_301, 1, 1, "230.1"),
            (7, 0, 2, "7"),
        ];
        for (value, exponent, digits, text) in rows {
            assert_eq!(decimal(value, exponent, digits), text);
        }
    }

    #[test]
    fn differences_in_percent() {
        assert_eq!(percent_off(190, 100), Some(90));
        assert_eq!(percent_off(40, 100), Some(-60));
        assert_eq!(percent_off(40, 0), None);
    }

    #[test]
    fn times_in_words() {
        let words = Words {
            zone: TimeZone::get("Europe/Zurich").unwrap(),
            now: "2026-07-14T12:00:00Z".parse().unwrap(),
        };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(words.long(date(2026, 7, 14)), "Tuesday 14 July");
        assert_eq!(words.long(date(2025, 7, 14)), "Monday 14 July 2025");
        assert_eq!(words.stamp(at("2026-07-14T11:05:09Z")), "13:05:09");
        assert_eq!(words.stamp(at("2026-07-13T11:05:09Z")), "13 Jul 13:05");
        assert_eq!(words.ago(at("2026-07-14T11:59:40Z")), "just now");
        assert_eq!(words.ago(at("2026-07-14T11:30:00Z")), "30\u{a0}min ago");
        assert_eq!(words.ago(at("2026-07-09T11:30:00Z")), "5\u{a0}days ago");
    }

    #[test]
    fn names_become_headings() {
        for (name, text) in [("high_low", "High low"), ("import total", "Import total"), ("", "")] {
            assert_eq!(heading(name), text);
        }
    }

    #[test]
    fn query_values_survive_their_url() {
        assert_eq!(query_escape("a b&c=Ü"), "a%20b%26c%3D%C3%9C");
    }
}
