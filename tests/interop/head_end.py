"""The whole utility against independent meters: `wattle serve` with a real store, asked over its web API.

Two meters of the independent stack are registered by CSV files, one of them with a wrong key, and one of ours. Both
stacks push to the listener. What must happen is read back where an operator would read it: from the command and the
meter.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from process import AK, EK, HERE, OUR_TITLE, WRONG, Process, free_port, gurux_client, our_meter, wait_for

GOOD_TITLE = "5045455230303031"
STRANGE_TITLE = "5045455230303032"
PASSWORD = "interoperation-2026"
CONFIRMED_WITHIN_S = 60


class Refused(Exception):
    """The utility did not do what a row asks of it."""


class Utility:
    """A utility in a directory, set up with the command line as a person would."""

    def __init__(self, wattle, directory, endpoints):
        self.wattle, self.directory = wattle, directory
        self.data = os.path.join(directory, "data")
        self.config = os.path.join(directory, "serve.toml")
        self.admin("migrate", "--name", "Interop Light", "--zone", "UTC")
        tables = {
            "premises": ["premise,address,city", "P-1,1 Test Street,Testville", "P-2,2 Test Street,Testville",
                         "P-3,3 Test Street,Testville"],
            "service_points": ["service_point,premise,commodity", "S-1,P-1,electricity", "S-2,P-2,electricity",
                               "S-3,P-3,electricity"],
            "meters": ["serial,service_point,model,system_title,endpoint",
                       f"PEER0001,S-1,lab,{GOOD_TITLE},{endpoints[0]}",
                       f"PEER0002,S-2,lab,{STRANGE_TITLE},{endpoints[1]}",
                       f"OURS0003,S-3,lab,{OUR_TITLE},{endpoints[2]}"],
            "keys": ["serial,encryption_key,authentication_key", f"PEER0001,{EK},{AK}", f"PEER0002,{WRONG},{AK}",
                     f"OURS0003,{EK},{AK}"],
        }
        files = []
        for name, lines in tables.items():
            files.append(os.path.join(directory, name + ".csv"))
            with open(files[-1], "w") as out:
                out.write("\n".join(lines) + "\n")
        self.admin("load", *files)
        self.admin("user", "add", "operator", "--role", "meter-operator", text=PASSWORD + "\n")
        with open(self.config, "w") as out:
            out.write(f'data = "{self.data}"\n[web]\nlisten = "127.0.0.1:0"\n[head_end]\n'
                      'listen_pushes = "127.0.0.1:0"\nresponse_timeout_s = 10\n')

    def admin(self, verb, *rest, text=None):
        done = subprocess.run([self.wattle, "admin", verb, "--data", self.data, *rest], input=text,
                              capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise Refused(f"wattle admin {verb}: {done.stderr[-300:]}")

    def serve(self):
        return Serving(self)


class Serving(Process):
    """`wattle serve`, and an operator who is signed in."""

    def __init__(self, utility):
        super().__init__([utility.wattle, "--json", "serve", "--config", utility.config])
        line = self.process.stdout.readline()
        if not line.startswith("{"):
            self.__exit__()
            raise Refused("serve ended at once: " + self.said()[-300:])
        told = json.loads(line)
        self.url, self.meters = told["url"].rstrip("/"), told["meters"]
        self.pushes = int(told["pushes"].rsplit(":", 1)[1])
        self.client = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        form = urllib.parse.urlencode({"name": "operator", "password": PASSWORD, "next": "/ops"})
        self.client.open(self.url + "/sign-in", form.encode(), timeout=30).read()

    def get(self, path):
        return json.load(self.client.open(self.url + path, timeout=30))

    def meter(self, serial):
        found = [line for line in self.get("/api/v1/meters")["meters"] if line["serial"] == serial]
        return self.get(f"/api/v1/meters/{found[0]['id']}")

    def order(self, serial, what):
        """Asks for a command and waits until it is answered, one way or the other."""
        body = json.dumps({"do": what, "reason": "interoperation"}).encode()
        request = urllib.request.Request(f"{self.url}/api/v1/meters/{self.meter(serial)['id']}/commands", body,
                                         {"Content-Type": "application/json"})
        place = self.client.open(request, timeout=30).headers["Location"]
        for _ in range(CONFIRMED_WITHIN_S * 5):
            record = self.get(place)
            if record["state"] in ("confirmed", "failed", "expired"):
                return record
            time.sleep(0.2)
        raise Refused(f"{what}: still {record['state']} after {CONFIRMED_WITHIN_S} s: {record['detail']}")


def peer_meter(options=()):
    port = free_port()
    process = Process([sys.executable, os.path.join(HERE, "gurux_meter.py"), "--port", str(port), "--ek", EK,
                       "--ak", AK, "--lab", "--no-gbt", *options])
    wait_for(port, process)
    return process, f"127.0.0.1:{port}"


def push(port, *options):
    arguments = [sys.executable, os.path.join(HERE, "gurux_push.py"), "--port", str(port), *options]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise Refused("the push was not sent: " + done.stderr[-300:])
    return bytes.fromhex(done.stdout.strip())


def send(serving, frame):
    with socket.create_connection(("127.0.0.1", serving.pushes), 5) as wire:
        wire.sendall(frame)


def eventually(ask, good, what):
    """Asks until the answer is good: the store is written behind the wire."""
    for _ in range(100):
        answer = ask()
        if good(answer):
            return answer
        time.sleep(0.1)
    raise Refused(f"{what}: {json.dumps(answer)[:400]}")


def confirmed(record, wanted=""):
    text = json.dumps(record)
    if record["state"] != "confirmed" or not re.search(wanted, text):
        raise Refused(text[:400])


def failure(serving, serial, wanted):
    """The meter's last failure, once it says what is wanted."""
    ask = lambda: serving.meter(serial)["health"]["failure"]
    return eventually(ask, lambda said: said and re.search(wanted, said), f"health of {serial}")


