//! The customer's use, by day and by month.

mod correction;
pub(crate) mod day;
pub(crate) mod download;
pub(crate) mod month;
mod page;
pub(crate) mod source;
mod weeks;

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt;
use crate::ui;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};
use model::{Commodity, ServicePointId};
use page::{Choice, View};
use source::{Days, Point};

/// What the address of the page asks for.
#[derive(Clone, Debug)]
struct Asked {
    point: Point,
    points: Vec<Point>,
    month: bool,
    date: Date,
}

impl Asked {
    fn href(&self, point: ServicePointId, view: &str, date: &str) -> String {
        // The first service point is the one without saying so: the shortest address of a page is its own.
        let point = if self.points.first().is_some_and(|first| first.id == point) {
            String::new()
        } else {
            format!("point={point}&")
        };
        format!("/usage?{point}view={view}&date={date}")
    }

    const fn view(&self) -> &'static str {
        if self.month { "month" } else { "day" }
    }
}

/// Reads the address; what is missing or odd in it falls back to the newest whole day of the first service point.
fn asked(ctx: &Ctx) -> Result<Option<Asked>, WebError> {
    let points = source::points(ctx)?;
    let wanted: Option<ServicePointId> = match ctx.param("point") {
        Some(text) => Some(text.parse().map_err(|_| WebError::NotFound("service point".to_owned()))?),
        None => points.first().map(|point| point.id),
    };
    let Some(wanted) = wanted else { return Ok(None) };
    let point = points.iter().find(|point| point.id == wanted).cloned();
    let point = point.ok_or_else(|| WebError::NotFound("service point".to_owned()))?;
    let month = ctx.param("view").as_deref() == Some("month");
    let today = ctx.words().today();
    let date = crate::read::date_param(ctx)
        .unwrap_or_else(|| if month { today } else { today.yesterday().unwrap_or(today) });
    Ok(Some(Asked { point, points, month, date }))
}

/// `GET /usage?view=day|month&date=&point=`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let read = ctx.blocking(|ctx| {
        let Some(asked) = asked(ctx)? else { return Ok((String::new(), nothing())) };
        let view = if asked.month { month_view(ctx, &asked)? } else { day_view(ctx, &asked)? };
        Ok((asked.point.address, page::main(&view)))
    });
    let (place, main) = read.await?;
    let mut frame = ctx.frame("Your use", "/usage");
    frame.place = place;
    Ok(ui::customer(&frame, &main))
}

/// `GET /usage.csv`: the rows of the table, with the instants that a program wants.
pub(crate) async fn csv(ctx: Ctx) -> Result<Response, WebError> {
    let (name, text) = ctx
        .blocking(|ctx| {
            let asked = asked(ctx)?.ok_or_else(|| WebError::NotFound("service point".to_owned()))?;
            let name = format!("use-{}-{}-{}.csv", asked.point.number, asked.view(), asked.date);
            let text = if asked.month { month_csv(ctx, &asked)? } else { day_csv(ctx, &asked)? };
            Ok((name, text))
        })
        .await?;
    Ok(file(&name, text))
}

/// A CSV file to keep; its name holds only what our own numbers and dates are made of.
pub(crate) fn file(name: &str, text: String) -> Response {
    let safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' }).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{safe}\"")),
    ];
    (headers, text).into_response()
}

fn choices(asked: &Asked, date: &str) -> (Vec<Choice>, Vec<Choice>) {
    let point = |point: &Point| Choice {
        href: asked.href(point.id, asked.view(), date),
        label: point.name.clone(),
        current: point.id == asked.point.id,
    };
    let view = |(view, label): (&str, &str)| Choice {
        href: asked.href(asked.point.id, view, date),
        label: label.to_owned(),
        current: asked.view() == view,
    };
    let points = asked.points.iter().map(point).collect();
    (points, [("day", "Day"), ("month", "Month")].into_iter().map(view).collect())
}

fn csv_href(asked: &Asked) -> String {
    asked.href(asked.point.id, asked.view(), &asked.date.to_string()).replacen("/usage?", "/usage.csv?", 1)
}

