//! What a customer is told when a day that was final is no longer what it was.

use super::source::Days;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{Measure, Words};
use crate::read::{failed, look};
use mdm::read::{VersionSource, VersionView};

/// A sentence on the last change of the day that is looked at; nothing where a day was only ever filled up, or where its sum
/// is what it was.
pub(crate) fn sentence(ctx: &Ctx, days: &Days) -> Result<Option<String>, WebError> {
    let usage = days.last_day();
    if usage.used.version < 2 {
        return Ok(None);
    }
    let channel = look(ctx, |store| store.channel(usage.meter, usage.used.kind))?;
    let Some(channel) = channel else { return Ok(None) };
    let versions = ctx.app.mdm.versions(channel.id, usage.day.date()).map_err(|error| failed(&error))?;
    Ok(worded(&versions, Measure::of(usage.used.kind), &ctx.words()))
}

fn worded(versions: &[VersionView], measure: Measure, words: &Words) -> Option<String> {
    let (last, earlier) = versions.split_last()?;
    let before = earlier.last()?;
    if before.total == last.total {
        return None;
    }
    let why = match last.source {
        VersionSource::Edit | VersionSource::Undo => "A reading of this day was looked at and corrected",
        VersionSource::Readings => "Readings that arrived later changed this day",
        VersionSource::Closing => "Missing readings of this day were estimated",
        VersionSource::Rules => "This day was checked again",
        VersionSource::Estimation => "Missing readings of this day were estimated again, with more to go by",
    };
    let when = words.stamp(last.recorded_at);
    let shown = |total: i64| format!("{}\u{a0}{}", measure.coarse(total), measure.unit);
    Some(format!("{why} ({when}): {} before, {} now.", shown(before.total), shown(last.total)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use model::ChannelKind;

    fn version(version: u32, source: VersionSource, total: i64) -> VersionView {
        VersionView {
            version,
            recorded_at: "2026-07-14T10:00:00Z".parse().unwrap(),
            source,
            user: None,
            user_name: None,
            reason: None,
            note: None,
            op: None,
            supersedes: version - 1,
            sealed: true,
            rules: 1,
            rules_hash: None,
            read: 96,
            edited: 0,
            estimated: 0,
            missing: 0,
            total,
            bills: Vec::new(),
            came: Vec::new(),
            file: None,
        }
    }

    #[test]
    fn a_correction_names_both_sums_and_an_equal_sum_says_nothing() {
        let words = Words { zone: TimeZone::UTC, now: "2026-07-20T12:00:00Z".parse().unwrap() };
        let measure = Measure::of(ChannelKind::Import);
        let first = version(1, VersionSource::Readings, 12_400);
        let edited = version(2, VersionSource::Edit, 11_900);
        let text = worded(&[first.clone(), edited.clone()], measure, &words).unwrap();
        assert_eq!(
            text,
            "A reading of this day was looked at and corrected (14 Jul 10:00): 12.4\u{a0}kWh before, 11.9\u{a0}kWh now."
        );
        let late = version(2, VersionSource::Readings, 12_000);
        assert!(
            worded(&[first.clone(), late], measure, &words)
                .unwrap()
                .starts_with("Readings that arrived later")
        );
        assert_eq!(worded(&[first.clone(), version(2, VersionSource::Edit, 12_400)], measure, &words), None);
        assert_eq!(worded(&[first], measure, &words), None);
    }
}