def ping(serving):
    confirmed(serving.order("PEER0001", "ping"))
    health = serving.meter("PEER0001")["health"]
    if health["last_heard"] is None or health["rtt_ms"] is None:
        raise Refused(f"health is not known: {health}")


def registers(serving):
    confirmed(serving.order("PEER0001", "read"), "123")
    reads = lambda: {(read["kind"], read["tou"]): read["raw"] for read in serving.meter("PEER0001")["registers"]}
    stored = eventually(reads, lambda found: len(found) == 10, "ten registers are stored")
    if stored[("import", 0)] != 123456 or stored[("import", 1)] != 30864:
        raise Refused(f"other values than the meter's: {stored}")


def profile(serving):
    """The scheduled read brought the profile of its own accord, to the interval and the watt-hour."""
    number = serving.meter("PEER0001")["id"]
    ask = lambda: [slot for slot in serving.get(f"/api/v1/meters/{number}/profile")["series"]["intervals"]
                   if slot["quality"] == "valid"]
    today = time.gmtime()
    whole = (today.tm_hour * 60 + today.tm_min) // 15
    found = eventually(ask, lambda slots: len(slots) >= whole - 1, f"{whole} intervals of today")
    wrong = [slot for slot in found if slot["value"] not in range(40, 47)]
    if wrong:
        raise Refused(f"other values than the meter's: {wrong[:3]}")


def wrong_key(serving):
    record = serving.order("PEER0002", "ping")
    if record["state"] != "failed" or "key differs from ours" not in record["detail"]:
        raise Refused(json.dumps(record)[:400])
    failure(serving, "PEER0002", "key differs from ours")


def pushed(serving):
    """A push is taken once; the same bytes again, another key, no protection and a stranger are refused by name."""
    before = serving.get("/api/v1/overview")["refused_24h"]
    count = [before]

    def refused(send, serial, wanted):
        send()
        count[0] += 1
        number = eventually(lambda: serving.get("/api/v1/overview")["refused_24h"], lambda n: n >= count[0], wanted)
        if number != count[0]:
            raise Refused(f"{number - count[0]} refusals too many")
        if serial:
            failure(serving, serial, wanted)

    heard = serving.meter("PEER0001")["health"]["last_heard"]
    frame = push(serving.pushes, "--title", GOOD_TITLE, "--counter", "1000")
    eventually(lambda: serving.meter("PEER0001")["health"]["last_heard"], lambda at: at != heard, "push not taken")
    if serving.get("/api/v1/overview")["refused_24h"] != before:
        raise Refused("the first push was refused")

    refused(lambda: send(serving, frame), "PEER0001", "counter 1000 is not above 1000")
    refused(lambda: push(serving.pushes, "--title", GOOD_TITLE, "--counter", "999"), "PEER0001",
            "counter 999 is not above 1000")
    refused(lambda: push(serving.pushes, "--title", GOOD_TITLE, "--counter", "1001", "--ek", WRONG), "PEER0001", "tag")
    refused(lambda: push(serving.pushes, "--title", GOOD_TITLE, "--counter", "1002", "--security", "e"), "PEER0001",
            "protect")
    refused(lambda: push(serving.pushes, "--title", "4E4F424F44590000", "--counter", "1"), None, "stranger")
    refused(lambda: push(serving.pushes, "--counter", "1", "--security", "none"), None, "no protection")
    heard = serving.meter("PEER0001")["health"]["last_heard"]
    push(serving.pushes, "--title", GOOD_TITLE, "--counter", "1003")
    eventually(lambda: serving.meter("PEER0001")["health"]["last_heard"], lambda at: at != heard, "push not taken")


