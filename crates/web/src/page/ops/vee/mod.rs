//! The exception queue: what the rules stopped and nobody has settled, grouped by rule. The address holds every filter.

pub(crate) mod accept;
mod view;
pub(crate) mod words;

use super::bench::ask::{bench_href, channel_name};
use super::meters::csv_field;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, address};
use crate::page::usage::{commodity_word, file};
use crate::read::{self, failed};
use crate::ui::{self, Chip, Crumb};
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::Date;
use maud::Markup;
use mdm::read::{CaseState, Exception, ExceptionFilter, ExceptionGroup, ExceptionSort};
use model::{CollectorId, Commodity};
use operations::Right;
use view::{GroupRow, ItemRow, List, View};

/// Lines a page.
const PAGE: u32 = 50;
/// Lines of a file.
const FILE_LINES: u32 = 1_000_000;
const COMMODITIES: [(&str, Commodity); 3] =
    [("electricity", Commodity::Electricity), ("gas", Commodity::Gas), ("water", Commodity::Water)];
const SEVERITIES: [(&str, &str); 3] = [("fail", "Stopped"), ("issue", "Look at it"), ("info", "Remark")];
const STATES: [(CaseState, &str); 4] = [
    (CaseState::Open, "Open"),
    (CaseState::Accepted, "Accepted"),
    (CaseState::Edited, "Edited"),
    (CaseState::Rejected, "Rejected"),
];
const SINCE: [(&str, &str, i64); 3] =
    [("1d", "Yesterday on", 1), ("7d", "7 days", 7), ("30d", "30 days", 30)];

/// What the address asks for. Words that mean nothing are dropped, so that an old address still opens.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) rule: Option<String>,
    all: bool,
    severity: Option<&'static str>,
    commodity: Option<(&'static str, Commodity)>,
    collector: Option<CollectorId>,
    since: Option<(&'static str, i64)>,
    state: CaseState,
    text: Option<String>,
    page: u32,
}

impl Asked {
    /// Reads the address, or the fields of a form that repeats it.
    pub(crate) fn of(param: impl Fn(&str) -> Option<String>) -> Self {
        let one = |name: &str| param(name);
        let (severity, commodity, since, state) =
            (one("severity"), one("commodity"), one("since"), one("state"));
        Self {
            rule: one("rule").filter(|rule| rule != "all"),
            all: one("rule").as_deref() == Some("all"),
            severity: SEVERITIES.iter().map(|(name, _)| *name).find(|name| severity.as_deref() == Some(name)),
            commodity: COMMODITIES.into_iter().find(|(name, _)| commodity.as_deref() == Some(name)),
            collector: one("collector").and_then(|text| text.parse().ok()),
            since: SINCE
                .iter()
                .find(|(name, ..)| since.as_deref() == Some(name))
                .map(|(name, _, days)| (*name, *days)),
            state: state.as_deref().and_then(CaseState::from_name).unwrap_or(CaseState::Open),
            text: one("q"),
            page: one("page").and_then(|text| text.parse().ok()).filter(|page| *page > 0).unwrap_or(1),
        }
    }

    /// What the store is asked for.
    pub(crate) fn filter(&self, today: Date) -> ExceptionFilter {
        ExceptionFilter {
            rule: self.rule.clone(),
            severities: self.severity.map(str::to_owned).into_iter().collect(),
            commodity: self.commodity.map(|(_, commodity)| commodity),
            collector: self.collector,
            from: self.since.and_then(|(_, days)| today.checked_sub(days.days()).ok()),
            state: Some(self.state),
            text: self.text.clone(),
            ..ExceptionFilter::default()
        }
    }

    /// The parameters in a fixed order, without those that say nothing.
    pub(crate) fn params(&self) -> Vec<(&'static str, String)> {
        let mut params = Vec::new();
        if self.all {
            params.push(("rule", "all".to_owned()));
        }
        params.extend(self.rule.clone().map(|rule| ("rule", rule)));
        params.extend(self.severity.map(|name| ("severity", name.to_owned())));
        params.extend(self.commodity.map(|(name, _)| ("commodity", name.to_owned())));
        params.extend(self.collector.map(|id| ("collector", id.to_string())));
        params.extend(self.since.map(|(name, _)| ("since", name.to_owned())));
        params.extend(self.text.clone().map(|text| ("q", text)));
        if self.state != CaseState::Open {
            params.push(("state", self.state.name().to_owned()));
        }
        if self.page > 1 {
            params.push(("page", self.page.to_string()));
        }
        params
    }

    /// The address of this queue at `path`.
    pub(crate) fn href(&self, path: &str) -> String {
        address(path, &self.params())
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = self.clone();
        other.page = 1;
        change(&mut other);
        other.href("/ops/vee")
    }

    fn filtered(&self) -> bool {
        self.rule.is_some()
            || self.severity.is_some()
            || self.commodity.is_some()
            || self.collector.is_some()
            || self.since.is_some()
            || self.text.is_some()
            || self.state != CaseState::Open
    }
}

/// `GET /ops/vee`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let asked = Asked::of(|name| ctx.param(name));
    let view = ctx.blocking(move |ctx| view(ctx, &asked)).await?;
    let mut frame = ctx.frame("Exceptions", "/ops/vee");
    frame.api = Some("/api/v1/exceptions".to_owned());
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Exceptions".to_owned() },
    ];
    Ok(ui::ops(&frame, &crumbs, &view::main(&view)))
}

