#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules and cases as files: the example passes as it stands, the shipped rules pass theirs and no number in them can
change unnoticed, docs/rules.md shows nothing that is not so, and mistakes are told."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WAGEWARN = os.path.join(os.environ.get("WAGEWARN_BUILD") or os.path.join(ROOT, "build"), "cli", "wagewarn")
EXAMPLE = os.path.join(ROOT, "tests", "data", "rules")
CONFIG = os.path.join(ROOT, "config")
ENV = {**os.environ, "LC_ALL": "C.UTF-8", "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99", "ASAN_OPTIONS": "exitcode=99"}

HEAD = """\
version: 1
score: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8}
"""
THREE = HEAD + """\
rules:
  - id: three-agencies
    title: {zh: 三个部门, en: Three agencies}
    when: {agencies: {of: any, at_least: 3, within: 45d}}
    then: {raise: major}
  - id: score
    title: {zh: 评分, en: Score}
    when: {score: follow}
    then: {raise: by_score}
"""


def read(*names):
    with open(os.path.join(*names), encoding="utf-8") as f:
        return f.read()


class Files(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="wwr-")
        self.addCleanup(shutil.rmtree, self.dir)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def run_it(self, *args, env=None):
        got = subprocess.run([WAGEWARN, "rules", *args], capture_output=True, text=True, encoding="utf-8", cwd=self.dir,
                             env={**ENV, **(env or {})}, timeout=300)
        self.assertNotIn("Sanitizer", got.stderr)
        self.assertIn(got.returncode, (0, 1, 2, 78), got)
        return got

    def ok(self, *args):
        got = self.run_it(*args)
        self.assertEqual(got.returncode, 0, got.stdout + got.stderr)
        return got.stdout

    def tried(self, cases, rules=THREE):
        """Exit status and document of cases against rules, both as text."""
        self.write("rules.yaml", rules)
        path = self.write("cases.yaml", "rules: rules.yaml\nenterprise: {uscc: 91350100M000100Y43}\n" + cases)
        got = self.run_it("test", path, "-o", "json")
        return got.returncode, json.loads(got.stdout)

    def came(self, signals, rules=THREE, more="", expect="[{type: seen}]"):
        """The events of one case, as "day type level score rules"."""
        status, d = self.tried(f"cases:\n  - name: x\n    signals: [{signals}]\n    expect: {expect}\n{more}", rules)
        self.assertEqual(status, 1, d)
        return [f"{e['type']} {e['level']} {','.join(r['rule'] for r in e['reasons'])}".rstrip()
                for e in d["files"][0]["cases"][0]["actual"]]


class Example(Files):
    def test_it_passes_as_it_stands(self):
        out = self.ok("test", os.path.join(EXAMPLE, "example.test.yaml"))
        self.assertEqual(len(out.splitlines()), 5)
        self.assertTrue(all(line.startswith("ok ") for line in out.splitlines()), out)

    def test_each_part_of_an_expectation_is_compared(self):
        cases = read(EXAMPLE, "example.test.yaml").replace("rules: example.yaml",
                                                           "rules: " + os.path.join(EXAMPLE, "example.yaml"))
        for old, new in (("{at: 2026-04-14, type", "{at: 2026-04-13, type"), ("[three-agencies]", "[]"),
                         ("[three-agencies]", "[three-agencies, score]"), ("level: major", "level: critical"),
                         ("type: upgraded", "type: raised"), ("expect: []", "expect: [{type: raised}]"),
                         ("many-workers, score]", "score]"), ("level: major, rules", "score: 29.9, level: major, rules"),
                         ("{at: 2026-06-11, type", "{at: 2026-06-11T00:00:01, type"), ("until: 2026-06-30\n", "until: 2026-06-10\n"),
                         ("expect:\n      - {at: 2026-06-11, type: raised, level: general, rules: [account-not-topped-up]}",
                          "expect: []")):
            self.assertIn(old, cases)
            got = self.run_it("test", self.write("x.yaml", cases.replace(old, new, 1)))
            self.assertEqual(got.returncode, 1, (old, new, got.stdout))
            self.assertIn("FAILED", got.stdout)
            self.assertIn("expected", got.stdout)


