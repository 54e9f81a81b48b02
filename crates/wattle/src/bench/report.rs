//! What was measured, told line by line.

use crate::talk::Talk;
use anyhow::Result;
use serde::Serialize;
use std::fmt::{self, Display};

/// One measured figure.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    name: String,
    value: f64,
    unit: &'static str,
    /// The standard error of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    plus_minus: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<bool>,
    peer: Option<f64>,
    ratio: Option<f64>,
}

impl Line {
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let (name, value) = (name.into(), tidy(value));
        Self {
            name,
            value,
            unit,
            plus_minus: None,
            at_least: None,
            at_most: None,
            holds: None,
            peer: None,
            ratio: None,
        }
    }

    /// How far chance alone moves the value: its standard error.
    pub(super) fn plus_minus(self, error: f64) -> Self {
        Self { plus_minus: Some(tidy(error)), ..self }
    }

    /// The value must be that near to zero, either way.
    pub(super) fn within(self, bound: f64) -> Self {
        Self { at_least: Some(-bound), at_most: Some(bound), holds: Some(self.value.abs() <= bound), ..self }
    }

    /// The value must not be below.
    pub(super) fn at_least(self, bound: f64) -> Self {
        Self { at_least: Some(bound), holds: Some(self.value >= bound), ..self }
    }

    /// The value must not be above.
    pub(super) fn at_most(self, bound: f64) -> Self {
        Self { at_most: Some(bound), holds: Some(self.value <= bound), ..self }
    }

    /// What the peer did of the same; more is better in both.
    pub(super) fn beside(self, peer: Option<f64>) -> Self {
        let ratio = peer.filter(|peer| *peer > 0.0).map(|peer| tidy(self.value / peer));
        Self { peer: peer.map(tidy), ratio, ..self }
    }

    /// What the peer did of the same; less is better in both, so the ratio is the peer's to ours.
    pub(super) fn better_than(self, peer: f64) -> Self {
        let ratio = (self.value > 0.0).then(|| tidy(peer / self.value));
        Self { peer: Some(tidy(peer)), ratio, ..self }
    }
}

/// Digits beyond what a measurement can tell only get in the way.
fn tidy(value: f64) -> f64 {
    let steps = if value.abs() >= 1000.0 { 1.0 } else { 100.0 };
    (value * steps).round() / steps
}

impl Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<32} {:>12} {:<12}", self.name, self.value, self.unit)?;
        if let Some(error) = self.plus_minus {
            write!(out, " +- {error}")?;
        }
        if let Some(bound) = self.at_least {
            write!(out, " at least {bound}")?;
        }
        if let Some(bound) = self.at_most {
            write!(out, " at most {bound}")?;
        }
        if self.holds == Some(false) {
            write!(out, " MISSED")?;
        }
        if let (Some(peer), Some(ratio)) = (self.peer, self.ratio) {
            write!(out, "  peer {peer}, ratio {ratio}")?;
        }
        Ok(())
    }
}

/// Tells lines as they come, and counts bounds that were missed.
#[derive(Debug)]
pub(super) struct Report {
    talk: Talk,
    missed: usize,
}

impl Report {
    pub(super) const fn new(talk: Talk) -> Self {
        Self { talk, missed: 0 }
    }

    pub(super) fn tell(&mut self, line: &Line) -> Result<()> {
        self.missed += usize::from(line.holds == Some(false));
        self.talk.data(line, line)
    }

    pub(super) const fn missed(&self) -> usize {
        self.missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whether_its_bound_holds() {
        let line = Line::new("x", 59.994, "s").at_most(60.0);
        let json = serde_json::to_value(&line).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "name": "x", "value": 59.99, "unit": "s", "at_most": 60.0, "holds": true, "peer": null, "ratio": null
            })
        );
        let line = Line::new("y", 10.0, "pushes/s").at_least(12.0).beside(Some(4.0));
        assert_eq!(serde_json::to_value(&line).unwrap()["ratio"], 2.5);
        assert!(line.to_string().contains("at least 12 MISSED"), "{line}");
        let line = Line::new("z", -1.2, "%").plus_minus(0.4).within(1.0);
        assert!(line.to_string().contains("+- 0.4 at least -1 at most 1 MISSED"), "{line}");
    }
}
