//! Packed rows in a ring: what a profile of a meter occupies in memory.
//!
//! A fleet of ten thousand meters keeps 45 days of quarter hours each, so a row is a fixed number of bytes and
//! memory is taken a few rows at a time, never doubled.

use jiff::Timestamp;

/// Rows of equal width, oldest first; beyond the capacity the oldest is overwritten.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    bytes: Vec<u8>,
    width: u16,
    capacity: u32,
    /// Where the oldest row is, once the ring is full.
    oldest: u32,
}

impl Rows {
    /// An empty ring.
    pub(crate) const fn new(width: u16, capacity: u32) -> Self {
        Self { bytes: Vec::new(), width, capacity, oldest: 0 }
    }

    fn width(&self) -> usize {
        usize::from(self.width)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() / self.width().max(1)
    }

    /// How many rows there can be.
    pub(crate) const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Bytes taken from the allocator.
    pub(crate) const fn allocated(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends a row of exactly the ring's width.
    pub(crate) fn push(&mut self, row: &[u8]) {
        debug_assert_eq!(row.len(), self.width(), "a row has the width of its ring");
        let capacity = self.capacity as usize;
        if capacity == 0 {
            return;
        }
        if self.len() < capacity {
            if self.bytes.capacity() - self.bytes.len() < row.len() {
                let room = (capacity - self.len()).min(ROWS_AT_ONCE.max(self.len() / 8));
                self.bytes.reserve_exact(room * self.width());
            }
            self.bytes.extend_from_slice(row);
            return;
        }
        let at = self.oldest as usize * self.width();
        self.bytes[at..at + row.len()].copy_from_slice(row);
        self.oldest = (self.oldest + 1) % self.capacity;
    }

    /// Row `index`, 0 being the oldest.
    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        let len = self.len();
        if index >= len {
            return None;
        }
        let at = (self.oldest as usize + index) % len * self.width();
        self.bytes.get(at..at + self.width())
    }

    /// All rows, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        let (newer, older) = self.bytes.split_at(self.oldest as usize * self.width());
        Chained { front: older.chunks_exact(self.width()), back: newer.chunks_exact(self.width()) }
    }
}

/// Rows for which memory is taken at the least.
const ROWS_AT_ONCE: usize = 16;

struct Chained<'a> {
    front: core::slice::ChunksExact<'a, u8>,
    back: core::slice::ChunksExact<'a, u8>,
}

impl<'a> Iterator for Chained<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        self.front.next().or_else(|| self.back.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.front.len() + self.back.len();
        (len, Some(len))
    }
}

impl DoubleEndedIterator for Chained<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.back.next_back().or_else(|| self.front.next_back())
    }
}

impl ExactSizeIterator for Chained<'_> {}

/// One interval of a load profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalRow {
    /// End of the interval by the meter's clock, Unix seconds.
    pub end_s: i64,
    /// Status byte; see `model::reading::status`.
    pub status: u8,
    /// Wh or litres delivered.
    pub delivered: u32,
    /// Wh received.
    pub received: u32,
    /// Average voltage, tenths of a volt.
    pub voltage_dv: u16,
}

impl IntervalRow {
    /// The instant of [`Self::end_s`].
    pub fn end(&self) -> Timestamp {
        Timestamp::from_second(self.end_s).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Bytes of a packed electricity row.
    pub(crate) const ELECTRIC: u16 = 12;
    /// Bytes of a packed gas or water row.
    pub(crate) const VOLUME: u16 = 7;
    /// The most that an interval can hold; what is beyond goes into the next interval.
    pub(crate) const MOST: u32 = 0x00FF_FFFF;

    /// Packs the end as a count of intervals since 2020, 3 bytes, and the values in 3, 3 and 2.
    pub(crate) fn push_to(&self, rows: &mut Rows, interval_s: u32) {
        let number = (self.end_s - EPOCH_S) / i64::from(interval_s.max(1));
        let number = u32::try_from(number.clamp(0, i64::from(Self::MOST))).unwrap_or(0);
        let ([_, n0, n1, n2], [_, d0, d1, d2]) = (number.to_be_bytes(), self.delivered.to_be_bytes());
        let volume = [n0, n1, n2, self.status, d0, d1, d2];
        if rows.width == Self::VOLUME {
            return rows.push(&volume);
        }
        let ([_, r0, r1, r2], [v0, v1]) = (self.received.to_be_bytes(), self.voltage_dv.to_be_bytes());
        rows.push(&[n0, n1, n2, self.status, d0, d1, d2, r0, r1, r2, v0, v1]);
    }

    /// Unpacks a row.
    pub(crate) fn unpack(bytes: &[u8], interval_s: u32) -> Self {
        let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
        let three = |index: usize| u32::from_be_bytes([0, byte(index), byte(index + 1), byte(index + 2)]);
        Self {
            end_s: EPOCH_S + i64::from(three(0)) * i64::from(interval_s),
            status: byte(3),
            delivered: three(4),
            received: three(7),
            voltage_dv: u16::from_be_bytes([byte(10), byte(11)]),
        }
    }
}

/// 2020-01-01T00:00:00Z: 24 bits of minutes from there reach into 2051.
pub(crate) const EPOCH_S: i64 = 1_577_836_800;

/// The registers at a local midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyRow {
    /// The midnight by the meter's clock, Unix seconds.
    pub at_s: i64,
    /// Total and rates 1 to 4 delivered, in base units.
    pub delivered: [u32; 5],
    /// Total and rates 1 to 4 received.
    pub received: [u32; 5],
}

