//! The pictures and tables of the bench: the day, the week around it, the other channels.

use super::ask::{Asked, PARTS, Times};
use crate::chart::{Bench, Line, Look, Mark, Point, StripDay, real, strip};
use crate::fmt::{self, Measure, Words};
use crate::page::ops::meter::charts::quality_word;
use crate::page::ops::vee::words;
use crate::series;
use core::ops::Range;
use jiff::Timestamp;
use maud::{Markup, html};
use mdm::read::{BenchDay, CaseState, Series};
use model::{ChannelKind, LocalDay, Quality, QualityClass};
use vee::Slot;

/// How a channel's values are shown on the bench: one more decimal than elsewhere, so that an edit is never rounded away.
pub(crate) fn measure(kind: ChannelKind) -> Measure {
    let measure = Measure::of(kind);
    Measure { fine: measure.exponent, coarse: measure.exponent.min(2), ..measure }
}

/// A value, or a word for none.
pub(crate) fn value_text(measure: Measure, slot: Slot) -> String {
    if slot.quality.is_missing() { "–".to_owned() } else { measure.fine(slot.value) }
}

/// How a value came about, for the chart.
pub(crate) fn look(quality: Quality, end: Timestamp, due: Timestamp) -> Look {
    match quality.class() {
        QualityClass::Edited => Look::Edited,
        QualityClass::Missing if end > due => Look::Ahead,
        QualityClass::Missing => Look::Missing,
        QualityClass::DerivedZero => Look::Estimated,
        _ if quality.is_estimated() => Look::Estimated,
        _ => Look::Read,
    }
}

/// The gravest open finding of each interval, as the class of its marks.
fn failed(bench: &BenchDay) -> Vec<Option<&'static str>> {
    let mut worst: Vec<Option<(u8, &'static str)>> = vec![None; bench.series.slots.len()];
    for exception in bench.findings.iter().filter(|exception| exception.state == CaseState::Open) {
        let finding = &exception.finding;
        let rank = match finding.severity.as_str() {
            "fail" => 3,
            "issue" => 2,
            _ => 1,
        };
        let first = usize::try_from(finding.first).unwrap_or(usize::MAX);
        let count = usize::try_from(finding.count).unwrap_or(0);
        // A finding about the whole day marks nothing: everything marked is nothing marked.
        if count >= worst.len() {
            continue;
        }
        for slot in worst.iter_mut().skip(first).take(count) {
            if slot.is_none_or(|(known, _)| known < rank) {
                *slot = Some((rank, words::severity_class(&finding.severity)));
            }
        }
    }
    worst.into_iter().map(|slot| slot.map(|(_, class)| class)).collect()
}

/// What the chart shows beside the day itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    /// The chosen intervals.
    pub(crate) chosen: Option<Range<usize>>,
    /// The day as it would be.
    pub(crate) after: Option<Vec<Slot>>,
}

/// The intervals that a part of the day holds, by the clock on the wall.
fn part(day: &LocalDay, series: &Series, part: usize) -> Range<usize> {
    let (_, _, from, to) = PARTS.get(part).copied().unwrap_or(PARTS[0]);
    let hour = |index: usize| {
        day.interval_start(series.interval, index).to_zoned(day.zone().clone()).hour().unsigned_abs()
    };
    let inside: Vec<usize> =
        (0..series.slots.len()).filter(|index| (from..to).contains(&hour(*index))).collect();
    inside.first().map_or(0..0, |first| *first..inside.last().map_or(0, |last| last + 1))
}

/// The day's chart.
pub(crate) fn day(words: &Words, bench: &BenchDay, extra: &Extra, asked: &Asked, due: Timestamp) -> Markup {
    let (day, series) = (&bench.day, &bench.series);
    let measure = measure(series.kind);
    let failed = failed(bench);
    let range = part(day, series, asked.part);
    let zoomed = asked.part > 0;
    let mark = |index: usize| {
        let (value, quality) = series.slots[index];
        let start = day.interval_start(series.interval, index);
        let end = day.interval_start(series.interval, index + 1);
        let raw = bench.raw.get(index).copied().flatten().and_then(|raw| raw.value);
        let after = extra.after.as_ref().and_then(|after| after.get(index)).copied();
        let changed = after.filter(|after| (after.value, after.quality) != (value, quality));
        let with_unit = |text: String| format!("{text}\u{a0}{}", measure.unit);
        let mut rows = vec![
            ("Read".to_owned(), raw.map_or_else(|| "nothing".to_owned(), |raw| with_unit(measure.fine(raw)))),
            (
                "Final".to_owned(),
                if quality.is_missing() { "missing".to_owned() } else { with_unit(measure.fine(value)) },
            ),
            ("Quality".to_owned(), quality_word(quality.class()).to_lowercase()),
        ];
        if let Some(after) = changed {
            rows.push(("Proposed".to_owned(), with_unit(value_text(measure, after))));
        }
        Mark {
            tick: if zoomed { fine_tick(day, start) } else { series::tick(day, start) },
            raw: raw.map(|raw| measure.real(raw)),
            now: (!quality.is_missing()).then(|| measure.real(value)),
            after: changed.filter(|after| !after.quality.is_missing()).map(|after| measure.real(after.value)),
            look: look(quality, end, due),
            failed: failed.get(index).copied().flatten(),
            chosen: extra.chosen.as_ref().is_some_and(|chosen| chosen.contains(&index)),
            head: series::span(day, start, end),
            rows,
        }
    };
    Bench {
        label: format!("Read and final values, {}", words.long(day.date())),
        unit: measure.unit,
        first: range.start,
        marks: range.map(mark).collect(),
        from_zero: series.kind != ChannelKind::Voltage,
        height: 330.0,
    }
    .render()
}

