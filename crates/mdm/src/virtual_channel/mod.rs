//! Virtual channels: linear formulas over channels, computed when they are read.
//!
//! ```text
//! net       =  1 * delivered  - 1 * received
//! house use =  1 * generation + 1 * delivered - 1 * received
//! without   =  1 * main       - 1 * submeter of the car
//! ```
//!
//! Coefficients are exact; the sum of an interval is rounded once, to the nearest stored unit. The quality of a value is the
//! worst of its inputs, and it is missing when an input is missing, unless the formula says that a missing input counts as
//! zero; then it is questionable. A formula may use other virtual channels, but never itself.
//!
//! Formulas are dated ([`crate::dated`]): a day is computed with those that were in force on it, and a channel of a meter
//! that is retired now is there for the days before.

mod compute;

#[cfg(test)]
mod tests;

pub use compute::{InputVersion, VirtualDay, worst};

use crate::dated::{self, Change, Dated, NameRefused};
use crate::group::definition;
use crate::{Mdm, MdmError};
use jiff::civil::Date;
use model::{ChannelId, ChannelKind, Ratio, VirtualId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{Read, SINCE_EVER, StoreError};

/// Where a series comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesId {
    /// A channel of a meter.
    Channel(ChannelId),
    /// A virtual channel.
    Virtual(VirtualId),
}

/// One summand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// How often it counts.
    pub factor: Ratio,
    /// Of what.
    #[serde(flatten)]
    pub input: SeriesId,
}

/// What a missing input means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenMissing {
    /// The value is missing.
    #[default]
    Missing,
    /// The input counts as zero, and the value is questionable; where every input is missing, so is the value.
    Zero,
}

/// A linear formula.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formula {
    /// What comes out; its stored unit must be that of every input.
    pub kind: ChannelKind,
    /// The summands.
    pub terms: Vec<Term>,
    /// What a missing input means.
    #[serde(default)]
    pub when_missing: WhenMissing,
}

impl Formula {
    fn of(kind: ChannelKind, terms: impl IntoIterator<Item = (Ratio, ChannelId)>) -> Self {
        let term = |(factor, channel)| Term { factor, input: SeriesId::Channel(channel) };
        Self { kind, terms: terms.into_iter().map(term).collect(), when_missing: WhenMissing::Missing }
    }

    /// Delivered less received.
    pub fn net(delivered: ChannelId, received: ChannelId) -> Self {
        Self::of(ChannelKind::Net, [(Ratio::ONE, delivered), (Ratio::MINUS_ONE, received)])
    }

    /// What a house with a generator uses: generation and delivered less received.
    pub fn house_use(generation: ChannelId, delivered: ChannelId, received: ChannelId) -> Self {
        let terms = [(Ratio::ONE, generation), (Ratio::ONE, delivered), (Ratio::MINUS_ONE, received)];
        Self::of(ChannelKind::Import, terms)
    }

    /// What a main meter counts less what a submeter behind it counts.
    pub fn without(kind: ChannelKind, main: ChannelId, submeter: ChannelId) -> Self {
        Self::of(kind, [(Ratio::ONE, main), (Ratio::MINUS_ONE, submeter)])
    }

    /// The sum of channels.
    pub fn sum(kind: ChannelKind, channels: impl IntoIterator<Item = ChannelId>) -> Self {
        Self::of(kind, channels.into_iter().map(|channel| (Ratio::ONE, channel)))
    }
}

/// A saved formula with its history.
pub type VirtualChannel = Dated<VirtualId, Formula>;

/// Every saved formula.
pub(crate) type Formulas = BTreeMap<VirtualId, VirtualChannel>;

