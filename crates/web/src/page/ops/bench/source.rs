//! From the read model to what the bench shows. All of it blocks.

use super::ask::{Asked, PARTS, Times, bench_href, channel_name};
use super::deed;
use super::drawing::{self, Extra, WeekDay, measure, value_text};
use super::found::{Found, find};
use super::history;
use super::view::{Bracket, CandidateColumn, DiffRow, FindingRow, Form, Preview, Selection, View};
use crate::access::Access;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, Measure, Words};
use crate::page::ops::meter::charts::quality_word;
use crate::page::ops::vee::words;
use crate::read::failed;
use crate::series::span;
use crate::ui::{Chip, Icon, Tone};
use core::ops::Range;
use jiff::ToSpan;
use mdm::edit::{Edit, Editor, Op, ReasonCode, Slots};
use mdm::read::{BenchDay, CaseState, Exception};
use model::{ChannelKind, IntervalLength, LocalDay};
use operations::Right;
use store::Channel;
use vee::Slot;

/// Intervals that a preview lists one by one.
const LISTED: usize = 24;

/// From how many chosen intervals on the candidates are compared by the hour.
const BY_HOUR: usize = 24;

/// What the address would do, tried out.
struct Tried {
    chosen: Option<Range<usize>>,
    preview: Option<Result<Preview, String>>,
    after: Option<Vec<Slot>>,
}

/// The bench as a page.
pub(crate) fn view(ctx: &Ctx, asked: &Asked) -> Result<View, WebError> {
    let found = find(ctx, asked)?;
    let (bench, kind, words) = (&found.bench, found.bench.series.kind, ctx.words());
    let tried = try_out(ctx, asked, &found)?;
    let may = ctx.may(Right::EditReadings);
    let extra = Extra { chosen: tried.chosen.clone(), after: tried.after };
    let any = bench.series.version > 0;
    let beside = |at: usize| bench.neighbours[at].as_ref().map(|other| exception_href(asked, other));
    let step = |date: Result<jiff::civil::Date, jiff::Error>| {
        let date = date.ok().filter(|date| *date <= words.today())?;
        Some(Asked { date, ..asked.clone() }.here(kind))
    };
    let selection = tried.chosen.as_ref().map(|chosen| selection(bench, &found.times, chosen));
    Ok(View {
        meter: asked.meter.get(),
        api: format!("/api/v1/channels/{}/days/{}", bench.channel.id, asked.date),
        serial: bench.serial.to_string(),
        place: bench.address.clone().unwrap_or_else(|| "not installed".to_owned()),
        date: asked.date.to_string(),
        title: words.long(asked.date),
        clock: clock(&bench.day),
        here: asked.here(kind),
        channel: channel_name(kind).to_owned(),
        channels: channels(asked, &found),
        steps: (step(asked.date.yesterday()), step(asked.date.tomorrow())),
        queue: (beside(0), beside(1)),
        done: done(asked),
        chart: if any || bench.raw.iter().any(Option::is_some) {
            Ok(drawing::day(&words, bench, &extra, asked, ctx.present().due))
        } else {
            Err("Nothing is kept of this day. What the meter still holds is filled in when it is heard again.".to_owned())
        },
        zoom: PARTS.iter().enumerate().map(|(index, part)| zoom(asked, kind, index, part)).collect(),
        week: drawing::week(&words, asked, kind, &week(ctx, asked, bench)?),
        facts: facts(bench, &words),
        findings: bench.findings.iter().map(|row| finding_row(asked, bench, &found.times, row)).collect(),
        brackets: brackets(bench, &words),
        candidates: candidates(ctx, asked, &found, tried.chosen.as_ref())?,
        selection,
        form: may.then(|| form(ctx, asked, &found, tried.chosen.as_ref())),
        preview: tried.preview,
        reasons: reasons(),
        only: Access::With(Right::EditReadings).sentence(),
        versions: history::versions(asked, bench, &words, may),
        compare: history::compare(ctx, asked, bench, &found.times)?,
        siblings: bench.siblings.iter().filter_map(|it| drawing::sibling(&words, &bench.day, it)).collect(),
        table: asked.table.then(|| drawing::table(bench, &found.times, &words)),
        table_href: table_href(asked, kind),
    })
}

