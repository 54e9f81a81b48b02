-- What meters told of themselves when they were visited, and between which instants their clocks were not to be trusted: after the
-- last check that was good (NULL: never known) until the check that was not.
CREATE TABLE meter_check (
    meter INTEGER PRIMARY KEY,
    checked_ms INTEGER NOT NULL,
    serial TEXT,
    multiplier INTEGER,
    scaler_off INTEGER,
    good_ms INTEGER,
    lost_from_ms INTEGER,
    lost_to_ms INTEGER,
    lost_offset_ms INTEGER
);

-- Our own clock less a reference, whenever it was compared.
CREATE TABLE system_clock (
    at_ms INTEGER PRIMARY KEY,
    offset_ms INTEGER NOT NULL,
    reference TEXT NOT NULL
);

-- Since when the meter measures at its service point, where that is on record; what it says of times before is not its own.
ALTER TABLE meter ADD COLUMN fitted_ms INTEGER;
