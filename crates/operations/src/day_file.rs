//! A day of everything as one Parquet file, for analysts: the newest version of every channel's day.

use exchange::parquet::{About, ParquetWriter};
use exchange::{IntervalBlock, Item, Measure, Series, WriteError, Writer};
use jiff::civil::Date;
use mdm::{Mdm, MdmError};
use model::ChannelId;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use store::{ChannelName, StoreError, StoredDay, VersionSource};

/// Channels that are held at a time.
const AT_ONCE: u32 = 4096;

/// What a day's file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayFile {
    /// Days of channels.
    pub channels: u64,
    /// Rows.
    pub intervals: u64,
}

/// Why a day's file was not written.
#[derive(Debug, thiserror::Error)]
pub enum DayFileError {
    /// The output takes no more, or has no place for a value.
    #[error("write the day: {0}")]
    Write(#[from] WriteError),
    /// The store failed.
    #[error("read the day: {0}")]
    Store(#[from] StoreError),
    /// There is no such day.
    #[error("find the day: {0}")]
    Day(#[from] MdmError),
}

/// Writes the newest version of `date` of every channel to `output`, by channel and time.
///
/// What is written depends on nothing but what is kept: the same versions are the same bytes. A day that nobody has
/// anything of is written without rows. A meter that was removed or moved since stands under where it is now.
///
/// # Errors
/// [`DayFileError`]; the output is then incomplete.
pub fn write_day(mdm: &Mdm, date: Date, mut output: impl Write) -> Result<DayFile, DayFileError> {
    let start = mdm.local_day(date)?.start();
    mdm.store().read(|read| {
        let utility = read.utility()?;
        let about = About {
            source: utility.map_or_else(String::new, |utility| utility.name),
            zone: mdm.zone().iana_name().unwrap_or_default().to_owned(),
            day: Some(date.to_string()),
        };
        let mut writer = ParquetWriter::new(&mut output, about);
        let mut done = DayFile::default();
        let end = read.channels_end()?;
        let mut first = ChannelId::new(0);
        while first < end {
            let next = ChannelId::new(first.get().saturating_add(AT_ONCE).min(end.get()));
            let days = read.days_of(date, (first, next))?;
            if !days.is_empty() {
                let names = read.channel_names((first, next))?;
                let names: BTreeMap<_, _> = names.iter().map(|name| (name.channel, name)).collect();
                let sources = read.version_sources(date, (first, next))?;
                for stored in days {
                    let Some(name) = names.get(&stored.block.channel) else { continue };
                    let source = sources.get(&(stored.block.channel, stored.block.version)).copied();
                    done.channels += 1;
                    done.intervals += u64::try_from(stored.block.values.len()).unwrap_or(0);
                    writer.write(&Item::Block(block(stored, name, source, start)))?;
                }
            }
            first = next;
        }
        writer.finish()?;
        Ok(done)
    })
}

fn block(
    stored: StoredDay,
    name: &ChannelName,
    source: Option<VersionSource>,
    start: jiff::Timestamp,
) -> IntervalBlock {
    let (unit, scaler) = name.kind.stored_unit();
    let source = source.unwrap_or(VersionSource::Readings);
    let extra = [("version", stored.block.version.to_string()), ("origin", source.name().to_owned())];
    let series = Series {
        service_point: name.service_point.clone(),
        meter: name.serial.to_string(),
        channel: name.kind.name().to_owned(),
        kind: Some(name.kind),
        measure: Measure::of(unit),
        extra: extra.map(|(key, value)| (key.to_owned(), value)).into(),
    };
    IntervalBlock {
        series: Arc::new(series),
        line: 0,
        start,
        interval: stored.block.interval,
        scaler,
        values: stored.block.values,
        quality: stored.block.quality,
        beside: Vec::new(),
        costs: Vec::new(),
        updated: None,
        loaded: None,
    }
}
