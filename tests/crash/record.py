# SPDX-License-Identifier: Apache-2.0
"""A short life of the daemon under the shim, and what its recording says.

life() starts the daemon (with small segments) on a directory of its own, feeds it, works alerts, reloads it with other
rules, kills it, stops it and starts it again. letters() reads from the recording what the daemon told its clients, byte
by byte as it left, and puts in its place what that promises: so the moment of a promise is that at which it left the
process, not that at which somebody read it.
"""
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

import msgpack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "wire"))
import harness  # noqa: E402
from harness import BUILD, DAY, Daemon, THREE_AGENCIES, now_ms, uscc  # noqa: E402

CRASH = os.path.join(BUILD, "tests", "crash")
SHIM, IMAGES = os.path.join(CRASH, "wagewarn-shim.so"), os.path.join(CRASH, "images")
harness.DAEMON = os.path.join(CRASH, "wagewarnd-small")

REGIONS = "code,name\n33,浙江省\n3304,嘉兴市\n330482,平湖市\n330402,南湖区\n"
KINDS = """\
kind,agency,zh,en,weight,half_life_days,repeat_window_days,clears,clue_of
tax.arrears,tax,欠缴税款,tax overdue,0.10,36500,30,,cash shortage
tax.settled,tax,税款已缴清,tax paid up,0,0,0,tax.arrears,
court.seizure,court,资产被查封,assets seized,0.35,36500,7,,cannot pay
court.released,court,解除查封,seizure lifted,0,0,0,court.seizure,
police.owner_missing,police,经营者失联,owner fled,0.75,36500,0,,owner fled
subdistrict.wage_delay,subdistrict,工资延发,wages late,0.50,36500,7,,arrears under way
utility.bill_overdue,utility,欠缴水电费,bill unpaid,0.15,36500,25,,cash shortage
"""
POOL = [row.split(",")[0] for row in KINDS.strip().split("\n")[1:]]
OTHER_RULES = THREE_AGENCIES.replace("general: 40", "general: 30")
RATHER = "/dev/shm"  # images are many and small


def scratch(prefix):
    """A folder in memory, where there is one."""
    memory = os.path.isdir(RATHER) and os.access(RATHER, os.W_OK) and shutil.disk_usage(RATHER).free > 1 << 28
    return tempfile.mkdtemp(prefix=prefix, dir=RATHER if memory else None)


class Recorded(Daemon):
    """The daemon under the shim. Its state directory is there before, since the folder that holds it is not watched."""

    def __init__(self, where, log=None, fail=None, fault=None):
        os.mkdir(os.path.join(where, "d"))
        for name, text in (("kinds.csv", KINDS), ("regions.csv", REGIONS)):
            with open(os.path.join(where, name), "w", encoding="utf-8") as f:
                f.write(text)
        super().__init__(rules=THREE_AGENCIES, kinds=os.path.join(where, "kinds.csv"),
                         regions=os.path.join(where, "regions.csv"), directory=os.path.join(where, "d"))
        os.mkdir(self.state)
        self.shim(log, fail, fault)

    def shim(self, log=None, fail=None, fault=None):
        """How the next start is watched."""
        self.env = {"LD_PRELOAD": SHIM, "WAGEWARN_SHIM_ROOT": self.state,
                    "ASAN_OPTIONS": harness.SANITIZER_ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}
        for key, value in (("LOG", log), ("FAIL", fail), ("FAULT", fault)):
            if value is not None:
                self.env["WAGEWARN_SHIM_" + key] = str(value)


