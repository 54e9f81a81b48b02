#!/usr/bin/env python3
"""Wattle's meter and client against independent DLMS/COSEM programs, as separate processes.

Each row of the tables starts both sides on loopback, lets them talk and compares what came of it.
Prints one line a row and `N passed, N failed`; the exit code is 0 only when nothing failed.
"""
import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
EK = "000102030405060708090A0B0C0D0E0F"
AK = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
KEK = "31" * 16
WRONG = "FF" * 16
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

# What our meter must refuse: name, options of the client, part of what the client is told.
REFUSAL_ROWS = [
    ("wrong password", ["--client", "2", "--auth", "low", "--password", "wrong"], "uthentication"),
    ("wrong encryption key", ["--client", "1", "--auth", "gmac", "--security", "ae", "--ek", WRONG, "--ak", AK,
                              "--ic", "9000"], ""),
    ("replayed counter", GMAC + ["--security", "ae", "--ic", "0"], ""),
    ("unknown client", ["--client", "77"], ""),
]

OURS = ["--key", EK, "--auth-key", AK]
SECURE = ["--client", "1", "--auth", "gmac", "--security", "both"] + OURS
RANGE = "2026-01-01T06:00:00Z..2026-01-01T12:00:00Z"
# What our client does with the independent meter: name, link, options of that meter, options of ours.
READ_ROWS = [
    ("no security", link, [], ["--client", "16", "--clock"]) for link in ("wrapper", "hdlc")
] + [
    ("low level security", link, [],
     ["--client", "17", "--auth", "lls", "--password", "Gurux", "--clock", "--obis", "1.1.21.25.0.255",
      "--profile-obis", "1.0.99.1.0.255", "--profile", RANGE]) for link in ("wrapper", "hdlc")
] + [
    ("GMAC, not ciphered", link, [],
     ["--client", "1", "--auth", "gmac"] + OURS + ["--clock", "--obis", "1.1.21.25.0.255"])
    for link in ("wrapper", "hdlc")
] + [
    (f"GMAC, suite 0, {security}", link, [],
     ["--client", "1", "--auth", "gmac", "--security", security] + OURS
     + ["--counter-obis", COUNTER, "--clock", "--obis", "1.1.21.25.0.255", "--profile-obis", "1.0.99.1.0.255",
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

# What our client must refuse to go on with, and how it says so.
READ_REFUSALS = [
    ("wrong password", ["--client", "17", "--auth", "lls", "--password", "nonsense", "--clock"], "password"),
    ("wrong key", ["--client", "1", "--auth", "gmac", "--security", "both", "--key", WRONG, "--auth-key", AK,
                   "--counter", "5000", "--clock"], "key"),
    ("replayed counter", SECURE + ["--counter", "0", "--clock"], "counter"),
]

passed = failed = 0


def row(name, fault):
    """Counts and prints one row; `fault` is None when it went well."""
    global passed, failed
    if fault is None:
        passed += 1
        print(f"ok    {name}", flush=True)
    else:
        failed += 1
        print(f"FAIL  {name}: {fault}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program in the background, ended with the block."""

    def __init__(self, arguments):
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def wait_for(port, process):
    for _ in range(200):
        if process.process.poll() is not None:
            raise RuntimeError("ended at once: " + process.process.stderr.read()[-400:])
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("never listened")


def our_meter(wattle, link, extra=()):
    port = free_port()
    arguments = [wattle, "meter", "--listen", f"127.0.0.1:{port}", "--model", "lab", "--title", "5741540000000001",
                 "--key", EK, "--auth-key", AK, "--master-key", KEK, "--password", "Gurux",
                 "--start", "2026-01-03T00:00:00Z", "--days", "3", *extra]
    if link == "hdlc":
        arguments.append("--hdlc")
    process = Process(arguments)
    wait_for(port, process)
    return process, port


def gurux_client(port, link, options, steps):
    arguments = [sys.executable, os.path.join(HERE, "gurux_client.py"), "--port", str(port), "--iface", link,
                 "--register", "1.0.1.8.0.255", "--setdata", "0.0.96.1.9.255", "--kek", KEK, *options, *steps]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.returncode, lines, done.stderr


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
        meter, port = our_meter(wattle, link)
        with meter:
            for name, options, told in REFUSAL_ROWS:
                _, lines, _ = gurux_client(port, link, options + ["--timeout", "2"], ["clock"])
                text = json.dumps(lines)
                refused = lines and not all(line["ok"] for line in lines) and told in text
                row(f"our meter refuses, {link}: {name}", None if refused else f"not refused: {text[:300]}")
            # After every refusal the meter still serves an honest client.
            _, lines, talk = gurux_client(port, link, GMAC + ["--security", "ae", "--ic-ln", COUNTER], ["clock"])
            row(f"our meter goes on, {link}", check_rows(lines) or (None if lines else talk[-300:]))


def our_client_against_theirs(wattle):
    def meter(link, options):
        port = free_port()
        arguments = [sys.executable, os.path.join(HERE, "gurux_meter.py"), "--port", str(port), "--iface", link,
                     "--ek", EK, "--ak", AK, *options]
        process = Process(arguments)
        wait_for(port, process)
        return process, port

    def read(port, link, options):
        arguments = [wattle, "--json", "read", f"127.0.0.1:{port}", *options]
        if link == "hdlc":
            arguments.append("--hdlc")
        return subprocess.run(arguments, capture_output=True, text=True, timeout=120)

    for name, link, theirs, ours in READ_ROWS:
        label = f"our client, their meter, {link}: {name}"
        process, port = meter(link, theirs)
        with process:
            done = read(port, link, ours)
            if done.returncode:
                row(label, done.stderr.strip()[-300:])
                continue
            records = [json.loads(line) for line in done.stdout.splitlines()]
            rows = sum(1 for record in records if record.get("kind") == "row")
            short = "--profile" in ours and rows not in (24, 25)
            row(label, f"{rows} profile rows for six hours" if short else None if records else "nothing read")
    process, port = meter("wrapper", [])
    with process:
        for name, options, told in READ_REFUSALS:
            done = read(port, "wrapper", options)
            good = done.returncode == 1 and re.search(told, done.stderr)
            row(f"our client says why: {name}", None if good else f"exit {done.returncode}: {done.stderr[-300:]}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--wattle", required=True, help="the executable")
    wattle = os.path.abspath(arguments.parse_args().wattle)
    client_against_our_meter(wattle)
    our_client_against_theirs(wattle)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
