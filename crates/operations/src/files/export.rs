//! Readings on their way out: days of channels, or registers, in somebody's format.

use exchange::cmep::CmepWriter;
use exchange::csv::{LongWriter, RegisterWriter, WideWriter};
use exchange::espi::{EspiWriter, Feed};
use exchange::nem::{Nem12Writer, Nem13Writer};
use exchange::number::Decimal;
use exchange::parquet::{About, ParquetWriter};
use exchange::{IntervalBlock, Item, Measure, Period, RegisterReading, Series, WriteError, Writer};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mdm::{Mdm, MdmError};
use model::{ChannelKind, Quality, RegisterRead, Serial, ServicePointId};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use store::{Channel, Meter, Read, VersionSource};

/// A format that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutFormat {
    /// Green Button XML.
    GreenButton,
    /// NEM12, intervals.
    Nem12,
    /// NEM13, registers.
    Nem13,
    /// CMEP.
    Cmep,
    /// A table, a row a reading.
    Csv,
    /// A table, a row a day.
    CsvWide,
    /// Parquet, a row a reading.
    Parquet,
}

impl OutFormat {
    /// Every format.
    pub const ALL: [Self; 7] =
        [Self::GreenButton, Self::Nem12, Self::Nem13, Self::Cmep, Self::Csv, Self::CsvWide, Self::Parquet];

    /// As on the command line and in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GreenButton => "green-button",
            Self::Nem12 => "nem12",
            Self::Nem13 => "nem13",
            Self::Cmep => "cmep",
            Self::Csv => "csv",
            Self::CsvWide => "csv-wide",
            Self::Parquet => "parquet",
        }
    }

    /// The format of a [`OutFormat::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Every name, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The media type of a file of it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::GreenButton => "application/atom+xml; charset=utf-8",
            Self::Nem12 | Self::Nem13 | Self::Cmep | Self::Csv | Self::CsvWide => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// What a file's name ends in.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::GreenButton => "xml",
            Self::Nem12 | Self::Nem13 | Self::Cmep | Self::Csv | Self::CsvWide => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// Whose readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// A meter by its serial.
    Meter(String),
    /// The meters of a service point by its number.
    ServicePoint(String),
    /// The meters of service points.
    Points(Vec<ServicePointId>),
    /// Every meter.
    All,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportWish {
    /// How.
    pub format: OutFormat,
    /// Whose.
    pub which: Which,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Registers as read instead of intervals; NEM13 holds nothing else.
    pub registers: bool,
    /// Energy and volumes only: what a customer uses, and not the voltage of the street.
    pub used_only: bool,
}

/// Why nothing was written, or not all.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such meter or service point.
    #[error("no {what} is called {name:?}")]
    Unknown {
        /// Meter or service point.
        what: &'static str,
        /// As it was asked for.
        name: String,
    },
    /// The span of days runs backwards.
    #[error("the last day, {to}, lies before the first, {from}")]
    Backwards {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// The output takes no more, or has no place for a value.
    #[error("write: {0}")]
    Write(#[from] WriteError),
    /// The meter data manager or its store failed.
    #[error("read what is kept: {0}")]
    Mdm(#[from] MdmError),
}

impl From<store::StoreError> for ExportError {
    fn from(error: store::StoreError) -> Self {
        Self::Mdm(error.into())
    }
}

/// A channel that the format has no place for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Meter and channel.
    pub series: String,
    /// Why.
    pub why: String,
}

/// How much was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Days of channels.
    pub days: u64,
    /// Registers.
    pub registers: u64,
}

struct Planned {
    meter: Meter,
    channel: Channel,
    series: Arc<Series>,
}

/// An export that is thought through: which channels it holds, and which the format has no place for.
pub struct Export {
    wish: ExportWish,
    created: Timestamp,
    zone: TimeZone,
    channels: Vec<Planned>,
    left_out: Vec<LeftOut>,
}

impl core::fmt::Debug for Export {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (wish, left_out) = (&self.wish, &self.left_out);
        f.debug_struct("Export").field("wish", wish).field("left_out", left_out).finish_non_exhaustive()
    }
}

impl Export {
    /// Finds the channels that `wish` asks for, before a byte is written.
    ///
    /// # Errors
    /// [`ExportError`] where nothing is meant by it.
    pub fn plan(mdm: &Mdm, created: Timestamp, mut wish: ExportWish) -> Result<Self, ExportError> {
        if wish.to < wish.from {
            return Err(ExportError::Backwards { from: wish.from, to: wish.to });
        }
        wish.registers |= wish.format == OutFormat::Nem13;
        let zone = mdm.zone().clone();
        let (mut channels, mut left_out) = (Vec::new(), Vec::new());
        mdm.store().read(|read| {
            for (meter, point) in meters(read, &wish.which)? {
                for channel in read.channels_of(meter.id)? {
                    if wish.used_only && !is_use(channel.kind) {
                        continue;
                    }
                    let series = series(&meter, &point, &channel);
                    let planned = Planned { meter: meter.clone(), channel, series };
                    match probe(&wish, created, &zone, &planned) {
                        Ok(()) => channels.push(planned),
                        Err(why) => {
                            left_out.push(LeftOut { series: planned.series.title(), why: why.to_string() });
                        }
                    }
                }
            }
            Ok::<_, ExportError>(())
        })?;
        Ok(Self { wish, created, zone, channels, left_out })
    }

