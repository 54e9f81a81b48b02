//! How long data is kept: the settings, what they would remove, and what was removed.
//!
//! Without a setting everything is kept for ever. The removing itself is a chore, see [`crate::chores::RETAIN`].

use crate::duty::DutyError;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use mdm::{Mdm, MdmError};
use store::{Cursor, Cut, Kept, Retention, StoreError};

/// Less is never kept: days are corrected, and estimates lean on the weeks before.
pub const LEAST_MONTHS: u32 = 3;
/// A century; more is for ever.
pub const MOST_MONTHS: u32 = 1_200;

/// Why a setting is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    /// A period out of bounds.
    #[error("keep {} for {months} months: give {LEAST_MONTHS} to {MOST_MONTHS}, or `forever`", kind.name())]
    Months {
        /// Of what.
        kind: Kept,
        /// What was asked for.
        months: u32,
    },
    /// Days in pages are what was read.
    #[error(
        "keep intervals for {intervals} months and raw readings {}: whole days are both in one, so let raw go first or with them",
        raw.map_or_else(|| "for ever".to_owned(), |months| format!("for {months}"))
    )]
    RawLonger {
        /// Months of intervals.
        intervals: u32,
        /// Months of readings, if not for ever.
        raw: Option<u32>,
    },
}

/// Checks settings as a whole.
///
/// # Errors
/// [`RetentionError`].
pub fn check(settings: &[(Kept, u32)]) -> Result<(), RetentionError> {
    for (kind, months) in settings {
        if !(LEAST_MONTHS..=MOST_MONTHS).contains(months) {
            return Err(RetentionError::Months { kind: *kind, months: *months });
        }
    }
    let of = |wanted: Kept| settings.iter().find(|(kind, _)| *kind == wanted).map(|(_, months)| *months);
    match (of(Kept::Intervals), of(Kept::Raw)) {
        (Some(intervals), raw) if raw.is_none_or(|raw| raw > intervals) => {
            Err(RetentionError::RawLonger { intervals, raw })
        }
        _ => Ok(()),
    }
}

/// The first day that is kept: the first of the month that lies `months` whole months before the current one.
///
/// # Errors
/// [`MdmError::Calendar`] at the far ends of the calendar.
pub fn kept_from(mdm: &Mdm, now: Timestamp, months: u32) -> Result<Date, MdmError> {
    let month = mdm.day_of(now)?.date().first_of_month();
    Ok(month.checked_sub(i64::from(months).months()).unwrap_or(Date::MIN))
}

/// What is to be removed by a setting among all settings.
pub(crate) fn cut(
    mdm: &Mdm,
    now: Timestamp,
    settings: &[Retention],
    (kind, before): (Kept, Date),
) -> Result<Cut, MdmError> {
    let raw = settings.iter().find(|one| one.kind == Kept::Raw);
    Ok(Cut {
        kind,
        before,
        before_at: mdm.local_day(before)?.start(),
        raw_before: raw.map(|raw| kept_from(mdm, now, raw.months)).transpose()?,
    })
}

/// What a setting would remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The setting.
    pub setting: Retention,
    /// The first day that would be kept.
    pub before: Date,
    /// How many would go; see [`Kept::counted`].
    pub removed: u64,
    /// How many would stay because a bill was computed from their day.
    pub pinned: u64,
}

/// Ends a transaction whose work is not wanted.
enum Back {
    Looked,
    Failed(StoreError),
}

impl From<StoreError> for Back {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// What the settings would remove at `now`: the removal itself, portion by portion, each rolled back.
///
/// # Errors
/// What the store says.
pub fn preview(mdm: &Mdm, now: Timestamp) -> Result<Vec<Preview>, DutyError> {
    let settings = mdm.store().read(store::Read::retention)?;
    let mut all = Vec::new();
    for setting in &settings {
        let before = kept_from(mdm, now, setting.months)?;
        let cut = cut(mdm, now, &settings, (setting.kind, before))?;
        let mut preview = Preview { setting: setting.clone(), before, removed: 0, pinned: 0 };
        let mut at = Some(Cursor::default());
        while let Some(cursor) = at.take() {
            let looked = mdm.store().write(|write| {
                let portion = write.remove_portion(&cut, cursor, now)?;
                preview.removed += portion.removed;
                preview.pinned += portion.pinned;
                at = portion.next;
                Err::<(), Back>(Back::Looked)
            });
            if let Err(Back::Failed(error)) = looked {
                return Err(error.into());
            }
        }
        all.push(preview);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_lose_what_others_keep_are_refused() {
        type Row = (&'static [(Kept, u32)], Option<&'static str>);
        let table: &[Row] = &[
            (&[], None),
            (&[(Kept::Raw, 84), (Kept::Intervals, 84)], None),
            (&[(Kept::Raw, 13), (Kept::Versions, 13)], None),
            (&[(Kept::Events, 2)], Some("3 to 1200")),
            (&[(Kept::Logs, 5_000)], Some("forever")),
            (&[(Kept::Intervals, 36)], Some("raw readings for ever")),
            (&[(Kept::Intervals, 36), (Kept::Raw, 84)], Some("raw readings for 84")),
        ];
        for (settings, refused) in table {
            let said = check(settings).err().map(|error| error.to_string());
            assert_eq!(said.is_some(), refused.is_some(), "{said:?}");
            assert!(said.unwrap_or_default().contains(refused.unwrap_or_default()), "{settings:?}");
        }
    }
}
