//! A page: the whole days of up to 256 neighbouring channels, all clean, packed one behind the other.
//!
//! ```text
//! block = 0x01, quality, source, unit, scaler, exponent      six bytes
//!         places                                             a bit for each of the 256 channels
//!         length (varint)*                                   one a channel, in order
//!         chunk*                                             the values of each channel in turn
//!         receipt (signed varint)*                           one a channel, in order, or none: its batch was received so
//!                                                            many milliseconds after the head says
//! ```
//!
//! A row a channel costs more for its key than an hourly day for its values, and as much processor time again; a page costs its
//! key once. Only what can never change enters: the sealed first version of a day that was read whole and passed
//! every rule. Later versions are rows of their own beside it.

use crate::block::BlockError;
use crate::block::chunk::{self, CHUNK};
use crate::block::input::{Input, put_signed, put_varint};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{BatchSource, ChannelId, IntervalLength, Quality, Unit};

/// Channels of a page.
pub const PAGE: u32 = 256;

/// What all days of a page share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageHead {
    /// The local day.
    pub day: Date,
    /// The instant it begins, UTC.
    pub start: Timestamp,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// How many intervals the day has.
    pub slots: u16,
    /// The quality of every one of them.
    pub quality: Quality,
    /// When this version was made.
    pub recorded_at: Timestamp,
    /// The rule set that judged.
    pub rules: u32,
    /// When the batches were received of which the days were made, one a day.
    pub received_at: Timestamp,
    /// How they came.
    pub source: BatchSource,
    /// Their unit.
    pub unit: Unit,
    /// Their decimal exponent, not below that of the stored unit.
    pub scaler: i8,
    /// The stored unit's.
    pub exponent: i8,
}

/// A page being filled.
#[derive(Clone, Debug)]
pub struct DayPage {
    /// What all its days share.
    pub head: PageHead,
    page: u32,
    places: [u64; 4],
    lengths: Vec<u8>,
    bodies: Vec<u8>,
    receipts: Vec<i64>,
    range: Option<(ChannelId, ChannelId)>,
    count: u32,
}

/// The page that a channel belongs to.
pub const fn page_of(channel: ChannelId) -> u32 {
    channel.get() >> 8
}

/// Pages that are asked for together although they are not needed, where that saves a question.
const GAP: u32 = 8;

/// Sorted pages as ranges, each from its first page up to and without its end; some pages between may be in them too.
pub fn ranges_of(pages: impl IntoIterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for page in pages {
        match ranges.last_mut() {
            Some((_, end)) if page <= end.saturating_add(GAP) => *end = page.saturating_add(1),
            _ => ranges.push((page, page.saturating_add(1))),
        }
    }
    ranges
}

const fn place_of(channel: ChannelId) -> usize {
    (channel.get() & 0xFF) as usize
}

impl DayPage {
    /// An empty page.
    pub fn new(head: PageHead, page: u32) -> Self {
        Self {
            head,
            page,
            places: [0; 4],
            lengths: Vec::with_capacity(512),
            bodies: Vec::with_capacity(usize::from(head.slots) * 400),
            receipts: Vec::new(),
            range: None,
            count: 0,
        }
    }

    /// Adds the next channel, higher than those before, with one value a slot. Whether it belongs here.
    pub fn push(&mut self, channel: ChannelId, values: &[i64]) -> bool {
        self.push_received(channel, values, self.head.received_at)
    }

    /// As [`DayPage::push`], for a batch that was received at a moment of its own.
    pub fn push_received(&mut self, channel: ChannelId, values: &[i64], received_at: Timestamp) -> bool {
        let follows = self.range.is_none_or(|(_, last)| last < channel);
        if page_of(channel) != self.page || !follows || values.len() != usize::from(self.head.slots) {
            return false;
        }
        let before = self.bodies.len();
        for part in values.chunks(CHUNK) {
            chunk::put(part, &mut self.bodies);
        }
        put_varint((self.bodies.len() - before) as u64, &mut self.lengths);
        let place = place_of(channel);
        self.places[place / 64] |= 1 << (place % 64);
        self.range = Some((self.range.map_or(channel, |(first, _)| first), channel));
        self.count += 1;
        self.receipts.push(received_at.as_millisecond() - self.head.received_at.as_millisecond());
        true
    }

    /// How many channels it holds.
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether it holds none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Its number.
    pub const fn page(&self) -> u32 {
        self.page
    }

    /// The channels that it holds, in order.
    pub fn channels(&self) -> impl Iterator<Item = ChannelId> + use<> {
        channels(self.places, self.page)
    }

    /// Its first and last channel.
    pub const fn range(&self) -> Option<(ChannelId, ChannelId)> {
        self.range
    }

    /// The packed form.
    pub fn to_block(&self) -> Vec<u8> {
        let head = &self.head;
        let mut out = Vec::with_capacity(38 + self.lengths.len() + self.bodies.len());
        out.extend_from_slice(&[
            1,
            head.quality.byte(),
            crate::column::source_code(head.source),
            head.unit.code(),
            head.scaler.to_le_bytes()[0],
            head.exponent.to_le_bytes()[0],
        ]);
        for word in self.places {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.lengths);
        out.extend_from_slice(&self.bodies);
        if self.receipts.iter().any(|receipt| *receipt != 0) {
            self.receipts.iter().for_each(|receipt| put_signed(*receipt, &mut out));
        }
        out
    }
}

