//! Five weeks, hour by hour, and what stands out in them. Every finding is computed from the readings shown.

use crate::chart::{HeatDay, HeatMap, State};
use crate::fmt::{self, Measure};
use crate::series::{self, Cell};
use crate::ui::{Icon, icon};
use jiff::SignedDuration;
use maud::{Markup, html};
use model::LocalDay;

/// One day of the weeks.
#[derive(Clone, Debug)]
pub(crate) struct WeekDay {
    /// The day.
    pub(crate) day: LocalDay,
    /// Its hours.
    pub(crate) hours: Vec<Cell>,
}

/// What is known of the weeks.
#[derive(Clone, Debug)]
pub(crate) struct WeeksData {
    /// How values are shown.
    pub(crate) measure: Measure,
    /// Whether the place sends energy back, so that what is counted is only what comes from the grid.
    pub(crate) sends: bool,
    /// The days, earliest first.
    pub(crate) days: Vec<WeekDay>,
}

struct Finding {
    sign: Icon,
    title: String,
    text: String,
}

impl WeeksData {
    fn values(&self) -> impl Iterator<Item = (&WeekDay, &Cell, i64)> {
        let cells = self.days.iter().flat_map(|day| day.hours.iter().map(move |cell| (day, cell)));
        cells.filter_map(|(day, cell)| cell.used.map(|value| (day, cell, value)))
    }

    /// Whether there is enough to look at: a week of hours.
    pub(crate) fn worth_showing(&self) -> bool {
        self.values().count() >= 7 * 24
    }

    /// Upper bounds of the colour steps: even parts of a scale that nearly every hour fits.
    fn steps(&self) -> [f64; 6] {
        let mut sorted: Vec<i64> = self.values().map(|(_, _, value)| value).collect();
        sorted.sort_unstable();
        let high = sorted.get(sorted.len() * 97 / 100).copied().unwrap_or(0);
        let top = self.measure.real(high).max(0.06);
        // Squares: most hours of a home are small, and the eye should tell them apart.
        [1, 2, 3, 4, 5, 6].map(|n| top * f64::from(n * n) / 36.0)
    }

    fn busiest(&self) -> Option<Finding> {
        let (day, cell, value) = self.values().max_by_key(|(_, _, value)| *value)?;
        let span = series::span(&day.day, cell.start, cell.end);
        let (amount, unit) = (self.measure.fine(value), self.measure.unit);
        let (verb, from) = if self.sends { ("took", " from the grid") } else { ("used", "") };
        Some(Finding {
            sign: Icon::Bars,
            title: format!("Your biggest hour was {}", fmt::short(day.day.date())),
            text: format!("From {span} you {verb} {amount}\u{a0}{unit}{from}."),
        })
    }

    /// What runs all the time: the middle one of the lowest hours of the complete days.
    fn always_on(&self) -> Option<Finding> {
        let complete = |day: &&WeekDay| day.hours.iter().all(|h| h.state == State::Measured);
        let lowest = |day: &WeekDay| day.hours.iter().filter_map(|hour| hour.used).min();
        let mut lows: Vec<i64> = self.days.iter().filter(complete).filter_map(lowest).collect();
        lows.sort_unstable();
        let low = lows.get(lows.len() / 2).copied().filter(|low| *low > 0)?;
        let total: i64 = self.values().map(|(_, _, value)| value).sum();
        let hours = i64::try_from(self.values().count()).ok()?;
        let share = low.checked_mul(hours)?.checked_mul(100)?.checked_div(total)?;
        let (amount, unit) = (self.measure.fine(low), self.measure.unit);
        Some(Finding {
            sign: Icon::Clock,
            title: "What never stops".to_owned(),
            text: format!(
                "Even in your quietest hour you use about {amount}\u{a0}{unit}: {share}% of the total."
            ),
        })
    }