fn view(ctx: &Ctx, asked: &Asked) -> Result<View, WebError> {
    let filter = asked.filter(ctx.words().today());
    let offset = (asked.page - 1).saturating_mul(PAGE);
    let listed = asked.rule.is_some() || asked.all;
    let sort = if listed { ExceptionSort::Newest } else { ExceptionSort::Oldest };
    let queue = ctx
        .app
        .mdm
        .exceptions(&filter, sort, offset, if listed { PAGE } else { 0 })
        .map_err(|error| failed(&error))?;
    let mut groups: Vec<&ExceptionGroup> = queue.groups.iter().collect();
    groups.sort_by_key(|group| (rank(&group.severity), core::cmp::Reverse(group.count)));
    let meters = queue.groups.len();
    Ok(View {
        summary: match (asked.state, queue.total) {
            (CaseState::Open, 0) => "Nothing is open.".to_owned(),
            (CaseState::Open, n) => format!(
                "{} open, by {}. The gravest come first.",
                fmt::counted(n, "exception"),
                fmt::counted(u64::try_from(meters).unwrap_or(0), "rule")
            ),
            (state, n) => format!("{} {}.", fmt::counted(n, "exception"), state.name()),
        },
        filters: filters(ctx, asked)?,
        filtered: asked.filtered(),
        groups: groups.into_iter().map(|group| group_row(ctx, asked, group)).collect(),
        list: listed.then(|| list(ctx, asked, queue.total, &queue.rows)),
        csv: asked.href("/ops/vee.csv"),
        done: ctx.param("done").map(|count| {
            let count = count.parse().unwrap_or(0);
            format!(
                "{} accepted. Each has a version that can be undone by itself.",
                fmt::counted(count, "exception")
            )
        }),
    })
}

fn rank(severity: &str) -> u8 {
    match severity {
        "fail" => 0,
        "issue" => 1,
        _ => 2,
    }
}

fn group_row(ctx: &Ctx, asked: &Asked, group: &ExceptionGroup) -> GroupRow {
    let (rule, meaning) = words::rule(&group.rule);
    let age = group.oldest.until(ctx.words().today()).map_or(0, |span| span.get_days());
    GroupRow {
        href: asked.with(|other| {
            other.all = false;
            other.rule = Some(group.rule.clone());
        }),
        rule,
        meaning: meaning.to_owned(),
        severity: words::severity(&group.severity),
        count: fmt::grouped(group.count),
        meters: fmt::grouped(group.meters),
        oldest: (
            fmt::short(group.oldest),
            match u64::try_from(age).unwrap_or(0) {
                0 => "today".to_owned(),
                days => fmt::counted(days, "day"),
            },
        ),
    }
}

fn list(ctx: &Ctx, asked: &Asked, total: u64, rows: &[Exception]) -> List {
    let (title, meaning) = match &asked.rule {
        Some(rule) => {
            let (title, meaning) = words::rule(rule);
            (title, meaning.to_owned())
        }
        None => ("Every rule".to_owned(), "The newest days first.".to_owned()),
    };
    let before = u64::from(asked.page - 1) * u64::from(PAGE);
    let shown = u64::try_from(rows.len()).unwrap_or(0);
    let may = ctx.may(Right::EditReadings) && asked.state == CaseState::Open && asked.rule.is_some();
    List {
        title,
        meaning,
        rows: rows.iter().map(|row| item(asked, row)).collect(),
        range: format!("{}–{} of {}", (before + 1).min(before + shown), before + shown, fmt::grouped(total)),
        pages: (
            (asked.page > 1).then(|| asked.with(|other| other.page = asked.page - 1)),
            (before + shown < total).then(|| asked.with(|other| other.page = asked.page + 1)),
        ),
        accept: (may && total > 0).then(|| {
            let mut other = asked.clone();
            other.page = 1;
            other.href("/ops/vee/accept")
        }),
        up: asked.with(|other| {
            other.rule = None;
            other.all = false;
        }),
    }
}