/// The reason codes and their words.
pub(crate) fn reasons() -> Vec<(String, String)> {
    ReasonCode::ALL.into_iter().map(|code| (code.name().to_owned(), code.title().to_owned())).collect()
}

fn exception_href(asked: &Asked, other: &Exception) -> String {
    bench_href(other.meter, other.kind, other.finding.day, asked.rule.as_deref())
}

fn clock(day: &LocalDay) -> Option<String> {
    match day.end().duration_since(day.start()).as_hours() {
        23 => Some(
            "The clock goes forward on this day: it has 23 hours, and one hour of the clock never happens."
                .to_owned(),
        ),
        25 => Some(
            "The clock goes back on this day: it has 25 hours, and one hour of the clock happens twice."
                .to_owned(),
        ),
        _ => None,
    }
}

fn zoom(asked: &Asked, kind: ChannelKind, index: usize, part: &(&str, &str, u8, u8)) -> Chip {
    let mut more = Vec::new();
    if let (Some(from), Some(to)) = (asked.from.as_deref(), asked.to.as_deref()) {
        more.extend([("from", from), ("to", to)]);
    }
    if index > 0 {
        more.push(("part", part.0));
    }
    Chip { href: asked.with(kind, &more), label: part.1.to_owned(), current: asked.part == index }
}

fn channels(asked: &Asked, found: &Found) -> Vec<Chip> {
    let chip = |channel: &Channel| Chip {
        href: asked.here(channel.kind),
        label: fmt::heading(&channel_name(channel.kind).replace('-', " ")),
        current: channel.kind == found.bench.series.kind,
    };
    found.channels.iter().map(chip).collect()
}

fn done(asked: &Asked) -> Option<String> {
    let version = asked.done.as_ref()?.parse::<u32>().ok()?;
    Some(format!("Done: version {version} stands. It can be undone in the list of versions."))
}

fn week(ctx: &Ctx, asked: &Asked, bench: &BenchDay) -> Result<Vec<WeekDay>, WebError> {
    let mut days = Vec::new();
    let mdm = &ctx.app.mdm;
    // Seven days with the bench in the middle, or as near to it as today allows.
    let last = asked.date.checked_add(3.days()).unwrap_or(asked.date).min(ctx.words().today());
    for offset in (0i64..7).rev() {
        let Ok(date) = last.checked_sub(offset.days()) else { continue };
        let profile = mdm.profile(asked.meter, bench.series.kind, date).map_err(|error| failed(&error))?;
        let profile = profile.filter(|profile| profile.series.version > 0);
        let open = if profile.is_some() {
            mdm.exceptions_of_day(bench.channel.id, date).map_err(|error| failed(&error))?
        } else {
            Vec::new()
        };
        let gravest = open
            .iter()
            .filter(|exception| exception.state == CaseState::Open)
            .map(|exception| words::severity_class(&exception.finding.severity))
            .min_by_key(|class| ["bad", "warn", "mute"].iter().position(|known| known == class));
        days.push(WeekDay { date, series: profile.map(|profile| profile.series), failed: gravest });
    }
    Ok(days)
}

/// How many intervals without a value are not over yet.
fn ahead(bench: &BenchDay, words: &Words) -> usize {
    let interval = bench.series.interval;
    let slots = bench.series.slots.iter().enumerate();
    let ahead = slots.filter(|(index, (_, quality))| {
        quality.is_missing() && bench.day.interval_start(interval, index + 1) > words.now
    });
    ahead.count()
}

