//! Amounts and times as people read them, for the sentences of findings: the one place that knows the units of the pages.
//!
//! Kilowatt-hours, kilovolt-ampere-reactive hours and cubic metres with all three digits behind the point, volts with one:
//! exactly what is stored, nothing rounded.

use crate::columns::ChannelDay;
use core::fmt;
use jiff::Timestamp;
use model::ChannelKind;

/// An amount of a channel, written with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    stored: i128,
    digits: usize,
    unit: &'static str,
}

/// `stored`, in the stored unit of `kind`, as people read it.
pub(crate) fn amount(kind: ChannelKind, stored: impl Into<i128>) -> Amount {
    let (digits, unit) = match kind {
        ChannelKind::Import | ChannelKind::Export | ChannelKind::Net | ChannelKind::Generation => (3, "kWh"),
        ChannelKind::ReactiveImport | ChannelKind::ReactiveExport => (3, "kvarh"),
        ChannelKind::Voltage => (1, "V"),
        ChannelKind::Gas | ChannelKind::Water => (3, "m³"),
    };
    Amount { stored: stored.into(), digits, unit }
}

/// `1 day`, `2 days`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `1 interval`, `2 intervals`.
pub(crate) fn intervals(count: usize) -> String {
    counted(count, "interval")
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:0width$}", self.stored.unsigned_abs(), width = self.digits + 1);
        let (whole, part) = text.split_at(text.len() - self.digits);
        if self.stored < 0 {
            f.write_str("-")?;
        }
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        write!(f, ".{part} {}", self.unit)
    }
}

impl ChannelDay<'_> {
    /// The local wall-clock time at which interval `index` starts.
    pub(crate) fn clock(&self, index: usize) -> String {
        if index >= self.len() {
            return "24:00".to_owned();
        }
        self.time(Timestamp::from_second(self.start_s(index)).unwrap_or(self.day.start()))
    }

    /// An instant as local wall-clock time, with the date where it is not of this day.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        if at == self.day.end() {
            return "24:00".to_owned();
        }
        let inside = self.day.start() <= at && at < self.day.end();
        let form = if inside { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        at.to_zoned(self.day.zone().clone()).strftime(form).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_on_the_pages() {
        let rows = [
            (ChannelKind::Import, 0, "0.000 kWh"),
            (ChannelKind::Export, -7, "-0.007 kWh"),
            (ChannelKind::Import, 9000, "9.000 kWh"),
            (ChannelKind::Net, 4_812_377, "4,812.377 kWh"),
            (ChannelKind::Generation, -1_234_567_890, "-1,234,567.890 kWh"),
            (ChannelKind::ReactiveImport, 999, "0.999 kvarh"),
            (ChannelKind::Voltage, 2301, "230.1 V"),
            (ChannelKind::Water, 12, "0.012 m³"),
            (ChannelKind::Gas, 1_000_000, "1,000.000 m³"),
        ];
        for (kind, stored, text) in rows {
            assert_eq!(amount(kind, stored).to_string(), text);
        }
    }
}
