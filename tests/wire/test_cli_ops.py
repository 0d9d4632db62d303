#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wagewarn on the daemon's files: backup beside a daemon at work, restore, verify; configurations checked; and that every
command which a sentence of ours names is there."""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from harness import (BUILD, CONFIG, PATIENCE, ROOT, SCORE_ONLY, THREE_AGENCIES, Daemon, main, now_ms, program_env, run,
                     sig, uscc)

WAGEWARN = os.path.join(BUILD, "cli", "wagewarn")
KINDS = ("police.wage_dispute_call", "court.seizure", "tax.arrears")


class Ops(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="wwo-")
        self.addCleanup(shutil.rmtree, self.dir, True)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    @staticmethod
    def files(root):
        return sorted(os.path.join(at, f) for at, _, names in os.walk(root) for f in names)

    def cli(self, *args, status=0, **env):
        """Runs a command; (stdout, stderr)."""
        got, out, err = run([WAGEWARN, *args], **env)
        self.assertEqual(got, status, (args, out, err))
        return out, err

    def json(self, *args, **kw):
        return json.loads(self.cli(*args, "-o", "json", **kw)[0])


def story(first, n):
    """Three agencies about each of n enterprises."""
    return [sig(kind, uscc(i), at=now_ms() - 1000) for i in range(first, first + n) for kind in KINDS]


def what_is_known(c):
    """Alerts without what the moment of asking changes."""
    keys = ("alert", "level", "score", "state", "raised_at", "title")
    return [{k: a.get(k) for k in keys} | {"uscc": a["enterprise"]["uscc"]} for a in c.alerts()]


class BackUpAndRestore(Ops):
    def setUp(self):
        super().setUp()
        self.daemon = Daemon(rules=THREE_AGENCIES).start()
        self.addCleanup(self.daemon.close)
        self.state = self.daemon.state

    def test_beside_a_daemon_at_work(self):
        before, meanwhile, stop, failed = story(1, 50), [], threading.Event(), []
        with self.daemon.client() as c:
            c.push_all(before)
        sent = threading.Event()

        def feed():
            try:
                with self.daemon.client() as c:
                    for i in range(1000, 100000, 5):
                        batch = story(i, 5)
                        c.push_all(batch)
                        meanwhile.extend(batch)
                        sent.set()
                        if stop.is_set():
                            return
            except BaseException as e:  # told by the test
                failed.append(e)
                sent.set()

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            self.assertTrue(sent.wait(PATIENCE))
            made = self.json("backup", self.path("copy"), "--state-dir", self.state)
        finally:
            stop.set()
            feeder.join(PATIENCE)
        self.assertEqual(failed, [])
        self.assertEqual(made["first"], 1)
        self.assertGreaterEqual(made["last"], len(before))
        self.assertLessEqual(made["view_last"], made["last"])
        self.assertTrue(self.json("verify", self.path("copy"))["whole"])
        with self.daemon.client() as c:
            ours, store = what_is_known(c), c.hello()["store"]
        self.assertEqual(len(ours), 50 + len(meanwhile) // 3)
        restored = Daemon(rules=THREE_AGENCIES)
        self.addCleanup(restored.close)
        done = self.json("restore", self.path("copy"), "--state-dir", restored.state)
        self.assertEqual((done["first"], done["last"]), (made["first"], made["last"]))
        self.assertNotIn("replaced", done)
        restored.start()
        with restored.client() as c:
            self.assertNotEqual(c.hello()["store"], store)
            ack = c.push(*before)
            self.assertEqual((ack["accepted"], ack["duplicates"]), (0, len(before)))
            for i in range(0, len(meanwhile), 100):  # what a feeder does when the store changes
                part = meanwhile[i:i + 100]
                ack = c.push(*part)
                self.assertEqual(ack["accepted"] + ack["duplicates"], len(part))
            self.assertEqual({(a["uscc"], a["level"]) for a in what_is_known(c)},
                             {(a["uscc"], a["level"]) for a in ours})
        restored.stop()
        self.assertTrue(self.json("verify", restored.state)["view"]["compared"])

    def test_back_in_time(self):
        with self.daemon.client() as c:
            c.push_all(story(1, 5))
            then, store = what_is_known(c), c.hello()["store"]
        out, _ = self.cli("backup", self.path("copy"), STATE_DIRECTORY=self.state + ":/elsewhere")
        self.assertIn("complete", out)
        self.assertIn("something in", self.cli("backup", self.path("copy"), "--state-dir", self.state, status=2)[1])
        files = self.files(self.path("copy"))
        self.cli("verify", self.path("copy"))
        self.assertEqual(self.files(self.path("copy")), files)
        with self.daemon.client() as c:
            c.push_all(story(100, 5))
        restore = ["restore", self.path("copy"), "--state-dir", self.state]
        # a daemon at work is not harmed
        _, err = self.cli(*restore, status=2)
        self.assertIn("--force", err)
        _, err = self.cli(*restore, "--force", status=75)
        self.assertIn("in use", err)
        with self.daemon.client() as c:
            self.assertEqual(len(what_is_known(c)), 10)
        self.daemon.stop()
        self.cli(*restore, status=2)
        out, _ = self.cli(*restore, "--force")
        self.assertIn("replaced-1", out)
        self.daemon.start()
        with self.daemon.client() as c:
            self.assertNotEqual(c.hello()["store"], store)
            self.assertEqual(what_is_known(c), then)
        self.daemon.stop()
        kept = self.json("verify", os.path.join(self.state, "replaced-1"))
        self.assertTrue(kept["whole"])
        self.assertGreaterEqual(kept["last"], 30)
        self.daemon.start()

    def test_no_daemon_on_half_a_restore(self):
        self.cli("backup", self.path("copy"), "--state-dir", self.state)
        self.daemon.stop()
        os.mkdir(os.path.join(self.state, "journal.restoring"))
        self.daemon.launch()
        log = self.daemon.log
        self.assertEqual(self.daemon.ended(), 1)
        self.assertIn("'wagewarn restore'", log.text())
        self.cli("restore", self.path("copy"), "--state-dir", self.state)
        self.daemon.start()

    def test_what_is_no_backup(self):
        for args, said, status in ((["restore", self.dir], "no complete one", 1),
                                   (["restore", self.path("none")], "no complete one", 1),
                                   (["backup", self.path("x"), "--state-dir", self.dir], "no journal", 1)):
            _, err = self.cli(*args, status=status, STATE_DIRECTORY=self.path("new"))
            self.assertTrue(err.startswith("wagewarn: ") and said in err, err)
        self.assertFalse(os.path.exists(self.path("new")))


class Verify(Ops):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(rules=THREE_AGENCIES).start()
        with cls.daemon.client() as c:
            c.push_all(story(1, 30), size=10)
        cls.daemon.stop()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    def setUp(self):
        super().setUp()
        self.state = shutil.copytree(self.daemon.state, self.path("state"),
                                     ignore=lambda _, names: [n for n in names if n.endswith(".sock")])

    def segment(self):
        return glob.glob(os.path.join(self.state, "journal", "*.seg"))[0]

    def spoil(self, at, path=None):
        with open(path or self.segment(), "r+b") as f:
            f.seek(at)
            byte = f.read(1)
            f.seek(at)
            f.write(bytes([byte[0] ^ 1]))

    def test_whole(self):
        out, err = self.cli("verify", self.state, TMPDIR=self.dir)
        self.assertEqual(err, "")
        self.assertTrue(out.endswith("whole\n"), out)
        self.assertIn("the journal gives the same", out)
        self.assertEqual(glob.glob(self.path("wagewarn-verify-*")), [])
        v = self.json("verify", self.state)
        self.assertEqual((v["whole"], v["first"], v["problems"], v["view"]["compared"]), (True, 1, [], True))
        self.assertEqual(v["entries"], v["last"])
        self.assertEqual(v["view"]["last"], v["last"])
        self.assertFalse(self.json("verify", self.state, "--quick", TMPDIR="/nonexistent")["view"]["compared"])
        status, out, _ = run(["env", "LC_ALL=zh_CN.UTF-8", WAGEWARN, "verify", self.state])
        self.assertEqual((status, out.split("\n")[-2]), (0, "完好"))

    def test_damage_in_the_journal(self):
        self.spoil(4096 + 200)
        self.spoil(4096 + 72 + 72)
        out, err = self.cli("verify", self.state, status=1)
        self.assertNotIn("whole", out)
        self.assertRegex(err, r"%s, offset 4096: entries 1 to \d+ cannot be read; 'wagewarn restore'" % self.segment())
        v = self.json("verify", self.state, status=1)
        self.assertFalse(v["whole"])
        self.assertEqual(v["problems_total"], len(v["problems"]))
        self.assertIn("offset 4096", v["problems"][0])

    def test_damage_in_the_view(self):
        data = os.path.join(self.state, "view", "data.mdb")
        os.truncate(data, os.path.getsize(data) // 4096 // 2 * 4096)
        _, err = self.cli("verify", self.state, status=1)
        self.assertIn("--rebuild", err)

    def test_a_view_of_another_journal(self):
        with Daemon(rules=SCORE_ONLY) as other:
            other.start()
            with other.client() as c:
                c.push_all(story(1, 40))
            other.stop()
            shutil.rmtree(os.path.join(self.state, "view"))
            shutil.copytree(os.path.join(other.state, "view"), os.path.join(self.state, "view"))
        _, err = self.cli("verify", self.state, status=1)
        self.assertIn("view:", err)

    def test_an_unacknowledged_end_is_no_damage(self):
        with open(self.segment(), "r+b") as f:
            end = len(f.read().rstrip(b"\0"))
            f.seek(end + 64)
            f.write(b"torn")
        v = self.json("verify", self.state)
        self.assertTrue(v["whole"])
        self.assertGreater(v["unacknowledged_bytes"], 0)

    def test_beside_a_daemon(self):
        with Daemon(rules=THREE_AGENCIES) as d:
            d.start()
            with d.client() as c:
                c.push_all(story(1, 5))
            self.assertTrue(self.json("verify", d.state, "--quick")["whole"])
            with d.client() as c:
                c.push_all(story(50, 5))

    def test_nothing_to_verify(self):
        self.assertIn("name a state directory", self.cli("verify", self.dir, status=1)[1])
        self.assertIn("TMPDIR", self.cli("verify", self.state, status=74, TMPDIR="/nonexistent")[1])


class Checks(Ops):
    def test_check_config(self):
        out, _ = self.cli("check-config", os.path.join(CONFIG, "wagewarn.yaml"))
        self.assertIn("good", out)
        bad = self.write("bad.yaml", "timezone: Beijing\nlisten: [\"tcp://0.0.0.0:1\"]\n")
        _, err = self.cli("check-config", bad, status=78)
        for said in (bad + ":1:11: error", bad + ":2:10: error", "2 errors"):
            self.assertIn(said, err)
        self.cli("check-config", self.path("none.yaml"), status=78)
        self.assertEqual(os.listdir(self.dir), ["bad.yaml"])

    def test_good_rules(self):
        shipped = os.path.join(CONFIG, "rules.yaml")
        self.assertRegex(self.cli("rules", "check", shipped)[0], r"rules.yaml: good, \d+ rules\n$")
        c = self.json("rules", "check", shipped)
        self.assertEqual((c["good"], c["mistakes"]), (True, []))
        self.assertGreater(c["rules"], 3)
        self.cli("rules", "check", self.write("mine.yaml", THREE_AGENCIES))

    def test_mistakes_all_at_once(self):
        text = THREE_AGENCIES.replace("agencies: {of", "agencis: {of").replace("raise: by_score", "raise: by_scor")
        rules = self.write("rules.yaml", text)
        out, err = self.cli("rules", "check", rules, status=78)
        self.assertEqual(out, "")
        line = text[:text.index("agencis")].count("\n") + 1
        self.assertIn("%s:%d:12: error: unknown operator \"agencis\"" % (rules, line), err)
        self.assertRegex(err, r"\n +\^\n +hint: .*agencies")
        self.assertIn("by_scor", err)
        self.assertTrue(err.endswith("2 errors\n"), err)
        c = self.json("rules", "check", rules, status=78)
        self.assertEqual((c["good"], c["mistakes_total"], len(c["mistakes"])), (False, 2, 2))
        self.assertEqual({m["line"] for m in c["mistakes"]} & {line}, {line})

    def test_more_than_twenty_mistakes(self):
        rule = "  - {id: r%d, title: {zh: 一, en: One}, when: {signal: tax.arear%d, within: 30d}, then: {raise: general}}\n"
        text = SCORE_ONLY + "".join(rule % (n, n) for n in range(50))
        _, err = self.cli("rules", "check", self.write("rules.yaml", text), status=78)
        self.assertEqual(err.count(": error: "), 50)

    def test_cases_with_mistakes(self):
        self.write("rules.yaml", SCORE_ONLY)
        cases = self.write("cases.yaml", """\