fn facts(bench: &BenchDay, words: &Words) -> Vec<(&'static str, String, String)> {
    let measure = measure(bench.series.kind);
    let with_unit = |value: i64| format!("{}\u{a0}{}", measure.coarse(value), measure.unit);
    let (read, other, missing) = bench.series.counts();
    let ahead = ahead(bench, words).min(missing);
    let raw: Vec<i64> = bench.raw.iter().filter_map(|raw| raw.and_then(|raw| raw.value)).collect();
    let raw_sum = raw.iter().fold(0i64, |sum, value| sum.saturating_add(*value));
    let usual = usual(bench);
    let additive = bench.series.kind.is_additive();
    let mut facts = vec![(
        "Intervals",
        format!("{read} read"),
        match (other, missing - ahead, ahead) {
            (0, 0, 0) => "none estimated, none missing".to_owned(),
            (other, missing, 0) => format!("{other} estimated or edited, {missing} missing"),
            (other, missing, ahead) => {
                format!("{other} estimated or edited, {missing} missing, {ahead} not over yet")
            }
        },
    )];
    if additive {
        facts.push((
            "Read in all",
            with_unit(raw_sum),
            fmt::counted(u64::try_from(raw.len()).unwrap_or(0), "value"),
        ));
        facts.push((
            "Final in all",
            bench.series.total().map_or_else(|| "–".to_owned(), with_unit),
            usual.map_or_else(String::new, |usual| format!("{} on such a weekday", with_unit(usual))),
        ));
    }
    let state = match (bench.series.version, bench.series.sealed) {
        (0, _) => "nothing kept",
        (_, true) => "closed",
        (_, false) => "still open",
    };
    let at = bench.versions.last().map(|version| words.stamp(version.recorded_at)).unwrap_or_default();
    facts.push(("Version", bench.series.version.to_string(), format!("{state} {at}")));
    facts
}

/// The mean of the same weekday of the weeks before.
fn usual(bench: &BenchDay) -> Option<i64> {
    let totals: Vec<i64> = bench.like_days.iter().filter_map(|day| day.series.total()).collect();
    let count = i64::try_from(totals.len()).ok().filter(|count| *count > 0)?;
    Some(totals.iter().fold(0i64, |sum, total| sum.saturating_add(*total)) / count)
}

fn finding_row(asked: &Asked, bench: &BenchDay, times: &Times, row: &Exception) -> FindingRow {
    let finding = &row.finding;
    let count = bench.series.slots.len();
    let first = usize::try_from(finding.first).unwrap_or(0).min(count.saturating_sub(1));
    let end = (first + usize::try_from(finding.count).unwrap_or(1).max(1)).min(count);
    let state = match row.state {
        CaseState::Open => None,
        state => Some(match row.note.as_str() {
            "" => fmt::heading(state.name()),
            note => format!("{}: {note}", fmt::heading(state.name())),
        }),
    };
    FindingRow {
        severity: words::severity(&finding.severity),
        rule: words::rule(&finding.rule).0,
        sentence: finding.sentence.clone(),
        span: if end - first >= count {
            "the whole day".to_owned()
        } else {
            interval_span(bench, first..end)
        },
        href: asked.with(bench.series.kind, &[("from", times.at(first)), ("to", times.at(end))]),
        state,
    }
}

/// `14:00 – 15:00` of a range of intervals.
pub(crate) fn interval_span(bench: &BenchDay, slots: Range<usize>) -> String {
    let (day, interval) = (&bench.day, bench.series.interval);
    if slots == (0..bench.series.slots.len()) {
        return "Whole day".to_owned();
    }
    let (start, end) = (day.interval_start(interval, slots.start), day.interval_start(interval, slots.end));
    // Only a single interval can say which of two hours it means without doubt.
    span(day, start, end)
}

