//! Server-rendered SVG charts: bars, lines, heat maps and sparklines.
//!
//! Colours come only from classes, so dark mode costs nothing and no style attribute is needed (strict CSP).
//! x is in percent and text is never scaled, so that strokes and letters stay crisp at every width. Nothing
//! here needs script; script only adds a tooltip that pointer and arrow keys share.

mod axis;
mod bars;
mod bench;
mod heat;
mod line;
mod spark;

pub(crate) use axis::Axis;
pub(crate) use bars::{Bars, Overlay, Ribbon, Slot, State};
pub(crate) use bench::{Bench, Look, Mark, StripDay, strip};
pub(crate) use heat::{HeatDay, HeatMap};
pub(crate) use line::{Line, Point};
pub(crate) use spark::spark;

use std::fmt::Write as _;

/// A label under a slot, and whether a phone has room for it too.
#[derive(Clone, Debug)]
pub(crate) struct Tick {
    /// The label.
    pub(crate) text: String,
    /// Shown at every width.
    pub(crate) on_phone: bool,
}

/// An integer as a chart coordinate.
#[expect(clippy::cast_precision_loss, reason = "a pixel position needs fewer than 52 bits")]
pub(crate) const fn real(value: i64) -> f64 {
    value as f64
}

/// A count as a chart coordinate.
pub(crate) fn count(n: usize) -> f64 {
    real(i64::try_from(n).unwrap_or(i64::MAX))
}

/// A percentage, as SVG attributes take it.
pub(crate) fn pct(value: f64) -> String {
    format!("{value:.2}%")
}

/// A length in CSS pixels.
pub(crate) fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// The tooltip's rows as one attribute: `name TAB value`, one a line.
pub(crate) fn tip_rows(rows: &[(String, String)]) -> String {
    rows.iter().map(|(name, value)| format!("{name}\t{value}")).collect::<Vec<_>>().join("\n")
}

/// The same rows as a sentence for a `title` or an accessible name.
pub(crate) fn tip_sentence(head: &str, rows: &[(String, String)]) -> String {
    let rows: Vec<String> = rows.iter().map(|(name, value)| format!("{name} {value}")).collect();
    format!("{head}: {}", rows.join(", "))
}

/// A monotone cubic (Fritsch-Carlson) path: it never overshoots the points it joins.
pub(crate) fn smooth(points: &[(f64, f64)]) -> String {
    let [first, .., _] = points else { return String::new() };
    let slopes: Vec<f64> = points.windows(2).map(|w| (w[1].1 - w[0].1) / (w[1].0 - w[0].0)).collect();
    let tangent = |i: usize| -> f64 {
        if i == 0 {
            return slopes[0];
        }
        let Some(after) = slopes.get(i) else { return slopes[i - 1] };
        let product = slopes[i - 1] * after;
        if product <= 0.0 { 0.0 } else { 2.0 * product / (slopes[i - 1] + after) }
    };
    let mut path = format!("M{:.2} {:.2}", first.0, first.1);
    for (i, pair) in points.windows(2).enumerate() {
        let third = (pair[1].0 - pair[0].0) / 3.0;
        let (y1, y2) = (pair[0].1 + tangent(i) * third, pair[1].1 - tangent(i + 1) * third);
        let (x1, x2) = (pair[0].0 + third, pair[1].0 - third);
        // Writing to a string cannot fail.
        let _ = write!(path, "C{x1:.2} {y1:.2} {x2:.2} {y2:.2} {:.2} {:.2}", pair[1].0, pair[1].1);
    }
    path
}

#[cfg(test)]
mod tests;