rules: rules.yaml
enterprise: {uscc: 91350100M000100Y44, region: "999999", industry: c18, credit: D}
cases:
  - name: one
    signals:
      - {at: 2026-03-01, kind: tax.arears}
      - {at: 2026-03-02, kind: tax.arrears, people: many}
    expect: []
  - name: one
    signals: [{at: 2026-03-01, kind: tax.arrears}]
    expect: [{type: rised}]
""")
        _, err = self.cli("rules", "test", cases, status=78)
        for place in (":2:20: ", ":2:48: ", ":2:68: ", ":2:81: ", ":6:32: ", ":7:53: ", ":11:21: "):
            self.assertIn("cases.yaml" + place + "error", err)
        self.assertEqual(err.count(": error: "), 7, err)
        self.assertNotIn("0 cases", err)

    def test_files_that_are_not_there_or_wrong(self):
        self.assertIn("none.yaml: cannot be read", self.cli("rules", "check", self.path("none.yaml"), status=78)[1])
        self.assertRegex(self.cli("rules", "check", self.write("r.yaml", "rules: [\n"), status=78)[1], r"r\.yaml:\d+:\d+: error")
        kinds = self.write("kinds.csv", "kind,agency\nx,y\n")  # beside the rules: it wins over the one shipped
        self.assertIn(kinds + ":", self.cli("rules", "check", self.write("r.yaml", SCORE_ONLY), status=78)[1])

    def test_kinds_matter(self):
        rules = self.write("rules.yaml", SCORE_ONLY + "  - id: one\n    title: {zh: 一, en: One}\n"
                           "    when: {signal: tax.arrears, within: 30d}\n    then: {raise: general}\n")
        self.cli("rules", "check", rules)
        with open(os.path.join(CONFIG, "kinds.csv"), encoding="utf-8") as f:
            head, *rows = f.read().split("\n")
        few = self.write("few.csv", "\n".join([head] + [r for r in rows if r.startswith("police.")]) + "\n")
        self.assertIn("tax.arrears", self.cli("rules", "check", rules, "--kinds", few, status=78)[1])

    def test_wait(self):
        nobody = ["wait", "--ready", "--timeout", "0", "-e", "ipc://" + self.path("none.sock")]
        self.assertIn("is it running", self.cli(*nobody, status=69)[1])
        self.assertIn("seconds", self.cli("wait", "--timeout", "soon", status=2)[1])
        with Daemon() as d:
            p = subprocess.Popen([WAGEWARN, "wait", "--ready", "--timeout", str(int(PATIENCE)), "-e", d.endpoint],
                                 env=program_env(), stderr=subprocess.PIPE)
            d.start()
            _, err = p.communicate(timeout=PATIENCE)
            self.assertEqual((p.returncode, err), (0, b""))


class Promises(Ops):
    """A sentence that says 'wagewarn x' keeps its word."""

    NAMED = re.compile(r"['`]wagewarn ((?:--)?[a-z][a-z-]*(?: [a-z]+)?)")
    TYPED = re.compile(r"^[ \t]*(?:\$ |sudo )?wagewarn ((?:--)?[a-z][a-z-]*(?: [a-z]+)?)", re.M)

    def test_every_command_that_is_named(self):
        out, _ = self.cli("--help")
        listed = out.split("Commands:")[1].split("Options:")[0].strip().split("\n")
        commands = {re.match(r"[a-z -]*[a-z]", line.strip()).group() for line in listed}
        self.assertIn("rules check", commands)
        found = 0
        for folder, patterns in (("include", (self.NAMED,)), ("lib", (self.NAMED,)), ("engine", (self.NAMED,)),
                                 ("store", (self.NAMED,)), ("daemon", (self.NAMED,)), ("cli", (self.NAMED,)),
                                 ("adapters", (self.NAMED,)), ("docs", (self.NAMED, self.TYPED)),
                                 ("README.md", (self.NAMED, self.TYPED)), ("CHANGELOG.md", (self.NAMED,)),
                                 ("config", (self.NAMED,)), ("systemd", (self.NAMED, self.TYPED))):
            for path in self.texts(os.path.join(ROOT, folder)):
                with open(path, encoding="utf-8", errors="replace") as f:
                    text = re.sub(r'"\s*\n\s*"', "", f.read())  # sentences broken over lines
                for named in (m for pattern in patterns for m in pattern.findall(text)):
                    found += 1
                    known = named == "--help" or named in commands or named.split()[0] in commands
                    self.assertTrue(known, "%s: no command 'wagewarn %s'" % (path, named))
        self.assertGreater(found, 20)

    @staticmethod
    def texts(root):
        if os.path.isfile(root):
            return [root]
        return [os.path.join(at, f) for at, _, files in os.walk(root) for f in files
                if f.endswith((".c", ".h", ".md", ".scd", ".yaml", ".service"))]


if __name__ == "__main__":
    main()
