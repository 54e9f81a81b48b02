//! Spreading the large tables over the nodes of a Citus cluster, where that extension is.
//!
//! A channel's rows are together on one node, a page's rows likewise, and a meter's; see [`crate::spread`]. Everything else is small and on every node.

use crate::spread::{LOCAL, SPREAD};

/// The script that spreads what is not spread yet; it does nothing where Citus is not.
pub(super) fn script() -> String {
    use core::fmt::Write;
    let mut calls = String::new();
    for (table, column) in SPREAD {
        // Writing to a string cannot fail.
        let _ = write!(
            calls,
            "IF NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = '{table}'::regclass) THEN \
             PERFORM create_distributed_table('{table}', '{column}', colocate_with => '{}'); END IF; ",
            first_of(column, table)
        );
    }
    let kept: Vec<String> = SPREAD
        .iter()
        .map(|(table, _)| *table)
        .chain(LOCAL.iter().copied())
        .map(|name| format!("'{name}'"))
        .collect();
    // The small ones are listed before anything is spread: shards are tables too. By name: when a
    // table is spread, its number may pass to its shard.
    format!(
        "DO $$ DECLARE small text; all_small text[]; BEGIN \
         IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN \
         all_small := ARRAY(SELECT c.relname::text FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = \
         current_schema()::regnamespace AND c.relname NOT IN ({}) AND NOT relation_is_a_known_shard(c.oid) AND NOT EXISTS \
         (SELECT 1 FROM pg_dist_partition p WHERE p.logicalrelid = c.oid)); {calls} \
         FOREACH small IN ARRAY all_small LOOP IF NOT EXISTS (SELECT 1 FROM pg_dist_partition p WHERE p.logicalrelid = quote_ident(small)::regclass \
         AND p.partmethod = 'n' AND p.repmodel = 't') THEN PERFORM create_reference_table(quote_ident(small)::regclass); END IF; END LOOP; \
         END IF; END $$",
        kept.join(", ")
    )
}

/// The first table with the same column, or `none` for that one itself.
fn first_of(column: &str, table: &str) -> &'static str {
    SPREAD
        .iter()
        .find(|(_, other)| *other == column)
        .map_or("none", |(first, _)| if *first == table { "none" } else { first })
}