    /// Whether there is no channel to write.
    pub const fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// The channels that the format has no place for.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Writes everything, day by day; what is held at a time is a day of a channel.
    ///
    /// # Errors
    /// [`ExportError`]; the output is then incomplete and says so by its missing end.
    pub fn write(&self, mdm: &Mdm, output: Box<dyn Write + '_>) -> Result<Exported, ExportError> {
        let mut writer =
            writer(self.wish.format, self.wish.registers, output, self.created, self.zone.clone());
        let mut done = Exported::default();
        for planned in &self.channels {
            if self.wish.registers {
                done.registers += self.registers(mdm, planned, writer.as_mut())?;
            } else {
                done.days += self.days(mdm, planned, writer.as_mut())?;
            }
        }
        writer.finish()?;
        Ok(done)
    }

    /// The days that hold anything.
    fn days(&self, mdm: &Mdm, planned: &Planned, writer: &mut dyn Writer) -> Result<u64, ExportError> {
        let (mut next, mut written) = (Some(self.wish.from), 0);
        while let Some(date) = next.filter(|date| *date <= self.wish.to) {
            next = date.tomorrow().ok();
            let profile = mdm.profile(planned.meter.id, planned.channel.kind, date)?;
            if let Some(profile) = profile.filter(|profile| profile.versions > 0) {
                let (values, quality) = profile.series.slots.iter().copied().unzip();
                let start = profile.day.start();
                let mut block = block(planned, start, values, quality);
                block.interval = profile.series.interval;
                if self.wish.format == OutFormat::Parquet {
                    block.series = versioned(mdm, planned, date, profile.series.version)?;
                }
                writer.write(&Item::Block(block))?;
                written += 1;
            }
        }
        Ok(written)
    }

    /// The registers of the days, the first midnight and the last one included; NEM13 takes them in pairs.
    fn registers(&self, mdm: &Mdm, planned: &Planned, writer: &mut dyn Writer) -> Result<u64, ExportError> {
        let (from, to) = (mdm.local_day(self.wish.from)?.start(), mdm.local_day(self.wish.to)?.end());
        let (meter, kind) = (planned.meter.id, planned.channel.kind);
        let pairs = self.wish.format == OutFormat::Nem13;
        let mut written = 0;
        // NEM13 has no word for a time-of-use register of ours.
        for tou in 0..=if pairs { 0 } else { 4 } {
            let reads = mdm.store().read(|read| read.register_reads(meter, kind, tou, from, to))?;
            let mut before: Option<RegisterReading> = None;
            for read in &reads {
                let now = register(&planned.series, read);
                match before.replace(now.clone()) {
                    Some(before) if pairs => pair(writer, &before, &now)?,
                    None if pairs => {}
                    _ => writer.write(&Item::Register(now))?,
                }
                written += 1;
            }
        }
        Ok(written)
    }
}

/// The earlier register, the later one and what lies between them. A register that fell is written with the negative
/// difference, for whoever reads it to see.
fn pair(writer: &mut dyn Writer, before: &RegisterReading, now: &RegisterReading) -> Result<(), ExportError> {
    let difference = before
        .value
        .rescaled(now.value.exponent.min(before.value.exponent))
        .zip(now.value.rescaled(now.value.exponent.min(before.value.exponent)))
        .and_then(|(before, now)| now.checked_sub(before))
        .map(|mantissa| Decimal::new(mantissa, now.value.exponent.min(before.value.exponent)));
    writer.write(&Item::Register(before.clone()))?;
    writer.write(&Item::Register(now.clone()))?;
    writer.write(&Item::Period(Period {
        series: Arc::clone(&now.series),
        line: 0,
        start: before.at,
        end: now.at,
        value: difference,
        cost: None,
        quality: now.quality,
        beside: None,
    }))?;
    Ok(())
}

fn register(series: &Arc<Series>, read: &RegisterRead) -> RegisterReading {
    RegisterReading {
        series: Arc::clone(series),
        line: 0,
        tou: read.tou,
        at: read.at,
        value: Decimal::new(read.value.raw, read.value.scaler),
        quality: Quality::RAW,
        beside: None,
    }
}

/// What a customer uses or sends, in energy or volume.
const fn is_use(kind: ChannelKind) -> bool {
    use ChannelKind::{Export, Gas, Generation, Import, Net, Water};
    matches!(kind, Import | Export | Net | Generation | Gas | Water)
}

