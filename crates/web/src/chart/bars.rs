//! Bars over equal slots of time, with what was received shown below the axis, an optional weather line and
//! an optional ribbon that names stretches of time.

use super::{Axis, Tick, count, pct, px, smooth, tip_rows, tip_sentence};
use maud::{Markup, html};

/// How a slot's value came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Read from the meter.
    Measured,
    /// At least one reading in it is estimated: hatched.
    Estimated,
    /// Some readings are missing: what is there is drawn, with a dashed slot on top.
    Partial,
    /// No reading, though there should be one: a dashed slot.
    Missing,
    /// Not over yet: nothing is drawn.
    Ahead,
    /// Before anything was kept: nothing is drawn.
    Before,
}

/// One slot of time.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// The label below, if any.
    pub(crate) tick: Option<Tick>,
    /// Used, in the chart's unit.
    pub(crate) used: f64,
    /// The same as text, for the highest bar.
    pub(crate) text: String,
    /// Sent back, drawn below the axis; zero or more.
    pub(crate) sent: f64,
    /// What is usual for this slot.
    pub(crate) usual: Option<f64>,
    /// The overlay's value, e.g. a temperature.
    pub(crate) over: Option<f64>,
    /// How the value came about.
    pub(crate) state: State,
    /// Where the bar leads; a chart's bars are either all links or none is.
    pub(crate) href: Option<String>,
    /// Heading of the tip, e.g. `16:00 – 17:00`.
    pub(crate) head: String,
    /// Rows of the tip.
    pub(crate) rows: Vec<(String, String)>,
}

/// A second scale at the right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overlay {
    /// Written after each number, e.g. `°`.
    pub(crate) suffix: &'static str,
}

/// A named stretch of slots `from..to`.
#[derive(Clone, Debug)]
pub(crate) struct Ribbon {
    /// First slot.
    pub(crate) from: usize,
    /// End, exclusive.
    pub(crate) to: usize,
    /// Colour class.
    pub(crate) class: &'static str,
    /// Name, shown where it fits.
    pub(crate) label: &'static str,
}

/// A bar chart.
#[derive(Clone, Debug)]
pub(crate) struct Bars {
    /// Unique on the page.
    pub(crate) id: String,
    /// Accessible name.
    pub(crate) label: String,
    /// Unit of the left scale.
    pub(crate) unit: &'static str,
    /// The slots in order of time.
    pub(crate) slots: Vec<Slot>,
    /// The overlay's scale, when slots carry one.
    pub(crate) overlay: Option<Overlay>,
    /// Stretches of time under the labels.
    pub(crate) ribbon: Vec<Ribbon>,
    /// Height in CSS pixels, labels included.
    pub(crate) height: f64,
}

const TOP: f64 = 22.0;

impl Bars {
    fn foot(&self) -> f64 {
        if self.ribbon.is_empty() { 30.0 } else { 58.0 }
    }

    fn plot_height(&self) -> f64 {
        self.height - TOP - self.foot()
    }

    fn axis(&self) -> Axis {
        let highest = |f: fn(&Slot) -> f64| self.slots.iter().map(f).fold(0.0, f64::max);
        let used = highest(|s| s.used).max(highest(|s| s.usual.unwrap_or(0.0)));
        Axis::spanning(-highest(|s| s.sent), if used > 0.0 { used } else { 1.0 })
    }

    fn over_axis(&self) -> Option<Axis> {
        let values: Vec<f64> = self.slots.iter().filter_map(|s| s.over).collect();
        self.overlay.filter(|_| values.len() > 1)?;
        let lo = values.iter().copied().fold(f64::MAX, f64::min);
        let hi = values.iter().copied().fold(f64::MIN, f64::max);
        Some(Axis::spanning(lo.floor(), hi.ceil().max(lo.floor() + 4.0)))
    }

