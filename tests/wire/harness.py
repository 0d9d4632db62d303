# SPDX-License-Identifier: Apache-2.0
"""What the stories over the wire share: a daemon on a temporary directory, clients, subscribers, signals.

Speaks the protocol by itself (ZeroMQ frames, msgpack bodies) and uses nothing of the project's own code. Nothing here
sleeps to be in step: a start waits for READY=1, a stop for the process's end, a reader for a message, each with a
bound that only a broken daemon reaches. A sanitizer's report in any log fails the test.
"""
import collections
import csv
import itertools
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import msgpack
import zmq

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("WAGEWARN_BUILD") or os.path.join(ROOT, "build")
DAEMON = os.path.join(BUILD, "daemon", "wagewarnd")
CONFIG = os.path.join(ROOT, "config")
PATIENCE = float(os.environ.get("WAGEWARN_PATIENCE", "60"))  # only a broken daemon waits that long
SKIP = 77                                                      # meson's exit status for a test that cannot run here

SECOND, HOUR, DAY = 1000, 3600 * 1000, 24 * 3600 * 1000
Y2000_UTC = 946684800000

SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread|Memory)Sanitizer|runtime error:|AddressSanitizer:DEADLYSIGNAL")
SANITIZER_ENV = {
    "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
}

# Rules of the tests: the score alone, no factors, so that every figure can be worked out by hand.
SCORE_ONLY = """\
version: 1
score:
  levels: {general: 40, major: 65, critical: 85}
  hysteresis: 8
  one_agency_at_most: major
  others_at_least: 5
rules:
  - id: score
    title: {zh: 综合风险评分, en: Combined risk score}
    when: {score: follow}
    then: {raise: by_score}
"""
THREE_AGENCIES = SCORE_ONLY + """\
  - id: three-agencies
    title: {zh: 三个部门同时预警, en: Three agencies within 45 days}
    when: {agencies: {of: any, at_least: 3, within: 45d}}
    then: {raise: major}
"""

LEVELS = ["none", "general", "major", "critical"]
PINGHU, JIAXING = "330482", "3304"


def now_ms():
    return int(time.time() * 1000)


# ---- codes and signals ----

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def check_character(seventeen):
    """GB 32100-2015: alphabet of 31 characters, weights 3^i mod 31."""
    total = sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(seventeen))
    return ALPHABET[(31 - total % 31) % 31]


def uscc(n, county="330482"):
    """The n-th code of a county: a right organisation code (GB 11714) inside, a right check character at the end."""
    body, x = "", n * 7919 + 13
    for _ in range(8):
        body, x = ALPHABET[x % 31] + body, x // 31
    value = {c: int(c, 36) for c in ALPHABET}
    k = 11 - sum(w * value[c] for w, c in zip((3, 7, 9, 10, 5, 8, 4, 2), body)) % 11
    code = "91" + county + body + {10: "X", 11: "0"}.get(k, str(k))
    return code + check_character(code)


def spoil(code):
    """The same code with a wrong check character."""
    return code[:17] + ALPHABET[(ALPHABET.index(code[17]) + 1) % 31]


_ids = itertools.count(1)


def sig(kind="tax.arrears", code=None, **more):
    """A signal as a feeder sends it; None takes a key away."""
    out = {"id": "s%d" % next(_ids), "kind": kind, "at": now_ms() - HOUR, "uscc": code or uscc(1)}
    out.update(more)
    return {k: v for k, v in out.items() if v is not None}


def load_kinds(path=os.path.join(CONFIG, "kinds.csv")):
    with open(path, encoding="utf-8", newline="") as f:
        return {row["kind"]: row for row in csv.DictReader(f)}


# ---- the daemon ----

