#!/usr/bin/env python3
"""Files of readings against programs of others: Green Button against the schema, NEM12 against nemreader.

`python formats.py --wattle PATH [--more FOLDER]...` reads the files of `testdata/exchange`, and of FOLDER where one is named.
Every value, quality and time of a NEM12 file is compared; a Green Button file is written from readings of every kind and
checked by xmllint. Prints one line a row and `N passed, N failed`; the exit code is 0 only when nothing failed.
"""
import argparse
import csv
import datetime
import glob
import io
import os
import re
import subprocess
import tempfile
from decimal import Decimal

from tally import finish, row

HERE = os.path.dirname(os.path.abspath(__file__))
TESTDATA = os.path.join(HERE, "..", "..", "testdata")
SCHEMA = os.path.join(TESTDATA, "espi_schema", "all.xsd")
MARKET = datetime.timedelta(hours=10)
KEY = "000102030405060708090A0B0C0D0E0F"


def run(*arguments, text=None):
    return subprocess.run(arguments, input=text, capture_output=True, text=True, timeout=300)


def schema_fault(path):
    """What xmllint has against a feed, or None."""
    checked = run("xmllint", "--nonet", "--noout", "--schema", SCHEMA, path)
    return None if checked.returncode == 0 else checked.stderr[-600:]


def green_button_of_others(wattle, folder, files):
    """Each feed of others, read and written again, fits the schema; refused records are told with exit code 1."""
    with_cost = 0
    for path in files:
        out = os.path.join(folder, "again.xml")
        done = run(wattle, "convert", path, "--to", "green-button", "--zone", "America/New_York", "--out", out)
        refused = done.returncode == 1 and " left out" in done.stderr
        fault = None if done.returncode == 0 or refused else done.stderr[-300:]
        row(f"schema, written again: {os.path.basename(path)}", fault or schema_fault(out))
        with open(out) as feed:
            with_cost += "<espi:cost>" in feed.read()
    row("schema: costs were among them", None if with_cost >= 2 else f"in {with_cost} files")


READINGS = [
    # serial, channel, unit, first value, step, qualities in turn
    ("10000001", "import", "kWh", "0.412", 900, ["raw", "raw", "estimated_linear|aemo:S17", "raw+power_fail"]),
    ("10000001", "export", "kWh", "0.025", 900, ["raw"]),
    ("10000002", "gas", "m3", "1.25", 3600, ["raw", "edited|word:by%20hand"]),
    ("10000003", "water", "L", "120", 3600, ["raw", "raw+partial"]),
]


def tables(folder):
    """Master data of a street of three meters, as a person would load it."""
    kinds = [("10000001", "electricity", "electricity"), ("10000002", "gas", "gas"), ("10000003", "water", "water")]
    text = {
        "premises": "premise,address,city\nP-1,1 Test Street,Testville\n",
        "service_points": "service_point,premise,commodity\n",
        "meters": "serial,service_point,model,system_title,endpoint\n",
        "keys": "serial,encryption_key,authentication_key\n",
    }
    for number, (serial, commodity, model) in enumerate(kinds):
        text["service_points"] += f"S-{number},P-1,{commodity}\n"
        text["meters"] += f"{serial},S-{number},{model},57544C000000000{number},127.0.0.1:9\n"
        text["keys"] += f"{serial},{KEY},{KEY}\n"
    files = []
    for name, lines in text.items():
        files.append(os.path.join(folder, name + ".csv"))
        with open(files[-1], "w") as out:
            out.write(lines)
    return files


