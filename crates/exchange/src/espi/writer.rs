//! Writing a Green Button feed that the schemas accept.

use super::kinds::{commodity_code, flow_code, measurement_code, unit_code};
use super::time::parameters;
use crate::item::{Foreign, IntervalBlock, Item, Period, RegisterReading, Series, Summary};
use crate::number::Decimal;
use crate::write::{WriteError, Writer};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::Quality;
use model::quality::codes::{from_espi, to_espi};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

/// What a feed says of itself.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Its title.
    pub title: String,
    /// When it was made.
    pub created: Timestamp,
    /// The zone of the places of delivery.
    pub zone: Option<TimeZone>,
}

/// Writes items as a Green Button feed; each block becomes an entry, in the order in which they come.
///
/// A series is a meter reading under its usage point; one that comes under another decimal exponent is written under the
/// first one's, or as a meter reading of its own where that would lose digits.
#[derive(Debug)]
pub struct EspiWriter<W> {
    output: W,
    feed: Feed,
    begun: bool,
    usage_points: BTreeMap<String, String>,
    readings: BTreeMap<(Arc<Series>, u8), Reading>,
    entries: u64,
}

/// A meter reading that was written.
#[derive(Clone, Debug)]
struct Reading {
    path: String,
    scaler: i8,
    default: Quality,
    length: u32,
}

/// What becomes of the values: differences, or registers.
const DELTA: u8 = 4;
const CUMULATIVE: u8 = 3;

/// The exponents that `UnitMultiplierKind` lists.
const MULTIPLIERS: [i8; 13] = [-12, -9, -6, -3, -2, -1, 0, 1, 2, 3, 6, 9, 12];

/// `Int48`.
const LARGEST: i64 = (1 << 47) - 1;

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:espi=\"http://naesb.org/espi\">\n";

impl<W: Write> EspiWriter<W> {
    /// Writes to `output`.
    pub fn new(output: W, feed: Feed) -> Self {
        let (usage_points, readings) = (BTreeMap::new(), BTreeMap::new());
        Self { output, feed, begun: false, usage_points, readings, entries: 0 }
    }

