#!/usr/bin/env python3
"""Opens profile pushes with gurux-dlms (PyPI, GPL-2.0-only; a separate process, never linked or copied).

Standard input: {"pushes": [{"apdu", "title", "key", "auth_key", "sum"}], "seconds"}; standard output: {"rate"},
pushes a second of processor time. Every push is decrypted, authenticated and decoded, and its energies summed.
"""
import json
import sys
import time

OUT, sys.stdout = sys.stdout, sys.stderr  # the library prints notes; keep the answer clean
from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType, Security
from gurux_dlms.secure.GXDLMSSecureClient import GXDLMSSecureClient


def client_of(push):
    client = GXDLMSSecureClient(True, 1, 1, Authentication.NONE, None, InterfaceType.WRAPPER)
    client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION
    client.ciphering.blockCipherKey = bytearray.fromhex(push["key"])
    client.ciphering.authenticationKey = bytearray.fromhex(push["auth_key"])
    client.ciphering.systemTitle = bytearray(b"WTL\0\0\0\0\1")
    return client


def framed(apdu):
    return bytes([0, 1, 0, 1, 0, 1]) + len(apdu).to_bytes(2, "big") + apdu


def open_one(client, message, expected):
    reply, notify = GXReplyData(), GXReplyData()
    client.getData(GXByteBuffer(message), reply, notify)
    rows = notify.value[1]
    assert len(rows) == 96
    assert sum(row[2] + row[3] for row in rows) == expected


def main():
    order = json.load(sys.stdin)
    work = [(client_of(p), framed(bytes.fromhex(p["apdu"])), p["sum"]) for p in order["pushes"]]
    opened, began = 0, time.process_time()
    while time.process_time() - began < order["seconds"]:
        client, message, expected = work[opened % len(work)]
        open_one(client, message, expected)
        opened += 1
    print(json.dumps({"rate": opened / (time.process_time() - began)}), file=OUT)


main()
