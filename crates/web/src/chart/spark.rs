//! A sparkline: a shape without numbers, beside the number it belongs to.

use super::{count, smooth};
use maud::{Markup, html};

/// Draws `values` between `lo` and `hi`; nothing for fewer than two.
pub(crate) fn spark(values: &[f64], lo: f64, hi: f64, class: &str) -> Markup {
    if values.len() < 2 {
        return html! {};
    }
    let (last, span) = (count(values.len() - 1), if hi > lo { hi - lo } else { 1.0 });
    let height = |value: f64| 2.0 + 26.0 * (1.0 - ((value - lo) / span).clamp(0.0, 1.0));
    let points: Vec<(f64, f64)> =
        values.iter().enumerate().map(|(i, v)| (count(i) / last * 100.0, height(*v))).collect();
    let line = smooth(&points);
    html! {
        svg class=(format!("spark {class}")) viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true" {
            path.sa d=(format!("{line}V30H0Z")) {}
            path.sl d=(line) {}
        }
    }
}
