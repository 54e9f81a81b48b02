//! The compact form of the statistics, for the store.
//!
//! ```text
//! version (1 byte) | days | months | tails | habit | a zero if the length would be a multiple of 13
//! days    n, newest day, gaps if there are any, flags, totals, digests
//! months  n, newest month, gaps if there are any, which days, totals, largest values
//! tails   n, newest day, gaps if there are any, values
//! habit   n; if that is not 0: how long ago the newest was, 24 levels of 6 bits, 28 leans of 4 bits
//! ```
//!
//! Numbers are variable-length integers; a column is its least value, a width in bits, and the differences packed at
//! that width. The first version had no head, only 13 bytes a day (day, total, flags); it is told by its length. The second
//! had no habit.

use super::habit::{HOURS, Habit, LEANS};
use super::{DayStat, MonthStat, Stats, Tail};

/// Bytes that are no statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("statistics of {0} bytes are damaged")]
pub struct StatsError(pub usize);

/// The version that is written.
const VERSION: u8 = 3;
/// The version without a habit.
const BEFORE_HABIT: u8 = 2;
/// Bytes of the levels of a habit: six bits an hour.
const LEVELS: usize = HOURS * 6 / 8;
/// Bytes of its leans: four bits a day.
const LEAN_BYTES: usize = 14;
const _: () = assert!(LEANS == 28);
/// Bytes of one day in the first version.
const OLD_RECORD: usize = 13;
/// A month of which every day counts is told by one bit.
const WHOLE: u32 = 0x7FFF_FFFF;

impl Stats {
    /// The compact form for the store: about a hundred and forty bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        self.write_to(&mut out);
        out
    }

    /// Appends the compact form to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let before = out.len();
        if self.days.is_empty() && self.months.is_empty() && self.tails.is_empty() {
            return;
        }
        out.push(VERSION);
        numbers(out, self.days.iter().map(|stat| stat.day));
        pack(out, self.days.iter().map(|stat| i64::from(flags(stat))));
        pack(out, self.days.iter().map(|stat| stat.total));
        pack(out, self.days.iter().map(|stat| i64::from(stat.print)));
        numbers(out, self.months.iter().map(|stat| stat.month));
        months(out, &self.months);
        pack(out, self.months.iter().map(|stat| stat.total));
        pack(out, self.months.iter().map(|stat| stat.most));
        numbers(out, self.tails.iter().map(|tail| tail.day));
        pack(out, self.tails.iter().map(|tail| tail.value));
        let newest = self.days.last().map_or(0, |stat| stat.day);
        habit(out, &self.habit, newest);
        if (out.len() - before).is_multiple_of(OLD_RECORD) {
            out.push(0);
        }
    }

    /// Reads the compact form, this version's or the first one's.
    ///
    /// # Errors
    /// [`StatsError`] if the bytes were not written by [`Stats::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatsError> {
        let read = if bytes.len().is_multiple_of(OLD_RECORD) { old(bytes) } else { new(bytes) };
        read.ok_or(StatsError(bytes.len()))
    }
}

fn flags(stat: &DayStat) -> u8 {
    u8::from(stat.sound) | u8::from(stat.estimated) << 1 | u8::from(stat.zero) << 2
}

fn day_of(day: i32, total: i64, flags: u8, print: u8) -> DayStat {
    DayStat { day, total, sound: flags & 1 != 0, estimated: flags & 2 != 0, zero: flags & 4 != 0, print }
}

/// 13 bytes a day, the oldest first.
fn old(bytes: &[u8]) -> Option<Stats> {
    let mut stats = Stats::default();
    for record in bytes.as_chunks::<OLD_RECORD>().0 {
        let (day, total) = record.split_at(4);
        let (total, flags) = total.split_at(8);
        let day = i32::from_le_bytes(day.try_into().ok()?);
        let flags = *flags.first()?;
        let later = stats.days.last().is_none_or(|last| last.day < day);
        let stat = day_of(day, i64::from_le_bytes(total.try_into().ok()?), flags, 0);
        if flags > 7 || !later || !stats.days.push(stat) {
            return None;
        }
    }
    Some(stats)
}

