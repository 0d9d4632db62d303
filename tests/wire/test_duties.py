#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Duties: who must visit whom by when, told to those who ask for it and to nobody else; reported done, by those who may; and
the same after a restart."""
import json
import os
import subprocess
import unittest

from harness import BUILD, CONFIG, DAY, PATIENCE, Client, Daemon, SCORE_ONLY, main, now_ms, program_env, run, sig, uscc

WAGEWARN = os.path.join(BUILD, "cli", "wagewarn")
PRINCIPALS = """\
principals:
  - {name: towns, role: inspector, regions: ["330482"], team: towns}
  - {name: county, role: inspector, regions: ["330482"], team: county}
  - {name: haiyan, role: inspector, regions: ["330424"]}
"""
DUTIES = """\
version: 1
duties:
  - {id: soon, name: {zh: 一秒走访, en: visit at once}, for: {tag: hurry}, every: 1s, tier: subdistrict, escalate_after: 1s}
  - {id: site, name: {zh: 工地月走访, en: monthly visit}, for: {industry: [E]}, every: 30d, remind: 5d, tier: subdistrict,
     done_by: [subdistrict.resumed]}
  - {id: review, name: {zh: 书面审查, en: document review}, for: {credit: C}, every: 183d, tier: county}
"""


class Duties(unittest.TestCase):
    codes = iter(range(7000, 8000))

    @classmethod
    def setUpClass(cls):
        d = cls.daemon = Daemon(rules=SCORE_ONLY)
        names = ("towns", "county", "haiyan")
        for name, text in (("duties.yaml", DUTIES), ("principals.yaml", PRINCIPALS)):
            with open(os.path.join(d.dir, name), "w", encoding="utf-8") as f:
                f.write(text)
        d.listen = ["{endpoint: \"ipc://%s\", principal: %s}" % (os.path.join(d.dir, n), n) for n in names]
        d.extra = "duties: duties.yaml\nprincipals: principals.yaml\nteams: %s\n" % os.path.join(CONFIG, "teams.yaml")
        d.write_config()
        try:
            d.start()
        except BaseException:
            d.close(clean=False)
            raise

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    def setUp(self):
        self.c = self.daemon.client()
        self.addCleanup(self.c.close)
        self.code = uscc(next(self.codes))

    def by(self, name):
        c = Client("ipc://" + os.path.join(self.daemon.dir, name), alive=self.daemon.alive)
        self.addCleanup(c.close)
        return c

    def register(self, industry=None, region="330482001", **attrs):
        self.c.push(sig("registry.profile", self.code, at=now_ms(), name="某建筑公司" + self.code[-4:], region=region, industry=industry,
                        attrs=attrs or None))

    def listed(self, c=None, **more):
        return {(x["duty"], x["enterprise"]["uscc"]): x for x in (c or self.c).pages("duties", "duties", **more)}

    def mine(self, c=None, **more):
        return {d: x for (d, code), x in self.listed(c, **more).items() if code == self.code}

    def cli(self, *args, status=0):
        p = subprocess.run([WAGEWARN, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                           env=dict(program_env(), WAGEWARN_ENDPOINT=self.daemon.endpoint, LC_ALL="C.UTF-8"))
        self.assertEqual(p.returncode, status, (args, p.stdout, p.stderr))
        return p.stdout.decode() + p.stderr.decode()

    def heard(self, c, session, code, steps):
        """Events of the firm until all the steps were there."""
        out = []
        while [e["step"] for e in out if e["type"] == "duty"] != steps:
            verb, e = c.next(session)
            if verb == "event" and e["enterprise"]["uscc"] == code:
                out.append(e)
        return out

    def test_what_is_expected(self):
        before = now_ms()
        self.register(industry="E4710", credit="C")
        mine = self.mine()
        self.assertEqual(set(mine), {"site", "review"})
        site = mine["site"]
        self.assertEqual((site["title"], site["title_en"], site["state"], site["overdue"], site["teams"], site["done_at"]),
                         ("工地月走访", "monthly visit", "waits", False, ["towns"], None))
        self.assertEqual(site["due"] - site["since"], 30 * DAY)
        self.assertGreaterEqual(site["since"], before)
        self.assertEqual((mine["review"]["tier"]["id"], mine["review"]["teams"]), ("county", ["county-sites"]))
        self.assertEqual(set(self.mine(team="towns")), {"site"})
        self.assertEqual(set(self.mine(duty="review")), {"review"})
        self.assertEqual(set(self.mine(region="330424")), set())
        self.assertEqual(set(self.mine(overdue=True)), set())
        self.assertEqual(set(self.listed(uscc=self.code)), {("site", self.code), ("review", self.code)})
        self.register(industry="C1810")
        self.assertEqual(set(self.mine()), {"review"})  # another trade: the site's duty has ended

    def test_whose_they_are(self):
        self.register(industry="E4710")
        self.assertIn("site", self.mine(self.by("towns")))
        self.assertEqual(self.mine(self.by("haiyan")), {})
        self.by("haiyan").error("no_such_enterprise", "action", do="duty_done", duty="site", uscc=self.code)

    def test_told_to_who_asks(self):
        asks, plain, away = self.daemon.client(), self.daemon.client(), self.by("haiyan")
        for c in (asks, plain):
            self.addCleanup(c.close)
        session = asks.subscribe(credit=1000, duties=True, min_level="critical", **{"from": 0})["session"]
        self.register(**{"tag:hurry": 0})
        told = self.heard(asks, session, self.code, ["overdue", "escalated", "escalated"])
        self.assertEqual([(e["type"], e["alert"], e["level"], e["duty"], e["title_en"]) for e in told],
                         [("duty", 0, "none", "soon", "visit at once")] * 3)
        self.assertEqual([e["teams"] for e in told], [["towns"], ["towns", "county"], ["towns", "county", "prefecture"]])
        self.assertEqual([e["tier"]["number"] for e in told], [0, 1, 2])
        self.assertEqual(told[0]["at"], told[0]["due"])
        self.assertEqual(told[1]["at"] - told[0]["at"], 1000)
        # whoever did not ask hears of alerts alone, under the same numbers
        others = [e for e in plain.all_events() if e["type"] == "duty"]
        self.assertEqual(others, [])
        self.c.error("bad_field", "subscribe", duties=1)
        self.assertEqual([e for e in away.all_events(duties=True) if e["enterprise"]["uscc"] == self.code], [])
        self.assertEqual(len([e for e in plain.all_events(duties=True) if e["enterprise"]["uscc"] == self.code]), 3)

    def test_done(self):
        self.register(industry="E4710")
        sub = self.c.subscribe(credit=1000, duties=True, **{"from": -1})["session"]
        county, towns = self.by("county"), self.by("towns")
        denied = county.error("denied", "action", do="duty_done", duty="site", uscc=self.code)
        self.assertIn("towns or an operator", denied["message"])
        towns.error("missing_field", "action", do="duty_done", duty="site")
        towns.error("missing_field", "action", do="duty_done", uscc=self.code)
        towns.error("bad_field", "action", do="duty_done", duty="site", uscc=self.code[:-1])
        towns.error("no_such_enterprise", "action", do="duty_done", duty="site", uscc=uscc(next(self.codes)))
        self.assertIn("site", towns.error("bad_field", "action", do="duty_done", duty="sight", uscc=self.code)["message"])
        towns.expect("done", "action", do="duty_done", duty="site", uscc=self.code, ref="R-7", actor="王", note="all is well")
        (e,) = self.heard(self.c, sub, self.code, ["done"])
        self.assertEqual((e["principal"], e["actor"], e["ref"], e["due"] - e["at"]), ("towns", "王", "R-7", 30 * DAY))
        site = self.mine()["site"]
        self.assertEqual((site["done_at"], site["done_by"], site["ref"], site["due"]), (e["at"], "王", "R-7", e["due"]))
        again = towns.error("wrong_state", "action", do="duty_done", duty="site", uscc=self.code, ref="R-8")
        self.assertIn("王", again["message"])

    def test_done_by_a_signal(self):
        self.register(industry="E4710")
        at = now_ms()
        self.c.push(sig("subdistrict.resumed", self.code, at=at, id="v" + self.code))
        self.assertEqual((self.mine()["site"]["done_at"], self.mine()["site"]["done_by"]), (at, None))
        self.c.push(sig("subdistrict.resumed", self.code, at=now_ms(), cancels="v" + self.code))
        self.assertIsNone(self.mine()["site"]["done_at"])

    def test_by_name_alone(self):
        name = "平湖某工程队" + self.code[-4:].lower()
        self.c.push(sig("registry.profile", None, uscc=None, name=name, region="330482001", industry="E4710"))
        self.c.expect("done", "action", do="duty_done", duty="site", name=" " + name, ref="R-1")
        (one,) = self.c.pages("duties", "duties", name=name)
        self.assertEqual((one["enterprise"]["uscc"], one["enterprise"]["name"], one["ref"]), (None, name, "R-1"))

    def test_counted(self):
        before = self.c.query("statistics")["duties"]
        self.register(industry="E4710", credit="C")
        after = self.c.query("statistics")["duties"]
        self.assertEqual({k: after[k] - before[k] for k in after if k == "all"}, {"all": 2})
        self.assertEqual(self.by("haiyan").query("statistics")["duties"]["all"], 0)
        self.assertEqual(self.c.query("statistics", after=1)["duties"]["all"], 0)  # a page is not counted twice
        self.assertEqual([a for a in self.c.alerts() if a["enterprise"]["uscc"] == self.code], [])  # and it is no alert

    def test_pages(self):
        for _ in range(5):
            self.code = uscc(next(self.codes))
            self.register(industry="E4710", credit="C")
        self.assertEqual(self.listed(limit=2), self.listed())
        self.c.error("bad_field", "query", what="duties", after="x")
        self.c.error("bad_field", "query", what="duties", overdue="yes")

    def test_command_line(self):
        self.register(industry="E4710")
        table = self.cli("duties", "--team", "towns", "--region", "330482")
        self.assertIn(self.code, table)
        wide = [line for line in table.splitlines() if self.code in line]
        self.assertEqual(len(wide), 1)
        found = json.loads(self.cli("duties", "-o", "json"))["duties"]
        self.assertIn(("site", self.code), [(x["duty"], x["enterprise"]["uscc"]) for x in found])
        self.assertEqual([x["due"] for x in found], sorted(x["due"] for x in found))
        self.assertIn("reported done", self.cli("duties", "done", "site", "--uscc", self.code, "--ref", "R-3", "--note", "fine"))
        self.assertIn("done already", self.cli("duties", "done", "site", "--uscc", self.code, status=1))
        self.cli("duties", "done", "site", status=2)
        self.cli("duties", "done", "site", "--uscc", "x", status=2)
        self.assertIn("duties:", self.cli("statistics"))
        self.assertNotIn(self.code, self.cli("duties", "--overdue"))
        lines = self.cli("watch", "--duties", "--from", "0", "--limit", "1", "-o", "jsonl")
        self.assertEqual(json.loads(lines)["type"], "duty")

    def test_across_a_restart(self):
        self.register(industry="E4710", credit="C")
        before = self.mine()
        self.daemon.restart()
        self.c.expect("done", "action", do="duty_done", duty="site", uscc=self.code)
        after = self.mine()
        self.assertEqual(after["review"], before["review"])
        self.assertIsNotNone(after["site"]["done_at"])


class Files(unittest.TestCase):
    def check(self, duties, extra=""):
        d = Daemon(rules=SCORE_ONLY)
        self.addCleanup(lambda: d.close(clean=False))
        with open(os.path.join(d.dir, "duties.yaml"), "w", encoding="utf-8") as f:
            f.write(duties)
        d.extra = "duties: duties.yaml\n" + extra
        d.write_config()
        return run([os.path.join(BUILD, "daemon", "wagewarnd"), "--config", d.config, "--check-config"])

    def test_shipped(self):
        with open(os.path.join(CONFIG, "duties.yaml"), encoding="utf-8") as f:
            text = f.read()
        status, _, err = self.check(text, "teams: %s\n" % os.path.join(CONFIG, "teams.yaml"))
        self.assertEqual((status, err), (0, err))

    def test_mistakes_have_their_lines(self):
        teams = "teams: %s\n" % os.path.join(CONFIG, "teams.yaml")
        status, _, err = self.check(DUTIES.replace("tier: county", "tier: conty").replace("credit: C", "credit: D"), teams)
        self.assertEqual(status, 78)
        for words in ("duties.yaml:6:", "no tier of the teams is called \"conty\"", "the grades are A, B and C"):
            self.assertIn(words, err)
        status, _, err = self.check(DUTIES)
        self.assertEqual(status, 78)
        self.assertIn("configure 'teams' too", err)


if __name__ == "__main__":
    main()
