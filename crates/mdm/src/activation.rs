//! Rule sets put in force: from which day, by whom, why. Rows are only ever added.

use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::UserId;
use store::Activation;
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
        self.store().write(|w| {
            if in_force(&w.activations()?, from).is_some_and(|active| active.hash == hash) {
                return Ok(Err(ActivationRefused::Unchanged(from)));
            }
            let id = w.rule_set_id(&hash, book.text())?;
            w.activate_rules(id, from, user, reason, now)?;
            Ok(Ok(hash))
        })
    }

    /// Every rule set that was put in force, in order.
    ///
    /// # Errors
    /// What the store says.
    pub fn activations(&self) -> Result<Vec<Activation>, MdmError> {
        Ok(self.store().read(store::Read::activations)?)
    }
}

/// The activation that judges a day: the last one that begins on it or before it.
pub(crate) fn in_force(activations: &[Activation], day: Date) -> Option<&Activation> {
    activations.iter().rev().find(|active| active.from <= day)
}
