use super::{LongReader, Mapping};
use crate::item::{IntervalBlock, Item, Reader};
use crate::quantity::Measure;
use crate::refusal::{ReadError, Refusal};
use model::{ChannelKind, IntervalLength, Quality};

fn read(text: &str, mapping: &str) -> Result<(Vec<IntervalBlock>, Vec<Refusal>), ReadError> {
    let mapping = Mapping::parse(mapping).unwrap();
    let mut reader = LongReader::new(text.as_bytes(), mapping).unwrap();
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

#[test]
fn a_plain_table_without_heading() {
    let text = "M1,2024-01-01T00:00:00Z,0.412\nM1,2024-01-01T00:15:00Z,0.4\nM1,2024-01-01T00:30:00Z,\nM1,2024-01-01T00:45:00Z,1\n";
    let (blocks, refused) = read(text, "").unwrap();
    assert_eq!(refused, []);
    let [block] = blocks.as_slice() else { panic!("{blocks:?}") };
    assert_eq!((block.series.meter.as_str(), block.interval), ("M1", IntervalLength::QUARTER_HOUR));
    assert_eq!((block.values.as_slice(), block.scaler), (&[412, 400, 0, 1000][..], -3));
    assert_eq!(block.quality, [Quality::RAW, Quality::RAW, Quality::MISSING, Quality::RAW]);
    assert_eq!((block.start.to_string().as_str(), block.line), ("2024-01-01T00:00:00Z", 1));
}

#[test]
fn every_bad_line_is_refused_and_every_good_one_read() {
    let text = "meter,time,value,quality,unit,channel\n\
        M1,2024-01-01T00:00:00Z,1,valid,kWh,import\n\
        M1,2024-01-01T00:30:00Z,2,estimated_linear+power_fail,kWh,import\n\
        garbage\n\
        M1,2024-01-01T01:00:00Z,x,valid,kWh,import\n\
        M1,2024-01-01T01:07:00Z,4,valid,kWh,import\n\
        M1,2024-01-01T01:30:00Z,5,splendid,kWh,import\n\
        ,2024-01-01T01:30:00Z,5,valid,kWh,import\n\
        M1,2024-01-01T02:00:00Z,,valid,kWh,import\n\
        M1,2024-01-01T02:30:00Z,\"6\",verified,kWh,import\n\
        M1,2024-01-01T03:00:00Z,7,verified,kWh,\"import\n";
    let (blocks, refused) = read(text, "").unwrap();
    let lines: Vec<(u64, &str)> = refused.iter().map(|r| (r.line, r.reason.name())).collect();
    let wanted = [
        (4, "missing_field"),
        (5, "bad_field"),
        (7, "bad_field"),
        (8, "missing_field"),
        (9, "contradiction"),
        (11, "damaged"),
        (6, "off_grid"),
    ];
    assert_eq!(lines, wanted);
    assert!(refused.iter().all(|refusal| !refusal.reason.remedy().is_empty()));
    let values: Vec<(i64, String)> =
        blocks.iter().flat_map(|b| b.values.iter().zip(&b.quality)).map(|(v, q)| (*v, q.word())).collect();
    let wanted = [(1, "valid"), (2, "estimated_linear+power_fail"), (6, "verified")];
    assert_eq!(values, wanted.map(|(value, word)| (value, word.to_owned())));
    assert!(blocks.iter().all(|b| b.series.kind == Some(ChannelKind::Import) && b.scaler == 3));
    assert_eq!(blocks[0].series.measure, Measure::WattHour);
}

#[test]
fn a_table_of_another_country() {
    let mapping = r#"
        decimal = ","
        [columns]
        meter = "Zähler"
        time = "Datum"
        clock = "Zeit"
        value = 4
        quality = "Status"
        [time]
        zone = "Europe/Zurich"
        stamps = "end"
        format = "%d.%m.%Y %H:%M"
        [value]
        unit = "kWh"
        multiplier = "40"
        [quality]
        "W" = "valid"
        "E" = "estimated_like_day"
        [meters]
        "Z-17" = "M0000017"
    "#
    .replace("value = 4", "value = \"4\"");
    let mut text = "Zähler;Datum;Zeit;Verbrauch;Status\n".to_owned();
    // The last Sunday of October: the hour from 2 to 3 occurs twice.
    for clock in
        ["01:30", "01:45", "02:00", "02:15", "02:30", "02:45", "02:00", "02:15", "02:30", "02:45", "03:00"]
    {
        text += &format!("Z-17;27.10.2024;{clock};1,25;W\n");
    }
    let (blocks, refused) = read(&text, &mapping).unwrap();
    assert_eq!(refused, []);
    let [block] = blocks.as_slice() else { panic!("{blocks:?}") };
    assert_eq!(block.series.meter, "M0000017");
    assert_eq!(block.start.to_string(), "2024-10-26T23:15:00Z");
    assert_eq!((block.values.len(), block.values[0], block.scaler), (11, 5000, 1));
    assert_eq!(block.beside_at(10), Some(&crate::item::Foreign::Word("W".into())));
}

#[test]
fn readings_of_many_meters_at_each_stamp() {
    let mut text = "time,meter,energy_wh\n".to_owned();
    for hour in 0..24 {
        for meter in 0..50 {
            text += &format!("2024-01-01 {hour:02}:00,M{meter},{}\n", hour * 100 + meter);
        }
    }
    let (blocks, refused) = read(&text, "").unwrap();
    assert_eq!((blocks.len(), refused.len()), (50, 0));
    assert!(
        blocks.iter().all(|b| b.values.len() == 24 && b.interval == IntervalLength::HOUR && b.scaler == 0)
    );
}

#[test]
fn what_is_no_table_is_said_at_once() {
    for text in ["hello\nworld\n", "meter,value\nM1,3\n", "time,quality\n2024-01-01,valid\n"] {
        assert!(matches!(read(text, ""), Err(ReadError::Heading { line: 1, .. })), "{text}");
    }
    assert_eq!(read("", "").unwrap().0.len(), 0);
    for column in ["meter", "time", "clock", "value", "quality", "unit", "channel"] {
        let mapping = format!("[columns]\n{column} = \"elsewhere\"");
        let read =
            read("meter,time,value,quality,unit,channel\nM1,2024-01-01,1,valid,kWh,import\n", &mapping);
        assert!(
            matches!(read, Err(ReadError::Heading { .. })),
            "{column} is named and is not there: {read:?}"
        );
    }
    for (heading, shift) in
        [("meter,ts,value", 0), ("meter,Interval Start,value", 0), ("device,date_time,kWh", 3)]
    {
        let text = format!("{heading}\nM1,2024-01-01,1\nM1,2024-01-02,2\n");
        let (blocks, refused) = read(&text, "").unwrap();
        assert_eq!((blocks.len(), blocks[0].scaler, refused.len()), (1, shift, 0), "{heading}");
    }
    for mapping in ["x = 1", "[time]\nzone = \"Moon\"", "[time]\ninterval_s = 7", "[quality]\n\"a\" = \"b\""]
    {
        assert!(Mapping::parse(mapping).is_err(), "{mapping}");
    }
}

mod usual {
    use super::read;
    use proptest::prelude::*;

    fn table(rows: &[Vec<String>], quoted: bool) -> String {
        let mut text = "meter,time,value,note,quality,unit\n".to_owned();
        for row in rows {
            let fields: Vec<String> =
                row.iter().map(|field| if quoted { format!("\"{field}\"") } else { field.clone() }).collect();
            text += &fields.join(",");
            text.push('\n');
        }
        text
    }

    fn row() -> impl Strategy<Value = Vec<String>> {
        let stamp = (0u8..8, prop::sample::select(vec!["", "Z", "+01:00", ":00Z", ":00", ":01Z", " ", "x"]))
            .prop_map(|(slot, tail)| {
                format!("2024-01-0{}T{:02}:{:02}{tail}", slot / 7 + 1, slot / 4, slot % 4 * 15)
            });
        let one_of = |words: &[&'static str]| prop::sample::select(words.to_vec()).prop_map(str::to_owned);
        (
            prop_oneof![4 => Just("M1".to_owned()), 1 => one_of(&["M2", "M", "", " M1", "M12"])],
            stamp,
            prop_oneof![
                4 => (0u16..2000).prop_map(|n| format!("{}.{:03}", n / 1000, n % 1000)),
                1 => one_of(&["", "7", "-0.5", "1e3", "null", "x", "0.000", "12345678901234567890", " 1"])
            ],
            one_of(&["", "a", "a b"]),
            prop_oneof![4 => Just("valid".to_owned()), 1 => one_of(&["", "raw", "missing", "splendid", "valid+partial"])],
            prop_oneof![5 => Just("kWh".to_owned()), 1 => one_of(&["", "Wh", "kWh,more", "kWh,"])],
            0usize..12,
        )
            .prop_map(|(meter, time, value, note, quality, unit, cut)| {
                let mut row = vec![meter, time, value, note, quality, unit];
                row.truncate(if cut < 6 && cut > 2 { cut } else { 6 });
                row
            })
    }

    proptest! {
        #[test]
        fn a_usual_row_is_read_as_every_other(rows in prop::collection::vec(row(), 1..40)) {
            let split = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
            let rows: Vec<Vec<String>> = rows.iter().map(|row| split(&row.join(","))).collect();
            let (plain, refused) = read(&table(&rows, false), "").unwrap();
            let (quoted, refused_too) = read(&table(&rows, true), "").unwrap();
            prop_assert_eq!(plain, quoted);
            let told = |list: Vec<crate::Refusal>| -> Vec<_> { list.into_iter().map(|r| (r.line, r.reason)).collect() };
            prop_assert_eq!(told(refused), told(refused_too));
        }
    }
}

mod round {
    use crate::csv::{LongWriter, Mapping, RegisterWriter, Shape, WideWriter, reader};
    use crate::item::{Beside, Foreign, IntervalBlock, Item, Remark, Series};
    use crate::number::Decimal;
    use crate::quantity::Measure;
    use crate::write::Writer;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use model::quality::codes::Aemo;
    use model::{ChannelKind, IntervalLength, Quality};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    type Readings = BTreeMap<Timestamp, (Option<Decimal>, Quality)>;

    fn readings(block: &IntervalBlock) -> Readings {
        let of = |value: i64| Decimal::new(value, block.scaler).trimmed();
        block.readings().map(|(at, value, quality)| (at, (value.map(of), quality))).collect()
    }

    fn back(text: Vec<u8>, shape: Shape) -> (Readings, Vec<IntervalBlock>) {
        let mut reader = reader(std::io::Cursor::new(text), Mapping { shape, ..Mapping::default() }).unwrap();
        let (mut all, mut blocks) = (Readings::new(), Vec::new());
        while let Some(item) = reader.next().unwrap() {
            let Item::Block(block) = item else { panic!("{item:?}") };
            all.extend(readings(&block));
            blocks.push(block);
        }
        (all, blocks)
    }

    proptest! {
        #[test]
        fn tables_read_back(
            start in 19_700i64..20_000,
            secs in prop::sample::select(vec![300u32, 900, 1800, 3600]),
            scaler in -5i8..=3,
            slots in prop::collection::vec(((0u8..12, 0u8..16), -1_000_000i64..1_000_000), 1..300),
            kind in prop::sample::select(vec![ChannelKind::Import, ChannelKind::Net, ChannelKind::Export]),
        ) {
            let quality: Vec<Quality> =
                slots.iter().map(|((class, flags), _)| Quality::try_from(class | (flags << 4)).unwrap()).collect();
            let values = slots.iter().zip(&quality).map(|((_, v), q)| if q.is_missing() { 0 } else { *v }).collect();
            let code = Foreign::Aemo(Aemo::parse(b"S14").unwrap(), Remark { code: Some(5), text: "no, access".into() });
            let half = u32::try_from(quality.len()).unwrap() / 2;
            let beside = if half == 0 { Vec::new() } else { vec![Beside { first: 1, count: half, code }] };
            let series = Series {
                service_point: "S,1".into(), meter: "M\"1".into(), kind: Some(kind), measure: Measure::WattHour,
                ..Series::default()
            };
            let block = IntervalBlock {
                series: Arc::new(series), line: 1, start: Timestamp::from_second(start * 86_400).unwrap(),
                interval: IntervalLength::from_secs(secs).unwrap(), scaler, values, quality,
                beside, costs: Vec::new(), updated: None, loaded: None,
            };
            let item = Item::Block(block.clone());
            let (mut long, mut wide) = (Vec::new(), Vec::new());
            LongWriter::new(&mut long).write(&item).unwrap();
            WideWriter::new(&mut wide, TimeZone::get("America/Los_Angeles").unwrap()).write(&item).unwrap();
            for (text, shape) in [(long, Shape::Long), (wide, Shape::WideDays)] {
                let (found, blocks) = back(text, shape);
                prop_assert_eq!(&found, &readings(&block));
                let codes = |blocks: &[IntervalBlock]| -> Vec<Option<Foreign>> {
                    blocks.iter().flat_map(|b| (0..b.values.len()).map(|i| b.beside_at(i).cloned())).collect()
                };
                prop_assert_eq!(codes(&blocks), codes(core::slice::from_ref(&block)));
                prop_assert!(blocks.iter().all(|b| b.series.kind == Some(kind) && b.series.meter == "M\"1"));
            }
        }
    }

    #[test]
    fn registers_come_back_and_a_tariff_column_makes_no_register() {
        let text = "service_point,meter,channel,unit,time,tou,value,quality\n\
                    S1,M1,import,kWh,2024-03-10T09:00:00Z,0,1234.5,raw\n\
                    S1,M1,import,kWh,2024-03-10T09:00:00Z,2,700,edited|aemo:F18\n\
                    S1,M1,import,kWh,2024-03-10T09:00:00Z,x,700,raw\n";
        let read = |text: &str| {
            let input = Box::new(std::io::Cursor::new(text.to_owned().into_bytes()));
            let (_, mut table) = crate::open(input, &crate::Options::default()).unwrap();
            let mut items = Vec::new();
            while let Some(item) = table.next().unwrap() {
                items.push(item);
            }
            items
        };
        let items = read(text);
        let [Item::Register(total), Item::Register(peak), Item::Refused(refused)] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(
            (total.tou, total.value.rescaled(2), total.at.as_second()),
            (0, Some(12_345), 1_710_061_200)
        );
        assert_eq!((peak.tou, peak.quality.word()), (2, "edited".to_owned()));
        assert_eq!(refused.line, 4);
        let mut written = Vec::new();
        let mut writer = RegisterWriter::new(&mut written);
        items.iter().for_each(|item| writer.write(item).unwrap());
        writer.finish().unwrap();
        let whole: Vec<&str> = text.lines().take(3).collect();
        assert_eq!(String::from_utf8(written).unwrap().lines().collect::<Vec<_>>(), whole);
        let tariff =
            "meter,time,value,unit,tou\nM1,2024-03-10T00:00Z,1,kWh,2\nM1,2024-03-10T01:00Z,1,kWh,2\n";
        assert!(matches!(read(tariff).as_slice(), [Item::Block(_)]));
    }

    #[test]
    fn wide_tables_of_others() {
        let days = "meter,date,v1".to_owned()
            + &(2..=25).map(|n| format!(",v{n}")).collect::<String>()
            + "\nM1,2024-03-10"
            + &",1".repeat(23)
            + ",,\nM1,2024-11-03"
            + &",1".repeat(25)
            + "\nM1,2024-03-11"
            + &",1".repeat(25)
            + "\n";
        let mapping = "shape = \"wide-days\"\n[columns]\ntime = \"date\"\n[time]\nzone = \"America/Los_Angeles\"\n[value]\nunit = \"kWh\"";
        let mut table =
            reader(std::io::Cursor::new(days.into_bytes()), Mapping::parse(mapping).unwrap()).unwrap();
        let mut items = Vec::new();
        while let Some(item) = table.next().unwrap() {
            items.push(item);
        }
        let [Item::Block(short), Item::Block(long), Item::Refused(refused)] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!((short.values.len(), long.values.len(), refused.line), (23, 25, 4));
        let meters = "time,A,B\n2024-01-01 00:00,1,2\n2024-01-01 00:30,3,x\n2024-01-01 01:00,5,6\n";
        let mapping = "shape = \"wide-meters\"\n[value]\nunit = \"Wh\"";
        let mut table = reader(std::io::Cursor::new(meters), Mapping::parse(mapping).unwrap()).unwrap();
        let mut found = Vec::new();
        while let Some(item) = table.next().unwrap() {
            match item {
                Item::Block(block) => found.push((block.series.meter.clone(), block.values)),
                Item::Refused(refusal) => assert_eq!((refusal.line, refusal.text.as_str()), (3, "x")),
                other => panic!("{other:?}"),
            }
        }
        // With the cell between refused, the step from the first to the last stands for the interval.
        assert_eq!(found, [("A".into(), vec![1, 3, 5]), ("B".into(), vec![2, 6])]);
    }
}
