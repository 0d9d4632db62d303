#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""explain: why this level and what would change it, as a query and on the command line; as it was known at a time, to the
bit; under other rules; who may not ask."""
import json
import os
import subprocess

from harness import BUILD, DAY, PATIENCE, PINGHU, THREE_AGENCIES, Client, Daemon, WireCase, main, now_ms, program_env, sig

WAGEWARN = os.path.join(BUILD, "cli", "wagewarn")
ENGLISH, CHINESE = {"LC_ALL": "C.UTF-8"}, {"LC_ALL": "zh_CN.UTF-8"}
KINDS = ("police.wage_dispute_call", "court.seizure", "tax.arrears")
PRINCIPALS = """\
principals:
  - {name: pinghu, role: inspector, regions: ["330482"]}
  - {name: hangzhou, role: inspector, regions: ["3301"]}
"""
SEIZED = THREE_AGENCIES + """\
  - id: seized
    title: {zh: 已查封, en: Seized}
    when: {all: [{signal: court.seizure, within: 30d}, {not: {signal: labour.transferred, within: 30d}}]}
    then: {raise: critical}
"""


class Explain(WireCase):
    rules = THREE_AGENCIES

    def raise_alert(self, code=None, **more):
        code = code or self.fresh()
        self.c.push(*(sig(kind, code, at=now_ms(), **dict({"name": "平湖某某建筑有限公司", "region": PINGHU}, **more))
                      for kind in KINDS))
        found = [a for a in self.c.alerts() if a["enterprise"]["uscc"] == code]
        self.assertEqual(len(found), 1)
        return code, found[0]["alert"]

    def explain(self, client=None, **body):
        return (client or self.c).query("explain", **body)["explanation"]

    def cli(self, *args, status=0, **env):
        env = dict({"WAGEWARN_ENDPOINT": self.daemon.endpoint}, **env)
        p = subprocess.run([WAGEWARN, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=dict(program_env(), **env), timeout=PATIENCE)
        out, err = p.stdout.decode(), p.stderr.decode()
        self.assertNotRegex(err, r"Sanitizer|runtime error")
        self.assertEqual(p.returncode, status, (args, out, err))
        return out, err

    def local(self, *args, **kw):
        """The explanation that the journal gives, beside the daemon and without asking it."""
        out, _ = self.cli("explain", *args, "--state-dir", self.daemon.state, "-o", "json",
                          WAGEWARN_ENDPOINT="ipc:///nonexistent/none", **kw)
        return json.loads(out)["explanation"]

    def later(self, at):
        """The daemon's clock has passed `at`."""
        code = self.fresh()
        self.take(sig("utility.bill_paid", code))
        while self.explain(uscc=code)["at"] <= at:
            pass


class Asked(Explain):
    def test_reasons_with_their_signals(self):
        code, alert = self.raise_alert()
        x = self.explain(alert=alert)
        self.assertEqual((x["alert"], x["level"], x["enterprise"]["uscc"]), (alert, "major", code))
        rule = next(r for r in x["rules"] if r["rule"] == "three-agencies")
        self.assertEqual((rule["level"], rule["title"], rule["suppressed_by"]), ("major", "三个部门同时预警", None))
        (condition,) = rule["conditions"]
        self.assertEqual((condition["op"], condition["holds"], condition["kinds"], condition["at_least"],
                          condition["within"]), ("agencies", True, "any", 3, 45 * DAY))
        self.assertEqual({s["kind"] for s in condition["signals"]}, set(KINDS))
        self.assertEqual(sum(s["share"] for s in x["shares"]), 1000000)
        for s in x["shares"]:
            self.assertEqual((s["rank"], s["counted"], s["from"]), (0, 1000000, None))
            self.assertGreater(s["half_life_days"], 0)
            self.assertGreater(s["decay"], 990000)
        self.assertEqual(x["score_parts"]["factors"], [])

    def test_what_would_change_it(self):
        _, alert = self.raise_alert()
        x = self.explain(alert=alert)
        self.assertEqual(x["clock"][0]["level"], "general")
        self.assertGreater(x["clock"][0]["at"], x["at"])
        self.assertEqual([s["level"] for s in x["clock"]][-1], "none")
        kinds = [c["kind"] for c in x["clearings"]]
        self.assertIn("court.released", kinds)
        self.assertNotIn("utility.bill_paid", kinds)
        agencies = [a["agency"] for a in x["one_more_agency"]["agencies"]]
        self.assertFalse(set(agencies) & {"police", "court", "tax"})
        self.assertIn("bank", [s["agency"] for s in x["silent"] if s["since"] is None])
        self.assertNotIn("tax", [s["agency"] for s in x["silent"]])

    def test_a_clearing_does_what_was_foretold(self):
        code, alert = self.raise_alert()
        told = next(c for c in self.explain(alert=alert)["clearings"] if c["kind"] == "court.released")
        self.take(sig("court.released", code, at=now_ms()))
        x = self.explain(alert=alert)
        self.assertEqual(x["level"], told["level"])
        self.assertLess(abs(x["score"] - told["score"]), 3)  # a moment has passed

    def test_without_an_agency(self):
        code, alert = self.raise_alert()
        x = self.explain(alert=alert, without="tax")
        self.assertEqual((x["without"]["agency"], x["without"]["signals"]), ("tax", 1))
        self.assertIn("three-agencies", x["without"]["lost"])
        self.assertLess(x["without"]["score"], x["score"])
        self.assertEqual(self.explain(uscc=code)["level"], "major")

    def test_by_code_and_name_and_in_the_alert(self):
        code, alert = self.raise_alert(name="平湖独一建筑有限公司")
        by_alert = self.explain(alert=alert)
        for by in ({"uscc": code}, {"name": "平湖独一建筑有限公司"}):
            x = self.explain(**by)
            self.assertEqual((x["alert"], x["rules"]), (alert, by_alert["rules"]))
        shown = self.c.query("alert", alert=alert)["explanation"]
        self.assertEqual((shown["rules"], shown["level"]), (by_alert["rules"], "major"))

    def test_wrong_questions(self):
        _, alert = self.raise_alert()
        self.c.error("no_such_alert", "query", what="explain", alert=99999999)
        self.c.error("no_such_enterprise", "query", what="explain", uscc=self.fresh())
        self.c.error("missing_field", "query", what="explain")
        self.c.error("bad_field", "query", what="explain", alert=alert, without="taxes")
        self.c.error("bad_field", "query", what="explain", alert="x")