class Shipped(Files):
    def test_cases_pass(self):
        self.ok("check", os.path.join(CONFIG, "rules.yaml"))
        self.ok("test", os.path.join(CONFIG, "rules.test.yaml"))

    def test_no_number_changes_unnoticed(self):
        """Every window, count, level and factor of rules.yaml, moved a little up and down, makes some case fail."""
        rules, cases = read(CONFIG, "rules.yaml"), read(CONFIG, "rules.test.yaml")
        path, unnoticed = self.write("rules.test.yaml", cases), []
        for m in re.finditer(r"(?<![\w.-])\d+(\.\d+)?(?=[d,}\n])", re.sub(r"#.*", lambda c: " " * len(c[0]), rules)):
            line = rules.count("\n", 0, m.start()) + 1
            if rules[:m.start()].endswith("version: ") or "finding:" in rules.split("\n")[line - 1]:
                continue  # what a team found is an action; cases hold signals only
            # a day; for levels, points and factors what the cases can tell apart
            step = 1 if rules[m.end()] == "d" or "at_least: " == rules[m.start() - 10:m.start()] else float(m[0]) / 10
            for change in (step, -step):
                new = f"{float(m[0]) + change:g}"
                self.write("rules.yaml", rules[:m.start()] + new + rules[m.end():])
                if self.run_it("test", path).returncode == 0:
                    unnoticed.append(f"line {line}: {m[0]} -> {new}")
        self.assertEqual(unnoticed, [])


class Page(Files):
    """docs/rules.md: each piece of YAML is good; parts of a file are put into one."""

    def setUp(self):
        super().setUp()
        self.page = read(ROOT, "docs", "rules.md")
        fenced = re.findall(r"^```(\w*)\n(.*?)^```$", self.page, re.S | re.M)
        self.blocks = [text for kind, text in fenced if kind == "yaml"]
        self.shown = [text for kind, text in fenced if not kind]

    def test_each_piece_is_good(self):
        self.assertGreater(len(self.blocks), 14)
        selectors, parts = "", []
        for block in self.blocks:
            if block.startswith("version:"):
                self.ok("check", self.write("whole.yaml", block))
            elif block.startswith("selectors:"):
                selectors = block
            elif block.startswith("- id:"):
                parts.append(re.sub(r"^(?=.)", "  ", block, flags=re.M))
            else:
                self.assertIn("cases:", block)
        whole = self.ok("check", self.write("parts.yaml", HEAD + selectors + "rules:\n" + "".join(parts)))
        self.assertIn(f"{sum(p.count('- id:') for p in parts)} rules", whole)

    def test_the_cases_pass_and_fail_as_shown(self):
        self.write("rules.yaml", self.blocks[0])
        [cases] = [b for b in self.blocks if b.startswith("rules:")]
        self.ok("test", self.write("rules.test.yaml", cases))
        said = self.run_it("test", self.write("rules.test.yaml", cases.replace("04-16", "04-14"))).stdout
        [shown] = [b for b in self.shown if b.startswith("FAILED")]
        self.assertIn(shown, said)

    def test_the_mistake_is_told_as_shown(self):
        self.write("rules.yaml", self.blocks[0].replace("at_least: 3", "at_last: 3"))
        [shown] = [b for b in self.shown if b.startswith("rules.yaml:")]
        self.assertEqual(self.run_it("check", "rules.yaml").stderr, shown)

    def test_every_operator_and_key_is_taught(self):
        rows, lists = r"\{\"(\w+)\", (?:COND_|load_|NULL)", r"\b(?:words|keys)\[\w*\] = \{([^}]*)\}"
        for source, table, least in (("cond_load.c", rows, 16), ("rules_load.c", rows, 5), ("cond_load.c", lists, 30),
                                     ("selector_load.c", lists, 10), ("score_load.c", lists, 10), ("threshold_load.c", lists, 4)):
            words = re.findall(r"\w+", " ".join(re.findall(table, read(ROOT, "engine", source))))
            self.assertGreaterEqual(len(words), least, source)
            for word in words:
                self.assertRegex(self.page, rf"\b{word}\b")


