#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of the sample exports comes out as expected.csv says: class, reason, line, and each field of its signal.
Needs no daemon: `wagewarn-feed tap` and `--dry-run` send nothing."""
import csv
import json
import os
import subprocess
import sys
import tempfile
import unicodedata
import unittest

from harness import BUILD, PATIENCE, ROOT, main, run

FEED = os.path.join(BUILD, "adapters", "wagewarn-feed")
DATA = os.path.join(ROOT, "tests", "data", "feeds")
PROFILES = {"tax_risk.csv": "tax", "court_cases.jsonl": "court", "police_calls.csv": "police", "market_list.csv": "market",
            "market_list.xlsx": "market", "subdistrict_grid.tsv": "subdistrict"}


def normalised(name):
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def expected(data, name):
    with open(os.path.join(data, "expected.csv"), encoding="utf-8", newline="") as f:
        return [r for r in csv.DictReader(f) if r["file"] == name]


def whole(text):
    return int(text) if text else None


class Expected(unittest.TestCase):
    def feed(self, *args):
        status, out, err = run([FEED, *args])
        self.assertEqual(status, 0, err)
        return out, err

    def tap(self, name, data=DATA):
        out, _ = self.feed("tap", PROFILES[name], os.path.join(data, name))
        return [json.loads(line) for line in out.splitlines()]

    def check_row(self, want, got):
        self.assertEqual((got["record"], got["line"]), (int(want["record"]), int(want["line"])))
        cls = {"good": "signal", "duplicate": "signal"}.get(want["class"], want["class"])
        self.assertEqual(got["class"], cls, got)
        if cls == "rejected":
            self.assertEqual(got["code"], want["reason"])
            self.assertTrue(got["reason"])
        if cls != "signal":
            return
        s = got["signal"]
        lost = "lost to GBK" in want["note"]  # a damaged name must not overwrite the stored one: it stays behind
        self.assertEqual(s["kind"], want["kind"])
        self.assertEqual(s.get("uscc", ""), want["uscc"])
        self.assertEqual(normalised(s.get("name", "")), "" if lost else want["name"])
        self.assertEqual(s["at"], int(want["at_ms"]))
        self.assertEqual(s.get("amount"), whole(want["amount_fen"]))
        self.assertEqual(s.get("people"), whole(want["people"]))
        self.assertEqual(s.get("ref", ""), want["doc"])
        self.assertEqual(s["region"], want["region"])
        self.assertTrue(0 < len(s["id"].encode()) <= 64)

    def check_file(self, name, data):
        rows, got = expected(data, name), self.tap(name, data)
        self.assertEqual(len(got), len(rows))
        for want, row in zip(rows, got):
            with self.subTest(file=name, record=want["record"]):
                self.check_row(want, row)
        return rows, got

    def test_every_row(self):
        total = 0
        for name in PROFILES:
            rows, _ = self.check_file(name, DATA)
            total += len(rows)
        self.assertEqual(total, 512)

    def test_duplicates_by_id(self):
        """Good rows of one source have ids of their own; a duplicate has that of the row it repeats."""
        seen = {}
        for name, profile in PROFILES.items():
            for want, got in zip(expected(DATA, name), self.tap(name)):
                if got["class"] == "signal":
                    key = (profile, got["signal"]["id"])
                    self.assertEqual(want["class"] == "duplicate", key in seen, (name, want["record"]))
                    seen.setdefault(key, want)

    def test_other_dates(self):
        """The same exports as they would be written on other days."""
        for end in ("2025-12-31", "2024-02-29"):
            with tempfile.TemporaryDirectory() as d:
                subprocess.run([sys.executable, os.path.join(DATA, "make.py"), "--end", end, "--seed", "11", "--out", d], check=True,
                               timeout=PATIENCE)
                for name in PROFILES:
                    self.check_file(name, d)

    def test_summary_adds_up(self):
        paths = [os.path.join(DATA, n) for n in ("market_list.csv", "market_list.xlsx")]
        out, _ = self.feed("--profile", "market", "--dry-run", "-o", "json", *paths)
        sums = [s for s in map(json.loads, out.splitlines()) if "records" in s]
        self.assertEqual([s["input"] for s in sums], paths)
        for s in sums:
            rows = expected(DATA, os.path.basename(s["input"]))
            count = lambda c: sum(r["class"] == c for r in rows)
            self.assertEqual(s["profile"], "market")
            self.assertEqual(s["records"], len(rows))
            self.assertEqual(s["sent"], 0)
            self.assertEqual((s["accepted"], s["duplicates"], s["ignored"]), (count("good"), count("duplicate"), count("ignored")))
            self.assertEqual(sum(s["rejected"].values()), count("rejected"))

    def test_rejects_file(self):
        """File, line, code, reason, the row as it was; reading again does not double it."""
        for name in PROFILES:
            path = os.path.join(DATA, name)
            with tempfile.TemporaryDirectory() as d:
                rejects = os.path.join(d, "rejects.csv")
                for _ in range(2):
                    self.feed("--profile", PROFILES[name], "--dry-run", "--rejects", rejects, path)
                with open(rejects, encoding="utf-8-sig", newline="") as f:
                    got = list(csv.DictReader(f))
            want = [r for r in expected(DATA, name) if r["class"] == "rejected"]
            self.assertEqual([(r["file"], r["line"], r["code"]) for r in got], [(path, r["line"], r["reason"]) for r in want])
            self.assertTrue(all(r["reason"] for r in got))
            if name == "subdistrict_grid.tsv":
                with open(path, encoding="utf-8") as f:
                    lines = f.read().split("\n")
                for r in got:
                    self.assertEqual(r["row"], lines[int(r["line"]) - 1])

    def test_dry_run_prints_signals(self):
        out, err = self.feed("--profile", "tax", "--dry-run", os.path.join(DATA, "tax_risk.csv"))
        signals = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len(signals), 89)
        self.assertIn("125 records", err)
        self.assertTrue(all(s["kind"].startswith("tax.") for s in signals))


if __name__ == "__main__":
    main()
