//! The intervals of a block, sorted by what becomes of each.

use super::matcher::{Unfit, unfit};
use exchange::IntervalBlock;
use jiff::Timestamp;
use model::reading::status;
use model::{ChannelKind, Quality, RegisterValue};

/// How far ahead of `now` an interval may end, seconds.
const AHEAD_S: i64 = 180;

/// What a block comes to: what was read, what the sender estimated, and what is left out.
#[derive(Default)]
pub(super) struct Sorted {
    /// As read, `None` elsewhere.
    pub(super) read: Vec<Option<i64>>,
    /// Estimated by the sender, `None` elsewhere.
    pub(super) sent: Vec<Option<i64>>,
    /// The status byte of each that was read.
    pub(super) status: Vec<u8>,
    /// The sender's quality of each.
    pub(super) quality: Vec<u8>,
    future: Left,
    inexact: Left,
}

/// Intervals that were left out for one reason.
#[derive(Default)]
struct Left {
    count: usize,
    first: Option<Timestamp>,
}

impl Left {
    fn note(&mut self, at: Timestamp) {
        self.count += 1;
        self.first.get_or_insert(at);
    }
}

impl Sorted {
    /// Sorts a block whose values were multiplied by `factor`, which the meter data manager applies itself.
    pub(super) fn of(block: &IntervalBlock, factor: i64, kind: ChannelKind, now: Timestamp) -> Self {
        let (unit, exponent) = kind.stored_unit();
        let mut sorted = Self::default();
        for (at, value, quality) in block.readings() {
            let ahead = at.as_second() + i64::from(block.interval.secs()) > now.as_second() + AHEAD_S;
            let mut kept = None;
            match value {
                Some(_) if ahead => sorted.future.note(at),
                Some(raw) => {
                    kept = divided(raw, block.scaler, factor).and_then(|(raw, scaler)| {
                        RegisterValue { raw, scaler, unit }.rescaled(exponent).ok()
                    });
                    if kept.is_none() {
                        sorted.inexact.note(at);
                    }
                }
                None => {}
            }
            let is_read = quality.is_read();
            sorted.read.push(kept.filter(|_| is_read));
            sorted.sent.push(kept.filter(|_| !is_read));
            sorted.status.push(status_of(quality));
            sorted.quality.push(quality.byte());
        }
        sorted
    }

    /// Why intervals were left out, a sentence a reason.
    pub(super) fn reasons(&self, kind: ChannelKind) -> Vec<Unfit> {
        let mut reasons = Vec::new();
        let mut add = |left: &Left, reason, what: &str, remedy| {
            if let Some(first) = left.first {
                let sentence = format!("{} intervals {what}, the first at {first}", left.count);
                reasons.push(unfit(reason, sentence, remedy));
            }
        };
        add(&self.future, "future", "end in the future", "check the file's times and zone");
        let unit = format!("are no whole number of the channel's unit ({})", kind.name());
        add(&self.inexact, "inexact", &unit, "ask for values in whole units");
        reasons
    }
}

/// A value under a decimal exponent, divided by a factor that it was multiplied by before; `None` where that is no decimal.
pub(super) fn divided(raw: i64, scaler: i8, factor: i64) -> Option<(i64, i8)> {
    let (mut raw, mut scaler, factor) = (i128::from(raw), scaler, i128::from(factor));
    // A factor of so many digits ends within as many decimals, or never.
    for _ in 0..=18 {
        if raw.checked_rem(factor)? == 0 {
            return Some((i64::try_from(raw / factor).ok()?, scaler));
        }
        raw = raw.checked_mul(10)?;
        scaler = scaler.checked_sub(1)?;
    }
    None
}

/// The status byte that carries a quality's flags.
fn status_of(quality: Quality) -> u8 {
    let pairs = [
        (Quality::POWER_FAIL, status::POWER_FAIL),
        (Quality::PARTIAL, status::PARTIAL),
        (Quality::CLOCK_DOUBTFUL, status::CLOCK_INVALID),
    ];
    pairs.iter().filter(|(flag, _)| quality.has(*flag)).fold(0, |bits, (_, bit)| bits | bit)
}