/// A page as read: which channels it holds and where each begins.
pub(crate) struct PageView<'a> {
    pub(crate) quality: Quality,
    pub(crate) source: u8,
    pub(crate) unit: u8,
    pub(crate) scaler: i8,
    pub(crate) exponent: i8,
    slots: usize,
    places: [u64; 4],
    lengths: Input<'a>,
    bodies: usize,
    /// Where the receipts begin, if there are any.
    receipts: usize,
}

impl<'a> PageView<'a> {
    pub(crate) fn read(block: &'a [u8], slots: usize) -> Result<Self, BlockError> {
        let mut input = Input::new(block);
        let format = input.byte()?;
        if format != 1 {
            return Err(BlockError::Format(format));
        }
        if slots > crate::block::MAX_VALUES {
            return Err(BlockError::TooMany(slots));
        }
        let quality = Quality::try_from(input.byte()?).map_err(|_| BlockError::Nonsense(1))?;
        let (source, unit) = (input.byte()?, input.byte()?);
        let (scaler, exponent) = (i8::from_le_bytes([input.byte()?]), i8::from_le_bytes([input.byte()?]));
        let mut places = [0; 4];
        for word in &mut places {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(input.take(8)?);
            *word = u64::from_le_bytes(bytes);
        }
        let lengths = Input { bytes: block, at: input.at };
        let mut taken = 0usize;
        for _ in 0..places.iter().map(|word| word.count_ones()).sum::<u32>() {
            taken = taken.saturating_add(input.count()?);
        }
        let (bodies, receipts) = (input.at, input.at.saturating_add(taken));
        Ok(Self { quality, source, unit, scaler, exponent, slots, places, lengths, bodies, receipts })
    }

    /// How many milliseconds after the head says each channel's batch was received, in order; none where all came then.
    pub(crate) fn receipts(&self) -> Result<Vec<i64>, BlockError> {
        let mut input = Input { bytes: self.lengths.bytes, at: self.receipts };
        if self.receipts >= self.lengths.bytes.len() {
            return Ok(Vec::new());
        }
        let count: u32 = self.places.iter().map(|word| word.count_ones()).sum();
        (0..count).map(|_| input.signed()).collect()
    }

    /// How many milliseconds after the head says a channel's batch was received.
    pub(crate) fn receipt(&self, channel: ChannelId) -> Result<i64, BlockError> {
        let place = place_of(channel);
        let (word, bit) = (place / 64, place % 64);
        let below: u32 = self.places[..word].iter().map(|word| word.count_ones()).sum::<u32>()
            + (self.places[word] & ((1 << bit) - 1)).count_ones();
        Ok(self.receipts()?.get(below as usize).copied().unwrap_or_default())
    }

    /// The value of as many slots as the page's days have, for one channel.
    pub(crate) fn find(&self, channel: ChannelId) -> Result<Option<Vec<i64>>, BlockError> {
        let place = place_of(channel);
        let (word, bit) = (place / 64, place % 64);
        if self.places[word] >> bit & 1 == 0 {
            return Ok(None);
        }
        let below: u32 = self.places[..word].iter().map(|word| word.count_ones()).sum::<u32>()
            + (self.places[word] & ((1 << bit) - 1)).count_ones();
        let mut lengths = Input { bytes: self.lengths.bytes, at: self.lengths.at };
        let mut at = self.bodies;
        for _ in 0..below {
            at = at.saturating_add(lengths.count()?);
        }
        let mut values = vec![0; self.slots];
        let mut input = Input { bytes: lengths.bytes, at };
        for part in values.chunks_mut(CHUNK) {
            chunk::take(&mut input, part)?;
        }
        Ok(Some(values))
    }

    /// Every channel in order with its values, in a buffer that is used again.
    pub(crate) fn each(
        &self,
        page: u32,
        buffer: &mut Vec<i64>,
        mut visit: impl FnMut(ChannelId, &[i64]),
    ) -> Result<(), BlockError> {
        buffer.resize(self.slots, 0);
        let mut input = Input { bytes: self.lengths.bytes, at: self.bodies };
        for channel in self.channels(page) {
            for part in buffer.chunks_mut(CHUNK) {
                chunk::take(&mut input, part)?;
            }
            visit(channel, buffer);
        }
        Ok(())
    }

    /// The channels that it holds, in order.
    pub(crate) fn channels(&self, page: u32) -> impl Iterator<Item = ChannelId> + use<> {
        channels(self.places, page)
    }
}

fn channels(places: [u64; 4], page: u32) -> impl Iterator<Item = ChannelId> {
    (0..4u32).zip(places).flat_map(move |(word, mut bits)| {
        core::iter::from_fn(move || {
            let bit = bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
            (bit < 64).then(|| ChannelId::new(page.wrapping_mul(PAGE).wrapping_add(word * 64 + bit)))
        })
    })
}

#[cfg(test)]
mod tests;
