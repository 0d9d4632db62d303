#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wagewarn, the command line: each command against a daemon, its formats, languages, exit statuses, and what it says to
a slip; watch over kills of either side, closed pipes and full disks."""
import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import unittest

from harness import (BUILD, JIAXING, PATIENCE, PINGHU, ROOT, THREE_AGENCIES, Daemon, Log, WireCase, main, now_ms,
                     program_env, run, sig, spoil, uscc, without_session)

WAGEWARN = os.path.join(BUILD, "cli", "wagewarn")
ENGLISH, CHINESE = {"LC_ALL": "C.UTF-8"}, {"LC_ALL": "zh_CN.UTF-8"}
EVENT = r'^{"session":[^,]+,"seq":%d,'  # the line of one event; its evidence has numbers, too
NAME = "平湖某某建筑有限公司"


def lines(text):
    return text.rstrip("\n").split("\n") if text.strip() else []


class Cli(WireCase):
    rules = THREE_AGENCIES

    def cli(self, *args, status=0, stdin=None, **env):
        """Runs a command; (stdout, stderr)."""
        env = dict({"WAGEWARN_ENDPOINT": self.daemon.endpoint}, **env)
        p = subprocess.run([WAGEWARN, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=dict(program_env(), **env), timeout=PATIENCE)
        out, err = p.stdout.decode(), p.stderr.decode()
        self.assertEqual(p.returncode, status, (args, out, err))
        self.assertNotRegex(err, r"Sanitizer|runtime error")
        return out, err

    def json(self, *args, **kw):
        return json.loads(self.cli(*args, "-o", "json", **kw)[0])

    def raise_alert(self, code=None, **more):
        """An alert of three agencies; (code, number)."""
        code = code or self.fresh()
        more = dict({"name": NAME, "region": PINGHU}, **more)
        self.c.push(*(sig(kind, code, at=now_ms(), **more)
                      for kind in ("police.wage_dispute_call", "court.seizure", "tax.arrears")))
        found = [a for a in self.c.alerts() if a["enterprise"]["uscc"] == code]
        self.assertEqual(len(found), 1)
        return code, found[0]["alert"]


class Words(Cli):
    """What needs no daemon."""

    def cli(self, *args, **kw):
        return super().cli(*args, WAGEWARN_ENDPOINT="ipc:///nonexistent/none", **kw)

    def test_help(self):
        out, err = self.cli("--help")
        self.assertEqual(err, "")
        self.assertLess(out.index("Examples:"), out.index("Commands:"))
        commands = re.findall(r"^  ([a-z]+(?: [a-z]+)?)[ A-Z]", out, re.M)
        for command in ("status", "watch", "alerts", "alert show", "alert accept", "enterprise show", "push"):
            self.assertIn(command, " ".join(commands))
        for command in ("watch", "alert show", "push"):
            one, _ = self.cli(*command.split(), "--help")
            self.assertLess(one.index("Example:"), one.index("Usage:"))
            self.assertIn("wagewarn " + command, one)
        self.assertIn("命令", self.cli("--help", **CHINESE)[0])

    def test_help_of_a_group(self):
        for group, commands in (("enterprise", ("show", "unresolved")), ("rules", ("check", "test")), ("shadow", ("diff",)),
                                ("alert", ("show", "accept", "close"))):
            out, err = self.cli(group, "--help")
            self.assertEqual(err, "")
            for command in commands:
                self.assertIn("  %s %s" % (group, command), out)
            self.assertNotIn("backtest", out)
            self.assertIn("Example:\n  wagewarn " + group, out)
        self.cli("nosuch", "--help", status=2)

    def test_the_manual_names_every_command_and_option(self):
        with open(os.path.join(ROOT, "docs", "man", "wagewarn.1.scd"), encoding="utf-8") as f:
            manual = f.read()
        alert = "".join(re.findall(r"^\*alert .*$", manual, re.M))
        for line in self.cli("--help")[0].split("Commands:")[1].split("Options:")[0].strip().split("\n"):
            words = re.match(r"[a-z -]+[a-z]", line.strip()).group().split()
            if words[0] == "alert":
                self.assertIn("*%s*" % words[1], alert.replace("alert ", "*").replace("**", "*"))
            else:
                self.assertIn("\n*%s*" % " ".join(words), manual)
            for option in re.findall(r"^ .*(--[a-z-]+)", self.cli(*words, "--help")[0], re.M):
                self.assertIn("*%s*" % option, manual, words)

    def test_version(self):
        self.assertRegex(self.cli("--version")[0], r"^wagewarn \d+\.\d+\.\d+\n$")

    def test_slips(self):
        for args, said in ((["wacth"], "watch"), (["alrets"], "alerts"), (["alert", "sohw", "1"], "alert show"),
                           (["alert"], "alert"), (["watch", "--regoin", "33"], "--region"), (["status", "-o", "jsno"], "json"),
                           (["frobnicate"], "--help"), ([], "--help"), (["alert", "show"], "usage"),
                           (["status", "extra"], "usage"), (["status", "--region", "33"], "has no option"),
                           (["watch", "--region"], "wants a value"), (["watch", "--from", "x"], "--from"),
                           (["status", "--color", "blue"], "--color"), (["alert", "show", "x"], "number of an alert"),
                           (["status", "--timeout", "soon"], "seconds"), (["status", "--overdue=1"], "no value"),
                           (["alert", "verify", "1", "--amount", "1.234"], "yuan"),
                           (["alerts", "--level", "x"], "general, major, critical"),
                           (["alerts", "--level", "mjor"], "did you mean major"), (["alerts", "--region", "abc"], "330482"),
                           (["watch", "--min-level", "critcal"], "did you mean critical"),
                           (["watch", "--region", "zz"], "330482"), (["watch", "--region", "1" * 13], "330482"),
                           (["enterprise", "show", spoil(uscc(1))], "is no code of an enterprise: the check character is"),
                           (["alert", "dispose", "1", "--due", "31.12.2026"], "day"), (["status", "-x"], "-x")):
            out, err = self.cli(*args, status=2)
            self.assertEqual(out, "", args)
            self.assertTrue(err.startswith("wagewarn: ") and said in err, (args, err))

    def test_nobody_there(self):
        for args in (["status"], ["alerts"], ["watch"], ["push", "/dev/null", "--retry", "2"]):
            out, err = self.cli(*args, status=69)
            self.assertEqual(out, "")
            self.assertIn("is it running", err)

    def test_no_such_file(self):
        self.assertIn("No such file", self.cli("push", "/nonexistent", status=2)[1])


class Reading(Cli):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        self = cls()
        self.c = cls.daemon.client()
        cls.code, cls.alert = self.raise_alert()
        self.c.close()

    def setUp(self):
        self.c = self.daemon.client()
        self.addCleanup(self.c.close)

    def test_status(self):
        out, _ = self.cli("status")
        self.assertRegex(out, r"^wagewarnd \d+\.\d+\.\d+  ready  up \d+")
        for row in (r"^LEVEL +OPEN +OVERDUE +OLDEST$", r"^major +\d+ +0 ", r"^FEED +LAST ", r"^police .*ago"):
            self.assertRegex(out, re.compile(row, re.M))
        out, _ = self.cli("status", **CHINESE)
        self.assertRegex(out, re.compile(r"^重大 +\d+ +0 ", re.M))
        s = self.json("status")
        self.assertTrue(s["ready"])
        self.assertNotIn("rid", s)
        self.assertEqual(set(self.c.query("status")) - {"rid"}, set(s))
        pairs = dict(line.split("=", 1) for line in lines(self.cli("status", "-o", "keyvalue")[0]))
        self.assertEqual(pairs["what"], "status")
        self.assertIn("journal.last", pairs)

    def test_alerts(self):
        items = self.json("alerts")["alerts"]
        mine = next(a for a in items if a["alert"] == self.alert)
        self.assertEqual(mine, next(a for a in self.c.alerts() if a["alert"] == self.alert))
        self.assertEqual([json.loads(line)["alert"] for line in lines(self.cli("alerts", "-o", "jsonl")[0])],
                         [a["alert"] for a in items])
        out, _ = self.cli("alerts", **CHINESE)
        row = next(line for line in lines(out) if self.code in line)
        self.assertRegex(row, r"^ *%d 重大 .*待受理 %s %s %s" % (self.alert, NAME, self.code, PINGHU))
        rows = list(csv.DictReader(io.StringIO(self.cli("alerts", "-o", "csv")[0], newline="")))
        self.assertEqual(rows[0]["enterprise.name"], NAME)
        self.assertIn("enterprise.name=" + NAME, self.cli("alerts", "-o", "keyvalue")[0])

    def test_columns_align(self):
        """Chinese characters are two cells wide: all lines of a column end in the same cell."""
        def cells(text):
            return sum(2 if ord(c) > 0x2e80 else 1 for c in text)
        out, _ = self.cli("alerts", **CHINESE)
        head, row = lines(out)[0], next(line for line in lines(out) if self.code in line)
        self.assertEqual(cells(head[:head.index("统一")]), cells(row[:row.index(self.code)]))

    def test_filters(self):
        for args, there in ((["--region", JIAXING], True), (["--region", "11"], False), (["--level", "major"], True),
                            (["--level", "critical"], False), (["--state", "open"], True), (["--state", "closed"], False),
                            (["--state", "any"], True), (["--overdue"], False), (["--status", "test"], False)):
            self.assertEqual(self.alert in [a["alert"] for a in self.json("alerts", *args)["alerts"]], there, args)
        self.assertEqual(self.cli("alerts", "--region", "11")[0], "no alerts\n")
        self.assertEqual(self.json("alerts", "--region", "11")["alerts"], [])
        self.assertIn("state", self.cli("alerts", "--state", "nonsense", status=1)[1])

    def test_alert_show(self):
        out, _ = self.cli("alert", "show", str(self.alert))
        for text in ("#%d  major" % self.alert, NAME, self.code, "Why", "Three agencies within 45 days", "Evidence",
                     "police.wage_dispute_call", "History", "raised"):
            self.assertIn(text, out)
        shares = [float(s) for s in re.findall(r"^ +([\d.]+) % ", out, re.M)]
        self.assertAlmostEqual(sum(shares), 100, delta=0.2)
        out, _ = self.cli("alert", "show", "#%d" % self.alert, **CHINESE)
        for text in ("重大", "待受理", "原因", "三个部门同时预警", "证据", "经过", "发出预警"):
            self.assertIn(text, out)
        self.assertEqual(self.json("alert", "show", str(self.alert))["alert"],
                         self.c.query("alert", alert=self.alert)["alert"])
        self.assertIn("no alert", self.cli("alert", "show", "999999", status=1)[1])

    def test_enterprise_show(self):
        wide = "".join(chr(ord(c) + 0xfee0) for c in self.code)
        for who in (self.code, self.code.lower(), " " + wide + "\u3000", NAME):
            out, _ = self.cli("enterprise", "show", who)
            for text in (NAME, self.code, "major", "alert #%d" % self.alert, "court.seizure"):
                self.assertIn(text, out)
        self.assertIn("no such enterprise", self.cli("enterprise", "show", "没有这家", status=1)[1])
        self.assertEqual(self.json("enterprise", "show", self.code)["enterprise"]["uscc"], self.code)

    def test_a_name_of_several_codes(self):
        for n in (7001, 7002):
            self.c.push(sig("tax.arrears", uscc(n), name="同名公司", region=PINGHU))
        self.c.push(sig("tax.arrears", None, uscc=None, name="同名公司", region=PINGHU))
        self.assertIn("several codes bear this name", self.cli("enterprise", "show", "同名公司")[0])
        self.assertIn("多个统一社会信用代码使用该名称", self.cli("enterprise", "show", "同名公司", **CHINESE)[0])
        self.assertNotIn("several codes", self.cli("enterprise", "show", uscc(7001))[0])

    def test_the_highest_first(self):
        for n in (7101, 7102, 7103):
            self.raise_alert(uscc(n))
        self.c.push(*(sig("court.wage_suit", uscc(7103), at=now_ms(), people=200, amount=900000000) for _ in range(3)))
        rows = [line.split() for line in lines(self.cli("alerts")[0])[1:]]
        keys = [(-["general", "major", "critical"].index(r[1]), -float(r[2]), int(r[0])) for r in rows]
        self.assertEqual(keys, sorted(keys))
        self.assertNotEqual([int(r[0]) for r in rows], [a["alert"] for a in self.c.alerts()])

    def test_kinds_and_feeds(self):
        self.assertIn("court.seizure", self.cli("kinds")[0])
        self.assertEqual(self.json("kinds")["kinds"], self.c.query("kinds")["kinds"])
        self.assertRegex(self.cli("feeds")[0], re.compile(r"^court +.* ago", re.M))
        self.assertEqual(self.json("feeds")["feeds"], self.c.query("feeds")["feeds"])

    def test_colour(self):
        self.assertNotIn("\033", self.cli("alerts")[0])
        self.assertIn("\033[38;5;208m", self.cli("alerts", "--color", "always")[0])
        self.assertIn("\033", self.cli("alerts", "--color", "always", NO_COLOR="1")[0])
        self.assertNotIn("\033", self.cli("alerts", "--color=never")[0])

    def test_pages(self):
        """More than a page of alerts comes as one list."""
        for i in range(3):
            self.raise_alert(uscc(5000 + i))
        self.assertEqual(len(self.json("alerts", "--limit", "2")["alerts"]), 2)
        self.assertEqual([a["alert"] for a in self.json("alerts")["alerts"]], [a["alert"] for a in self.c.alerts()])

    def test_hostile_names(self):
        """What others send cannot steer the terminal: no name may hold such characters, and of other texts they are not shown."""
        for name in ("\x1b[2J\x07恶意公司", "恶意\u009b31m公司", "恶意\u202e公司", "恶\u2066意", "a\x00b"):
            (rejected,) = self.c.push(sig("tax.arrears", name=name))["rejected"]
            self.assertEqual(rejected["code"], "bad_field", rejected)
        code, alert = self.raise_alert(id="\x1b[2J\x07恶意\u009b31m")
        for args in (["alert", "show", str(alert)], ["enterprise", "show", code]):
            out, _ = self.cli(*args)
            self.assertIn("恶意", out)
            self.assertNotRegex(out, "[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]")
        for args in (["enterprise", "show", code],):
            out, _ = self.cli(*args, "-o", "csv")
            self.assertIn("恶意", out)
            self.assertNotRegex(out.replace("\r\n", "\n"), "[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]")

    def test_output_that_fails(self):
        with open("/dev/full", "wb") as full:
            p = subprocess.run([WAGEWARN, "alerts"], stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE,
                               env=program_env(WAGEWARN_ENDPOINT=self.daemon.endpoint))
        self.assertEqual(p.returncode, 74)
        self.assertIn(b"No space left", p.stderr)
        p = subprocess.run("%s kinds | head -n 1" % WAGEWARN, shell=True, executable="/bin/bash", stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env=program_env(WAGEWARN_ENDPOINT=self.daemon.endpoint),
                           timeout=PATIENCE)
        self.assertEqual((p.returncode, p.stderr), (0, b""))


class Working(Cli):
    def test_a_life(self):
        _, alert = self.raise_alert()
        number = str(alert)
        out, _ = self.cli("alert", "accept", number, "--actor", "王某", "--note", "on our way")
        self.assertRegex(out, r"^#%d accept done \(seq \d+\)\n$" % alert)
        self.assertIn("wrong_state", self.cli("alert", "accept", number, status=1)[1])
        self.cli("alert", "verify", number, "--finding", "confirmed", "--people", "31", "--amount", "480000.50")
        step = self.c.query("alert", alert=alert)["alert"]["history"][-1]
        self.assertEqual((step["finding"], step["people"], step["amount"]), ("confirmed", 31, 48000050))
        self.assertRegex(self.cli("alert", "show", number)[0], r"verified .*finding=confirmed  people=31  yuan=480,000.50")
        done = json.loads(self.cli("alert", "comment", number, "--note", "现场无人", "-o", "json")[0])
        self.assertEqual((done["alert"], done["do"]), (alert, "comment"))
        self.cli("alert", "close", number, "--outcome", "paid", "--paid-people", "31", "--paid-amount", "480000.5")
        self.assertNotIn(alert, [a["alert"] for a in self.json("alerts")["alerts"]])
        self.cli("alert", "reopen", number)

    def test_several_at_once(self):
        first, second = self.raise_alert()[1], self.raise_alert()[1]
        out, err = self.cli("alert", "accept", str(first), "999999", str(second), status=1)
        self.assertEqual([int(n) for n in re.findall(r"^#(\d+) accept", out, re.M)], [first, second])
        self.assertIn("999999", err)

    def test_a_stale_version(self):
        _, alert = self.raise_alert()
        version = self.c.query("alert", alert=alert)["alert"]["version"]
        self.cli("alert", "comment", str(alert), "--note", "x")
        self.assertIn("wrong_state", self.cli("alert", "accept", str(alert), "--if-version", str(version), status=1)[1])


class Push(Cli):
    def lines_of(self, *signals):
        return "".join(s if isinstance(s, str) else json.dumps(s, ensure_ascii=False) + "\n" for s in signals).encode()

    def test_good_and_bad(self):
        good = sig("tax.arrears", self.code, attrs={"period": "2026Q3", "count": 3}, note="备注", people=3, amount=5)
        text = self.lines_of(good, "\n", "nonsense\n", sig("tax.arrears", spoil(self.code), id="bad"), good,
                             sig("no.such", self.code), '{"id": "a", "id": "b"}\n', sig("tax.arrears", self.code, people="x"),
                             "[1]\n", sig("tax.arrears", self.code, people=-1), sig("court.seizure", self.code))
        out, err = self.cli("push", "-", stdin=text, status=1)
        self.assertEqual(out, "2 accepted, 1 duplicates, 7 rejected\n")
        self.assertEqual([re.match(r"-:(\d+): (\w+): .", line).groups() for line in lines(err)],
                         [("3", "bad_message"), ("4", "bad_uscc"), ("6", "unknown_kind"), ("7", "bad_field"),
                          ("8", "bad_field"), ("9", "bad_message"), ("10", "bad_field")])
        stored = self.c.enterprise(self.code)["signals"]
        self.assertEqual(sorted(s["kind"] for s in stored), ["court.seizure", "tax.arrears"])
        self.assertEqual([(s["people"], s["amount"]) for s in stored if s["kind"] == "tax.arrears"], [(3, 5)])
        summary = json.loads(self.cli("push", "-", "-o", "json", stdin=text, status=1)[0])
        self.assertEqual((summary["read"], summary["accepted"], summary["duplicates"], summary["rejected_total"]),
                         (10, 0, 3, 7))
        self.assertEqual([r["line"] for r in summary["rejected"]], [3, 4, 6, 7, 8, 9, 10])

    def test_a_file_without_its_last_newline(self):
        path = os.path.join(self.daemon.dir, "signals.jsonl")
        with open(path, "wb") as f:
            f.write(b"\xef\xbb\xbf" + self.lines_of(sig("tax.arrears", self.code)).rstrip())
        self.assertEqual(self.cli("push", path)[0], "1 accepted, 0 duplicates, 0 rejected\n")
        self.assertEqual(self.cli("push", path)[0], "0 accepted, 1 duplicates, 0 rejected\n")

    def test_many(self):
        text = self.lines_of(*(sig("tax.arrears", uscc(9000 + i % 50)) for i in range(9001)))
        self.assertEqual(self.cli("push", "-", stdin=text)[0], "9,001 accepted, 0 duplicates, 0 rejected\n")

    def test_a_daemon_that_comes_later(self):
        """The time to retry counts before the first contact, too; a terminal is told."""
        with Daemon(rules=THREE_AGENCIES) as late:
            ours, theirs = pty.openpty()
            p = subprocess.Popen([WAGEWARN, "push", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs,
                                 env=program_env(WAGEWARN_ENDPOINT=late.endpoint))
            os.close(theirs)
            said = b""
            while b"\n" not in said:
                said += os.read(ours, 4096)
            self.assertRegex(said, rb"is it running.*; trying for \d+ s more")
            late.start()
            out, _ = p.communicate(self.lines_of(sig("tax.arrears", self.code)), PATIENCE)
            os.close(ours)
            self.assertEqual((p.returncode, out), (0, b"1 accepted, 0 duplicates, 0 rejected\n"))

    def test_a_line_too_long(self):
        text = b"x" * (3 << 20) + b"\n" + self.lines_of(sig("tax.arrears", self.code))
        out, err = self.cli("push", "-", stdin=text, status=1)
        self.assertEqual(out, "1 accepted, 0 duplicates, 1 rejected\n")
        self.assertRegex(err, r"^-:1: too_large: ")

    def test_a_pipe_that_trickles(self):
        """A line is sent when no other is at hand, not when the pipe ends."""
        sub = self.client().subscribe(**{"from": -1, "credit": 10})
        self.assertTrue(sub)
        p = subprocess.Popen([WAGEWARN, "push", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=program_env(WAGEWARN_ENDPOINT=self.daemon.endpoint))
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        watcher = self.client()
        session = watcher.subscribe(**{"from": -1, "credit": 10})["session"]
        p.stdin.write(self.lines_of(*(sig(k, self.code, at=now_ms()) for k in ("police.owner_missing", "court.dishonest"))))
        p.stdin.flush()
        while watcher.next(session)[0] != "event":
            pass
        out, _ = p.communicate(timeout=PATIENCE)
        self.assertEqual((p.returncode, out), (0, b"2 accepted, 0 duplicates, 0 rejected\n"))


class Watch(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon(rules=THREE_AGENCIES).start()
        self.addCleanup(self.daemon.close)
        self.c = self.daemon.client()
        self.addCleanup(self.c.close)
        self.cursor = os.path.join(self.daemon.dir, "cursor")
        self.n = 0

    def raise_alert(self, **more):
        self.n += 1
        self.c.push(*(sig(kind, uscc(self.n), at=now_ms(), **more)
                      for kind in ("police.owner_missing", "court.seizure", "tax.invoice_stopped")))

    def head(self):
        """The number of the last event, from the histories: those reflect all that was acknowledged."""
        alerts = self.c.alerts(state="any")
        return max(self.c.query("alert", alert=a["alert"])["alert"]["history"][-1]["seq"] for a in alerts)

    def watch(self, *args, **env):
        p = subprocess.Popen([WAGEWARN, "watch", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=dict(program_env(WAGEWARN_ENDPOINT=self.daemon.endpoint), **env))
        p.out, p.err = Log(p.stdout), Log(p.stderr)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        return p

    def end(self, p, number=signal.SIGINT):
        p.send_signal(number)
        status = p.wait(PATIENCE)
        p.out.thread.join(PATIENCE)
        return status

    def test_lines_of_json(self):
        self.raise_alert()
        p = self.watch("--from", "0", "-o", "json")
        p.out.wait(EVENT % self.head())
        self.assertEqual(self.end(p), 0)
        got = [without_session(json.loads(line)) for line in p.out.lines]
        self.assertEqual(got, [without_session(e) for e in self.c.all_events()])

    def test_lines_for_people(self):
        p = self.watch("--from", "0", **CHINESE)
        self.raise_alert(name=NAME, region=PINGHU)
        line = p.out.wait("三个部门")
        self.assertEqual(self.end(p), 0)
        self.assertRegex(p.out.text(), r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \S+  发出预警  #1  %s %s  %s" % (NAME, uscc(1), PINGHU))

    def test_levels_and_regions(self):
        self.raise_alert(region="110101")
        self.raise_alert(region=PINGHU)
        p = self.watch("--from", "0", "-o", "jsonl", "--region", "33", "--region", "12", "--min-level", "major")
        p.out.wait(uscc(2))
        self.end(p)
        self.assertEqual({json.loads(line)["enterprise"]["uscc"] for line in p.out.lines}, {uscc(2)})
        self.assertNotEqual(self.watch("--min-level", "nonsense").wait(PATIENCE), 0)

    def test_a_cursor_over_kills(self):
        """Killed at any moment and started again, the file's reader has each event; twice only the one in hand."""
        seen, doubled = [], 0
        for turn in range(4):
            self.raise_alert()
            head = self.head()
            p = self.watch("--cursor", self.cursor, "-o", "json")
            p.out.wait(EVENT % head)
            if turn == 2:
                self.daemon.kill()
                self.daemon.start()
                self.c = self.daemon.client()
                self.addCleanup(self.c.close)
                self.raise_alert()
                p.out.wait(EVENT % self.head())
            self.end(p, signal.SIGKILL if turn % 2 == 0 else signal.SIGTERM)
            got = [json.loads(line)["seq"] for line in p.out.lines]
            doubled += len(set(got) & set(seen))
            seen += got
        self.assertEqual(sorted(set(seen)), list(range(1, self.head() + 1)))
        self.assertLessEqual(doubled, 2)

    def test_limit_is_exact(self):
        for _ in range(2):
            self.raise_alert()
        head = self.head()
        self.assertGreater(head, 3)
        got = []
        for _ in range(head):
            status, out, _ = run([WAGEWARN, "watch", "--cursor", self.cursor, "--limit", "1", "-o", "json"],
                                 WAGEWARN_ENDPOINT=self.daemon.endpoint)
            self.assertEqual(status, 0)
            got.append(json.loads(out)["seq"])
        self.assertEqual(got, list(range(1, head + 1)))

    def test_a_reader_that_leaves(self):
        """head takes one line and goes: watch ends by itself, quietly, although nothing more comes."""
        self.raise_alert()
        p = subprocess.run("%s watch --from 0 -o json | head -n 1; exit ${PIPESTATUS[0]}" % WAGEWARN, shell=True,
                           executable="/bin/bash", stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                           env=program_env(WAGEWARN_ENDPOINT=self.daemon.endpoint))
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        self.assertEqual(json.loads(p.stdout)["seq"], 1)

    def test_a_full_disk(self):
        """What could not be written was not seen: a sentence, 74, and the cursor stays."""
        self.raise_alert()
        for args in ([], ["--limit", "1"], ["-o", "json"], ["-o", "csv"]):
            with open("/dev/full", "wb") as full:
                p = subprocess.run([WAGEWARN, "watch", "--cursor", self.cursor, *args], stdout=full, stderr=subprocess.PIPE,
                                   timeout=PATIENCE, env=program_env(WAGEWARN_ENDPOINT=self.daemon.endpoint))
            self.assertEqual(p.returncode, 74, args)
            self.assertIn(b"No space left", p.stderr)
        status, out, _ = run([WAGEWARN, "watch", "--cursor", self.cursor, "--limit", "1", "-o", "json"],
                             WAGEWARN_ENDPOINT=self.daemon.endpoint)
        self.assertEqual((status, json.loads(out)["seq"]), (0, 1))

    def test_cursors_that_cannot_be_used(self):
        p = self.watch("--cursor", self.cursor, "-o", "json")
        self.raise_alert()
        p.out.wait("raised")
        other = run([WAGEWARN, "watch", "--cursor", self.cursor], WAGEWARN_ENDPOINT=self.daemon.endpoint)
        self.assertEqual(other[0], 75)
        self.assertIn("another process", other[2])
        self.end(p)
        with open(self.cursor, "wb") as f:
            f.write(b"garbage")
        damaged = run([WAGEWARN, "watch", "--cursor", self.cursor], WAGEWARN_ENDPOINT=self.daemon.endpoint)
        self.assertEqual(damaged[0], 1)
        self.assertIn(self.cursor, damaged[2])

    def test_another_store(self):
        self.raise_alert()
        p = self.watch("--cursor", self.cursor, "--limit", "1")
        self.assertEqual(p.wait(PATIENCE), 0)
        with Daemon(rules=THREE_AGENCIES) as other:
            other.start()
            status, _, err = run([WAGEWARN, "watch", "--cursor", self.cursor], WAGEWARN_ENDPOINT=other.endpoint)
        self.assertEqual(status, 1)
        self.assertIn("another journal", err)


if __name__ == "__main__":
    main()
