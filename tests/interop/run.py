#!/usr/bin/env python3
"""Wattle's meter and client against independent DLMS/COSEM programs, as separate processes.

Each row of the tables starts both sides on loopback, lets them talk and compares what came of it.
Prints one line a row and `N passed, N failed`; the exit code is 0 only when nothing failed.
"""
import argparse
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import head_end
import parquet
from process import AK, EK, HERE, REGISTER, WRONG, Process, free_port, gurux_client, our_meter, wait_for
from tally import finish, row

NEW = "A0" * 16
COUNTER = "0.0.43.1.0.255"
READS = ["ldn", "assoc", "clock", "register", "list", "capobj", "entry", "range", "all_rows", "wrongattr"]
WRITES = ["clockset", "set", "setblocks", "disconnect", "image", "keys"]
GMAC = ["--client", "1", "--auth", "gmac", "--ek", EK, "--ak", AK]

# What the independent client does with our meter: name, link, its options, its steps.
CLIENT_ROWS = [
    ("no security", link, ["--client", "16"], ["ldn", "clock", "wrongattr"]) for link in ("wrapper", "hdlc")
] + [
    ("low level security", link, ["--client", "2", "--auth", "low", "--password", "Gurux"], READS)
    for link in ("wrapper", "hdlc")
] + [
    ("GMAC, not ciphered", link, GMAC, READS) for link in ("wrapper", "hdlc")
] + [
    (f"GMAC, suite 0, {security}", link, GMAC + ["--security", security, "--ic-ln", COUNTER], READS + WRITES)
    for link in ("wrapper", "hdlc") for security in ("a", "e", "ae")
] + [
    ("GMAC, dedicated key", "wrapper",
     GMAC + ["--security", "ae", "--ic-ln", COUNTER, "--dedicated", "42" * 16], READS),
    ("small PDU", "wrapper", GMAC + ["--security", "ae", "--ic-ln", COUNTER, "--pdu", "200"], READS + ["setblocks"]),
    ("push asked for", "wrapper", GMAC + ["--security", "ae", "--ic-ln", COUNTER], ["push"]),
]

# What our meter must refuse: name, options of their client, part of what that client is told, and what the meter says.
REFUSAL_ROWS = [
    ("wrong password", ["--client", "2", "--auth", "low", "--password", "wrong"], "uthentication failure",
     "its password is wrong"),
    ("wrong encryption key", ["--client", "1", "--auth", "gmac", "--security", "ae", "--ek", WRONG, "--ak", AK,
                              "--ic", "9000"], "iphering failed", "the tag is wrong"),
    ("wrong authentication key", ["--client", "1", "--auth", "gmac", "--security", "ae", "--ek", EK, "--ak", WRONG,
                                  "--ic", "9000"], "iphering failed", "the tag is wrong"),
    ("replayed counter", GMAC + ["--security", "ae", "--ic", "100"], "nvocation", "is not above"),
    ("unknown client", ["--client", "77"], "", "client 77"),
]

OURS = ["--key", EK, "--auth-key", AK]
SECURE = ["--client", "1", "--auth", "gmac", "--security", "both"] + OURS
RANGE = "2026-01-01T06:00:00Z..2026-01-01T12:00:00Z"
# What our client does with the independent meter: name, link, options of that meter, options of ours.
READ_ROWS = [
    ("no security", link, [], ["--client", "16", "--clock"]) for link in ("wrapper", "hdlc")
] + [
    ("low level security", link, [],
     ["--client", "17", "--auth", "lls", "--password", "Gurux", "--clock", "--obis", REGISTER,
      "--profile-obis", "1.0.99.1.0.255", "--profile", RANGE]) for link in ("wrapper", "hdlc")
] + [
    ("GMAC, not ciphered", link, [],
     ["--client", "1", "--auth", "gmac"] + OURS + ["--clock", "--obis", REGISTER])
    for link in ("wrapper", "hdlc")
] + [
    (f"GMAC, suite 0, {security}", link, [],
     ["--client", "1", "--auth", "gmac", "--security", security] + OURS
     + ["--counter-obis", COUNTER, "--clock", "--obis", REGISTER, "--profile-obis", "1.0.99.1.0.255",
        "--profile", RANGE])
    for link in ("wrapper", "hdlc") for security in ("auth", "encrypt", "both")
] + [
    ("general-glo-ciphering", "wrapper", ["--general"],
     SECURE + ["--general", "--counter-obis", COUNTER, "--clock", "--profile-obis", "1.0.99.1.0.255",
               "--profile", RANGE]),
    ("small PDU", "wrapper", ["--max-pdu", "256", "--no-gbt"],
     SECURE + ["--counter-obis", COUNTER, "--profile-obis", "1.0.99.1.0.255", "--profile", RANGE]),
    ("object list", "wrapper", [], SECURE + ["--counter-obis", COUNTER, "--list"]),
]

