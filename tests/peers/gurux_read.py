#!/usr/bin/env python3
"""Reads a day's profile of one meter again and again with gurux-dlms (PyPI, GPL-2.0-only; a separate process).

Standard input: {"listening", "key", "auth_key", "from", "to", "rows", "seconds"}; standard output: {"rate"}, visits a
second. A visit is a connection, an association with GMAC and encryption, the profile's range, the release.
"""
import datetime
import json
import os
import socket
import sys
import time
from argparse import Namespace

os.environ["TZ"] = "UTC"  # the library takes times to be local
time.tzset()
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from gurux_client import OUT, GXDLMSData, Peer

COUNTER = "0.0.43.1.0.255"
PROFILE = "1.0.99.1.0.255"


def settings(order):
    host, port = order["listening"].rsplit(":", 1)
    return Namespace(
        host=host, port=int(port), iface="wrapper", client=1, server=1, auth="gmac", password="", security="ae",
        suite=0, st_client="4142434445464748", st_server="", ek=order["key"], ak=order["auth_key"], dedicated="",
        sign_key="", pdu=0xFFFF, gbt=0, timeout=5)


def leave(peer):
    """Releases, and waits until the meter has hung up: it forgets the association only then."""
    peer.call(peer.c.releaseRequest())
    peer.sock.shutdown(socket.SHUT_WR)
    while peer.sock.recv(4096):
        pass
    peer.sock.close()


def main():
    order = json.load(sys.stdin)
    a = settings(order)
    public = Peer(a, client=16, auth="none", security="none")
    public.open()
    counter = int(public.get(GXDLMSData(COUNTER), 2)) + 1
    leave(public)
    low, high = (datetime.datetime.fromisoformat(order[end]) for end in ("from", "to"))
    profile, visits, began = None, 0, None
    while began is None or time.monotonic() - began < order["seconds"]:
        peer = Peer(a)
        peer.open(counter)
        if profile is None:
            profile = peer.profile(PROFILE)
        rows = peer.get_rows(peer.c.readRowsByRange(profile, low, high), profile)
        assert len(rows) == order["rows"], f"{len(rows)} rows"
        leave(peer)
        counter = peer.c.ciphering.invocationCounter + 1
        # The first visit also learns the columns; it does not count.
        if began is None:
            began = time.monotonic()
        else:
            visits += 1
    print(json.dumps({"rate": visits / (time.monotonic() - began)}), file=OUT)


main()
