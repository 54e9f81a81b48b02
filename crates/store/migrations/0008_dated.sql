-- What people define has a history: rows are only ever added. For a day the last added row counts that begins on it or
-- before. from_day 0 is "since ever"; body NULL: no more from then on.
CREATE TABLE group_version (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    from_day INTEGER NOT NULL,
    body TEXT,
    by_user INTEGER NOT NULL,
    reason TEXT NOT NULL,
    changed_ms INTEGER NOT NULL
);
CREATE INDEX group_version_of ON group_version(owner, id);
INSERT INTO group_version (owner, from_day, body, by_user, reason, changed_ms)
    SELECT id, 0, rule, by_user, '', changed_ms FROM meter_group ORDER BY id;
ALTER TABLE meter_group DROP COLUMN rule;
ALTER TABLE meter_group DROP COLUMN by_user;
ALTER TABLE meter_group DROP COLUMN changed_ms;

CREATE TABLE virtual_version (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    from_day INTEGER NOT NULL,
    body TEXT,
    by_user INTEGER NOT NULL,
    reason TEXT NOT NULL,
    changed_ms INTEGER NOT NULL
);
CREATE INDEX virtual_version_of ON virtual_version(owner, id);
INSERT INTO virtual_version (owner, from_day, body, by_user, reason, changed_ms)
    SELECT id, 0, formula, by_user, reason, changed_ms FROM virtual_channel ORDER BY id;
ALTER TABLE virtual_channel DROP COLUMN formula;
ALTER TABLE virtual_channel DROP COLUMN by_user;
ALTER TABLE virtual_channel DROP COLUMN reason;
ALTER TABLE virtual_channel DROP COLUMN changed_ms;

-- Where each meter was when; to_ms NULL: it still is. meter.service_point is where it is now.
CREATE TABLE installation (
    meter INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER,
    service_point INTEGER,
    PRIMARY KEY (meter, from_ms)
) WITHOUT ROWID;
INSERT INTO installation (meter, from_ms, to_ms, service_point)
    SELECT id, installed_ms, retired_ms, service_point FROM meter;

-- At which substation a feeder begins from a day on, and the class of rates of a service point; rows are only ever added,
-- the last added one counts that begins on a day or before. NULL: of none.
CREATE TABLE feeder_since (
    id INTEGER PRIMARY KEY,
    feeder TEXT NOT NULL,
    from_day INTEGER NOT NULL,
    substation TEXT,
    changed_ms INTEGER NOT NULL
);
INSERT INTO feeder_since (feeder, from_day, substation, changed_ms)
    SELECT name, 0, substation, 0 FROM feeder ORDER BY name;
DROP TABLE feeder;
CREATE TABLE rate_class_since (
    id INTEGER PRIMARY KEY,
    service_point INTEGER NOT NULL,
    from_day INTEGER NOT NULL,
    rate_class TEXT,
    changed_ms INTEGER NOT NULL
);
INSERT INTO rate_class_since (service_point, from_day, rate_class, changed_ms)
    SELECT id, 0, rate_class, 0 FROM service_point WHERE rate_class IS NOT NULL ORDER BY id;
ALTER TABLE service_point DROP COLUMN rate_class;

-- Which days of which channels a file of readings was taken in for.
CREATE TABLE import_span (
    file INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    first_day INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    PRIMARY KEY (channel, file, first_day)
) WITHOUT ROWID;