    /// The chart.
    pub(crate) fn render(&self) -> Markup {
        let (axis, over) = (self.axis(), self.over_axis());
        let y = |value: f64| TOP + axis.depth(value) * self.plot_height();
        html! {
            div.plot data-chart aria-roledescription="chart" role="group" aria-label=(self.label) {
                svg.ax.ax-l width="44" height=(self.height) aria-hidden="true" {
                    text.un x="36" y="11" { (self.unit) }
                    @for tick in axis.ticks() { text x="36" y=(px(y(tick) + 4.0)) { (axis.text(tick)) } }
                }
                svg.pl width="100%" height=(self.height) {
                    defs { pattern id=(format!("hatch-{}", self.id)) width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                        rect.hatch width="2.4" height="6" {}
                    } }
                    @for tick in axis.ticks() {
                        line.grid.base[tick == 0.0] x1="0" x2="100%" y1=(px(y(tick))) y2=(px(y(tick))) {}
                    }
                    @for index in 0..self.slots.len() { (self.slot(index, &y)) }
                    @if let Some(over) = &over { (self.over_line(over)) }
                    (self.peak(&y))
                    (self.ticks())
                    @for stretch in &self.ribbon { (self.stretch(stretch)) }
                }
                @if let (Some(over), Some(overlay)) = (&over, self.overlay) {
                    svg.ax.ax-r width="40" height=(self.height) aria-hidden="true" {
                        @for tick in over.ticks() {
                            text x="8" y=(px(TOP + over.depth(tick) * self.plot_height() + 4.0)) {
                                (over.text(tick)) (overlay.suffix)
                            }
                        }
                    }
                }
            }
        }
    }

    fn band(&self) -> f64 {
        100.0 / count(self.slots.len().max(1))
    }

    fn slot(&self, index: usize, y: &dyn Fn(f64) -> f64) -> Markup {
        let slot = &self.slots[index];
        let (left, whole) = (pct(count(index) * self.band()), pct(self.band()));
        let height = px(TOP + self.plot_height());
        let rows = tip_rows(&slot.rows);
        // A tip without script costs a node a bar: kept for charts of few bars, the table has the rest.
        let titled = self.slots.len() <= 31;
        let sentence = tip_sentence(&slot.head, &slot.rows);
        html! {
            @if let Some(href) = &slot.href {
                a.bar href=(href) data-h=(slot.head) data-r=(rows) aria-label=(sentence) {
                    rect.hit x=(left) width=(whole) y="0" height=(height) {}
                    (self.marks(index, y))
                    title { (sentence) }
                }
            } @else {
                rect.bar.hit x=(left) width=(whole) y="0" height=(height) data-h=(slot.head) data-r=(rows) {
                    @if titled { title { (sentence) } }
                }
                (self.marks(index, y))
            }
        }
    }

    fn marks(&self, index: usize, y: &dyn Fn(f64) -> f64) -> Markup {
        let slot = &self.slots[index];
        let (band, many) = (self.band(), self.slots.len() > 40);
        let width = band * if many { 0.82 } else { 0.68 };
        let (x, w) = (pct(count(index) * band + (band - width) / 2.0), pct(width));
        let radius = if many { "1" } else { "3" };
        let hatch = format!("url(#hatch-{})", self.id);
        let hatched = slot.state == State::Estimated;
        let bar = |class: &str, from: f64, to: f64| {
            let (top, height) = (px(from), px((to - from).max(1.0)));
            html! {
                rect.b.(class) x=(x) width=(w) y=(top) height=(height) rx=(radius) {}
                @if hatched { rect.est x=(x) width=(w) y=(top) height=(height) rx=(radius) fill=(hatch) {} }
            }
        };
        html! {
            @match slot.state {
                State::Missing => rect.miss x=(x) width=(w) y=(px(y(0.0) - 44.0)) height="44" rx=(radius) {},
                // What is missing would stand on top of what is there.
                State::Partial => rect.miss x=(x) width=(w) y=(px(y(slot.used) - 16.0)) height="16" rx=(radius) {},
                State::Measured | State::Estimated | State::Ahead | State::Before => {}
            }
            @if slot.used > 0.0 { (bar("use", y(slot.used), y(0.0))) }
            @if slot.sent > 0.0 { (bar("sun", y(0.0), y(-slot.sent))) }
            @if let Some(usual) = slot.usual {
                line.typ x1=(x) x2=(pct(count(index) * band + (band + width) / 2.0)) y1=(px(y(usual))) y2=(px(y(usual))) {}
            }
        }
    }

    /// The overlay, broken where it has no value.
    fn over_line(&self, axis: &Axis) -> Markup {
        let mut runs: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
        for (index, slot) in self.slots.iter().enumerate() {
            match (slot.over, runs.last_mut()) {
                (Some(value), Some(run)) => run.push((count(index) + 0.5, axis.depth(value) * 100.0)),
                _ => runs.push(Vec::new()),
            }
        }
        let path: String = runs.iter().map(|run| smooth(run)).collect();
        html! {
            svg.temp x="0" y=(px(TOP)) width="100%" height=(px(self.plot_height()))
                viewBox=(format!("0 0 {} 100", self.slots.len())) preserveAspectRatio="none" aria-hidden="true" {
                path.halo d=(path) {}
                path.tl d=(path) {}
            }
        }
    }

    /// The highest bar carries its number.
    fn peak(&self, y: &dyn Fn(f64) -> f64) -> Markup {
        let highest = (0..self.slots.len())
            .filter(|i| self.slots[*i].used > 0.0)
            .max_by(|a, b| self.slots[*a].used.total_cmp(&self.slots[*b].used));
        let Some(index) = highest else { return html! {} };
        let Slot { used, text, .. } = &self.slots[index];
        let x = ((count(index) + 0.5) * self.band()).clamp(2.0, 98.0);
        html! { text.pk x=(pct(x)) y=(px(y(*used) - 7.0)) aria-hidden="true" { (text) } }
    }

    fn ticks(&self) -> Markup {
        html! {
            @for (index, slot) in self.slots.iter().enumerate() {
                @if let Some(tick) = &slot.tick {
                    text.xt.wide[!tick.on_phone] x=(pct((count(index) + 0.5) * self.band()))
                        y=(px(TOP + self.plot_height() + 19.0)) aria-hidden="true" { (tick.text) }
                }
            }
        }
    }

    fn stretch(&self, stretch: &Ribbon) -> Markup {
        let band = self.band();
        let (from, to) = (count(stretch.from) * band, count(stretch.to) * band);
        let y = TOP + self.plot_height();
        html! {
            rect.rb.(stretch.class) x=(pct(from + 0.1)) width=(pct((to - from - 0.2).max(0.3))) y=(px(y + 30.0)) height="4" rx="2" {}
            @if to - from > 14.0 {
                text.rt x=(pct(f64::midpoint(from, to))) y=(px(y + 50.0)) aria-hidden="true" { (stretch.label) }
            }
        }
    }
}
