"""Time-of-use sums per meter of a month of quarter hours, a row per reading, on one thread; tells rows a second as JSON."""
import json
import os
import shutil
import sys
import tempfile
import time

order = json.load(sys.stdin)
meters = max(1, order["rows"] // 2976)
rows = meters * 2976
work = tempfile.mkdtemp(dir=order.get("dir"))

VALUE = "({m} * 2654435761 + {t} * 7919) % 900 + 50"
QUERY = """SELECT meter, CASE WHEN slot < 28 OR slot >= 84 THEN 0 WHEN slot < 68 THEN 1 ELSE 2 END AS bucket, sum(value)
           FROM {table} GROUP BY meter, bucket"""


def best(run):
    times = []
    for _ in range(3):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return rows / min(times)


def duckdb_rate():
    import duckdb

    db = duckdb.connect(os.path.join(work, "rows.db"))
    db.execute(
        f"""CREATE TABLE reading AS SELECT (n // 2976)::INTEGER AS meter, (n % 96)::TINYINT AS slot,
            (n % 2976 // 96)::TINYINT AS day, ({VALUE.format(m='(n // 2976)', t='n')})::INTEGER AS value, 1::TINYINT AS quality
            FROM range({rows}) t(n)"""
    )
    db.execute("CHECKPOINT")
    db.execute("SET threads = 1")
    return best(lambda: db.execute(QUERY.format(table="reading")).fetchnumpy())


def chdb_rate():
    from chdb.session import Session

    db = Session(work)
    db.query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
    db.query(
        """CREATE TABLE bench.reading (meter UInt32 CODEC(Delta, ZSTD), day UInt8 CODEC(Delta, ZSTD), slot UInt8
           CODEC(Delta, ZSTD), value Int32 CODEC(T64, ZSTD), quality UInt8 CODEC(ZSTD))
           ENGINE = MergeTree ORDER BY (meter, day, slot)"""
    )
    value = VALUE.format(m="intDiv(number, 2976)", t="number")
    db.query(
        f"""INSERT INTO bench.reading SELECT intDiv(number, 2976), intDiv(number % 2976, 96), number % 96, {value}, 1
            FROM numbers({rows})"""
    )
    db.query("OPTIMIZE TABLE bench.reading FINAL")
    query = QUERY.format(table="bench.reading") + " FORMAT Null SETTINGS max_threads = 1"
    return best(lambda: db.query(query))


try:
    json.dump({"rate": {"duckdb": duckdb_rate, "chdb": chdb_rate}[order["peer"]]()}, sys.stdout)
except ImportError as missing:
    json.dump({"absent": str(missing)}, sys.stdout)
finally:
    shutil.rmtree(work, ignore_errors=True)
