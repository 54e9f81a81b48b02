//! From the read model to what the usage pages compute with.

use super::day::DayData;
use super::month::{DaySum, MonthData};
use super::weeks::{WeekDay, WeeksData};
use crate::chart::State;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::Measure;
use crate::read::{failed, place};
use crate::series::{self, Cell, Series};
use jiff::ToSpan;
use jiff::civil::Date;
use mdm::read::{MonthDay, UsageDay};
use model::{Commodity, IntervalLength, ServicePointId};
use store::WeatherHour;

/// How many earlier days of the same weekday make the usual one.
const LIKE_DAYS: usize = 4;
/// How many of them must be complete before anything is called usual.
const FEWEST_LIKE_DAYS: usize = 2;

/// A service point of the person.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// Which.
    pub(crate) id: ServicePointId,
    /// The utility's number of it.
    pub(crate) number: String,
    /// What is delivered.
    pub(crate) commodity: Commodity,
    /// As offered for choice: the commodity, with the address where there are several of it.
    pub(crate) name: String,
    /// The address.
    pub(crate) address: String,
}

/// The service points of the person, in their order.
pub(crate) fn points(ctx: &Ctx) -> Result<Vec<Point>, WebError> {
    let mut points = Vec::new();
    for id in &ctx.person()?.service_points {
        let Some((point, premise)) = place(ctx, *id)? else { continue };
        points.push(Point {
            id: *id,
            number: point.number,
            commodity: point.commodity,
            name: super::commodity_word(point.commodity).to_owned(),
            address: premise.map(|premise| premise.address).unwrap_or_default(),
        });
    }
    let twice = |point: &Point| points.iter().filter(|other| other.commodity == point.commodity).count() > 1;
    let named: Vec<String> = points
        .iter()
        .map(|p| if twice(p) { format!("{}, {}", p.name, p.address) } else { p.name.clone() })
        .collect();
    for (point, name) in points.iter_mut().zip(named) {
        point.name = name;
    }
    Ok(points)
}

/// The name of the stored unit in a file's heading.
pub(crate) const fn file_unit(commodity: Commodity) -> &'static str {
    match commodity {
        Commodity::Electricity => "wh",
        Commodity::Gas | Commodity::Water => "l",
    }
}

/// Some days of a service point, the last one being the one that is looked at.
#[derive(Debug)]
pub(crate) struct Days {
    commodity: Commodity,
    /// The days before the one that is looked at, earliest first.
    earlier: Vec<(UsageDay, Vec<Cell>)>,
    last: (UsageDay, Vec<Cell>),
}

fn hours(ctx: &Ctx, usage: &UsageDay) -> Vec<Cell> {
    let used: Series = usage.used.clone().into();
    let sent: Option<Series> = usage.sent.clone().map(Into::into);
    series::cells(&usage.day, IntervalLength::HOUR, Some(&used), sent.as_ref(), ctx.present())
}

impl Days {
    /// The `count` days up to and including `date`.
    pub(crate) fn before(ctx: &Ctx, point: ServicePointId, date: Date, count: i64) -> Result<Self, WebError> {
        let mut earlier = Vec::new();
        for back in (0..count).rev() {
            let Ok(date) = date.checked_sub(back.days()) else { continue };
            let Some(usage) = ctx.app.mdm.usage_day(point, date).map_err(|error| failed(&error))? else {
                continue;
            };
            let hours = hours(ctx, &usage);
            earlier.push((usage, hours));
        }
        let last =
            earlier.pop().ok_or_else(|| WebError::NotFound("meter at this service point".to_owned()))?;
        Ok(Self { commodity: last.0.commodity, earlier, last })
    }

    fn all(&self) -> impl Iterator<Item = &(UsageDay, Vec<Cell>)> {
        self.earlier.iter().chain([&self.last])
    }

    fn sends(&self) -> bool {
        self.all().flat_map(|(_, hours)| hours).any(|hour| hour.sent.is_some_and(|sent| sent > 0))
    }

    /// What is usual for each hour of the last day: the mean of the same hours of the complete like days before it.
    fn usual(&self) -> Vec<Option<i64>> {
        let last = &self.last;
        let date = last.0.day.date();
        let like = |(usage, hours): &&(UsageDay, Vec<Cell>)| {
            usage.day.date().weekday() == date.weekday()
                && hours.len() == last.1.len()
                && hours.iter().all(|hour| hour.state == State::Measured)
        };
        let like: Vec<&Vec<Cell>> =
            self.earlier.iter().rev().filter(like).take(LIKE_DAYS).map(|(_, hours)| hours).collect();
        if like.len() < FEWEST_LIKE_DAYS {
            return Vec::new();
        }
        let mean = |index: usize| {
            let sum: i64 = like.iter().filter_map(|hours| hours[index].used).sum();
            i64::try_from(like.len()).ok().map(|count| (sum + count / 2) / count)
        };
        (0..last.1.len()).map(mean).collect()
    }

