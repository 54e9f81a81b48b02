//! Files that somebody damaged: whatever is cut, flipped, doubled or swapped, a reader ends, stays within its bounds, and
//! makes of every record an item or a refusal.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[path = "../../../fuzz/fuzz_targets/readings/whole.rs"]
mod whole;

use exchange::container;
use exchange::csv::Mapping;
use exchange::{Format, Item, Options, limits};
use flate2::read::MultiGzDecoder;
use proptest::prelude::*;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

/// Whole files, small ones of every format.
static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/exchange");
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let unpacked = |name: &str| {
        let mut text = Vec::new();
        MultiGzDecoder::new(read(name).as_slice()).read_to_end(&mut text).unwrap();
        text.truncate(60_000);
        text
    };
    vec![
        long(40),
        wide(),
        read("cmep/cmep_synthetic.csv"),
        read("nem12/invalid/Example_NEM12_powercor.csv"),
        nem12(3),
        unpacked("green_button/cew821_sample.xml.gz"),
        unpacked("green_button/ESPIUsageSummaries.xml.gz"),
        read("nem12/Example_different_intervals.zip"),
        read("green_button/BulkSCEIntervalBlock.xml.gz"),
    ]
});

/// A row a reading, as many quarter hours as are asked for.
fn long(rows: usize) -> Vec<u8> {
    let mut text = "meter,time,value,unit,quality\n".to_owned();
    for row in 0..rows {
        let (hour, minute) = (row / 4, row % 4 * 15);
        text += &format!("M1,2024-03-10T{hour:02}:{minute:02}:00Z,{}.{row:03},kWh,valid\n", row % 7);
    }
    text.into_bytes()
}

fn wide() -> Vec<u8> {
    let names: Vec<String> = (1..=25).map(|hour| format!("v{hour}")).collect();
    let day = |date: &str, hours: usize| {
        format!("S1,M1,import,kWh,3600,{date},valid*{hours}{}\n", ",1.5".repeat(hours))
    };
    let heading = format!("service_point,meter,channel,unit,interval_s,start,quality,{}\n", names.join(","));
    (heading + &day("2024-03-10T08:00:00Z", 24) + &day("2024-03-11T08:00:00Z", 24)).into_bytes()
}

fn nem12(days: u32) -> Vec<u8> {
    let mut text =
        "100,NEM12,200404201300,MDA1,Ret1\n200,VABD000163,E1Q1,1,E1,N1,METSER1,kWh,30,\n".to_owned();
    for day in 1..=days {
        text += &format!("300,200402{day:02},{}A,,,20040301000000,\n", "1.25,".repeat(48));
    }
    (text + "900\n").into_bytes()
}

/// What a file came to.
#[derive(Debug, Default, PartialEq)]
struct Told {
    values: usize,
    lines: Vec<u64>,
    refused: Vec<u64>,
}

/// Reads a file to its end, or to where it cannot be read any further, and checks the bounds of everything it says.
fn told(bytes: &[u8], options: &Options) -> Told {
    let mut told = Told::default();
    let source = bytes;
    for index in 0..container::count(&source).unwrap_or(0).min(4) {
        let Ok(Some(member)) = container::member(&source, index) else { continue };
        let Ok((_, mut reader)) = exchange::open(member.input, options) else { continue };
        while let Ok(Some(item)) = reader.next() {
            match item {
                Item::Block(block) => {
                    assert_eq!(block.values.len(), block.quality.len());
                    assert!(!block.values.is_empty() && block.values.len() <= limits::BLOCK_VALUES);
                    assert!(block.costs.is_empty() || block.costs.len() == block.values.len());
                    assert!(block.series.meter.len() <= limits::NAME);
                    told.values += block.values.len();
                    told.lines.push(block.line);
                }
                Item::Refused(refusal) => {
                    // A byte that is no UTF-8 becomes a sign of three.
                    assert!(refusal.line > 0 && refusal.text.len() <= 3 * limits::EXCERPT);
                    told.refused.push(refusal.line);
                }
                Item::Register(_) | Item::Period(_) | Item::Summary(_) | Item::Note(_) => {}
            }
        }
    }
    told
}

/// One damage.
#[derive(Clone, Debug)]
enum Damage {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Double(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    use prop::sample::Index;
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), 1u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (any::<Index>(), 1usize..40).prop_map(|(at, count)| Damage::Remove(at, count)),
        any::<Index>().prop_map(Damage::Double),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Damage::Swap(a, b)),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, junk)| Damage::Insert(at, junk)),
    ]
}

impl Damage {
    fn done_to(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let mut lines: Vec<Vec<u8>> =
            bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Flip(at, bits) => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            Self::Remove(at, count) => {
                let at = at.index(bytes.len());
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Self::Insert(at, junk) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, junk.iter().copied());
            }
            Self::Double(at) => {
                let at = at.index(lines.len());
                lines.insert(at, lines[at].clone());
                *bytes = lines.concat();
            }
            Self::Swap(a, b) => {
                let (a, b) = (a.index(lines.len()), b.index(lines.len()));
                lines.swap(a, b);
                *bytes = lines.concat();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn readers_end_and_stay_within_their_bounds(
        sample in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(), 1..6),
        forced in prop::option::of(prop::sample::select(Format::ALL.to_vec())),
    ) {
        let mut bytes = sample.get(SAMPLES.as_slice()).clone();
        damages.iter().for_each(|damage| damage.done_to(&mut bytes));
        // Of a format that it is not, as somebody may name it on the command line.
        let options = Options { format: forced, mapping: Mapping::default() };
        let once = told(&bytes, &options);
        prop_assert_eq!(once, told(&bytes, &options), "the same bytes say the same");
    }

    #[test]
    fn every_row_of_a_table_is_a_value_or_a_refusal(damages in prop::collection::vec(damage(), 1..6)) {
        let mut bytes = long(40);
        let heading = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let mut rows = bytes.split_off(heading);
        damages.iter().for_each(|damage| damage.done_to(&mut rows));
        bytes.extend_from_slice(&rows);
        let told = told(&bytes, &Options::default());
        let written = rows.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        prop_assert_eq!(told.values + told.refused.len(), written.filter(|line| !line.is_empty()).count());
    }

    #[test]
    fn a_damaged_day_takes_no_other_with_it(day in 0usize..9, at in any::<prop::sample::Index>(), bits in 1u8..) {
        let whole = nem12(9);
        let mut lines: Vec<Vec<u8>> = whole.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let line = &mut lines[day + 2];
        let at = at.index(line.len() - 1);
        line[at] ^= bits;
        prop_assume!(!line[..line.len() - 1].contains(&b'\n'));
        // Another record kind may close what is open; that is what it says then.
        prop_assume!(at >= 3);
        let told = told(&lines.concat(), &Options::default());
        let number = u64::try_from(day + 3).unwrap();
        let others: Vec<u64> = told.lines.iter().copied().filter(|line| *line != number).collect();
        prop_assert_eq!(others, (3..12).filter(|line| *line != number).collect::<Vec<u64>>());
        prop_assert!(told.refused.iter().all(|line| *line == number), "{:?}", told.refused);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// As the fuzzer does it, from files that are nearly right.
    #[test]
    fn whatever_is_read_can_be_written(
        choice in any::<u8>(), sample in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(), 0..5),
    ) {
        let mut bytes = sample.get(SAMPLES.as_slice()).clone();
        damages.iter().for_each(|damage| damage.done_to(&mut bytes));
        bytes.insert(0, choice);
        whole::read_and_write(&bytes);
    }
}
