//! The chart of the editing bench: what was read and what stands, drawn over each other, with the quality of each
//! interval, the intervals that a rule did not let pass, the chosen ones and what they would become.
//!
//! Bars are what stands, the line is what was read, the dashed line is what is proposed. All bars of one look are one
//! path, so a day of minutes costs no more nodes than its pointer targets.

use super::{Axis, Tick, count, pct, px, tip_rows};
use maud::{Markup, html};
use std::fmt::Write as _;

/// How the value that stands came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Read from the meter.
    Read,
    /// Estimated or derived: hatched.
    Estimated,
    /// Set by a person.
    Edited,
    /// No value, though there should be one: a dashed slot.
    Missing,
    /// Not over yet.
    Ahead,
}

/// One interval.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// The label below, if any.
    pub(crate) tick: Option<Tick>,
    /// As read.
    pub(crate) raw: Option<f64>,
    /// As it stands.
    pub(crate) now: Option<f64>,
    /// As it would be.
    pub(crate) after: Option<f64>,
    /// How the standing value came about.
    pub(crate) look: Look,
    /// The class of the gravest rule that stopped it.
    pub(crate) failed: Option<&'static str>,
    /// Whether it is chosen.
    pub(crate) chosen: bool,
    /// Its time, for the tip and for the selection.
    pub(crate) head: String,
    /// Rows of the tip.
    pub(crate) rows: Vec<(String, String)>,
}

/// The chart.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    /// Accessible name.
    pub(crate) label: String,
    /// Unit of the scale.
    pub(crate) unit: &'static str,
    /// Number of the first interval shown, for the selection.
    pub(crate) first: usize,
    /// The intervals in order of time.
    pub(crate) marks: Vec<Mark>,
    /// Whether zero belongs on the scale; a voltage does without.
    pub(crate) from_zero: bool,
    /// Height in CSS pixels, labels included.
    pub(crate) height: f64,
}

const TOP: f64 = 26.0;
const FOOT: f64 = 44.0;

impl Bench {
    fn plot_height(&self) -> f64 {
        self.height - TOP - FOOT
    }