/// Why a formula is not saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VirtualRefused {
    /// The name, the reason, or a change that is none.
    #[error(transparent)]
    Name(#[from] NameRefused),
    /// No summands, or too many.
    #[error("A formula has from 1 to {MOST_TERMS} terms; this one has {0}.")]
    Terms(usize),
    /// An input that is not there.
    #[error("There is no {0:?} to compute from.")]
    UnknownInput(SeriesId),
    /// An input in another unit.
    #[error("{input:?} holds {found} values; they do not add up to {wanted}.")]
    Unit {
        /// Which input.
        input: SeriesId,
        /// What it holds.
        found: &'static str,
        /// What should come out.
        wanted: &'static str,
    },
    /// The formula would use itself.
    #[error("`{0}` would be computed from itself.")]
    Cycle(String),
    /// Others are computed from it.
    #[error("{0} would have nothing to be computed from; change or retire it first.")]
    Needed(String),
    /// What comes out would be in another unit than before.
    #[error("`{name}` holds {was} values; give what holds {wanted} another name.")]
    OtherUnit {
        /// Its name.
        name: String,
        /// What it held.
        was: &'static str,
        /// What would come out.
        wanted: &'static str,
    },
    /// The denominators have no common multiple of reasonable size.
    #[error("The coefficients have no common denominator up to {}.", compute::LARGEST_DENOMINATOR)]
    Denominator,
}

/// The most summands.
pub const MOST_TERMS: usize = 1000;
/// The deepest that formulas may lean on each other.
pub(crate) const DEEPEST: usize = 16;

/// Every saved formula.
pub(crate) fn all(read: &Read) -> Result<Formulas, MdmError> {
    let one = |stored| dated::read(stored).map(|one: VirtualChannel| (one.id, one));
    read.virtual_channels()?.into_iter().map(one).collect()
}

impl Mdm {
    /// The virtual channels with their history, by name; retired ones too.
    ///
    /// # Errors
    /// What the store says.
    pub fn virtual_channels(&self) -> Result<Vec<VirtualChannel>, MdmError> {
        self.store().read(Read::virtual_channels)?.into_iter().map(dated::read).collect()
    }