class Cases(Files):
    def test_late_signals_count_by_when_they_happened(self):
        third = "{at: 2026-04-14, kind: utility.bill_overdue}"
        early = "{at: 2026-03-01, kind: tax.arrears}, {at: 2026-03-02, kind: market.chattel_mortgage}"
        self.assertEqual(self.came(f"{early}, {third}"), ["raised major three-agencies"])
        self.assertEqual(self.came(f"{third}, {early}"), ["raised major three-agencies"])

    def test_the_same_id_counts_once(self):
        one = "{at: 2026-03-01, kind: police.wage_dispute_call, id: a}"
        self.assertEqual(self.came(f"{one}, {one}"), ["raised general score"])

    def test_signals_of_one_source(self):
        one = "{at: 2026-03-0%d, kind: police.wage_dispute_call, id: a, source: %s}"
        self.assertEqual(self.came(f"{one % (1, 'east')}, {one % (2, 'west')}"), ["raised general score", "upgraded major score"])

    def test_exercises_are_judged_among_themselves(self):
        half = "{at: 2026-03-01, kind: subdistrict.wage_delay, status: %s}"
        self.assertEqual(self.came(half % "actual" + ", " + half % "exercise"), ["raised general score"] * 2)

    def test_another_type_is_compared_where_it_is_named(self):
        call = "{at: 2026-03-0%d, kind: police.wage_dispute_call}"
        two = ", ".join(call % d for d in (1, 2, 3))
        self.assertEqual(self.came(two), ["raised general score", "upgraded major score"])
        self.assertEqual(self.came(two, expect="[{type: evidence}]"),
                         ["raised general score", "upgraded major score", "evidence major score"])

    def test_a_profile_changes_nothing_but_what_it_says(self):
        two = "{at: 2026-03-01, kind: tax.arrears}, {at: 2026-03-01, kind: court.seizure}"
        own = "    enterprise: {uscc: 91350100M000100Y43, credit: B}\n"
        self.assertEqual(self.came(two, more=own), self.came(two))
        graded = THREE.replace("hysteresis: 8", "hysteresis: 8, factors: {credit: {B: 0.1}}")
        self.assertEqual(self.came(two, graded, more=own), [])

    def test_tags_and_amounts(self):
        rules = THREE.replace("{agencies: {of: any, at_least: 3, within: 45d}}",
                              "{all: [{enterprise: {tag: x}}, {sum: {of: any, field: amount, at_least: 1001 yuan, within: 9d}}]}")
        sums = "{at: 2026-03-01, kind: tax.arrears, amount: 500.50 yuan}, {at: 2026-03-02, kind: tax.arrears, amount: %d}"
        own = '    enterprise: {uscc: 91350100M000100Y43, attrs: {"tag:x": 0}}\n'
        self.assertEqual(self.came(sums % 50050, rules, more=own), ["raised major three-agencies"])
        self.assertEqual(self.came(sums % 50049, rules, more=own), [])
        self.assertEqual(self.came(sums % 50050, rules), [])


