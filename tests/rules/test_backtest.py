#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""backtest and fit through the real program, on small histories whose figures were worked out by hand."""
import csv
import io
import json
import os
import random
import shutil
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WAGEWARN = os.path.join(os.environ.get("WAGEWARN_BUILD") or os.path.join(ROOT, "build"), "cli", "wagewarn")
KINDS = os.path.join(ROOT, "config", "kinds.csv")
ENV = {**os.environ, "LC_ALL": "C.UTF-8", "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99", "ASAN_OPTIONS": "exitcode=99"}
DAY = 86400000
START = 1740758400000  # 2025-03-01 00:00 +08:00: day 0


def uscc(n):
    """A made-up code with the right check character."""
    chars = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = "91330482%09d" % n
    return body + chars[-sum(chars.index(c) * pow(3, i, 31) for i, c in enumerate(body)) % 31]


A, B, C, D, E = (uscc(n) for n in range(1, 6))


def rules(first, within="30d"):
    return """\
version: 1
score: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8}
rules:
  - id: one
    title: {zh: 一个信号, en: One signal}
    when: {signal: {kind: %s}, within: %s}
    then: {raise: general}
  - id: two
    title: {zh: 两个部门, en: Two agencies}
    when: {agencies: {of: any, at_least: 2, within: 45d}}
    then: {raise: major}
  - id: never
    title: {zh: 从不, en: Never}
    when: {signal: {kind: bank.account_frozen}, within: 30d}
    then: {raise: critical}
""" % (first, within)