class Feed:
    """Signals of a few enterprises, without end; the same for the same seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.base, self.count = now_ms(), 0
        self.sent = []

    def signal(self):
        rng = self.rng
        self.count += 1
        s = {"id": "s%d" % self.count, "uscc": uscc(rng.randrange(1, 25)), "region": rng.choice(("330482", "330402")),
             "at": self.base - int(rng.uniform(0.1, 40) * DAY), "kind": rng.choice(POOL)}
        if rng.random() < 0.3:
            s["note"] = "x" * rng.choice((10, 300, 1000))
        if self.sent and rng.random() < 0.1:
            other = rng.choice(self.sent)
            s.update(uscc=other["uscc"], kind=other["kind"], cancels=other["id"])
        else:
            self.sent.append(s)
        return s

    def batch(self, most=12):
        return [self.signal() for _ in range(self.rng.randint(1, most))]


def work(c, rng):
    """Some steps on alerts that are open, as a team takes them; what is refused is refused."""
    for alert in c.query("alerts", limit=4)["alerts"]:
        for step in ({"do": "accept"}, {"do": "verify", "finding": "confirmed", "people": 3, "amount": 1000}):
            c.ask("action", alert=alert["alert"], **step)


def session(d, feed, batches, subscribed=False):
    """One life of the process, fed batch by batch; sometimes two at once, and sometimes the same again."""
    with d.client() as c:
        c.hello()
        if subscribed:
            c.subscribe(**{"from": 0, "credit": 100000})
        for i in range(batches):
            batch = feed.batch()
            rids = [c.post("signals", batch=batch)]
            if i % 4 == 1:
                rids.append(c.post("signals", batch=feed.batch()))
            if i % 5 == 2:
                rids.append(c.post("signals", batch=batch))
            for rid in rids:
                verb, ack = c.reply_to(rid)
                assert verb == "ack" and not ack["rejected"], (verb, ack)
            if i % 3 == 2:
                c.head()  # wants a checkpoint
            if i % 6 == 5:
                work(c, feed.rng)
        c.head()


def life(where, log, seed):
    """The recorded life: three processes, one of them killed; reloads, checkpoints, segments."""
    feed = Feed(seed)
    with Recorded(where, log) as d:
        d.start()
        session(d, feed, 30, subscribed=True)
        d.kill()
        d.start()
        session(d, feed, 16)
        d.write_rules(OTHER_RULES)
        mark = d.log.mark()
        d.proc.send_signal(harness.signal.SIGHUP)
        d.log.wait("reloaded", mark)
        session(d, feed, 12, subscribed=True)
        d.stop()
        d.start()
        session(d, feed, 8)
        d.stop()


# ---- what was told ----

HEAD = struct.Struct("=IBBHIIQQ")  # struct op_head of oplog.h
OP_SEND, OP_UNSENT, OP_CALL, OP_FAULT, OP_LETTER = 10, 11, 12, 13, 14
LETTER_ACK, LETTER_EVENT, LETTER_STORE = 1, 2, 3


def records(data):
    at = 0
    while at < len(data):
        size, op, _, npath, ndata, process, ino, arg = HEAD.unpack_from(data, at)
        body = data[at + HEAD.size:at + HEAD.size + npath + ndata]
        yield op, process, ino, arg, body[:npath], body[npath:], data[at:at + size]
        at += size


class Stream:
    """What one socket sent: ZMTP 3, NULL mechanism. add() returns the messages that it completes."""

    def __init__(self):
        self.bytes, self.at_greeting, self.frames, self.last = b"", True, [], 0

    def add(self, data):
        if len(data) == 10 and data[0] == 0xFF and data[9] == 0x7F:  # a new connection with the old one's number
            self.__init__()
        self.bytes += data
        self.last = len(data)
        done = []
        if self.at_greeting:
            if len(self.bytes) < 64 or self.bytes[0] != 0xFF:
                return done
            self.bytes, self.at_greeting = self.bytes[64:], False
        while True:
            if len(self.bytes) < 2:
                return done
            flags, head = self.bytes[0], 9 if self.bytes[0] & 2 else 2
            if len(self.bytes) < head:
                return done
            n = int.from_bytes(self.bytes[1:head], "big")
            if len(self.bytes) < head + n:
                return done
            frame, self.bytes = self.bytes[head:head + n], self.bytes[head + n:]
            if flags & 4:
                continue
            self.frames.append(frame)
            if not flags & 1:
                done.append(self.frames)
                self.frames = []


def promises(frames):
    """(letter, number, 16 bytes) of a message of the daemon."""
    if len(frames) != 2:
        return
    verb, body = frames[0], msgpack.unpackb(frames[1], raw=False)
    if verb in (b"ack", b"done") and body.get("seq"):
        yield LETTER_ACK, body["seq"], b""
    elif verb == b"event":
        yield LETTER_EVENT, body["seq"], b""
    elif verb == b"welcome":
        store = body["store"]
        yield LETTER_STORE, 0, bytes.fromhex(store) if isinstance(store, str) else store


def letters(log, out):
    """The recording with what was sent replaced by what it promises. Returns how many promises of each kind."""
    with open(log, "rb") as f:
        data = f.read()
    streams, count = {}, {}
    with open(out, "wb") as f:
        for op, process, fd, arg, _, body, raw in records(data):
            if op == OP_SEND:
                for frames in streams.setdefault((process, fd), Stream()).add(body):
                    for letter, number, text in promises(frames):
                        f.write(HEAD.pack(HEAD.size + len(text), OP_LETTER, 0, 0, len(text), process, number, letter) + text)
                        count[letter] = count.get(letter, 0) + 1
            elif op == OP_UNSENT:
                s = streams[(process, fd)]
                assert arg <= len(s.bytes), "part of a message was not sent, but read as sent"
                s.bytes = s.bytes[:len(s.bytes) - arg]
            elif op < OP_SEND:
                f.write(raw)
    return count
