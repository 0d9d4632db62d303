#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 while feeders push: nothing acknowledged is lost, nothing counts twice, the events are those of a quiet run.

  kill9.py [--cycles N] [--feeders N] [--seed N]

Feeders are processes of their own; each has its enterprises, so the order of an enterprise's signals is known whatever
the journal's. They send a batch again until it is acknowledged. The parent counts acknowledgements, kills the daemon
after a random number of them (sometimes while it is starting), and starts it again; a subscriber with a cursor reads
along. Then:
  1. the state is that of the batches acknowledged: all of them sent again are duplicates, and each signal is there once
  2. what the subscriber saw, across all kills, is what the log says now, number by number, with no gap and none twice
  3. a fresh daemon, fed the same signals without a kill, gives each enterprise the same events
  4. the view thrown away and folded again gives the same events
"""
import argparse
import collections
import os
import random
import select
import shutil
import sys
import tempfile
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "wire"))
from harness import Client, DAY, Daemon, PATIENCE, THREE_AGENCIES, Timeout, now_ms, uscc, without_session  # noqa: E402

REGIONS = "code,name\n33,浙江省\n3304,嘉兴市\n330482,平湖市\n330402,南湖区\n"
KINDS = """\
kind,agency,zh,en,weight,half_life_days,repeat_window_days,clears,clue_of
tax.arrears,tax,欠缴税款,tax overdue,0.10,36500,30,,cash shortage
tax.filing_missed,tax,逾期未申报,tax return not filed,0.06,36500,25,,disorder
tax.settled,tax,税款已缴清,tax paid up,0,0,0,tax.arrears tax.filing_missed,
court.seizure,court,资产被查封,assets seized,0.35,36500,7,,cannot pay
court.released,court,解除查封,seizure lifted,0,0,0,court.seizure,
police.owner_missing,police,经营者失联,owner fled,0.75,36500,0,,owner fled
police.owner_found,police,经营者已到案,owner found,0,0,0,police.owner_missing,
subdistrict.wage_delay,subdistrict,工资延发,wages late,0.50,36500,7,,arrears under way
subdistrict.wages_paid,subdistrict,工资已发,wages paid,0,0,0,subdistrict.wage_delay,
utility.bill_overdue,utility,欠缴水电费,bill unpaid,0.15,36500,25,,cash shortage
"""  # half-lives so long that the minutes between two runs decide nothing
POOL = [row.split(",")[0] for row in KINDS.strip().split("\n")[1:]]
PER_FIRM = (6, 40)


# ---- feeders ----

def batches(seed, feeder, base):
    """The endless, repeatable sequence of this feeder's batches."""
    rng = random.Random("%s/%s" % (seed, feeder))
    firms, made, count = [], 0, 0
    while True:
        batch = []
        for _ in range(rng.choice((1, 2, 5, 20))):
            while len(firms) < 6:
                many = 300 if made % 8 == 0 else rng.randint(*PER_FIRM)  # some that a record cannot hold whole
                firms.append([uscc(100000 * (feeder + 1) + made), many, []])
                made += 1
            firm = rng.choice(firms)
            count += 1
            s = {"id": "f%d-%d" % (feeder, count), "uscc": firm[0], "region": rng.choice(("330482", "330402")),
                 "at": base - int(rng.uniform(0.1, 40) * DAY), "note": "x" * rng.choice((0, 10, 500)) or None}
            if firm[2] and rng.random() < 0.15:
                target = rng.choice(firm[2])
                s.update(kind=target["kind"], cancels=target["id"])
            else:
                s["kind"] = rng.choice(POOL)
                firm[2].append(s)
            batch.append({k: v for k, v in s.items() if v is not None})
            firm[1] -= 1
            if firm[1] == 0:
                firms.remove(firm)
        yield batch


def feeder(args, number, endpoint, base, control, acks):
    """A process: pushes batch after batch until told to stop. `control` says "r" when the daemon is up again."""
    todo = batches(args.seed, number, base)
    c, rid, batch = None, 0, next(todo)
    while True:
        if c is None:
            c = Client(endpoint)
            poller = zmq.Poller()
            poller.register(c.sock, zmq.POLLIN)
            poller.register(control, zmq.POLLIN)
            c.send("signals", {"rid": rid, "batch": batch})
        ready = dict(poller.poll())
        if c.sock in ready:
            verb, body = c.receive()
            if verb == "busy":
                poller.poll(body["retry_ms"])
                c.send("signals", {"rid": rid, "batch": batch})
            elif body.get("rid") == rid:
                if verb != "ack" or body["rejected"] or body["accepted"] + body["duplicates"] != len(batch):
                    os.write(acks, b"!")
                    raise AssertionError("%s %r for %r" % (verb, body, batch))
                os.write(acks, b"a")
                batch = next(todo)
                rid += 1
                c.send("signals", {"rid": rid, "batch": batch})
        if control in ready:
            if os.read(control, 1) != b"r":  # "s", or the parent is gone
                os.write(acks, b"s")
                return
            c.close()
            c = None


