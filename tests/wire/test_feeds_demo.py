#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The sample exports of the five core agencies, through their adapters into the daemon, in several orders: the seven
enterprises in alarm rise and no others; every row is accounted for; a second reading changes nothing."""
import collections
import csv
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import BUILD, CONFIG, Daemon, PATIENCE, ROOT, main, run

FEED = os.path.join(BUILD, "adapters", "wagewarn-feed")
DATA = os.path.join(ROOT, "tests", "data", "feeds")
PROFILES = {"tax_risk.csv": "tax", "court_cases.jsonl": "court", "police_calls.csv": "police", "market_list.csv": "market",
            "market_list.xlsx": "market", "subdistrict_grid.tsv": "subdistrict"}
ORDERS = [sorted(PROFILES), sorted(PROFILES, reverse=True),
          ["market_list.xlsx", "subdistrict_grid.tsv", "court_cases.jsonl", "tax_risk.csv", "market_list.csv", "police_calls.csv"]]


def rows(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


class FeedsDemo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="ww-feeds-")
        today = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)).date()
        subprocess.run([sys.executable, os.path.join(DATA, "make.py"), "--end", today.isoformat(), "--out", cls.dir], check=True,
                       timeout=PATIENCE)
        cls.expected = rows(os.path.join(cls.dir, "expected.csv"))
        cls.enterprises = rows(os.path.join(cls.dir, "enterprises.csv"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def feed(self, d, name, *more):
        """Reads one export; the summary."""
        status, out, err = run([FEED, "--profile", PROFILES[name], "--endpoint", d.endpoint, "-o", "json", "--rejects",
                                os.path.join(d.dir, name + ".rejects"), *more, os.path.join(self.dir, name)],
                               WAGEWARN_STATE=d.dir, HOME=d.dir, XDG_STATE_HOME=d.dir, STATE_DIRECTORY=os.path.join(d.dir, "feed"))
        self.assertIn(status, (0, 1), err)
        return json.loads(out.strip().split("\n")[-1])

    def all_fed(self, order):
        with open(os.path.join(CONFIG, "rules.yaml"), encoding="utf-8") as f:
            d = Daemon(rules=f.read())
        self.addCleanup(d.close)
        os.mkdir(os.path.join(d.dir, "feed"))
        d.start()
        return d, {name: self.feed(d, name) for name in order}

    def test_counts(self):
        _, summaries = self.all_fed(ORDERS[0])
        for name, s in summaries.items():
            mine = [r for r in self.expected if r["file"] == name]
            want = collections.Counter(r["class"] for r in mine)
            self.assertEqual(s["records"], len(mine), (name, s))
            self.assertEqual(s["ignored"], want["ignored"], (name, s))
            self.assertEqual(s["accepted"] + s["duplicates"], want["good"] + want["duplicate"], (name, s))
            self.assertEqual(s["records"], s["accepted"] + s["duplicates"] + s["ignored"] + sum(s["rejected"].values()), (name, s))
            reasons = collections.Counter(r["reason"] for r in mine if r["class"] == "rejected")
            self.assertEqual({k: v for k, v in s["rejected"].items() if v}, dict(reasons), name)

    def test_alerts_in_any_order(self):
        for order in ORDERS:
            d, _ = self.all_fed(order)
            self.check(d)

    def check(self, d):
        alarm = {e["uscc"]: e for e in self.enterprises if e["expect"] == "alarm"}
        self.assertEqual(len(alarm), 7)
        with d.client() as c:
            alerts = {a["enterprise"]["uscc"]: a for a in c.alerts()}
            high = {code for code, a in alerts.items() if a["level"] in ("major", "critical")}
            self.assertEqual(high, set(alarm))
            self.assertEqual(set(alerts), set(alarm), "quiet enterprises are in alarm")
            critical = [code for code, e in alarm.items() if "owner gone" in e["why"]]
            self.assertEqual([alerts[code]["level"] for code in critical], ["critical"] * len(critical))
            for code in alarm:
                rules = {r["rule"] for r in c.query("alert", alert=alerts[code]["alert"])["alert"]["reasons"]}
                self.assertIn("three-agencies", rules, alarm[code]["name"])
            self.assertEqual(c.query("status")["enterprises"], len({e["uscc"] for e in self.enterprises
                                                                    if e["agencies"]}))
            self.signals(c)

    def signals(self, c):
        """Each good row is one signal, as expected.csv has it; duplicates are none."""
        good = [r for r in self.expected if r["class"] == "good"]
        coded = {r["name"]: r["uscc"] for r in good if r["uscc"]}
        want = collections.defaultdict(list)
        for r in good:
            want[r["uscc"] or coded.get(r["name"], r["name"])].append(r)  # a name that no code bears stands for itself
        for code, mine in want.items():
            e = c.enterprise(**{"code" if code.startswith("9") else "name": code})
            got = sorted((s["kind"], s["at"], str(s["amount"] if s.get("amount") is not None else ""),
                          str(s["people"] if s.get("people") is not None else "")) for s in e["signals"])
            self.assertEqual(got, sorted((r["kind"], int(r["at_ms"]), r["amount_fen"], r["people"]) for r in mine), code)
            named = [r["name"] for r in mine if r["name"]]
            if e.get("name") and named:
                self.assertIn(e["name"], named)

    def test_again_changes_nothing(self):
        d, _ = self.all_fed(ORDERS[0])
        with d.client() as c:
            before = [e["seq"] for e in c.all_events()]
        for name in ORDERS[1]:
            s = self.feed(d, name)
            self.assertEqual(s["accepted"], 0, (name, s))
        with d.client() as c:
            self.assertEqual([e["seq"] for e in c.all_events()], before)
        self.check(d)


if __name__ == "__main__":
    if not os.path.exists(FEED):
        sys.exit("wire tests: %s is not there" % FEED)
    main()
