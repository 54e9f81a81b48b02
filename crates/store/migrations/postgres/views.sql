-- Read-only views with the blocks unpacked, for analysts; PostgreSQL only. Run again after every migration.
--
-- 64-bit arithmetic that wraps around is done in numeric and turned into bigint at the end.

CREATE OR REPLACE FUNCTION wattle_signed(value numeric) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (mod(mod(value, 18446744073709551616) + 27670116110564327424, 18446744073709551616) - 9223372036854775808)::bigint
$$;

CREATE OR REPLACE FUNCTION wattle_unzigzag(value numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN mod(value, 2) = 0 THEN div(value, 2) ELSE -div(value, 2) - 1 END
$$;

CREATE OR REPLACE FUNCTION wattle_varint(block bytea, INOUT at int, OUT value numeric)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    b int;
    factor numeric := 1;
BEGIN
    value := 0;
    LOOP
        b := get_byte(block, at);
        at := at + 1;
        value := value + (b & 127) * factor;
        EXIT WHEN b < 128;
        factor := factor * 128;
    END LOOP;
END
$$;

-- One chunk of at most 256 values.
CREATE OR REPLACE FUNCTION wattle_chunk(block bytea, INOUT at int, count int, OUT vals bigint[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    head int := get_byte(block, at);
    width int := head & 127;
    base numeric;
    raw numeric[] := array_fill(0::numeric, ARRAY[count]);
    narrow bigint;
    wide numeric;
    start int;
    shift int;
    patches numeric;
    place int;
    high numeric;
BEGIN
    at := at + 1;
    SELECT v.at, wattle_unzigzag(v.value) INTO at, base FROM wattle_varint(block, at) v;
    FOR i IN 0..count - 1 LOOP
        EXIT WHEN width = 0;
        start := at + i * width / 8;
        shift := i * width % 8;
        IF width <= 48 THEN
            narrow := 0;
            FOR k IN 0..(shift + width - 1) / 8 LOOP
                narrow := narrow | (get_byte(block, start + k)::bigint << (8 * k));
            END LOOP;
            raw[i + 1] := (narrow >> shift) & ((1::bigint << width) - 1);
        ELSE
            wide := 0;
            FOR k IN 0..(shift + width - 1) / 8 LOOP
                wide := wide + get_byte(block, start + k) * power(256::numeric, k);
            END LOOP;
            raw[i + 1] := mod(div(wide, power(2::numeric, shift)), power(2::numeric, width));
        END IF;
    END LOOP;
    at := at + (count * width + 7) / 8;
    SELECT v.at, v.value INTO at, patches FROM wattle_varint(block, at) v;
    FOR i IN 1..patches::int LOOP
        place := get_byte(block, at);
        at := at + 1;
        SELECT v.at, v.value INTO at, high FROM wattle_varint(block, at) v;
        raw[place + 1] := raw[place + 1] + high * power(2::numeric, width);
    END LOOP;
    vals := array_fill(0::bigint, ARRAY[count]);
    FOR i IN 1..count LOOP
        IF head >= 128 THEN
            base := wattle_signed(base + wattle_unzigzag(raw[i]));
            vals[i] := base::bigint;
        ELSE
            vals[i] := wattle_signed(base + raw[i]);
        END IF;
    END LOOP;
END
$$;

-- A block of one channel's day: its marks, and its values, 0 where the mark says missing.
CREATE OR REPLACE FUNCTION wattle_block(block bytea) RETURNS TABLE (slot int, mark int, value bigint)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    at int := 1;
    count int;
    first int;
    marks int[] := '{}';
    length numeric;
    vals bigint[] := '{}';
    part bigint[];
BEGIN
    IF get_byte(block, 0) <> 1 THEN
        RAISE EXCEPTION 'block of format %, which these views do not know', get_byte(block, 0);
    END IF;
    SELECT v.at, v.value::int INTO at, count FROM wattle_varint(block, at) v;
    IF count > 65536 THEN
        RAISE EXCEPTION 'block of % values', count;
    END IF;
    IF count = 0 THEN
        RETURN;
    END IF;
    first := get_byte(block, at);
    at := at + 1;
    IF first <> 15 THEN
        marks := array_fill(first, ARRAY[count]);
    ELSE
        WHILE cardinality(marks) < count LOOP
            SELECT v.at, v.value INTO at, length FROM wattle_varint(block, at) v;
            IF length < 1 OR length > count - cardinality(marks) THEN
                RAISE EXCEPTION 'nonsense in a block at byte %', at;
            END IF;
            marks := marks || array_fill(get_byte(block, at), ARRAY[length::int]);
            at := at + 1;
        END LOOP;
    END IF;
    WHILE cardinality(vals) < count LOOP
        SELECT c.at, c.vals INTO at, part FROM wattle_chunk(block, at, least(256, count - cardinality(vals))) c;
        vals := vals || part;
    END LOOP;
    FOR i IN 1..count LOOP
        slot := i - 1;
        mark := marks[i];
        value := CASE WHEN marks[i] & 15 = 9 THEN 0 ELSE vals[i] END;
        RETURN NEXT;
    END LOOP;
END
$$;

-- A page of the days of up to 256 channels.
CREATE OR REPLACE FUNCTION wattle_page(block bytea, page int, slots int)
RETURNS TABLE (channel int, slot int, mark int, value bigint)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    at int := 38;
    done int;
    part bigint[];
BEGIN
    IF get_byte(block, 0) <> 1 THEN
        RAISE EXCEPTION 'page of format %, which these views do not know', get_byte(block, 0);
    END IF;
    mark := get_byte(block, 1);
    FOR place IN 0..255 LOOP
        IF get_bit(block, 48 + place) = 1 THEN
            SELECT v.at INTO at FROM wattle_varint(block, at) v;
        END IF;
    END LOOP;
    FOR place IN 0..255 LOOP
        CONTINUE WHEN get_bit(block, 48 + place) = 0;
        channel := page * 256 + place;
        done := 0;
        WHILE done < slots LOOP
            SELECT c.at, c.vals INTO at, part FROM wattle_chunk(block, at, least(256, slots - done)) c;
            FOR i IN 1..cardinality(part) LOOP
                slot := done + i - 1;
                value := part[i];
                RETURN NEXT;
            END LOOP;
            done := done + cardinality(part);
        END LOOP;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION wattle_quality(mark int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['raw', 'valid', 'verified', 'edited', 'estimated_linear', 'estimated_like_day', 'estimated_profile',
        'estimated_scaled', 'derived_zero', 'missing', 'questionable', 'projected'])[(mark & 15) + 1]
$$;

-- The newest version of every day that is a row of its own or in a page; values in the stored unit of the channel's kind.
-- Months that were folded are not in here: wattle_folded_month names them.
CREATE OR REPLACE VIEW wattle_interval AS
WITH zone AS (SELECT value FROM meta WHERE name = 'utility.zone')
SELECT d.channel, d.day, d.version,
    ((DATE '1970-01-01' + d.day)::timestamp AT TIME ZONE (SELECT value FROM zone))
        + b.slot * make_interval(secs => d.step) AS start,
    d.step AS length_s, b.value, wattle_quality(b.mark) AS quality, b.mark
FROM (
    SELECT DISTINCT ON (day, channel) day, channel, version, substr(block, 5) AS packed,
        get_byte(block, 0) + (get_byte(block, 1) << 8) + (get_byte(block, 2) << 16) AS step
    FROM day_block ORDER BY day, channel, version DESC
) d CROSS JOIN LATERAL wattle_block(d.packed) b
UNION ALL
SELECT b.channel, p.day, 1, to_timestamp(p.start_s) + b.slot * make_interval(secs => p.interval_s),
    p.interval_s, b.value, wattle_quality(b.mark), b.mark
FROM day_page p CROSS JOIN LATERAL wattle_page(p.block, p.page::int, p.slots::int) b
WHERE NOT EXISTS (SELECT 1 FROM day_block d WHERE d.day = p.day AND d.channel = b.channel);

CREATE OR REPLACE VIEW wattle_folded_month AS
SELECT (DATE '1970-01-01' + make_interval(months => month::int))::date AS month FROM folded_month;

CREATE OR REPLACE VIEW wattle_channel AS
SELECT c.id AS channel, c.kind, c.interval_s, m.id AS meter, m.serial, m.commodity, s.number AS service_point
FROM channel c JOIN meter m ON m.id = c.meter LEFT JOIN service_point s ON s.id = m.service_point;

-- A role of its own for analysts, without a way to sign in: grant it to whom it concerns. Roles belong to the whole
-- cluster, and not every owner of a database may make one; then a person who may has to.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wattle_read') THEN
        CREATE ROLE wattle_read NOLOGIN;
    END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
    NULL;
END
$$;

-- Another database of the cluster may have made the role since this transaction began, so it is not looked for.
DO $$
BEGIN
    GRANT SELECT ON wattle_interval, wattle_folded_month, wattle_channel TO wattle_read;
EXCEPTION WHEN undefined_object THEN
    NULL;
END
$$;

-- Blocks are packed already; trying to compress them once more only costs time.
ALTER TABLE day_block ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE day_page ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE month_page ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE stats_page ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE raw_batch ALTER COLUMN block SET STORAGE EXTERNAL;
