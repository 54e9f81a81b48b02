//! Items of a file, put together to days.

use super::channels::{Channels, Pending};
use super::spill::Spill;
use super::{Loaded, Refusals};
use anyhow::Result;
use exchange::{IntervalBlock, Item, Measure, RegisterReading, Series};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{ChannelKind, Commodity, LocalDay, Unit};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use vee::{Arrival, Day, Register, Rules, TouRead};

/// Intervals that are held in memory, some 64 MiB; days beyond that wait in a file.
pub(super) const ROOM: usize = 4 << 20;
/// Hours after the last reading at which everything is overdue, however long the rules' grace.
const LATER_H: i64 = 24 * 32;

pub(super) struct Gatherer<'a> {
    zone: TimeZone,
    kind: Option<ChannelKind>,
    rules: &'a Rules,
    channels: BTreeMap<String, Pending>,
    spill: Spill,
    /// Intervals that may be held, and those that are.
    room: usize,
    held: usize,
    refused: Refusals,
    /// Values finer than the stored unit.
    rounded: u64,
    /// Values without a unit, and the unit they were taken for.
    assumed: Option<&'static str>,
    last: Timestamp,
}

impl<'a> Gatherer<'a> {
    pub(super) fn new(zone: TimeZone, kind: Option<ChannelKind>, rules: &'a Rules, room: usize) -> Self {
        Self {
            zone,
            kind,
            rules,
            channels: BTreeMap::new(),
            spill: Spill::default(),
            room,
            held: 0,
            refused: Refusals::default(),
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
        self.refused.add(line, reason.into());
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
        let channel = self.channels.entry(name.clone()).or_insert_with(|| Pending::new(kind, block));
        channel.span = (channel.span.0.min(block.start), channel.span.1.max(block.end()));
        let mut arrivals: Vec<Arrival> = Vec::new();
        let mut day: Option<LocalDay> = None;
        for (start, value, quality) in block.readings() {
            if day.as_ref().is_none_or(|day| start < day.start() || day.end() <= start) {
                self.lay(&name, block, day.take(), &mut arrivals)?;
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
        self.lay(&name, block, day, &mut arrivals)
    }

    /// Lays values over their day.
    fn lay(
        &mut self,
        name: &str,
        block: &IntervalBlock,
        local: Option<LocalDay>,
        arrivals: &mut Vec<Arrival>,
    ) -> Result<()> {
        let Some(local) = local else { return Ok(()) };
        let (date, interval) = (local.date(), block.interval);
        let Some(channel) = self.channels.get_mut(name) else { return Ok(()) };
        let day = match channel.held.entry(date) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let day = match channel.away.remove(&date) {
                    Some(place) => self.spill.take(place, (date, &self.zone), (interval, channel.kind))?,
                    None => Day::missing(local, interval, channel.kind),
                };
                self.held += day.slots.len();
                entry.insert(day)
            }
        };
        let merged = vee::merge(day, arrivals, self.rules);
        channel.findings.extend(merged.findings.into_iter().map(|finding| (date, finding)));
        if merged.outside > 0 {
            let first = arrivals.first().map_or(block.start, |arrival| arrival.start);
            let seconds = interval.secs();
            let what = format!(
                "{} intervals from {first} on do not begin on the grid of {seconds} s",
                merged.outside
            );
            let days = "; name by --zone the zone whose midnights these are";
            self.refuse(block.line, what + if seconds == 86_400 { days } else { "" });
        }
        arrivals.clear();
        if self.held > self.room { self.put_away() } else { Ok(()) }
    }

    /// Puts every day that is held into the file.
    fn put_away(&mut self) -> Result<()> {
        for channel in self.channels.values_mut() {
            for (date, day) in core::mem::take(&mut channel.held) {
                channel.away.insert(date, self.spill.put(&day)?);
            }
        }
        self.held = 0;
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
    pub(super) fn finish(self, rules: Rules) -> (Loaded, Vec<String>) {
        let mut said = Vec::new();
        if let Some(unit) = self.assumed {
            said.push(format!("the values have no unit and were taken for {unit}"));
        }
        if self.rounded > 0 {
            said.push(format!("{} values are finer than a stored unit and were rounded to it", self.rounded));
        }
        let later = jiff::SignedDuration::from_hours(LATER_H);
        let now = self.last.checked_add(later).unwrap_or(self.last);
        let channels = Channels::new(self.channels, self.spill, self.zone);
        (Loaded { channels, refused: self.refused, rules, now }, said)
    }
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
    use exchange::Options;
    use exchange::csv::Mapping;
    use std::fmt::Write as _;

    /// Two meters whose rows alternate, hours of five days, of the second one the later half first; what comes of them with so
    /// much room.
    fn gathered(room: usize) -> Vec<(String, Vec<Day>)> {
        let mut text = "meter,time,value_wh\n".to_owned();
        for hour in 0..120 {
            for (meter, hour) in [("A", hour), ("B", (hour + 60) % 120)] {
                writeln!(text, "{meter},2026-03-{:02}T{:02}:00Z,{}", 27 + hour / 24, hour % 24, hour * 7)
                    .unwrap();
            }
        }
        let rules = Rules::default();
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        let mut gatherer = Gatherer::new(zone, None, &rules, room);
        let options = Options { format: None, mapping: Mapping::default() };
        let (_, mut reader) = exchange::open(Box::new(std::io::Cursor::new(text)), &options).unwrap();
        while let Some(item) = reader.next().unwrap() {
            gatherer.take(item).unwrap();
        }
        let (mut loaded, _) = gatherer.finish(rules.clone());
        let mut found = Vec::new();
        while let Some(channel) = loaded.channels.next().unwrap() {
            found.push((channel.name, channel.days));
        }
        found
    }

    #[test]
    fn how_much_fits_into_memory_changes_nothing() {
        let plenty = gathered(ROOM);
        assert_eq!(
            plenty.iter().map(|(name, days)| (name.as_str(), days.len())).collect::<Vec<_>>(),
            [("A", 6), ("B", 6)]
        );
        for room in [0, 24, 60] {
            assert_eq!(gathered(room), plenty, "{room}");
        }
    }

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
