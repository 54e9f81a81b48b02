//! A meter's day: load profile, voltage, and both as one table.

use crate::chart::{Bars, Line, Point, Ribbon, Slot, State};
use crate::fmt::{Measure, Words};
use crate::series::{self, Cell, Series};
use maud::{Markup, html};
use model::{LocalDay, QualityClass};

/// What is known of the day.
#[derive(Clone, Debug)]
pub(crate) struct DayData {
    /// The day.
    pub(crate) day: LocalDay,
    /// How the profile is shown.
    pub(crate) measure: Measure,
    /// The profile in cells of its own interval.
    pub(crate) cells: Vec<Cell>,
    /// The main channel as stored, for the quality of each interval.
    pub(crate) used: Option<Series>,
    /// The voltage in tenths of a volt.
    pub(crate) voltage: Option<Series>,
    /// Whether the meter counts what is sent back.
    pub(crate) sends: bool,
}

/// The limits that a supply of about `volts` must keep.
///
/// Standard: EN 50160 for 230 V (plus and minus 10 %), ANSI C84.1 range B for 120 V service (110 to 127 V).
fn limits(volts: f64) -> (f64, f64) {
    if volts < 170.0 { (110.0, 127.0) } else { (207.0, 253.0) }
}

impl DayData {
    fn volts(&self, index: usize) -> Option<f64> {
        let (tenths, quality) = self.voltage.as_ref()?.slots.get(index)?;
        (!quality.is_missing()).then(|| crate::chart::real(*tenths) / 10.0)
    }

    /// Whether anything of the profile is known.
    pub(crate) fn any_profile(&self) -> bool {
        self.cells.iter().any(|cell| cell.used.is_some())
    }

    /// The load profile.
    pub(crate) fn profile(&self, words: &Words) -> Markup {
        let unit = self.measure.unit;
        let slot = |(index, cell): (usize, &Cell)| {
            let mut rows = vec![match cell.used {
                Some(value) => ("Used".to_owned(), format!("{}\u{a0}{unit}", self.measure.fine(value))),
                None => ("Reading".to_owned(), cell.word().to_lowercase()),
            }];
            if let Some(value) = cell.sent.filter(|_| self.sends) {
                rows.push(("Sent back".to_owned(), format!("{}\u{a0}{unit}", self.measure.fine(value))));
            }
            if cell.used.is_some() {
                rows.push(("Quality".to_owned(), self.quality(index, cell).to_owned()));
            }
            Slot {
                tick: series::tick(&self.day, cell.start),
                used: self.measure.real(cell.used.unwrap_or(0)),
                text: self.measure.fine(cell.used.unwrap_or(0)),
                sent: self.measure.real(cell.sent.unwrap_or(0)),
                usual: None,
                over: None,
                state: cell.state,
                href: None,
                head: series::span(&self.day, cell.start, cell.end),
                rows,
            }
        };
        let chart = Bars {
            id: "profile".to_owned(),
            label: format!("Load profile, {}", words.long(self.day.date())),
            unit,
            slots: self.cells.iter().enumerate().map(slot).collect(),
            overlay: None,
            ribbon: self.ribbon(),
            height: 300.0,
        };
        chart.render()
    }

    /// Stretches of equal state, so that quality is seen at a glance and not by hatching alone.
    fn ribbon(&self) -> Vec<Ribbon> {
        let look = |state: State| match state {
            State::Measured => Some(("ok", "Measured")),
            State::Estimated => Some(("est", "Estimated")),
            State::Missing | State::Partial => Some(("miss", "Missing")),
            State::Ahead | State::Before => None,
        };
        let mut ribbon: Vec<Ribbon> = Vec::new();
        for (index, cell) in self.cells.iter().enumerate() {
            let Some((class, label)) = look(cell.state) else { continue };
            match ribbon.last_mut() {
                Some(last) if last.class == class && last.to == index => last.to = index + 1,
                _ => ribbon.push(Ribbon { from: index, to: index + 1, class, label }),
            }
        }
        ribbon
    }