fn day_view(ctx: &Ctx, asked: &Asked) -> Result<View, WebError> {
    let (words, date) = (ctx.words(), asked.date);
    let days = Days::before(ctx, asked.point.id, date, 35)?;
    let data = days.day_data();
    let (points, views) = choices(asked, &date.to_string());
    let step = |date: Date| asked.href(asked.point.id, "day", &date.to_string());
    let first =
        ctx.app.mdm.known_days().map_err(|error| crate::read::failed(&error))?.map(|(first, _)| first);
    let earlier = date.yesterday().ok().filter(|d| first.is_some_and(|first| *d >= first)).map(step);
    let later = date.tomorrow().ok().filter(|d| *d <= words.today()).map(step);
    Ok(View {
        points,
        views,
        title: words.long(date),
        earlier: (earlier, "Previous day"),
        later: (later, "Next day"),
        headline: data.headline(&words),
        remarks: data.remarks(),
        caveat: data.caveat(),
        corrected: correction::sentence(ctx, &days)?,
        figures: data.figures(),
        chart: data.total().is_some().then(|| data.chart(&words)),
        legend: data.legend(),
        table: data.table(&words),
        csv: csv_href(asked),
        weeks: weeks(&days, first),
    })
}

fn weeks(days: &Days, first: Option<Date>) -> Option<Markup> {
    let data = days.weeks_data(first);
    data.worth_showing().then(|| data.card())
}

fn month_view(ctx: &Ctx, asked: &Asked) -> Result<View, WebError> {
    let (words, date) = (ctx.words(), asked.date);
    let data = source::month_data(ctx, asked.point.id, date, &asked.href(asked.point.id, "day", ""))?;
    let (points, views) = choices(asked, &date.to_string());
    let step = |date: Date| asked.href(asked.point.id, "month", &date.to_string());
    let known = ctx.app.mdm.known_days().map_err(|error| crate::read::failed(&error))?;
    let before = date.first_of_month().yesterday().ok();
    let earlier = before.filter(|d| known.is_some_and(|(first, _)| *d >= first)).map(step);
    let after = date.last_of_month().tomorrow().ok().filter(|d| *d <= words.today());
    let later =
        after.map(|d| d.checked_add(1.month()).unwrap_or(d).yesterday().unwrap_or(d).min(words.today()));
    let newest = words.today().yesterday().unwrap_or(words.today());
    Ok(View {
        points,
        views,
        title: fmt::month(date),
        earlier: (earlier, "Previous month"),
        later: (later.map(step), "Next month"),
        headline: data.headline(),
        remarks: data.remarks(),
        caveat: data.caveat(),
        corrected: None,
        figures: data.figures(),
        chart: data.known_days().then(|| data.chart()),
        legend: data.legend(),
        table: data.table(),
        csv: csv_href(asked),
        weeks: weeks(&Days::before(ctx, asked.point.id, newest, 35)?, known.map(|(first, _)| first)),
    })
}

fn day_csv(ctx: &Ctx, asked: &Asked) -> Result<String, WebError> {
    let data = Days::before(ctx, asked.point.id, asked.date, 1)?.day_data();
    let unit = source::file_unit(asked.point.commodity);
    let mut text = format!("start,end,used_{unit},sent_{unit},reading\r\n");
    for hour in &data.hours {
        let number = |value: Option<i64>| value.map(|v| v.to_string()).unwrap_or_default();
        let word = hour.word().to_lowercase();
        text.push_str(&format!(
            "{},{},{},{},{word}\r\n",
            hour.start,
            hour.end,
            number(hour.used),
            number(hour.sent)
        ));
    }
    Ok(text)
}

fn month_csv(ctx: &Ctx, asked: &Asked) -> Result<String, WebError> {
    let data = source::month_data(ctx, asked.point.id, asked.date, "")?;
    let unit = source::file_unit(asked.point.commodity);
    let mut text = format!("day,used_{unit},sent_{unit},reading\r\n");
    for day in &data.days {
        let number = |value: Option<i64>| value.map(|v| v.to_string()).unwrap_or_default();
        let word = month::word(day.state).to_lowercase();
        text.push_str(&format!("{},{},{},{word}\r\n", day.date, number(day.used), number(day.sent)));
    }
    Ok(text)
}

/// For an account that no meter belongs to.
pub(crate) fn nothing() -> Markup {
    html! {
        main #main.wrap tabindex="-1" {
            header.lede {
                h1 { "No meter belongs to this account yet." }
                p.sub { "When yours is installed, its first readings arrive by the next morning." }
            }
        }
    }
}

/// What is delivered, as a word on a page.
pub(crate) const fn commodity_word(commodity: Commodity) -> &'static str {
    match commodity {
        Commodity::Electricity => "Electricity",
        Commodity::Gas => "Gas",
        Commodity::Water => "Water",
    }
}
