use super::{Nem12Writer, Nem13Writer, NemReader};
use crate::item::{Beside, Foreign, IntervalBlock, Item, Reader, Remark, Series};
use crate::quantity::Measure;
use crate::write::Writer;
use jiff::Timestamp;
use model::quality::codes::{Aemo, AemoFlag};
use model::{ChannelKind, IntervalLength, Quality};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

fn all(text: &str) -> Vec<Item> {
    let mut reader = NemReader::new(text.as_bytes());
    let mut items = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        items.push(item);
    }
    items
}

fn day(values: &str, tail: &str) -> String {
    let values = vec![values; 48].join(",");
    format!("300,20040417,{values},{tail}\n")
}

const HEAD: &str =
    "100,NEM12,200404201300,MDA1,Ret1\n200,CCCC123456,E1,001,E1,N1,METSER123,kWh,30,20040501\n";

#[test]
fn a_day_with_three_qualities() {
    let text = format!(
        "{HEAD}{}400,1,20,F14,76,\n400,21,24,A,,\n400,25,48,S17,1,because\n900\n",
        day("18.023", "V,,,20040418203500,")
    );
    let items = all(&text);
    let [Item::Note(_), Item::Block(block)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(block.series.kind, Some(ChannelKind::Import));
    assert_eq!(block.start.to_string(), "2004-04-16T14:00:00Z");
    assert_eq!((block.values[0], block.scaler), (18_023, 0));
    assert_eq!(block.updated.unwrap().to_string(), "2004-04-18T10:35:00Z");
    assert_eq!(block.loaded, None);
    let words: Vec<String> = [0, 20, 47].map(|at: usize| block.quality[at].word()).to_vec();
    assert_eq!(words, ["estimated_like_day", "valid", "estimated_linear"]);
    let remark = Remark { code: Some(1), text: "because".into() };
    let code = Aemo { flag: AemoFlag::Substitute, method: 17 };
    assert_eq!(block.beside_at(30), Some(&Foreign::Aemo(code, remark)));
    assert_eq!(block.beside_at(22), None);
}

#[test]
fn every_fault_has_its_line_and_reason() {
    let one = |body: &str| format!("{HEAD}{body}900\n");
    let table = [
        (one(&day("1", "A,,,,").replacen(",1", "", 1)), 3, "wrong_count"),
        (one(&day("1", "A,,,,").replacen(",1", ",1,1", 1)), 3, "wrong_count"),
        (one(&day("1", "A,,,,").replacen(",1", ",x", 1)), 3, "bad_field"),
        (one(&day("1", "Q,,,,")), 3, "bad_field"),
        (one(&day("1", "S14,7777,,,")), 3, "bad_field"),
        (one(&day("1", "N,,,,")), 3, "contradiction"),
        (one(&day("1", "V,,,,")), 3, "contradiction"),
        (one(&(day("1", "V,,,,") + "400,1,47,A,,\n")), 3, "contradiction"),
        (one(&(day("1", "V,,,,") + "400,2,48,A,,\n")), 3, "contradiction"),
        (one(&(day("1", "A,,,,") + "400,1,48,A,,\n")), 4, "orphan_record"),
        (one("300,20041301,1,A\n"), 3, "bad_field"),
        (one("777,what\n"), 3, "unknown_record"),
        (one("200,X,E1,1,E1,N1,M,kWh,7,\n"), 3, "bad_field"),
        (format!("{HEAD}{}", day("1", "A,,,,")), 3, "damaged"),
        (one("").replace("100,NEM12,200404201300,MDA1,Ret1\n", ""), 1, "missing_field"),
        (String::new(), 1, "missing_field"),
    ];
    for (text, line, name) in table {
        let refused: Vec<_> = all(&text)
            .into_iter()
            .filter_map(|item| if let Item::Refused(refusal) = item { Some(refusal) } else { None })
            .collect();
        let found: Vec<(u64, &str)> = refused.iter().map(|r| (r.line, r.reason.name())).collect();
        assert!(found.contains(&(line, name)), "{found:?} in {text}");
    }
}

#[test]
fn accumulation_readings_come_back() {
    let text = "100,NEM13,200401101030,MDA1,Ret1\n\
        250,VDEF005890,1141,1,11,11,MET12345,E,000888,20040108103055,A,,,000999,20040408000000,E64,,,111,kWh,20040408,20040409000000,20040109103023\n\
        550,N,,E\n900\n";
    let items = all(text);
    let [Item::Note(_), Item::Register(a), Item::Register(b), Item::Period(p), Item::Note(_)] =
        items.as_slice()
    else {
        panic!("{items:?}")
    };
    assert_eq!(
        (a.value.trimmed().to_string(), b.value.trimmed().to_string()),
        ("888000".into(), "999000".into())
    );
    assert_eq!(p.value.unwrap().rescaled(0), Some(111_000));
    assert_eq!((p.start, p.end, b.quality.word().as_str()), (a.at, b.at, "projected"));
    let mut written = Vec::new();
    let mut writer = Nem13Writer::new(&mut written, "2004-01-10T00:30:00Z".parse().unwrap(), "MDA1", "Ret1");
    items.iter().for_each(|item| writer.write(item).unwrap());
    writer.finish().unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), text);
}