    fn quality(&self, index: usize, cell: &Cell) -> &'static str {
        let stored = self.used.as_ref().filter(|series| series.slots.len() == self.cells.len());
        stored
            .and_then(|series| series.slots.get(index))
            .map_or(cell.word(), |(_, q)| quality_word(q.class()))
    }

    /// The voltage, when the meter keeps it.
    pub(crate) fn voltage_chart(&self, words: &Words) -> Option<Markup> {
        let series = self.voltage.as_ref()?;
        let known: Vec<f64> = (0..series.slots.len()).filter_map(|index| self.volts(index)).collect();
        let first = *known.first()?;
        let point = |index: usize| {
            let start = self.day.interval_start(series.interval, index);
            let end = self.day.interval_start(series.interval, index + 1);
            let value = self.volts(index);
            let text = value.map_or_else(|| "not received".to_owned(), |v| format!("{v:.1}\u{a0}V"));
            Point {
                tick: series::tick(&self.day, start),
                value,
                head: series::span(&self.day, start, end),
                rows: vec![("Voltage".to_owned(), text)],
            }
        };
        let chart = Line {
            label: format!("Average voltage, {}", words.long(self.day.date())),
            unit: "V",
            points: (0..series.slots.len()).map(point).collect(),
            limits: Some(limits(first)),
            height: 190.0,
        };
        let (low, high) = limits(first);
        Some(html! {
            (chart.render())
            div.legend { span { i.sw.lims {} (format!("Limits {low:.0} to {high:.0}\u{a0}V")) } }
        })
    }

    /// What the marks of the profile mean.
    pub(crate) fn legend(&self) -> Markup {
        let (estimated, missing) = series::flaws(&self.cells);
        html! {
            div.legend {
                span { i.sw.use {} "Used" }
                @if self.sends { span { i.sw.sun {} "Sent back" } }
                @if estimated > 0 { span { i.sw.estl {} "Estimated" } }
                @if missing > 0 { span { i.sw.none {} "No reading" } }
            }
        }
    }

    /// Both as a file, in stored units.
    pub(crate) fn csv(&self, commodity: model::Commodity) -> String {
        let unit = crate::page::usage::source::file_unit(commodity);
        let mut text = format!("start,end,used_{unit},sent_{unit},voltage_dv,quality\r\n");
        for (index, cell) in self.cells.iter().enumerate() {
            let number = |value: Option<i64>| value.map(|v| v.to_string()).unwrap_or_default();
            let voltage = self.voltage.as_ref().and_then(|series| series.slots.get(index));
            let voltage = voltage.filter(|(_, quality)| !quality.is_missing()).map(|(tenths, _)| *tenths);
            let quality = self.quality(index, cell).to_lowercase().replace(',', "");
            text.push_str(&format!(
                "{},{},{},{},{},{quality}\r\n",
                cell.start,
                cell.end,
                number(cell.used),
                number(cell.sent),
                number(voltage)
            ));
        }
        text
    }

    /// Both as a table; without `profile` only what everybody at the console may see.
    pub(crate) fn table(&self, words: &Words, profile: bool) -> Markup {
        let (unit, volts) = (self.measure.unit, self.voltage.is_some());
        html! {
            table {
                caption.vh { "Readings of " (words.long(self.day.date())) }
                thead { tr {
                    th scope="col" { "Time" }
                    @if profile { th.n scope="col" { "Used, " (unit) } }
                    @if profile && self.sends { th.n scope="col" { "Sent back, " (unit) } }
                    @if volts { th.n scope="col" { "Voltage, V" } }
                    th scope="col" { "Quality" }
                } }
                tbody { @for (index, cell) in self.cells.iter().enumerate() { tr {
                    th scope="row" { (series::span(&self.day, cell.start, cell.end)) }
                    @if profile { td.n { (cell.used.map(|v| self.measure.fine(v)).unwrap_or_default()) } }
                    @if profile && self.sends { td.n { (cell.sent.map(|v| self.measure.fine(v)).unwrap_or_default()) } }
                    @if volts { td.n { (self.volts(index).map(|v| format!("{v:.1}")).unwrap_or_default()) } }
                    td { (self.quality(index, cell)) }
                } } }
            }
        }
    }
}

/// A quality in a word or two.
pub(crate) const fn quality_word(class: QualityClass) -> &'static str {
    match class {
        QualityClass::Raw => "Read",
        QualityClass::Valid => "Valid",
        QualityClass::Verified => "Verified",
        QualityClass::Edited => "Edited",
        QualityClass::EstimatedLinear => "Estimated, linear",
        QualityClass::EstimatedLikeDay => "Estimated, like days",
        QualityClass::EstimatedProfile => "Estimated, profile",
        QualityClass::EstimatedScaled => "Estimated, to register",
        QualityClass::DerivedZero => "Zero, outage",
        QualityClass::Missing => "Missing",
        QualityClass::Questionable => "Questionable",
        QualityClass::Projected => "Projected",
        QualityClass::Substituted => "Estimated by the sender",
    }
}