class Log:
    """Lines of a pipe, read by a thread of its own; wait() wakes up at a line."""

    def __init__(self, pipe):
        self.lines, self.closed = [], False
        self.cond = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self.thread.start()

    def _read(self, pipe):
        for line in pipe:
            with self.cond:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.cond.notify_all()
        pipe.close()
        with self.cond:
            self.closed = True
            self.cond.notify_all()

    def wait(self, pattern, since=0, patience=None):
        """The first line from `since` on that matches; AssertionError when the log ends or patience does."""
        want = re.compile(pattern)
        with self.cond:
            end = time.monotonic() + (patience or PATIENCE)
            at = since
            while True:
                for line in self.lines[at:]:
                    if want.search(line):
                        return line
                at = len(self.lines)
                left = end - time.monotonic()
                if self.closed or left <= 0:
                    raise AssertionError("no log line %r in:\n%s" % (pattern, self.text(since)))
                self.cond.wait(left)

    def mark(self):
        with self.cond:
            return len(self.lines)

    def text(self, since=0):
        return "\n".join(self.lines[since:])


class Notify:
    """The other end of NOTIFY_SOCKET: what the daemon tells systemd."""

    def __init__(self, path):
        self.path, self.said = path, []
        self.cond = threading.Condition()
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.stop_r, self.stop_w = os.pipe()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            ready, _, _ = select.select([self.sock, self.stop_r], [], [])
            if self.stop_r in ready:
                return
            said = self.sock.recv(65536).decode("utf-8", "replace")
            with self.cond:
                self.said.extend(said.split("\n"))
                self.cond.notify_all()

    def mark(self):
        with self.cond:
            return len(self.said)

    def wait(self, word, since, alive, patience=None):
        with self.cond:
            end = time.monotonic() + (patience or PATIENCE)
            while word not in self.said[since:]:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.cond.wait(min(left, 0.05))
                if not alive() and word not in self.said[since:]:
                    return False
        return True

    def close(self):
        os.write(self.stop_w, b"x")
        self.thread.join()
        self.sock.close()
        os.close(self.stop_r)
        os.close(self.stop_w)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def program_env(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("WAGEWARN_", "NOTIFY_", "WATCHDOG_", "LISTEN_"))}
    env.update(SANITIZER_ENV, LC_ALL="C.UTF-8", LSAN_OPTIONS="exitcode=99")
    env.update(more)
    return env


def run(args, patience=None, stdin=None, **env):
    """Runs a program to its end: (status, stdout, stderr). A sanitizer's report is an AssertionError."""
    p = subprocess.run(args, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program_env(**env),
                       timeout=patience or PATIENCE)
    out, err = p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")
    assert not SANITIZER.search(err), "sanitizer: %s" % err
    return p.returncode, out, err


