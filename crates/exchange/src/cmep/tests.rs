use super::{CmepReader, CmepWriter};
use crate::item::{Item, Reader};
use crate::number::Decimal;
use crate::write::Writer;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, Quality};
use proptest::prelude::*;

fn all(text: &[u8]) -> Vec<Item> {
    let mut reader = CmepReader::new(text, TimeZone::UTC);
    let mut items = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        items.push(item);
    }
    items
}

const HEAD: &str = "MEPMD01,20080501,AMI,DEMO:1,ACCT,E1,202601020115,E1,OK";

#[test]
fn intervals_registers_and_faults() {
    let text = format!(
        "{HEAD},E,KWH,1.0,00000015,3,202601010015,R0,0.412,,E64,0.4,,N3,\n\
         {HEAD},E,KWHREG,1.0,00000100,2,202601010000,R0,12345.678,202601020000,R0,12372.102\n\
         {HEAD},W,GAL,10,00000100,2,202601010100,R0,8,202601010300,R0,9\n\
         MLA01,alarm\n\
         {HEAD},E,KWH,1.0,00000015,2,202601010015,R0,0.412\n\
         {HEAD},E,KWH,1.0,00000015,1,202601010015,R0,\n\
         {HEAD},E,KWH,1.0,00000015,1,202613010015,R0,1\n\
         {HEAD},X,KWH,1.0,00000015,1,202601010015,R0,1\nhello\n"
    );
    let items = all(text.as_bytes());
    let [
        Item::Block(a),
        Item::Register(r),
        Item::Register(_),
        Item::Block(w),
        Item::Block(x),
        Item::Note(_),
        rest @ ..,
    ] = items.as_slice()
    else {
        panic!("{items:?}")
    };
    assert_eq!(
        (a.start.to_string().as_str(), a.interval),
        ("2026-01-01T00:00:00Z", IntervalLength::QUARTER_HOUR)
    );
    assert_eq!((a.values.as_slice(), a.scaler), (&[412, 400, 0][..], 0));
    assert_eq!(a.quality[1].word(), "estimated_like_day");
    assert!(a.beside_at(1).is_some() && a.beside_at(0).is_none());
    assert_eq!((r.value, r.series.kind), (Decimal::new(12_345_678, 0), Some(ChannelKind::Import)));
    assert_eq!((w.values[0], x.values[0], w.series.kind), (80, 90, Some(ChannelKind::Water)));
    let names: Vec<(u64, &str)> = rest
        .iter()
        .map(|item| if let Item::Refused(r) = item { (r.line, r.reason.name()) } else { panic!("{item:?}") })
        .collect();
    let wanted =
        [(5, "wrong_count"), (6, "contradiction"), (7, "bad_field"), (8, "bad_field"), (9, "unknown_record")];
    assert_eq!(names, wanted);
}

fn any_quality() -> impl Strategy<Value = Quality> {
    (0u8..12, 0u8..16).prop_map(|(class, flags)| Quality::try_from(class | (flags << 4)).unwrap())
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        start in 20_000_000i64..30_000_000,
        minutes in prop::sample::select(vec![1u32, 5, 15, 30, 60, 1440]),
        slots in prop::collection::vec((any_quality(), -1_000_000i64..1_000_000), 1..200),
        registers in any::<bool>(),
    ) {
        let mut items = all(format!("{HEAD},E,KWH{},1,00000015,1,202601010015,R0,1\n", if registers { "REG" } else { "" }).as_bytes());
        let start = Timestamp::from_second(start * 60).unwrap();
        match &mut items[0] {
            Item::Register(read) => (read.at, read.value) = (start, Decimal::new(slots[0].1, 0)),
            Item::Block(block) => {
                block.start = start;
                block.interval = IntervalLength::from_secs(minutes * 60).unwrap();
                block.values = slots.iter().map(|(q, v)| if q.is_missing() { 0 } else { *v }).collect();
                block.quality = slots.iter().map(|(q, _)| *q).collect();
            }
            other => panic!("{other:?}"),
        }
        let mut written = Vec::new();
        let mut writer = CmepWriter::new(&mut written, start, "us");
        items.iter().for_each(|item| writer.write(item).unwrap());
        let readings = |items: &[Item]| -> Vec<(Timestamp, Option<Decimal>, Quality)> {
            items.iter().flat_map(|item| match item {
                Item::Block(b) => b.readings().map(|(at, v, q)| (at, v.map(|v| Decimal::new(v, b.scaler).trimmed()), q)).collect(),
                Item::Register(r) => vec![(r.at, Some(r.value.trimmed()), r.quality)],
                other => panic!("{other:?}"),
            }).collect()
        };
        prop_assert_eq!(readings(&all(&written)), readings(&items));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        all(&bytes);
    }
}
