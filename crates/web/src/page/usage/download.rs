//! The customer's readings as a file: what, of which days, in which form.

use super::source::{self, Point};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::files;
use crate::read::failed;
use crate::ui::{self, Icon, empty, icon};
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};
use model::ServicePointId;
use operations::files::{ExportWish, OutFormat, Which};

/// Days of one file: three years and a little.
const MOST_DAYS: i32 = 1100;

/// The forms that are offered, with what each is good for.
const FORMS: [(OutFormat, &str, &str); 2] = [
    (OutFormat::GreenButton, "Green Button (XML)", "The standard that energy apps and other companies read."),
    (OutFormat::Csv, "CSV", "A table for a spreadsheet: a row for each reading."),
];

/// Everything the page shows.
struct View {
    points: Vec<(String, String, bool)>,
    from: Date,
    to: Date,
    first: Date,
    last: Date,
    spans: Vec<(String, String, bool)>,
}

/// `GET /usage/download?from=&to=&point=`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let read = ctx.blocking(|ctx| {
        let points = source::points(ctx)?;
        let place = points.first().map(|point| point.address.clone()).unwrap_or_default();
        if points.is_empty() {
            return Ok((place, super::nothing()));
        }
        let known = ctx.app.mdm.known_days().map_err(|error| failed(&error))?;
        Ok((place, known.map_or_else(too_early, |days| main(&view(ctx, &points, days)))))
    });
    let (place, main) = read.await?;
    let mut frame = ctx.frame("Download", "/usage");
    frame.place = place;
    Ok(ui::customer(&frame, &main))
}

fn too_early() -> Markup {
    html! {
        main #main.wrap tabindex="-1" {
            header.lede { p.eye { "Your use" } h1 { "Download your readings" } }
            section.card { (empty(Icon::Bars, "There are no readings yet", "The first ones arrive by the next morning; then they can be downloaded here.")) }
        }
    }
}

fn view(ctx: &Ctx, points: &[Point], (first, last): (Date, Date)) -> View {
    let today = ctx.words().today().min(last);
    let date = |name: &str| ctx.param(name).and_then(|text| text.parse::<Date>().ok());
    let month = today.first_of_month();
    let before = month.yesterday().unwrap_or(month);
    let year = today.checked_sub(1.year()).ok().and_then(|day| day.tomorrow().ok()).unwrap_or(first);
    let spans = [
        ("This month", month, today),
        ("Last month", before.first_of_month(), before),
        ("12 months", year, today),
        ("Everything", first.max(today.checked_sub((MOST_DAYS - 1).days()).unwrap_or(first)), today),
    ];
    let (from, to) =
        (date("from").unwrap_or(before.first_of_month().max(first)), date("to").unwrap_or(today));
    let asked = ctx.param("point");
    let mut choices: Vec<(String, String, bool)> = points
        .iter()
        .map(|point| {
            (point.id.to_string(), point.name.clone(), asked.as_deref() == Some(&point.id.to_string()))
        })
        .collect();
    if choices.len() > 1 {
        let none = !choices.iter().any(|(_, _, chosen)| *chosen);
        choices.insert(0, (String::new(), "Everything".to_owned(), none));
    }
    let point = asked.map(|point| format!("&point={}", crate::fmt::query_escape(&point))).unwrap_or_default();
    let spans = spans.into_iter().filter(|(_, from, to)| from <= to && *to >= first);
    View {
        points: choices,
        from,
        to,
        first,
        last: today,
        spans: spans
            .map(|(name, a, b)| {
                let a = a.max(first);
                (name.to_owned(), format!("/usage/download?from={a}&to={b}{point}"), (a, b) == (from, to))
            })
            .collect(),
    }
}

fn main(view: &View) -> Markup {
    html! {
        main #main.wrap tabindex="-1" {
            header.lede {
                p.eye { "Your use" }
                h1 { "Download your readings" }
                p.sub { "Every reading of your meters, interval by interval, with how it came about: read, estimated or missing. Costs are not in it." }
            }
            section.card aria-labelledby="what" {
                div.cardhead {
                    h2 #what { "What to download" }
                    div.ctl { nav.seg aria-label="Days" {
                        @for (name, href, now) in &view.spans { a href=(href) aria-current=[now.then_some("true")] { (name) } }
                    } }
                }
                form.get method="get" action="/usage/download/file" {
                    @if view.points.len() > 1 {
                        div.field { label for="point" { "What is measured" }
                            select #point name="point" { @for (id, name, chosen) in &view.points { option value=(id) selected[*chosen] { (name) } } } }
                    }
                    div.field { label for="from" { "From" }
                        input #from name="from" type="date" required value=(view.from) min=(view.first) max=(view.last); }
                    div.field { label for="to" { "To, this day included" }
                        input #to name="to" type="date" required value=(view.to) min=(view.first) max=(view.last); }
                    fieldset { legend { "As" }
                        @for (index, (form, name, good)) in FORMS.iter().enumerate() {
                            label.pick { input type="radio" name="format" value=(form.name()) checked[index == 0]; span { strong { (name) } small { (good) } } }
                        }
                    }
                    p { button.btn.pri { (icon(Icon::Down)) "Download" } }
                }
            }
            p.sub { a href="/usage" { "Back to your use" } }
        }
    }
}

/// `GET /usage/download/file?format=&from=&to=&point=`: the person's own service points, or one of them.
pub(crate) async fn file(ctx: Ctx) -> Result<Response, WebError> {
    let name = ctx.param("format").unwrap_or_default();
    let known = FORMS.iter().find(|(form, ..)| form.name() == name);
    let format = known.map(|(form, ..)| *form);
    let format = format.ok_or_else(|| WebError::Unclear("Choose Green Button or CSV.".to_owned()))?;
    let own = ctx.person()?.service_points.clone();
    let missing = || WebError::NotFound("service point".to_owned());
    let points = match ctx.param("point") {
        None => own,
        Some(text) => {
            let point: ServicePointId = text.parse().map_err(|_| missing())?;
            own.into_iter().find(|own| *own == point).map(|point| vec![point]).ok_or_else(missing)?
        }
    };
    if points.is_empty() {
        return Err(missing());
    }
    let (from, to) = (files::day(&ctx, "from")?, files::day(&ctx, "to")?.min(ctx.words().today()));
    if from.until(to).map_or(i32::MAX, |span| span.get_days()) >= MOST_DAYS {
        return Err(WebError::Unclear(
            "That is more than three years; download them in two files.".to_owned(),
        ));
    }
    let wish =
        ExportWish { format, which: Which::Points(points), from, to, registers: false, used_only: true };
    files::send(&ctx, wish, &format!("use-{from}-{to}")).await
}
