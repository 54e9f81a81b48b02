//! Items of a file, put together to days.

use super::{Channel, Loaded, Refused};
use anyhow::{Result, bail};
use exchange::{IntervalBlock, Item, Measure, RegisterReading, Series};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{ChannelKind, Commodity, IntervalLength, LocalDay, Unit};
use std::collections::BTreeMap;
use vee::{Arrival, Day, Finding, Register, Rules, TouRead};

/// A table whose days lie further apart than this was read with the wrong format of times.
const LONGEST_D: usize = 366 * 30;
/// Hours after the last reading at which everything is overdue, however long the rules' grace.
const LATER_H: i64 = 24 * 32;

/// A channel while its file is read.
#[derive(Debug)]
struct Pending {
    kind: ChannelKind,
    interval: IntervalLength,
    days: BTreeMap<Date, Day>,
    registers: Vec<Register>,
    tou: Vec<TouRead>,
    findings: Vec<(Date, Finding)>,
}

pub(super) struct Gatherer<'a> {
    zone: TimeZone,
    kind: Option<ChannelKind>,
    rules: &'a Rules,
    channels: BTreeMap<String, Pending>,
    refused: Vec<Refused>,
    /// Values finer than the stored unit.
    rounded: u64,
    /// Values without a unit, and the unit they were taken for.
    assumed: Option<&'static str>,
    last: Timestamp,
}

impl<'a> Gatherer<'a> {
    pub(super) const fn new(zone: TimeZone, kind: Option<ChannelKind>, rules: &'a Rules) -> Self {
        Self {
            zone,
            kind,
            rules,
            channels: BTreeMap::new(),
            refused: Vec::new(),
            rounded: 0,
            assumed: None,
            last: Timestamp::MIN,
        }
    }

    pub(super) fn take(&mut self, item: Item) -> Result<()> {
        match item {
            Item::Block(block) => self.block(&block),
            Item::Register(reading) => {
                self.register(&reading);
                Ok(())
            }
            Item::Period(period) => {
                self.refuse(period.line, "a quantity of a span of time is no interval of a profile");
                Ok(())
            }
            Item::Refused(refusal) => {
                self.refuse(refusal.line, format!("{}: {:?}", refusal.reason, refusal.text));
                Ok(())
            }
            Item::Summary(_) | Item::Note(_) => Ok(()),
        }
    }

    fn refuse(&mut self, line: u64, reason: impl Into<String>) {
        self.refused.push(Refused { line, reason: reason.into() });
    }

    /// What a series measures, as said by the command, else by the file, else by its unit.
    fn kind_of(&self, series: &Series) -> Option<ChannelKind> {
        let usual = || match series.measure {
            Measure::Unnamed => Some(ChannelKind::Import),
            Measure::CubicMetre => Some(ChannelKind::Water),
            ref measure => measure.usual_kind(Commodity::Electricity),
        };
        self.kind.or(series.kind).or_else(usual)
    }

    /// The power of ten by which values of a series are multiplied to get the channel's stored unit.
    fn exponent(&mut self, series: &Series, kind: ChannelKind, scaler: i8) -> Result<i8, String> {
        let (unit, stored) = kind.stored_unit();
        let named = if series.measure == Measure::Unnamed {
            // Energy with decimals is almost always in kWh; whole numbers are almost always watt-hours.
            let (word, exponent) = match (unit, scaler < 0) {
                (Unit::WattHour, true) => ("kWh; say --unit Wh if they are not", 3),
                (Unit::WattHour, false) => ("Wh; say --unit kWh if they are not", 0),
                _ => ("the usual ones; say --unit if they are not", 0),
            };
            self.assumed = Some(word);
            exponent
        } else if series.measure.unit() == Some(unit) {
            0
        } else {
            return Err(format!(
                "{:?} is no unit of {}; give energy or volume in kWh, Wh, m3 or L",
                series.measure,
                kind.name()
            ));
        };
        Ok(scaler.saturating_add(named).saturating_sub(stored))
    }

    fn block(&mut self, block: &IntervalBlock) -> Result<()> {
        let Some(kind) = self.kind_of(&block.series) else {
            self.refuse(
                block.line,
                format!("what {:?} counts is not known; say it by --kind", block.series.measure),
            );
            return Ok(());
        };
        let exponent = match self.exponent(&block.series, kind, block.scaler) {
            Ok(exponent) => exponent,
            Err(reason) => {
                self.refuse(block.line, reason);
                return Ok(());
            }
        };
        let name = block.series.title();
        let known = self.channels.get(&name).map(|channel| channel.interval);
        if let Some(known) = known.filter(|known| *known != block.interval) {
            let (found, before) = (block.interval.secs(), known.secs());
            self.refuse(block.line, format!("intervals of {found} s in a series of {before} s"));
            return Ok(());
        }
        self.last = self.last.max(block.end());
        let mut arrivals: Vec<Arrival> = Vec::new();
        let mut day: Option<LocalDay> = None;
        for (start, value, quality) in block.readings() {
            if day.as_ref().is_none_or(|day| start < day.start() || day.end() <= start) {
                self.lay(&name, kind, block, day.take(), &mut arrivals)?;
                day = Some(LocalDay::containing(start, &self.zone)?);
            }
            let Some(value) = value else { continue };
            match scaled(value, exponent) {
                Some((value, exact)) => {
                    self.rounded += u64::from(!exact);
                    arrivals.push(Arrival { start, value, quality });
                }
                None => self
                    .refuse(block.line, format!("the value {value} at {start} is larger than any meter's")),
            }
        }
        self.lay(&name, kind, block, day, &mut arrivals)
    }

