//! `wattle admin weather`.

use super::Place;
use crate::talk::Talk;
use anyhow::Result;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// List the temperatures that estimation and the pages can use, a month a line.
///
/// A day serves where at least twelve of its hours are known. `wattle import --weather FILE` brings them in.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
}

/// Hours of a day from which on its mean is believed, as estimation has it.
const LEAST_HOURS: usize = 12;

/// A local month.
#[derive(Default)]
struct Month {
    days: BTreeMap<Date, BTreeSet<Timestamp>>,
    sum: i64,
    hours: i64,
    lowest: Option<i16>,
    highest: Option<i16>,
}

/// Tenths of a degree as a person reads them.
struct Degrees(i64);

impl fmt::Display for Degrees {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{}", self.0.abs() / 10, self.0.abs() % 10);
        write!(out, "{text:>6}")
    }
}

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let mdm = arguments.place.manager()?;
    let hours = mdm.store().read(|read| read.weather(Timestamp::MIN, Timestamp::MAX))?;
    let mut months: BTreeMap<(i16, i8), Month> = BTreeMap::new();
    for hour in hours {
        let date = hour.at.to_zoned(mdm.zone().clone()).date();
        let month = months.entry((date.year(), date.month())).or_default();
        month.days.entry(date).or_default().insert(hour.at);
        month.sum += i64::from(hour.temperature_dc);
        month.hours += 1;
        month.lowest = Some(month.lowest.map_or(hour.temperature_dc, |known| known.min(hour.temperature_dc)));
        month.highest =
            Some(month.highest.map_or(hour.temperature_dc, |known| known.max(hour.temperature_dc)));
    }
    if months.is_empty() {
        talk.say("no temperatures are known; bring them in with `wattle import --weather FILE`");
    }
    for ((year, number), month) in &months {
        let days = month.days.values().filter(|hours| hours.len() >= LEAST_HOURS).count();
        let mean = (2 * month.sum + month.hours).div_euclid(2 * month.hours);
        let name = format!("{year:04}-{number:02}");
        let record = json!({
            "kind": "weather", "month": name, "hours": month.hours, "days": days, "mean_dc": mean,
            "lowest_dc": month.lowest, "highest_dc": month.highest,
        });
        let bound = |bound: Option<i16>| Degrees(bound.map_or(0, i64::from));
        let (lowest, highest) = (bound(month.lowest), bound(month.highest));
        let text = format!(
            "{name}  {:>4} hours  {days:>2} days that serve  mean {} °C, {lowest} to {highest}",
            month.hours,
            Degrees(mean)
        );
        talk.data(&record, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_of_a_degree_keep_their_sign() {
        let rows = [(0, "0.0"), (-4, "-0.4"), (-125, "-12.5"), (203, "20.3")];
        for (tenths, text) in rows {
            assert_eq!(Degrees(tenths).to_string().trim(), text);
        }
    }
}
