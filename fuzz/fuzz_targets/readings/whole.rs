//! A file of readings from its bytes to every other format: what the fuzzer and a property of `exchange` have in common.

use exchange::container;
use exchange::csv::{LongWriter, Mapping, RegisterWriter, Shape, WideWriter};
use exchange::espi::{EspiWriter, Feed};
use exchange::nem::{Nem12Writer, Nem13Writer};
use exchange::{Format, Item, Options, Writer, limits};
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn writers() -> Vec<Box<dyn Writer>> {
    let created = Timestamp::UNIX_EPOCH;
    let feed = Feed { title: String::new(), created, zone: Some(TimeZone::UTC) };
    vec![
        Box::new(EspiWriter::new(std::io::sink(), feed)),
        Box::new(Nem12Writer::new(std::io::sink(), created, "A", "B")),
        Box::new(Nem13Writer::new(std::io::sink(), created, "A", "B")),
        Box::new(exchange::cmep::CmepWriter::new(std::io::sink(), created, "A")),
        Box::new(LongWriter::new(std::io::sink())),
        Box::new(WideWriter::new(std::io::sink(), TimeZone::UTC)),
        Box::new(RegisterWriter::new(std::io::sink())),
    ]
}

/// Reads a file to its end, or to where it cannot be read any further, checks the bounds of what it says and writes it in every
/// other format. The first byte chooses the format and the form of a table, what follows is the file.
pub(crate) fn read_and_write(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else { return };
    let format = Format::ALL.get(usize::from(choice & 7)).copied();
    let shape =
        [Shape::Long, Shape::WideDays, Shape::WideMeters, Shape::Registers][usize::from(choice >> 3 & 3)];
    let options = Options { format, mapping: Mapping { shape, ..Mapping::default() } };
    let mut writers = writers();
    for index in 0..container::count(&bytes).unwrap_or(0).min(4) {
        let Ok(Some(member)) = container::member(&bytes, index) else { continue };
        let Ok((_, mut reader)) = exchange::open(member.input, &options) else { continue };
        while let Ok(Some(item)) = reader.next() {
            match &item {
                Item::Block(block) => {
                    assert_eq!(block.values.len(), block.quality.len());
                    assert!(block.values.len() <= limits::BLOCK_VALUES);
                }
                Item::Refused(refusal) => {
                    assert!(refusal.line > 0 && refusal.text.len() <= 3 * limits::EXCERPT);
                }
                _ => {}
            }
            for writer in &mut writers {
                let _ = writer.write(&item);
            }
        }
    }
    for writer in &mut writers {
        let _ = writer.finish();
    }
}