/// Every hour gets a label in a part of the day.
fn fine_tick(day: &LocalDay, at: Timestamp) -> Option<crate::chart::Tick> {
    let zoned = at.to_zoned(day.zone().clone());
    (zoned.minute() == 0).then(|| crate::chart::Tick {
        text: zoned.strftime("%H:%M").to_string(),
        on_phone: zoned.hour() % 2 == 0,
    })
}

/// The whole day as a table.
pub(crate) fn table(bench: &BenchDay, times: &Times, words: &Words) -> Markup {
    let measure = measure(bench.series.kind);
    html! {
        table {
            caption.vh { "Readings of " (words.long(bench.day.date())) }
            thead { tr {
                th scope="col" { "From" } th.n scope="col" { "Read, " (measure.unit) } th.n scope="col" { "Final, " (measure.unit) } th scope="col" { "Quality" }
            } }
            tbody { @for (index, (value, quality)) in bench.series.slots.iter().enumerate() { tr {
                th scope="row" { (times.at(index)) }
                td.n { (bench.raw.get(index).copied().flatten().and_then(|raw| raw.value).map(|raw| measure.fine(raw)).unwrap_or_default()) }
                td.n { (value_text(measure, Slot::new(*value, *quality))) }
                td { (quality_word(quality.class())) }
            } } }
        }
    }
}

/// A day of the week around the bench.
#[derive(Clone, Debug)]
pub(crate) struct WeekDay {
    pub(crate) date: jiff::civil::Date,
    pub(crate) series: Option<Series>,
    pub(crate) failed: Option<&'static str>,
}

/// The week around the day, each day a link to its own bench.
pub(crate) fn week(words: &Words, asked: &Asked, kind: ChannelKind, days: &[WeekDay]) -> Markup {
    let measure = measure(kind);
    let day = |it: &WeekDay| {
        let other = Asked { date: it.date, ..asked.clone() };
        let total = it.series.as_ref().and_then(Series::total);
        let known = total.map_or_else(
            || "nothing kept".to_owned(),
            |total| format!("{}\u{a0}{}", measure.coarse(total), measure.unit),
        );
        let flagged = if it.failed.is_some() { ", with open exceptions" } else { "" };
        StripDay {
            name: it.date.strftime("%a %-d").to_string(),
            label: format!("{}, {known}{flagged}", words.long(it.date)),
            href: other.here(kind),
            current: it.date == asked.date,
            failed: it.failed,
            values: it.series.as_ref().map_or_else(Vec::new, |series| {
                let value =
                    |(value, quality): &(i64, Quality)| (!quality.is_missing()).then(|| measure.real(*value));
                series.slots.iter().map(value).collect()
            }),
        }
    };
    strip(&days.iter().map(day).collect::<Vec<_>>())
}

/// Another channel of the same day, as a line; nothing for one that knows nothing.
pub(crate) fn sibling(words: &Words, day: &LocalDay, series: &Series) -> Option<(String, Markup)> {
    let measure = Measure::of(series.kind);
    series.slots.iter().find(|(_, quality)| !quality.is_missing())?;
    let name = fmt::heading(&super::ask::channel_name(series.kind).replace('-', " "));
    if series.slots.iter().all(|(value, quality)| *value == 0 && !quality.is_missing()) {
        return Some((name, html! { p.hint { "Zero in every interval." } }));
    }
    let point = |(index, (value, quality)): (usize, &(i64, Quality))| {
        let start = day.interval_start(series.interval, index);
        let end = day.interval_start(series.interval, index + 1);
        let known = !quality.is_missing();
        let text = if known {
            format!("{}\u{a0}{}", measure.fine(*value), measure.unit)
        } else {
            "missing".to_owned()
        };
        Point {
            tick: series::tick(day, start),
            value: known.then(|| real(*value) / 10f64.powi(i32::from(measure.exponent))),
            head: series::span(day, start, end),
            rows: vec![(name.clone(), text)],
        }
    };
    let line = Line {
        label: format!("{name}, {}", words.long(day.date())),
        unit: measure.unit,
        points: series.slots.iter().enumerate().map(point).collect(),
        limits: None,
        height: 150.0,
    };
    Some((name.clone(), line.render()))
}
