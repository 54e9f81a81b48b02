//! One local day of a service point: the sentence, the figures, the chart and its table.

use crate::chart::{Bars, Overlay, Slot, State};
use crate::fmt::{self, Measure, Words};
use crate::series::{self, Cell};
use crate::ui::Stat;
use maud::{Markup, html};
use model::LocalDay;

/// What is known of a day, as read; everything the page says is computed from it.
#[derive(Clone, Debug)]
pub(crate) struct DayData {
    /// The day.
    pub(crate) day: LocalDay,
    /// How values are shown.
    pub(crate) measure: Measure,
    /// The hours of the day.
    pub(crate) hours: Vec<Cell>,
    /// What is usual for each hour on such a day, in the stored unit; empty when not known.
    pub(crate) usual: Vec<Option<i64>>,
    /// Temperature of each hour in tenths of a degree Celsius; empty when there is no weather.
    pub(crate) weather: Vec<Option<i32>>,
    /// Whether the place can send energy back.
    pub(crate) sends: bool,
}

impl DayData {
    /// Sum of what was used, where anything is known.
    pub(crate) fn total(&self) -> Option<i64> {
        self.hours.iter().filter_map(|hour| hour.used).reduce(i64::saturating_add)
    }

    fn sent(&self) -> i64 {
        self.hours.iter().filter_map(|hour| hour.sent).sum()
    }

    /// What is usual for the hours that have a value: a day under way is compared with the same hours.
    fn usual_so_far(&self) -> Option<i64> {
        let known = self.hours.iter().zip(&self.usual).filter(|(hour, _)| hour.used.is_some());
        known.filter_map(|(_, usual)| *usual).reduce(i64::saturating_add)
    }

