#!/usr/bin/env python3
"""Reads a NEM12 file again and again with nemreader (PyPI, MIT; a separate process).

Standard input: {"path", "intervals", "thousandths"}; standard output: {"rate"}, millions of bytes a second of processor
time, or {"absent"}. What was read must be as many intervals as were written and their sum.
"""
import json
import os
import sys
import time

order = json.load(sys.stdin)
try:
    from nemreader import NEMFile
except ImportError as missing:
    json.dump({"absent": str(missing)}, sys.stdout)
    sys.exit()

times = []
while len(times) < 3:
    began = time.process_time()
    data = NEMFile(order["path"]).nem_data()
    times.append(time.process_time() - began)
    channels = [readings for nmi in data.readings.values() for readings in nmi.values()]
    intervals = sum(len(readings) for readings in channels)
    thousandths = sum(round(reading.read_value * 1000) for readings in channels for reading in readings)
    assert (intervals, thousandths) == (order["intervals"], order["thousandths"]), (intervals, thousandths)
json.dump({"rate": os.path.getsize(order["path"]) / 1e6 / min(times)}, sys.stdout)
