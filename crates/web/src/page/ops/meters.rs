//! The fleet list: its address holds every filter, so that a list can be kept and sent.

use super::meters_view::{self, Column, Row, View};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, address};
use crate::page::usage::{commodity_word, file};
use crate::read::{self, failed};
use crate::ui::{self, Chip, Crumb, Icon, Tone};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use maud::Markup;
use mdm::read::{PageOf, SILENT_AFTER};
use model::{CollectorId, Commodity};
use store::{FleetFilter, FleetRow, FleetSort};

/// Lines a page.
const PAGE: u32 = 50;
/// Lines of a file.
const FILE_LINES: u32 = 1_000_000;

/// `last_seen` values with their meaning.
const LAST_SEEN: [(&str, &str, i64); 3] =
    [("gt-1h", "over 1 h ago", 1), ("gt-24h", "over 24 h ago", 24), ("gt-7d", "over 7 days ago", 7 * 24)];
const COMMODITIES: [(&str, Commodity); 3] =
    [("electricity", Commodity::Electricity), ("gas", Commodity::Gas), ("water", Commodity::Water)];
const SORTS: [(&str, FleetSort); 5] = [
    ("serial", FleetSort::Serial),
    ("address", FleetSort::Address),
    ("model", FleetSort::Model),
    ("collector", FleetSort::Collector),
    ("heard", FleetSort::LastHeard),
];

/// What the address asks for. Words that mean nothing are dropped, so that an old address still opens.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    text: Option<String>,
    silent: bool,
    last_seen: Option<(&'static str, i64)>,
    commodity: Option<(&'static str, Commodity)>,
    collector: Option<CollectorId>,
    sort: (&'static str, FleetSort),
    descending: bool,
    page: u32,
}

impl Asked {
    /// Reads the address.
    pub(crate) fn of(ctx: &Ctx) -> Self {
        let last_seen = ctx.param("last_seen");
        let commodity = ctx.param("commodity");
        let sort = ctx.param("sort");
        Self {
            text: ctx.param("q"),
            silent: ctx.param("state").as_deref() == Some("silent"),
            last_seen: LAST_SEEN
                .iter()
                .find(|(name, _, _)| last_seen.as_deref() == Some(name))
                .map(|(name, _, hours)| (*name, *hours)),
            commodity: COMMODITIES.into_iter().find(|(name, _)| commodity.as_deref() == Some(name)),
            collector: ctx.param("collector").and_then(|text| text.parse().ok()),
            sort: SORTS.into_iter().find(|(name, _)| sort.as_deref() == Some(name)).unwrap_or(SORTS[0]),
            descending: ctx.param("order").as_deref() == Some("desc"),
            page: ctx.param("page").and_then(|text| text.parse().ok()).filter(|page| *page > 0).unwrap_or(1),
        }
    }

    fn filter(&self, now: Timestamp) -> FleetFilter {
        let ago =
            |hours: i64| now.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN);
        let silent = self.silent.then(|| ago(SILENT_AFTER.as_hours()));
        let seen = self.last_seen.map(|(_, hours)| ago(hours));
        FleetFilter {
            text: self.text.clone(),
            collector: self.collector,
            commodity: self.commodity.map(|(_, commodity)| commodity),
            model: None,
            // Both must hold, so the earlier one decides.
            silent_since: silent.into_iter().chain(seen).min(),
        }
    }

    /// The parameters in a fixed order, without those that say nothing.
    fn params(&self) -> Vec<(&'static str, String)> {
        let mut params = Vec::new();
        if self.silent {
            params.push(("state", "silent".to_owned()));
        }
        params.extend(self.last_seen.map(|(name, _)| ("last_seen", name.to_owned())));
        params.extend(self.commodity.map(|(name, _)| ("commodity", name.to_owned())));
        params.extend(self.collector.map(|id| ("collector", id.to_string())));
        params.extend(self.text.clone().map(|text| ("q", text)));
        if self.sort.0 != SORTS[0].0 {
            params.push(("sort", self.sort.0.to_owned()));
        }
        if self.descending {
            params.push(("order", "desc".to_owned()));
        }
        if self.page > 1 {
            params.push(("page", self.page.to_string()));
        }
        params
    }

    /// The address of this list at `path`.
    pub(crate) fn href(&self, path: &str) -> String {
        address(path, &self.params())
    }

    /// This list with something changed; a changed filter begins on its first page.
    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = self.clone();
        other.page = 1;
        change(&mut other);
        other.href("/ops/meters")
    }
}