class Daemon:
    """wagewarnd on a directory of its own. start() comes back when it is ready."""

    def __init__(self, rules=SCORE_ONLY, listen=None, extra="", tcp=False, kinds=None, regions=None, directory=None,
                 env=None, args=()):
        self.own = directory is None
        self.dir = directory or tempfile.mkdtemp(prefix="ww-")
        self.notify = Notify(os.path.join(tempfile.mkdtemp(prefix="wwn-"), "n"))
        self.state = os.path.join(self.dir, "state")
        self.endpoint = "ipc://" + os.path.join(self.dir, "w.sock")
        self.tcp_endpoint = "tcp://127.0.0.1:%d" % free_port() if tcp else None
        self.config = os.path.join(self.dir, "wagewarn.yaml")
        self.rules = os.path.join(self.dir, "rules.yaml")
        self.kinds = kinds or os.path.join(CONFIG, "kinds.csv")
        self.regions = regions or os.path.join(CONFIG, "regions.csv")
        self.listen, self.extra, self.env, self.args = listen or [], extra, env or {}, list(args)
        self.proc = self.log = None
        self.old_logs = []
        self.write_rules(rules)
        self.write_config()

    def write_rules(self, text):
        with open(self.rules, "w", encoding="utf-8") as f:
            f.write(text)

    def write_config(self, text=None):
        listen = [self.endpoint] + ([self.tcp_endpoint] if self.tcp_endpoint else []) + self.listen
        if text is None:
            text = "listen:\n" + "".join("  - %s\n" % one for one in listen)
            text += "state_dir: %s\nrules: rules.yaml\nkinds: %s\nregions: %s\n" % (self.state, self.kinds, self.regions)
            text += "calendar: %s\n" % os.path.join(CONFIG, "spring_festival.csv")
            text += self.extra
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(text)

    def launch(self, *args):
        """Starts the process and does not wait for anything."""
        assert self.proc is None, "it runs already"
        self.said = self.notify.mark()
        self.proc = subprocess.Popen([DAEMON, "--config", self.config] + self.args + list(args), stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                     env=program_env(**dict({"NOTIFY_SOCKET": self.notify.path}, **self.env)))
        self.log = Log(self.proc.stderr)
        return self

    def alive(self):
        return self.proc is not None and self.proc.poll() is None

    def wait_ready(self):
        if not self.notify.wait("READY=1", self.said, self.alive):
            status = self.proc.poll()
            self.log.thread.join(5)
            raise AssertionError("wagewarnd is not ready (status %s):\n%s" % (status, self.log.text()))
        return self

    def start(self, *args):
        return self.launch(*args).wait_ready()

    def ended(self, patience=None):
        """Waits for the end of the process; its status."""
        status = self.proc.wait(patience or PATIENCE)
        self.log.thread.join(PATIENCE)
        self.old_logs.append(self.log.text())
        self.proc = None
        bad = SANITIZER.search(self.old_logs[-1])
        assert not bad, "sanitizer:\n%s" % self.old_logs[-1]
        return status

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        status = self.ended()
        assert status == 0, "SIGTERM: exit status %s\n%s" % (status, self.old_logs[-1])
        return status

    def kill(self):
        self.proc.kill()
        self.ended()

    def restart(self, *args):
        self.stop()
        return self.start(*args)

    def rss_kib(self):
        with open("/proc/%d/status" % self.proc.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def client(self, **kw):
        return Client(self.endpoint, alive=self.alive, **kw)

    def close(self, clean=True):
        try:
            if self.proc is not None and not self.alive():
                text = self.log.text()
                status = self.ended()
                raise AssertionError("wagewarnd ended by itself (status %s):\n%s" % (status, text))
            if self.proc is not None:
                self.stop() if clean else self.kill()
        finally:
            if self.proc is not None:
                self.proc.kill()
                self.proc.wait()
            self.notify.close()
            shutil.rmtree(os.path.dirname(self.notify.path), ignore_errors=True)
            if self.own:
                shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if kind is None:
            self.close()
            return
        try:
            print("---- log of wagewarnd ----\n%s" % "\n".join(self.old_logs + [self.log.text() if self.log else ""]),
                  file=sys.stderr)
            self.close(clean=False)
        except Exception as again:  # the first failure is the one to show
            print("then: %s" % again, file=sys.stderr)


# ---- clients ----

class Timeout(AssertionError):
    pass


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


class Client:
    """One DEALER. ask() pairs a request with its reply by rid; what else comes waits in the inbox."""

    def __init__(self, endpoint, patience=None, hwm=None, kind=zmq.DEALER, alive=None):
        self.patience, self.alive = patience or PATIENCE, alive
        self.sock = zmq.Context.instance().socket(kind)
        self.sock.setsockopt(zmq.LINGER, 0)
        self.sock.setsockopt(zmq.RECONNECT_IVL, 20)
        self.sock.setsockopt(zmq.RECONNECT_IVL_MAX, 100)
        if hwm is not None:
            self.sock.setsockopt(zmq.RCVHWM, hwm)
            self.sock.setsockopt(zmq.SNDHWM, hwm)
        self.sock.connect(endpoint)
        self.rids = itertools.count(1)
        self.inbox = collections.deque()
        self.sessions = {}  # session -> last seq seen

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # frames
    def raw(self, *frames):
        self.sock.send_multipart(list(frames))

    def frames(self, patience=None):
        left = self.patience if patience is None else patience
        while not self.sock.poll(min(left, 0.5) * 1000):
            left -= 0.5
            if self.alive and not self.alive():
                raise Timeout("no answer: the daemon has ended")
            if left <= 0:
                raise Timeout("no answer")
        return self.sock.recv_multipart()

    # messages
    def send(self, verb, body):
        self.raw(verb.encode(), pack(body))

    def receive(self, patience=None):
        """The next message off the wire, checked for its form: (verb, body)."""
        frames = self.frames(patience)
        if len(frames) != 2:
            raise AssertionError("a message of %d frames: %r" % (len(frames), frames))
        body = msgpack.unpackb(frames[1], raw=False, strict_map_key=True)
        if not isinstance(body, dict):
            raise AssertionError("a body that is no map: %r" % (body,))
        return frames[0].decode("ascii"), body

    def reply_to(self, rid, patience=None):
        for i, (verb, body) in enumerate(self.inbox):
            if body.get("rid") == rid and verb not in ("event", "heartbeat"):
                del self.inbox[i]
                return verb, body
        end = time.monotonic() + (patience or self.patience)
        while True:
            verb, body = self.receive(max(0, end - time.monotonic()))
            if body.get("rid") == rid and verb not in ("event", "heartbeat"):
                return verb, body
            self.inbox.append((verb, body))

    def post(self, verb, **body):
        """Sends a request and returns its rid, for pipelining."""
        rid = next(self.rids)
        self.send(verb, dict(rid=rid, **body))
        return rid

    def ask(self, verb, **body):
        return self.reply_to(self.post(verb, **body))

    def expect(self, answer, verb, **body):
        got, reply = self.ask(verb, **body)
        if got != answer:
            raise AssertionError("%s: expected %s, got %s %r" % (verb, answer, got, reply))
        return reply

    def hello(self):
        return self.expect("welcome", "hello", client="test", protocol=1)

    def push(self, *signals):
        """One batch; its ack."""
        return self.expect("ack", "signals", batch=list(signals))

    def push_all(self, signals, size=200):
        """Any number, in batches; all must be taken. The last journal number."""
        last = 0
        for i in range(0, len(signals), size):
            part = signals[i:i + size]
            ack = self.push(*part)
            if ack["accepted"] != len(part):
                raise AssertionError("not all taken: %r" % ack)
            last = ack["seq"]
        return last

    def query(self, what, **body):
        result = self.expect("result", "query", what=what, **body)
        if result["what"] != what or not isinstance(result["as_of"], int):
            raise AssertionError("a result without what or as_of: %r" % result)
        return result

    def pages(self, what, key, **body):
        """All items of a paged query."""
        items = []
        while True:
            result = self.query(what, **body)
            items += result[key]
            if result.get("next") is None:
                return items
            body["after"] = result["next"]

    def enterprise(self, code=None, name=None):
        by = {"uscc": code} if code else {"name": name}
        return self.query("enterprise", **by)["enterprise"]

    def alerts(self, **body):
        return self.pages("alerts", "alerts", **body)

    def error(self, code, verb, **body):
        """The request must fail with that code; the error's body."""
        reply = self.expect("error", verb, **body)
        if reply["code"] != code:
            raise AssertionError("%s: expected error %s, got %r" % (verb, code, reply))
        if not isinstance(reply.get("message"), str) or not reply["message"]:
            raise AssertionError("an error without its sentence: %r" % reply)
        return reply

    # subscriptions
    def subscribe(self, **body):
        reply = self.expect("subscribed", "subscribe", **body)
        self.sessions[reply["session"]] = 0
        return reply

    def credit(self, session, n):
        self.send("credit", {"session": session, "n": n})

    def head(self):
        """The number of the last alert event there is, once all that was acknowledged is folded."""
        self.query("alerts", limit=1)
        sub = self.expect("subscribed", "subscribe", **{"from": -1, "credit": 0})
        self.expect("done", "unsubscribe", session=sub["session"])
        self.inbox = collections.deque(m for m in self.inbox if m[1].get("session") != sub["session"])
        return sub["head"]

    def next(self, session, patience=None):
        """The next event or heartbeat of a session: (verb, body). Checks the chain of `prev`."""
        for i, (verb, body) in enumerate(self.inbox):
            if body.get("session") == session and verb in ("event", "heartbeat"):
                del self.inbox[i]
                return self._seen(verb, body)
        end = time.monotonic() + (patience or self.patience)
        while True:
            verb, body = self.receive(max(0, end - time.monotonic()))
            if body.get("session") == session and verb in ("event", "heartbeat"):
                return self._seen(verb, body)
            self.inbox.append((verb, body))

    def _seen(self, verb, body):
        last = self.sessions[body["session"]]
        if verb == "event":
            if body["prev"] != last:
                raise AssertionError("a gap: prev is %d, the last seen was %d" % (body["prev"], last))
            if body["seq"] <= last:
                raise AssertionError("seq does not grow: %d after %d" % (body["seq"], last))
            self.sessions[body["session"]] = body["seq"]
        return verb, body

    def until(self, session, upto, credit=True):
        """Events of a session until a heartbeat says that all up to `upto` were examined; one credit back for each."""
        events = []
        while True:
            verb, body = self.next(session)
            if verb == "event":
                events.append(body)
                if credit:
                    self.credit(session, 1)
            elif body["upto"] >= upto:
                return events

    def all_events(self, **body):
        """A fresh subscription read to the head of the log and ended again."""
        head = self.head()
        sub = self.subscribe(credit=256, **dict({"from": 0}, **body))
        events = self.until(sub["session"], head)
        self.expect("done", "unsubscribe", session=sub["session"])
        self.inbox = collections.deque(m for m in self.inbox if m[1].get("session") != sub["session"])
        return events


def without_session(event):
    """An event without what belongs to the session that it came by."""
    return {k: v for k, v in event.items() if k not in ("session", "prev")}


def brief(events):
    """[(type, level)], what most stories are about."""
    return [(e["type"], e["level"]) for e in events]


# ---- cases ----

class WireCase(unittest.TestCase):
    """A story with a daemon of its own (one a class) and fresh enterprises for each test."""

    rules = SCORE_ONLY
    options = {}
    _codes = itertools.count(1000)
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(rules=cls.rules, **cls.options)
        try:
            cls.daemon.start()
        except BaseException:
            cls.daemon.close(clean=False)
            raise

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    def setUp(self):
        self.c = self.daemon.client()
        self.addCleanup(self.c.close)
        self.code = self.fresh()

    def fresh(self):
        """A code that no other test of this process uses."""
        return uscc(next(self._codes))

    def client(self, **kw):
        c = self.daemon.client(**kw)
        self.addCleanup(c.close)
        return c

    def events_of(self, code, events=None):
        events = self.c.all_events() if events is None else events
        return [e for e in events if e["enterprise"].get("uscc") == code]

    def accepted(self, ack, accepted, duplicates=0, rejected=()):
        """The whole ack at once; `rejected` as (index, code)."""
        self.assertEqual((ack["accepted"], ack["duplicates"]), (accepted, duplicates), ack)
        self.assertEqual([(r["index"], r["code"]) for r in ack["rejected"]], list(rejected), ack)
        for r in ack["rejected"]:
            self.assertIsInstance(r["message"], str)
            self.assertTrue(r["message"])
        self.assertEqual("seq" in ack, accepted > 0, ack)

    def reject(self, codes, signal):
        """This one signal comes back, with one of these codes."""
        ack = self.c.push(signal)
        codes = (codes,) if isinstance(codes, str) else codes
        self.assertEqual((ack["accepted"], ack["duplicates"], len(ack["rejected"])), (0, 0, 1), (signal, ack))
        r = ack["rejected"][0]
        self.assertIn(r["code"], codes, (signal, r))
        self.assertEqual(r["index"], 0)
        self.assertTrue(r["message"])
        return r

    def take(self, signal):
        """This one signal is accepted; its number."""
        ack = self.c.push(signal)
        self.accepted(ack, 1)
        return ack["seq"]


def main():
    if not os.path.exists(DAEMON):
        sys.exit("wire tests: %s is not there; build it, or name the build tree in WAGEWARN_BUILD" % DAEMON)
    unittest.main(verbosity=1)