# What our client must refuse to go on with: name, options, what it says, and what their meter says.
READ_REFUSALS = [
    ("wrong password", ["--client", "17", "--auth", "lls", "--password", "nonsense", "--clock"],
     "refused the password; give the meter's own secret with --password", "wrong password"),
    ("wrong key", ["--client", "1", "--auth", "gmac", "--security", "both", "--key", WRONG, "--auth-key", AK,
                   "--counter", "5000", "--clock"], "its key differs from ours; check --key", "AARQ refused"),
    ("wrong key, GMAC not ciphered", ["--client", "1", "--auth", "gmac", "--key", WRONG, "--auth-key", AK, "--clock"],
     "its key differs from ours; check --key", ""),
    ("replayed counter", SECURE + ["--counter", "7", "--clock"],
     "counter 7 as used already; it expects [0-9]+ or more; give a higher --counter", "counter 7 is not above"),
    ("unknown client", ["--client", "77", "--clock"], "refuse", ""),
]

def check_rows(lines):
    """The steps that failed, and values that cannot be right."""
    faults = [f"{line['step']}: {line['error']}" for line in lines if not line["ok"]]
    values = {line["step"]: line.get("value") for line in lines if line["ok"]}
    if "entry" in values and values["entry"]["rows"] != 3:
        faults.append(f"entry: {values['entry']['rows']} rows, not 3")
    if "range" in values and values["range"]["rows"] not in (24, 25):
        faults.append(f"range: {values['range']['rows']} rows for six hours")
    if "all_rows" in values and values["all_rows"]["rows"] < 192:
        faults.append(f"all_rows: {values['all_rows']['rows']} rows for two days")
    if "setblocks" in values and values["setblocks"]["read_back_len"] != 2048:
        faults.append("setblocks: not read back whole")
    if "register" in values and not values["register"]["value"] > 0:
        faults.append("register: no energy")
    return "; ".join(faults) or None


def client_against_our_meter(wattle):
    for name, link, options, steps in CLIENT_ROWS:
        label = f"their client, our meter, {link}: {name}"
        extra = []
        sink = None
        if "push" in steps:
            port = free_port()
            sink = Process([sys.executable, os.path.join(HERE, "gurux_push_sink.py"), "--port", str(port),
                            "--count", "1"])
            wait_for(port, sink)
            extra = ["--push", f"127.0.0.1:{port}"]
        try:
            meter, port = our_meter(wattle, link, extra)
            with meter:
                _, lines, talk = gurux_client(port, link, options, steps)
                fault = check_rows(lines) or (None if lines else talk[-300:])
                if sink and not fault:
                    try:
                        heard, _ = sink.process.communicate(timeout=15)
                        fault = None if "{" in heard else f"push not understood: {heard[:200]}"
                    except subprocess.TimeoutExpired:
                        fault = "no push arrived"
                row(label, fault)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            row(label, str(error))
        finally:
            if sink:
                sink.__exit__()
    for link in ("wrapper", "hdlc"):
        our_meter_refuses(wattle, link)
    key_transfer(wattle)


def our_meter_refuses(wattle, link):
    meter, port = our_meter(wattle, link)
    with meter:
        _, lines, _ = gurux_client(port, link, GMAC + ["--security", "ae", "--ic", "100"], ["clock"])
        row(f"our meter, {link}: counter 100 is taken", check_rows(lines) or (None if lines else "nothing"))
        for name, options, told, said in REFUSAL_ROWS:
            before = len(meter.said())
            _, lines, _ = gurux_client(port, link, options + ["--timeout", "2"], ["clock"])
            text, log = json.dumps(lines), meter.said()[before:]
            refused = lines and not lines[0]["ok"] and told in text and said in log
            row(f"our meter refuses, {link}: {name}", None if refused else f"told {text[:300]}, said {log[-300:]}")
        # After every refusal the meter still serves an honest client.
        _, lines, talk = gurux_client(port, link, GMAC + ["--security", "ae", "--ic-ln", COUNTER], ["clock"])
        row(f"our meter goes on, {link}", check_rows(lines) or (None if lines else talk[-300:]))