    fn begin(&mut self) -> Result<(), WriteError> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        let title = escape(&self.feed.title);
        let (id, updated) = (self.id("feed"), self.feed.created);
        writeln!(
            self.output,
            "{XML}<id>{id}</id><title>{title}</title><updated>{}</updated>",
            whole(updated)
        )?;
        if let Some(zone) = self.feed.zone.clone() {
            let time = parameters(&zone, self.feed.created);
            let content = format!(
                "<espi:LocalTimeParameters><espi:dstEndRule>{}</espi:dstEndRule><espi:dstOffset>{}</espi:dstOffset><espi:dstStartRule>{}</espi:dstStartRule><espi:tzOffset>{}</espi:tzOffset></espi:LocalTimeParameters>",
                time.end_rule, time.dst_offset_s, time.start_rule, time.offset_s
            );
            self.entry("LocalTimeParameters/1", "LocalTimeParameters", &[], "local time", &content)?;
        }
        Ok(())
    }

    /// A name that no other entry has, the same for the same feed.
    fn id(&mut self, what: &str) -> String {
        self.entries += 1;
        let text = format!("{}|{}|{}|{what}", self.feed.title, self.feed.created, self.entries);
        let hash = |basis: u64| {
            text.bytes().fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
        };
        let (a, b) = (hash(0xcbf2_9ce4_8422_2325), hash(0x9ae1_6a3b_2f90_404f));
        format!(
            "urn:uuid:{:08X}-{:04X}-8{:03X}-A{:03X}-{:012X}",
            a >> 32,
            (a >> 16) & 0xFFFF,
            a & 0xFFF,
            b >> 52,
            b & 0xFFFF_FFFF_FFFF
        )
    }

    fn entry(
        &mut self,
        own: &str,
        up: &str,
        related: &[String],
        title: &str,
        content: &str,
    ) -> Result<(), WriteError> {
        let id = self.id(own);
        let updated = whole(self.feed.created);
        write!(
            self.output,
            "<entry><id>{id}</id><link rel=\"self\" href=\"{own}\"/><link rel=\"up\" href=\"{up}\"/>"
        )?;
        for href in related {
            write!(self.output, "<link rel=\"related\" href=\"{href}\"/>")?;
        }
        let title = escape(title);
        writeln!(
            self.output,
            "<title>{title}</title><content>{content}</content><published>{updated}</published><updated>{updated}</updated></entry>"
        )?;
        Ok(())
    }

    /// The path of a place of delivery, whose entry is written when it is first named.
    fn usage_point(&mut self, series: &Series) -> Result<String, WriteError> {
        let name = if series.service_point.is_empty() { &series.meter } else { &series.service_point };
        if let Some(path) = self.usage_points.get(name) {
            return Ok(path.clone());
        }
        let path = format!("UsagePoint/{}", path_part(name));
        let service = match commodity_code(series.kind) {
            7 => 1,
            9 => 2,
            _ => 0,
        };
        let mut related = vec![format!("{path}/MeterReading"), format!("{path}/UsageSummary")];
        if self.feed.zone.is_some() {
            related.push("LocalTimeParameters/1".into());
        }
        let content = format!(
            "<espi:UsagePoint><espi:ServiceCategory><espi:kind>{service}</espi:kind></espi:ServiceCategory></espi:UsagePoint>"
        );
        let title = name.clone();
        self.usage_points.insert(title.clone(), path.clone());
        self.entry(&path, "UsagePoint", &related, &title, &content)?;
        Ok(path)
    }

    /// The meter reading of a series, whose entry and type are written when it is first named.
    fn reading(
        &mut self,
        series: &Arc<Series>,
        behaviour: u8,
        scaler: i8,
        length: u32,
    ) -> Result<Reading, WriteError> {
        let key = (Arc::clone(series), behaviour);
        let scaler = MULTIPLIERS.iter().rev().find(|listed| **listed <= scaler).copied();
        let scaler =
            scaler.ok_or_else(|| unfit(series, "its values are finer than a millionth of a millionth"))?;
        if let Some(reading) = self.readings.get(&key)
            && reading.scaler <= scaler
            && (reading.length == length || length == 0)
        {
            return Ok(reading.clone());
        }
        let point = self.usage_point(series)?;
        let number = self.readings.len() + usize::try_from(self.entries).unwrap_or(0);
        let name = if series.channel.is_empty() { format!("{number}") } else { series.channel.clone() };
        let name = if self.readings.contains_key(&key) { format!("{name}-{number}") } else { name };
        let path = format!("{point}/MeterReading/{}", path_part(&name));
        let type_path = format!("ReadingType/{number}");
        let default = series.extra("defaultQuality").parse().ok();
        let default = default.map_or(Quality::VALID, |code| from_espi(&[code]));
        let title = [series.extra("title"), &series.channel].into_iter().find(|t| !t.is_empty());
        let title = title.or(series.kind.map(model::ChannelKind::name)).unwrap_or("readings").to_owned();
        let related = [format!("{path}/IntervalBlock"), type_path.clone()];
        self.entry(&path, &format!("{point}/MeterReading"), &related, &title, "<espi:MeterReading/>")?;
        let content = reading_type(series, behaviour, scaler, length);
        self.entry(&type_path, "ReadingType", &[], &title, &content)?;
        let reading = Reading { path, scaler, default, length };
        self.readings.insert(key, reading.clone());
        Ok(reading)
    }

    fn block(&mut self, block: &IntervalBlock) -> Result<(), WriteError> {
        let reading = self.reading(&block.series, DELTA, block.scaler, block.interval.secs())?;
        let secs = block.interval.secs();
        let length = block.end().as_second() - block.start.as_second();
        let mut content = open_block(block.start, length);
        for (index, (at, value, quality)) in block.readings().enumerate() {
            let value =
                value.map(|value| fit(&block.series, value, block.scaler, reading.scaler)).transpose()?;
            let cost = block.costs.get(index).copied().flatten();
            let codes = codes(quality, block.beside_at(index), reading.default);
            interval_reading(&mut content, at, secs, value, cost, &codes);
        }
        self.block_entry(&reading, content)
    }

    fn block_entry(&mut self, reading: &Reading, mut content: String) -> Result<(), WriteError> {
        content.push_str("</espi:IntervalBlock>");
        let up = format!("{}/IntervalBlock", reading.path);
        let own = format!("{up}/{}", self.entries + 1);
        self.entry(&own, &up, &[], "", &content)
    }

    fn register(&mut self, read: &RegisterReading) -> Result<(), WriteError> {
        let reading = self.reading(&read.series, CUMULATIVE, read.value.exponent, 0)?;
        let mut content = open_block(read.at, 0);
        let value = fit(&read.series, read.value.mantissa, read.value.exponent, reading.scaler)?;
        let codes = codes(read.quality, read.beside.as_ref(), reading.default);
        interval_reading(&mut content, read.at, 0, Some(value), None, &codes);
        self.block_entry(&reading, content)
    }

    fn period(&mut self, period: &Period) -> Result<(), WriteError> {
        let value = period.value.unwrap_or(Decimal::ZERO);
        let secs = period.end.as_second() - period.start.as_second();
        let secs = u32::try_from(secs).map_err(|_| unfit(&period.series, "its time runs backwards"))?;
        let reading = self.reading(&period.series, DELTA, value.exponent, 0)?;
        let mut content = open_block(period.start, secs.into());
        let value =
            period.value.map(|v| fit(&period.series, v.mantissa, v.exponent, reading.scaler)).transpose()?;
        let codes = codes(period.quality, period.beside.as_ref(), reading.default);
        interval_reading(&mut content, period.start, secs, value, period.cost, &codes);
        self.block_entry(&reading, content)
    }

    fn summary(&mut self, summary: &Summary) -> Result<(), WriteError> {
        let series = Series { service_point: summary.service_point.clone(), ..Series::default() };
        let point = self.usage_point(&series)?;
        let element = if is_of_supply(summary) { "ElectricPowerQualitySummary" } else { "UsageSummary" };
        let mut content = format!("<espi:{element}>");
        // The elements that are open, each with the figures that it holds already.
        let mut open: Vec<(&str, BTreeSet<&str>)> = Vec::new();
        for (name, value) in &summary.figures {
            let parts: Vec<&str> = name.split('.').collect();
            let (leaf, parents) =
                parts.split_last().map_or(("", &[][..]), |(leaf, parents)| (*leaf, parents));
            let mut common = open.iter().zip(parents).take_while(|((a, _), b)| a == *b).count();
            // The same figure again is that of the next of several: each has an element of its own.
            let again = open.get(common.wrapping_sub(1)).is_some_and(|(_, held)| held.contains(leaf));
            if common == parents.len() && again {
                common -= 1;
            }
            for (name, _) in open.drain(common..).rev() {
                content.push_str(&format!("</espi:{name}>"));
            }
            for name in parents.iter().skip(common) {
                content.push_str(&format!("<espi:{name}>"));
                open.push((*name, BTreeSet::new()));
            }
            if let Some((_, held)) = open.last_mut() {
                held.insert(leaf);
            }
            content.push_str(&format!("<espi:{leaf}>{}</espi:{leaf}>", escape(value)));
        }
        for (name, _) in open.drain(..).rev() {
            content.push_str(&format!("</espi:{name}>"));
        }
        content.push_str(&format!("</espi:{element}>"));
        let up = format!("{point}/{element}");
        self.entry(&format!("{up}/{}", self.entries + 1), &up, &[], "summary", &content)
    }
}

