//! Whose readings a file means: its names, to meters of the registry.

use super::matcher::{Unfit, unfit};
use exchange::Series;
use model::{ChannelKind, Commodity, MeterId, Serial};
use std::collections::BTreeMap;
use store::{Meter, Read, StoreError};

/// A meter, as far as files need it.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) id: MeterId,
    pub(super) commodity: Commodity,
    /// Current times voltage transformer ratio.
    pub(super) multiplier: u32,
}

/// Finds meters by the names that files use, and remembers what it found.
pub(super) struct Names<'r> {
    read: &'r Read,
    given: &'r BTreeMap<String, String>,
    found: BTreeMap<String, Vec<Found>>,
}

impl<'r> Names<'r> {
    pub(super) const fn new(read: &'r Read, given: &'r BTreeMap<String, String>) -> Self {
        Self { read, given, found: BTreeMap::new() }
    }

    /// The meter of a series: by its serial, or by the number of its service point. A register of a meter may have a name
    /// of its own, `SERIAL/E2` or `NMI/E2`, under which the mapping or the registry knows it as a meter.
    pub(super) fn meter(&mut self, series: &Series) -> Result<Found, Unfit> {
        let names = [&series.meter, &series.service_point];
        let own = names.map(|name| register_name(name, &series.channel));
        for name in own.iter().chain(names).filter(|name| !name.is_empty()) {
            let found = self.named(name)?;
            if let Some(found) = numbered(&found, &series.channel) {
                return Ok(found);
            }
        }
        let sentence = format!("no meter or service point is called {:?}", series.title());
        Err(unfit(
            "unknown_meter",
            sentence,
            "load it with `wattle admin load`, or name it under [meters] in a mapping file",
        ))
    }

    /// Another meter of the series' place, where its own register is spoken for: `E2` is the second meter's.
    ///
    /// Standard: AEMO, Standing Data for MSATS, NMI suffix: the second character numbers the meters of a connection point.
    pub(super) fn other(&mut self, series: &Series, taken: MeterId) -> Result<Option<Found>, Unfit> {
        let Some(number) = number_of(&series.channel) else { return Ok(None) };
        if series.service_point.is_empty() {
            return Ok(None);
        }
        let found = self.named(&series.service_point)?;
        Ok(found.get(number).copied().filter(|meter| meter.id != taken))
    }

    /// The meters of a name: one of that serial, or those of the service point of that number, in the order in which they
    /// were entered.
    fn named(&mut self, name: &str) -> Result<Vec<Found>, Unfit> {
        let name = self.given.get(name).map_or(name, String::as_str);
        if let Some(found) = self.found.get(name) {
            return Ok(found.clone());
        }
        let found = find(self.read, name);
        let found = found.map_err(|error| unfit("store", error.to_string(), "try again"))?;
        self.found.insert(name.to_owned(), found.clone());
        Ok(found)
    }
}

fn find(read: &Read, name: &str) -> Result<Vec<Found>, StoreError> {
    if let Some(meter) = read.meter_by_serial(&Serial::new(name))? {
        return Ok(vec![found(&meter)]);
    }
    let Some(point) = read.service_point_by_number(name)? else { return Ok(Vec::new()) };
    let mut there = read.meters_at(point.id)?;
    there.retain(|meter| meter.retired_at.is_none());
    there.sort_by_key(|meter| meter.id);
    Ok(there.iter().map(found).collect())
}

const fn found(meter: &Meter) -> Found {
    Found { id: meter.id, commodity: meter.commodity, multiplier: meter.multiplier }
}

/// The name of one register of a meter or place, where the format names registers.
fn register_name(name: &str, channel: &str) -> String {
    if name.is_empty() || channel.is_empty() { String::new() } else { format!("{name}/{channel}") }
}

/// The one meter there is, or of several that which the suffix counts.
fn numbered(found: &[Found], channel: &str) -> Option<Found> {
    match found {
        [one] => Some(*one),
        several => several.get(number_of(channel)?).copied(),
    }
}

/// The place, from 0, of the meter that a suffix of two characters counts: `E1` 0, `E2` 1, `EA` 9.
fn number_of(channel: &str) -> Option<usize> {
    let [letter, number] = channel.as_bytes() else { return None };
    // A channel that merely has a name of two letters is no suffix.
    letter.is_ascii_uppercase().then_some(())?;
    match number {
        b'1'..=b'9' => Some(usize::from(number - b'1')),
        b'A'..=b'Z' => Some(usize::from(number - b'A') + 9),
        _ => None,
    }
}

/// Which series of a file feeds each channel.
#[derive(Default)]
pub(super) struct Feeds(BTreeMap<(MeterId, ChannelKind), String>);

impl Feeds {
    /// Whether the channel is free for the series, or its own already.
    pub(super) fn admits(&self, meter: MeterId, kind: ChannelKind, title: &str) -> bool {
        self.0.get(&(meter, kind)).is_none_or(|known| known == title)
    }

    /// Gives the channel to the series; another one's is a contradiction.
    pub(super) fn give(&mut self, meter: MeterId, kind: ChannelKind, title: &str) -> Result<(), Unfit> {
        let known = self.0.entry((meter, kind)).or_insert_with(|| title.to_owned());
        if known == title {
            return Ok(());
        }
        let sentence =
            format!("{title} and {known} of this file would both fill the channel {}", kind.name());
        Err(unfit(
            "second_series",
            sentence,
            "load a second meter at the service point, or name the register under [meters]: \"NMI/E2\" = \"SERIAL\"",
        ))
    }
}
