//! Rule sets put in force: from which day, by whom, why. Rows are only ever added.

use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::UserId;
use std::sync::{Arc, PoisonError};
use store::{Activation, Read};
use vee::{RuleBook, RulesError};

/// Why a rule set is not put in force.
#[derive(Debug, thiserror::Error)]
pub enum ActivationRefused {
    /// The file makes no sense.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// No reason.
    #[error("put the rules in force: say why")]
    NoReason,
    /// These very rules are in force on that day already.
    #[error("put the rules in force: they are in force on {0} already")]
    Unchanged(Date),
}

impl Mdm {
    /// Puts the rules of a file in force for the days from `from` on, on record with who and why. The hash.
    ///
    /// What is judged from now on is judged by them; days that were judged before are as they are until they are judged
    /// again. Every process takes them up with its next transaction that judges.
    ///
    /// # Errors
    /// What the store says. A refusal is a value.
    pub fn activate_rules(
        &self,
        now: Timestamp,
        user: UserId,
        toml: &str,
        from: Date,
        reason: &str,
    ) -> Result<Result<String, ActivationRefused>, MdmError> {
        let book = match RuleBook::from_toml(toml) {
            Ok(book) => book,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let reason = reason.trim();
        if reason.is_empty() {
            return Ok(Err(ActivationRefused::NoReason));
        }
        let hash = book.hash().to_string();
        let done = self.store().write(|w| {
            if in_force(&w.activations()?, from).is_some_and(|active| active.hash == hash) {
                return Ok(Err(ActivationRefused::Unchanged(from)));
            }
            let id = w.rule_set_id(&hash, book.text())?;
            w.activate_rules(id, from, user, reason, now)?;
            Ok::<_, MdmError>(Ok(hash))
        })?;
        if done.is_ok() {
            self.reload()?;
        }
        Ok(done)
    }

    /// Every rule set that was put in force, in order.
    ///
    /// # Errors
    /// What the store says.
    pub fn activations(&self) -> Result<Vec<Activation>, MdmError> {
        Ok(self.store().read(store::Read::activations)?)
    }
}

/// The books that were put in force, in order.
#[derive(Debug, Default)]
pub(crate) struct InForce {
    /// The number of the last activation that is in it.
    last: u64,
    books: Vec<(Date, u32, RuleBook)>,
}

impl Mdm {
    /// The rules in force by this transaction: what another process put there since is read first. Asking costs one look
    /// into an index.
    pub(crate) fn rules_by(&self, read: &Read) -> Result<Arc<InForce>, MdmError> {
        let known = self.in_force();
        if self.one_book || read.last_activation()? == known.last {
            return Ok(known);
        }
        let fresh = Arc::new(InForce::load(read)?);
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        Ok(fresh)
    }

    /// The rule book that judges a day: the one put in force for it, or the one that the program was started with.
    ///
    /// # Errors
    /// What the store says.
    pub fn book_on(&self, day: Date) -> Result<RuleBook, MdmError> {
        let in_force = self.store().read(|r| self.rules_by(r))?;
        Ok(in_force.on(day).map_or(&self.book, |(_, book)| book).clone())
    }
}

impl InForce {
    pub(crate) fn load(read: &Read) -> Result<Self, MdmError> {
        let last = read.last_activation()?;
        let mut books = Vec::new();
        for active in read.activations()? {
            let text = read.rule_set(active.rules)?.unwrap_or_default();
            let book = RuleBook::from_canonical(&text)
                .map_err(|_| store::StoreError::Corrupt { what: "rule set in force" })?;
            books.push((active.from, active.rules, book));
        }
        Ok(Self { last, books })
    }

    /// The number of the rule set that judges a day, and the book; `None` where only what the program was started with does.
    pub(crate) fn on(&self, day: Date) -> Option<(u32, &RuleBook)> {
        self.books.iter().rev().find(|(from, ..)| *from <= day).map(|(_, id, book)| (*id, book))
    }
}

/// The activation that judges a day: the last one that begins on it or before it.
pub(crate) fn in_force(activations: &[Activation], day: Date) -> Option<&Activation> {
    activations.iter().rev().find(|active| active.from <= day)
}