fn brackets(bench: &BenchDay, words: &Words) -> Vec<Bracket> {
    let Some(bracket) = &bench.bracket else { return Vec::new() };
    let measure = measure(bench.series.kind);
    let with_unit = |value: i64| format!("{}\u{a0}{}", measure.fine(value), measure.unit);
    let verdict = match (bracket.difference(), bracket.missing) {
        (None, _) => (Tone::Bad, Icon::Warn, "The register went backward.".to_owned()),
        (Some(_), missing) if missing > 0 => (
            Tone::Mute,
            Icon::Clock,
            format!("{missing} intervals are missing, so the sum is not comparable."),
        ),
        (Some(0), _) => (Tone::Ok, Icon::Check, "They agree to the last digit.".to_owned()),
        (Some(difference), _) => (
            Tone::Warn,
            Icon::Warn,
            format!(
                "{} by {}.",
                if difference > 0 { "The intervals are above" } else { "The intervals are below" },
                with_unit(difference.saturating_abs())
            ),
        ),
    };
    vec![Bracket {
        span: "The nearest reads on both sides of the day".to_owned(),
        from: (with_unit(bracket.from.value), words.stamp(bracket.from.at)),
        to: (with_unit(bracket.to.value), words.stamp(bracket.to.at)),
        advance: bracket.advance.map_or_else(|| "backward".to_owned(), with_unit),
        sum: with_unit(bracket.sum),
        verdict,
    }]
}

/// The same bench with the table of the day.
fn table_href(asked: &Asked, kind: ChannelKind) -> String {
    let mut more = vec![("table", "1")];
    if let (Some(from), Some(to)) = (&asked.from, &asked.to) {
        more.extend([("from", from.as_str()), ("to", to.as_str())]);
    }
    asked.with(kind, &more)
}

/// How many intervals share a row when the candidates are compared: many are compared by the hour.
pub(crate) fn row_of_candidates(interval: IntervalLength, chosen: &Range<usize>) -> usize {
    let hour = usize::try_from(3600 / interval.secs()).unwrap_or(1).max(1);
    if chosen.len() > BY_HOUR { hour } else { 1 }
}

fn selection(bench: &BenchDay, times: &Times, chosen: &Range<usize>) -> Selection {
    let row = row_of_candidates(bench.series.interval, chosen);
    let count = fmt::counted(u64::try_from(chosen.len()).unwrap_or(0), "interval");
    Selection {
        span: format!("{}, {count}", interval_span(bench, chosen.clone())),
        times: chosen.clone().step_by(row).map(|index| times.at(index).to_owned()).collect(),
        by_hour: row > 1,
    }
}

fn form(ctx: &Ctx, asked: &Asked, found: &Found, chosen: Option<&Range<usize>>) -> Form {
    let param = |name: &str| ctx.param(name).unwrap_or_default();
    // A picker of times knows no 24:00; midnight as an end is the end of the day.
    let end = |index: usize| match (found.times.at(index), found.times.twice()) {
        ("24:00", false) => "00:00".to_owned(),
        (mark, _) => mark.to_owned(),
    };
    let mut marks: Vec<String> = found.times.marks().to_vec();
    if let (Some(last), false) = (marks.last_mut(), found.times.twice()) {
        "00:00".clone_into(last);
    }
    let ahead = found.over < found.bench.series.slots.len();
    Form {
        until: ahead.then(|| found.times.at(found.over).to_owned()),
        from: chosen.map(|chosen| found.times.at(chosen.start).to_owned()).unwrap_or_default(),
        to: chosen.map(|chosen| end(chosen.end)).unwrap_or_default(),
        operation: asked.operation.clone().unwrap_or_default(),
        value: param("value"),
        plus: param("plus"),
        percent: param("percent"),
        day: ctx
            .param("day")
            .or_else(|| asked.date.checked_sub(7.days()).ok().map(|date| date.to_string()))
            .unwrap_or_default(),
        method: param("method"),
        methods: vee::Method::ALL
            .into_iter()
            .map(|method| (method.name().to_owned(), deed::method_words(method)))
            .collect(),
        times: if found.times.twice() { found.times.marks()[..=found.over].to_vec() } else { Vec::new() },
        marks,
        unit: measure(found.bench.series.kind).unit,
        step_secs: found.bench.series.interval.secs(),
    }
}

