"""One meter's month of hours out of DuckDB, a row per reading in order of meter; tells the 99th percentile in ms as JSON."""
import json
import os
import shutil
import sys
import tempfile
import time

order = json.load(sys.stdin)
hours = order["days"] * 24
work = tempfile.mkdtemp(dir=order.get("dir"))
try:
    import duckdb

    db = duckdb.connect(os.path.join(work, "rows.db"))
    db.execute(
        f"""CREATE TABLE reading AS SELECT (n // {hours})::INTEGER AS meter, (n % {hours})::INTEGER AS hour,
            (n * 7919 % 900 + 50)::INTEGER AS value, 1::TINYINT AS quality FROM range({order["meters"] * hours}) t(n)"""
    )
    db.execute("CHECKPOINT")
    times = []
    meter = 1
    for _ in range(200):
        meter = (meter * 1664525 + 1013904223) % order["meters"]
        began = time.perf_counter()
        db.execute("SELECT hour, value, quality FROM reading WHERE meter = ? AND hour < 744", [meter]).fetchall()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    json.dump({"rate": times[197]}, sys.stdout)
except ImportError as missing:
    json.dump({"absent": str(missing)}, sys.stdout)
finally:
    shutil.rmtree(work, ignore_errors=True)
