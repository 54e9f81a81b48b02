//! The customer's first page: each service point with its last whole day, the week before it, and how fresh it is.

use crate::chart::{Bars, Slot, State, Tick};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, Words};
use crate::page::usage::day::DayData;
use crate::page::usage::source::{self, Days, Point};
use crate::ui::{self, Icon, Stat, icon, stats};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use model::ServicePointId;
use operations::Right;
use store::StoreError;

/// A meter that was not heard for this long is worth a word to its customer.
const STALE: SignedDuration = SignedDuration::from_hours(26);

struct Card {
    name: String,
    href: String,
    headline: String,
    remarks: String,
    figures: Vec<Stat>,
    week: Markup,
    heard: String,
    stale: bool,
}

struct View {
    greeting: String,
    remark: String,
    figures: Vec<Stat>,
    cards: Vec<Result<Card, String>>,
}

/// `GET /`: customers see their home, operators go to the console.
pub(crate) async fn get(ctx: Ctx) -> Result<Response, WebError> {
    if !ctx.may(Right::SeeOwnUsage) {
        return Ok(Redirect::to("/ops").into_response());
    }
    let (place, view) = ctx
        .blocking(|ctx| {
            let points = source::points(ctx)?;
            let place = points.first().map(|point| point.address.clone()).unwrap_or_default();
            Ok((place, view(ctx, &points)))
        })
        .await?;
    let mut frame = ctx.frame("Overview", "/");
    frame.place = place;
    let main = view.as_ref().map_or_else(crate::page::usage::nothing, main);
    Ok(ui::customer(&frame, &main).into_response())
}

fn view(ctx: &Ctx, points: &[Point]) -> Option<View> {
    let first = points.first()?;
    let several = points.len() > 1;
    // A card that fails says so itself; the others stand.
    let cards: Vec<Result<Card, String>> = points
        .iter()
        .map(|point| {
            card(ctx, point, points.first().is_some_and(|first| first.id == point.id))
                .map_err(|e| e.sentence())
        })
        .collect();
    let (greeting, remark, figures) = match (several, cards.first()) {
        (false, Some(Ok(card))) => (card.headline.clone(), card.remarks.clone(), card.figures.clone()),
        _ => (format!("Your home at {}", first.address), "Yesterday at a glance.".to_owned(), Vec::new()),
    };
    Some(View { greeting, remark, figures, cards })
}

fn card(ctx: &Ctx, point: &Point, first: bool) -> Result<Card, WebError> {
    let words = ctx.words();
    let yesterday = words.today().yesterday().unwrap_or(words.today());
    let days = Days::before(ctx, point.id, yesterday, 35)?;
    let data = days.day_data();
    let which = if first { String::new() } else { format!("point={}&", point.id) };
    let href = format!("/usage?{which}view=day&date={yesterday}");
    let meter = ctx.app.mdm.meter_at(point.id).map_err(|error| crate::read::failed(&error))?;
    let heard = meter
        .map(|meter| ctx.app.mdm.store().read(|read| read.health(meter.id)))
        .transpose()
        .map_err(|error: StoreError| WebError::internal(&error))?
        .and_then(|health| health.last_heard);
    Ok(Card {
        name: point.name.clone(),
        headline: data.headline(&words),
        remarks: [data.remarks(), data.caveat().unwrap_or_default()].join(" ").trim().to_owned(),
        figures: data.figures(),
        week: week(&days, &data, &which, point.id),
        heard: heard
            .map_or_else(|| "Your meter has not been heard yet.".to_owned(), |at| freshness(&words, at)),
        stale: heard.is_none_or(|at| at < ctx.now.saturating_sub(STALE).unwrap_or(Timestamp::MIN)),
        href,
    })
}

fn freshness(words: &Words, at: Timestamp) -> String {
    format!("Your meter was last heard {}.", words.ago(at))
}

/// The last seven days as links.
fn week(days: &Days, data: &DayData, which: &str, point: ServicePointId) -> Markup {
    let measure = data.measure;
    let slot = |(date, used, state): (jiff::civil::Date, Option<i64>, State)| Slot {
        tick: Some(Tick { text: date.strftime("%a").to_string(), on_phone: true }),
        used: measure.real(used.unwrap_or(0)),
        text: measure.coarse(used.unwrap_or(0)),
        sent: 0.0,
        usual: None,
        over: None,
        state,
        href: Some(format!("/usage?{which}view=day&date={date}")),
        head: fmt::short(date),
        rows: vec![match used {
            Some(used) => {
                (data.used_word().to_owned(), format!("{}\u{a0}{}", measure.coarse(used), measure.unit))
            }
            None => ("Reading".to_owned(), "not received".to_owned()),
        }],
    };
    let chart = Bars {
        id: format!("week-{point}"),
        label: "Use of the last seven days".to_owned(),
        unit: measure.unit,
        slots: days.sums(7).into_iter().map(slot).collect(),
        overlay: None,
        ribbon: Vec::new(),
        height: 210.0,
    };
    chart.render()
}

fn main(view: &View) -> Markup {
    let several = view.cards.len() > 1;
    html! {
        main #main.wrap tabindex="-1" {
            div.hero {
                header.lede { p.eye { "Overview" } h1 { (view.greeting) } p.sub { (view.remark) } }
                @if !view.figures.is_empty() { (stats(&view.figures)) }
            }
            div.cards {
                @for card in &view.cards {
                    @match card {
                        Ok(card) => (point_card(card, several)),
                        Err(sentence) => section.card { h2 { "This part could not be read" } p.note.bad { (icon(Icon::Warn)) span { (sentence) } } },
                    }
                }
            }
        }
    }
}

fn point_card(card: &Card, several: bool) -> Markup {
    html! {
        section.card {
            div.cardhead { h2 { (card.name) ", last seven days" } }
            @if several { p { strong { (card.headline) } " " (card.remarks) } }
            (card.week)
            p.hint {
                @if card.stale { span.st.warn { (icon(Icon::Warn)) (card.heard) } } @else { (card.heard) }
            }
            p.go { a href=(card.href) { "See the hours of yesterday" span.vh { ", " (card.name) } } }
        }
    }
}
