-- What the rules must know of a supply and of the meter on it. Unknown is NULL.
ALTER TABLE service_point ADD COLUMN class TEXT NOT NULL DEFAULT 'residential';
ALTER TABLE service_point ADD COLUMN amps INTEGER;
ALTER TABLE service_point ADD COLUMN volts INTEGER;
ALTER TABLE service_point ADD COLUMN phases INTEGER;
-- Rated power of the generators on file behind the service point, watts; NULL where there are none.
ALTER TABLE service_point ADD COLUMN generation_w INTEGER;

-- Current times voltage transformer ratio.
ALTER TABLE meter ADD COLUMN multiplier INTEGER NOT NULL DEFAULT 1;
ALTER TABLE meter ADD COLUMN dials INTEGER;
-- The main meter that this one checks.
ALTER TABLE meter ADD COLUMN check_of INTEGER;
