//! The console's first page: read success, what is late and silent, what just happened, what waits.

use super::events::{self, EventRow};
use crate::chart::spark;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt;
use crate::read;
use crate::ui::{self, Crumb, Icon, Tone, empty, icon, status};
use jiff::ToSpan;
use maud::{Markup, html};
use mdm::read::{CollectorView, Overview, ReadSuccess, SILENT_AFTER};
use model::command::CommandState;
use store::{FleetFilter, FleetSort};

/// Read success that a day should reach, in tenths of a percent.
const TARGET_PERMILLE: u32 = 995;
/// Whole days in the course of read success.
const COURSE_DAYS: i64 = 7;
/// Silent meters named on the page.
const SILENT_NAMED: u32 = 6;
/// Open commands that are counted at most.
const COUNTED: u32 = 1_000;

/// A figure that leads to its filtered list.
#[derive(Clone, Debug)]
pub(crate) struct Kpi {
    /// What it is.
    pub(crate) name: &'static str,
    /// The number.
    pub(crate) value: String,
    /// Its unit, or nothing.
    pub(crate) unit: &'static str,
    /// Where the list is.
    pub(crate) href: &'static str,
    /// What to think of it.
    pub(crate) verdict: Option<(Tone, Icon, String)>,
    /// What else there is to say.
    pub(crate) note: String,
    /// Its recent course, each value with the same meaning as the number; empty when not kept.
    pub(crate) course: Vec<f64>,
}

/// One collector's share of the reading.
#[derive(Clone, Debug)]
pub(crate) struct CollectorRow {
    /// Its name.
    pub(crate) name: String,
    /// Its technology.
    pub(crate) technology: String,
    /// The meters behind it, as a filtered list.
    pub(crate) href: Option<String>,
    /// How many.
    pub(crate) meters: String,
    /// How many of them are late.
    pub(crate) late: u64,
    /// Intervals received of those expected on the last whole day, in percent.
    pub(crate) success: String,
    /// When it was last heard.
    pub(crate) heard: String,
}

/// A meter that says nothing.
#[derive(Clone, Debug)]
pub(crate) struct SilentRow {
    /// Its page.
    pub(crate) href: String,
    /// Its serial number.
    pub(crate) serial: String,
    /// Its address.
    pub(crate) address: String,
    /// When it was last heard.
    pub(crate) heard: String,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// One sentence on the fleet.
    pub(crate) summary: String,
    /// The time of the data.
    pub(crate) updated: String,
    /// The figures.
    pub(crate) kpis: Vec<Kpi>,
    /// By collector.
    pub(crate) collectors: Vec<CollectorRow>,
    /// Some silent meters, longest first.
    pub(crate) silent: Vec<SilentRow>,
    /// How many there are in all.
    pub(crate) silent_total: u64,
    /// Recent events, newest first.
    pub(crate) events: Vec<EventRow>,
    /// What validation found, by rule.
    pub(crate) findings: Vec<(String, String)>,
    /// Of which day.
    pub(crate) findings_day: String,
    /// The load of the whole system on that day.
    pub(crate) load: Option<Markup>,
}

/// `GET /ops`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let view = ctx.blocking(view).await?;
    let mut frame = ctx.frame("Overview", "/ops");
    frame.api = Some("/api/v1/overview".to_owned());
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Overview".to_owned() },
    ];
    Ok(ui::ops(&frame, &crumbs, &main(&view)))
}

fn view(ctx: &Ctx) -> Result<View, WebError> {
    let (words, mdm) = (ctx.words(), &ctx.app.mdm);
    let overview = mdm.overview(ctx.now).map_err(|error| read::failed(&error))?;
    let silent =
        FleetFilter { silent_since: ctx.now.saturating_sub(SILENT_AFTER).ok(), ..FleetFilter::default() };
    let (silent, open) = read::look(ctx, |store| {
        let (silent, _) = store.fleet(&silent, FleetSort::LastHeard, false, 0, SILENT_NAMED)?;
        let open = |state| Ok::<_, store::StoreError>(store.commands_in(state, COUNTED)?.len());
        Ok((silent, (open(CommandState::Queued)?, open(CommandState::Sent)?)))
    })?;
    let meters: u64 = overview.meters.iter().map(|(_, count)| count).sum();
    let silent_row = |row: &store::FleetRow| SilentRow {
        href: format!("/ops/meters/{}", row.meter),
        serial: row.serial.to_string(),
        address: row.address.clone().unwrap_or_default(),
        heard: row.last_heard.map_or_else(|| "never".to_owned(), |at| words.ago(at)),
    };
    Ok(View {
        summary: summary(&overview, meters),
        updated: words.clock_secs(ctx.now),
        kpis: kpis(ctx, &overview, open)?,
        collectors: overview.collectors.iter().map(|view| collector_row(&words, view)).collect(),
        silent: silent.iter().map(silent_row).collect(),
        silent_total: overview.silent,
        events: read::recent_events(ctx)?,
        findings: overview
            .findings
            .iter()
            .map(|(rule, count)| (super::vee::words::rule(rule).0, fmt::grouped(*count)))
            .collect(),
        findings_day: words.long(overview.success.day),
        load: super::groups::system_load(ctx, overview.success.day)?,
    })
}