fn item(asked: &Asked, row: &Exception) -> ItemRow {
    let finding = &row.finding;
    ItemRow {
        href: bench_href(row.meter, row.kind, finding.day, asked.rule.as_deref()),
        serial: row.serial.to_string(),
        address: row.address.clone().unwrap_or_else(|| "not installed".to_owned()),
        channel: fmt::heading(&channel_name(row.kind).replace('-', " ")),
        day: fmt::short(finding.day),
        sentence: finding.sentence.clone(),
        severity: words::severity(&finding.severity),
        rule: if asked.rule.is_some() { String::new() } else { words::rule(&finding.rule).0 },
    }
}

fn filters(ctx: &Ctx, asked: &Asked) -> Result<Vec<(&'static str, Vec<Chip>)>, WebError> {
    let chip = |label: &str, current: bool, href: String| Chip { href, label: label.to_owned(), current };
    let mut severity = vec![chip("All", asked.severity.is_none(), asked.with(|other| other.severity = None))];
    for (name, label) in SEVERITIES {
        let current = asked.severity == Some(name);
        severity.push(chip(label, current, asked.with(|other| other.severity = Some(name))));
    }
    let mut since = vec![chip("Any day", asked.since.is_none(), asked.with(|other| other.since = None))];
    for (name, label, days) in SINCE {
        let current = asked.since.is_some_and(|(n, _)| n == name);
        since.push(chip(label, current, asked.with(|other| other.since = Some((name, days)))));
    }
    let mut kinds = vec![chip("All", asked.commodity.is_none(), asked.with(|other| other.commodity = None))];
    for (name, kind) in COMMODITIES {
        let current = asked.commodity.is_some_and(|(n, _)| n == name);
        kinds.push(chip(
            commodity_word(kind),
            current,
            asked.with(|other| other.commodity = Some((name, kind))),
        ));
    }
    let states = STATES
        .iter()
        .map(|(state, label)| chip(label, asked.state == *state, asked.with(|other| other.state = *state)))
        .collect();
    let mut all = vec![("Severity", severity), ("Days", since), ("Commodity", kinds), ("State", states)];
    if let Some(id) = asked.collector {
        let name = read::look(ctx, |read| read.collector(id))?.map_or_else(|| id.to_string(), |c| c.name);
        all.push((
            "Collector",
            vec![
                chip("All", false, asked.with(|other| other.collector = None)),
                chip(&name, true, asked.with(|_| {})),
            ],
        ));
    }
    if let Some(text) = &asked.text {
        all.push((
            "Meter",
            vec![
                chip("All", false, asked.with(|other| other.text = None)),
                chip(text, true, asked.with(|_| {})),
            ],
        ));
    }
    if asked.rule.is_none() {
        let listed = asked.all;
        all.push((
            "Show",
            vec![
                chip("By rule", !listed, asked.with(|other| other.all = false)),
                chip("One by one", listed, asked.with(|other| other.all = true)),
            ],
        ));
    }
    Ok(all)
}

/// `GET /ops/vee.csv`: the whole filtered queue.
pub(crate) async fn csv(ctx: Ctx) -> Result<Response, WebError> {
    let asked = Asked::of(|name| ctx.param(name));
    let text = ctx
        .blocking(move |ctx| {
            let filter = asked.filter(ctx.words().today());
            let queue = ctx
                .app
                .mdm
                .exceptions(&filter, ExceptionSort::Newest, 0, FILE_LINES)
                .map_err(|error| failed(&error))?;
            let mut text = String::from(
                "day,serial,channel,rule,severity,state,first_interval,intervals,sentence,address\r\n",
            );
            for row in queue.rows {
                let fields = [
                    row.finding.day.to_string(),
                    row.serial.to_string(),
                    channel_name(row.kind).to_owned(),
                    row.finding.rule,
                    row.finding.severity,
                    row.state.name().to_owned(),
                    row.finding.first.to_string(),
                    row.finding.count.to_string(),
                    row.finding.sentence,
                    row.address.unwrap_or_default(),
                ];
                text.push_str(&fields.map(|field| csv_field(&field)).join(","));
                text.push_str("\r\n");
            }
            Ok(text)
        })
        .await?;
    Ok(file("exceptions.csv", text))
}
