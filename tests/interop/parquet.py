"""Parquet against independent programs: what we write is read by DuckDB, pandas and Arrow, and what they write by us.

The days hold a clock change and a gap, which Wattle fills; each value that was read is compared as a decimal.
Spark cannot be run here. What it needs of a file is checked instead: timestamps in microseconds of UTC, decimals on
integers, data pages of version 1, plain and dictionary encodings, a codec that it brings along.
"""
import argparse
import csv
import datetime
import io
import json
import os
import subprocess
import tempfile
from decimal import Decimal

import duckdb
import pandas
import pyarrow
import pyarrow.parquet

from process import AK, EK

UTC = datetime.timezone.utc
ZONE = "Europe/Zurich"
START = datetime.datetime(2024, 3, 28, 23, tzinfo=UTC)
QUARTERS = 71 * 4
SPARK_READS = {"PLAIN", "RLE", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "BIT_PACKED"}


class Wrong(Exception):
    """A value or a file is not what it should be."""


def readings():
    """Three days of quarter hours up to the change of the clock, with a gap of half an hour, for two meters."""
    rows = []
    for meter, sign in (("M-1", 1), ("M-2", 7)):
        for quarter in range(QUARTERS):
            if quarter in (130, 131):
                continue
            value = Decimal(sign * (quarter * 37 % 1000) + 1) / 1000
            rows.append((meter, START + datetime.timedelta(minutes=15 * quarter), value))
    return rows