    /// What the main channel counts, in words: with panels on the roof a home uses more than it takes.
    pub(crate) const fn used_word(&self) -> &'static str {
        if self.sends { "From the grid" } else { "Used" }
    }

    fn busiest(&self) -> Option<&Cell> {
        self.hours.iter().filter(|hour| hour.used.is_some_and(|v| v > 0)).max_by_key(|hour| hour.used)
    }

    fn warmest(&self) -> Option<i32> {
        self.weather.iter().filter_map(|t| *t).max()
    }

    fn under_way(&self) -> bool {
        self.hours.iter().any(|hour| hour.state == State::Ahead)
    }

    fn comparison(&self) -> Option<i64> {
        fmt::percent_off(self.total()?, self.usual_so_far()?)
    }

    /// The headline.
    pub(crate) fn headline(&self, words: &Words) -> String {
        let date = self.day.date();
        let Some(total) = self.total() else {
            return format!("No readings for {} yet.", words.long(date));
        };
        let amount = format!("{}\u{a0}{}", self.measure.coarse(total), self.measure.unit);
        let weekday = fmt::weekday(date);
        let (took, from) = if self.sends { ("took", " from the grid") } else { ("used", "") };
        match (self.under_way(), self.comparison()) {
            (false, Some(off)) if off > 8 => {
                format!("You {took} {off}% more{from} than on a usual {weekday}.")
            }
            (false, Some(off)) if off < -8 => {
                format!("You {took} {}% less{from} than on a usual {weekday}.", -off)
            }
            (false, Some(_)) => format!("A usual {weekday}: {amount}{from}."),
            (true, _) => format!("{amount}{from} so far on {}.", words.long(date)),
            (false, None) => format!("You {took} {amount}{from} on {}.", words.long(date)),
        }
    }

    /// The sentences under the headline.
    pub(crate) fn remarks(&self) -> String {
        let mut remarks = Vec::new();
        if let Some(hour) = self.busiest() {
            remarks.push(format!("The biggest hour was {}.", series::span(&self.day, hour.start, hour.end)));
        }
        if let Some(tenths) = self.warmest() {
            remarks.push(format!("It reached {}\u{a0}°C outside.", fmt::decimal(i64::from(tenths), 1, 0)));
        }
        if self.sent() > 0 {
            let sent = self.measure.coarse(self.sent());
            remarks.push(format!("You sent {sent}\u{a0}{} back.", self.measure.unit));
        }
        if self.total().is_none() {
            remarks.push(
                "The meter is asked again at its next turn; what it kept is filled in then.".to_owned(),
            );
        }
        remarks.join(" ")
    }

    /// A warning about hours that are not as read, if there are any.
    pub(crate) fn caveat(&self) -> Option<String> {
        let (estimated, missing) = series::flaws(&self.hours);
        let hours = |n: usize| fmt::counted(u64::try_from(n).unwrap_or(0), "hour");
        let are = |n: usize| if n == 1 { "is" } else { "are" };
        match (estimated, missing) {
            (0, 0) => None,
            (e, 0) => {
                Some(format!("{} {} estimated; a later reading replaces the estimate.", hours(e), are(e)))
            }
            (0, m) => Some(format!("{} {} incomplete. We ask the meter again.", hours(m), are(m))),
            (e, m) => {
                Some(format!("{} estimated and {} incomplete. We ask the meter again.", hours(e), hours(m)))
            }
        }
    }

    /// The figures beside the headline.
    pub(crate) fn figures(&self) -> Vec<Stat> {
        let unit = format!("\u{a0}{}", self.measure.unit);
        let mut figures = Vec::new();
        if let Some(total) = self.total() {
            let note = self.usual_so_far().map(|usual| format!("usual {}", self.measure.coarse(usual)));
            figures.push(Stat {
                name: if self.under_way() { "So far" } else { self.used_word() },
                value: self.measure.coarse(total),
                unit: unit.clone(),
                note: note.unwrap_or_default(),
            });
        }
        if let Some(hour) = self.busiest() {
            figures.push(Stat {
                name: "Biggest hour",
                value: self.measure.fine(hour.used.unwrap_or(0)),
                unit: unit.clone(),
                note: series::span(&self.day, hour.start, hour.end),
            });
        }
        if self.sends {
            figures.push(Stat {
                name: "Sent back",
                value: self.measure.coarse(self.sent()),
                unit,
                note: String::new(),
            });
        }
        if let Some(tenths) = self.warmest() {
            let value = fmt::decimal(i64::from(tenths), 1, 0);
            figures.push(Stat { name: "Warmest", value, unit: "\u{a0}°C".to_owned(), note: String::new() });
        }
        figures
    }

    fn rows(&self, index: usize) -> Vec<(String, String)> {
        let (hour, unit) = (&self.hours[index], self.measure.unit);
        let mut rows = Vec::new();
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        match hour.used {
            Some(used) => row(self.used_word(), format!("{}\u{a0}{unit}", self.measure.fine(used))),
            None => row("Reading", series::no_reading(hour.state)),
        }
        if let Some(sent) = hour.sent.filter(|_| self.sends) {
            row("Sent back", format!("{}\u{a0}{unit}", self.measure.fine(sent)));
        }
        if let Some(usual) = self.usual.get(index).copied().flatten() {
            row("Usual", format!("{}\u{a0}{unit}", self.measure.fine(usual)));
        }
        if let Some(tenths) = self.weather.get(index).copied().flatten() {
            row("Outside", format!("{}\u{a0}°C", fmt::decimal(i64::from(tenths), 1, 0)));
        }
        if matches!(hour.state, State::Estimated | State::Partial) || hour.edited {
            row("Reading", hour.word().to_lowercase());
        }
        rows
    }

    /// The chart.
    pub(crate) fn chart(&self, words: &Words) -> Markup {
        let slot = |(index, hour): (usize, &Cell)| Slot {
            tick: series::tick(&self.day, hour.start),
            used: self.measure.real(hour.used.unwrap_or(0)),
            text: self.measure.fine(hour.used.unwrap_or(0)),
            sent: self.measure.real(hour.sent.unwrap_or(0)),
            usual: self.usual.get(index).copied().flatten().map(|usual| self.measure.real(usual)),
            over: self.weather.get(index).copied().flatten().map(|tenths| f64::from(tenths) / 10.0),
            state: hour.state,
            href: None,
            head: series::span(&self.day, hour.start, hour.end),
            rows: self.rows(index),
        };
        let chart = Bars {
            id: "day".to_owned(),
            label: format!("Use by hour, {}", words.long(self.day.date())),
            unit: self.measure.unit,
            slots: self.hours.iter().enumerate().map(slot).collect(),
            overlay: Some(Overlay { suffix: "°" }),
            ribbon: Vec::new(),
            height: 400.0,
        };
        chart.render()
    }

    /// The same numbers as a table.
    pub(crate) fn table(&self, words: &Words) -> Markup {
        let (usual, weather) = (!self.usual.is_empty(), !self.weather.is_empty());
        let unit = self.measure.unit;
        html! {
            table {
                caption.vh { "Use by hour, " (words.long(self.day.date())) }
                thead { tr {
                    th scope="col" { "Hour" }
                    th.n scope="col" { (self.used_word()) ", " (unit) }
                    @if self.sends { th.n scope="col" { "Sent back, " (unit) } }
                    @if usual { th.n scope="col" { "Usual, " (unit) } }
                    @if weather { th.n scope="col" { "Outside, °C" } }
                    th scope="col" { "Reading" }
                } }
                tbody {
                    @for (index, hour) in self.hours.iter().enumerate() {
                        tr {
                            th scope="row" { (series::span(&self.day, hour.start, hour.end)) }
                            td.n { (hour.used.map(|v| self.measure.fine(v)).unwrap_or_default()) }
                            @if self.sends { td.n { (hour.sent.map(|v| self.measure.fine(v)).unwrap_or_default()) } }
                            @if usual { td.n { (self.usual.get(index).copied().flatten().map(|v| self.measure.fine(v)).unwrap_or_default()) } }
                            @if weather { td.n { (self.weather.get(index).copied().flatten().map(|t| fmt::decimal(i64::from(t), 1, 1)).unwrap_or_default()) } }
                            td { (hour.word()) }
                        }
                    }
                }
            }
        }
    }

    /// What the marks of the chart mean; only those that are on it.
    pub(crate) fn legend(&self) -> Markup {
        let (estimated, missing) = series::flaws(&self.hours);
        html! {
            div.legend {
                span { i.sw.use {} (self.used_word()) }
                @if self.sends { span { i.sw.sun {} "Sent back" } }
                @if self.usual.iter().any(Option::is_some) { span { i.sw.typl {} "Your usual " (fmt::weekday(self.day.date())) } }
                @if estimated > 0 { span { i.sw.estl {} "Estimated" } }
                @if missing > 0 { span { i.sw.none {} "No reading" } }
                @if self.weather.iter().any(Option::is_some) { span { i.sw.tmp {} "Outside, °C" } }
            }
        }
    }
}
