//! Days by hours as a grid of colour steps: one path a step, so that weeks of hours cost a few nodes.

use maud::{Markup, html};
use std::fmt::Write as _;

/// Rows of days, columns of hours.
#[derive(Clone, Debug)]
pub(crate) struct HeatMap {
    /// Accessible name: what it shows and where the numbers are.
    pub(crate) label: String,
    /// Unit of the values, for the tip.
    pub(crate) unit: &'static str,
    /// Upper bounds of the six lower colour steps, ascending.
    pub(crate) steps: [f64; 6],
    /// One row a day: its name, a label for the left edge where it has one, and 24 values.
    pub(crate) days: Vec<HeatDay>,
}

/// One day of a heat map.
#[derive(Clone, Debug)]
pub(crate) struct HeatDay {
    /// Name in the tip.
    pub(crate) name: String,
    /// Label at the left edge.
    pub(crate) edge: Option<String>,
    /// The value of each hour of the clock; `None` where there is no reading.
    pub(crate) hours: Vec<Option<f64>>,
}

const ROW: usize = 14;

impl HeatMap {
    fn paths(&self) -> Vec<(String, String)> {
        let missing = self.steps.len() + 1;
        let mut paths = vec![String::new(); missing + 1];
        for (row, day) in self.days.iter().enumerate() {
            for (column, value) in day.hours.iter().enumerate() {
                let step = value.map_or(missing, |v| {
                    self.steps.iter().position(|bound| v < *bound).unwrap_or(self.steps.len())
                });
                let _ = write!(paths[step], "M{column} {row}h1v1h-1z");
            }
        }
        let class = |step: usize| if step == missing { "qx".to_owned() } else { format!("q{step}") };
        paths.into_iter().enumerate().filter(|(_, p)| !p.is_empty()).map(|(s, p)| (class(s), p)).collect()
    }

    fn data(&self) -> String {
        let row = |day: &HeatDay| {
            let cells: Vec<String> =
                day.hours.iter().map(|v| v.map_or("-".to_owned(), |v| format!("{v:.2}"))).collect();
            cells.join(",")
        };
        self.days.iter().map(row).collect::<Vec<_>>().join(";")
    }

    /// The map.
    pub(crate) fn render(&self) -> Markup {
        let height = self.days.len() * ROW;
        let names = self.days.iter().map(|d| d.name.as_str()).collect::<Vec<_>>().join(",");
        html! {
            div.heat data-heat=(self.data()) data-days=(names) data-unit=(self.unit) {
                svg.hd aria-hidden="true" width="52" height=(height) {
                    @for (row, day) in self.days.iter().enumerate() {
                        @if let Some(edge) = &day.edge { text x="44" y=(row * ROW + 11) { (edge) } }
                    }
                }
                div {
                    svg.hc role="img" aria-label=(self.label) width="100%" height=(height)
                        viewBox=(format!("0 0 24 {}", self.days.len().max(1))) preserveAspectRatio="none" {
                        @for (class, path) in self.paths() { path class=(class) d=(path) {} }
                    }
                    svg.hx width="100%" height="22" aria-hidden="true" {
                        @for hour in (0..=24u8).step_by(3) {
                            text.wide[hour % 6 != 0].s[hour == 0].e[hour == 24]
                                x=(super::pct(f64::from(hour) / 24.0 * 100.0)) y="16" { (format!("{hour:02}:00")) }
                        }
                    }
                }
            }
        }
    }

    /// The colour scale with its ends in words.
    pub(crate) fn scale(&self) -> Markup {
        html! {
            div.scale aria-hidden="true" {
                span { "0" @for step in 0..=6 { i.(format!("q{step}")) {} } (format!("{:.1}+ {}", self.steps[5], self.unit)) }
                span { i.qx {} "No reading" }
            }
        }
    }
}
