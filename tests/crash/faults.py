#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each call that touches the disk fails once: a small run of the daemon (start, feed, checkpoint, next segments, stop) is
repeated, and its k-th open, write, sync, rename, mmap ... fails with EIO or EINTR, has no room, or writes the half.

  faults.py [--runs N] [--seed N]      N runs chosen by the seed; 0: each call and each way
  WAGEWARN_FAULT_CALLS                 a regular expression: only those of "CALL FILE" that it finds

The daemon goes on rightly, or it stops with a sentence that says why. Whatever it does, a start without faults then finds
all that was acknowledged and published, nothing twice, the chain right, and a view that a fold of the journal equals; and
so does a start from a disk that has only what was synced.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from record import (IMAGES, LETTER_ACK, LETTER_EVENT, OP_CALL, OP_FAULT, OP_LETTER, Feed, Recorded, letters,  # noqa: E402
                    records, scratch)
from harness import Timeout, program_env  # noqa: E402

SENTENCE = re.compile(r"wagewarnd: .*[a-z]{3,}.*[:;,] .*[a-z]{3,}")  # what went wrong and what to do
STATUS = (1, 69, 70, 74, 75)
MAKES_ROOM = ("write", "writev", "pwrite", "pwritev", "ftruncate", "fallocate", "mkdir")


def work(d, seed):
    """What the run does once the daemon is ready, for as long as it answers."""
    feed = Feed(seed)
    with d.client() as c:
        c.hello()
        c.subscribe(**{"from": 0, "credit": 100000})
        for i in range(9):
            verb, ack = c.ask("signals", batch=feed.batch() if i % 3 else [dict(s, note="y" * 1000) for s in feed.batch(20)])
            if verb == "busy":
                return
            assert verb == "ack" and not ack["rejected"], (verb, ack)
            if i % 3 == 2:
                c.ask("query", what="alerts", limit=1)  # wants a checkpoint


def one(where, seed, k=None, fault=None):
    """A run; its exit status, and what the daemon logged."""
    log = os.path.join(where, "calls")
    d = Recorded(where, log, k, fault)
    try:
        d.launch()
        if d.notify.wait("READY=1", d.said, d.alive):
            try:
                work(d, seed)
            except Timeout:
                assert not d.alive(), "it does not answer"
        assert not d.alive() or "READY=1" in d.notify.said, "it never became ready"
        d.proc.send_signal(signal.SIGTERM)
        status = d.ended()
        return status, d.old_logs[-1]
    finally:
        d.close(clean=False)


def calls(where):
    """What could fail: (number, call, file)."""
    with open(os.path.join(where, "calls"), "rb") as f:
        for op, _, _, number, path, _, _ in records(f.read()):
            if op in (OP_CALL, OP_FAULT):
                call, _, file = path.partition(b"\0")
                yield op, number, call.decode(), file.decode("utf-8", "replace")


def checked(where):
    """All that was promised is there; how much that was."""
    out = os.path.join(where, "log")
    letters(os.path.join(where, "calls"), out)
    last = collections.Counter()
    with open(out, "rb") as f:
        for op, _, number, letter, _, _, _ in records(f.read()):
            if op == OP_LETTER:
                last[letter] = max(last[letter], number)
    said = ""
    for how in (["--end", out, where], ["--check", os.path.join(where, "d", "state"), str(last[LETTER_ACK]), str(last[LETTER_EVENT])]):
        p = subprocess.run([IMAGES] + how, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=program_env())
        if p.returncode:
            said += "%s: %s" % (how[0], p.stdout.decode("utf-8", "replace") or "ended with %d" % p.returncode)
    return said, last[LETTER_ACK]


def faulty(root, seed, k, fault):
    """One faulty run, and the check of what it left: (how it ended, what is wrong or None)."""
    where = os.path.join(root, "%s-%d" % (fault, k))
    os.mkdir(where)
    hit, log = "no such call", ""
    try:
        try:
            status, log = one(where, seed, k, fault)
            wrong = None
        except AssertionError as e:
            status, wrong = None, str(e)
        for op, number, call, file in calls(where):
            if op == OP_FAULT:
                hit = "%s of %s" % (call, file)
                break
        if not wrong and status != 0 and (status not in STATUS or not SENTENCE.search(log)):
            wrong = "exit status %s" % status
        if not wrong:
            wrong = checked(where)[0] or None
        if wrong:
            wrong = "%s at call %d, %s: %s\n%s" % (fault, k, hit, wrong, log)
        how = "no such call" if hit == "no such call" else "went on" if status == 0 else "stopped with a sentence"
        return how, wrong
    finally:
        shutil.rmtree(where)


def plan(root, seed):
    """Each call and each way in which it can fail, by a run in which none does."""
    where = os.path.join(root, "none")
    os.mkdir(where)
    status, log = one(where, seed)
    said, acked = checked(where)
    assert status == 0 and not said and acked > 50, (status, said, acked, log)
    todo = []
    for _, k, call, file in calls(where):
        if not re.search(os.environ.get("WAGEWARN_FAULT_CALLS", ""), call + " " + file):
            continue
        todo += [(k, "EIO"), (k, "EINTR")]
        if call in MAKES_ROOM:
            todo += [(k, "ENOSPC"), (k, "FULL"), (k, "SHORT")]
        elif call in ("open", "rename"):
            todo.append((k, "ENOSPC"))
    shutil.rmtree(where)
    assert todo, "no call is to fail"
    return todo


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--runs", type=int, default=int(os.environ.get("WAGEWARN_FAULTS", "40")))
    p.add_argument("--seed", type=int, default=int(os.environ.get("WAGEWARN_SEED", "0")) or random.randrange(1, 10**6))
    p.add_argument("--only", help="FAULT-NUMBER, as a failure names it: that run alone")
    args = p.parse_args()
    root = scratch("ww-faults-")
    try:
        if args.only:
            fault, k = args.only.split("-")
            todo = [(int(k), fault)]
        else:
            todo = plan(root, args.seed)
            print("faults: %d ways to fail, seed %d" % (len(todo), args.seed), flush=True)
            if args.runs:
                todo = random.Random(args.seed).sample(todo, min(args.runs, len(todo)))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda one: faulty(root, args.seed, *one), todo))
        print(", ".join("%d %s" % (n, how) for how, n in collections.Counter(how for how, _ in done).items()))
        wrong = [w for _, w in done if w]
        for w in wrong[:5]:
            print(w)
        assert not wrong, "%d runs went wrong" % len(wrong)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
