"""Programs in the background, and the keys that both sides share."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
EK = "000102030405060708090A0B0C0D0E0F"
AK = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
KEK = "31" * 16
WRONG = "FF" * 16
OUR_TITLE = "5741540000000001"
REGISTER = "1.0.1.8.0.255"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program in the background, ended with the block. What it says on standard error is kept."""

    def __init__(self, arguments):
        self.talk = tempfile.NamedTemporaryFile("a")
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=self.talk, text=True)

    def said(self):
        with open(self.talk.name, errors="replace") as talk:
            return talk.read()

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


def wait_for(port, process):
    for _ in range(400):
        if process.process.poll() is not None:
            raise RuntimeError("ended at once: " + process.said()[-400:])
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("never listened")


def our_meter(wattle, link, extra=(), port=None):
    port = port or free_port()
    arguments = [wattle, "meter", "--listen", f"127.0.0.1:{port}", "--model", "lab", "--title", OUR_TITLE,
                 "--key", EK, "--auth-key", AK, "--master-key", KEK, "--password", "Gurux",
                 "--start", "2026-01-03T00:00:00Z", "--days", "3", *extra]
    if link == "hdlc":
        arguments.append("--hdlc")
    process = Process(arguments)
    wait_for(port, process)
    return process, port


def gurux_client(port, link, options, steps):
    arguments = [sys.executable, os.path.join(HERE, "gurux_client.py"), "--port", str(port), "--iface", link,
                 "--register", REGISTER, "--setdata", "0.0.96.1.9.255", "--kek", KEK, *options, *steps]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.returncode, lines, done.stderr
