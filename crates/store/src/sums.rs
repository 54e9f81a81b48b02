//! Sums over many channels: every block of a time is read once, in the order in which it lies, straight into buckets.

use crate::block::table::{Pieces, Unpacker};
use crate::column::{day_number, day_of};
use crate::month::{Share, date_of, month_number};
use crate::{Read, Result};
use jiff::civil::Date;
use model::ChannelId;
use std::collections::BTreeSet;

/// The most buckets that can be told apart.
pub const BUCKETS: usize = 8;

/// The intervals of a day in order: up to which one (exclusive) which bucket goes on.
pub type Runs = Vec<(usize, usize)>;

/// What each channel's intervals come to, by bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSums {
    first: u32,
    sums: Vec<[i64; BUCKETS]>,
    /// How many intervals were added, missing ones (which are 0) included.
    pub intervals: u64,
}

impl BucketSums {
    /// The sums of a channel, in its stored unit.
    pub fn of(&self, channel: ChannelId) -> Option<&[i64; BUCKETS]> {
        self.sums.get(channel.get().checked_sub(self.first)? as usize)
    }

    /// All channels' sums together.
    pub fn total(&self) -> [i64; BUCKETS] {
        let mut total = [0i64; BUCKETS];
        for sums in &self.sums {
            for (total, sum) in total.iter_mut().zip(sums) {
                *total = total.wrapping_add(*sum);
            }
        }
        total
    }

    fn place(&mut self, channel: ChannelId) -> Option<&mut [i64; BUCKETS]> {
        self.sums.get_mut(channel.get().checked_sub(self.first)? as usize)
    }

    fn add(&mut self, channel: ChannelId, values: &[i64], runs: &Runs) {
        let Some(sums) = self.place(channel) else { return };
        let mut rest = values;
        let mut at = 0;
        for (end, bucket) in runs {
            let (run, after) = rest.split_at(end.saturating_sub(at).min(rest.len()));
            let sum = run.iter().fold(0i64, |sum, value| sum.wrapping_add(*value));
            if let Some(slot) = sums.get_mut(*bucket) {
                *slot = slot.wrapping_add(sum);
            }
            (rest, at) = (after, *end);
        }
        self.intervals += values.len() as u64;
    }
}

/// What the intervals of each day of a time belong to, asked for once a day.
struct Plan<F> {
    first: i32,
    days: Vec<(usize, Runs)>,
    runs: F,
}

impl<F: Fn(Date, usize) -> Runs> Plan<F> {
    fn of(&mut self, day: Date, slots: usize) -> &Runs {
        let at = usize::try_from(day_number(day) - self.first).unwrap_or(0);
        if self.days.len() <= at {
            self.days.resize(at + 1, (usize::MAX, Vec::new()));
        }
        if self.days[at].0 != slots {
            self.days[at] = (slots, (self.runs)(day, slots));
        }
        &self.days[at].1
    }
}

/// The buckets of a folded month as its tables lie; most channels of a month have the same days.
#[derive(Default)]
struct MonthPlan {
    days: Vec<u8>,
    slots: usize,
    pieces: Pieces,
    /// How many values are asked for.
    counted: usize,
}

impl MonthPlan {
    fn make<F: Fn(Date, usize) -> Runs>(
        days: &[u8],
        slots: usize,
        month: i32,
        (from, to): (Date, Date),
        plan: &mut Plan<F>,
    ) -> Result<Self> {
        let mut of_days = Vec::with_capacity(days.len());
        for of_month in days {
            let day = date_of(month, *of_month)?;
            of_days.push((from <= day && day < to).then(|| plan.of(day, slots).clone()));
        }
        let bucket = |day: usize, slot: usize| {
            let runs = of_days.get(day).and_then(Option::as_ref)?;
            runs.iter().find(|(end, _)| slot < *end).map(|(_, bucket)| *bucket)
        };
        let pieces = Pieces::of(days.len(), slots, |day, slot| bucket(day, slot).unwrap_or(BUCKETS));
        let counted = of_days.iter().flatten().count() * slots;
        Ok(Self { days: days.to_vec(), slots, pieces, counted })
    }
}

