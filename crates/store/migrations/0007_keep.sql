-- How long each kind of data is kept: whole months before the current one. A kind without a row is kept for ever.
CREATE TABLE retention (
    kind TEXT PRIMARY KEY,
    months INTEGER NOT NULL,
    set_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    set_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- What was removed because its time was over; rows are only ever added. before_day: the first day that was kept.
CREATE TABLE retention_log (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    before_day INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    months INTEGER NOT NULL,
    done_by TEXT NOT NULL,
    done_ms INTEGER NOT NULL
);
CREATE INDEX retention_log_by_kind ON retention_log(kind, before_day);
