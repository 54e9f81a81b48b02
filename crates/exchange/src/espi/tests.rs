use super::{EspiReader, EspiWriter, Feed};
use crate::item::{Foreign, IntervalBlock, Item, Period, Reader, RegisterReading, Series};
use crate::number::Decimal;
use crate::quantity::Measure;
use crate::write::Writer;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, Quality};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

fn all(bytes: &[u8]) -> Vec<Item> {
    let mut reader = EspiReader::new(bytes);
    let mut items = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        items.push(item);
    }
    items
}

/// Readers of small pieces see no reading whole, so that each goes through the reader of events.
fn by_events(bytes: &[u8]) -> Vec<Item> {
    let mut reader = EspiReader::with_capacity(7, bytes);
    let mut items = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        items.push(item);
    }
    items
}

/// Excerpts depend on how far ahead was read.
fn plain(mut items: Vec<Item>) -> Vec<Item> {
    for item in &mut items {
        if let Item::Refused(refusal) = item {
            refusal.text.clear();
        }
    }
    items
}

fn feed() -> Feed {
    let created = "2024-05-01T00:00:00Z".parse().unwrap();
    Feed { title: "usage & cost".into(), created, zone: TimeZone::get("America/Los_Angeles").ok() }
}

fn write(items: &[Item]) -> Vec<u8> {
    let mut written = Vec::new();
    let mut writer = EspiWriter::new(&mut written, feed());
    items.iter().for_each(|item| writer.write(item).unwrap());
    writer.finish().unwrap();
    written
}

#[test]
fn a_bare_fragment_and_what_it_lacks() {
    let text = b"<IntervalBlock xmlns=\"http://naesb.org/espi\"><interval><duration>7200</duration><start>1330578000</start></interval>
        <IntervalReading><cost>974</cost><ReadingQuality><quality>8</quality></ReadingQuality>
          <timePeriod><duration>3600</duration><start>1330578000</start></timePeriod><value>282</value></IntervalReading>
        <IntervalReading><timePeriod><duration>3600</duration><start>1330581600</start></timePeriod><value>2.5</value></IntervalReading>
        <IntervalReading><timePeriod><duration>3600</duration><start>1330581600</start></timePeriod><value>-5</value></IntervalReading>
        <IntervalReading><ReadingQuality><quality>19</quality></ReadingQuality>
          <timePeriod><duration>2592000</duration><start>1330588800</start></timePeriod><value>7</value></IntervalReading>
        </IntervalBlock>";
    let items = all(text);
    let [Item::Refused(refused), Item::Block(block), Item::Period(period)] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!((refused.line, refused.reason.name()), (4, "bad_field"));
    assert_eq!((block.values.as_slice(), block.costs.as_slice()), (&[282, -5][..], &[Some(974), None][..]));
    assert_eq!(block.quality[0].word(), "estimated_like_day");
    assert_eq!((block.series.measure.clone(), block.series.kind), (Measure::Unnamed, None));
    assert_eq!(period.value, Some(Decimal::new(7, 0)));
    assert_eq!(period.beside, Some(Foreign::Espi(vec![19])));
}

#[test]
fn hostile_xml_ends_the_file_with_a_reason() {
    let deep = "<a>".repeat(1000);
    let long = format!("<feed><title>{}", "x".repeat(2 * crate::limits::LINE));
    let comments = format!("<feed><!--{}", "<".repeat(2 * crate::limits::LINE));
    let table = [
        (deep.as_str(), "unsupported"),
        (long.as_str(), "damaged"),
        (comments.as_str(), "damaged"),
        ("<!DOCTYPE a [<!ENTITY b \"bb\">]><feed>&b;</feed>", "unsupported"),
        ("<feed><entry><title>&secret;</title></entry></feed>", "unsupported"),
        ("<feed><entry></feed>", "damaged"),
        ("<html><body/></html>", "unsupported"),
        ("<feed><UsagePoint/>", "damaged"),
    ];
    for (text, name) in table {
        let items = all(text.as_bytes());
        let last = items.last();
        assert!(
            matches!(last, Some(Item::Refused(refusal)) if refusal.reason.name() == name),
            "{last:?} for {text:.60}"
        );
    }
}

fn series(kind: ChannelKind, measure: Measure) -> Arc<Series> {
    let (service_point, channel) = ("SP-1".to_owned(), kind.name().to_owned());
    let kind = Some(kind);
    Arc::new(Series { service_point, meter: String::new(), channel, kind, measure, extra: BTreeMap::new() })
}