class Feeder:
    """The parent's end of a feeder process."""

    def __init__(self, args, number, endpoint, base):
        down_r, self.control = os.pipe()
        self.acks, up_w = os.pipe()
        self.number, self.acked = number, 0
        self.pid = os.fork()
        if self.pid == 0:
            for fd in range(3, 256):  # what belongs to the parent and to other feeders
                if fd not in (down_r, up_w):
                    try:
                        os.close(fd)
                    except OSError:
                        pass
            status = 1
            try:
                feeder(args, number, endpoint, base, down_r, up_w)
                status = 0
            except BaseException as e:  # noqa: B902 - a child must never run the parent's code
                print("feeder %d: %r" % (number, e), file=sys.stderr)
            finally:
                os._exit(status)
        os.close(down_r)
        os.close(up_w)
        os.set_blocking(self.acks, False)

    def say(self, word):
        os.write(self.control, word)

    def heard(self):
        """How many acks since the last time; an end of the pipe is a dead feeder."""
        try:
            data = os.read(self.acks, 65536)
        except BlockingIOError:
            return 0
        assert data and b"!" not in data, "feeder %d died" % self.number
        n = data.count(b"a")
        self.acked += n
        return n

    def finish(self):
        """Stops it and counts its last acks. What is in flight then may be stored or not."""
        self.say(b"s")
        os.set_blocking(self.acks, True)
        while True:
            data = os.read(self.acks, 65536)
            self.acked += data.count(b"a")
            if not data or b"s" in data:
                break
        assert os.waitpid(self.pid, 0)[1] == 0, "feeder %d failed" % self.number


# ---- the subscriber ----

class Reader:
    """Reads along with a cursor; a kill costs it its session, not its place."""

    def __init__(self, endpoint):
        self.endpoint, self.events, self.c, self.store = endpoint, [], None, None

    def connect(self):
        if self.c:
            self.c.close()
        self.c = Client(self.endpoint)
        body = {"from": len(self.events) + 1, "credit": 100000}
        if self.store:
            body["store"] = self.store
        sub = self.c.subscribe(**body)
        self.store = sub["store"]
        assert sub["head"] >= len(self.events), "events that were published are gone: %r" % sub

    def drain(self):
        try:
            while True:
                verb, body = self.c.receive(0)
                if verb == "event":
                    assert body["seq"] == len(self.events) + 1, "a gap: %r after %d" % (body, len(self.events))
                    self.events.append(without_session(body))
        except Timeout:
            pass


# ---- the story ----

def disturbed(args, d, base):
    """Feeds and kills; returns how many batches of each feeder were acknowledged, and what the subscriber saw."""
    rng = random.Random(args.seed)
    d.start()
    feeders = [Feeder(args, n, d.endpoint, base) for n in range(args.feeders)]  # before ZeroMQ has its threads
    reader = Reader(d.endpoint)
    reader.connect()
    poller = select.poll()
    for f in feeders:
        poller.register(f.acks, select.POLLIN)
    began = 0
    for cycle in range(args.cycles):
        want = rng.choice((0, 1, 1, 2, 3, 5, 8, 13, 20))
        got, end = 0, time.monotonic() + PATIENCE
        while got < want:
            assert time.monotonic() < end, "no acknowledgement in cycle %d\n%s" % (cycle, d.log.text())
            assert d.alive(), "the daemon ended by itself\n%s" % d.log.text()
            poller.poll(1000)
            got += sum(f.heard() for f in feeders)
            reader.drain()
        if rng.random() < 0.5:
            poller.poll(rng.randrange(3))  # a moment that has nothing to do with an ack
        d.kill()
        while rng.random() < 0.15:         # and sometimes in the middle of a start
            began += 1
            d.launch()
            select.select([], [], [], rng.random() * 0.2)
            d.kill()
        d.start()
        reader.connect()
        for f in feeders:
            f.say(b"r")
    for f in feeders:
        f.heard()
        f.finish()
    reader.drain()
    print("%d kills, %d of them while starting; %d batches acknowledged" %
          (args.cycles + began, began, sum(f.acked for f in feeders)))
    return [f.acked for f in feeders], reader