class Regions(Explain):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(rules=cls.rules)
        cls.by = {n: "ipc://" + os.path.join(cls.daemon.dir, n) for n in ("pinghu", "hangzhou")}
        with open(os.path.join(cls.daemon.dir, "principals.yaml"), "w") as f:
            f.write(PRINCIPALS)
        cls.daemon.listen = ["{endpoint: \"%s\", principal: %s}" % (e, n) for n, e in cls.by.items()]
        cls.daemon.extra = "principals: principals.yaml\n"
        cls.daemon.write_config()
        try:
            cls.daemon.start()
        except BaseException:
            cls.daemon.close(clean=False)
            raise

    def test_only_ones_own(self):
        code, alert = self.raise_alert()
        own, other = (Client(self.by[n]) for n in ("pinghu", "hangzhou"))
        self.addCleanup(own.close)
        self.addCleanup(other.close)
        self.assertEqual(self.explain(own, alert=alert)["level"], "major")
        other.error("no_such_alert", "query", what="explain", alert=alert)
        other.error("no_such_enterprise", "query", what="explain", uscc=code)


class CommandLine(Explain):
    def test_no_such_agency_is_a_slip(self):
        _, alert = self.raise_alert()
        self.assertIn("agency", self.cli("explain", str(alert), "--without", "nosuch", status=2, **ENGLISH)[1])

    def test_words(self):
        code, alert = self.raise_alert()
        out, _ = self.cli("explain", str(alert), "--without", "tax", **ENGLISH)
        for part in ("Why", "three-agencies", "✓ agencies that report any kind, 3 of at least 3, within 45d", "court.seizure",
                     "Shares", "HALF-LIFE", "Factors and caps", "What would change it", "falls to general on", " ends on ",
                     "if nothing new comes", "Without tax", "no longer holds: three-agencies", "bank has never reported"):
            self.assertIn(part, out)
        self.assertLess(out.index("Why"), out.index("Shares"))
        self.assertLess(out.index("Shares"), out.index("What would change it"))
        out, _ = self.cli("explain", code, **CHINESE)
        if "原因" in out:  # where the system has the locale
            for part in ("占比", "何种变化会改变等级", "若无新信息，降为 一般", "从未报送"):
                self.assertIn(part, out)

    def test_json_is_the_result(self):
        _, alert = self.raise_alert()
        shown = json.loads(self.cli("explain", "#%d" % alert, "-o", "json")[0])["explanation"]
        asked = self.explain(alert=alert)
        self.assertEqual((shown["rules"], shown["alert"]), (asked["rules"], alert))
        self.assertEqual(set(shown), set(asked))

    def test_exit_statuses(self):
        self.assertIn("99999999", self.cli("explain", "99999999", status=1)[1])
        self.assertIn("nothing was known", self.cli("explain", self.fresh(), "--state-dir", self.daemon.state, status=1)[1])
        self.cli("explain", "-5", status=2)
        self.cli("explain", status=2)
        self.cli("explain", "7", "--at", "yesterday", status=2)
        self.cli("explain", "7", "--state-dir", "/nonexistent", status=1)
        self.cli("explain", "7", status=69, WAGEWARN_ENDPOINT="ipc:///nonexistent/none")

    def test_as_it_was_known_then(self):
        code, alert = self.raise_alert()
        told = self.explain(alert=alert, without="court")
        self.later(told["at"])
        self.c.push(sig("police.owner_missing", code, at=now_ms()), sig("court.released", code, at=now_ms()))
        self.assertNotEqual(self.explain(alert=alert)["score"], told["score"])
        self.assertEqual(self.local(str(alert), "--at", str(told["at"]), "--without", "court"), told)
        self.assertEqual(self.local(code, "--at", str(told["at"]), "--without", "court"), told)
        before = told["shares"][0]["at"] - DAY
        self.cli("explain", str(alert), "--at", str(before), "--state-dir", self.daemon.state, status=1)

    def test_under_other_rules(self):
        code, alert = self.raise_alert()
        rules = os.path.join(self.daemon.dir, "other.yaml")
        with open(rules, "w", encoding="utf-8") as f:
            f.write(SEIZED)
        x = self.local(str(alert), "--with-rules", rules)
        self.assertEqual((x["level"], x["enterprise"]["uscc"]), ("critical", code))
        self.assertEqual([c["op"] for c in x["rules"][0]["conditions"]], ["all", "signal", "not", "signal"])
        self.assertEqual([c["holds"] for c in x["rules"][0]["conditions"]], [True, True, True, False])
        self.assertEqual(self.explain(alert=alert)["level"], "major")
        with open(rules, "a", encoding="utf-8") as f:
            f.write("  - {id: broken}\n")
        _, err = self.cli("explain", str(alert), "--with-rules", rules, "--state-dir", self.daemon.state, status=78)
        self.assertIn("other.yaml", err)


if __name__ == "__main__":
    main()
