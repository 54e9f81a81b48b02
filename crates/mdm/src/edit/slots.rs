//! Which intervals of a day.

use core::ops::Range;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Intervals of a day, counted from 0 at local midnight; as text `40-47,52`, both ends included.
///
/// ```
/// use mdm::edit::Slots;
/// let slots: Slots = "52, 40-42".parse().unwrap();
/// assert_eq!(slots.to_string(), "40-42,52");
/// assert_eq!(slots.runs(), [40..43, 52..53]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slots(BTreeSet<usize>);

/// A text that names no intervals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no intervals: write them as in 40-47,52, counted from 0")]
pub struct NoSlots(pub String);

/// The most intervals that a day can have: minutes of 25 hours.
const MOST: usize = 1500;

impl Slots {
    /// Whether none is chosen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are chosen.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether an interval is among them.
    pub fn contains(&self, slot: usize) -> bool {
        self.0.contains(&slot)
    }

    /// The intervals, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = usize> + Clone + '_ {
        self.0.iter().copied()
    }

    /// The last interval.
    pub fn last(&self) -> Option<usize> {
        self.0.last().copied()
    }

    /// Unbroken runs of them, half-open, in order.
    pub fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for slot in self.iter() {
            match runs.last_mut() {
                Some(run) if run.end == slot => run.end += 1,
                _ => runs.push(slot..slot + 1),
            }
        }
        runs
    }
}

impl FromIterator<usize> for Slots {
    fn from_iter<I: IntoIterator<Item = usize>>(slots: I) -> Self {
        Self(slots.into_iter().collect())
    }
}

impl From<Range<usize>> for Slots {
    fn from(slots: Range<usize>) -> Self {
        slots.collect()
    }
}

impl core::fmt::Display for Slots {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, run) in self.runs().into_iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match run.len() {
                1 => write!(f, "{comma}{}", run.start)?,
                _ => write!(f, "{comma}{}-{}", run.start, run.end - 1)?,
            }
        }
        Ok(())
    }
}

impl FromStr for Slots {
    type Err = NoSlots;

    fn from_str(text: &str) -> Result<Self, NoSlots> {
        let refused = || NoSlots(text.to_owned());
        let number =
            |text: &str| text.trim().parse::<usize>().ok().filter(|slot| *slot < MOST).ok_or_else(refused);
        let mut slots = BTreeSet::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(refused());
            }
            slots.extend(first..=last);
        }
        Ok(Self(slots))
    }
}

impl TryFrom<String> for Slots {
    type Error = NoSlots;

    fn try_from(text: String) -> Result<Self, NoSlots> {
        text.parse()
    }
}

impl From<Slots> for String {
    fn from(slots: Slots) -> Self {
        slots.to_string()
    }
}
