//! What a service point used, by day and by month.

use super::profile::{Series, series};
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelKind, Commodity, LocalDay, MeterId, ServicePointId};
use std::collections::BTreeMap;
use store::{Channel, DaySummary, Read, WeatherHour};

/// A day of a service point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDay {
    /// The day.
    pub day: LocalDay,
    /// What is delivered.
    pub commodity: Commodity,
    /// Which meter measured.
    pub meter: MeterId,
    /// What was used: energy in Wh, volume in litres.
    pub used: Series,
    /// What was sent back, where the meter counts that.
    pub sent: Option<Series>,
    /// The weather of the day's hours, where there is some.
    pub weather: Vec<WeatherHour>,
}

/// A day of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthDay {
    /// Which.
    pub date: Date,
    /// Sum of what is there, Wh or litres; `None` when nothing is.
    pub used: Option<i64>,
    /// The same of what was sent back.
    pub sent: Option<i64>,
    /// Intervals of the day.
    pub expected: u32,
    /// Those that were read.
    pub present: u32,
    /// Those that were estimated or derived.
    pub estimated: u32,
    /// Mean temperature, tenths of a degree Celsius.
    pub mean_temperature_dc: Option<i16>,
}

impl MonthDay {
    /// Intervals of which nothing is known.
    pub const fn missing(&self) -> u32 {
        self.expected.saturating_sub(self.present).saturating_sub(self.estimated)
    }
}

/// A month of a service point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageMonth {
    /// Its first day.
    pub first: Date,
    /// What is delivered.
    pub commodity: Commodity,
    /// Which meter measured.
    pub meter: MeterId,
    /// Every day of the month.
    pub days: Vec<MonthDay>,
}

struct Channels {
    meter: MeterId,
    commodity: Commodity,
    used: Channel,
    sent: Option<Channel>,
}

fn channels(read: &Read, point: ServicePointId) -> Result<Option<Channels>, MdmError> {
    let Some(meter) = read.meters_at(point)?.into_iter().next() else { return Ok(None) };
    let kind = match meter.commodity {
        Commodity::Electricity => ChannelKind::Import,
        Commodity::Gas => ChannelKind::Gas,
        Commodity::Water => ChannelKind::Water,
    };
    let Some(used) = read.channel(meter.id, kind)? else { return Ok(None) };
    let sent = read.channel(meter.id, ChannelKind::Export)?;
    Ok(Some(Channels { meter: meter.id, commodity: meter.commodity, used, sent }))
}

impl Mdm {
    /// A day of a service point; `None` when no meter is there.
    ///
    /// # Errors
    /// What the store says.
    pub fn usage_day(&self, point: ServicePointId, date: Date) -> Result<Option<UsageDay>, MdmError> {
        let day = self.local_day(date)?;
        self.store().read(|r| {
            let Some(channels) = channels(r, point)? else { return Ok(None) };
            Ok(Some(UsageDay {
                commodity: channels.commodity,
                meter: channels.meter,
                used: series(r, &channels.used, &day)?,
                sent: channels.sent.map(|channel| series(r, &channel, &day)).transpose()?,
                weather: r.weather(day.start(), day.end())?,
                day,
            }))
        })
    }

    /// The month that holds `date`; `None` when no meter is at the service point.
    ///
    /// # Errors
    /// What the store says.
    pub fn usage_month(&self, point: ServicePointId, date: Date) -> Result<Option<UsageMonth>, MdmError> {
        let first = date.first_of_month();
        let after = date.last_of_month().tomorrow().map_err(|_| model::time::DateOutOfRange(date))?;
        self.store().read(|r| {
            let Some(channels) = channels(r, point)? else { return Ok(None) };
            let used = by_date(r.day_totals(channels.used.id, first, after)?);
            let sent = match &channels.sent {
                Some(channel) => by_date(r.day_totals(channel.id, first, after)?),
                None => BTreeMap::new(),
            };
            let mut days = Vec::with_capacity(31);
            let mut day = self.local_day(first)?;
            while day.date() < after {
                let summary = used.get(&day.date());
                let expected = day.intervals(channels.used.interval);
                days.push(MonthDay {
                    date: day.date(),
                    used: summary.and_then(total),
                    sent: sent.get(&day.date()).and_then(total),
                    expected: summary
                        .map_or(u32::try_from(expected).unwrap_or(0), |summary| summary.expected),
                    present: summary.map_or(0, |summary| summary.present),
                    estimated: summary.map_or(0, |summary| summary.estimated),
                    mean_temperature_dc: mean(&r.weather(day.start(), day.end())?),
                });
                day = day.next()?;
            }
            Ok(Some(UsageMonth { first, commodity: channels.commodity, meter: channels.meter, days }))
        })
    }

    /// The weather in `[from, to)`, by time.
    ///
    /// # Errors
    /// What the store says.
    pub fn weather(&self, from: Timestamp, to: Timestamp) -> Result<Vec<WeatherHour>, MdmError> {
        Ok(self.store().read(|r| r.weather(from, to))?)
    }

    /// The first and last day of which anything is known of anybody, for date pickers.
    ///
    /// # Errors
    /// What the store says.
    pub fn known_days(&self) -> Result<Option<(Date, Date)>, MdmError> {
        Ok(self.store().read(store::Read::day_range)?)
    }
}

fn by_date(summaries: Vec<DaySummary>) -> BTreeMap<Date, DaySummary> {
    summaries.into_iter().map(|summary| (summary.day, summary)).collect()
}

fn total(summary: &DaySummary) -> Option<i64> {
    (summary.present + summary.estimated > 0).then_some(summary.total)
}

fn mean(hours: &[WeatherHour]) -> Option<i16> {
    let sum: i64 = hours.iter().map(|hour| i64::from(hour.temperature_dc)).sum();
    let mean = sum.checked_div(i64::try_from(hours.len()).ok()?)?;
    i16::try_from(mean).ok()
}