/// A page of the list.
pub(crate) fn page_of(ctx: &Ctx, asked: &Asked, size: u32) -> Result<mdm::read::FleetPage, WebError> {
    let page = PageOf { number: asked.page, size };
    ctx.app
        .mdm
        .fleet_page(&asked.filter(ctx.now), asked.sort.1, asked.descending, page)
        .map_err(|error| failed(&error))
}

/// Whether a meter reports as it should.
pub(crate) fn state(
    now: Timestamp,
    heard: Option<Timestamp>,
    read: Option<Timestamp>,
) -> (Tone, Icon, &'static str) {
    let limit = now.saturating_sub(SILENT_AFTER).unwrap_or(Timestamp::MIN);
    match (heard, read) {
        (None, _) => (Tone::Mute, Icon::Clock, "Never heard"),
        (Some(at), _) if at < limit => (Tone::Bad, Icon::Warn, "Silent"),
        (Some(_), Some(at)) if at < limit => (Tone::Warn, Icon::Clock, "Late"),
        (Some(_), _) => (Tone::Ok, Icon::Check, "Reporting"),
    }
}

/// `GET /ops/meters`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let asked = Asked::of(&ctx);
    let api = asked.href("/api/v1/meters");
    let view = ctx.blocking(move |ctx| view(ctx, &asked)).await?;
    let mut frame = ctx.frame("Meters", "/ops/meters");
    frame.api = Some(api);
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Meters".to_owned() },
    ];
    Ok(ui::ops(&frame, &crumbs, &meters_view::main(&view)))
}

fn view(ctx: &Ctx, asked: &Asked) -> Result<View, WebError> {
    let page = page_of(ctx, asked, PAGE)?;
    let words = ctx.words();
    let row = |row: &FleetRow| Row {
        href: format!("/ops/meters/{}", row.meter),
        serial: row.serial.to_string(),
        state: state(ctx.now, row.last_heard, row.last_read),
        address: row.address.clone().unwrap_or_else(|| "not installed".to_owned()),
        customer: row.customer.clone().unwrap_or_default(),
        model: model_words(row),
        route: row.collector_name.clone().unwrap_or_else(|| "own address".to_owned()),
        heard: row.last_heard.map_or_else(|| "never".to_owned(), |at| words.ago(at)),
    };
    let shown = u64::try_from(page.rows.len()).unwrap_or(0);
    let before = u64::from(asked.page - 1) * u64::from(PAGE);
    Ok(View {
        summary: format!("{} of this list.", fmt::counted(page.total, "meter")),
        text: asked.text.clone().unwrap_or_default(),
        hidden: asked.params().into_iter().filter(|(name, _)| !matches!(*name, "q" | "page")).collect(),
        filters: filters(ctx, asked)?,
        columns: columns(asked),
        rows: page.rows.iter().map(row).collect(),
        range: format!("{}–{} of {}", before + 1, before + shown, fmt::grouped(page.total)),
        pages: (
            (asked.page > 1).then(|| asked.with(|other| other.page = asked.page - 1)),
            (before + shown < page.total).then(|| asked.with(|other| other.page = asked.page + 1)),
        ),
        csv: asked.href("/ops/meters.csv"),
    })
}

/// Model and commodity, without saying the same twice.
fn model_words(row: &FleetRow) -> String {
    let commodity = commodity_word(row.commodity);
    if row.model.to_lowercase().contains(&commodity.to_lowercase()) {
        return fmt::heading(&row.model);
    }
    format!("{commodity}, {}", row.model)
}

