//! What a cluster of nodes needs: whatever grows is found by the column that it is spread by.

use crate::spread::{LOCAL, SPREAD};
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