def send_all(c, args, base, acked, check):
    """Sends each feeder's batches again, in their order, and the one that was in flight."""
    total = collections.Counter()
    for number, n in enumerate(acked):
        todo = batches(args.seed, number, base)
        rids = {}
        for i in range(n + 1):
            batch = next(todo)
            rids[c.post("signals", batch=batch)] = (i, batch)
            if len(rids) == 20 or i == n:
                for rid in list(rids):
                    i_, batch_ = rids.pop(rid)
                    verb, ack = c.reply_to(rid)
                    assert verb == "ack" and not ack["rejected"], (verb, ack)
                    check(number, i_, n, batch_, ack)
                    total["signals"] += len(batch_)
    return total["signals"]


def acked_is_duplicate(number, i, n, batch, ack):
    if i < n:
        assert ack["accepted"] == 0 and ack["duplicates"] == len(batch), \
            "feeder %d, batch %d of %d: acknowledged, then lost: %r" % (number, i, n, ack)


def all_new(number, i, n, batch, ack):
    assert ack["accepted"] == len(batch), (number, i, ack)


def each_once(c, args, base, acked, rng):
    """Each signal is there once, asked of a sample of enterprises; the number of enterprises is that of all."""
    want = collections.defaultdict(set)
    for number, n in enumerate(acked):
        todo = batches(args.seed, number, base)
        for _ in range(n + 1):
            for s in next(todo):
                want[s["uscc"]] |= set() if "cancels" in s else {s["id"]}  # what only cancels is not listed
    assert c.query("status")["enterprises"] == len(want)
    for code in rng.sample(sorted(want), min(150, len(want))):
        ids = [s["id"] for s in c.enterprise(code)["signals"]]
        assert len(ids) == len(set(ids)), "%s has a signal twice" % code
        assert set(ids) == want[code], (code, set(ids) ^ want[code])


def by_firm(events):
    """Per enterprise, what must not depend on numbers: which alert (first, second...), what, with which evidence."""
    out = collections.defaultdict(list)
    alerts = collections.defaultdict(dict)
    for e in events:
        code = e["enterprise"]["uscc"]
        nth = alerts[code].setdefault(e["alert"], len(alerts[code]))
        out[code].append((nth, e["type"], e["level"], round(e["score"] / 10), sorted(v["id"] for v in e["evidence"]),
                          sorted((r["rule"], r["level"], r["signals_total"]) for r in e["reasons"])))
    return out


def same_story(a, b):
    assert set(a) == set(b), sorted(set(a) ^ set(b))[:5]
    for code in a:
        for x, y in zip(a[code], b[code]):
            near = abs(x[3] - y[3]) <= 1  # a tenth of a point, rounded
            assert near and x[:3] == y[:3] and x[4:] == y[4:], "%s:\n%r\n%r" % (code, x, y)
        assert len(a[code]) == len(b[code]), (code, a[code], b[code])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--cycles", type=int, default=int(os.environ.get("WAGEWARN_KILLS", "20")))
    p.add_argument("--feeders", type=int, default=3)
    p.add_argument("--seed", type=int, default=int(os.environ.get("WAGEWARN_SEED", "0")) or random.randrange(1, 10**6))
    args = p.parse_args()
    print("kill9: %d cycles, seed %d" % (args.cycles, args.seed), flush=True)
    where = tempfile.mkdtemp(prefix="ww-kill-")
    files = {"kinds": os.path.join(where, "kinds.csv"), "regions": os.path.join(where, "regions.csv")}
    for key, text in (("kinds", KINDS), ("regions", REGIONS)):
        with open(files[key], "w", encoding="utf-8") as f:
            f.write(text)
    base = now_ms()
    try:
        with Daemon(rules=THREE_AGENCIES, **files) as d:
            acked, reader = disturbed(args, d, base)
            with d.client() as c:
                n = send_all(c, args, base, acked, acked_is_duplicate)
                each_once(c, args, base, acked, random.Random(args.seed))
                events = [without_session(e) for e in c.all_events()]
            assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
            for seen, now in zip(reader.events, events):
                assert seen == now, "published, then changed:\n%r\n%r" % (seen, now)
            assert len(reader.events) <= len(events)
            print("%d signals, %d alert events, %d of them seen along the way" % (n, len(events), len(reader.events)))
            d.stop()
            d.start("--rebuild")
            with d.client() as c:
                again = [without_session(e) for e in c.all_events()]
            assert again == events, "the rebuilt view differs"
        with Daemon(rules=THREE_AGENCIES, **files) as quiet:
            quiet.start()
            with quiet.client() as c:
                send_all(c, args, base, acked, all_new)
                same_story(by_firm(events), by_firm(c.all_events()))
    finally:
        shutil.rmtree(where)
    print("nothing lost, nothing twice, the same events")


if __name__ == "__main__":
    main()