impl<W: Write> Writer for EspiWriter<W> {
    fn write(&mut self, item: &Item) -> Result<(), WriteError> {
        self.begin()?;
        match item {
            Item::Block(block) => self.block(block),
            Item::Register(read) => self.register(read),
            Item::Period(period) => self.period(period),
            Item::Summary(summary) => self.summary(summary),
            Item::Note(_) | Item::Refused(_) => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        self.begin()?;
        self.output.write_all(b"</feed>\n")?;
        self.output.flush()?;
        Ok(())
    }
}

/// Whether a summary is of the quality of the supply and not of use: only that has an interval of its own.
fn is_of_supply(summary: &Summary) -> bool {
    summary.figures.iter().any(|(name, _)| name.starts_with("summaryInterval"))
}

fn unfit(series: &Series, why: &'static str) -> WriteError {
    WriteError::Unfit { what: "a value", series: series.title(), format: "Green Button", why }
}

/// The integer of a value under the meter reading's exponent.
fn fit(series: &Series, value: i64, from: i8, to: i8) -> Result<i64, WriteError> {
    let value = Decimal::new(value, from).rescaled(to);
    value.filter(|value| value.abs() <= LARGEST).ok_or_else(|| unfit(series, "it does not fit 48 bits"))
}

/// The codes of a reading; none where the default says it.
fn codes(quality: Quality, beside: Option<&Foreign>, default: Quality) -> Vec<u16> {
    if let Some(Foreign::Espi(codes)) = beside {
        return codes.clone();
    }
    if quality == default {
        return Vec::new();
    }
    let (code, private) = to_espi(quality);
    core::iter::once(code).chain(private).collect()
}

fn open_block(start: Timestamp, length: i64) -> String {
    format!(
        "<espi:IntervalBlock><espi:interval><espi:duration>{length}</espi:duration><espi:start>{}</espi:start></espi:interval>",
        start.as_second()
    )
}

fn interval_reading(
    content: &mut String,
    at: Timestamp,
    secs: u32,
    value: Option<i64>,
    cost: Option<i64>,
    codes: &[u16],
) {
    content.push_str("<espi:IntervalReading>");
    if let Some(cost) = cost {
        content.push_str(&format!("<espi:cost>{cost}</espi:cost>"));
    }
    for code in codes {
        content.push_str(&format!(
            "<espi:ReadingQuality><espi:quality>{code}</espi:quality></espi:ReadingQuality>"
        ));
    }
    content.push_str(&format!(
        "<espi:timePeriod><espi:duration>{secs}</espi:duration><espi:start>{}</espi:start></espi:timePeriod>",
        at.as_second()
    ));
    if let Some(value) = value {
        content.push_str(&format!("<espi:value>{value}</espi:value>"));
    }
    content.push_str("</espi:IntervalReading>");
}

/// The reading type of a series: what it came with, and what it must say.
fn reading_type(series: &Series, behaviour: u8, scaler: i8, length: u32) -> String {
    let kind = series.kind;
    let or = |name: &str, usual: String| match series.extra(name) {
        "" => usual,
        written => written.to_owned(),
    };
    let average = if matches!(kind, Some(model::ChannelKind::Voltage)) { 2 } else { 12 };
    let fields: [(&str, String); 14] = [
        ("accumulationBehaviour", or("accumulationBehaviour", behaviour.to_string())),
        ("commodity", or("commodity", commodity_code(kind).to_string())),
        ("consumptionTier", or("consumptionTier", String::new())),
        ("currency", or("currency", String::new())),
        ("dataQualifier", or("dataQualifier", average.to_string())),
        ("defaultQuality", or("defaultQuality", String::new())),
        ("flowDirection", or("flowDirection", flow_code(kind).to_string())),
        ("intervalLength", if length == 0 { String::new() } else { length.to_string() }),
        ("kind", or("kind", measurement_code(kind).to_string())),
        ("phase", or("phase", String::new())),
        ("powerOfTenMultiplier", scaler.to_string()),
        ("timeAttribute", or("timeAttribute", "0".into())),
        ("tou", or("tou", String::new())),
        ("uom", unit_code(&series.measure).to_string()),
    ];
    let mut content = "<espi:ReadingType>".to_owned();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        content.push_str(&format!("<espi:{name}>{}</espi:{name}>", escape(value)));
    }
    content.push_str("</espi:ReadingType>");
    content
}

/// A name as a part of a path; what has no place there is written as `-`.
fn path_part(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._~".contains(c) { c } else { '-' };
    let path: String = name.chars().map(plain).collect();
    if path.is_empty() { "-".into() } else { path }
}

fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

fn whole(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
