//! The completeness board: which share of each day was read, by collector, and the meters behind each number.

mod view;

use super::bench::ask::{bench_href, channel_name};
use super::meters::{csv_field, state};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt;
use crate::page::usage::file;
use crate::read::{self, failed};
use crate::ui::{self, Crumb};
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::Date;
use maud::Markup;
use mdm::read::{Completeness, CompletenessCell, MeterDay};
use model::CollectorId;
use operations::Right;
use std::collections::BTreeMap;
use store::{FleetFilter, FleetSort};
use view::{Cell, DayRow, Late, LateRow, View};

/// Days of the board.
const DAYS: i64 = 14;
/// Meters a page.
const PAGE: usize = 50;

/// A cell of the board: a day, and a collector, the meters on their own address, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    date: Date,
    collector: Option<Option<CollectorId>>,
}

/// What the address asks for.
#[derive(Clone, Debug)]
struct Asked {
    /// The last day of the board.
    last: Date,
    place: Option<Place>,
    page: usize,
}

impl Asked {
    fn of(ctx: &Ctx) -> Self {
        let today = ctx.words().today();
        let last = read::date_param(ctx).unwrap_or_else(|| today.yesterday().unwrap_or(today));
        let collector = ctx.param("collector");
        let date = ctx.param("day").and_then(|day| day.parse::<Date>().ok());
        let place = date.filter(|date| date.year() >= 1990 && *date <= today).map(|date| Place {
            date,
            collector: match collector.as_deref() {
                Some("own") => Some(None),
                Some(text) => text.parse().ok().map(Some),
                None => None,
            },
        });
        let page = ctx.param("page").and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1);
        Self { last, place, page }
    }

    fn href(&self, path: &str, place: Option<Place>, page: usize) -> String {
        let mut href = format!("{path}?date={}", self.last);
        if let Some(place) = place {
            href.push_str(&format!("&day={}", place.date));
            match place.collector {
                Some(Some(id)) => href.push_str(&format!("&collector={id}")),
                Some(None) => href.push_str("&collector=own"),
                None => {}
            }
        }
        if page > 1 {
            href.push_str(&format!("&page={page}"));
        }
        href
    }
}

fn board(ctx: &Ctx, last: Date) -> Result<Completeness, WebError> {
    let end = last.tomorrow().unwrap_or(last);
    let from = end.checked_sub(DAYS.days()).unwrap_or(last);
    ctx.app.mdm.completeness(ctx.now, from, end).map_err(|error| failed(&error))
}

/// `GET /ops/reads`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let asked = Asked::of(&ctx);
    let view = ctx.blocking(move |ctx| view(ctx, &asked)).await?;
    let mut frame = ctx.frame("Reads", "/ops/reads");
    frame.api = Some("/api/v1/completeness".to_owned());
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Reads".to_owned() },
    ];
    Ok(ui::ops(&frame, &crumbs, &view::main(&view)))
}

fn view(ctx: &Ctx, asked: &Asked) -> Result<View, WebError> {
    let words = ctx.words();
    let found = board(ctx, asked.last)?;
    let mut columns: Vec<(String, String)> = found
        .rows
        .iter()
        .map(|row| {
            let meters = row.cells.last().map_or(0, |cell| cell.meters);
            let name = match (&row.name, row.collector) {
                (Some(name), _) => name.clone(),
                (None, Some(id)) => id.to_string(),
                (None, None) => "Own address".to_owned(),
            };
            (name, fmt::counted(meters.into(), "meter"))
        })
        .collect();
    columns.push(("All".to_owned(), String::new()));
    let days = found.days.iter().enumerate().rev().filter(|(at, _)| found.total[*at].expected > 0);
    let days = days.map(|(at, date)| day_row(asked, &found, &columns, at, *date));
    let newest = found.total.last().cloned().unwrap_or_default();
    let step = |days: i64| {
        let date = asked.last.checked_add(days.days()).ok()?;
        (date <= words.today()).then(|| Asked { last: date, ..asked.clone() }.href("/ops/reads", None, 1))
    };
    Ok(View {
        summary: summary(&newest, &words.long(asked.last)),
        title: format!("Two weeks until {}", words.long(asked.last)),
        steps: (step(-7), step(7).or_else(|| step(1))),
        days: days.collect(),
        columns,
        stats: stats(&newest),
        late: asked.place.map(|place| late(ctx, asked, place)).transpose()?,
        csv: asked.href("/ops/reads.csv", None, 1),
    })
}

