#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines of the law in every alert, by region and by the configured table; the shadow rules and where they differ; both
on the command line."""
import json
import os
import signal
import subprocess
import unittest

from harness import BUILD, DAY, PATIENCE, PINGHU, Daemon, WireCase, main, now_ms, program_env, run, sig, uscc

WAGEWARN = os.path.join(BUILD, "cli", "wagewarn")
ENGLISH, CHINESE = {"LC_ALL": "C.UTF-8"}, {"LC_ALL": "zh_CN.UTF-8"}
SCORE = """\
version: 1
score:
  levels: {general: 40, major: 65, critical: 85}
  hysteresis: 8
  one_agency_at_most: major
  others_at_least: 5
rules:
"""
RULES = SCORE + """\
  - id: late
    title: {zh: 延发, en: Late}
    when: {signal: subdistrict.wage_delay, within: 30d}
    then: {raise: general, tag: late}
  - id: crime
    title: {zh: 移送, en: Transfer}
    when: {threshold: crime}
    then: {raise: critical}
"""
SHADOW = SCORE + """\
  - id: late-is-major
    title: {zh: 延发重大, en: Late is major}
    when: {signal: subdistrict.wage_delay, within: 30d}
    then: {raise: major}
  - id: seized
    title: {zh: 查封, en: Seized}
    when: {signal: court.seizure, within: 30d}
    then: {raise: general}