def our_own_feed(wattle, folder):
    """Readings of electricity, gas and water with every sort of quality, through a store, as a Green Button feed."""
    data = os.path.join(folder, "data")
    readings, registers = os.path.join(folder, "readings.csv"), os.path.join(folder, "registers.csv")
    start = datetime.datetime(2026, 3, 8)
    with open(readings, "w") as out:
        out.write("meter,channel,unit,interval_s,start,value,quality\n")
        for serial, channel, unit, value, step, words in READINGS:
            for index in range(2 * 86400 // step):
                at = start + datetime.timedelta(seconds=index * step)
                out.write(f"{serial},{channel},{unit},{step},{at.isoformat()}Z,{value},{words[index % len(words)]}\n")
    with open(registers, "w") as out:
        out.write("service_point,meter,channel,unit,time,tou,value,quality\n")
        out.write("S-0,10000001,import,kWh,2026-03-08T05:00:00Z,0,1000,raw\n")
        out.write("S-0,10000001,import,kWh,2026-03-09T04:00:00Z,0,1030.5,raw\n")
    steps = [
        ["admin", "migrate", "--data", data, "--name", "Formats Light", "--zone", "America/New_York"],
        ["admin", "load", "--data", data, *tables(folder)],
        ["import", "--data", data, readings, registers],
    ]
    for step in steps:
        done = run(wattle, *step)
        if done.returncode:
            return row(f"wattle {step[0]} {step[1]}", done.stderr[-300:])
    days = ["--all", "--from", "2026-03-08", "--to", "2026-03-09"]
    feed = os.path.join(folder, "feed.xml")
    done = run(wattle, "export", "--data", data, "--format", "green-button", *days, "--out", feed)
    row("schema: a day of 23 hours of three commodities", done.stderr[-300:] if done.returncode else schema_fault(feed))
    with open(feed) as told:
        text = told.read()
    # Electricity, gas, water; Wh and litres; estimated by its sender and as read; the clock change.
    wanted = ["<espi:kind>0</espi:kind>", "<espi:kind>1</espi:kind>", "<espi:kind>2</espi:kind>",
              "<espi:uom>72</espi:uom>", "<espi:uom>42</espi:uom>", "<espi:commodity>7</espi:commodity>",
              "<espi:quality>8</espi:quality>", "<espi:quality>22284</espi:quality>", "<espi:dstOffset>3600</espi:dstOffset>"]
    missing = [word for word in wanted if word not in text]
    row("the feed holds every commodity and quality", f"without {missing}" if missing else None)
    done = run(wattle, "export", "--data", data, "--format", "green-button", "--registers", *days, "--out", feed)
    row("schema: registers", done.stderr[-300:] if done.returncode else schema_fault(feed))
    again = run(wattle, "--json", "import", "--data", data, feed)
    row("registers come back as the same", None if '"registers":0' in again.stdout else again.stdout + again.stderr)
    nem13 = run(wattle, "export", "--data", data, "--format", "nem13", "--meter", "10000001", *days[1:])
    pairs = [line for line in nem13.stdout.splitlines() if line.startswith("250,")]
    row("NEM13 of two registers", None if len(pairs) == 1 and ",30.5,kWh," in pairs[0] else nem13.stdout + nem13.stderr)


def theirs(path):
    """Every reading that nemreader finds: (nmi, suffix, start) to value in the file's unit and quality."""
    from nemreader import NEMFile
    found = {}
    for nmi, channels in NEMFile(path, strict=False).nem_data().readings.items():
        for suffix, readings in channels.items():
            for one in readings:
                length = int((one.t_end - one.t_start).total_seconds())
                found[nmi, suffix, one.t_start] = (Decimal(repr(one.read_value)).normalize(), one.quality_method, length,
                                                   one.uom.lower(), one.meter_serial_number)
    return found


def ours(wattle, path):
    """The same by `wattle convert`, and the lines that it refused."""
    done = run(wattle, "convert", path, "--to", "csv")
    found = {}
    for one in csv.DictReader(io.StringIO(done.stdout)):
        start = datetime.datetime.fromisoformat(one["start"].rstrip("Z")) + MARKET
        word, _, code = one["quality"].partition("|")
        flag = code.split(":")[1] if code.startswith("aemo:") else {"valid": "A", "missing": "N"}.get(word, word)
        value = Decimal(one["value"] or 0).normalize()
        key = one["service_point"], one["channel"].split("/")[-1], start
        found[key] = (value, flag, int(one["interval_s"]), one["unit"].lower(), one["meter"])
    return found, done.stderr


def compare(wattle, path):
    """What differs between the two readers of a file, or None; how many readings were alike."""
    told, talk = ours(wattle, path)
    try:
        known = theirs(path)
    except Exception as error:  # nemreader gives files up as a whole.
        return (None if talk or not told else f"nemreader refuses it: {error}"), 0
    refused = bool(re.search(r":\d+: ", talk))
    # Of a day that is broken off they give the records 400 to the day before.
    differing = [(key, known[key], told[key]) for key in known.keys() & told.keys()
                 if not alike(known[key], told[key], not refused)]
    if differing:
        return f"{len(differing)} differ, the first {differing[0]}", 0
    only_ours, only_theirs = told.keys() - known.keys(), known.keys() - told.keys()
    # A record that we refuse, they may take.
    if only_ours or (only_theirs and not refused):
        return f"only ours {sorted(only_ours)[:2]}, only theirs {sorted(only_theirs)[:2]} {talk[-200:]}", 0
    return None, len(told)


def alike(known, told, with_quality):
    value, flag, length, unit, serial = known
    scale = {("wh", "kwh"): Decimal("0.001"), ("mwh", "kwh"): Decimal(1000), ("varh", "kvarh"): Decimal("0.001")}
    factor = Decimal(1) if unit == told[3] else scale.get((unit, told[3]), Decimal(1))
    same = (value * factor).normalize() == told[0] and length == told[2] and serial == told[4]
    return same and (flag == told[1] or not with_quality)


def nem12(wattle, files):
    compared = 0
    for path in files:
        fault, alike = compare(wattle, path)
        compared += alike
        row(f"nemreader, value by value: {os.path.basename(path)} ({alike} readings)", fault)
    row(f"nemreader: {compared} readings alike", None if compared > 50_000 else "too few to say anything")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--wattle", required=True, help="the executable")
    arguments.add_argument("--more", action="append", default=[], help="a folder with more files")
    given = arguments.parse_args()
    wattle = os.path.abspath(given.wattle)
    folders = [os.path.join(TESTDATA, "exchange"), *given.more]
    def found(pattern):
        return sorted(path for folder in folders for path in glob.glob(os.path.join(folder, pattern), recursive=True)
                      if os.path.isfile(path) and "nem13" not in path.lower())
    with tempfile.TemporaryDirectory() as folder:
        green_button_of_others(wattle, folder, found("green_button/*.xml*"))
        our_own_feed(wattle, folder)
    nem12(wattle, found("nem12/**/*.csv") + found("nem12/**/*.zip"))
    finish()


if __name__ == "__main__":
    main()