fn summary(overview: &Overview, meters: u64) -> String {
    let kinds: Vec<String> = overview
        .meters
        .iter()
        .map(|(commodity, n)| {
            let word = crate::page::usage::commodity_word(*commodity).to_lowercase();
            format!("{} {word}", fmt::grouped(*n))
        })
        .collect();
    let collectors = overview.collectors.iter().filter(|view| view.collector.is_some()).count();
    let collectors = fmt::counted(u64::try_from(collectors).unwrap_or(0), "collector");
    format!("{}: {}. {collectors}.", fmt::counted(meters, "meter"), kinds.join(", "))
}

fn share(success: &ReadSuccess) -> Option<String> {
    success.permille().map(|permille| fmt::decimal(i64::from(permille), 1, 1))
}

fn kpis(ctx: &Ctx, overview: &Overview, open: (usize, usize)) -> Result<Vec<Kpi>, WebError> {
    let mut course = Vec::new();
    for back in (1..=COURSE_DAYS).rev() {
        let Ok(date) = ctx.words().today().checked_sub(back.days()) else { continue };
        let day = ctx.app.mdm.read_success(date).map_err(|error| read::failed(&error))?;
        // A day before the history began is no failure.
        course.extend(day.permille().filter(|permille| *permille > 0).map(f64::from));
    }
    let late: u64 = overview.collectors.iter().map(|view| view.late).sum();
    let good = overview.success.permille().is_some_and(|permille| permille >= TARGET_PERMILLE);
    let verdict = |fine: bool, yes: &str, no: String| {
        if fine { (Tone::Ok, Icon::Check, yes.to_owned()) } else { (Tone::Warn, Icon::Warn, no) }
    };
    let plain = |name, value: u64, href, note: String| Kpi {
        name,
        value: fmt::grouped(value),
        unit: "",
        href,
        verdict: None,
        note,
        course: Vec::new(),
    };
    let queue = u64::try_from(open.0 + open.1).unwrap_or(u64::MAX);
    let today =
        share(&overview.today).map_or_else(String::new, |share| format!("today so far {share}\u{a0}%"));
    Ok(vec![
        Kpi {
            name: "Read, last whole day",
            value: share(&overview.success).unwrap_or_else(|| "–".to_owned()),
            unit: "%",
            href: "#collectors",
            verdict: Some(verdict(good, "target 99.5", "target 99.5".to_owned())),
            note: today,
            course,
        },
        Kpi {
            verdict: Some(verdict(late == 0, "all complete", "incomplete".to_owned())),
            ..plain("Late meters", late, "#collectors", String::new())
        },
        Kpi {
            verdict: Some(verdict(
                overview.silent == 0,
                "all heard",
                format!("over {}\u{a0}h", SILENT_AFTER.as_hours()),
            )),
            ..plain("Silent meters", overview.silent, "/ops/meters?state=silent", String::new())
        },
        plain("Events, 24 h", overview.events_24h, "#events", refused(overview.refused_24h)),
        plain("Command queue", queue, "/ops/commands", format!("{} queued, {} sent", open.0, open.1)),
    ])
}

fn refused(count: u64) -> String {
    if count == 0 { String::new() } else { format!("{} refused", fmt::counted(count, "arrival")) }
}

fn collector_row(words: &fmt::Words, view: &CollectorView) -> CollectorRow {
    let collector = view.collector.as_ref();
    CollectorRow {
        name: collector.map_or_else(|| "On their own address".to_owned(), |collector| collector.name.clone()),
        technology: collector.map_or_else(|| "direct".to_owned(), |collector| collector.technology.clone()),
        href: collector.map(|collector| format!("/ops/meters?collector={}", collector.id)),
        meters: fmt::grouped(view.meters),
        late: view.late,
        success: share(&view.success).unwrap_or_else(|| "–".to_owned()),
        heard: view.last_heard.map_or_else(|| "never".to_owned(), |at| words.ago(at)),
    }
}

/// The page's main element.
pub(crate) fn main(view: &View) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl {
                div { h1 { "Overview" } p { (view.summary) } }
                div.acts { span.live data-live { i {} span data-live-text { "Updated " (view.updated) } } }
            }
            ul.kpis { @for kpi in &view.kpis { (kpi_item(kpi)) } }
            div.board {
                (collectors(&view.collectors))
                div.stack { (silent(view)) (findings(view)) }
                @if let Some(load) = &view.load { (system(view, load)) }
            }
            (feed(&view.events))
        }
    }
}