/// The meters that were asked for, each with the number of its service point.
fn meters(read: &Read, which: &Which) -> Result<Vec<(Meter, String)>, ExportError> {
    let unknown = |what, name: &str| ExportError::Unknown { what, name: name.to_owned() };
    let meters = match which {
        Which::Meter(serial) => {
            let found = read.meter_by_serial(&Serial::new(serial))?;
            vec![found.ok_or_else(|| unknown("meter", serial))?]
        }
        Which::ServicePoint(number) => {
            let point = read.service_point_by_number(number)?;
            read.meters_at(point.ok_or_else(|| unknown("service point", number))?.id)?
        }
        Which::Points(points) => {
            let mut all = Vec::new();
            for point in points {
                all.extend(read.meters_at(*point)?);
            }
            all
        }
        Which::All => read.meters()?,
    };
    let mut with_points = Vec::with_capacity(meters.len());
    for meter in meters {
        let point = match meter.service_point {
            None => None,
            Some(id) => read.service_point(id)?,
        };
        with_points.push((meter, point.map_or_else(String::new, |point| point.number)));
    }
    Ok(with_points)
}

fn series(meter: &Meter, point: &str, channel: &Channel) -> Arc<Series> {
    let (unit, _) = channel.kind.stored_unit();
    Arc::new(Series {
        service_point: point.to_owned(),
        meter: meter.serial.to_string(),
        channel: channel.kind.name().to_owned(),
        kind: Some(channel.kind),
        measure: Measure::of(unit),
        extra: BTreeMap::new(),
    })
}

/// The series with the version of its day and what made that, for formats that have columns for them.
fn versioned(mdm: &Mdm, planned: &Planned, date: Date, version: u32) -> Result<Arc<Series>, ExportError> {
    let origin = mdm.store().read(|read| read.origin(planned.channel.id, date, version))?;
    let source = origin.map_or(VersionSource::Readings, |origin| origin.source);
    let mut series = Series::clone(&planned.series);
    series.extra.insert("version".into(), version.to_string());
    series.extra.insert("origin".into(), source.name().to_owned());
    Ok(Arc::new(series))
}

fn block(planned: &Planned, start: Timestamp, values: Vec<i64>, quality: Vec<Quality>) -> IntervalBlock {
    let (_, scaler) = planned.channel.kind.stored_unit();
    IntervalBlock {
        series: Arc::clone(&planned.series),
        line: 0,
        start,
        interval: planned.channel.interval,
        scaler,
        values,
        quality,
        beside: Vec::new(),
        costs: Vec::new(),
        updated: None,
        loaded: None,
    }
}

/// Whether the format takes the channel, found out by writing a value of it to nowhere.
fn probe(
    wish: &ExportWish,
    created: Timestamp,
    zone: &TimeZone,
    planned: &Planned,
) -> Result<(), WriteError> {
    let mut writer = writer(wish.format, wish.registers, Box::new(io::sink()), created, zone.clone());
    if wish.registers {
        let (_, exponent) = planned.channel.kind.stored_unit();
        let read = RegisterReading {
            series: Arc::clone(&planned.series),
            line: 0,
            tou: 0,
            at: Timestamp::UNIX_EPOCH,
            value: Decimal::new(0, exponent),
            quality: Quality::RAW,
            beside: None,
        };
        return writer.write(&Item::Register(read));
    }
    let block = block(planned, Timestamp::UNIX_EPOCH, vec![0], vec![Quality::VALID]);
    writer.write(&Item::Block(block))
}

/// A writer of `format` to `output`: of registers where `registers` says so and the format holds both apart.
pub fn writer<'a>(
    format: OutFormat,
    registers: bool,
    output: Box<dyn Write + 'a>,
    created: Timestamp,
    zone: TimeZone,
) -> Box<dyn Writer + 'a> {
    let feed = |zone| Feed { title: "Usage".into(), created, zone: Some(zone) };
    match format {
        OutFormat::GreenButton => Box::new(EspiWriter::new(output, feed(zone))),
        OutFormat::Nem12 => Box::new(Nem12Writer::new(output, created, "WATTLE", "")),
        OutFormat::Nem13 => Box::new(Nem13Writer::new(output, created, "WATTLE", "")),
        OutFormat::Cmep => Box::new(CmepWriter::new(output, created, "WATTLE")),
        OutFormat::Csv | OutFormat::CsvWide if registers => Box::new(RegisterWriter::new(output)),
        OutFormat::Csv => Box::new(LongWriter::new(output)),
        OutFormat::CsvWide => Box::new(WideWriter::new(output, zone)),
        OutFormat::Parquet => {
            let zone = zone.iana_name().unwrap_or_default().to_owned();
            Box::new(ParquetWriter::new(output, About { zone, ..About::default() }))
        }
    }
}
