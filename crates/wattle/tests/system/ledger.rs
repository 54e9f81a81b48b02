//! What a utility has acknowledged: what another connection to its database can see.

use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::Path;

/// What identifies the rows of the tables that only grow, as one text a row.
const GROWING: [(&str, &str); 4] = [
    ("raw batches", "SELECT start_s || ' ' || channel || ' ' || interval_s || ' ' || hash FROM raw_batch"),
    (
        "register reads",
        "SELECT meter || ' ' || kind || ' ' || tou || ' ' || at_s || ' ' || raw FROM register_read",
    ),
    ("events", "SELECT meter || ' ' || at_ms || ' ' || seq || ' ' || kind FROM event"),
    ("commands", "SELECT id || ' ' || meter || ' ' || action FROM command"),
];

/// A view of the database at one moment.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: BTreeMap<&'static str, Vec<String>>,
    /// Intervals of every channel and day of which a value is known, in the newest version.
    present: BTreeMap<(i64, i64), i64>,
    /// Counters of every meter: our ceiling, the highest of its answers, the highest of its pushes.
    counters: BTreeMap<i64, [i64; 3]>,
}

fn open(file: &Path) -> Connection {
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    database
}

impl Ledger {
    /// What is acknowledged now.
    pub(crate) fn of(file: &Path) -> Self {
        let mut database = open(file);
        let database = database.transaction().unwrap();
        let mut ledger = Self::default();
        for (what, sql) in GROWING {
            let mut rows: Vec<String> = {
                let mut found = database.prepare(sql).unwrap();
                found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            };
            rows.sort_unstable();
            ledger.rows.insert(what, rows);
        }
        let mut days =
            database.prepare("SELECT day, channel, present FROM day_block ORDER BY version").unwrap();
        let days = days.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).unwrap();
        ledger.present = days.map(Result::unwrap).collect();
        let mut counters = database.prepare("SELECT meter, own_ceiling, peer, push FROM counter").unwrap();
        let counters =
            counters.query_map([], |row| Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?])));
        ledger.counters = counters.unwrap().map(Result::unwrap).collect();
        ledger
    }

    /// How many rows of the tables that only grow.
    pub(crate) fn len(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    /// How many rows of one of them.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.rows[what].len()
    }

    /// The numbers of the commands.
    pub(crate) fn commands(&self) -> Vec<u64> {
        let first = |row: &String| row.split(' ').next().unwrap().parse().unwrap();
        self.rows["commands"].iter().map(first).collect()
    }

    /// Fails unless `later` still knows all of this, and no counter went back.
    pub(crate) fn is_kept_in(&self, later: &Self) {
        for (what, rows) in &self.rows {
            let kept = &later.rows[what];
            let lost: Vec<_> = rows.iter().filter(|row| kept.binary_search(row).is_err()).collect();
            assert!(lost.is_empty(), "{} of {} {what} were lost: {lost:?}", lost.len(), rows.len());
        }
        for (day, present) in &self.present {
            let now = later.present.get(day).copied().unwrap_or(0);
            assert!(now >= *present, "day and channel {day:?} had {present} intervals and has {now}");
        }
        for (meter, before) in &self.counters {
            let after = later.counters.get(meter).copied().unwrap_or_default();
            let forward = before.iter().zip(after).all(|(before, after)| after >= *before);
            assert!(forward, "counters of meter {meter} went back from {before:?} to {after:?}");
        }
    }
}

/// Fails unless the file is sound and no batch is in it twice under another hash.
pub(crate) fn is_sound(file: &Path) {
    let database = open(file);
    let said: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
    let count = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    let contending = "SELECT count(*) FROM (SELECT 1 FROM raw_batch GROUP BY channel, start_s, interval_s, length(block) \
                      HAVING count(*) > 1)";
    assert_eq!(count(contending), 0, "a batch was stored twice");
}