fn any_code() -> impl Strategy<Value = (Quality, Option<Foreign>)> {
    let ours = (0u8..12, 0u8..16)
        .prop_map(|(class, flags)| (Quality::try_from(class | (flags << 4)).unwrap(), None));
    let theirs = (
        prop::sample::select(vec![AemoFlag::Final, AemoFlag::Substitute]),
        11u8..=25,
        0u16..99,
        "[a-z ]{0,9}",
    )
        .prop_map(|(flag, method, reason, text)| {
            let code = Aemo { flag, method };
            let remark = Remark { code: Some(reason), text: text.trim().to_owned() };
            (model::quality::codes::from_aemo(code, &remark.text), Some(Foreign::Aemo(code, remark)))
        });
    prop_oneof![2 => Just((Quality::VALID, None)), 1 => ours, 1 => theirs]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        start in 1_600_000_000i64..1_700_000_000,
        minutes in prop::sample::select(vec![1u32, 5, 10, 15, 30]),
        scaler in -5i8..=3,
        slots in prop::collection::vec((any_code(), -1_000_000i64..1_000_000), 1..300),
    ) {
        let interval = IntervalLength::from_secs(minutes * 60).unwrap();
        let start = interval.floor(Timestamp::from_second(start).unwrap());
        let series = Series {
            service_point: "NMI1234567".into(), meter: "M1".into(), channel: "E1".into(),
            kind: Some(ChannelKind::Import), measure: Measure::WattHour, extra: BTreeMap::new(),
        };
        let mut block = IntervalBlock {
            series: Arc::new(series), line: 1, start, interval, scaler,
            values: Vec::new(), quality: Vec::new(), beside: Vec::new(), costs: Vec::new(),
            updated: Some(start), loaded: interval.floor(start).checked_add(jiff::SignedDuration::from_secs(61)).ok(),
        };
        for (index, ((quality, beside), value)) in slots.iter().enumerate() {
            block.values.push(if quality.is_missing() { 0 } else { *value });
            block.quality.push(*quality);
            if let Some(code) = beside {
                block.beside.push(Beside { first: u32::try_from(index).unwrap(), count: 1, code: code.clone() });
            }
        }
        let mut written = Vec::new();
        let mut writer = Nem12Writer::new(&mut written, start, "A", "B");
        writer.write(&Item::Block(block.clone())).unwrap();
        writer.finish().unwrap();
        let text = String::from_utf8(written).unwrap();
        let mut back = BTreeMap::new();
        for item in all(&text) {
            match item {
                Item::Block(b) => {
                    prop_assert_eq!((b.updated, b.loaded), (block.updated, block.loaded));
                    for (index, (at, value, quality)) in b.readings().enumerate() {
                        let value = value.map(|v| crate::number::Decimal::new(v, b.scaler).trimmed());
                        back.insert(at, (value, quality, b.beside_at(index).cloned()));
                    }
                }
                Item::Note(_) => {}
                other => panic!("{other:?} in {text}"),
            }
        }
        for (index, (at, value, quality)) in block.readings().enumerate() {
            let value = value.map(|v| crate::number::Decimal::new(v, block.scaler).trimmed());
            let (v, q, beside) = back.remove(&at).unwrap();
            prop_assert_eq!((v, q), (value, quality));
            if let Some(foreign) = block.beside_at(index) {
                prop_assert_eq!(beside.as_ref(), Some(foreign));
            }
        }
        prop_assert!(back.values().all(|(value, quality, _)| value.is_none() && quality.is_missing()));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut reader = NemReader::new(bytes.as_slice());
        while let Some(_item) = reader.next().unwrap() {}
    }
}
