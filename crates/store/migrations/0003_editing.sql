-- Where a version of a day came from. A first version made of plain readings has no row: its readings are in raw_batch.
-- rejected: the readings that a person refused and that this version still does without, JSON [[slot, value], ...].
CREATE TABLE day_origin (
    channel INTEGER NOT NULL,
    day INTEGER NOT NULL,
    version INTEGER NOT NULL,
    recorded_ms INTEGER NOT NULL,
    source INTEGER NOT NULL,
    by_user INTEGER,
    reason TEXT,
    note TEXT,
    op TEXT,
    supersedes INTEGER NOT NULL,
    rejected TEXT,
    PRIMARY KEY (channel, day, version)
) WITHOUT ROWID;

-- What people did on the editing bench, whether it made a version or not; never changed.
CREATE TABLE edit_log (
    channel INTEGER NOT NULL,
    day INTEGER NOT NULL,
    command TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    by_user INTEGER NOT NULL,
    op TEXT NOT NULL,
    slots TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    version_before INTEGER NOT NULL,
    version_after INTEGER NOT NULL,
    PRIMARY KEY (channel, day, command)
) WITHOUT ROWID;

-- What people decided about a finding, and findings that are no more. The key is that of the finding.
CREATE TABLE finding_case (
    day INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    rule TEXT NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    version INTEGER NOT NULL,
    severity TEXT NOT NULL,
    sentence TEXT NOT NULL,
    found_ms INTEGER NOT NULL,
    state INTEGER NOT NULL,
    assignee INTEGER,
    note TEXT NOT NULL,
    by_user INTEGER,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (day, channel, origin, rule, first)
) WITHOUT ROWID;
CREATE INDEX finding_case_by_channel ON finding_case(channel, day);

-- The versions that a bill was computed from.
CREATE TABLE bill_pin (
    channel INTEGER NOT NULL,
    day INTEGER NOT NULL,
    bill INTEGER NOT NULL,
    version INTEGER NOT NULL,
    pinned_ms INTEGER NOT NULL,
    PRIMARY KEY (channel, day, bill)
) WITHOUT ROWID;
CREATE INDEX bill_pin_by_bill ON bill_pin(bill);

-- Billed days that are no longer what was billed; whoever bills takes them up.
CREATE TABLE rebill_flag (
    channel INTEGER NOT NULL,
    day INTEGER NOT NULL,
    bill INTEGER NOT NULL,
    version INTEGER NOT NULL,
    reason TEXT NOT NULL,
    flagged_ms INTEGER NOT NULL,
    taken_up_ms INTEGER,
    PRIMARY KEY (channel, day, bill, version)
) WITHOUT ROWID;
CREATE INDEX rebill_flag_open ON rebill_flag(bill) WHERE taken_up_ms IS NULL;

-- Where a feeder begins; feeders without a row belong to no substation.
CREATE TABLE feeder (
    name TEXT PRIMARY KEY,
    substation TEXT NOT NULL
) WITHOUT ROWID;

ALTER TABLE service_point ADD COLUMN rate_class TEXT;

-- A named set of meters: a list, or a filter that is asked anew each time.
CREATE TABLE meter_group (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    by_user INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
);

-- A series that is computed from others when it is read.
CREATE TABLE virtual_channel (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    formula TEXT NOT NULL,
    by_user INTEGER NOT NULL,
    reason TEXT NOT NULL,
    changed_ms INTEGER NOT NULL
);

-- Which rules judge the days from a date on; the last row for a day counts, rows are only ever added.
CREATE TABLE rule_activation (
    id INTEGER PRIMARY KEY,
    rules INTEGER NOT NULL,
    from_day INTEGER NOT NULL,
    activated_ms INTEGER NOT NULL,
    by_user INTEGER NOT NULL,
    reason TEXT NOT NULL
);
