//! Series of several days beside each other, packed as one: what a household does at an hour resembles what it did at
//! that hour on other days more than what it did the hour before.
//!
//! ```text
//! table   = order, widths, bases, packed bits*, patches
//! order   = 0                    slot by slot, within a slot day by day
//!         | 1                    in time
//!         | 2                    in time, each as its zigzag difference from the one before
//! widths  = chunk*               of each group the bits of a value
//! bases   = chunk*               of each group the least value
//! patches = count (varint), gaps chunk*, highs chunk*
//! ```
//!
//! The series in its order is cut into groups of 64 values; a group is its values less its base in `width` bits each.
//! A value that needs more is patched: its place as the distance from the patch before (at first from the start), and its
//! bits above the width. Which order is smallest, the writer tries.
//! Decoding any bytes ends in time and memory bounded by the number of values that is asked for.

mod sum;

use super::BlockError;
use super::bits::{self, GROUP};
use super::chunk::{self, CHUNK, cheapest};
use super::input::{Input, put_varint, unzigzag, zigzag};

/// What a patch takes besides its high bits: its place, and what both columns round up.
const PATCH_BITS: usize = 7;
/// Slots that are turned over at a time, so that what is written lies together.
const TILE: usize = 8;

pub(crate) use sum::Pieces;

const SLOTS: u8 = 0;
const TIME: u8 = 1;
const DIFFERENCES: u8 = 2;

/// Appends the values of days one behind the other; `days` is how many each has.
pub(crate) fn put(values: &[i64], days: &[usize], out: &mut Vec<u8>) {
    let mut best = Vec::new();
    for order in [SLOTS, TIME, DIFFERENCES] {
        let mut packed = Vec::with_capacity(values.len() * 2);
        packed.push(order);
        put_groups(&arranged(order, values, days), &mut packed);
        if best.is_empty() || packed.len() < best.len() {
            best = packed;
        }
    }
    out.extend_from_slice(&best);
}

fn arranged(order: u8, values: &[i64], days: &[usize]) -> Vec<i64> {
    match order {
        SLOTS => {
            let mut series = Vec::with_capacity(values.len());
            by_slot(days, |place| series.push(values.get(place).copied().unwrap_or(0)));
            series
        }
        TIME => values.to_vec(),
        _ => {
            let mut before = 0i64;
            let step = |value: &i64| {
                let step = zigzag(value.wrapping_sub(before)).cast_signed();
                before = *value;
                step
            };
            values.iter().map(step).collect()
        }
    }
}

/// Visits the place of every value, slot by slot, within a slot day by day.
fn by_slot(days: &[usize], mut visit: impl FnMut(usize)) {
    let mut start = 0;
    let mut open: Vec<(usize, usize)> = Vec::with_capacity(days.len());
    for slots in days {
        open.push((start, start + slots));
        start += slots;
    }
    open.retain(|(at, end)| at < end);
    while !open.is_empty() {
        for (at, _) in &mut open {
            visit(*at);
            *at += 1;
        }
        open.retain(|(at, end)| at < end);
    }
}

fn put_groups(series: &[i64], out: &mut Vec<u8>) {
    let (mut widths, mut bases, mut packed) = (Vec::new(), Vec::new(), Vec::new());
    let (mut gaps, mut highs) = (Vec::new(), Vec::new());
    let mut offsets: Vec<u64> = Vec::with_capacity(GROUP);
    let mut behind = 0usize;
    for (number, group) in series.chunks(GROUP).enumerate() {
        let base = group.iter().copied().min().unwrap_or(0);
        offsets.clear();
        offsets.extend(group.iter().map(|value| value.wrapping_sub(base).cast_unsigned()));
        let mut lengths = [0u16; 65];
        for offset in &offsets {
            lengths[(64 - offset.leading_zeros()) as usize] += 1;
        }
        let (width, _) = cheapest(&lengths, offsets.len(), PATCH_BITS);
        bits::pack(&offsets, width, &mut packed);
        let mask = bits::mask(width);
        for (index, offset) in offsets.iter().enumerate().filter(|(_, offset)| **offset & !mask != 0) {
            let place = number * GROUP + index;
            gaps.push(i64::try_from(place - behind).unwrap_or(0));
            highs.push((offset >> width).cast_signed());
            behind = place;
        }
        widths.push(i64::from(width));
        bases.push(base);
    }
    put_column(&widths, out);
    put_column(&bases, out);
    out.extend_from_slice(&packed);
    put_varint(gaps.len() as u64, out);
    put_column(&gaps, out);
    put_column(&highs, out);
}

