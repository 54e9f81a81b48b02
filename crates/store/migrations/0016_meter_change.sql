-- What people did with meters, when, why and who says so. Rows are only ever added.
CREATE TABLE meter_change (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL,  -- fitted, taken_off, retired
    service_point INTEGER,  -- where it was done
    other INTEGER,  -- the meter that went, or came, in its place
    by_user INTEGER NOT NULL,
    reason TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL
);
CREATE INDEX meter_change_of ON meter_change(meter, at_ms);