fn candidates(
    ctx: &Ctx,
    asked: &Asked,
    found: &Found,
    chosen: Option<&Range<usize>>,
) -> Result<Vec<CandidateColumn>, WebError> {
    let Some(chosen) = chosen else { return Ok(Vec::new()) };
    let (bench, kind) = (&found.bench, found.bench.series.kind);
    let slots: Slots = chosen.clone().into();
    let all = ctx
        .app
        .mdm
        .candidates(ctx.now, bench.channel.id, asked.date, &slots)
        .map_err(|error| failed(&error))?
        .unwrap_or_default();
    let measure = measure(kind);
    let row = row_of_candidates(bench.series.interval, chosen);
    let sum = |values: &[i64]| values.iter().fold(0i64, |sum, value| sum.saturating_add(*value));
    let wanted = ctx.param("method").filter(|_| asked.operation.as_deref() == Some("estimate"));
    let column = |it: vee::Candidate| {
        let name = it.method.name();
        let fits = it.applies && it.values.len() == chosen.len();
        let choose = [
            ("from", found.times.at(chosen.start)),
            ("to", found.times.at(chosen.end)),
            ("do", "estimate"),
            ("method", name),
        ];
        CandidateColumn {
            name: deed::method_words(it.method),
            why: it.why,
            values: if fits {
                it.values.chunks(row).map(|values| measure.fine(sum(values))).collect()
            } else {
                Vec::new()
            },
            total: format!("{}\u{a0}{}", measure.fine(it.total), measure.unit),
            choose: (fits && ctx.may(Right::EditReadings)).then(|| asked.with(kind, &choose)),
            chosen: wanted.as_deref() == Some(name),
        }
    };
    Ok(all.into_iter().map(column).collect())
}

/// Tries out what the address asks for; nothing is kept of it.
fn try_out(ctx: &Ctx, asked: &Asked, found: &Found) -> Result<Tried, WebError> {
    let refused = |why| Tried { chosen: None, preview: Some(Err(why)), after: None };
    let chosen = match found.range(asked.from.as_deref(), asked.to.as_deref()) {
        Ok(chosen) => chosen,
        Err(why) => return Ok(refused(why)),
    };
    let nothing = |chosen| Tried { chosen, preview: None, after: None };
    let Some(name) = asked.operation.as_deref().filter(|_| ctx.may(Right::EditReadings)) else {
        return Ok(nothing(chosen));
    };
    let kind = found.bench.series.kind;
    let op = match deed::operation(name, kind, &|name| ctx.param(name)) {
        Ok(op) => op,
        Err(why) => return Ok(Tried { chosen, ..refused(why) }),
    };
    if chosen.is_none() && !deed::whole_day(&op) {
        return Ok(refused("Choose the intervals first, in the chart or with From and Until.".to_owned()));
    }
    let edit = edit(found, asked, chosen.as_ref(), op, found.bench.series.version, &command(ctx)?);
    // The reason is asked for when it is confirmed; a preview needs none of its own.
    let edit = Edit { reason: Some(ReasonCode::Other), note: "preview".to_owned(), ..edit };
    let preview = ctx.app.mdm.preview(ctx.now, editor(ctx)?, &edit).map_err(|error| failed(&error))?;
    Ok(match preview {
        Err(why) => Tried { chosen, ..refused(why.to_string()) },
        Ok(preview) => Tried {
            preview: Some(Ok(shown(ctx, asked, found, (name, chosen.as_ref()), &edit, &preview))),
            after: Some(preview.after.slots()),
            chosen,
        },
    })
}

/// Who edits.
pub(crate) fn editor(ctx: &Ctx) -> Result<Editor, WebError> {
    let person = ctx.person()?;
    Ok(Editor { user: person.id, may_edit_billed: ctx.may(Right::EditBilled) })
}

/// A name for the deed that no other has: the same form sent twice does it once.
fn command(ctx: &Ctx) -> Result<String, WebError> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| WebError::internal(&error))?;
    Ok(format!("page-{}-{:016x}", ctx.now.as_millisecond(), u64::from_be_bytes(bytes)))
}

/// The edit that a form asks for.
pub(crate) fn edit(
    found: &Found,
    asked: &Asked,
    chosen: Option<&Range<usize>>,
    op: Op,
    expected_version: u32,
    command: &str,
) -> Edit {
    Edit {
        command: command.to_owned(),
        channel: found.bench.channel.id,
        date: asked.date,
        slots: chosen.cloned().map(Slots::from).unwrap_or_default(),
        op,
        reason: None,
        note: String::new(),
        expected_version,
    }
}

