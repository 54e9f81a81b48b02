//! Which rate is in force: the activity calendar and its special days.

use jiff::civil::{DateTime, Time};
use serde::{Deserialize, Deserializer};

/// Rates over the week, with special days.
///
/// Standard: IEC 62056-6-2, activity calendar (class 20) and special days table (class 11). One season covers
/// the year.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// Name of the calendar, at most 8 letters.
    pub name: String,
    /// Day profile of each day from Monday to Sunday.
    pub week: [u8; 7],
    /// The day profiles.
    #[serde(rename = "day")]
    pub days: Vec<DayProfile>,
    /// Dates with a day profile of their own.
    #[serde(default, rename = "special")]
    pub specials: Vec<SpecialDay>,
}

/// Rates over a day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayProfile {
    /// Its number.
    pub id: u8,
    /// From when which rate, in order, the first at midnight.
    pub switches: Vec<Switch>,
}

/// A change of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Local time.
    #[serde(deserialize_with = "time")]
    pub at: Time,
    /// Rate 1 to 4 from then on.
    pub rate: u8,
}

/// A date of every year with a day profile of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialDay {
    /// Month, 1 to 12.
    pub month: i8,
    /// Day of the month.
    pub day: i8,
    /// Day profile.
    pub id: u8,
}

impl Tariff {
    /// The rate, 1 to 4, at a local time.
    pub fn rate(&self, local: DateTime) -> u8 {
        let special = self
            .specials
            .iter()
            .find(|special| special.month == local.date().month() && special.day == local.date().day());
        let weekday = usize::try_from(local.date().weekday().to_monday_zero_offset()).unwrap_or(0);
        let id = special.map_or(self.week[weekday % 7], |special| special.id);
        let switches = self.days.iter().find(|day| day.id == id).map_or(&[][..], |day| &day.switches);
        let now = switches.iter().rev().find(|switch| switch.at <= local.time()).or_else(|| switches.first());
        now.map_or(1, |switch| switch.rate)
    }

    /// Says what is wrong, if something is. A rate that changed inside an interval could not be seen in the
    /// profile, so switches fall on interval boundaries.
    pub(crate) fn check(&self, interval_s: u32) -> Result<(), &'static str> {
        let known = |id: u8| self.days.iter().any(|day| day.id == id);
        if !self.week.iter().copied().chain(self.specials.iter().map(|special| special.id)).all(known) {
            return Err("names a day profile that it does not have");
        }
        if self.name.len() > 8 {
            return Err("has a name of more than 8 letters");
        }
        for day in &self.days {
            let at_midnight = day.switches.first().is_some_and(|switch| switch.at == Time::midnight());
            if !at_midnight || day.switches.windows(2).any(|pair| pair[0].at >= pair[1].at) {
                return Err("has a day whose switches do not start at 00:00 and rise");
            }
            for switch in &day.switches {
                let second =
                    u32::try_from(i32::from(switch.at.minute()) * 60 + i32::from(switch.at.second()));
                if !(1..=4).contains(&switch.rate) {
                    return Err("has a rate other than 1 to 4");
                }
                if second.unwrap_or(1) % interval_s != 0 {
                    return Err("switches inside a profile interval");
                }
            }
        }
        Ok(())
    }
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
    let text = String::deserialize(from)?;
    text.parse()
        .map_err(|_| serde::de::Error::custom(format!("`{text}` is no time of day; write it as 16:00")))
}
