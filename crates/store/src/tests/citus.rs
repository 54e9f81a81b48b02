//! What a cluster of nodes needs: whatever grows is found by the column that it is spread by.

use crate::engine::pg::citus::{LOCAL, SPREAD};
use crate::{PgConfig, Store};

/// The key of every table, as PostgreSQL has it after the migrations.
const KEYS: &str = "SELECT c.relname || ':' || string_agg(a.attname, ',') FROM pg_index i JOIN pg_class c ON c.oid = \
                    i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) WHERE i.indisunique \
                    AND c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' GROUP BY c.relname, i.indexrelid";

#[test]
fn every_key_of_a_spread_table_holds_the_column_it_is_spread_by() {
    let Some(database) = cluster::Database::fresh() else { return };
    Store::connect(&PgConfig::parse(&database.address()).unwrap()).unwrap();
    let keys = database.psql(KEYS).unwrap();
    let mut seen = 0;
    for line in keys.lines() {
        let (table, columns) = line.split_once(':').unwrap();
        if let Some((_, column)) = SPREAD.iter().find(|(name, _)| *name == table) {
            assert!(columns.split(',').any(|one| one == *column), "{line} lacks {column}");
            seen += 1;
        }
    }
    assert!(seen >= SPREAD.len(), "a spread table has no key, or is gone: {keys}");
    for name in LOCAL {
        assert!(keys.lines().any(|line| line.starts_with(&format!("{name}:"))), "{name} is no table");
    }
}

/// The statements that run for every reading, page view or bill: each names the column, or is a sum over all that every node
/// does its share of.
const HOT: &[(&str, &str)] = &[
    ("day_block", "WHERE day = ? AND channel = ? ORDER BY version DESC LIMIT 1"),
    ("day_page", " FROM day_page WHERE day = ?1 AND page = ?2 AND first <= ?3 AND last >= ?3"),
    ("month_page", "SELECT block FROM month_page WHERE month = ? AND page = ?"),
    ("register_read", "WHERE meter = ? AND kind = ? AND tou = ? AND at_s <= ? ORDER BY at_s DESC LIMIT 1"),
    ("event", "WHERE meter = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms DESC, seq DESC LIMIT ?"),
    ("finding", "WHERE channel = ? AND day >= ? AND day < ? ORDER BY day, first, origin, rule"),
];

#[test]
fn every_hot_statement_names_the_column() {
    let sources = [
        include_str!("../day.rs"),
        include_str!("../day_page.rs"),
        include_str!("../fold.rs"),
        include_str!("../register.rs"),
        include_str!("../event.rs"),
        include_str!("../finding.rs"),
    ];
    for (table, text) in HOT {
        let (_, column) = SPREAD.iter().find(|(name, _)| name == table).unwrap();
        assert!(sources.iter().any(|source| source.contains(text)), "{text} is not a statement any more");
        assert!(text.contains(&format!("{column} = ?")), "{text} does not name {column}");
    }
}
