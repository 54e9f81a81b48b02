//! Names whose meaning changes from a day on: saved groups and virtual channels. Nothing that was said is ever replaced.
//!
//! ```text
//! said in January: A from 1 January     said in March: B from 1 March     said in April: C from 15 February
//!
//!      | A . . . . . . . . . . . . | C . . . . . . . . . . . . . . . . . . . . . . . .
//!   1 January                 15 February
//! ```
//!
//! For a day the last that was said counts that begins on it or before, so a correction covers what it corrects.

use crate::MdmError;
use jiff::Timestamp;
use jiff::civil::Date;
use model::UserId;
use serde::de::DeserializeOwned;
use store::{Defined, Definition, StoreError};

/// What a name means from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version<T> {
    /// Counted from 1 in the order in which it was said.
    pub number: u32,
    /// The first day.
    pub from: Date,
    /// What it means; `None`: it is retired.
    pub is: Option<T>,
    /// Who said so.
    pub user: UserId,
    /// Why.
    pub reason: String,
    /// When.
    pub changed_at: Timestamp,
}

/// A name with all that it meant, in the order in which it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated<I, T> {
    /// Ours.
    pub id: I,
    /// As people call it.
    pub name: String,
    /// What it meant when.
    pub versions: Vec<Version<T>>,
}

impl<I, T> Dated<I, T> {
    /// What counts on a day; `None` before the first, and where it is retired.
    pub fn on(&self, day: Date) -> Option<&Version<T>> {
        self.known(day, None)
    }

    /// What counted on a day by what was known at an instant; all that is known without one.
    pub fn known(&self, day: Date, at: Option<Timestamp>) -> Option<&Version<T>> {
        let counts = |one: &&Version<T>| one.from <= day && at.is_none_or(|at| one.changed_at <= at);
        self.versions.iter().rev().find(counts).filter(|one| one.is.is_some())
    }

    /// What it means on a day.
    pub fn meaning(&self, day: Date) -> Option<&T> {
        self.on(day).and_then(|one| one.is.as_ref())
    }

    /// The last that was said.
    pub fn newest(&self) -> Option<&Version<T>> {
        self.versions.last()
    }
}

/// Who says something, when, why, and from which day on.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// When.
    pub now: Timestamp,
    /// Who.
    pub user: UserId,
    /// The first day; without one a new name means it since ever, and one that is there from today on.
    pub from: Option<Date>,
    /// Why.
    pub reason: &'a str,
}

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 100;

/// Why a name cannot be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    /// No name, or one that is too long.
    #[error("Give it a name of 1 to {LONGEST_NAME} characters.")]
    Name,
    /// No reason.
    #[error("Say why it is made or changed.")]
    NoReason,
    /// It is just so already.
    #[error("`{0}` is just so already.")]
    Unchanged(String),
    /// Nothing of that number.
    #[error("There is none with that number.")]
    Unknown,
    /// Retired already, or not there yet.
    #[error("`{0}` is not in use on {1}.")]
    NotInUse(String, Date),
}

/// A name and a reason as they are kept, if they will do.
pub(crate) fn checked<'a>(name: &'a str, reason: &'a str) -> Result<(&'a str, &'a str), NameRefused> {
    let (name, reason) = (name.trim(), reason.trim());
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(NameRefused::Name);
    }
    if reason.is_empty() { Err(NameRefused::NoReason) } else { Ok((name, reason)) }
}

/// A stored name with its meanings read.
pub(crate) fn read<I, T: DeserializeOwned>(stored: Defined<I>) -> Result<Dated<I, T>, MdmError> {
    let version = |(number, one): (u32, Definition)| {
        let is = one.body.map(|body| serde_json::from_str(&body)).transpose().map_err(StoreError::from)?;
        let Definition { from, user, reason, changed_at, .. } = one;
        Ok::<_, MdmError>(Version { number, from, is, user, reason, changed_at })
    };
    let versions = (1..).zip(stored.versions).map(version).collect::<Result<_, _>>()?;
    Ok(Dated { id: stored.id, name: stored.name, versions })
}