    /// Lays values over their day.
    fn lay(
        &mut self,
        name: &str,
        kind: ChannelKind,
        block: &IntervalBlock,
        local: Option<LocalDay>,
        arrivals: &mut Vec<Arrival>,
    ) -> Result<()> {
        let Some(local) = local else { return Ok(()) };
        let interval = block.interval;
        let channel = self.channels.entry(name.to_owned()).or_insert_with(|| Pending {
            kind,
            interval,
            days: BTreeMap::new(),
            registers: Vec::new(),
            tou: Vec::new(),
            findings: Vec::new(),
        });
        let date = local.date();
        let day = channel.days.entry(date).or_insert_with(|| Day::missing(local, interval, kind));
        let merged = vee::merge(day, arrivals, self.rules);
        channel.findings.extend(merged.findings.into_iter().map(|finding| (date, finding)));
        if merged.outside > 0 {
            let first = arrivals.first().map_or(block.start, |arrival| arrival.start);
            let seconds = interval.secs();
            self.refuse(
                block.line,
                format!(
                    "{} intervals from {first} on do not begin on the grid of {seconds} s",
                    merged.outside
                ),
            );
        }
        arrivals.clear();
        Ok(())
    }

    fn register(&mut self, reading: &RegisterReading) {
        let name = reading.series.title();
        let Some(kind) = self.kind_of(&reading.series) else {
            return self.refuse(reading.line, "what this register counts is not known; say it by --kind");
        };
        let exponent = match self.exponent(&reading.series, kind, reading.value.exponent) {
            Ok(exponent) => exponent,
            Err(reason) => return self.refuse(reading.line, reason),
        };
        let value = scaled(reading.value.mantissa, exponent).filter(|(_, exact)| *exact);
        let Some(((value, _), channel)) = value.zip(self.channels.get_mut(&name)) else {
            return self
                .refuse(reading.line, "a register that is finer than a stored unit, or before any interval");
        };
        if reading.tou == 0 {
            channel.registers.push(Register { at: reading.at, value });
        } else {
            channel.tou.push(TouRead { register: reading.tou, at: reading.at, value });
        }
    }

    /// The channels in order of name, and what should be said of them.
    pub(super) fn finish(self, rules: Rules) -> Result<(Loaded, Vec<String>)> {
        let mut said = Vec::new();
        if let Some(unit) = self.assumed {
            said.push(format!("the values have no unit and were taken for {unit}"));
        }
        if self.rounded > 0 {
            said.push(format!("{} values are finer than a stored unit and were rounded to it", self.rounded));
        }
        if self.channels.is_empty() && self.refused.is_empty() {
            bail!("the file holds no readings");
        }
        let channels =
            self.channels.into_iter().map(|(name, pending)| whole(name, pending)).collect::<Result<_>>()?;
        let later = jiff::SignedDuration::from_hours(LATER_H);
        let now = self.last.checked_add(later).unwrap_or(self.last);
        Ok((Loaded { channels, refused: self.refused, rules, now }, said))
    }
}

/// A channel with the days between its days.
fn whole(name: String, mut pending: Pending) -> Result<Channel> {
    let mut days: Vec<Day> = Vec::with_capacity(pending.days.len());
    for day in pending.days.into_values() {
        while let Some(last) = days.last().filter(|last| last.day.end() < day.day.start()) {
            let next = last.day.next()?;
            days.push(Day::missing(next, pending.interval, pending.kind));
            if days.len() > LONGEST_D {
                bail!("the readings of {name} span more than 30 years; is the format of the times another?");
            }
        }
        days.push(day);
    }
    pending.registers.sort_by_key(|read| read.at);
    pending.tou.sort_by_key(|read| (read.at, read.register));
    let number = |date: Date| days.iter().position(|day| day.day.date() == date);
    let findings =
        pending.findings.into_iter().filter_map(|(date, finding)| Some((number(date)?, finding))).collect();
    let Pending { kind, interval, registers, tou, .. } = pending;
    Ok(Channel { name, kind, interval, days, registers, tou, findings })
}

/// A value times a power of ten, and whether that is exact; rounded half away from zero where it is not.
fn scaled(value: i64, exponent: i8) -> Option<(i64, bool)> {
    let factor = 10i64.checked_pow(exponent.unsigned_abs().into())?;
    if exponent >= 0 {
        return Some((value.checked_mul(factor)?, true));
    }
    let (whole, rest) = (value / factor, value % factor);
    let up = i64::from(rest.unsigned_abs() >= factor.unsigned_abs().div_ceil(2)) * value.signum();
    Some((whole + up, rest == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_scaled_exactly_or_said_to_be_rounded() {
        let rows = [
            (1234, 0, Some((1234, true))),
            (12, 3, Some((12_000, true))),
            (12_345, -1, Some((1235, false))),
            (-12_345, -1, Some((-1235, false))),
            (12_344, -1, Some((1234, false))),
            (12_340, -1, Some((1234, true))),
            (i64::MAX, 1, None),
        ];
        for (value, exponent, expected) in rows {
            assert_eq!(scaled(value, exponent), expected, "{value}e{exponent}");
        }
    }
}