def wattle(program, *arguments, code=0):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120)
    if done.returncode != code:
        raise Wrong(f"wattle {' '.join(arguments[:2])} ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout


def utility(program, folder):
    """A utility with two meters."""
    data = os.path.join(folder, "data")
    wattle(program, "admin", "migrate", "--data", data, "--name", "Columns", "--zone", ZONE)
    tables = {
        "premises": ["premise,address,city", "P-1,1 Street,Town", "P-2,2 Street,Town"],
        "service_points": ["service_point,premise,commodity", "S-1,P-1,electricity", "S-2,P-2,electricity"],
        "meters": ["serial,service_point,model,system_title,endpoint",
                   "M-1,S-1,lab,5045455230303031,127.0.0.1:4059", "M-2,S-2,lab,5045455230303032,127.0.0.1:4060"],
        "keys": ["serial,encryption_key,authentication_key", f"M-1,{EK},{AK}", f"M-2,{EK},{AK}"],
    }
    files = []
    for name, lines in tables.items():
        files.append(os.path.join(folder, name + ".csv"))
        with open(files[-1], "w") as out:
            out.write("\n".join(lines) + "\n")
    wattle(program, "admin", "load", "--data", data, *files)
    return data


def was_read(quality):
    return not quality.startswith(("estimated", "missing"))


def exported(program, data):
    """What the store holds of what was read, through a format that is no Parquet."""
    text = wattle(program, "export", "--data", data, "--format", "csv", "--all", "--from", "2024-03-29", "--to",
                  "2024-03-31")
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        if row["value"] and row["channel"] == "import" and was_read(row["quality"]):
            stamp = datetime.datetime.fromisoformat(row["start"])
            found[row["meter"], stamp] = Decimal(row["value"])
    return found


def same(what, found, wanted):
    if found != wanted:
        differing = [key for key in sorted(set(found) | set(wanted)) if found.get(key) != wanted.get(key)]
        key = differing[0]
        raise Wrong(f"{what}: {len(differing)} differ, first {key}: {found.get(key)} is not {wanted.get(key)}")


def of_others(folder):
    """Files as other programs write them: name, path, what else their columns need."""
    rows = readings()
    names, stamps, values = zip(*rows)
    table = pyarrow.table({
        "meter": pyarrow.array(names).dictionary_encode(),
        "ts": pyarrow.array(stamps, pyarrow.timestamp("ns", "UTC")),
        "value": pyarrow.array(values, pyarrow.decimal128(20, 5)),
        "unit": ["kWh"] * len(rows),
    })
    for version, codec in (("1.0", "snappy"), ("2.0", "zstd"), ("2.0", "gzip")):
        path = os.path.join(folder, f"arrow-{version}-{codec}.parquet")
        pyarrow.parquet.write_table(table, path, data_page_version=version, compression=codec, row_group_size=50)
        yield f"Arrow, pages {version}, {codec}", path
    path = os.path.join(folder, "delta.parquet")
    pyarrow.parquet.write_table(table, path, use_dictionary=False, compression="lz4", column_encoding={
        "ts": "DELTA_BINARY_PACKED", "meter": "DELTA_LENGTH_BYTE_ARRAY", "unit": "DELTA_BYTE_ARRAY"})
    yield "Arrow, delta encodings, lz4", path
    frame = pandas.DataFrame({"Meter": names, "Interval start": pandas.to_datetime(list(stamps)).tz_localize(None),
                              "kWh": [float(value) for value in values]})
    path = os.path.join(folder, "pandas.parquet")
    frame.to_parquet(path)
    yield "pandas, doubles, times without zone", path
    path = os.path.join(folder, "duckdb.parquet")
    query = ("SELECT meter, ts AT TIME ZONE 'UTC' AS time, value::DECIMAL(18,3) AS value, unit FROM frame ORDER BY ts, meter")
    frame = pandas.DataFrame({"meter": names, "ts": stamps, "value": values, "unit": "kWh"})
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("frame", frame)
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    yield "DuckDB, decimals", path


def read_by_us(program, row):
    """Every file of others gives the same readings in the store."""
    wanted = {(meter, stamp): value for meter, stamp, value in readings()}
    with tempfile.TemporaryDirectory() as files:
        for name, path in of_others(files):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    data = utility(program, folder)
                    wattle(program, "import", "--data", data, path)
                    same(name, exported(program, data), wanted)
                    row(f"our import, their Parquet: {name}", None)
                except (Wrong, subprocess.TimeoutExpired) as error:
                    row(f"our import, their Parquet: {name}", str(error))


def what_spark_needs(path):
    file = pyarrow.parquet.ParquetFile(path)
    for group in range(file.num_row_groups):
        for index in range(file.metadata.num_columns):
            column = file.metadata.row_group(group).column(index)
            strange = set(column.encodings) - SPARK_READS
            if strange or column.compression not in ("ZSTD", "SNAPPY"):
                raise Wrong(f"{column.path_in_schema}: {strange or column.compression}")
    schema = file.schema_arrow
    if schema.field("start").type != pyarrow.timestamp("us", "UTC"):
        raise Wrong(f"start is {schema.field('start').type}")
    if schema.field("value").type != pyarrow.decimal128(18, 6):
        raise Wrong(f"value is {schema.field('value').type}")


def read_by_them(program, row):
    with tempfile.TemporaryDirectory() as folder:
        data = utility(program, folder)
        table = os.path.join(folder, "readings.csv")
        with open(table, "w") as out:
            out.write("meter,time,value,unit\n")
            out.writelines(f"{meter},{stamp:%Y-%m-%dT%H:%M:%SZ},{value},kWh\n" for meter, stamp, value in readings())
        wattle(program, "import", "--data", data, table)
        days = os.path.join(folder, "days")
        span = ["--from", "2024-03-29", "--to", "2024-03-31"]
        told = wattle(program, "--json", "export", "--data", data, "--parquet-days", days, *span)
        paths = [json.loads(line)["file"] for line in told.splitlines()]
        wanted = {(meter, stamp): value for meter, stamp, value in readings()}
        checks = [("DuckDB", duckdb_reads), ("Arrow", arrow_reads), ("pandas", pandas_reads)]
        for name, read in checks:
            try:
                same(name, read(days), wanted)
                row(f"their {name}, our Parquet", None)
            except (Wrong, duckdb.Error, pyarrow.ArrowException) as error:
                row(f"their {name}, our Parquet", str(error))
        try:
            counts = [pyarrow.parquet.read_metadata(path).num_rows for path in paths]
            if counts != [192, 192, 184]:
                raise Wrong(f"days of 24, 24 and 23 hours of two meters have {counts} rows")
            for path in paths:
                what_spark_needs(path)
            row("our Parquet holds what Spark reads", None)
            before = [open(path, "rb").read() for path in paths]
            wattle(program, "export", "--data", data, "--parquet-days", days, *span)
            same_bytes = before == [open(path, "rb").read() for path in paths]
            row("our Parquet, written again, has the same bytes", None if same_bytes else "they differ")
            again = json.loads(wattle(program, "--json", "import", "--data", data, *paths).splitlines()[0])
            row("our Parquet comes back as nothing new", None if again["stored"] == 0 else str(again))
        except (Wrong, subprocess.TimeoutExpired) as error:
            row("our Parquet", str(error))


def duckdb_reads(days):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        query = f"SELECT meter, start, value, unit, quality, date FROM read_parquet('{days}/*/*.parquet', hive_partitioning = true)"
        found = {}
        for meter, start, value, unit, quality, _ in connection.execute(query).fetchall():
            if unit != "kWh" or (value is None) != quality.startswith("missing"):
                raise Wrong(f"{meter} {start}: {value} {unit} {quality}")
            if was_read(quality):
                found[meter, start.astimezone(UTC)] = value
        read = "quality NOT LIKE 'estimated%' AND quality NOT LIKE 'missing%'"
        sums = connection.execute(f"SELECT sum(value) FROM '{days}/*/*.parquet' WHERE {read}").fetchone()[0]
        if sums != sum(found.values()):
            raise Wrong(f"the sum is {sums}")
        return found


def arrow_reads(days):
    table = pyarrow.parquet.read_table(days)
    return {(row["meter"], row["start"]): row["value"] for row in table.to_pylist() if was_read(row["quality"])}


def pandas_reads(days):
    frame = pandas.read_parquet(days)
    rows = zip(frame["meter"], frame["start"], frame["value"], frame["quality"])
    return {(meter, start.to_pydatetime()): value for meter, start, value, quality in rows if was_read(quality)}


def run(program, row):
    for part in (read_by_them, read_by_us):
        try:
            part(program, row)
        except (Wrong, subprocess.TimeoutExpired) as error:
            row("Parquet", str(error))


def main():
    """These rows alone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--wattle", required=True)
    failed = []

    def row(name, fault):
        print(f"ok    {name}" if fault is None else f"FAIL  {name}: {fault}", flush=True)
        failed.extend([name] if fault else [])

    run(os.path.abspath(parser.parse_args().wattle), row)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
