//! The versions of a day and how two of them differ.

use super::ask::{Asked, Times};
use super::deed;
use super::drawing::measure;
use super::source::diff_row;
use super::view::{Compare, VersionRow};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, Words};
use crate::read::failed;
use mdm::edit::ReasonCode;
use mdm::read::{BenchDay, VersionSource, VersionView};
use model::{BatchSource, Quality};
use vee::Slot;

/// Digits of a rule set's hash that are shown.
const HASH: usize = 8;

/// The versions, newest first.
pub(crate) fn versions(asked: &Asked, bench: &BenchDay, words: &Words, may: bool) -> Vec<VersionRow> {
    let kind = bench.series.kind;
    let stands = bench.series.version;
    let row = |version: &VersionView| {
        let number = version.version;
        let before = version.version.checked_sub(1).filter(|before| *before > 0);
        let pair = before.map(|before| format!("{before}-{number}"));
        // Undoing what stands goes back to what stood before it; undoing an earlier one goes back to that one.
        let target = if number == stands { before } else { Some(number) };
        let label = target.map(|to| to.to_string());
        VersionRow {
            number,
            what: what(version, kind),
            who: version.user_name.clone().unwrap_or_else(|| "the system".to_owned()),
            why: why(version),
            when: words.stamp(version.recorded_at),
            rules: version.rules_hash.as_ref().map_or_else(String::new, |hash| {
                format!("rules {}", hash.chars().take(HASH).collect::<String>())
            }),
            compare: pair.map(|pair| format!("{}#compare", asked.with(kind, &[("compare", &pair)]))),
            undo: label
                .filter(|_| may)
                .map(|to| format!("{}#preview", asked.with(kind, &[("do", "undo"), ("to_version", &to)]))),
            current: number == stands,
        }
    };
    bench.versions.iter().rev().map(row).collect()
}

fn what(version: &VersionView, kind: model::ChannelKind) -> String {
    let done = version.op.as_deref().and_then(|op| deed::stored(op, kind));
    match (version.source, done) {
        (VersionSource::Edit | VersionSource::Undo, Some(done)) => done,
        (VersionSource::Edit, None) => "Edited".to_owned(),
        (VersionSource::Undo, None) => "Went back".to_owned(),
        (VersionSource::Readings, _) => arrived(version),
        (VersionSource::Closing, _) => "Gaps were estimated".to_owned(),
        (VersionSource::Rules, _) => "Other rules".to_owned(),
        (VersionSource::Estimation, _) => "Estimated anew".to_owned(),
    }
}

/// How the readings of a version came.
fn arrived(version: &VersionView) -> String {
    if let Some(file) = &version.file {
        return format!("Readings of the file {}", file.name);
    }
    let way = |source: &BatchSource| match source {
        BatchSource::Scheduled => "read by schedule",
        BatchSource::Push => "pushed by the meter",
        BatchSource::OnDemand => "read on demand",
        BatchSource::Backfill => "read again to fill gaps",
        BatchSource::Import => "taken in from a file",
        BatchSource::Sender => "estimated by who sent the file",
    };
    let ways: Vec<&str> = version.came.iter().map(way).collect();
    if ways.is_empty() {
        "Readings arrived".to_owned()
    } else {
        format!("Readings arrived: {}", ways.join(", "))
    }
}

fn why(version: &VersionView) -> String {
    let code = version.reason.as_deref().and_then(ReasonCode::from_name).map(ReasonCode::title);
    match (code, &version.note) {
        (Some(code), Some(note)) => format!("{code}: {note}"),
        (Some(code), None) => code.to_owned(),
        (None, Some(note)) => note.clone(),
        (None, None) => String::new(),
    }
}

/// Two versions beside each other, when the address asks for two.
pub(crate) fn compare(
    ctx: &Ctx,
    asked: &Asked,
    bench: &BenchDay,
    times: &Times,
) -> Result<Option<Compare>, WebError> {
    let Some((first, second)) = asked.compare else { return Ok(None) };
    let changes =
        ctx.app.mdm.diff(bench.channel.id, asked.date, first, second).map_err(|error| failed(&error))?;
    let measure = measure(bench.series.kind);
    let count = bench.series.slots.len();
    let (mut before, mut after) = (vec![Slot::MISSING; count], vec![Slot::MISSING; count]);
    let mut sum = 0i64;
    for change in &changes {
        let value = |slot: Option<Slot>| slot.unwrap_or(Slot::new(0, Quality::MISSING));
        let (was, is) = (value(change.before), value(change.after));
        sum = sum.saturating_add(is.value.saturating_sub(was.value));
        if let (Some(old), Some(new)) = (before.get_mut(change.slot), after.get_mut(change.slot)) {
            (*old, *new) = (was, is);
        }
    }
    let differing = fmt::counted(u64::try_from(changes.len()).unwrap_or(0), "interval");
    let by = if bench.series.kind.is_additive() {
        format!(", by {}\u{a0}{} in all", measure.fine(sum), measure.unit)
    } else {
        String::new()
    };
    Ok(Some(Compare {
        title: format!("Version {first} and version {second}"),
        sentence: if changes.is_empty() {
            "They do not differ in any interval.".to_owned()
        } else {
            format!("They differ in {differing}{by}.")
        },
        rows: changes.iter().map(|change| diff_row(bench, times, change.slot, &before, &after)).collect(),
    }))
}
