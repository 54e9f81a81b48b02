//! One calendar month of a service point, day by day.

use crate::chart::{Bars, Overlay, Slot, State, Tick};
use crate::fmt::{self, Measure};
use crate::ui::Stat;
use jiff::civil::Date;
use maud::{Markup, html};

/// One day of the month.
#[derive(Clone, Debug)]
pub(crate) struct DaySum {
    /// The date.
    pub(crate) date: Date,
    /// What was used, in the stored unit; `None` when nothing is known.
    pub(crate) used: Option<i64>,
    /// What was sent back.
    pub(crate) sent: Option<i64>,
    /// How the sum came about.
    pub(crate) state: State,
    /// Mean temperature in tenths of a degree Celsius.
    pub(crate) mean: Option<i32>,
}

/// What is known of a month.
#[derive(Clone, Debug)]
pub(crate) struct MonthData {
    /// Its first day.
    pub(crate) first: Date,
    /// How values are shown.
    pub(crate) measure: Measure,
    /// Every day of it.
    pub(crate) days: Vec<DaySum>,
    /// Whether the place can send energy back.
    pub(crate) sends: bool,
    /// Today; later days are ahead.
    pub(crate) today: Date,
    /// Where the bar of a day leads, up to the date.
    pub(crate) day_href: String,
}

impl MonthData {
    fn total(&self) -> Option<i64> {
        self.days.iter().filter_map(|day| day.used).reduce(i64::saturating_add)
    }

