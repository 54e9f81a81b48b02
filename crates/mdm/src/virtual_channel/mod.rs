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

mod compute;

#[cfg(test)]
mod tests;

pub use compute::{InputVersion, VirtualDay, worst};

use crate::{Mdm, MdmError};
use jiff::Timestamp;
use model::{ChannelId, ChannelKind, Ratio, UserId, VirtualId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Read, StoreError};

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

/// A saved formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualChannel {
    /// Ours.
    pub id: VirtualId,
    /// As people call it.
    pub name: String,
    /// What it is computed from.
    pub formula: Formula,
    /// Who said so.
    pub user: UserId,
    /// Why.
    pub reason: String,
    /// When.
    pub changed_at: Timestamp,
}

/// Why a formula is not saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VirtualRefused {
    /// No name, or one that is too long.
    #[error("Give it a name of 1 to 100 characters.")]
    Name,
    /// No reason.
    #[error("Say why it is made or changed.")]
    NoReason,
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
    /// The denominators have no common multiple of reasonable size.
    #[error("The coefficients have no common denominator up to {}.", compute::LARGEST_DENOMINATOR)]
    Denominator,
}

/// The most summands.
pub const MOST_TERMS: usize = 1000;
/// The deepest that formulas may lean on each other.
pub(crate) const DEEPEST: usize = 16;

/// Every saved formula.
pub(crate) fn all(read: &Read) -> Result<BTreeMap<VirtualId, VirtualChannel>, MdmError> {
    let mut found = BTreeMap::new();
    for stored in read.virtual_channels()? {
        let formula = serde_json::from_str(&stored.formula).map_err(StoreError::from)?;
        let one = VirtualChannel {
            id: stored.id,
            name: stored.name,
            formula,
            user: stored.user,
            reason: stored.reason,
            changed_at: stored.changed_at,
        };
        found.insert(stored.id, one);
    }
    Ok(found)
}

impl Mdm {
    /// The virtual channels, by id.
    ///
    /// # Errors
    /// What the store says.
    pub fn virtual_channels(&self) -> Result<Vec<VirtualChannel>, MdmError> {
        Ok(self.store().read(all)?.into_values().collect())
    }

    /// Saves a formula under a name, in place of one of the same name.
    ///
    /// # Errors
    /// What the store says. A refusal is a value.
    pub fn put_virtual(
        &self,
        now: Timestamp,
        user: UserId,
        name: &str,
        formula: &Formula,
        reason: &str,
    ) -> Result<Result<VirtualId, VirtualRefused>, MdmError> {
        let (name, reason) = (name.trim(), reason.trim());
        if name.is_empty() || name.chars().count() > 100 {
            return Ok(Err(VirtualRefused::Name));
        }
        if reason.is_empty() {
            return Ok(Err(VirtualRefused::NoReason));
        }
        let text = serde_json::to_string(formula).map_err(StoreError::from)?;
        self.store().write(|w| {
            let known = all(w)?;
            if let Err(refused) = self.fits(&known, name, formula) {
                return Ok(Err(refused));
            }
            Ok(Ok(w.put_virtual(name, &text, user, reason, now)?))
        })
    }

    fn fits(
        &self,
        known: &BTreeMap<VirtualId, VirtualChannel>,
        name: &str,
        formula: &Formula,
    ) -> Result<(), VirtualRefused> {
        let terms = formula.terms.len();
        if terms == 0 || terms > MOST_TERMS {
            return Err(VirtualRefused::Terms(terms));
        }
        compute::common_denominator(&formula.terms).ok_or(VirtualRefused::Denominator)?;
        let catalogue = self.catalogue();
        for term in &formula.terms {
            let kind = match term.input {
                SeriesId::Channel(id) => catalogue.by_id(id).map(|entry| entry.channel.kind),
                SeriesId::Virtual(id) => known.get(&id).map(|one| one.formula.kind),
            };
            let kind = kind.ok_or(VirtualRefused::UnknownInput(term.input))?;
            if kind.stored_unit() != formula.kind.stored_unit()
                || kind.commodity() != formula.kind.commodity()
            {
                let (found, wanted) = (kind.name(), formula.kind.name());
                return Err(VirtualRefused::Unit { input: term.input, found, wanted });
            }
        }
        if leans_on(known, name, formula, DEEPEST) {
            return Err(VirtualRefused::Cycle(name.to_owned()));
        }
        Ok(())
    }
}

/// Whether a formula leans on the virtual channel `name`, or deeper than formulas may.
fn leans_on(
    known: &BTreeMap<VirtualId, VirtualChannel>,
    name: &str,
    formula: &Formula,
    depth: usize,
) -> bool {
    formula.terms.iter().any(|term| match term.input {
        SeriesId::Channel(_) => false,
        SeriesId::Virtual(id) => known.get(&id).is_some_and(|one| {
            one.name == name || depth == 0 || leans_on(known, name, &one.formula, depth - 1)
        }),
    })
}
