//! The views for analysts decode what the program encodes.

use crate::block::{pack, unpack};
use crate::{PgConfig, Store};
use model::Quality;
use rand_core::{RngCore, SeedableRng};
use std::fmt::Write;

fn connected() -> Option<(cluster::Database, Store)> {
    let database = cluster::Database::fresh()?;
    let store = Store::connect(&PgConfig::parse(&database.address()).unwrap()).unwrap();
    store.write(|w| w.set_utility("Alder Electric", "Europe/Zurich")).unwrap();
    Some((database, store))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Values of every size, from nearly constant to all of 64 bits, with a few that stand out.
fn series(random: &mut impl RngCore, count: usize) -> (Vec<i64>, Vec<Quality>) {
    let bits = random.next_u32() % 65;
    let level = random.next_u64().cast_signed() >> (random.next_u32() % 64);
    let mut value = move || {
        let draw = if bits == 0 { 0 } else { random.next_u64() >> (64 - bits) };
        let far = random.next_u32().is_multiple_of(20);
        let value = level.wrapping_add(if far { random.next_u64() } else { draw }.cast_signed());
        let mark = if random.next_u32().is_multiple_of(6) { random.next_u32() % 12 } else { 1 };
        (value, Quality::try_from(u8::try_from(mark).unwrap()).unwrap())
    };
    (0..count).map(|_| value()).unzip()
}

#[test]
fn random_blocks_are_decoded_as_we_do() {
    let Some((database, _store)) = connected() else { return };
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(5);
    let mut sql = String::new();
    let mut expected = String::new();
    for number in 0..200 {
        let count = [0, 1, 23, 24, 25, 96, 100, 288, 600][number % 9];
        let (values, quality) = series(&mut random, count);
        let block = pack(&values, &quality).unwrap();
        let (values, quality) = unpack(&block).unwrap();
        let union = if number == 0 { "" } else { " UNION ALL " };
        write!(sql, "{union}SELECT {number} AS n, slot, mark, value FROM wattle_block('\\x{}')", hex(&block))
            .unwrap();
        for (slot, (value, quality)) in values.iter().zip(&quality).enumerate() {
            writeln!(expected, "{number}|{slot}|{}|{value}", quality.byte()).unwrap();
        }
    }
    let decoded = database.psql(&format!("SELECT * FROM ({sql}) all_of_them ORDER BY n, slot")).unwrap();
    assert!(decoded == expected.trim_end(), "the views decode differently");
}

#[test]
fn readers_see_views_and_nothing_else() {
    let Some((database, _store)) = connected() else { return };
    for view in crate::SQL_VIEWS {
        database.psql(&format!("SET ROLE wattle_read; SELECT count(*) FROM {}", view.name)).unwrap();
    }
    assert!(database.psql("SET ROLE wattle_read; SELECT count(*) FROM \"user\"").is_err());
    assert!(database.psql("SET ROLE wattle_read; SELECT count(*) FROM day_block").is_err());
}