impl DailyRow {
    /// Bytes of a packed electricity row.
    pub(crate) const ELECTRIC: u16 = 44;
    /// Bytes of a packed gas or water row.
    pub(crate) const VOLUME: u16 = 8;

    /// Appends it.
    pub(crate) fn push_to(&self, rows: &mut Rows) {
        let mut bytes = [0u8; 44];
        let at = u32::try_from(self.at_s).unwrap_or(0);
        let numbers = core::iter::once(at).chain(self.delivered).chain(self.received);
        for (slot, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            slot.copy_from_slice(&number.to_be_bytes());
        }
        rows.push(&bytes[..rows.width()]);
    }

    /// Unpacks a row.
    pub(crate) fn unpack(bytes: &[u8]) -> Self {
        let mut numbers = bytes.chunks_exact(4).map(|four| match four {
            [a, b, c, d] => u32::from_be_bytes([*a, *b, *c, *d]),
            _ => 0,
        });
        let at_s = i64::from(numbers.next().unwrap_or(0));
        let mut five = || core::array::from_fn(|_| numbers.next().unwrap_or(0));
        Self { at_s, delivered: five(), received: five() }
    }
}

/// One line of the event log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// When, by the meter's clock, Unix seconds.
    pub at_s: i64,
    /// The log code; see `model::EventKind::log_code`.
    pub code: u8,
    /// Running number.
    pub number: u32,
}

impl EventRow {
    /// Bytes of a packed row.
    pub(crate) const WIDTH: u16 = 9;

    /// Appends it.
    pub(crate) fn push_to(&self, rows: &mut Rows) {
        let mut bytes = [0u8; 9];
        bytes[..4].copy_from_slice(&u32::try_from(self.at_s).unwrap_or(0).to_be_bytes());
        bytes[4] = self.code;
        bytes[5..].copy_from_slice(&self.number.to_be_bytes());
        rows.push(&bytes);
    }

    /// Unpacks a row.
    pub(crate) fn unpack(bytes: &[u8]) -> Self {
        let four = |at: usize| match bytes.get(at..at + 4) {
            Some([a, b, c, d]) => u32::from_be_bytes([*a, *b, *c, *d]),
            _ => 0,
        };
        Self { at_s: i64::from(four(0)), code: bytes.get(4).copied().unwrap_or(0), number: four(5) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_drops_the_oldest() {
        let mut rows = Rows::new(2, 5);
        for number in 0..12u8 {
            rows.push(&[number, 255 - number]);
        }
        let kept: Vec<u8> = rows.iter().map(|row| row[0]).collect();
        assert_eq!(kept, [7, 8, 9, 10, 11]);
        assert_eq!(rows.iter().next_back(), Some(&[11, 244][..]));
        assert_eq!((0..5).map(|i| rows.get(i).unwrap()[0]).collect::<Vec<_>>(), kept);
        assert_eq!((rows.get(5), rows.len()), (None, 5));
    }

    #[test]
    fn memory_is_exact_when_full() {
        let mut rows = Rows::new(IntervalRow::ELECTRIC, 45 * 96);
        for _ in 0..45 * 96 + 3 {
            rows.push(&[0; 12]);
        }
        assert_eq!(rows.allocated(), 45 * 96 * 12);
    }

    #[test]
    fn rows_survive_packing_up_to_their_limits() {
        let mut rows = Rows::new(IntervalRow::ELECTRIC, 2);
        let most = IntervalRow {
            end_s: EPOCH_S + 900 * i64::from(IntervalRow::MOST),
            status: 0xFF,
            delivered: IntervalRow::MOST,
            received: IntervalRow::MOST,
            voltage_dv: u16::MAX,
        };
        most.push_to(&mut rows, 900);
        assert_eq!(IntervalRow::unpack(rows.get(0).unwrap(), 900), most);
        let mut daily = Rows::new(DailyRow::ELECTRIC, 2);
        let day = DailyRow { at_s: EPOCH_S, delivered: [1, 2, 3, 4, u32::MAX], received: [9, 8, 7, 6, 5] };
        day.push_to(&mut daily);
        assert_eq!(DailyRow::unpack(daily.get(0).unwrap()), day);
        let mut log = Rows::new(EventRow::WIDTH, 2);
        let event = EventRow { at_s: EPOCH_S + 1, code: 44, number: 70_000 };
        event.push_to(&mut log);
        assert_eq!(EventRow::unpack(log.get(0).unwrap()), event);
    }
}