def key_transfer(wattle):
    """The open association goes on with the old key; every one after it takes the new key only."""
    meter, port = our_meter(wattle, "wrapper")
    secure = ["--client", "1", "--auth", "gmac", "--security", "ae", "--ak", AK, "--ic-ln", COUNTER, "--timeout", "2"]
    with meter:
        _, lines, talk = gurux_client(port, "wrapper", secure + ["--ek", EK], ["keys", "clock"])
        row("key transfer: the open association goes on", check_rows(lines) or (None if lines else talk[-300:]))
        _, lines, _ = gurux_client(port, "wrapper", secure + ["--ek", EK], ["clock"])
        dead = any(line["step"] == "associate" and not line["ok"] for line in lines)
        row("key transfer: the old key is dead", None if dead and "the tag is wrong" in meter.said() else meter.said())
        _, lines, talk = gurux_client(port, "wrapper", secure + ["--ek", NEW], ["clock"])
        row("key transfer: the new key is live", check_rows(lines) or (None if lines else talk[-300:]))
        ours = ["--client", "1", "--auth", "gmac", "--security", "both", "--auth-key", AK, "--clock"]
        done = our_read(wattle, port, "wrapper", ours + ["--counter-obis", COUNTER, "--key", NEW])
        row("key transfer: the new key is live for our client", None if done.returncode == 0 else done.stderr)
        done = our_read(wattle, port, "wrapper", ours + ["--counter", "60000", "--key", EK])
        row("key transfer: the old key is dead for our client",
            None if done.returncode == 1 and "key differs" in done.stderr else done.stderr)


def our_read(wattle, port, link, options):
    arguments = [wattle, "--json", "read", f"127.0.0.1:{port}", *options]
    if link == "hdlc":
        arguments.append("--hdlc")
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120)


def our_client_against_theirs(wattle):
    def meter(link, options):
        port = free_port()
        arguments = [sys.executable, os.path.join(HERE, "gurux_meter.py"), "--port", str(port), "--iface", link,
                     "--ek", EK, "--ak", AK, *options]
        process = Process(arguments)
        wait_for(port, process)
        return process, port

    for name, link, theirs, ours in READ_ROWS:
        label = f"our client, their meter, {link}: {name}"
        process, port = meter(link, theirs)
        with process:
            done = our_read(wattle, port, link, ours)
            if done.returncode:
                row(label, done.stderr.strip()[-300:])
                continue
            records = [json.loads(line) for line in done.stdout.splitlines()]
            rows = sum(1 for record in records if record.get("kind") == "row")
            short = "--profile" in ours and rows not in (24, 25)
            row(label, f"{rows} profile rows for six hours" if short else None if records else "nothing read")
    for link in ("wrapper", "hdlc"):
        process, port = meter(link, [])
        with process:
            done = our_read(wattle, port, link, SECURE + ["--counter", "100", "--clock"])
            row(f"our client, {link}: counter 100 is taken", done.stderr if done.returncode else None)
            for name, options, told, said in READ_REFUSALS:
                before = len(process.said())
                done = our_read(wattle, port, link, options)
                log = process.said()[before:]
                good = done.returncode == 1 and not done.stdout and re.search(told, done.stderr) and said in log
                row(f"our client says why, {link}: {name}",
                    None if good else f"exit {done.returncode}: {done.stderr[-300:]}, said {log[-300:]}")
    how_it_looks(wattle, meter)


def how_it_looks(wattle, meter):
    """For people: aligned, with units. Exit code 1 is a failure, 2 wrong usage."""
    process, port = meter("wrapper", [])
    with process:
        arguments = [wattle, "read", f"127.0.0.1:{port}", *SECURE, "--counter-obis", COUNTER, "--clock", "--obis",
                     REGISTER, "1.0.32.7.0.255", "0.0.42.0.0.255", "--profile", "2026-01-01T06:00:00Z..2026-01-01T07:00:00Z"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
        lines = done.stdout.splitlines()
        looks = (done.returncode == 0 and f"{'1-0:1.8.0.255':<20} 123456 Wh" in lines
                 and f"{'1-0:32.7.0.255':<20} 230.1 V" in lines and f"{'0-0:42.0.0.255':<20} PEER0000000001" in lines
                 and len({len(line) for line in lines[4:]}) == 1 and lines[5].split() == ["Wh", "Wh"])
        row("wattle read, for people", None if looks else done.stdout + done.stderr)
        for name, options, code in (("wrong usage", ["--obis", "nonsense"], 2), ("no such option", ["--nonsense"], 2),
                                    ("no keys", ["--client", "1", "--auth", "gmac"], 2),
                                    ("no such object", ["--client", "17", "--auth", "lls", "--password", "Gurux",
                                                        "--obis", "1.0.9.9.9.255"], 1)):
            done = our_read(wattle, port, "wrapper", options)
            good = done.returncode == code and not done.stdout and done.stderr.startswith("error: ")
            row(f"wattle read, {name}: exit code {code}", None if good else f"exit {done.returncode}: {done.stderr}")
    done = our_read(wattle, free_port(), "wrapper", ["--clock"])
    good = done.returncode == 1 and "does the meter listen there" in done.stderr
    row("wattle read, nobody there: exit code 1", None if good else done.stderr)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--wattle", required=True, help="the executable")
    wattle = os.path.abspath(arguments.parse_args().wattle)
    client_against_our_meter(wattle)
    our_client_against_theirs(wattle)
    head_end.run(wattle, row)
    parquet.run(wattle, row)
    finish()


if __name__ == "__main__":
    main()