class Backtest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="wwb-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.n = 0
        self.write("rules.yaml", rules("tax.arrears"))
        self.write("old.yaml", rules("court.seizure"))
        self.history = [
            self.signal(A, "tax.arrears", 1),
            self.signal(B, "tax.arrears", 1),
            self.signal(C, "tax.arrears", 5),
            self.signal(A, "court.seizure", 11),
            self.signal(D, "court.seizure", 20),
            self.signal(D, "tax.arrears", 21),
        ]
        self.outcomes = [(A, self.day(31)), (B, self.day(11)), (D, self.day(15)), (E, self.day(3))]

    def day(self, n):
        return START + n * DAY

    def signal(self, who, kind, day, **more):
        self.n += 1
        key = "uscc" if len(who) == 18 and who.isascii() else "name"
        return {"id": "s%d" % self.n, "kind": kind, "at": self.day(day), key: who, **more}

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def run_it(self, *args, code=0, stdin=None):
        got = subprocess.run([WAGEWARN, *args], capture_output=True, text=True, encoding="utf-8", cwd=self.dir, env=ENV,
                             timeout=300, input=stdin)
        self.assertNotIn("Sanitizer", got.stderr)
        self.assertEqual(got.returncode, code, got)
        return got

    def files(self, lines=None, outcomes=None):
        lines = self.history if lines is None else lines
        outcomes = self.outcomes if outcomes is None else outcomes
        self.write("signals.jsonl", "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
        self.write("outcomes.csv", "enterprise,date\n" + "".join("%s,%s\n" % x for x in outcomes))

    def backtest(self, *more, lines=None, outcomes=None):
        self.files(lines, outcomes)
        got = self.run_it("backtest", "--rules", "rules.yaml", "--kinds", KINDS, "--signals", "signals.jsonl",
                          "--outcomes", "outcomes.csv", "-o", "json", *more)
        return json.loads(got.stdout)

    # ---- figures ----

    def test_figures_by_level(self):
        got = self.backtest()
        self.assertEqual(got["alerts"], {"general": 4, "major": 2, "critical": 0})
        self.assertEqual(got["confirmed"], {"general": 3, "major": 2, "critical": 0})
        self.assertEqual(got["precision"], {"general": 0.75, "major": 1.0, "critical": None})
        self.assertEqual(got["recall"], {"general": 0.5, "major": 0.25, "critical": 0.0})
        self.assertEqual(got["late"], {"general": 1, "major": 1, "critical": 0})
        self.assertEqual(got["lead_days"]["general"], {"median": 20.0, "quartiles": [15.0, 25.0]})
        self.assertEqual(got["lead_days"]["major"], {"median": 20.0, "quartiles": [20.0, 20.0]})
        self.assertEqual(got["lead_days"]["critical"], {"median": None, "quartiles": [None, None]})
        self.assertEqual((got["outcomes"], got["outcomes_unknown"], got["signals"]["folded"]), (4, 1, 6))

    def test_figures_by_rule(self):
        one, two, never = self.backtest()["rules"]
        self.assertEqual([r["id"] for r in (one, two, never)], ["one", "two", "never"])
        self.assertEqual((one["alerts"], one["confirmed"], one["precision"], one["recall"]), (4, 3, 0.75, 0.5))
        self.assertEqual((two["alerts"], two["confirmed"], two["recall"], two["never_fired"]), (2, 2, 0.25, False))
        self.assertEqual((never["alerts"], never["never_fired"], never["lead_days"]["median"]), (0, True, None))

    def test_calibration_sums_to_the_alerts(self):
        got = self.backtest()["calibration"]
        self.assertEqual([b["from"] for b in got], list(range(0, 100, 10)))
        self.assertEqual(sum(b["alerts"] for b in got), 4)
        self.assertEqual(sum(b["confirmed"] for b in got), 3)
        # B and C: tax.arrears alone, 10.0. A and D: 0.10 and 0.35 with a little decay of the older one, 41.0 and 41.4.
        self.assertEqual([b["alerts"] for b in got], [0, 2, 0, 0, 2, 0, 0, 0, 0, 0])

    def test_table_marks_what_never_fired(self):
        self.files()
        got = self.run_it("backtest", "--rules", "rules.yaml", "--kinds", KINDS, "--signals", "signals.jsonl",
                          "--outcomes", "outcomes.csv")
        never = [line for line in got.stdout.splitlines() if line.startswith("never")]
        self.assertEqual(len(never), 1)
        self.assertIn("never fired", never[0])
        self.assertIn("75.0 %", got.stdout)

    def test_without_outcomes_alerts_alone(self):
        text = "\n".join(json.dumps(x) for x in self.history)  # no end of line at the end of the file
        got = json.loads(self.run_it("backtest", "--rules", "rules.yaml", "--kinds", KINDS, "--signals", "-", "-o", "json",
                                     stdin=text).stdout)
        self.assertEqual(got["alerts"], {"general": 4, "major": 2, "critical": 0})
        self.assertNotIn("precision", got)

    def test_equal_times_in_any_order(self):
        lines = [self.signal(A, "tax.arrears", 1), self.signal(A, "court.seizure", 1), self.signal(B, "tax.arrears", 1)]
        there, back = self.backtest(lines=lines), self.backtest(lines=lines[::-1])
        del there["events"], back["events"]  # a step more where the weaker of the two comes first
        self.assertEqual(there, back)
        self.assertEqual(there["lead_days"]["major"]["median"], 30.0)

    def test_a_late_signal_does_not_turn_time_back(self):
        lines = self.history + [self.signal(C, "court.seizure", 6)]  # told on day 21: that is when C becomes major
        got = self.backtest(lines=lines, outcomes=[(C, self.day(22))])
        self.assertEqual(got["lead_days"]["major"]["median"], 1.0)

    def test_names_become_codes(self):
        lines = [self.signal("示例一号有限公司", "tax.arrears", 1),
                 self.signal(A, "court.seizure", 2, name="示例一号有限公司")]
        got = self.backtest(lines=lines, outcomes=[("示例一号（有限）公司", self.day(9)), ("示例一号有限公司", self.day(11))])
        self.assertEqual(got["alerts"]["general"], 1)
        self.assertEqual(got["confirmed"]["general"], 1)
        self.assertEqual((got["outcomes"], got["outcomes_unknown"]), (2, 1))
        self.assertEqual(got["lead_days"]["general"]["median"], 10.0)

    # ---- what is no signal, what is no outcome ----

    def test_lines_are_counted(self):
        good = self.signal(A, "tax.arrears", 1)
        lines = [good, good, "{\"id\": ", "[1]", {**good, "id": "x", "kind": "tax.arears"},
                 {**good, "id": "y", "uscc": A[:17] + ("0" if A[17] != "0" else "1")}, {**good, "id": "z", "at": "soon"},
                 "{\"id\": \"q\", \"id\": \"q\"}", {**good, "id": "w", "at": good["at"] * 10}, "",
                 {**good, "id": "v", "cancels": "nothing"}, {**good, "id": "\\u5927" + "\u5927\"\\\n", "note": "\U0001f600"}]
        got = self.backtest(lines=lines)["signals"]
        self.assertEqual(got["rejected"], {"unknown_kind": 1, "bad_uscc": 1, "bad_field": 2, "bad_time": 1,
                                           "unknown_cancel": 1})
        self.assertEqual((got["lines"], got["accepted"], got["duplicates"], got["not_json"]), (11, 2, 1, 2))

    @staticmethod
    def is_object(line):
        def refuse(word):
            raise ValueError(word)
        try:
            value = json.loads(line.decode("utf-8"), parse_constant=refuse)
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # half of a pair of escapes
            return isinstance(value, dict)
        except ValueError:
            return False

    def test_json_is_what_others_take_for_json(self):
        random.seed(7)
        seeds = [json.dumps(x).encode() for x in self.history] + [
            rb'{"id":"a\u0041\ud83d\ude00\n","x":[1,{"y":[]},-0.5e+3,true,null],"attrs":{"a":1,"b":"c"}}', rb'{"id":"\ud83d"}',
            rb'{}', rb' {"at": 12 , "at2":-0} ', rb'{"a":01}', rb'{"a":1.}', rb'{"a":"\x"}', b'{"a":"\t"}', b'{"a":"\xff"}',
            rb'{"a":1,}', rb'{"at":99999999999999999999}', rb'{"attrs":{"a":[1,2]}}', rb'{"a":tru}', rb'{"a":1}}']
        lines = []
        while len(lines) < 4000:
            line = bytearray(random.choice(seeds))
            for _ in range(random.choice((0, 1, 1, 2, 5))):
                i = random.randrange(len(line))
                line[i:i + random.choice((0, 1, 1, 4))] = bytes(random.choices(b'{}[]",:\\u019eE+-. tfn\x00\xe4ad', k=random.choice((0, 1))))
                line = line or bytearray(b"x")
            if line.strip(b" \t\r"):
                lines.append(bytes(line))
        with open(os.path.join(self.dir, "signals.jsonl"), "wb") as f:
            f.write(b"\n".join(lines))
        got = json.loads(self.run_it("backtest", "--rules", "rules.yaml", "--kinds", KINDS, "--signals", "signals.jsonl", "-o",
                                     "json").stdout)["signals"]
        self.assertEqual((got["lines"], got["not_json"]), (len(lines), sum(not self.is_object(x) for x in lines)))

    def test_a_duplicate_is_known_long_after(self):
        lines = [self.signal(uscc(n % 5000), "registry.profile", 1) for n in range(50020)]
        got = self.backtest(lines=lines + lines[:10])["signals"]
        self.assertEqual((got["accepted"], got["duplicates"]), (50020, 10))

    def test_rows_that_cannot_be_read_are_told(self):
        self.files()
        self.write("outcomes.csv", "note,date,enterprise\nx,2025-04-01,%s\n,soon,%s\nalone\n,2025-04-01,%s\n\n,20250401,%s\n"
                   % (A, B, A[:17] + "I", B))
        got = self.run_it("backtest", "--rules", "rules.yaml", "--kinds", KINDS, "--signals", "signals.jsonl",
                          "--outcomes", "outcomes.csv", "-o", "json")
        d = json.loads(got.stdout)
        self.assertEqual((d["outcomes"], d["outcomes_unreadable"]), (2, 3))
        for line in (3, 4, 5):
            self.assertIn("outcomes.csv:%d:" % line, got.stderr)

    def test_an_enterprise_twice_counts_once_at_its_earliest(self):
        got = self.backtest(outcomes=[(A, self.day(40)), (A, self.day(31))])
        self.assertEqual((got["outcomes"], got["outcomes_repeated"], got["recall"]["general"]), (1, 1, 1.0))
        self.assertEqual(got["lead_days"]["general"]["median"], 30.0)

    def test_no_outcomes_at_all(self):
        got = self.backtest(outcomes=[])
        self.assertEqual((got["outcomes"], got["precision"]["general"], got["recall"]["general"]), (0, 0.0, None))

    def test_exit_status(self):
        self.files()
        base = ["backtest", "--kinds", KINDS]
        for args, code in ((["--signals", "signals.jsonl"], 2),
                           (["--rules", "rules.yaml", "--signals", "none.jsonl"], 2),
                           (["--rules", "rules.yaml", "--signals", "signals.jsonl", "--outcomes", "none.csv"], 2),
                           (["--rules", "rules.yaml", "--signals", "signals.jsonl", "--state-dir", "x"], 2),
                           (["--rules", "none.yaml", "--signals", "signals.jsonl"], 78)):
            got = self.run_it(*base, *args, code=code)
            self.assertTrue(got.stderr.startswith("wagewarn: "), got.stderr)
        self.write("bad.yaml", rules("tax.arears"))
        got = self.run_it(*base, "--rules", "bad.yaml", "--signals", "signals.jsonl", code=78)
        self.assertIn("bad.yaml:6:", got.stderr)

    # ---- compare ----

    def test_compare(self):
        got = self.backtest("--compare", "old.yaml")["compare"]
        self.assertEqual(got["general"], {"lost": 0, "gained": 2, "later": 1, "earlier": 1, "same": 0})
        self.assertEqual(got["major"], {"lost": 0, "gained": 0, "later": 0, "earlier": 0, "same": 2})
        self.assertEqual(got["old"]["alerts"], {"general": 2, "major": 2, "critical": 0})
        by = {x["enterprise"].get("uscc"): x for x in got["changes"] if x["level"] == "general"}
        self.assertEqual((by[A]["change"], by[A]["days_earlier"]), ("earlier", 10.0))
        self.assertEqual((by[D]["change"], by[D]["days_earlier"]), ("later", -1.0))
        self.assertEqual((by[B]["change"], by[B]["confirmed"], by[C]["change"], by[C]["confirmed"]),
                         ("gained", True, "gained", False))

    def test_compare_the_other_way(self):
        self.files()
        got = json.loads(self.run_it("backtest", "--rules", "old.yaml", "--compare", "rules.yaml", "--kinds", KINDS,
                                     "--signals", "signals.jsonl", "--outcomes", "outcomes.csv", "-o", "json").stdout)
        self.assertEqual(got["compare"]["general"], {"lost": 2, "gained": 0, "later": 1, "earlier": 1, "same": 0})
        self.assertEqual([x["change"] for x in got["compare"]["changes"]], ["lost", "lost", "later", "earlier"])
        self.assertEqual(got["compare"]["changes"][0]["enterprise"]["uscc"], B)  # with an outcome: first

    # ---- fit ----

    def fit(self, *more, lines, outcomes):
        self.files(lines, outcomes)
        return self.run_it("fit", "--rules", "rules.yaml", "--kinds", KINDS, "--signals", "signals.jsonl", "--outcomes",
                           "outcomes.csv", *more)

    def history_to_fit(self):
        """40 firms with tax.arrears on day 1, of which 20 fall into arrears on day 31; 160 with a kind that means nothing,
        of which none does; the last signal lies 360 days later, so that every horizon is over."""
        firms = [uscc(1000 + n) for n in range(200)]
        lines = [self.signal(u, "tax.arrears", 1) for u in firms[:40]]
        lines += [self.signal(u, "tax.filing_missed", 1) for u in firms[40:]]
        lines.append(self.signal(firms[40], "bank.loan_overdue", 361))
        return lines, [(u, self.day(31)) for u in firms[:20]]

    def test_fit_by_hand(self):
        lines, outcomes = self.history_to_fit()
        doc = json.loads(self.fit("-o", "json", lines=lines, outcomes=outcomes).stdout)
        kinds = {k["kind"]: k for k in doc["kinds"]}
        tax = kinds["tax.arrears"]
        # 20 of 40 with, none of 160 without: it adds 0.5; (0.10 * 50 + 0.5 * 40) / 90 = 0.277..
        self.assertEqual((tax["spells"], tax["cases"], tax["rate_with"], tax["rate_without"]), (40, 20, 0.5, 0.0))
        self.assertEqual((tax["weight_old"], tax["weight"]), (0.1, 0.28))
        # 20 delays of 30 days beside a shipped 90 that weighs as 20: 60
        self.assertEqual((tax["half_life_days_old"], tax["half_life_days"]), (90, 60))
        # of 160 none: (0.06 * 50 + 0) / 210 = 0.014, but no less than a third of what it was
        self.assertEqual((kinds["tax.filing_missed"]["weight"], kinds["tax.filing_missed"]["half_life_days"]), (0.02, 60))
        self.assertFalse(kinds["bank.loan_overdue"]["changed"])  # one spell teaches nothing

    def test_fit_is_a_table_of_kinds(self):
        lines, outcomes = self.history_to_fit()
        got = self.fit(lines=lines, outcomes=outcomes)
        with open(KINDS, encoding="utf-8", newline="") as f:
            was = {r["kind"]: r for r in csv.DictReader(f)}
        now = {r["kind"]: r for r in csv.DictReader(io.StringIO(got.stdout))}
        self.assertEqual(list(was), list(now))
        self.assertEqual((now["tax.arrears"]["weight"], now["tax.arrears"]["half_life_days"]), ("0.28", "60"))
        for kind, row in was.items():
            same = {k: v for k, v in row.items() if k not in ("weight", "half_life_days")}
            self.assertEqual({k: now[kind][k] for k in same}, same)
        self.assertIn("tax.arrears", got.stderr)
        proposed = self.write("proposed.csv", got.stdout)
        self.run_it("rules", "check", "rules.yaml", "--kinds", proposed)
        self.assertEqual(self.fit(lines=lines, outcomes=outcomes).stdout, got.stdout)

    def test_fit_leaves_out_what_was_withdrawn_or_came_after(self):
        lines, outcomes = self.history_to_fit()
        lines.append({**lines[0], "id": "back", "cancels": lines[0]["id"], "at": self.day(2)})
        lines.append(self.signal(uscc(1001), "tax.arrears", 300))  # after its arrears
        doc = json.loads(self.fit("-o", "json", lines=lines, outcomes=outcomes).stdout)
        tax = next(k for k in doc["kinds"] if k["kind"] == "tax.arrears")
        self.assertEqual((tax["spells"], tax["cases"]), (39, 19))

    def test_fit_without_any_arrears(self):
        lines, _ = self.history_to_fit()
        self.files(lines, [])
        got = self.run_it("fit", "--rules", "rules.yaml", "--kinds", KINDS, "--signals", "signals.jsonl", "--outcomes",
                          "outcomes.csv", code=1)
        self.assertEqual(got.stdout, "")
        self.assertIn("--outcomes", got.stderr)


if __name__ == "__main__":
    unittest.main()