class Mistakes(Files):
    def test_each_with_its_place(self):
        rules = self.write("rules.yaml", THREE)
        head = f"rules: {rules}\nenterprise: {{uscc: 91350100M000100Y43}}\n"
        case = head + "cases:\n  - name: a\n    signals: [%s]\n    expect: [%s]\n"
        for text, told in (
                ("[]", "must be a map"), ("", "file of rules that is tried is missing"), ("rules: [", "error"),
                (head, "cases: a list"), (head + "casse: []\n", "3:1: error: a file of cases has no \"casse\""),
                (head + "cases: [a]\n", "a case must be a map"), (head + "cases: [{signals: [], expect: []}]\n", "needs a name"),
                (head + "cases: [{name: a, expect: []}]\n", "signals: a list"),
                (case % ("{kind: tax.arrears}", ""), "at is missing"), (case % ("{at: 2026-02-30, kind: tax.arrears}", ""), "a day like"),
                (case % ("{at: 2026-03-01, kind: tax.arears}", ""), "hint: tax.arrears"),
                (case % ("{at: 2026-03-01, kind: tax.arrears, uscc: 91350100M000100Y44}", ""), "check character"),
                (case % ("{at: 2026-03-01, kind: tax.arrears, amount: 3 euro}", ""), "1234.50 yuan"),
                (case % ("{at: 2026-03-01, kind: tax.arrears, amount: 99999999999999999999 yuan}", ""), "1234.50 yuan"),
                (case % ("{at: 2026-03-01, kind: tax.arrears, people: -1}", ""), "people is below 0"),
                (case % ("{at: 2026-03-01, kind: tax.arrears, name: '  '}", ""), "nothing but spaces"),
                (case % ("{at: 1999-03-01, kind: tax.arrears}", ""), "before the year 2000"),
                (case % ("", "") + "    enterprise: {attrs: {%s}, credit: A}\n" % ", ".join(f"k{i}: 1" for i in range(16)), "at most 16"),
                (case % ("{at: 2026-03-01, kind: tax.arrears, cancels: nothing}", ""), "no signal of this source"),
                (case % ("", "{type: rised}"), "hint: raised"), (case % ("", "{level: major}"), "type: what happens"),
                (case % ("", "{type: raised, rules: [scor]}"), "hint: score"), (case % ("", "{type: raised, score: 101}"), "points"),
                (case % ("{at: 2026-03-02, kind: tax.arrears}", "") + "    until: 2026-03-01\n", "after 'until'")):
            got = self.run_it("test", self.write("cases.yaml", text))
            self.assertEqual(got.returncode, 78, (text, got.stdout, got.stderr))
            self.assertIn(told, got.stderr, text)

    def test_in_the_rules_they_are_the_rules(self):
        status, d = self.tried("cases: []\n", THREE.replace("agencies: {of", "agences: {of"))
        self.assertEqual(status, 78)
        self.assertEqual(d["files"][0]["mistakes_in"].split("/")[-1], "rules.yaml")
        self.assertEqual(d["files"][0]["mistakes"][0]["hint"], "agencies")

    def test_a_file_that_is_not_there(self):
        got = self.run_it("test", "nowhere.yaml")
        self.assertEqual((got.returncode, "nowhere.yaml" in got.stderr), (78, True))
        self.assertEqual(self.run_it("test").returncode, 2)

    def test_the_other_files_are_tried_all_the_same(self):
        good = os.path.join(EXAMPLE, "example.test.yaml")
        got = self.run_it("test", "nowhere.yaml", good)
        self.assertEqual((got.returncode, got.stdout.count("ok ")), (78, 5))
        bad = self.write("bad.yaml", read(good).replace("rules: example", f"rules: {EXAMPLE}/example").replace("[]", "[{type: raised}]"))
        got = self.run_it("test", bad, good)
        self.assertEqual((got.returncode, got.stdout.count("ok ")), (1, 8))

    def test_the_document(self):
        got = self.run_it("test", os.path.join(EXAMPLE, "example.test.yaml"), "-o", "json")
        d = json.loads(got.stdout)
        self.assertEqual((d["good"], d["total"], d["failed"]), (True, 5, 0))
        event = d["files"][0]["cases"][0]["actual"][0]
        self.assertEqual((event["type"], event["level"], event["enterprise"]["uscc"]), ("raised", "major", "91350100M000100Y43"))
        self.assertEqual(event["reasons"][0]["signals"][0], "tax.arrears 2026-03-01")

    def test_chinese(self):
        got = self.run_it("test", os.path.join(EXAMPLE, "example.test.yaml"), env={"LC_ALL": "zh_CN.UTF-8"})
        self.assertIn("通过", got.stdout)


if __name__ == "__main__":
    unittest.main()