fn summary(cell: &CompletenessCell, day: &str) -> String {
    match (cell.expected, cell.meters - cell.whole.min(cell.meters)) {
        (0, _) => format!("Nothing is expected of {day}."),
        (_, 0) => format!("Every interval of {day} was read."),
        (_, late) => format!(
            "Of {} on {day}, {} lack something.",
            fmt::counted(cell.meters.into(), "meter"),
            fmt::grouped(late.into())
        ),
    }
}

fn stats(cell: &CompletenessCell) -> Vec<(&'static str, String, String)> {
    let share = |part: u64| match (part * 1000).checked_div(cell.expected) {
        Some(permille) => format!("{}\u{a0}%", fmt::decimal(i64::try_from(permille).unwrap_or(0), 1, 1)),
        None => String::new(),
    };
    vec![
        ("Expected", fmt::grouped(cell.expected), fmt::counted(cell.meters.into(), "meter")),
        ("Read", fmt::grouped(cell.present), share(cell.present)),
        ("Estimated", fmt::grouped(cell.estimated), share(cell.estimated)),
        ("Missing", fmt::grouped(cell.missing), format!("{} overdue", fmt::grouped(cell.overdue))),
        (
            "How they came",
            format!("{} by themselves", fmt::grouped(cell.pushed.into())),
            format!(
                "{} asked again, {} late",
                fmt::grouped(cell.backfilled.into()),
                fmt::grouped(cell.late.into())
            ),
        ),
    ]
}

/// From nothing to everything in seven steps; the last one only for a whole day.
fn level(permille: u32) -> u8 {
    match permille {
        1000.. => 6,
        995..1000 => 5,
        980..995 => 4,
        900..980 => 3,
        700..900 => 2,
        1..700 => 1,
        0 => 0,
    }
}

fn day_row(
    asked: &Asked,
    found: &Completeness,
    columns: &[(String, String)],
    at: usize,
    date: Date,
) -> DayRow {
    let one = |cell: &CompletenessCell, name: &str, collector: Option<Option<CollectorId>>| {
        let permille = cell.permille();
        let place = Place { date, collector };
        let share = permille.map_or_else(
            || "–".to_owned(),
            |permille| if permille == 1000 { "100".to_owned() } else { fmt::decimal(permille.into(), 1, 1) },
        );
        let without = cell.missing + cell.estimated;
        Cell {
            level: permille.map(level),
            label: format!(
                "{}, {name}: {share} percent read; {} expected, {} read, {} estimated, {} missing",
                fmt::short(date),
                cell.expected,
                cell.present,
                cell.estimated,
                cell.missing
            ),
            share,
            missing: if without == 0 { String::new() } else { fmt::grouped(without) },
            href: format!("{}#late", asked.href("/ops/reads", Some(place), 1)),
            current: asked.place == Some(place),
        }
    };
    let mut cells: Vec<Cell> = found
        .rows
        .iter()
        .zip(columns)
        .map(|(row, (name, _))| one(&row.cells[at], name, Some(row.collector)))
        .collect();
    cells.push(one(&found.total[at], "all", None));
    DayRow { name: fmt::short(date), cells }
}

fn behind(ctx: &Ctx, place: Place) -> Result<Vec<MeterDay>, WebError> {
    let found = ctx.app.mdm.completeness_of(ctx.now, place.date, place.collector);
    let mut found = found.map_err(|error| failed(&error))?;
    found.retain(|day| !day.is_whole());
    found.sort_by_key(|day| core::cmp::Reverse((day.missing(), day.estimated)));
    Ok(found)
}

