#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wagewarn-feed against a daemon: it neither loses nor doubles a row, killed at any moment; it follows a growing file
through rotation; it sends again what a restored store lacks; its exit status says what went wrong."""
import collections
import csv
import json
import os
import random
import select
import shutil
import signal
import subprocess
import time

from harness import BUILD, DAY, PATIENCE, ROOT, SANITIZER, Daemon, WireCase, main, now_ms, program_env, run, spoil, uscc

FEED = os.path.join(BUILD, "adapters", "wagewarn-feed")
HEADER = "文书号,纳税人识别号,纳税人名称,风险类型,认定日期,金额,备注\n"
UNREACHABLE, DISK, AGAIN, CONFIG, USAGE = 69, 74, 75, 78, 2


def day(back):
    return time.strftime("%Y-%m-%d", time.gmtime((now_ms() - back * DAY) / 1000))


def row(n, category="欠税", code=None, note=""):
    return "T%d,%s,示例%d号有限公司,%s,%s,%d.50元,%s\n" % (n, code or uscc(n), n, category, day(n % 40 + 1), n + 1, note)


def rejects_of(path):
    with open(path, encoding="utf-8-sig", newline="") as f:
        return [(int(r["line"]), r["code"]) for r in csv.DictReader(f)]


class Feeder(WireCase):
    def setUp(self):
        super().setUp()
        self.work = os.path.join(self.daemon.dir, "feeder-%s" % self.id().rsplit(".", 1)[-1])
        os.mkdir(self.work)
        self.spool, self.rejects = os.path.join(self.work, "spool"), os.path.join(self.work, "rejects.csv")
        self.before = self.counted()

    def counted(self):
        feed = next((f for f in self.c.query("feeds")["feeds"] if f["source"] == "tax"), None)
        return feed["accepted"] if feed else 0

    def args(self, *inputs, more=()):
        return [FEED, "--profile", "tax", "--endpoint", self.daemon.endpoint, "--spool", self.spool, "-o", "json", "--rejects", self.rejects,
                *more, *inputs]

    def feed(self, *inputs, status=0, more=()):
        got, out, err = run(self.args(*inputs, more=more))
        self.assertEqual(got, status, err)
        sums = [json.loads(line) for line in out.splitlines()]
        for s in sums:
            self.assertEqual(s["records"], s["accepted"] + s["duplicates"] + s["ignored"] + sum(s["rejected"].values()), s)
        return sums[0] if len(sums) == 1 else sums

    def write(self, name, *parts, mode="w"):
        path = os.path.join(self.work, name)
        with open(path, mode, encoding="utf-8", newline="") as f:
            f.write("".join(parts))
        return path

    def profile_with(self, old, new):
        """The tax profile with one change."""
        with open(os.path.join(ROOT, "adapters", "profiles", "tax.yaml"), encoding="utf-8") as f:
            return self.write("changed.yaml", f.read().replace(old, new))

    def until(self, what, probe):
        """Asks the daemon until it says so."""
        end = time.monotonic() + PATIENCE
        while not probe():
            self.assertLess(time.monotonic(), end, what)
            select.select([], [], [], 0.02)

    def until_counted(self, n):
        self.until("%d signals" % n, lambda: self.counted() - self.before >= n)
        self.assertEqual(self.counted() - self.before, n)


class Resume(Feeder):
    base = 10000

    def test_killed_at_any_moment(self):
        """SIGKILL again and again; in the end each row was taken once, and the summary adds up as if it had never died."""
        rows, want = [], collections.Counter()
        rng = random.Random(int(os.environ.get("WAGEWARN_SEED", "1")))
        for n in range(self.base, self.base + 20000):
            kind = rng.choice(["good"] * 6 + ["ignored", "bad", "again"])
            want[kind] += 1
            rows.append(row(n) if kind == "good" else row(n, "信用变更") if kind == "ignored" else row(n, code=spoil(uscc(n)))
                        if kind == "bad" else (rows[-1] if rows else row(n)))
        path = self.write("big.csv", HEADER, *rows)
        unique = len({r for r in rows if "欠税" in r and uscc(int(r[1:r.index(",")])) in r})
        bad = [i + 2 for i, r in enumerate(rows) if uscc(int(r[1:r.index(",")])) not in r and "欠税" in r]
        kills = 0
        while True:
            p = subprocess.Popen(self.args(path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program_env())
            try:
                # the first die before any machine could be done with so many rows
                soon = 0.06 if kills < 5 else 0.4
                out, err = p.communicate(timeout=rng.uniform(0.02, soon) if kills < 25 else PATIENCE)
                break
            except subprocess.TimeoutExpired:
                p.kill()
                p.communicate()
                kills += 1
        self.assertGreater(kills, 0)
        self.assertEqual(p.returncode, 0, err)
        self.assertFalse(SANITIZER.search(err.decode()))
        s = json.loads(out)
        self.assertEqual(s["records"], len(rows))
        self.assertEqual(s["ignored"], sum("信用变更" in r for r in rows))
        self.assertEqual(s["rejected"], {"bad_uscc": len(bad)})
        self.assertEqual(s["accepted"] + s["duplicates"], len(rows) - s["ignored"] - len(bad))
        self.assertLessEqual(s["accepted"], unique)  # an acknowledgement that died with the feeder comes back as a duplicate
        self.assertEqual(self.counted() - self.before, unique)
        self.assertEqual(rejects_of(self.rejects), [(line, "bad_uscc") for line in bad])

    def test_daemon_killed_meanwhile(self):
        """The feeder goes on with the daemon that comes after."""
        with Daemon() as d:
            d.start()
            path = self.write("two.csv", HEADER, *[row(n) for n in range(20000, 22000)])
            args = [FEED, "--profile", "tax", "--endpoint", d.endpoint, "--spool", self.spool, "-o", "json", path]
            p = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program_env())
            d.kill()
            d.start()
            out, err = p.communicate(timeout=PATIENCE)
            if p.returncode == UNREACHABLE:  # it had not connected yet when the daemon died
                out, err = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, env=program_env()).stdout, b""
            s = json.loads(out)
            self.assertEqual((s["records"], s["accepted"] + s["duplicates"]), (2000, 2000), err)
            with d.client() as c:
                self.assertEqual(c.query("status")["enterprises"], 2000)

    def test_read_again(self):
        """A file that was read to its end is read anew: all duplicates, the rejects file as before."""
        path = self.write("again.csv", HEADER, row(130000), row(130001, code=spoil(uscc(130001))), row(130002, "其他"))
        first = self.feed(path)
        self.assertEqual((first["accepted"], first["duplicates"], first["ignored"]), (1, 0, 1))
        second = self.feed(path)
        self.assertEqual((second["records"], second["accepted"], second["duplicates"]), (3, 0, 1))
        self.assertEqual(rejects_of(self.rejects), [(3, "bad_uscc")])
        self.assertEqual(self.counted() - self.before, 1)

    def test_mended_row(self):
        """The row that was refused is put right and the file read again: it counts, and leaves the rejects file."""
        path = self.write("mend.csv", HEADER, row(31000, code=spoil(uscc(31000))))
        other = self.write("other.csv", HEADER, row(31001, code=spoil(uscc(31001))))
        self.feed(path, other)
        self.write("mend.csv", HEADER, row(31000))
        self.assertEqual(self.feed(path)["accepted"], 1)
        self.assertEqual(rejects_of(self.rejects), [(2, "bad_uscc")])  # that of the other file stays

    def test_daemons_own_refusals(self):
        """A region that no county has is known to the daemon alone; the row comes back with its line all the same."""
        profile = self.profile_with('"330482"', '"999999"')
        path = self.write("region.csv", HEADER, row(32000), row(32001, "其他"))
        got, out, err = run([FEED, "--profile", profile, "--endpoint", self.daemon.endpoint, "--spool", self.spool, "-o", "json", "--rejects",
                             self.rejects, path])
        self.assertEqual(got, 0, err)
        self.assertEqual(json.loads(out)["rejected"], {"bad_region": 1})
        self.assertEqual(rejects_of(self.rejects), [(2, "bad_region")])


class Follow(Feeder):
    def start(self, *inputs):
        p = subprocess.Popen(self.args(*inputs, more=["--follow"]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE,
                             env=program_env())
        self.addCleanup(lambda: p.poll() is None and (p.kill(), p.wait()))
        return p

    def end(self, p):
        p.send_signal(signal.SIGTERM)
        out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual(p.returncode, 0, err)
        self.assertFalse(SANITIZER.search(err.decode()), err)
        return [json.loads(line) for line in out.decode().splitlines()]

    def test_grows(self):
        """Half a line waits for its other half; rows go as soon as they are whole."""
        whole = row(40002)
        path = self.write("calls.csv", HEADER, row(40000), row(40001), whole[:30])
        p = self.start(path)
        self.until_counted(2)
        self.write("calls.csv", whole[30:], mode="a")
        self.until_counted(3)
        self.write("calls.csv", row(40003, note='"第一行\n第二行"'), row(40004, "其他"), mode="a")
        self.until_counted(4)
        (s,) = self.end(p)
        self.assertEqual((s["records"], s["accepted"], s["rejected"]), (5, 4, {}))
        # stopped and started again, it goes on where it was
        p = self.start(path)
        self.write("calls.csv", row(40005), mode="a")
        self.until_counted(5)
        (s,) = self.end(p)
        self.assertEqual((s["records"], s["accepted"], s["duplicates"]), (6, 5, 0))

    def test_rotation(self):
        path = self.write("rot.csv", HEADER, row(41000))
        p = self.start(path)
        self.until_counted(1)
        os.rename(path, path + ".1")
        self.write("rot.csv.1", row(41001), mode="a")  # the writer had it open
        self.write("new", HEADER, row(41002), row(41003))
        os.rename(os.path.join(self.work, "new"), path)
        self.until_counted(4)
        self.write("rot.csv", HEADER, row(41004))  # and cut it to write anew
        self.until_counted(5)
        sums = self.end(p)
        self.assertEqual(sum(s["records"] for s in sums), 5)

    def test_pipe(self):
        p = self.start("-")
        p.stdin.write((HEADER + row(42000)).encode())
        p.stdin.flush()
        self.until_counted(1)
        p.stdin.write((row(42001) + row(42002)[:20]).encode())
        p.stdin.flush()
        self.until_counted(2)
        out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual(p.returncode, 0, err)
        s = json.loads(out)
        self.assertEqual((s["records"], s["accepted"], s["rejected"]), (3, 2, {"truncated": 1}))


class Store(Feeder):
    def test_restored_store(self):
        """The daemon comes back without what it had: another store. What is kept is sent again."""
        with Daemon() as d:
            d.start()
            spool = ["--profile", "tax", "--endpoint", d.endpoint, "--spool", self.spool, "-o", "json"]
            one = self.write("one.csv", HEADER, *[row(n) for n in range(50000, 50300)])
            two = self.write("two.csv", HEADER, row(50300))
            self.assertEqual(run([FEED, *spool, one])[0], 0)
            d.stop()
            shutil.rmtree(d.state)
            d.start()
            os.remove(one)  # its rows are nowhere but in the spool
            status, out, err = run([FEED, *spool, two])
            self.assertEqual(status, 0, err)
            self.assertEqual(json.loads(out)["accepted"], 1)
            self.assertIn("sent again", err)
            with d.client() as c:
                self.assertEqual(c.query("status")["enterprises"], 301)
            self.assertNotIn("sent again", run([FEED, *spool, two])[2])

    def test_restored_while_following(self):
        with Daemon() as d:
            d.start()
            path = self.write("f.csv", HEADER, *[row(n) for n in range(51000, 51050)])
            args = [FEED, "--profile", "tax", "--endpoint", d.endpoint, "--spool", self.spool, "--follow", path]
            p = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program_env())
            self.addCleanup(lambda: p.poll() is None and (p.kill(), p.wait()))

            def enterprises(n):
                with d.client() as c:
                    self.until("%d enterprises" % n, lambda: c.query("status")["enterprises"] == n)
            enterprises(50)
            d.stop()
            shutil.rmtree(d.state)
            d.start()
            self.write("f.csv", row(51050), mode="a")
            enterprises(51)
            p.send_signal(signal.SIGTERM)
            _, err = p.communicate(timeout=PATIENCE)
            self.assertEqual(p.returncode, 0, err)


class Status(Feeder):
    """Exit status, and a sentence that says what to do."""

    def fails(self, status, pattern, *args):
        got, out, err = run([FEED, *args])
        self.assertEqual(got, status, err)
        self.assertRegex(err, pattern)
        self.assertEqual(out, "")

    def test_each(self):
        path = self.write("x.csv", HEADER, row(60000))
        at = ["--profile", "tax", "--spool", self.spool, "--endpoint"]
        self.fails(UNREACHABLE, r"wagewarn-feed: .*", *at, "ipc://%s/nobody" % self.work, path)
        self.fails(DISK, r"cannot open", *at, self.daemon.endpoint, path + ".gone")
        self.fails(1, r"no column \"风险类型\"", *at, self.daemon.endpoint, self.write("wrong.csv", "a,b\n1,2\n"))
        self.fails(1, r"is empty", *at, self.daemon.endpoint, self.write("empty.csv"))
        self.fails(USAGE, r'did you mean "--follow"', "--folow", path)
        self.fails(USAGE, r"--profile", path)
        self.fails(CONFIG, r'did you mean "tax"', "--profile", "txa", path)
        self.fails(CONFIG, r"bad.yaml:\d+:\d+: error: .*", "--profile", self.write("bad.yaml", "profile: x\nknid: {}\n"), path)
        self.fails(DISK, r"spool", "--profile", "tax", "--spool", path, "--endpoint", self.daemon.endpoint, path)

    def test_one_bad_input_spares_the_rest(self):
        good = self.write("good.csv", HEADER, row(61000))
        wrong = self.write("wrong.csv", "a,b\n1,2\n")
        s = self.feed(wrong, good, status=1)
        self.assertEqual((s["input"], s["accepted"]), (good, 1))

    def test_unknown_kind(self):
        profile = self.profile_with("tax.arrears", "tax.arears")
        self.fails(CONFIG, r'changed.yaml:\d+:\d+: error: no such kind.*tax.arears(.|\n)*did you mean "tax.arrears"', "--profile", profile,
                   "--endpoint", self.daemon.endpoint, "--spool", self.spool, self.write("x.csv", HEADER))

    def test_two_on_one_input(self):
        path = self.write("busy.csv", HEADER, row(62000))
        p = subprocess.Popen(self.args(path, more=["--follow"]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program_env())
        self.addCleanup(lambda: (p.kill(), p.communicate()))
        self.until_counted(1)
        self.fails(AGAIN, r"another wagewarn-feed", "--profile", "tax", "--endpoint", self.daemon.endpoint, "--spool", self.spool, path)


if __name__ == "__main__":
    main()