fn new(bytes: &[u8]) -> Option<Stats> {
    let (&version, rest) = bytes.split_first()?;
    let mut input = Input { bytes: rest };
    if !matches!(version, BEFORE_HABIT | VERSION) {
        return None;
    }
    let mut stats = Stats::default();
    let mut days = [0i32; super::DAYS];
    let count = input.numbers(&mut days)?;
    let (mut marks, mut totals, mut prints) = ([0i64; super::DAYS], [0i64; super::DAYS], [0i64; super::DAYS]);
    input.unpack(marks.get_mut(..count)?)?;
    input.unpack(totals.get_mut(..count)?)?;
    input.unpack(prints.get_mut(..count)?)?;
    for index in 0..count {
        let flags = u8::try_from(marks[index]).ok().filter(|flags| *flags < 8)?;
        let print = u8::try_from(prints[index]).ok().filter(|print| *print < 16)?;
        stats.days.push(day_of(days[index], totals[index], flags, print));
    }
    let mut numbers = [0i32; super::MONTHS];
    let count = input.numbers(&mut numbers)?;
    let mut days = [0u32; super::MONTHS];
    input.months(&numbers[..count], &mut days)?;
    let (mut totals, mut most) = ([0i64; super::MONTHS], [0i64; super::MONTHS]);
    input.unpack(totals.get_mut(..count)?)?;
    input.unpack(most.get_mut(..count)?)?;
    for index in 0..count {
        let (month, days) = (numbers[index], days[index]);
        stats.months.push(MonthStat { month, days, total: totals[index], most: most[index] });
    }
    let mut days = [0i32; super::TAILS];
    let count = input.numbers(&mut days)?;
    let mut values = [0i64; super::TAILS];
    input.unpack(values.get_mut(..count)?)?;
    for index in 0..count {
        stats.tails.push(Tail { day: days[index], value: values[index] });
    }
    if version == VERSION {
        let newest = stats.days.last().map_or(0, |stat| stat.day);
        stats.habit = input.habit(newest)?;
    }
    matches!(input.bytes, [] | [0]).then_some(stats)
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

const fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Ascending numbers: how many twice, plus one if they have holes; the newest; then the holes from the newest back.
fn numbers(out: &mut Vec<u8>, all: impl ExactSizeIterator<Item = i32> + DoubleEndedIterator + Clone) {
    let count = u64::try_from(all.len()).unwrap_or(0);
    let (Some(first), Some(last)) = (all.clone().next(), all.clone().next_back()) else {
        return varint(out, 0);
    };
    let span = u64::try_from(i64::from(last) - i64::from(first)).unwrap_or(0);
    let holes = span + 1 != count;
    varint(out, count << 1 | u64::from(holes));
    varint(out, zigzag(last.into()));
    if holes {
        let mut newer = last;
        for number in all.rev().skip(1) {
            varint(out, u64::try_from(i64::from(newer) - i64::from(number)).unwrap_or(0));
            newer = number;
        }
    }
}

/// A column: least value, width in bits, differences.
fn pack(out: &mut Vec<u8>, values: impl Iterator<Item = i64> + Clone) {
    let Some(least) = values.clone().min() else { return };
    let widest = values.clone().fold(0u64, |widest, value| widest | value.abs_diff(least));
    let width = 64 - widest.leading_zeros();
    varint(out, zigzag(least));
    out.push(width.to_le_bytes()[0]);
    let mut bits = BitsOut { out, held: 0, count: 0 };
    for value in values {
        bits.put(value.abs_diff(least), width);
    }
    bits.end();
}

/// Which days of each month count: a bit for all of them, else 31 bits.
fn months(out: &mut Vec<u8>, months: &[MonthStat]) {
    let mut bits = BitsOut { out, held: 0, count: 0 };
    for stat in months {
        let whole = stat.days == whole(stat.month);
        bits.put(u64::from(whole), 1);
        if !whole {
            bits.put((stat.days & WHOLE).into(), 31);
        }
    }
    bits.end();
}

/// The bits of every day of a month.
fn whole(month: i32) -> u32 {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let year = i16::try_from(year).unwrap_or(0);
    let month = i8::try_from(month).unwrap_or(1);
    let days = jiff::civil::Date::new(year, month, 1).map_or(31, jiff::civil::Date::days_in_month);
    WHOLE >> (31 - u32::from(days.unsigned_abs()).min(31))
}

/// What is known of the usual course of a day; the newest day is told from that of all, which it mostly is.
fn habit(out: &mut Vec<u8>, habit: &Habit, newest: i32) {
    out.push(habit.days);
    if habit.days == 0 {
        return;
    }
    varint(out, zigzag(i64::from(newest) - i64::from(habit.newest)));
    for four in habit.levels.as_chunks::<4>().0 {
        let [a, b, c, d] = four.map(u32::from);
        let [x, y, z, _] = (a | b << 6 | c << 12 | d << 18).to_le_bytes();
        out.extend_from_slice(&[x, y, z]);
    }
    out.extend_from_slice(&habit.leans.to_le_bytes()[..LEAN_BYTES]);
}

struct BitsOut<'a> {
    out: &'a mut Vec<u8>,
    held: u128,
    count: u32,
}