    fn gaps(&self) -> Option<Finding> {
        let flawed = |day: &&WeekDay| day.hours.iter().any(Cell::is_gap);
        let days: Vec<&WeekDay> = self.days.iter().filter(flawed).collect();
        let first = days.first()?;
        let gap = |hour: &&Cell| hour.is_gap();
        let hours: i64 =
            days.iter().flat_map(|d| d.hours.iter().filter(gap)).map(|h| h.length().as_hours().max(1)).sum();
        let others = match days.len() - 1 {
            0 => String::new(),
            1 => " and one other day".to_owned(),
            n => format!(" and {n} other days"),
        };
        Some(Finding {
            sign: Icon::Warn,
            title: format!("{} incomplete", fmt::counted(u64::try_from(hours).unwrap_or(0), "hour")),
            text: format!("On {}{others}. We ask the meter for them again.", fmt::short(first.day.date())),
        })
    }

    fn map(&self) -> HeatMap {
        let row = |day: &WeekDay| {
            let date = day.day.date();
            let monday = date.weekday() == jiff::civil::Weekday::Monday;
            HeatDay {
                name: fmt::short(date),
                edge: monday.then(|| date.strftime("%-d %b").to_string()),
                hours: clock_hours(day).iter().map(|v| v.map(|v| self.measure.real(v))).collect(),
            }
        };
        let (first, last) = (self.days.first(), self.days.last());
        let between = match (first, last) {
            (Some(first), Some(last)) => {
                format!(" from {} to {}", fmt::short(first.day.date()), fmt::short(last.day.date()))
            }
            _ => String::new(),
        };
        HeatMap {
            label: format!("Heat map of hourly use{between}. The table below has the daily figures."),
            unit: self.measure.unit,
            steps: self.steps(),
            days: self.days.iter().map(row).collect(),
        }
    }

    /// The card.
    pub(crate) fn card(&self) -> Markup {
        let map = self.map();
        let findings: Vec<Finding> =
            [self.busiest(), self.always_on(), self.gaps()].into_iter().flatten().collect();
        html! {
            section.card.heatcard aria-labelledby="weeks" {
                div.cardhead { div {
                    h2 #weeks { "Your last five weeks, hour by hour" }
                    p.hint { "Each row is a day, each column an hour. Stronger colour means more use." }
                } }
                div.heatgrid {
                    (map.render())
                    div.find-out {
                        h3 { "What stands out" }
                        ul { @for finding in &findings {
                            li { (icon(finding.sign)) div { strong { (finding.title) } p { (finding.text) } } }
                        } }
                        (map.scale())
                    }
                }
                details.tbl {
                    summary { "Show as a table" }
                    div.scroll tabindex="0" role="region" aria-label="Daily totals table" { (self.table()) }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            table {
                caption.vh { "Use by day, last five weeks" }
                thead { tr { th scope="col" { "Day" } th.n scope="col" { (if self.sends { "From the grid" } else { "Used" }) ", " (self.measure.unit) } th scope="col" { "Biggest hour" } } }
                tbody { @for day in &self.days {
                    @let total = day.hours.iter().filter_map(|h| h.used).reduce(i64::saturating_add);
                    @let peak = day.hours.iter().filter(|h| h.used.is_some()).max_by_key(|h| h.used);
                    tr {
                        th scope="row" { (fmt::short(day.day.date())) }
                        td.n { (total.map(|v| self.measure.coarse(v)).unwrap_or_default()) }
                        td { (peak.map(|h| series::span(&day.day, h.start, h.end)).unwrap_or_default()) }
                    }
                } }
            }
        }
    }
}

/// The 24 hours of the clock face: an hour that happens twice is added up, one that never happens is empty.
fn clock_hours(day: &WeekDay) -> [Option<i64>; 24] {
    let mut hours = [None; 24];
    for cell in &day.hours {
        let zoned = cell.start.to_zoned(day.day.zone().clone());
        let (Some(value), Ok(hour)) = (cell.used, usize::try_from(zoned.hour())) else { continue };
        if cell.length() <= SignedDuration::from_hours(1) {
            hours[hour] = Some(hours[hour].unwrap_or(0) + value);
        }
    }
    hours
}