fn put_column(column: &[i64], out: &mut Vec<u8>) {
    for part in column.chunks(CHUNK) {
        chunk::put(part, out);
    }
}

/// Unpacks tables, again and again into the same memory.
#[derive(Debug, Default)]
pub(crate) struct Unpacker {
    values: Vec<i64>,
    series: Vec<i64>,
    widths: Vec<i64>,
    bases: Vec<i64>,
    gaps: Vec<i64>,
    highs: Vec<i64>,
}

impl Unpacker {
    /// The values of days of so many slots each, one day behind the other. The caller has looked that they are not too many.
    pub(crate) fn take(&mut self, input: &mut Input<'_>, days: &[usize]) -> Result<&mut [i64], BlockError> {
        let count = days.iter().sum();
        let order = input.byte()?;
        if order > DIFFERENCES {
            return Err(BlockError::Nonsense(input.at));
        }
        self.groups(input, count)?;
        self.patch(input)?;
        match order {
            SLOTS => {
                self.turn(days);
                return Ok(&mut self.values);
            }
            TIME => {}
            _ => {
                let mut before = 0i64;
                for value in &mut self.series {
                    before = before.wrapping_add(unzigzag(value.cast_unsigned()));
                    *value = before;
                }
            }
        }
        Ok(&mut self.series)
    }

    fn groups(&mut self, input: &mut Input<'_>, count: usize) -> Result<(), BlockError> {
        let groups = count.div_ceil(GROUP);
        column(input, groups, &mut self.widths)?;
        column(input, groups, &mut self.bases)?;
        // What was here is written over.
        self.series.resize(count, 0);
        for ((group, width), base) in self.series.chunks_mut(GROUP).zip(&self.widths).zip(&self.bases) {
            let width = u8::try_from(*width).ok().filter(|width| *width <= 64);
            let width = width.ok_or(BlockError::Nonsense(input.at))?;
            let packed = input.bytes.get(input.at..).unwrap_or_default();
            input.take(bits::length(group.len(), width))?;
            bits::unpack(packed, width, *base, group);
        }
        Ok(())
    }

    fn patch(&mut self, input: &mut Input<'_>) -> Result<(), BlockError> {
        let count = input.count()?;
        if count > self.series.len() {
            return Err(BlockError::Nonsense(input.at));
        }
        column(input, count, &mut self.gaps)?;
        column(input, count, &mut self.highs)?;
        let mut place = 0usize;
        for (gap, high) in self.gaps.iter().zip(&self.highs) {
            place = place.saturating_add(usize::try_from(*gap).unwrap_or(usize::MAX));
            let width = self.widths.get(place / GROUP).and_then(|width| u32::try_from(*width).ok());
            let slot = self.series.get_mut(place).zip(width.filter(|width| *width < 64));
            let (slot, width) = slot.ok_or(BlockError::Nonsense(input.at))?;
            // The bits below are those of the offset and the base was added, so this is a sum.
            *slot = slot.wrapping_add(*high << width);
        }
        Ok(())
    }

    /// From slot by slot to day by day.
    fn turn(&mut self, days: &[usize]) {
        self.values.resize(self.series.len(), 0);
        let slots = days.first().copied().unwrap_or(0);
        if slots == 0 || days.iter().any(|other| *other != slots) {
            let mut series = self.series.iter();
            let values = &mut self.values;
            by_slot(days, |place| {
                if let (Some(slot), Some(value)) = (values.get_mut(place), series.next()) {
                    *slot = *value;
                }
            });
            return;
        }
        let step = days.len();
        for from in (0..slots).step_by(TILE) {
            let to = (from + TILE).min(slots);
            let Some(tile) = self.series.get(from * step..to * step) else { continue };
            for (day, values) in self.values.chunks_exact_mut(slots).enumerate() {
                let Some(values) = values.get_mut(from..to) else { continue };
                for (slot, value) in values.iter_mut().zip(tile.iter().skip(day).step_by(step)) {
                    *slot = *value;
                }
            }
        }
    }
}

fn column(input: &mut Input<'_>, count: usize, out: &mut Vec<i64>) -> Result<(), BlockError> {
    out.resize(count, 0);
    for part in out.chunks_mut(CHUNK) {
        chunk::take(input, part)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