    const fn used_word(&self) -> &'static str {
        if self.sends { "From the grid" } else { "Used" }
    }

    fn known(&self) -> i64 {
        i64::try_from(self.days.iter().filter(|day| day.used.is_some()).count()).unwrap_or(0)
    }

    /// Whether anything of the month is known.
    pub(crate) fn known_days(&self) -> bool {
        self.total().is_some()
    }

    fn highest(&self) -> Option<&DaySum> {
        self.days.iter().filter(|day| day.used.is_some()).max_by_key(|day| day.used)
    }

    fn under_way(&self) -> bool {
        self.days.last().is_some_and(|last| last.date >= self.today)
    }

    fn amount(&self, value: i64) -> String {
        format!("{}\u{a0}{}", self.measure.coarse(value), self.measure.unit)
    }

    /// The headline.
    pub(crate) fn headline(&self) -> String {
        let name = self.first.strftime("%B").to_string();
        let (took, from) = if self.sends { ("took", " from the grid") } else { ("used", "") };
        match (self.total(), self.under_way()) {
            (None, _) => format!("No readings for {} yet.", fmt::month(self.first)),
            (Some(total), true) => format!("{}{from} so far in {name}.", self.amount(total)),
            (Some(total), false) => format!("You {took} {}{from} in {name}.", self.amount(total)),
        }
    }

    /// The sentences under the headline.
    pub(crate) fn remarks(&self) -> String {
        let (Some(total), Some(highest)) = (self.total(), self.highest()) else {
            return "Readings of earlier months are one step back.".to_owned();
        };
        let average = self.amount(total / self.known().max(1));
        let peak = self.amount(highest.used.unwrap_or(0));
        format!("That is {average} a day. The highest day was {} with {peak}.", fmt::short(highest.date))
    }

    /// A warning about days that are not as read, if there are any.
    pub(crate) fn caveat(&self) -> Option<String> {
        let of = |states: &[State]| self.days.iter().filter(|day| states.contains(&day.state)).count();
        let (estimated, missing) = (of(&[State::Estimated]), of(&[State::Missing, State::Partial]));
        let days = |n: usize| fmt::counted(u64::try_from(n).unwrap_or(0), "day");
        match (estimated, missing) {
            (0, 0) => None,
            (e, 0) => Some(format!("{} with estimated hours.", days(e))),
            (0, m) => Some(format!("{} with hours missing; the sum will rise when they arrive.", days(m))),
            (e, m) => Some(format!("{} with estimated and {} with missing hours.", days(e), days(m))),
        }
    }

    /// The figures beside the headline.
    pub(crate) fn figures(&self) -> Vec<Stat> {
        let Some(total) = self.total() else { return Vec::new() };
        let unit = format!("\u{a0}{}", self.measure.unit);
        let figure = |name, value: i64, note: String| Stat {
            name,
            value: self.measure.coarse(value),
            unit: unit.clone(),
            note,
        };
        let known = u64::try_from(self.known()).unwrap_or(0);
        let mut figures = vec![
            figure(
                if self.under_way() { "So far" } else { self.used_word() },
                total,
                fmt::counted(known, "day"),
            ),
            figure("Daily average", total / self.known().max(1), String::new()),
        ];
        if let Some(highest) = self.highest() {
            figures.push(figure("Highest day", highest.used.unwrap_or(0), fmt::short(highest.date)));
        }
        if self.sends {
            figures.push(figure(
                "Sent back",
                self.days.iter().filter_map(|day| day.sent).sum(),
                String::new(),
            ));
        }
        figures
    }

    fn rows(&self, day: &DaySum) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        match day.used {
            Some(used) => row(self.used_word(), self.amount(used)),
            None => row("Reading", crate::series::no_reading(day.state)),
        }
        if let Some(sent) = day.sent.filter(|_| self.sends) {
            row("Sent back", self.amount(sent));
        }
        if let Some(mean) = day.mean {
            row("Outside", format!("{}\u{a0}°C", fmt::decimal(i64::from(mean), 1, 0)));
        }
        if matches!(day.state, State::Estimated | State::Partial) {
            row("Reading", word(day.state).to_lowercase());
        }
        rows
    }

    /// The chart; every bar leads to its day.
    pub(crate) fn chart(&self) -> Markup {
        let slot = |day: &DaySum| Slot {
            tick: (day.date.day() % 3 == 1).then(|| Tick {
                text: day.date.strftime("%-d %b").to_string(),
                on_phone: day.date.day() % 9 == 1,
            }),
            used: self.measure.real(day.used.unwrap_or(0)),
            text: self.measure.coarse(day.used.unwrap_or(0)),
            sent: self.measure.real(day.sent.unwrap_or(0)),
            usual: None,
            over: day.mean.map(|tenths| f64::from(tenths) / 10.0),
            state: day.state,
            href: Some(format!("{}{}", self.day_href, day.date)),
            head: fmt::short(day.date),
            rows: self.rows(day),
        };
        let chart = Bars {
            id: "month".to_owned(),
            label: format!("Use by day, {}", fmt::month(self.first)),
            unit: self.measure.unit,
            slots: self.days.iter().map(slot).collect(),
            overlay: Some(Overlay { suffix: "°" }),
            ribbon: Vec::new(),
            height: 400.0,
        };
        chart.render()
    }

    /// The same numbers as a table.
    pub(crate) fn table(&self) -> Markup {
        let weather = self.days.iter().any(|day| day.mean.is_some());
        let unit = self.measure.unit;
        html! {
            table {
                caption.vh { "Use by day, " (fmt::month(self.first)) }
                thead { tr {
                    th scope="col" { "Day" }
                    th.n scope="col" { (self.used_word()) ", " (unit) }
                    @if self.sends { th.n scope="col" { "Sent back, " (unit) } }
                    @if weather { th.n scope="col" { "Mean outside, °C" } }
                    th scope="col" { "Readings" }
                } }
                tbody { @for day in &self.days { tr {
                    th scope="row" { (fmt::short(day.date)) }
                    td.n { (day.used.map(|v| self.measure.coarse(v)).unwrap_or_default()) }
                    @if self.sends { td.n { (day.sent.map(|v| self.measure.coarse(v)).unwrap_or_default()) } }
                    @if weather { td.n { (day.mean.map(|t| fmt::decimal(i64::from(t), 1, 1)).unwrap_or_default()) } }
                    td { (word(day.state)) }
                } } }
            }
        }
    }

    /// What the marks of the chart mean; only those that are on it.
    pub(crate) fn legend(&self) -> Markup {
        let any = |states: &[State]| self.days.iter().any(|day| states.contains(&day.state));
        html! {
            div.legend {
                span { i.sw.use {} (self.used_word()) }
                @if self.sends { span { i.sw.sun {} "Sent back" } }
                @if any(&[State::Estimated]) { span { i.sw.estl {} "Partly estimated" } }
                @if any(&[State::Missing, State::Partial]) { span { i.sw.none {} "Readings missing" } }
                @if self.days.iter().any(|day| day.mean.is_some()) { span { i.sw.tmp {} "Mean outside, °C" } }
            }
        }
    }
}

/// A day's state in words.
pub(crate) const fn word(state: State) -> &'static str {
    match state {
        State::Measured => "Measured",
        State::Estimated => "Partly estimated",
        State::Partial => "Partly missing",
        State::Missing => "Missing",
        State::Ahead => "Not yet",
        State::Before => "Not kept",
    }
}