fn filters(ctx: &Ctx, asked: &Asked) -> Result<Vec<(&'static str, Vec<Chip>)>, WebError> {
    let chip = |label: &str, current: bool, href: String| Chip { href, label: label.to_owned(), current };
    let state = vec![
        chip("All", !asked.silent, asked.with(|other| other.silent = false)),
        chip("Silent", asked.silent, asked.with(|other| other.silent = true)),
    ];
    let mut seen =
        vec![chip("Any time", asked.last_seen.is_none(), asked.with(|other| other.last_seen = None))];
    for (name, label, hours) in LAST_SEEN {
        let current = asked.last_seen.is_some_and(|(n, _)| n == name);
        seen.push(chip(label, current, asked.with(|other| other.last_seen = Some((name, hours)))));
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
    let mut filters = vec![("State", state), ("Last heard", seen), ("Commodity", kinds)];
    if let Some(id) = asked.collector {
        let name = read::look(ctx, |read| read.collector(id))?.map_or_else(|| id.to_string(), |c| c.name);
        filters.push((
            "Collector",
            vec![
                chip("All", false, asked.with(|other| other.collector = None)),
                chip(&name, true, asked.with(|_| {})),
            ],
        ));
    }
    Ok(filters)
}

fn columns(asked: &Asked) -> Vec<Column> {
    let column = |label, name: Option<&'static str>, class| {
        let sort = SORTS.into_iter().find(|(n, _)| Some(*n) == name);
        let current = sort.is_some_and(|(n, _)| n == asked.sort.0);
        Column {
            href: sort.map(|sort| {
                asked.with(|other| {
                    other.descending = current && !asked.descending;
                    other.sort = sort;
                })
            }),
            label,
            sorted: current.then_some(!asked.descending),
            class,
        }
    };
    vec![
        column("Meter", Some("serial"), ""),
        column("State", None, ""),
        column("Address", Some("address"), ""),
        column("Customer", None, "opt"),
        column("Model", Some("model"), "opt"),
        column("Collector", Some("collector"), "opt"),
        column("Last heard", Some("heard"), ""),
    ]
}

/// A field of a CSV file: quoted where it must be, and never a formula in a spreadsheet.
pub(crate) fn csv_field(text: &str) -> String {
    let guarded =
        if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// `GET /ops/meters.csv`: the whole filtered list.
pub(crate) async fn csv(ctx: Ctx) -> Result<Response, WebError> {
    let mut asked = Asked::of(&ctx);
    asked.page = 1;
    let text = ctx
        .blocking(move |ctx| {
            let mut text = String::from(
                "serial,commodity,model,address,customer,collector,state,last_heard,last_read\r\n",
            );
            for row in page_of(ctx, &asked, FILE_LINES)?.rows {
                let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
                let fields = [
                    row.serial.to_string(),
                    commodity_word(row.commodity).to_lowercase(),
                    row.model,
                    row.address.unwrap_or_default(),
                    row.customer.unwrap_or_default(),
                    row.collector_name.unwrap_or_default(),
                    state(ctx.now, row.last_heard, row.last_read).2.to_lowercase(),
                    time(row.last_heard),
                    time(row.last_read),
                ];
                text.push_str(&fields.map(|field| csv_field(&field)).join(","));
                text.push_str("\r\n");
            }
            Ok(text)
        })
        .await?;
    Ok(file("meters.csv", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_follow_what_was_heard_and_read() {
        let now: Timestamp = "2026-07-14T12:00:00Z".parse().unwrap();
        let ago = |hours| Some(now - SignedDuration::from_hours(hours));
        for (heard, read, word) in [
            (None, None, "Never heard"),
            (ago(27), ago(27), "Silent"),
            (ago(1), ago(27), "Late"),
            (ago(1), ago(2), "Reporting"),
            (ago(1), None, "Reporting"),
        ] {
            assert_eq!(state(now, heard, read).2, word);
        }
    }

    #[test]
    fn csv_fields_are_quoted_and_are_no_formulas() {
        assert_eq!(csv_field("plain"), "plain");
        assert_eq!(csv_field("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(csv_field("=1+1"), "'=1+1");
    }
}