    fn axis(&self) -> Axis {
        let values = self.marks.iter().flat_map(|mark| [mark.raw, mark.now, mark.after]).flatten();
        let (lo, hi) = values.fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(v), hi.max(v)));
        if lo > hi {
            return Axis::spanning(0.0, 1.0);
        }
        if self.from_zero {
            Axis::spanning(lo.min(0.0), hi.max(0.0))
        } else {
            Axis::spanning(lo - 1.0, hi + 1.0)
        }
    }

    /// Runs of intervals of which `class` gives the same answer.
    fn runs(&self, class: impl Fn(&Mark) -> Option<&'static str>) -> Vec<(usize, usize, &'static str)> {
        let mut runs: Vec<(usize, usize, &'static str)> = Vec::new();
        for (index, mark) in self.marks.iter().enumerate() {
            let Some(class) = class(mark) else { continue };
            match runs.last_mut() {
                Some((_, to, last)) if *to == index && *last == class => *to = index + 1,
                _ => runs.push((index, index + 1, class)),
            }
        }
        runs
    }

    /// All bars of one look as one path over a grid of one unit an interval.
    fn bars(&self, axis: &Axis, look: Look) -> String {
        let base = axis.depth(if self.from_zero { 0.0 } else { axis.lo }) * 100.0;
        let mut path = String::new();
        for (index, mark) in self.marks.iter().enumerate().filter(|(_, mark)| mark.look == look) {
            let Some(value) = mark.now else { continue };
            let (x, y) = (count(index), axis.depth(value) * 100.0);
            // Writing to a string cannot fail.
            let _ = write!(path, "M{:.2} {base:.2}V{y:.2}h.76V{base:.2}z", x + 0.12);
        }
        path
    }

    /// A line of steps, broken where a value is missing.
    fn steps(&self, axis: &Axis, value: impl Fn(&Mark) -> Option<f64>) -> String {
        let (mut path, mut joined) = (String::new(), false);
        for (index, mark) in self.marks.iter().enumerate() {
            let Some(value) = value(mark) else {
                joined = false;
                continue;
            };
            let y = axis.depth(value) * 100.0;
            let _ = if joined { write!(path, "V{y:.2}h1") } else { write!(path, "M{index} {y:.2}h1") };
            joined = true;
        }
        path
    }

    /// The chart.
    pub(crate) fn render(&self) -> Markup {
        let axis = self.axis();
        let y = |value: f64| TOP + axis.depth(value) * self.plot_height();
        html! {
            div.plot.bench data-chart data-bench=(self.first) aria-roledescription="chart" role="group" aria-label=(self.label) {
                svg.ax.ax-l width="44" height=(self.height) aria-hidden="true" {
                    text.un x="36" y="11" { (self.unit) }
                    @for tick in axis.ticks() { text x="36" y=(px(y(tick) + 4.0)) { (axis.text(tick)) } }
                }
                svg.pl width="100%" height=(self.height) {
                    defs { pattern #hatch-bench width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                        rect.hatch width="2.4" height="6" {}
                    } }
                    @for (from, to, class) in self.runs(|mark| mark.failed) { (self.stopped(from, to, class)) }
                    @for (from, to, _) in self.runs(|mark| mark.chosen.then_some("")) { (self.chosen(from, to)) }
                    @for tick in axis.ticks() {
                        line.grid.base[tick == 0.0] x1="0" x2="100%" y1=(px(y(tick))) y2=(px(y(tick))) {}
                    }
                    (self.lines(&axis))
                    (self.slots(&axis))
                    (self.targets())
                    @for (from, to, class) in self.runs(ribbon) { (self.ribbon(from, to, class)) }
                }
            }
        }
    }

    fn band(&self) -> f64 {
        100.0 / count(self.marks.len().max(1))
    }

    fn stopped(&self, from: usize, to: usize, class: &'static str) -> Markup {
        let (x, w) = (pct(count(from) * self.band()), pct(count(to - from) * self.band()));
        html! {
            rect.stop.(class) x=(x) width=(w) y=(px(TOP - 8.0)) height=(px(self.plot_height() + 8.0)) {}
            rect.flag.(class) x=(x) width=(w) y=(px(TOP - 12.0)) height="4" {}
        }
    }

    fn chosen(&self, from: usize, to: usize) -> Markup {
        let (x, w) = (pct(count(from) * self.band()), pct(count(to - from) * self.band()));
        html! { rect.pick x=(x) width=(w) y=(px(TOP - 8.0)) height=(px(self.plot_height() + 8.0)) {} }
    }

    fn lines(&self, axis: &Axis) -> Markup {
        html! {
            svg.temp x="0" y=(px(TOP)) width="100%" height=(px(self.plot_height())) aria-hidden="true"
                viewBox=(format!("0 0 {} 100", self.marks.len().max(1))) preserveAspectRatio="none" {
                @for (class, look) in [("read", Look::Read), ("gues", Look::Estimated), ("hand", Look::Edited)] {
                    @let path = self.bars(axis, look);
                    @if !path.is_empty() { path.bb.(class) d=(path) {} }
                }
                @let raw = self.steps(axis, |mark| mark.raw);
                @if !raw.is_empty() { path.raw d=(raw) {} }
                @let after = self.steps(axis, |mark| mark.after);
                @if !after.is_empty() { path.then d=(after) {} }
            }
        }
    }

    /// What hatching and dashes must not be stretched for: estimated and missing intervals, each a rectangle.
    fn slots(&self, axis: &Axis) -> Markup {
        let y = |value: f64| TOP + axis.depth(value) * self.plot_height();
        let zero = y(if self.from_zero { 0.0 } else { axis.lo });
        let place = |index: usize| (pct((count(index) + 0.12) * self.band()), pct(0.76 * self.band()));
        html! {
            @for (index, mark) in self.marks.iter().enumerate() {
                @let (x, w) = place(index);
                @match (mark.look, mark.now) {
                    (Look::Estimated, Some(value)) => {
                        rect.est x=(x) width=(w) y=(px(y(value).min(zero))) height=(px((zero - y(value)).abs())) fill="url(#hatch-bench)" {}
                    }
                    (Look::Missing, _) => rect.miss x=(x) width=(w) y=(px(zero - 40.0)) height="40" rx="1" {},
                    _ => {}
                }
            }
        }
    }

    fn targets(&self) -> Markup {
        let height = px(TOP + self.plot_height());
        html! {
            @for (index, mark) in self.marks.iter().enumerate() {
                rect.bar.hit.sel[mark.chosen] x=(pct(count(index) * self.band())) width=(pct(self.band())) y="0" height=(height)
                    data-h=(mark.head) data-r=(tip_rows(&mark.rows)) {}
            }
            @for (index, mark) in self.marks.iter().enumerate() {
                @if let Some(tick) = &mark.tick {
                    text.xt.wide[!tick.on_phone] x=(pct((count(index) + 0.5) * self.band()))
                        y=(px(TOP + self.plot_height() + 19.0)) aria-hidden="true" { (tick.text) }
                }
            }
        }
    }

    fn ribbon(&self, from: usize, to: usize, class: &'static str) -> Markup {
        let (from, to) = (count(from) * self.band(), count(to) * self.band());
        html! {
            rect.rb.(class) x=(pct(from + 0.06)) width=(pct((to - from - 0.12).max(0.3))) y=(px(self.height - 12.0)) height="5" rx="2" {}
        }
    }
}