impl BitsOut<'_> {
    fn put(&mut self, value: u64, width: u32) {
        self.held |= u128::from(value) << self.count;
        self.count += width;
        if self.count >= 64 {
            let [low @ .., _, _, _, _, _, _, _, _] = self.held.to_le_bytes();
            self.out.extend_from_slice(&low);
            self.held >>= 64;
            self.count -= 64;
        }
    }

    fn end(self) {
        let used = usize::try_from(self.count.div_ceil(8)).unwrap_or(0);
        self.out.extend_from_slice(&self.held.to_le_bytes()[..used]);
    }
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn numbers<const N: usize>(&mut self, into: &mut [i32; N]) -> Option<usize> {
        let head = self.varint()?;
        let count = usize::try_from(head >> 1).ok().filter(|count| *count <= N)?;
        if count == 0 {
            return (head == 0).then_some(0);
        }
        let mut number = i32::try_from(unzigzag(self.varint()?)).ok()?;
        for (back, place) in into[..count].iter_mut().rev().enumerate() {
            if back > 0 {
                let gap = if head & 1 == 0 { 1 } else { i32::try_from(self.varint()?).ok()? };
                number = number.checked_sub(gap).filter(|_| gap > 0)?;
            }
            *place = number;
        }
        Some(count)
    }

    fn unpack(&mut self, into: &mut [i64]) -> Option<()> {
        if into.is_empty() {
            return Some(());
        }
        let least = unzigzag(self.varint()?);
        let width = u32::from(self.byte()?);
        if width > 64 {
            return None;
        }
        let bits = usize::try_from(width).ok()? * into.len();
        let mut input = BitsIn { bytes: self.take(bits.div_ceil(8))?, held: 0, count: 0 };
        for place in into {
            *place = least.wrapping_add(input.get(width).cast_signed());
        }
        Some(())
    }

    fn habit(&mut self, newest: i32) -> Option<Habit> {
        let days = self.byte()?;
        if days == 0 {
            return Some(Habit::default());
        }
        let behind = unzigzag(self.varint()?);
        let mut levels = [0u8; HOURS];
        let packed = self.take(LEVELS)?;
        for (four, three) in levels.as_chunks_mut::<4>().0.iter_mut().zip(packed.as_chunks::<3>().0) {
            let [x, y, z] = three.map(u32::from);
            let all = x | y << 8 | z << 16;
            *four = [all, all >> 6, all >> 12, all >> 18].map(|level| level.to_le_bytes()[0] & 63);
        }
        let mut leans = [0u8; 16];
        leans[..LEAN_BYTES].copy_from_slice(self.take(LEAN_BYTES)?);
        let newest = i32::try_from(i64::from(newest).checked_sub(behind)?).ok()?;
        Some(Habit { days, newest, levels, leans: u128::from_le_bytes(leans) })
    }

    fn months(&mut self, months: &[i32], into: &mut [u32]) -> Option<()> {
        // How long it is shows only while reading.
        let mut input = BitsIn { bytes: self.bytes, held: 0, count: 0 };
        let mut used = 0;
        for (month, days) in months.iter().zip(into) {
            let is_whole = input.get(1) == 1;
            *days = if is_whole { whole(*month) } else { u32::try_from(input.get(31)).ok()? };
            used += if is_whole { 1 } else { 32 };
        }
        self.take(usize::div_ceil(used, 8))?;
        Some(())
    }
}

struct BitsIn<'a> {
    bytes: &'a [u8],
    held: u128,
    count: u32,
}

impl BitsIn<'_> {
    /// The next bits; zeros beyond the end.
    fn get(&mut self, width: u32) -> u64 {
        while self.count < width {
            let (chunk, rest) = self.bytes.split_at(self.bytes.len().min(8));
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.held |= u128::from(u64::from_le_bytes(word)) << self.count;
            self.count += 64;
            self.bytes = rest;
        }
        let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        let [low @ .., _, _, _, _, _, _, _, _] = self.held.to_le_bytes();
        self.held >>= width;
        self.count -= width;
        u64::from_le_bytes(low) & mask
    }
}
