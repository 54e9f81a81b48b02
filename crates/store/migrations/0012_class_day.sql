-- What the channels of one kind and class of customer used on a day: those of which every interval was read. In two halves,
-- picked by the number of the channel: how far the two run apart tells how far their mean can be trusted.
CREATE TABLE class_day (
    kind INTEGER NOT NULL,
    class TEXT NOT NULL,
    day INTEGER NOT NULL,
    part INTEGER NOT NULL,  -- the first meter of the part of the fleet that was closed
    half INTEGER NOT NULL,
    channels INTEGER NOT NULL,
    total INTEGER NOT NULL,
    PRIMARY KEY (kind, class, day, part, half)
) WITHOUT ROWID;