    /// Says what is computed under a name from a day on; a name that is not there is made. The formulas before stay for
    /// the days before.
    ///
    /// # Errors
    /// What the store says. A refusal is a value.
    pub fn put_virtual(
        &self,
        change: &Change<'_>,
        name: &str,
        formula: &Formula,
    ) -> Result<Result<VirtualId, VirtualRefused>, MdmError> {
        let (name, reason) = match dated::checked(name, change.reason) {
            Ok(fine) => fine,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let today = self.day_of(change.now)?.date();
        let text = serde_json::to_string(formula).map_err(StoreError::from)?;
        self.store().write(|w| {
            let known = all(w)?;
            let before = known.values().find(|one| one.name == name);
            let from = change.from.unwrap_or(if before.is_some() { today } else { SINCE_EVER });
            if before.is_some_and(|one| one.meaning(from) == Some(formula)) {
                return Ok(Err(NameRefused::Unchanged(name.to_owned()).into()));
            }
            if let Err(refused) = self.fits(w, &known, (name, from), formula)? {
                return Ok(Err(refused));
            }
            Ok(Ok(w.put_virtual(name, &definition(change, reason, from, Some(text)))?))
        })
    }

    /// What is computed under a name is no more from a day on, today without one; days before are as they were.
    ///
    /// # Errors
    /// What the store says. A refusal is a value.
    pub fn retire_virtual(
        &self,
        change: &Change<'_>,
        id: VirtualId,
    ) -> Result<Result<(), VirtualRefused>, MdmError> {
        let from = change.from.map_or_else(|| self.day_of(change.now).map(|day| day.date()), Ok)?;
        self.store().write(|w| {
            let known = all(w)?;
            let Some(one) = known.get(&id) else { return Ok(Err(NameRefused::Unknown.into())) };
            let (name, reason) = match dated::checked(&one.name, change.reason) {
                Ok(fine) => fine,
                Err(refused) => return Ok(Err(refused.into())),
            };
            if one.on(from).is_none() {
                return Ok(Err(NameRefused::NotInUse(name.to_owned(), from).into()));
            }
            let input = SeriesId::Virtual(id);
            let leans = |day: Date, other: &VirtualChannel| {
                let formula = other.meaning(day).filter(|_| other.id != id);
                formula.is_some_and(|formula| formula.terms.iter().any(|term| term.input == input))
            };
            for day in edges(&known, from) {
                if let Some(other) = known.values().find(|other| leans(day, other)) {
                    return Ok(Err(VirtualRefused::Needed(other.name.clone())));
                }
            }
            w.put_virtual(name, &definition(change, reason, from, None))?;
            Ok(Ok(()))
        })
    }

    /// Whether a formula can be computed under `name` from a day on.
    fn fits(
        &self,
        read: &Read,
        known: &Formulas,
        (name, from): (&str, Date),
        formula: &Formula,
    ) -> Result<Result<(), VirtualRefused>, MdmError> {
        let terms = formula.terms.len();
        if terms == 0 || terms > MOST_TERMS {
            return Ok(Err(VirtualRefused::Terms(terms)));
        }
        if compute::common_denominator(&formula.terms).is_none() {
            return Ok(Err(VirtualRefused::Denominator));
        }
        let alike = |kind: ChannelKind| {
            kind.stored_unit() == formula.kind.stored_unit() && kind.commodity() == formula.kind.commodity()
        };
        let own = known.values().find(|one| one.name == name);
        let was = own.and_then(|one| one.versions.iter().rev().find_map(|one| one.is.as_ref()));
        if let Some(was) = was.filter(|was| !alike(was.kind)) {
            let (was, wanted, name) = (was.kind.name(), formula.kind.name(), name.to_owned());
            return Ok(Err(VirtualRefused::OtherUnit { name, was, wanted }));
        }
        let catalogue = self.catalogue();
        for term in &formula.terms {
            let kind = match term.input {
                SeriesId::Channel(id) => match catalogue.by_id(id) {
                    Some(entry) => Some(entry.channel.kind),
                    None => read.channel_by_id(id)?.map(|channel| channel.kind),
                },
                SeriesId::Virtual(id) => {
                    let input = known.get(&id);
                    input.and_then(|one| one.meaning(from.max(first_day(one)))).map(|one| one.kind)
                }
            };
            let Some(kind) = kind else { return Ok(Err(VirtualRefused::UnknownInput(term.input))) };
            if !alike(kind) {
                let (found, wanted) = (kind.name(), formula.kind.name());
                return Ok(Err(VirtualRefused::Unit { input: term.input, found, wanted }));
            }
        }
        let cycle = edges(known, from).into_iter().any(|day| leans_on(known, day, name, formula, DEEPEST));
        Ok(if cycle { Err(VirtualRefused::Cycle(name.to_owned())) } else { Ok(()) })
    }
}

/// The first day on which it meant anything.
fn first_day(one: &VirtualChannel) -> Date {
    one.versions.iter().map(|one| one.from).min().unwrap_or(SINCE_EVER)
}

/// A day and every later one on which some formula changes.
fn edges(known: &Formulas, from: Date) -> BTreeSet<Date> {
    let later = known.values().flat_map(|one| &one.versions).map(|one| one.from).filter(|day| *day > from);
    later.chain([from]).collect()
}

/// Whether a formula leans on the virtual channel `name` on a day, or deeper than formulas may.
fn leans_on(known: &Formulas, day: Date, name: &str, formula: &Formula, depth: usize) -> bool {
    formula.terms.iter().any(|term| match term.input {
        SeriesId::Channel(_) => false,
        SeriesId::Virtual(id) => known.get(&id).is_some_and(|one| {
            let below = one.meaning(day);
            let deeper = |formula| depth == 0 || leans_on(known, day, name, formula, depth - 1);
            one.name == name || below.is_some_and(deeper)
        }),
    })
}
