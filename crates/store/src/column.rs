//! Column values to and from our words; each conversion is written once, here.

use crate::engine::{Column, Conn, Params, Row};
use crate::error::{Result, StoreError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{BatchSource, ChannelKind, ClockStatus, Commodity, IntervalLength, Unit};

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

pub(crate) fn corrupt(what: &'static str) -> StoreError {
    StoreError::Corrupt { what }
}

pub(crate) fn day_number(day: Date) -> i32 {
    day.since(EPOCH).map_or(0, |span| span.get_days())
}

pub(crate) fn day_of(number: i32) -> Result<Date> {
    EPOCH
        .checked_add(jiff::Span::new().try_days(number).map_err(|_| corrupt("day"))?)
        .map_err(|_| corrupt("day"))
}

pub(crate) fn seconds(number: i64) -> Result<Timestamp> {
    Timestamp::from_second(number).map_err(|_| corrupt("time in seconds"))
}

pub(crate) fn millis(number: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(number).map_err(|_| corrupt("time in milliseconds"))
}

pub(crate) fn maybe_millis(number: Option<i64>) -> Result<Option<Timestamp>> {
    number.map(millis).transpose()
}

pub(crate) fn interval(secs: u32) -> Result<IntervalLength> {
    IntervalLength::from_secs(secs).map_err(|_| corrupt("interval length"))
}

pub(crate) fn kind(code: u8) -> Result<ChannelKind> {
    ChannelKind::from_code(code).ok_or_else(|| corrupt("channel kind"))
}

pub(crate) fn unit(code: u8) -> Result<Unit> {
    Unit::from_code(code).ok_or_else(|| corrupt("unit"))
}

pub(crate) const fn commodity_name(commodity: Commodity) -> &'static str {
    match commodity {
        Commodity::Electricity => "electricity",
        Commodity::Gas => "gas",
        Commodity::Water => "water",
    }
}

pub(crate) fn commodity(name: &str) -> Result<Commodity> {
    [Commodity::Electricity, Commodity::Gas, Commodity::Water]
        .into_iter()
        .find(|one| commodity_name(*one) == name)
        .ok_or_else(|| corrupt("commodity"))
}

pub(crate) const fn source_code(source: BatchSource) -> u8 {
    match source {
        BatchSource::Scheduled => 1,
        BatchSource::Push => 2,
        BatchSource::OnDemand => 3,
        BatchSource::Backfill => 4,
        BatchSource::Import => 5,
        BatchSource::Sender => 6,
    }
}

pub(crate) fn source(code: u8) -> Result<BatchSource> {
    [
        BatchSource::Scheduled,
        BatchSource::Push,
        BatchSource::OnDemand,
        BatchSource::Backfill,
        BatchSource::Import,
        BatchSource::Sender,
    ]
    .into_iter()
    .find(|one| source_code(*one) == code)
    .ok_or_else(|| corrupt("source"))
}

pub(crate) const fn clock_code(clock: ClockStatus) -> u8 {
    match clock {
        ClockStatus::Synchronised => 0,
        ClockStatus::Doubtful => 1,
        ClockStatus::Receipt => 2,
    }
}

pub(crate) fn clock(code: u8) -> Result<ClockStatus> {
    match code {
        0 => Ok(ClockStatus::Synchronised),
        1 => Ok(ClockStatus::Doubtful),
        2 => Ok(ClockStatus::Receipt),
        _ => Err(corrupt("clock status")),
    }
}

/// A point on the map, WGS 84, in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// North positive.
    pub lat_e6: i32,
    /// East positive.
    pub lon_e6: i32,
}

impl Position {
    pub(crate) fn of(lat_e6: Option<i32>, lon_e6: Option<i32>) -> Option<Self> {
        Some(Self { lat_e6: lat_e6?, lon_e6: lon_e6? })
    }

    pub(crate) fn columns(position: Option<Self>) -> (Option<i32>, Option<i32>) {
        (position.map(|p| p.lat_e6), position.map(|p| p.lon_e6))
    }
}

/// Runs a cached query and turns every row over; `read` may find a row corrupt.
pub(crate) fn rows<T>(
    conn: &Conn,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    conn.gathered(sql, &params, &mut |row| {
        found.push(read(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// As [`rows`] for at most one row.
pub(crate) fn row<T>(
    conn: &Conn,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let (mut read, mut found) = (Some(read), None);
    conn.gathered(sql, &params, &mut |row| {
        if let Some(read) = read.take() {
            found = Some(read(row)?);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Runs a cached query and hands its rows over as they come; `take` must not use the store.
pub(crate) fn each(
    conn: &Conn,
    sql: &str,
    params: impl Params,
    mut take: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    conn.each(sql, &params, &mut take)
}

/// The one value that a cached query gives.
pub(crate) fn value<T: Column>(conn: &Conn, sql: &str, params: impl Params) -> Result<T> {
    row(conn, sql, params, |row| row.get(0))?.ok_or_else(|| corrupt("result: it has no row"))
}

/// Runs a cached statement; how many rows it touched.
pub(crate) fn execute(conn: &Conn, sql: &str, params: impl Params) -> Result<usize> {
    conn.execute(sql, &params)
}