    /// The day that is looked at, as read.
    pub(crate) const fn last_day(&self) -> &UsageDay {
        &self.last.0
    }

    /// The last of the days, for its page.
    pub(crate) fn day_data(&self) -> DayData {
        let (usage, hours) = &self.last;
        DayData {
            day: usage.day.clone(),
            measure: Measure::of_commodity(self.commodity),
            hours: hours.clone(),
            usual: self.usual(),
            weather: weather_by_hour(hours, &usage.weather),
            sends: self.sends(),
        }
    }

    /// The sums of the last `count` days, earliest first.
    pub(crate) fn sums(&self, count: usize) -> Vec<(Date, Option<i64>, State)> {
        let sum = |(usage, hours): &(UsageDay, Vec<Cell>)| {
            let used = hours.iter().filter_map(|hour| hour.used).reduce(i64::saturating_add);
            let any = |state: State| hours.iter().any(|hour| hour.state == state);
            let state = if used.is_none() {
                State::Missing
            } else if any(State::Estimated) {
                State::Estimated
            } else if hours.iter().any(Cell::is_gap) {
                State::Partial
            } else {
                State::Measured
            };
            (usage.day.date(), used, state)
        };
        let sums: Vec<_> = self.all().map(sum).collect();
        sums[sums.len().saturating_sub(count)..].to_vec()
    }

    /// The days from `first` on, the first that anything is known of, for the heat map.
    pub(crate) fn weeks_data(&self, first: Option<Date>) -> WeeksData {
        let known = |(usage, _): &&(UsageDay, Vec<Cell>)| first.is_none_or(|first| usage.day.date() >= first);
        let week_day =
            |(usage, hours): &(UsageDay, Vec<Cell>)| WeekDay { day: usage.day.clone(), hours: hours.clone() };
        WeeksData {
            measure: Measure::of_commodity(self.commodity),
            sends: self.sends(),
            days: self.all().filter(known).map(week_day).collect(),
        }
    }
}

/// The temperature of each cell; nothing at all where there is no weather.
fn weather_by_hour(hours: &[Cell], weather: &[WeatherHour]) -> Vec<Option<i32>> {
    if weather.is_empty() {
        return Vec::new();
    }
    let at = |cell: &Cell| {
        let hour = weather.iter().find(|hour| hour.at >= cell.start && hour.at < cell.end);
        hour.map(|hour| i32::from(hour.temperature_dc))
    };
    hours.iter().map(at).collect()
}

/// `open` is the first day of which something may still be on its way.
fn day_state(day: &MonthDay, first: Option<Date>, open: Date) -> State {
    match (day.used, day.date >= open) {
        (None, true) => State::Ahead,
        (None, false) if first.is_none_or(|first| day.date < first) => State::Before,
        (None, false) => State::Missing,
        // What is missing of an open day is not over or on its way.
        (Some(_), true) if day.estimated == 0 => State::Measured,
        (Some(_), _) if day.estimated > 0 => State::Estimated,
        (Some(_), _) if day.missing() > 0 => State::Partial,
        (Some(_), _) => State::Measured,
    }
}

/// The month that holds `date`; `day_href` is where a day's bar leads, up to the date.
pub(crate) fn month_data(
    ctx: &Ctx,
    point: ServicePointId,
    date: Date,
    day_href: &str,
) -> Result<MonthData, WebError> {
    let month = ctx.app.mdm.usage_month(point, date).map_err(|error| failed(&error))?;
    let month = month.ok_or_else(|| WebError::NotFound("meter at this service point".to_owned()))?;
    let today = ctx.words().today();
    let open = ctx.present().due.to_zoned(ctx.app.utility.zone.clone()).date();
    let first = ctx.app.mdm.known_days().map_err(|error| failed(&error))?.map(|(first, _)| first);
    let sum = |day: &MonthDay| DaySum {
        date: day.date,
        used: day.used,
        sent: day.sent,
        state: day_state(day, first, open),
        mean: day.mean_temperature_dc.map(i32::from).filter(|_| day.date <= today),
    };
    Ok(MonthData {
        first: month.first,
        measure: Measure::of_commodity(month.commodity),
        days: month.days.iter().map(sum).collect(),
        sends: month.days.iter().any(|day| day.sent.is_some_and(|sent| sent > 0)),
        today,
        day_href: day_href.to_owned(),
    })
}
