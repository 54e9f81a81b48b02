use super::{About, ParquetReader, ParquetWriter};
use crate::csv::Mapping;
use crate::item::{IntervalBlock, Item, Reader, Series};
use crate::number::Decimal;
use crate::quantity::Measure;
use crate::refusal::{ReadError, Refusal};
use crate::write::{WriteError, Writer};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, LocalDay, Quality};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

type Readings = BTreeMap<(String, Timestamp), (Option<Decimal>, String)>;

fn series(meter: &str, kind: ChannelKind) -> Arc<Series> {
    let measure = Measure::of(kind.stored_unit().0);
    let (channel, service_point) = (kind.name().to_owned(), "SP 1".to_owned());
    let extra = [("version", "2"), ("origin", "edit")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    Arc::new(Series {
        service_point,
        meter: meter.into(),
        channel,
        kind: Some(kind),
        measure,
        extra: extra.into(),
    })
}

fn block(series: &Arc<Series>, start: Timestamp, scaler: i8, slots: &[(i64, Quality)]) -> IntervalBlock {
    IntervalBlock {
        series: Arc::clone(series),
        line: 1,
        start,
        interval: IntervalLength::QUARTER_HOUR,
        scaler,
        values: slots.iter().map(|(value, quality)| if quality.is_missing() { 0 } else { *value }).collect(),
        quality: slots.iter().map(|(_, quality)| *quality).collect(),
        beside: Vec::new(),
        costs: Vec::new(),
        updated: None,
        loaded: None,
    }
}

fn written(blocks: &[IntervalBlock]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let about = About { source: "Utility".into(), zone: "Europe/Zurich".into(), day: None };
    let mut writer = ParquetWriter::new(&mut bytes, about);
    for block in blocks {
        writer.write(&Item::Block(block.clone())).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    bytes
}

fn read(bytes: Vec<u8>, mapping: &str) -> Result<(Vec<IntervalBlock>, Vec<Refusal>), ReadError> {
    let mut reader = ParquetReader::new(Cursor::new(bytes), Mapping::parse(mapping).unwrap())?;
    let (mut blocks, mut refused) = (Vec::new(), Vec::new());
    while let Some(item) = reader.next()? {
        match item {
            Item::Block(block) => blocks.push(block),
            Item::Refused(refusal) => refused.push(refusal),
            other => panic!("{other:?}"),
        }
    }
    Ok((blocks, refused))
}

fn readings(blocks: &[IntervalBlock]) -> Readings {
    let mut all = Readings::new();
    for block in blocks {
        let of = |value: i64| Decimal::new(value, block.scaler).trimmed();
        all.extend(
            block
                .readings()
                .map(|(at, value, quality)| ((block.series.title(), at), (value.map(of), quality.word()))),
        );
    }
    all
}

#[test]
fn days_of_the_clock_change_come_back_with_every_quality() {
    let zone = TimeZone::get("Europe/Zurich").unwrap();
    let qualities: Vec<Quality> = (0..=u8::MAX).filter_map(|byte| Quality::try_from(byte).ok()).collect();
    let mut blocks = Vec::new();
    for (date, count) in [("2026-03-29", 92), ("2026-10-25", 100), ("2026-10-26", 96)] {
        let day = LocalDay::new(date.parse().unwrap(), &zone).unwrap();
        for kind in [ChannelKind::Net, ChannelKind::Voltage, ChannelKind::Gas] {
            let slots: Vec<(i64, Quality)> = (0..count)
                .zip(qualities.iter().cycle())
                .map(|(slot, quality)| (slot * 7 - 100, *quality))
                .collect();
            let scaler = kind.stored_unit().1;
            blocks.push(block(&series("M1", kind), day.start(), scaler, &slots));
        }
    }
    let bytes = written(&blocks);
    assert_eq!(bytes, written(&blocks), "the same rows are the same bytes");
    let (back, refused) = read(bytes, "").unwrap();
    assert_eq!(refused, []);
    assert_eq!(readings(&back), readings(&blocks));
    let kinds: Vec<_> = back.iter().map(|block| block.series.kind).collect();
    assert!(
        kinds.contains(&Some(ChannelKind::Voltage)) && back.iter().all(|b| b.series.service_point == "SP 1")
    );
    assert!(back.iter().all(|b| b.scaler >= b.series.kind.unwrap().stored_unit().1), "zeros are taken away");
}

#[test]
fn a_file_says_what_it_is_and_holds_what_every_reader_knows() {
    let start = Timestamp::from_second(1_790_000_100).unwrap();
    let bytes = written(&[block(&series("M1", ChannelKind::Import), start, 0, &[(412, Quality::VALID); 96])]);
    let file = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let about = file.metadata().file_metadata();
    let pairs: BTreeMap<_, _> =
        about.key_value_metadata().unwrap().iter().map(|p| (p.key.as_str(), p.value.as_deref())).collect();
    assert_eq!(pairs["wattle.layout"], Some("1"));
    assert_eq!(pairs["wattle.zone"], Some("Europe/Zurich"));
    let group = file.metadata().row_group(0);
    assert_eq!(group.num_rows(), 96);
    for column in group.columns() {
        for encoding in column.encodings() {
            let usual = ["PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY"];
            assert!(usual.contains(&encoding.to_string().as_str()), "{encoding} is not read by every Spark");
        }
    }
    let mut pages = file.get_row_group(0).unwrap().get_column_page_reader(5).unwrap();
    while let Some(page) = pages.get_next_page().unwrap() {
        assert_ne!(page.page_type(), ::parquet::basic::PageType::DATA_PAGE_V2);
    }
}

#[test]
fn what_would_be_rounded_or_has_no_place_is_refused() {
    let import = series("M1", ChannelKind::Import);
    let mut writer = ParquetWriter::new(Vec::new(), About::default());
    for (value, scaler) in [(1, -4), (i64::MAX, 0), (1, 16)] {
        let item = Item::Block(block(&import, Timestamp::UNIX_EPOCH, scaler, &[(value, Quality::RAW)]));
        assert!(matches!(writer.write(&item), Err(WriteError::Unfit { .. })), "{value}e{scaler}");
    }
    writer.write(&Item::Block(block(&import, Timestamp::UNIX_EPOCH, -3, &[(-1, Quality::RAW)]))).unwrap();
    writer.finish().unwrap();
}

/// A foreign table: words, doubles and seconds.
fn foreign(rows: &[(Option<&str>, i64, Option<f64>)]) -> Vec<u8> {
    let schema =
        "message m { optional binary Household (STRING); required int64 ts (TIMESTAMP(MILLIS,false));
        optional double kwh; required int32 other; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::new())).unwrap();
    for rows in rows.chunks(4) {
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let names: Vec<ByteArray> = rows.iter().filter_map(|row| row.0.map(Into::into)).collect();
        let there: Vec<i16> = rows.iter().map(|row| i16::from(row.0.is_some())).collect();
        column.typed::<ByteArrayType>().write_batch(&names, Some(&there), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let times: Vec<i64> = rows.iter().map(|row| row.1).collect();
        column.typed::<Int64Type>().write_batch(&times, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<f64> = rows.iter().filter_map(|row| row.2).collect();
        let there: Vec<i16> = rows.iter().map(|row| i16::from(row.2.is_some())).collect();
        column.typed::<DoubleType>().write_batch(&values, Some(&there), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&vec![0; rows.len()], None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    file.close().unwrap();
    bytes
}

#[test]
fn a_table_of_others_is_read_and_each_bad_row_refused() {
    let hour = |n: i64| 1_772_323_200_000 + n * 3_600_000;
    let bytes = foreign(&[
        (Some("H1"), hour(0), Some(0.412)),
        (Some("H1"), hour(1), Some(-1.5)),
        (Some("H1"), hour(2), None),
        (Some("H1"), hour(3), Some(0.1 + 0.2)),
        (Some("H1"), hour(4) + 1, Some(1.0)),
        (None, hour(5), Some(1.0)),
        (Some("H1"), hour(6), Some(f64::NAN)),
        (Some("H1"), hour(7), Some(2.0)),
    ]);
    let (blocks, refused) = read(bytes.clone(), "[time]\nzone = \"Europe/Zurich\"").unwrap();
    let lines: Vec<(u64, &str)> = refused.iter().map(|r| (r.line, r.reason.name())).collect();
    assert_eq!(lines, [(4, "bad_field"), (5, "bad_field"), (6, "missing_field")]);
    assert!(
        refused[0].text.contains("0.30000000000000004") && refused[0].text.contains("H1"),
        "{}",
        refused[0].text
    );
    let found: Vec<(String, Option<String>)> = blocks
        .iter()
        .flat_map(|b| {
            b.readings().map(|(at, v, _)| (at.to_string(), v.map(|v| Decimal::new(v, b.scaler).to_string())))
        })
        .collect();
    let wanted = [
        ("2026-02-28T23:00:00Z", Some("412")),
        ("2026-03-01T00:00:00Z", Some("-1500")),
        ("2026-03-01T01:00:00Z", None),
        ("2026-03-01T05:00:00Z", None),
        ("2026-03-01T06:00:00Z", Some("2000")),
    ];
    assert_eq!(found, wanted.map(|(at, value)| (at.to_owned(), value.map(str::to_owned))));
    let error = read(bytes.clone(), "[columns]\nvalue = \"ts\"").unwrap_err().to_string();
    assert!(error.contains("holds timestamps, which is not numbers"), "{error}");
    let error = read(bytes, "[columns]\nvalue = \"energy\"").unwrap_err().to_string();
    assert!(error.contains("household, ts, kwh, other is the value"), "{error}");
}

#[test]
fn a_damaged_row_group_is_left_out_alone() {
    let hour = |n: i64| 1_772_323_200_000 + n * 3_600_000;
    let rows: Vec<_> = (0..12).map(|n| (Some("H1"), hour(n), Some(1.25))).collect();
    let mut bytes = foreign(&rows);
    let file = SerializedFileReader::new(bytes::Bytes::from(bytes.clone())).unwrap();
    let (from, len) = file.metadata().row_group(1).column(1).byte_range();
    let (from, len) = (usize::try_from(from).unwrap(), usize::try_from(len).unwrap());
    bytes[from..from + len].fill(0xFF);
    let (blocks, refused) = read(bytes, "").unwrap();
    let values: usize = blocks.iter().map(|block| block.values.len()).sum();
    assert_eq!((values, refused.len(), refused[0].line, refused[0].reason.name()), (8, 1, 5, "damaged"));
    assert_eq!(refused[0].text, "4 rows of row group 2");
}

#[test]
fn what_is_no_file_of_the_format_is_said() {
    for bytes in [&b"PAR1"[..], b"PAR1PAR1", b"PAR1\0\0\0\0\xFF\xFF\xFF\x7FPAR1", b""] {
        assert!(matches!(read(bytes.to_vec(), ""), Err(ReadError::Table(_))), "{bytes:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tables_read_back(
        start in 1_700_000_000i64..1_800_000_000,
        scaler in -3i8..=6,
        slots in prop::collection::vec((-1_000_000i64..1_000_000, 0u8..12, 0u8..16), 1..300),
    ) {
        let slots: Vec<_> = slots.iter()
            .map(|(value, class, flags)| (*value, Quality::try_from(class | (flags << 4)).unwrap())).collect();
        let start = Timestamp::from_second(start / 900 * 900).unwrap();
        let one = block(&series("M\"1", ChannelKind::Net), start, scaler, &slots);
        let (back, refused) = read(written(std::slice::from_ref(&one)), "").unwrap();
        prop_assert_eq!(refused, []);
        prop_assert_eq!(readings(&back), readings(&[one]));
    }

    #[test]
    fn a_damaged_file_never_panics(places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let rows: Vec<_> = (0..12).map(|n| (Some("H1"), n * 3_600_000, Some(1.25))).collect();
        let mut bytes = foreign(&rows);
        for (place, byte) in places {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(bytes, "");
    }
}