fn shown(
    ctx: &Ctx,
    asked: &Asked,
    found: &Found,
    (name, chosen): (&str, Option<&Range<usize>>),
    edit: &Edit,
    preview: &mdm::edit::Preview,
) -> Preview {
    let bench = &found.bench;
    let measure = measure(bench.series.kind);
    let after = preview.after.slots();
    let touched: Vec<usize> = (0..after.len())
        .filter(|index| preview.edited.changed.contains(*index) || edit.slots.contains(*index))
        .collect();
    let rows = touched
        .iter()
        .take(LISTED)
        .map(|index| diff_row(bench, &found.times, *index, &preview.before, &after));
    let total = |slots: &[Slot]| {
        slots
            .iter()
            .filter(|slot| !slot.quality.is_missing())
            .fold(0i64, |sum, slot| sum.saturating_add(slot.value))
    };
    let with_unit = |value: i64| format!("{}\u{a0}{}", measure.coarse(value), measure.unit);
    let changed = fmt::counted(u64::try_from(preview.edited.changed.len()).unwrap_or(0), "interval");
    let totals = if bench.series.kind.is_additive() {
        format!(" The day goes from {} to {}.", with_unit(total(&preview.before)), with_unit(total(&after)))
    } else {
        String::new()
    };
    let open = |findings: &[Exception]| findings.iter().filter(|it| it.state == CaseState::Open).count();
    let (was, left) = (open(&bench.findings), open(&preview.edited.findings));
    let settled = match (was, left) {
        (0, 0) => String::new(),
        (_, 0) => " No exception of this day stays open.".to_owned(),
        (was, left) if left < was => format!(" {left} of {was} exceptions of this day stay open."),
        (_, 1) => " The exception of this day stays open.".to_owned(),
        (_, left) => format!(" {left} exceptions of this day stay open."),
    };
    let mut fields = vec![("channel", channel_name(bench.series.kind).to_owned())];
    fields.extend(asked.rule.clone().map(|rule| ("rule", rule)));
    // What is confirmed is what was shown, though more of the day may be over by then.
    if let Some(chosen) = chosen {
        fields.push(("from", found.times.at(chosen.start).to_owned()));
        fields.push(("to", found.times.at(chosen.end).to_owned()));
    }
    fields.extend(deed::fields(name, &|name| ctx.param(name)));
    fields.push(("version", edit.expected_version.to_string()));
    fields.push(("command", edit.command.clone()));
    let flagged = preview.edited.flagged_bills.len();
    Preview {
        sentence: format!(
            "{}: {changed} would change.{totals}{settled}",
            deed::sentence(&edit.op, bench.series.kind)
        ),
        rows: rows.collect(),
        more: touched.len().saturating_sub(LISTED),
        check: brackets(&preview.after, &ctx.words()).pop().map(|bracket| bracket.verdict),
        notes: if flagged == 0 {
            Vec::new()
        } else {
            vec![format!(
                "{} used this day and would be flagged.",
                fmt::counted(u64::try_from(flagged).unwrap_or(0), "bill")
            )]
        },
        fields,
    }
}

/// One interval before and after.
pub(crate) fn diff_row(
    bench: &BenchDay,
    times: &Times,
    index: usize,
    before: &[Slot],
    after: &[Slot],
) -> DiffRow {
    let measure: Measure = measure(bench.series.kind);
    let slot = |slots: &[Slot]| slots.get(index).copied().unwrap_or(Slot::MISSING);
    let (was, is) = (slot(before), slot(after));
    let raw = bench.raw.get(index).copied().flatten().and_then(|raw| raw.value);
    DiffRow {
        time: times.at(index).to_owned(),
        raw: raw.map_or_else(|| "–".to_owned(), |raw| measure.fine(raw)),
        before: value_text(measure, was),
        after: value_text(measure, is),
        quality: (quality_word(was.quality.class()).to_owned(), quality_word(is.quality.class()).to_owned()),
        changed: was.value != is.value || was.quality.is_missing() != is.quality.is_missing(),
    }
}
