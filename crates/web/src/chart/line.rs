//! A line over equal slots of time, broken where a value is missing, with an optional band of limits.

use super::{Axis, Tick, count, pct, px, tip_rows};
use maud::{Markup, html};
use std::fmt::Write as _;

/// One value of a line.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// The label below, if any.
    pub(crate) tick: Option<Tick>,
    /// The value; `None` breaks the line.
    pub(crate) value: Option<f64>,
    /// Heading of the tip.
    pub(crate) head: String,
    /// Rows of the tip.
    pub(crate) rows: Vec<(String, String)>,
}

/// A line chart.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Accessible name.
    pub(crate) label: String,
    /// Unit of the scale.
    pub(crate) unit: &'static str,
    /// The values in order of time.
    pub(crate) points: Vec<Point>,
    /// Lowest and highest value allowed; drawn as a band and always inside the scale.
    pub(crate) limits: Option<(f64, f64)>,
    /// Height in CSS pixels, labels included.
    pub(crate) height: f64,
}

const TOP: f64 = 22.0;
const FOOT: f64 = 30.0;

impl Line {
    fn plot_height(&self) -> f64 {
        self.height - TOP - FOOT
    }

    fn axis(&self) -> Axis {
        let values = self.points.iter().filter_map(|p| p.value);
        let (mut lo, mut hi) = values.fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(v), hi.max(v)));
        if let Some((low, high)) = self.limits {
            (lo, hi) = (lo.min(low), hi.max(high));
        }
        if lo > hi { Axis::spanning(0.0, 1.0) } else { Axis::spanning(lo, hi) }
    }

    fn path(&self, axis: &Axis) -> String {
        let mut path = String::new();
        let mut joined = false;
        for (index, point) in self.points.iter().enumerate() {
            let Some(value) = point.value else {
                joined = false;
                continue;
            };
            let (x, y) = (count(index) + 0.5, axis.depth(value) * 100.0);
            // A lone value between two gaps would draw nothing; the round cap of a tiny stroke makes it a dot.
            let start = if joined { "L" } else { "M" };
            let _ = write!(path, "{start}{x:.1} {y:.2}");
            if !joined {
                path.push_str("h.01");
            }
            joined = true;
        }
        path
    }

    /// The chart.
    pub(crate) fn render(&self) -> Markup {
        let axis = self.axis();
        let y = |value: f64| TOP + axis.depth(value) * self.plot_height();
        let band = 100.0 / count(self.points.len().max(1));
        html! {
            div.plot data-chart aria-roledescription="chart" role="group" aria-label=(self.label) {
                svg.ax.ax-l width="44" height=(self.height) aria-hidden="true" {
                    text.un x="36" y="11" { (self.unit) }
                    @for tick in axis.ticks() { text x="36" y=(px(y(tick) + 4.0)) { (axis.text(tick)) } }
                }
                svg.pl width="100%" height=(self.height) {
                    @if let Some((low, high)) = self.limits {
                        rect.lim x="0" width="100%" y=(px(y(high))) height=(px(y(low) - y(high))) {}
                    }
                    @for tick in axis.ticks() { line.grid x1="0" x2="100%" y1=(px(y(tick))) y2=(px(y(tick))) {} }
                    @for (index, point) in self.points.iter().enumerate() {
                        rect.bar.hit x=(pct(count(index) * band)) width=(pct(band)) y="0" height=(px(TOP + self.plot_height()))
                            data-h=(point.head) data-r=(tip_rows(&point.rows)) {}
                    }
                    svg.temp x="0" y=(px(TOP)) width="100%" height=(px(self.plot_height())) aria-hidden="true"
                        viewBox=(format!("0 0 {} 100", self.points.len())) preserveAspectRatio="none" {
                        path.vl d=(self.path(&axis)) {}
                    }
                    @for (index, point) in self.points.iter().enumerate() {
                        @if let Some(tick) = &point.tick {
                            text.xt.wide[!tick.on_phone] x=(pct((count(index) + 0.5) * band))
                                y=(px(TOP + self.plot_height() + 19.0)) aria-hidden="true" { (tick.text) }
                        }
                    }
                }
            }
        }
    }
}
