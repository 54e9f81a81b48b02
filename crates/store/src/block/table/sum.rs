//! Sums of a table by bucket, added up as the values lie: nothing is turned over and most values never leave a register.

use super::super::BlockError;
use super::super::bits;
use super::super::input::Input;
use super::{GROUP, SLOTS, Unpacker, column};

/// Which bucket each value of a table belongs to that lies slot by slot: up to which place (exclusive) which bucket goes on.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    ends: Vec<(usize, usize)>,
}

impl Pieces {
    /// Those of `days` days of `slots` values each; `bucket` is asked for each slot, within it for each day.
    pub(crate) fn of(days: usize, slots: usize, bucket: impl Fn(usize, usize) -> usize) -> Self {
        let mut ends: Vec<(usize, usize)> = Vec::new();
        for slot in 0..slots {
            for day in 0..days {
                let (bucket, end) = (bucket(day, slot), slot * days + day + 1);
                match ends.last_mut() {
                    Some(last) if last.1 == bucket => last.0 = end,
                    _ => ends.push((end, bucket)),
                }
            }
        }
        Self { ends }
    }

    /// How many values there are.
    fn count(&self) -> usize {
        self.ends.last().map_or(0, |(end, _)| *end)
    }

    fn walk(&self) -> Walk<'_> {
        let (first, rest) =
            self.ends.split_first().map_or(((0, usize::MAX), &[][..]), |(first, rest)| (*first, rest));
        Walk { piece: first, rest }
    }
}

/// Pieces in order of place.
struct Walk<'a> {
    piece: (usize, usize),
    rest: &'a [(usize, usize)],
}

impl Walk<'_> {
    /// Where the piece of a place not before the last one ends, and its bucket.
    fn to(&mut self, place: usize) -> (usize, usize) {
        while self.piece.0 <= place
            && let Some((next, rest)) = self.rest.split_first()
        {
            (self.piece, self.rest) = (*next, rest);
        }
        self.piece
    }
}

impl Unpacker {
    /// Adds the values of a table to their buckets; a bucket beyond `sums` counts nowhere. Says no, and adds nothing, where the
    /// table does not lie slot by slot.
    pub(crate) fn sum(
        &mut self,
        input: &mut Input<'_>,
        pieces: &Pieces,
        sums: &mut [i64],
    ) -> Result<bool, BlockError> {
        if input.byte()? != SLOTS {
            return Ok(false);
        }
        let count = pieces.count();
        let groups = count.div_ceil(GROUP);
        column(input, groups, &mut self.widths)?;
        column(input, groups, &mut self.bases)?;
        let mut walk = pieces.walk();
        for (number, (width, base)) in self.widths.iter().zip(&self.bases).enumerate() {
            let width = u8::try_from(*width).ok().filter(|width| *width <= 64);
            let width = width.ok_or(BlockError::Nonsense(input.at))?;
            let start = number * GROUP;
            let length = GROUP.min(count - start);
            let packed = input.bytes.get(input.at..).unwrap_or_default();
            input.take(bits::length(length, width))?;
            let (end, bucket) = walk.to(start);
            if end >= start + GROUP {
                add(sums, bucket, bits::sum_group(packed, width, *base));
                continue;
            }
            let mut values = [0i64; GROUP];
            let mut rest = &mut values[..length];
            bits::unpack(packed, width, *base, rest);
            let mut at = start;
            while !rest.is_empty() {
                let (end, bucket) = walk.to(at);
                let (piece, after) = rest.split_at_mut(end.saturating_sub(at).clamp(1, rest.len()));
                add(sums, bucket, piece.iter().fold(0i64, |sum, value| sum.wrapping_add(*value)));
                at += piece.len();
                rest = after;
            }
        }
        self.sum_patches(input, pieces, sums)?;
        Ok(true)
    }

    /// What the patched values have above the width of their group.
    fn sum_patches(
        &mut self,
        input: &mut Input<'_>,
        pieces: &Pieces,
        sums: &mut [i64],
    ) -> Result<(), BlockError> {
        let (all, count) = (pieces.count(), input.count()?);
        if count > all {
            return Err(BlockError::Nonsense(input.at));
        }
        column(input, count, &mut self.gaps)?;
        column(input, count, &mut self.highs)?;
        let mut walk = pieces.walk();
        let mut place = 0usize;
        for (gap, high) in self.gaps.iter().zip(&self.highs) {
            place = place.saturating_add(usize::try_from(*gap).unwrap_or(usize::MAX));
            let width = self.widths.get(place / GROUP).and_then(|width| u32::try_from(*width).ok());
            let width = width.filter(|width| *width < 64 && place < all);
            let width = width.ok_or(BlockError::Nonsense(input.at))?;
            add(sums, walk.to(place).1, *high << width);
        }
        Ok(())
    }
}

fn add(sums: &mut [i64], bucket: usize, value: i64) {
    if let Some(sum) = sums.get_mut(bucket) {
        *sum = sum.wrapping_add(value);
    }
}