/// Adding up folded months.
struct Months<'a, F> {
    plan: &'a mut Plan<F>,
    sums: &'a mut BucketSums,
    range: (Date, Date),
    /// Days that have newer rows beside the month.
    newer: &'a BTreeSet<(ChannelId, Date)>,
    unpacker: Unpacker,
    known: MonthPlan,
    days: Vec<u8>,
}

impl<F: Fn(Date, usize) -> Runs> Months<'_, F> {
    fn add(&mut self, month: i32, share: &Share<'_>) -> Result<()> {
        if self.add_plain(month, share)? {
            return Ok(());
        }
        let (from, to) = self.range;
        let Self { plan, sums, newer, unpacker, .. } = self;
        share.newest(unpacker, |of_month, values| {
            let Ok(day) = date_of(month, of_month) else { return };
            let given = !newer.is_empty() && newer.contains(&(share.channel, day));
            if from <= day && day < to && !given {
                sums.add(share.channel, values, plan.of(day, values.len()));
            }
        })
    }

    /// Most of the time each day is there once and whole: its values are added as they lie.
    fn add_plain(&mut self, month: i32, share: &Share<'_>) -> Result<bool> {
        let (from, to) = self.range;
        let newer = || self.newer.range((share.channel, from)..(share.channel, to));
        let Some(slots) = share.plain_days(&mut self.days) else { return Ok(false) };
        let Some(sums) = self.sums.place(share.channel) else { return Ok(false) };
        if !self.newer.is_empty() && newer().next().is_some() {
            return Ok(false);
        }
        if self.known.days != self.days || self.known.slots != slots {
            self.known = MonthPlan::make(&self.days, slots, month, self.range, self.plan)?;
        }
        if !share.sum(&mut self.unpacker, &self.known.pieces, sums)? {
            return Ok(false);
        }
        self.sums.intervals += self.known.counted as u64;
        Ok(true)
    }
}

impl Read {
    /// Adds up the newest versions of the days `[from, to)` of the channels `[first, end)` by bucket; `runs` tells which
    /// bucket each interval of a day of so many intervals belongs to.
    ///
    /// Time-of-use sums of every meter of a month are one sequential read. Channels may be split over several calls.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn bucket_sums(
        &self,
        (from, to): (Date, Date),
        (first, end): (ChannelId, ChannelId),
        runs: impl Fn(Date, usize) -> Runs,
    ) -> Result<BucketSums> {
        let count = end.get().saturating_sub(first.get()) as usize;
        let mut sums = BucketSums { first: first.get(), sums: vec![[0; BUCKETS]; count], intervals: 0 };
        let mut plan = Plan { first: day_number(from), days: Vec::new(), runs };
        if from >= to || count == 0 {
            return Ok(sums);
        }
        // Rows are newer than what is in pages and months, so those give way.
        let mut newer: BTreeSet<(ChannelId, Date)> = BTreeSet::new();
        for number in day_number(from)..day_number(to) {
            let day = day_of(number)?;
            let rows = self.day_rows(day, (first, end))?;
            for of_channel in rows.chunk_by(|a, b| a.block.channel == b.block.channel) {
                let Some(stored) = of_channel.last() else { continue };
                let block = &stored.block;
                sums.add(block.channel, &block.values, plan.of(day, block.values.len()));
                newer.insert((block.channel, day));
            }
        }
        for month in month_number(from)..=month_number(to.yesterday().unwrap_or(to)) {
            let mut months = Months {
                plan: &mut plan,
                sums: &mut sums,
                range: (from, to),
                newer: &newer,
                unpacker: Unpacker::default(),
                known: MonthPlan::default(),
                days: Vec::new(),
            };
            self.each_share(month, (first, end), |share, _| months.add(month, share))?;
        }
        let mut buffer = Vec::new();
        for number in day_number(from)..day_number(to) {
            let day = day_of(number)?;
            let pages = (first.get() >> 8, ((end.get() - 1) >> 8) + 1);
            self.each_page(day, pages, |row| {
                let runs = plan.of(day, row.slots);
                Ok(row.view.each(row.page, &mut buffer, |channel, values| {
                    let inside = channel >= first && channel < end;
                    if inside && (newer.is_empty() || !newer.contains(&(channel, day))) {
                        sums.add(channel, values, runs);
                    }
                })?)
            })?;
        }
        Ok(sums)
    }
}