def pushed_by_ours(wattle, port):
    """Their client asks our meter to push to our head-end; a tap on the wire sends the same bytes again."""

    def check(serving):
        with socket.create_server(("127.0.0.1", 0)) as tap:
            tap.settimeout(30)
            frames = []

            def listen():
                wire, _ = tap.accept()
                with wire:
                    frames.append(b"".join(iter(lambda: wire.recv(65536), b"")))

            tapping = threading.Thread(target=listen)
            tapping.start()
            meter, _ = our_meter(wattle, "wrapper", ["--push", f"127.0.0.1:{tap.getsockname()[1]}"], port)
            with meter:
                options = ["--client", "1", "--auth", "gmac", "--security", "ae", "--ek", EK, "--ak", AK, "--ic-ln",
                           "0.0.43.1.0.255"]
                gurux_client(port, "wrapper", options, ["push"])
                tapping.join()
        # Wrapper 8, tag 1, title 1 + 8; then the length, the security control byte and the counter.
        after = 19 + (frames[0][18] & 0x7F if frames[0][18] & 0x80 else 0)
        counter = int.from_bytes(frames[0][after + 1:after + 5], "big")
        send(serving, frames[0])
        send(serving, frames[0])
        failure(serving, "OURS0003", f"counter {counter} is not above {counter}")

    return check


def still_refused(serving):
    """What was accepted is on disk: bytes from before the restart are refused after it."""
    push(serving.pushes, "--title", GOOD_TITLE, "--counter", "1003")
    failure(serving, "PEER0001", "counter 1003 is not above 1003")


def old_counter(serving):
    """The counter came back from a backup: the meter refuses it, by that name, and the head-end catches up once."""
    failure(serving, "PEER0001", "used already")
    confirmed(serving.order("PEER0001", "ping"))


ROWS = [
    ("ping", ping),
    ("registers, exact", registers),
    ("load profile by schedule", profile),
    ("wrong key, told by its name", wrong_key),
    ("pushes: once, and refused by name", pushed),
]


def run(wattle, row):
    """Runs every row; `row(name, fault)` counts them."""

    def rows(serving, wanted):
        for name, check in wanted:
            fault = None
            try:
                check(serving)
            except (Refused, OSError, KeyError, IndexError) as error:
                fault = f"{type(error).__name__}: {error}; {serving.said()[-300:]}"
            row(f"our head-end, their meter: {name}", fault)

    try:
        good, good_at = peer_meter()
        with good, tempfile.TemporaryDirectory() as directory:
            strange, strange_at = peer_meter(["--title", STRANGE_TITLE])
            with strange:
                ours = free_port()
                utility = Utility(wattle, directory, (good_at, strange_at, f"127.0.0.1:{ours}"))
                old = os.path.join(directory, "old")
                shutil.copytree(utility.data, old)
                with utility.serve() as serving:
                    row("our head-end: meters from CSV files", None if serving.meters == 3 else f"{serving.meters}")
                    rows(serving, ROWS + [("our meter's push, once", pushed_by_ours(wattle, ours))])
                with utility.serve() as serving:
                    rows(serving, [("a push from before a restart", still_refused)])
                shutil.rmtree(utility.data)
                os.rename(old, utility.data)
                with utility.serve() as serving:
                    rows(serving, [("counters from an old backup", old_counter)])
                row("our head-end, their meter: it says why it refused",
                    None if re.search("counter 1 is not above [0-9]+", good.said()) else good.said()[-300:])
    except (Refused, RuntimeError, OSError) as error:
        row("our head-end, their meter", f"{type(error).__name__}: {error}")
