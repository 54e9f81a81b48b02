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

use super::column;
use super::few::Few;
use super::habit::{HOURS, Habit, LEANS};
use super::{DAYS, DayStat, MONTHS, MonthStat, Stats, TAILS, Tail};

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
        numbers(out, &self.days, |stat| stat.day);
        pack(out, &self.days, |stat| flags(stat).into());
        pack(out, &self.days, |stat| stat.total);
        pack(out, &self.days, |stat| stat.print.into());
        numbers(out, &self.months, |stat| stat.month);
        months(out, &self.months);
        pack(out, &self.months, |stat| stat.total);
        pack(out, &self.months, |stat| stat.most);
        numbers(out, &self.tails, |tail| tail.day);
        pack(out, &self.tails, |tail| tail.value);
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
        let mut stats = Self::default();
        stats.read(bytes)?;
        Ok(stats)
    }

    /// As [`Stats::from_bytes`], in place: of what was here before, nothing is left.
    ///
    /// # Errors
    /// As [`Stats::from_bytes`]; then nothing is remembered.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), StatsError> {
        let read = if bytes.len().is_multiple_of(OLD_RECORD) {
            old(bytes).map(|stats| *self = stats)
        } else {
            self.read_new(bytes)
        };
        if read.is_none() {
            *self = Self::default();
        }
        read.ok_or(StatsError(bytes.len()))
    }

    fn read_new(&mut self, bytes: &[u8]) -> Option<()> {
        let (&version, rest) = bytes.split_first()?;
        let mut input = Input { bytes: rest };
        if !matches!(version, BEFORE_HABIT | VERSION) {
            return None;
        }
        input.days(&mut self.days)?;
        input.months(&mut self.months)?;
        let mut days = [0i32; TAILS];
        let count = input.numbers(&mut days)?;
        let mut values = [0i64; TAILS];
        input.unpack(values.get_mut(..count)?)?;
        self.tails.fill(count, |at| Tail { day: days[at], value: values[at] });
        let newest = self.days.last().map_or(0, |stat| stat.day);
        self.habit = if version == VERSION { input.habit(newest)? } else { Habit::default() };
        matches!(input.bytes, [] | [0]).then_some(())
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
fn numbers<T>(out: &mut Vec<u8>, all: &[T], of: impl Fn(&T) -> i32) {
    let count = u64::try_from(all.len()).unwrap_or(0);
    let (Some(first), Some(last)) = (all.first().map(&of), all.last().map(&of)) else {
        return varint(out, 0);
    };
    let span = u64::try_from(i64::from(last) - i64::from(first)).unwrap_or(0);
    let holes = span + 1 != count;
    varint(out, count << 1 | u64::from(holes));
    varint(out, zigzag(last.into()));
    if holes {
        let mut newer = last;
        for number in all.iter().rev().skip(1).map(of) {
            varint(out, u64::try_from(i64::from(newer) - i64::from(number)).unwrap_or(0));
            newer = number;
        }
    }
}

/// A column: least value, width in bits, differences.
fn pack<T>(out: &mut Vec<u8>, all: &[T], of: impl Fn(&T) -> i64) {
    let mut values = [0i64; DAYS];
    for (value, item) in values.iter_mut().zip(all) {
        *value = of(item);
    }
    let values = &values[..all.len().min(DAYS)];
    let Some((least, width)) = column::range(values) else { return };
    varint(out, zigzag(least));
    out.push(width.to_le_bytes()[0]);
    column::pack(values, width, least, out);
}

/// Which days of each month count: a bit for all of them, else 31 bits.
fn months(out: &mut Vec<u8>, months: &[MonthStat]) {
    let (mut held, mut count) = (0u64, 0u32);
    for stat in months {
        let whole = stat.days == whole(stat.month);
        let (bits, width) = if whole { (1, 1) } else { (u64::from(stat.days & WHOLE) << 1, 32) };
        held |= bits << count;
        count += width;
        if count >= 32 {
            out.extend_from_slice(&held.to_le_bytes()[..4]);
            held >>= 32;
            count -= 32;
        }
    }
    out.extend_from_slice(&held.to_le_bytes()[..column::bytes(count)]);
}

/// The bits of every day of a month.
const fn whole(month: i32) -> u32 {
    let year = month.div_euclid(12);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    WHOLE
        >> match month.rem_euclid(12) {
            1 if leap => 2,
            1 => 3,
            3 | 5 | 8 | 10 => 1,
            _ => 0,
        }
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
        let count = u32::try_from(into.len()).ok()?;
        let from = self.bytes;
        self.take(column::bytes(width.checked_mul(count).filter(|_| width <= 64)?))?;
        column::unpack(from, width, least, into);
        Some(())
    }

    fn days(&mut self, into: &mut Few<DayStat, DAYS>) -> Option<()> {
        let mut days = [0i32; DAYS];
        let count = self.numbers(&mut days)?;
        let (mut marks, mut totals, mut prints) = ([0i64; DAYS], [0i64; DAYS], [0i64; DAYS]);
        self.unpack(marks.get_mut(..count)?)?;
        self.unpack(totals.get_mut(..count)?)?;
        self.unpack(prints.get_mut(..count)?)?;
        let small = |values: &[i64], most: i64| values.iter().all(|value| (0..=most).contains(value));
        if !small(&marks, 7) || !small(&prints, 15) {
            return None;
        }
        let low = |value: i64| value.to_le_bytes()[0];
        into.fill(count, |at| day_of(days[at], totals[at], low(marks[at]), low(prints[at])));
        Some(())
    }

    fn months(&mut self, into: &mut Few<MonthStat, MONTHS>) -> Option<()> {
        let mut numbers = [0i32; MONTHS];
        let count = self.numbers(&mut numbers)?;
        let mut days = [0u32; MONTHS];
        self.month_days(&numbers[..count], &mut days)?;
        let (mut totals, mut most) = ([0i64; MONTHS], [0i64; MONTHS]);
        self.unpack(totals.get_mut(..count)?)?;
        self.unpack(most.get_mut(..count)?)?;
        into.fill(count, |at| MonthStat {
            month: numbers[at],
            days: days[at],
            total: totals[at],
            most: most[at],
        });
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

    fn month_days(&mut self, months: &[i32], into: &mut [u32]) -> Option<()> {
        // How long it is shows only while reading.
        let mut room = [0; MONTHS * 4 + 8];
        let there = self.bytes.len().min(room.len());
        room[..there].copy_from_slice(&self.bytes[..there]);
        let mut bit = 0;
        for (month, days) in months.iter().zip(into) {
            let (at, shift) = column::place(bit);
            let bits = column::word(&room, at) >> shift;
            let is_whole = bits & 1 == 1;
            *days = if is_whole { whole(*month) } else { low_half(bits >> 1) & WHOLE };
            bit += if is_whole { 1 } else { 32 };
        }
        self.take(column::bytes(bit))?;
        Some(())
    }
}

const fn low_half(bits: u64) -> u32 {
    let [a, b, c, d, ..] = bits.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