/// The quality of an interval as a colour of the ribbon below the axis.
const fn ribbon(mark: &Mark) -> Option<&'static str> {
    match mark.look {
        Look::Read => Some("ok"),
        Look::Estimated => Some("est"),
        Look::Edited => Some("hand"),
        Look::Missing => Some("miss"),
        Look::Ahead => None,
    }
}

/// One day of a strip of days.
#[derive(Clone, Debug)]
pub(crate) struct StripDay {
    /// Its name, short.
    pub(crate) name: String,
    /// The day in words, with what is known of it.
    pub(crate) label: String,
    /// Where it leads.
    pub(crate) href: String,
    /// Whether it is the one on the bench.
    pub(crate) current: bool,
    /// The class of the gravest finding about it.
    pub(crate) failed: Option<&'static str>,
    /// Its values; all days of a strip have about as many.
    pub(crate) values: Vec<Option<f64>>,
}

/// Days side by side as one line, each a link.
pub(crate) fn strip(days: &[StripDay]) -> Markup {
    let values = days.iter().flat_map(|day| day.values.iter()).flatten();
    let (lo, hi) = values.fold((0.0f64, 0.0f64), |(lo, hi), v| (lo.min(*v), hi.max(*v)));
    let span = if hi > lo { hi - lo } else { 1.0 };
    let path = |day: &StripDay| {
        let (mut path, mut joined) = (String::new(), false);
        for (index, value) in day.values.iter().enumerate() {
            let Some(value) = value else {
                joined = false;
                continue;
            };
            let (x, y) = (count(index) + 0.5, 2.0 + (hi - value) / span * 36.0);
            let _ = write!(path, "{}{x:.1} {y:.1}", if joined { "L" } else { "M" });
            joined = true;
        }
        path
    };
    html! {
        ol.strip {
            @for day in days { li {
                a href=(day.href) aria-current=[day.current.then_some("date")] title=(day.label) {
                    svg width="100%" height="40" viewBox=(format!("0 0 {} 40", day.values.len().max(1))) preserveAspectRatio="none" aria-hidden="true" {
                        path.sl d=(path(day)) {}
                    }
                    span { (day.name) @if let Some(class) = day.failed { i.dot.(class) {} } }
                }
            } }
        }
    }
}
