-- What unpacks blocks, pages and months for the read-only views; PostgreSQL only. Run again after every migration; the
-- views themselves are written once for both engines, in src/sql/views.rs.
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

-- One chunk of at most 256 values. Nearly all fit sixty bits with room to spare; the others take the way of wattle_wide.
CREATE OR REPLACE FUNCTION wattle_chunk(block bytea, INOUT at int, count int, OUT vals bigint[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    head int := get_byte(block, at);
    width int := head & 127;
    far numeric;
    base bigint;
    bits int;
    raw bigint;
    start int;
    shift int;
    patches numeric;
    place int;
    high numeric;
BEGIN
    SELECT wattle_unzigzag(v.value), v.at INTO far, start FROM wattle_varint(block, at + 1) v;
    IF width > 40 OR abs(far) > 1152921504606846976 THEN
        SELECT w.at, w.vals INTO at, vals FROM wattle_wide(block, at, count) w;
        RETURN;
    END IF;
    base := far::bigint;
    bits := start * 8;
    vals := array_fill(0::bigint, ARRAY[count]);
    FOR i IN 1..count LOOP
        EXIT WHEN width = 0;
        start := bits >> 3;
        shift := bits & 7;
        raw := 0;
        FOR k IN 0..(shift + width - 1) >> 3 LOOP
            raw := raw | (get_byte(block, start + k)::bigint << (k << 3));
        END LOOP;
        vals[i] := (raw >> shift) & ((1::bigint << width) - 1);
        bits := bits + width;
    END LOOP;
    start := (bits + 7) >> 3;
    SELECT v.at, v.value INTO start, patches FROM wattle_varint(block, start) v;
    FOR i IN 1..patches::int LOOP
        place := get_byte(block, start);
        SELECT v.at, v.value INTO start, high FROM wattle_varint(block, start + 1) v;
        IF high * power(2::numeric, width) > 1125899906842624 THEN
            SELECT w.at, w.vals INTO at, vals FROM wattle_wide(block, at, count) w;
            RETURN;
        END IF;
        vals[place + 1] := vals[place + 1] | (high::bigint << width);
    END LOOP;
    at := start;
    IF head >= 128 THEN
        FOR i IN 1..count LOOP
            raw := vals[i];
            base := base + CASE WHEN raw & 1 = 0 THEN raw >> 1 ELSE -(raw >> 1) - 1 END;
            vals[i] := base;
        END LOOP;
    ELSE
        FOR i IN 1..count LOOP
            vals[i] := vals[i] + base;
        END LOOP;
    END IF;
END
$$;

-- A chunk whose numbers may need all 64 bits.
CREATE OR REPLACE FUNCTION wattle_wide(block bytea, INOUT at int, count int, OUT vals bigint[])
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

-- The byte behind a chunk.
CREATE OR REPLACE FUNCTION wattle_skip(block bytea, INOUT at int, count int)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    width int := get_byte(block, at) & 127;
    patches numeric;
BEGIN
    SELECT v.at INTO at FROM wattle_varint(block, at + 1) v;
    SELECT v.at, v.value INTO at, patches FROM wattle_varint(block, at + (count * width + 7) / 8) v;
    FOR i IN 1..patches::int LOOP
        SELECT v.at INTO at FROM wattle_varint(block, at + 1) v;
    END LOOP;
END
$$;

-- Some of `total` values that begin at a byte: `count` of them from the one with number `first` on.
CREATE OR REPLACE FUNCTION wattle_some(block bytea, at int, total int, first int, count int) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    done int := 0;
    size int;
    part bigint[];
    vals bigint[] := '{}';
BEGIN
    WHILE done < first + count LOOP
        size := least(256, total - done);
        IF done + size <= first THEN
            at := wattle_skip(block, at, size);
        ELSE
            SELECT c.at, c.vals INTO at, part FROM wattle_chunk(block, at, size) c;
            vals := vals || part[greatest(first - done, 0) + 1:least(first + count - done, size)];
        END IF;
        done := done + size;
    END LOOP;
    RETURN vals;
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

-- One channel's day in a page of up to 256 channels; nothing where it is not in there.
CREATE OR REPLACE FUNCTION wattle_in_page(block bytea, channel int, slots int, OUT mark int, OUT vals bigint[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    place int := channel & 255;
    below int := bit_count(substr(block, 7, place / 8));
    at int := 38;
    skipped int := 0;
    b int;
    length int;
    factor int;
BEGIN
    IF get_byte(block, 0) <> 1 THEN
        RAISE EXCEPTION 'page of format %, which these views do not know', get_byte(block, 0);
    END IF;
    IF get_bit(block, 48 + place) = 0 THEN
        RETURN;
    END IF;
    FOR i IN (place & 248)..place - 1 LOOP
        below := below + get_bit(block, 48 + i);
    END LOOP;
    FOR i IN 1..bit_count(substr(block, 7, 32)) LOOP
        length := 0;
        factor := 1;
        LOOP
            b := get_byte(block, at);
            at := at + 1;
            length := length + (b & 127) * factor;
            EXIT WHEN b < 128;
            factor := factor * 128;
        END LOOP;
        IF i <= below THEN
            skipped := skipped + length;
        END IF;
    END LOOP;
    mark := get_byte(block, 1);
    vals := wattle_some(block, at + skipped, slots, 0, slots);
END
$$;

-- A column of numbers: chunks of 256.
CREATE OR REPLACE FUNCTION wattle_column(block bytea, INOUT at int, count int, OUT vals bigint[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    part bigint[];
BEGIN
    vals := '{}';
    WHILE cardinality(vals) < count LOOP
        SELECT c.at, c.vals INTO at, part FROM wattle_chunk(block, at, least(256, count - cardinality(vals))) c;
        vals := vals || part;
    END LOOP;
END
$$;

-- The values of days of so many slots each, packed beside each other; one day behind the other.
CREATE OR REPLACE FUNCTION wattle_table(block bytea, at int, days int[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    total int := coalesce((SELECT sum(d) FROM unnest(days) d), 0);
    way int := get_byte(block, at);
    size int := 64;
    groups int := (total + size - 1) / size;
    widths bigint[];
    bases bigint[];
    gaps bigint[];
    highs bigint[];
    series bigint[] := array_fill(0::bigint, ARRAY[total]);
    vals bigint[] := array_fill(0::bigint, ARRAY[total]);
    width int;
    narrow bigint;
    wide numeric;
    start int;
    shift int;
    place int := 0;
    before bigint := 0;
BEGIN
    IF way > 2 THEN
        RAISE EXCEPTION 'nonsense in a month at byte %', at;
    END IF;
    SELECT c.at, c.vals INTO at, widths FROM wattle_column(block, at + 1, groups) c;
    SELECT c.at, c.vals INTO at, bases FROM wattle_column(block, at, groups) c;
    FOR g IN 1..groups LOOP
        width := widths[g];
        FOR i IN 0..least(size, total - (g - 1) * size) - 1 LOOP
            start := at + i * width / 8;
            shift := i * width % 8;
            IF width <= 48 AND abs(bases[g]::numeric) < 4611686018427387904 THEN
                narrow := 0;
                FOR k IN 0..(shift + width + 7) / 8 - 1 LOOP
                    narrow := narrow | (get_byte(block, start + k)::bigint << (8 * k));
                END LOOP;
                series[(g - 1) * size + i + 1] := bases[g] + ((narrow >> shift) & ((1::bigint << width) - 1));
            ELSE
                wide := 0;
                FOR k IN 0..(shift + width + 7) / 8 - 1 LOOP
                    wide := wide + get_byte(block, start + k) * power(256::numeric, k);
                END LOOP;
                series[(g - 1) * size + i + 1] := wattle_signed(
                    bases[g] + mod(div(wide, power(2::numeric, shift)), power(2::numeric, width)));
            END IF;
        END LOOP;
        at := at + (least(size, total - (g - 1) * size) * width + 7) / 8;
    END LOOP;
    SELECT v.at, v.value INTO at, wide FROM wattle_varint(block, at) v;
    SELECT c.at, c.vals INTO at, gaps FROM wattle_column(block, at, wide::int) c;
    SELECT c.at, c.vals INTO at, highs FROM wattle_column(block, at, wide::int) c;
    FOR i IN 1..cardinality(gaps) LOOP
        place := place + gaps[i]::int;
        series[place + 1] :=
            wattle_signed(series[place + 1] + highs[i] * power(2::numeric, widths[place / size + 1]::int));
    END LOOP;
    IF way = 1 OR total = 0 THEN
        RETURN series;
    ELSIF way = 2 THEN
        FOR i IN 1..total LOOP
            wide := series[i];
            before := wattle_signed(before + wattle_unzigzag(CASE WHEN wide < 0 THEN wide + 18446744073709551616 ELSE wide END));
            series[i] := before;
        END LOOP;
        RETURN series;
    END IF;
    place := 0;
    FOR slot IN 0..(SELECT max(d) FROM unnest(days) d) - 1 LOOP
        start := 0;
        FOR day IN 1..cardinality(days) LOOP
            IF slot < days[day] THEN
                place := place + 1;
                vals[start + slot + 1] := series[place];
            END IF;
            start := start + days[day];
        END LOOP;
    END LOOP;
    RETURN vals;
END
$$;

-- The newest version of one channel's day in a month of up to 32 channels; nothing where it is not in there.
CREATE OR REPLACE FUNCTION wattle_in_month(block bytea, channel int, of_month int,
    OUT version int, OUT recorded_s bigint, OUT length_s int, OUT marks int[], OUT vals bigint[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    at int := 1;
    value numeric;
    recorded bigint := 0;
    recorded_all bigint[] := '{}';
    length_all int[] := '{}';
    flags int;
    runs int;
    mine boolean;
    total int;
    all_days int[];
    head int;
    days int;
    version_of_run int;
    origin int;
    slots int;
    marks_of_run int[];
    found_at int;
BEGIN
    IF get_byte(block, 0) <> 2 THEN
        RAISE EXCEPTION 'month of format %, which these views do not know', get_byte(block, 0);
    END IF;
    SELECT v.at, v.value INTO at, value FROM wattle_varint(block, at) v;
    FOR i IN 1..value::int LOOP
        flags := get_byte(block, at);
        SELECT v.at INTO at FROM wattle_varint(block, at + 1) v;
        SELECT v.at, v.value INTO at, value FROM wattle_varint(block, at) v;
        recorded := recorded + wattle_unzigzag(value)::bigint;
        recorded_all := recorded_all || recorded;
        SELECT v.at, v.value INTO at, value FROM wattle_varint(block, at) v;
        length_all := length_all || value::int;
        SELECT v.at INTO at FROM wattle_varint(block, at) v;
        IF flags & 1 = 1 THEN
            SELECT v.at INTO at FROM wattle_varint(block, at) v;
            SELECT v.at + 4 INTO at FROM wattle_varint(block, at) v;
        END IF;
    END LOOP;
    WHILE at < octet_length(block) LOOP
        mine := get_byte(block, at) = (channel & 31) + 1;
        total := 0;
        all_days := '{}';
        found_at := NULL;
        SELECT v.at, v.value::int INTO at, runs FROM wattle_varint(block, at + 1) v;
        FOR i IN 1..runs LOOP
            head := get_byte(block, at);
            days := get_byte(block, at + 1);
            SELECT v.at, v.value::int INTO at, version_of_run FROM wattle_varint(block, at + 2) v;
            SELECT v.at, v.value::int INTO at, origin FROM wattle_varint(block, at) v;
            SELECT v.at, v.value::int INTO at, slots FROM wattle_varint(block, at) v;
            IF head & 1 = 0 THEN
                marks_of_run := array_fill(get_byte(block, at), ARRAY[slots]);
                at := at + 1;
            ELSE
                marks_of_run := '{}';
                WHILE cardinality(marks_of_run) < slots LOOP
                    SELECT v.at, v.value INTO at, value FROM wattle_varint(block, at) v;
                    IF value < 1 OR value > slots - cardinality(marks_of_run) THEN
                        RAISE EXCEPTION 'nonsense in a month at byte %', at;
                    END IF;
                    marks_of_run := marks_of_run || array_fill(get_byte(block, at), ARRAY[value::int]);
                    at := at + 1;
                END LOOP;
            END IF;
            -- Versions ascend, so the last run that holds the day is the newest.
            IF mine AND of_month >= head / 2 AND of_month < head / 2 + days THEN
                found_at := total + (of_month - head / 2) * slots;
                version := version_of_run;
                recorded_s := recorded_all[origin + of_month - head / 2 + 1];
                length_s := length_all[origin + of_month - head / 2 + 1];
                marks := marks_of_run;
            END IF;
            total := total + slots * days;
            all_days := all_days || array_fill(slots, ARRAY[days]);
        END LOOP;
        SELECT v.at, v.value INTO at, value FROM wattle_varint(block, at) v;
        IF found_at IS NOT NULL THEN
            vals := (wattle_table(block, at, all_days))[found_at + 1:found_at + cardinality(marks)];
            FOR i IN 1..cardinality(marks) LOOP
                vals[i] := CASE WHEN marks[i] & 15 = 9 THEN 0 ELSE vals[i] END;
            END LOOP;
            RETURN;
        END IF;
        EXIT WHEN mine;
        at := at + value::int;
    END LOOP;
END
$$;

-- The newest version of a channel's day, wherever it lies: a row of its own, a page, a folded month.
CREATE OR REPLACE FUNCTION wattle_found(of_channel bigint, of_day int,
    OUT version int, OUT sealed int, OUT recorded_s bigint, OUT length_s int, OUT marks int[], OUT vals bigint[])
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    r record;
    day date := DATE '1970-01-01' + of_day;
BEGIN
    SELECT d.version, d.sealed, d.recorded_s, d.block INTO r FROM day_block d
        WHERE d.day = of_day AND d.channel = of_channel ORDER BY d.version DESC LIMIT 1;
    IF FOUND THEN
        version := r.version;
        sealed := r.sealed;
        recorded_s := r.recorded_s;
        length_s := get_byte(r.block, 0) + (get_byte(r.block, 1) << 8) + (get_byte(r.block, 2) << 16);
        SELECT array_agg(b.mark ORDER BY b.slot), array_agg(b.value ORDER BY b.slot) INTO marks, vals
            FROM wattle_block(substr(r.block, 5)) b;
        RETURN;
    END IF;
    FOR r IN SELECT p.recorded_s, p.interval_s, i.mark, i.vals FROM day_page p
        CROSS JOIN LATERAL wattle_in_page(p.block, of_channel::int, p.slots::int) i
        WHERE p.day = of_day AND p.page = of_channel / 256 AND p.first <= of_channel AND p.last >= of_channel
    LOOP
        CONTINUE WHEN r.vals IS NULL;
        version := 1;
        sealed := 1;
        recorded_s := r.recorded_s;
        length_s := r.interval_s;
        marks := array_fill(r.mark, ARRAY[cardinality(r.vals)]);
        vals := r.vals;
        RETURN;
    END LOOP;
    SELECT i.* INTO r FROM month_page m
        CROSS JOIN LATERAL wattle_in_month(m.block, of_channel::int, extract(day FROM day)::int) i
        WHERE m.month = (extract(year FROM day) - 1970) * 12 + extract(month FROM day) - 1
            AND m.page = of_channel / 32;
    IF r.version IS NOT NULL THEN
        version := r.version;
        sealed := 1;
        recorded_s := r.recorded_s;
        length_s := r.length_s;
        marks := r.marks;
        vals := r.vals;
    END IF;
END
$$;

-- The intervals of the newest version of a channel's day.
CREATE OR REPLACE FUNCTION wattle_unpacked(channel bigint, day int)
RETURNS TABLE (slot int, start_s bigint, length_s int, reading bigint, mark int, version int)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER COST 10000 ROWS 24 AS $$
DECLARE
    f record;
    midnight bigint;
BEGIN
    f := wattle_found(channel, day);
    IF f.version IS NULL THEN
        RETURN;
    END IF;
    SELECT extract(epoch FROM (DATE '1970-01-01' + day)::timestamp AT TIME ZONE m.value)::bigint INTO midnight
        FROM meta m WHERE m.name = 'utility.zone';
    RETURN QUERY SELECT i - 1, coalesce(midnight, day * 86400::bigint) + (i - 1) * f.length_s::bigint, f.length_s,
        CASE WHEN f.marks[i] & 15 = 9 THEN NULL ELSE f.vals[i] END, f.marks[i], f.version
        FROM generate_subscripts(f.marks, 1) i;
END
$$;

-- The same counted.
CREATE OR REPLACE FUNCTION wattle_counted(channel bigint, day int)
RETURNS TABLE (version int, sealed int, expected int, present int, estimated int, total bigint, recorded_s bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER COST 10000 ROWS 1 AS $$
DECLARE
    f record;
BEGIN
    f := wattle_found(channel, day);
    IF f.version IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT f.version, f.sealed, cardinality(f.marks),
        count(*) FILTER (WHERE f.marks[i] & 15 IN (0, 1, 2, 10))::int,
        count(*) FILTER (WHERE f.marks[i] & 15 NOT IN (0, 1, 2, 9, 10))::int,
        coalesce(sum(f.vals[i]) FILTER (WHERE f.marks[i] & 15 <> 9), 0)::bigint, f.recorded_s
        FROM generate_subscripts(f.marks, 1) i;
END
$$;

-- The days of which anything may be kept.
CREATE OR REPLACE FUNCTION wattle_days() RETURNS SETOF int
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 400 AS $$
DECLARE
    ends record;
    first int;
    last int;
BEGIN
    SELECT min(day) AS a, max(day) AS b INTO ends FROM day_block;
    first := ends.a;
    last := ends.b;
    SELECT min(day) AS a, max(day) AS b INTO ends FROM day_page;
    first := least(first, ends.a);
    last := greatest(last, ends.b);
    SELECT min(f.first) AS a, max(f.last) AS b INTO ends FROM folded_month f;
    first := least(first, ends.a);
    last := greatest(last, ends.b);
    RETURN QUERY SELECT generate_series(first, last) WHERE first IS NOT NULL;
END
$$;

-- Whoever calls what runs with the owner's rights must not be able to put other tables in its way.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['wattle_unpacked(bigint, int)', 'wattle_counted(bigint, int)', 'wattle_days()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION wattle_utc(secs bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_timestamp(secs)
$$;

CREATE OR REPLACE FUNCTION wattle_date(day bigint) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT DATE '1970-01-01' + day::int
$$;

-- number × 10^exponent with all its digits: the text says exactly that.
CREATE OR REPLACE FUNCTION wattle_amount(number bigint, exponent bigint) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (number::text || 'e' || exponent::text)::numeric
$$;

CREATE OR REPLACE VIEW wattle_calendar AS SELECT number, wattle_date(number) AS day FROM wattle_days() AS number;

-- Numbers of commands: two processes that order at once neither get the same nor wait for each other.
DO $$
BEGIN
    IF to_regclass('command_number') IS NULL THEN
        CREATE SEQUENCE command_number;
        PERFORM setval('command_number', (SELECT coalesce(max(id), 0) + 1 FROM command), false);
    END IF;
END
$$;

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

-- Blocks are packed already; trying to compress them once more only costs time.
ALTER TABLE day_block ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE day_page ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE month_page ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE stats_page ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE raw_batch ALTER COLUMN block SET STORAGE EXTERNAL;
