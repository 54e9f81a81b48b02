#!/usr/bin/env python3
"""Send one load profile row to a head-end as an independent meter: data-notification in general-glo-ciphering.

Original test script on PyPI gurux-dlms (GPL-2.0-only; separate process only). Columns as in profiles/lab.toml.
Prints the bytes it sent as one line of hexadecimal.
  gurux_push.py --port 4060 --title 5045455230303031 --counter 1
"""
import argparse, datetime, socket, struct, sys
OUT, sys.stdout = sys.stdout, sys.stderr  # the library prints notes to stdout; keep ours clean
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.GXDLMSChippering import GXDLMSChippering
from gurux_dlms.enums import Security
from gurux_dlms.objects.enums import SecuritySuite

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--port", type=int, required=True); ap.add_argument("--title", default="5045455230303031")
ap.add_argument("--counter", type=int, required=True); ap.add_argument("--security", choices=["none", "a", "e", "ae"], default="ae")
ap.add_argument("--ek", default="000102030405060708090A0B0C0D0E0F"); ap.add_argument("--ak", default="D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
a = ap.parse_args()
now = datetime.datetime.now(datetime.timezone.utc)
end = now.replace(minute=now.minute - now.minute % 15, second=0)
time = struct.pack(">HBBBBBBBhB", end.year, end.month, end.day, end.isoweekday(), end.hour, end.minute, 0, 0, 0, 0)
cells = b"\x09\x0c" + time + b"\x11\x00" + b"\x06" + struct.pack(">I", 44) + b"\x06" + struct.pack(">I", 1) + b"\x12" + struct.pack(">H", 2307)
row = b"\x02\x05" + cells
apdu = b"\x0f" + struct.pack(">I", 0x40000001) + b"\x00" + b"\x01\x01" + row
if a.security != "none":
    p = AesGcmParameter(0xDB, bytearray.fromhex(a.title), bytearray.fromhex(a.ek), bytearray.fromhex(a.ak))
    p.security = {"a": Security.AUTHENTICATION, "e": Security.ENCRYPTION, "ae": Security.AUTHENTICATION_ENCRYPTION}[a.security]
    p.invocationCounter, p.securitySuite = a.counter, SecuritySuite.SUITE_0
    apdu = bytes(GXDLMSChippering.encryptAesGcm(p, bytearray(apdu)))
frame = struct.pack(">HHHH", 1, 1, 16, len(apdu)) + apdu
with socket.create_connection(("127.0.0.1", a.port), 5) as c:
    c.sendall(frame)
print(frame.hex(), file=OUT)