#[test]
fn registers_periods_and_directions_come_back() {
    let at: Timestamp = "2024-03-10T08:00:00Z".parse().unwrap();
    let end: Timestamp = "2024-03-11T07:00:00Z".parse().unwrap();
    let energy = series(ChannelKind::Export, Measure::WattHour);
    let gas = series(ChannelKind::Gas, Measure::Therm);
    let items = [
        Item::Register(RegisterReading {
            series: Arc::clone(&energy),
            line: 1,
            tou: 0,
            at,
            value: Decimal::new(12_345, 1),
            quality: Quality::RAW,
            beside: None,
        }),
        Item::Period(Period {
            series: gas,
            line: 1,
            start: at,
            end,
            value: Some(Decimal::new(27, -1)),
            cost: Some(5),
            quality: Quality::VALID,
            beside: None,
        }),
    ];
    let back = all(&write(&items));
    let [Item::Note(_), Item::Register(read), Item::Period(period)] = back.as_slice() else {
        panic!("{back:?}")
    };
    assert_eq!((read.at, read.value, read.quality), (at, Decimal::new(12_345, 1), Quality::RAW));
    assert_eq!(read.series.kind, Some(ChannelKind::Export));
    assert_eq!((period.start, period.end, period.value), (at, end, Some(Decimal::new(27, -1))));
    assert_eq!((period.series.kind, &period.series.measure), (Some(ChannelKind::Gas), &Measure::Therm));
}

fn any_quality() -> impl Strategy<Value = Quality> {
    (0u8..12, 0u8..16).prop_map(|(class, flags)| Quality::try_from(class | (flags << 4)).unwrap())
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        start in 1_600_000_000i64..1_700_000_000,
        secs in prop::sample::select(vec![60u32, 300, 900, 1800, 3600, 86_400]),
        scaler in -6i8..=4,
        slots in prop::collection::vec((any_quality(), -1_000_000i64..1_000_000, prop::option::of(0i64..9999)), 1..200),
        kind in prop::sample::select(vec![ChannelKind::Import, ChannelKind::Net, ChannelKind::Gas, ChannelKind::Water]),
    ) {
        let interval = IntervalLength::from_secs(secs).unwrap();
        let measure = if matches!(kind, ChannelKind::Gas | ChannelKind::Water) { Measure::CubicMetre } else { Measure::WattHour };
        let block = IntervalBlock {
            series: series(kind, measure), line: 1, start: interval.floor(Timestamp::from_second(start).unwrap()), interval,
            scaler,
            values: slots.iter().map(|(q, v, _)| if q.is_missing() { 0 } else { *v }).collect(),
            quality: slots.iter().map(|(q, _, _)| *q).collect(),
            beside: Vec::new(),
            costs: slots.iter().map(|(_, _, cost)| *cost).collect(),
            updated: None, loaded: None,
        };
        let text = write(&[Item::Block(block.clone())]);
        let back = all(&text);
        let [Item::Note(_), Item::Block(b)] = back.as_slice() else { panic!("{back:?}") };
        prop_assert_eq!((b.start, b.interval, &b.quality, b.series.kind), (block.start, interval, &block.quality, Some(kind)));
        for (a, c) in block.values.iter().zip(&b.values) {
            prop_assert_eq!(Decimal::new(*a, block.scaler).trimmed(), Decimal::new(*c, b.scaler).trimmed());
        }
        let costs: Vec<Option<i64>> = (0..block.values.len()).map(|at| b.costs.get(at).copied().flatten()).collect();
        prop_assert_eq!(costs, block.costs);
        prop_assert_eq!(b.beside.len(), 0);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        all(&bytes);
    }

    #[test]
    fn any_cut_of_a_feed_is_read_or_refused(cut in 0usize..6000) {
        let energy = series(ChannelKind::Import, Measure::WattHour);
        let start = Timestamp::from_second(1_700_000_000).unwrap();
        let read = RegisterReading { series: energy, line: 1, tou: 0, at: start, value: Decimal::ONE, quality: Quality::RAW, beside: None };
        let text = write(&[Item::Register(read)]);
        all(&text[..cut.min(text.len())]);
    }
}

proptest! {
    #[test]
    fn what_is_skimmed_is_what_events_say(
        parts in prop::collection::vec(prop_oneof![
            6 => (0u32..6, 0i64..6).prop_map(|(step, value)| format!(
                "<espi:IntervalReading><espi:timePeriod><espi:duration>900</espi:duration><espi:start>{}</espi:start></espi:timePeriod><espi:value>{value}</espi:value></espi:IntervalReading>",
                1_330_578_000 + 900 * step)),
            1 => prop::sample::select(vec![
                "<IntervalReading><cost>1</cost><ReadingQuality><quality>8</quality></ReadingQuality><timePeriod><start>1330578000</start><duration>900</duration></timePeriod><value>5</value></IntervalReading>",
                "<IntervalReading><value>7</value></IntervalReading>", "<IntervalReading/>", "<!-- x -->", "\n", "  \r\n", "stray",
                "<IntervalReading><value>7</value><value>8</value><tou>1</tou></IntervalReading>", "<IntervalReading><value>x</value></IntervalReading>",
                "<IntervalReading><timePeriod><duration>-1</duration><start>1330578000</start></timePeriod><value>1</value></IntervalReading>",
                "</IntervalBlock><IntervalBlock><interval><duration>7200</duration><start>1330578000</start></interval>", "<entry>", "</entry>", "<value>3</value>", "&amp;",
            ]).prop_map(str::to_owned),
        ], 0..24),
        changed in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut text = format!("<feed>\n<IntervalBlock>{}</IntervalBlock></feed>", parts.concat()).into_bytes();
        if let Some((place, byte)) = changed {
            let at = place.index(text.len());
            text[at] = byte;
        }
        prop_assert_eq!(plain(all(&text)), plain(by_events(&text)));
    }
}