fn late(ctx: &Ctx, asked: &Asked, place: Place) -> Result<Late, WebError> {
    let found = behind(ctx, place)?;
    let name = match place.collector {
        None => "all collectors".to_owned(),
        Some(None) => "own address".to_owned(),
        Some(Some(id)) => {
            read::look(ctx, |read| read.collector(id))?.map_or_else(|| id.to_string(), |c| c.name)
        }
    };
    let heard: BTreeMap<_, _> =
        read::look(ctx, |read| read.fleet(&FleetFilter::default(), FleetSort::Serial, false, 0, u32::MAX))?
            .0
            .into_iter()
            .map(|row| (row.meter, (row.last_heard, row.last_read)))
            .collect();
    let may = ctx.may(Right::SeeAnyUsage);
    let row = |day: &MeterDay| {
        let (last_heard, last_read) = heard.get(&day.meter).copied().unwrap_or_default();
        LateRow {
            href: if may {
                bench_href(day.meter, day.kind, place.date, None)
            } else {
                format!("/ops/meters/{}?date={}", day.meter, place.date)
            },
            serial: day.serial.to_string(),
            address: day.address.clone().unwrap_or_else(|| "not installed".to_owned()),
            numbers: [day.expected, day.present, day.estimated, day.missing()]
                .map(|number| fmt::grouped(number.into())),
            state: state(ctx.now, last_heard, last_read),
        }
    };
    let skip = (asked.page - 1).saturating_mul(PAGE).min(found.len());
    let shown = &found[skip..found.len().min(skip + PAGE)];
    let page = |page: usize| format!("{}#late", asked.href("/ops/reads", Some(place), page));
    Ok(Late {
        title: format!("{}, {name}", fmt::short(place.date)),
        sentence: match found.len() {
            0 => "All readings of this day and collector have arrived.".to_owned(),
            count => format!(
                "{} of which not every interval was read, the most incomplete first.",
                fmt::counted(u64::try_from(count).unwrap_or(0), "meter")
            ),
        },
        rows: shown.iter().map(row).collect(),
        range: format!("{}–{} of {}", (skip + 1).min(found.len()), skip + shown.len(), found.len()),
        pages: (
            (asked.page > 1).then(|| page(asked.page - 1)),
            (skip + shown.len() < found.len()).then(|| page(asked.page + 1)),
        ),
        csv: asked.href("/ops/reads.csv", Some(place), 1),
    })
}

/// `GET /ops/reads.csv`: the board, or with a day the meters behind one of its numbers.
pub(crate) async fn csv(ctx: Ctx) -> Result<Response, WebError> {
    let asked = Asked::of(&ctx);
    let (name, text) = ctx
        .blocking(move |ctx| match asked.place {
            Some(place) => meters_csv(ctx, place),
            None => board_csv(ctx, asked.last),
        })
        .await?;
    Ok(file(&name, text))
}

fn meters_csv(ctx: &Ctx, place: Place) -> Result<(String, String), WebError> {
    let mut text = String::from("day,serial,channel,expected,read,estimated,missing,address\r\n");
    for day in behind(ctx, place)? {
        let numbers =
            [day.expected, day.present, day.estimated, day.missing()].map(|n| n.to_string()).join(",");
        let address = csv_field(&day.address.clone().unwrap_or_default());
        let (serial, channel) = (csv_field(&day.serial.to_string()), channel_name(day.kind));
        text.push_str(&format!("{},{serial},{channel},{numbers},{address}\r\n", place.date));
    }
    Ok((format!("late-{}.csv", place.date), text))
}

fn board_csv(ctx: &Ctx, last: Date) -> Result<(String, String), WebError> {
    let found = board(ctx, last)?;
    let mut text = String::from("day,collector,meters,whole,expected,read,estimated,missing\r\n");
    for (at, date) in found.days.iter().enumerate() {
        let rows = found
            .rows
            .iter()
            .map(|row| (row.name.clone().unwrap_or_else(|| "own address".to_owned()), &row.cells[at]));
        for (name, cell) in rows.chain([("all".to_owned(), &found.total[at])]) {
            text.push_str(&format!(
                "{date},{},{},{},{},{},{},{}\r\n",
                csv_field(&name),
                cell.meters,
                cell.whole,
                cell.expected,
                cell.present,
                cell.estimated,
                cell.missing
            ));
        }
    }
    Ok((format!("reads-until-{last}.csv"), text))
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn only_a_whole_day_has_the_whole_colour() {
        for (permille, step) in [(1000, 6), (999, 5), (994, 4), (900, 3), (700, 2), (1, 1), (0, 0)] {
            assert_eq!(level(permille), step, "{permille}");
        }
    }
}
