"""A row per reading into DuckDB or PostgreSQL (COPY), durable, with a key; tells rows a second as JSON."""
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

order = json.load(sys.stdin)
rows = order["rows"]
work = tempfile.mkdtemp(dir=order.get("dir"))


def tell(**words):
    json.dump(words, sys.stdout)


def lines():
    for first in range(0, rows, 24):
        for hour in range(min(24, rows - first)):
            yield f"{first // 24},{1777586400 + hour * 3600},{150 + first * 7919 % 900},1\n"


def duckdb_rate():
    try:
        import duckdb
    except ImportError:
        return tell(absent="duckdb")
    path = os.path.join(work, "rows.csv")
    with open(path, "w") as file:
        file.writelines(lines())
    db = duckdb.connect(os.path.join(work, "rows.db"))
    db.execute("SET threads = 2")
    db.execute("CREATE TABLE reading (meter INTEGER, at_s BIGINT, value INTEGER, quality TINYINT)")
    began = time.perf_counter()
    db.execute(f"COPY reading FROM '{path}' (HEADER false)")
    db.execute("CHECKPOINT")
    tell(rate=rows / (time.perf_counter() - began))


def postgresql_rate():
    try:
        import psycopg2
    except ImportError:
        return tell(absent="psycopg2")
    if not shutil.which("initdb") or not shutil.which("pg_ctl"):
        return tell(absent="postgresql")
    data = os.path.join(work, "data")
    as_user = []
    if os.getuid() == 0:
        shutil.chown(work, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
    subprocess.run([*as_user, "initdb", "-A", "trust", "-U", "bench", "-D", data], **quiet)
    options = f"-c listen_addresses= -c unix_socket_directories={work} -c max_wal_size=8GB"
    subprocess.run([*as_user, "pg_ctl", "-w", "-D", data, "-o", options, "start"], **quiet)
    try:
        db = psycopg2.connect(host=work, user="bench", dbname="postgres")
        cursor = db.cursor()
        cursor.execute(
            "CREATE TABLE reading (meter int4, at_s int8, value int4, quality int2, PRIMARY KEY (meter, at_s))"
        )
        text = io.StringIO("".join(lines()))
        began = time.perf_counter()
        cursor.copy_expert("COPY reading FROM STDIN WITH (FORMAT csv)", text)
        db.commit()
        tell(rate=rows / (time.perf_counter() - began))
        db.close()
    finally:
        subprocess.run([*as_user, "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)


try:
    {"duckdb": duckdb_rate, "postgresql": postgresql_rate}[order["peer"]]()
finally:
    shutil.rmtree(work, ignore_errors=True)