fn system(view: &View, load: &Markup) -> Markup {
    html! {
        section.panel.whole aria-labelledby="load" {
            div.ph { h2 #load { "System load of " (view.findings_day) } div.end { a href="/ops/groups/load?scope=system" { "Quarter hours" } } }
            div.pb { (load) }
        }
    }
}

fn kpi_item(kpi: &Kpi) -> Markup {
    let tone = kpi.verdict.as_ref().map_or(Tone::Mute, |verdict| verdict.0);
    let (lo, hi) = kpi.course.iter().fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(*v), hi.max(*v)));
    html! {
        li.kpi {
            p.l { (kpi.name) }
            p.v { a href=(kpi.href) aria-label=(format!("{}: {}{}", kpi.name, kpi.value, kpi.unit)) { b { (kpi.value) } (kpi.unit) } }
            p.d { @if let Some((tone, sign, text)) = &kpi.verdict { (status(*tone, *sign, text)) } (kpi.note) }
            (spark(&kpi.course, lo - (hi - lo) * 0.2, hi, tone.class()))
        }
    }
}

fn collectors(rows: &[CollectorRow]) -> Markup {
    html! {
        section.panel aria-labelledby="collectors" {
            div.ph { h2 #collectors { "Late by collector" } }
            @if rows.is_empty() {
                (empty(Icon::Reads, "No collectors", "Every meter answers on its own address."))
            } @else {
                div.scroll.feed.flat tabindex="0" role="region" aria-label="Collectors" { table {
                    thead { tr {
                        th scope="col" { "Collector" } th.opt scope="col" { "Technology" } th.n scope="col" { "Meters" }
                        th.n scope="col" { "Late" } th.n scope="col" { "Read" } th.n.opt scope="col" { "Last heard" }
                    } }
                    tbody { @for row in rows { tr {
                        th scope="row" { @if let Some(href) = &row.href { a href=(href) { (row.name) } } @else { (row.name) } }
                        td.det.opt { (row.technology) }
                        td.n { (row.meters) }
                        td.n { @if row.late > 0 { (status(Tone::Warn, Icon::Clock, &row.late.to_string())) } @else { "0" } }
                        td.n { (row.success) small { "%" } }
                        td.n.opt { (row.heard) }
                    } } }
                } }
            }
        }
    }
}

fn silent(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="silent" {
            div.ph { h2 #silent { "Silent meters" } div.end { a href="/ops/meters?state=silent" { "All " (view.silent_total) } } }
            @if view.silent.is_empty() {
                (empty(Icon::Check, "Every meter was heard", "One that says nothing for 26 hours is listed here."))
            } @else {
                div.feed { table role="table" {
                    caption.vh { "Meters not heard for the longest time" }
                    tbody role="rowgroup" { @for row in &view.silent { tr role="row" {
                        th scope="row" role="rowheader" { a href=(row.href) { (row.serial) } }
                        td.det role="cell" { (row.address) }
                        td.t role="cell" { (row.heard) }
                    } } }
                } }
            }
        }
    }
}

fn findings(view: &View) -> Markup {
    html! {
        section.panel.feed.flat aria-labelledby="findings" {
            div.ph { h2 #findings { "Findings of " (view.findings_day) } div.end { a href="/ops/vee" { "Exceptions" } } }
            @if view.findings.is_empty() {
                (empty(Icon::Check, "Validation found nothing", "Each rule that a reading breaks is counted here."))
            } @else {
                table {
                    thead { tr { th scope="col" { "Rule" } th.n scope="col" { "Findings" } } }
                    tbody { @for (rule, count) in &view.findings { tr { th scope="row" { (rule) } td.n { (count) } } } }
                }
            }
        }
    }
}

fn feed(rows: &[EventRow]) -> Markup {
    html! {
        section.panel.feed aria-labelledby="events" {
            div.ph {
                h2 #events { "Meter events" }
                div.end { button.btn.sm.js type="button" data-pause aria-pressed="false" { (icon(Icon::Pause)) span { "Pause" } } }
            }
            div.scroll tabindex="0" role="region" aria-label="Latest events" {
                table role="table" {
                    caption.vh { "Latest meter events, newest first" }
                    (events::fleet_head())
                    tbody role="rowgroup" data-sse="/ops/live" data-max="12" { @for row in rows { (events::fleet_row(row)) } }
                }
            }
            @if rows.is_empty() { (empty(Icon::Bolt, "No events yet", "Outages, covers, voltage and clocks appear here as meters report them.")) }
            p.vh aria-live="polite" data-sse-status {}
        }
    }
}