"""


class Law(WireCase):
    rules = RULES

    def cli(self, *args, env=ENGLISH, code=0):
        done = subprocess.run([WAGEWARN, "--endpoint", self.daemon.endpoint, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=dict(program_env(), **env), timeout=PATIENCE)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode()

    def raise_alert(self, **more):
        code = self.fresh()
        self.c.push(sig("subdistrict.wage_delay", code, **dict({"name": "平湖某某建筑有限公司", "region": PINGHU}, **more)))
        return code, [a for a in self.c.alerts() if a["enterprise"]["uscc"] == code][0]["alert"]


class Assessment(Law):
    def test_what_is_short(self):
        _, number = self.raise_alert(people=3, amount=400000, since=now_ms() - 40 * DAY)
        alert = self.c.query("alert", alert=number)["alert"]
        crime, listing = alert["assessment"]
        self.assertEqual((crime["line"], listing["line"]), ("crime", "listing"))
        self.assertEqual((crime["met"], crime["people"], crime["months"], crime["amount"], crime["region"]),
                         (False, 3, 1, 400000, None))
        self.assertEqual(crime["short"], {"people": 0, "months": 2, "amount": 100000, "order": True})
        self.assertIn("法释〔2013〕3号", crime["source"])
        self.assertEqual(alert["tags"], ["late"])
        self.assertNotIn("enterprises", alert)
        self.assertFalse([e for e in alert["evidence"] if "from" in e or "counted" in e])

    def test_event_says_the_same(self):
        _, number = self.raise_alert(people=12)
        event = [e for e in self.c.all_events() if e["alert"] == number][-1]
        self.assertEqual(event["assessment"], self.c.query("alert", alert=number)["alert"]["assessment"])

    def test_met_and_rule(self):
        code, number = self.raise_alert(people=12, amount=3000000)
        self.c.push(sig("labour.order_disobeyed", code))
        alert = self.c.query("alert", alert=number)["alert"]
        self.assertEqual(alert["level"], "critical")
        self.assertEqual([x["met"] for x in alert["assessment"]], [True, True])
        self.assertEqual(alert["assessment"][0]["short"], {"people": 0, "months": 0, "amount": 0, "order": False})

    def test_province(self):
        _, number = self.raise_alert(people=2, amount=500000, since=now_ms() - 100 * DAY, region="410102")
        crime = self.c.query("alert", alert=number)["alert"]["assessment"][0]
        self.assertEqual((crime["region"], crime["short"]["amount"]), ("41", 300000))

    def test_in_words(self):
        code, number = self.raise_alert(people=1, amount=300000, since=now_ms() - 40 * DAY)
        self.assertIn("line for transfer to the police: short of it by 2 months, 2,000.00 yuan, an order to pay that ran out",
                      self.cli("alert", "show", str(number)))
        self.assertIn("移送公安条件：尚差2个月、2,000.00元、逾期未履行的支付指令",
                      self.cli("alert", "show", str(number), env=CHINESE))
        self.c.push(sig("labour.order_disobeyed", code, people=20, amount=9000000))
        self.assertIn("meets the line for transfer to the police", self.cli("alert", "show", str(number)))
        self.assertIn("符合移送公安条件", self.cli("alert", "show", str(number), env=CHINESE))
        self.assertIn("符合移送公安条件", self.cli("watch", "--from", "0", "--limit", str(len(self.c.all_events())), env=CHINESE))
        shown = json.loads(self.cli("alert", "show", str(number), "--output", "json"))
        self.assertTrue(shown["alert"]["assessment"][0]["met"])


class OwnTable(unittest.TestCase):
    def daemon(self, table):
        d = Daemon(rules=RULES, extra="thresholds: own.csv\n")
        self.addCleanup(d.close)
        with open(os.path.join(d.dir, "own.csv"), "w", encoding="utf-8") as f:
            f.write("region,line,people,months,amount_yuan,order,incident,source,date\n" + table)
        return d

    def test_configured(self):
        d = self.daemon("*,crime,2,,,no,no,ours,\n")
        d.start()
        with d.client() as c:
            c.push(sig("subdistrict.wage_delay", uscc(1), people=2))
            alert = c.query("alert", alert=c.alerts()[0]["alert"])["alert"]
            self.assertEqual([(x["line"], x["met"], x["source"]) for x in alert["assessment"]], [("crime", True, "ours")])
            self.assertEqual(alert["level"], "critical")

    def test_all_mistakes(self):
        d = self.daemon("3x,crime,1,,,no,no,a,\n*,crime,,,,,,a,\n")
        status, _, told = run([os.path.join(BUILD, "daemon", "wagewarnd"), "--config", d.config, "--check-config"])
        self.assertEqual(status, 78)
        self.assertIn("own.csv:2:", told)
        self.assertIn("own.csv:3:", told)


    def check(self, table, rules=None):
        d = self.daemon(table)
        if rules:
            d.write_rules(rules)
        return run([os.path.join(BUILD, "daemon", "wagewarnd"), "--config", d.config, "--check-config"])

    def test_a_line_without_rows(self):
        for table in ("", "*,listing,1,,,no,no,a,\n"):
            status, _, told = self.check(table)
            self.assertEqual(status, 78, told)
            self.assertRegex(told, r"rules\.yaml:\d+:\d+: error: threshold: ")
        status, _, told = self.check("", SCORE + RULES[len(SCORE):].split("  - id: crime")[0])
        self.assertEqual(status, 0, told)

    def test_lines_that_nobody_asks_for(self):
        status, _, told = self.check("*,crime,1,,,no,no,a,\n*,krime,1,,,no,no,a,\n99,crime,1,,,no,no,a,\n3304,crime,1,,,no,no,a,\n")
        self.assertEqual(status, 78, told)
        self.assertIn("own.csv:3:3: error: no rule asks for a line of the law called \"krime\"", told)
        self.assertIn("hint: crime", told)
        self.assertIn("1 error;", told) # a region that a table of one province lacks is nobody's mistake

    def test_no_file_hides_another(self):
        d = self.daemon("*,crime,1,,,no,no,a,\n")
        d.extra += "shadow: next.yaml\nareas: areas.yaml\nretention: {audit: 200d}\n"
        d.write_config()
        d.write_rules(RULES.replace("within: 30d", "within: 300d"))
        for name, text in (("next.yaml", RULES.replace("raise: general", "raise: genral")),
                           ("areas.yaml", "version: 1\nzones:\n  - {code: \"12345\", name: a, prefixes: [\"330482\"], source: x}\n")):
            with open(os.path.join(d.dir, name), "w", encoding="utf-8") as f:
                f.write(text)
        check = [os.path.join(BUILD, "daemon", "wagewarnd"), "--config", d.config, "--check-config"]
        status, _, told = run(check)
        self.assertEqual(status, 78, told)
        self.assertRegex(told, r"rules\.yaml:\d+:\d+: error: this window is longer")
        self.assertRegex(told, r"next\.yaml:\d+:\d+: error: ")
        self.assertEqual(told.count("areas.yaml:"), 1, told)
        d.write_rules("rules: [")
        status, _, told = run(check)
        self.assertRegex(told, r"rules\.yaml:\d+:\d+: error: ")
        self.assertEqual(told.count("areas.yaml:"), 1, told)

    def test_an_emptied_file_is_refused(self):
        d = self.daemon("*,crime,2,,,no,no,ours,\n")
        d.start()
        with d.client() as c:
            c.push(sig("subdistrict.wage_delay", uscc(1), people=2))
            old = c.query("rules")["hash"]
            with open(os.path.join(d.dir, "own.csv"), "w", encoding="utf-8") as f:
                f.write("region,line,people,months,amount_yuan,order,incident,source,date\n")
            mark = d.log.mark()
            d.proc.send_signal(signal.SIGHUP)
            d.log.wait("refused", since=mark)
            self.assertEqual(c.query("rules")["hash"], old)
            self.assertEqual(c.alerts()[0]["level"], "critical")


class Shadow(Law):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(rules=cls.rules, extra="shadow: next.yaml\n")
        with open(os.path.join(cls.daemon.dir, "next.yaml"), "w", encoding="utf-8") as f:
            f.write(SHADOW)
        try:
            cls.daemon.start()
        except BaseException:
            cls.daemon.close(clean=False)
            raise

    def rows(self, **body):
        return {r["enterprise"]["uscc"]: r for r in self.c.pages("shadow", "differences", **body)}

    def test_differences(self):
        gained, higher, lost = self.fresh(), self.fresh(), self.fresh()
        self.c.push(sig("court.seizure", gained), sig("subdistrict.wage_delay", higher),
                    sig("labour.order_disobeyed", lost, people=20, amount=9000000),
                    sig("court.seizure", self.fresh(), status="exercise"))
        rows = self.rows()
        self.assertEqual([(rows[c]["change"], rows[c]["level"], rows[c]["shadow_level"]) for c in (gained, higher, lost)],
                         [("gained", "none", "general"), ("higher", "general", "major"), ("lost", "critical", "none")])
        self.assertEqual((rows[gained]["rules"], rows[higher]["rules"], rows[lost]["rules"]),
                         (["seized"], ["late-is-major"], []))
        self.assertNotIn("alert", rows[gained])
        self.assertEqual(self.rows(limit=1), rows)
        self.assertEqual({a["level"] for a in self.c.alerts()}, {"general", "critical"})
        table = self.cli("shadow", "diff")
        self.assertIn(gained, table)
        self.assertIn("late-is-major", table)
        told = json.loads(self.cli("shadow", "diff", "--output", "json"))
        self.assertEqual({r["enterprise"]["uscc"]: r for r in told["differences"]}, rows)

    def test_bad_after(self):
        for after in ("x", "e12", "a", 3):
            self.c.error("bad_field", "query", what="shadow", after=after)


class NoShadow(Law):
    def test_off(self):
        self.raise_alert()
        answer = self.c.query("shadow")
        self.assertEqual((answer["on"], answer["differences"]), (False, []))
        self.assertIn("no shadow rules", self.cli("shadow", "diff"))


if __name__ == "__main__":
    main()
