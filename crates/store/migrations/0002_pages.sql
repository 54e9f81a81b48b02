-- The whole days of up to 256 channels (channel >> 8 = page) whose first version passed every rule, as one row; what was
-- read is these very values, so it is not kept twice.
CREATE TABLE day_page (
    day INTEGER NOT NULL,
    page INTEGER NOT NULL,
    part INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    channels INTEGER NOT NULL,
    interval_s INTEGER NOT NULL,
    slots INTEGER NOT NULL,
    recorded_s INTEGER NOT NULL,
    rules INTEGER NOT NULL,
    start_s INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    block BLOB NOT NULL,
    PRIMARY KEY (day, page, part)
);

-- Every version of every day of a month, of up to 32 channels (channel >> 5 = page), as one row. Months count from 1970-01.
CREATE TABLE month_page (
    month INTEGER NOT NULL,
    page INTEGER NOT NULL,
    batches INTEGER NOT NULL,
    block BLOB NOT NULL,
    PRIMARY KEY (month, page)
);

-- What the validation remembers of up to 256 channels; a row of channel_stats is newer.
CREATE TABLE stats_page (
    page INTEGER PRIMARY KEY,
    stamp INTEGER NOT NULL,
    block BLOB NOT NULL
);

-- How far a load has come that is done in several transactions.
CREATE TABLE load_mark (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL
);

-- Pushes as they were acknowledged, until they are sealed into days.
CREATE TABLE push_group (
    id INTEGER PRIMARY KEY,
    received_ms INTEGER NOT NULL,
    batches INTEGER NOT NULL,
    block BLOB NOT NULL
);

-- The months of which anything is in month pages, and the first and last day of each that is.
CREATE TABLE folded_month (
    month INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    folded_ms INTEGER NOT NULL
);
