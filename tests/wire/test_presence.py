#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Delivered is not seen: which teams listen is known, enters the journal now and then, and an alert that nobody listens for
goes to the next tier at once."""
import os
import unittest

from harness import Client, Daemon, SCORE_ONLY, main, sig, uscc

PRINCIPALS = """\
principals:
  - {name: town, role: inspector, regions: ["330482"], team: towns}
  - {name: visitor, role: inspector, regions: ["330482"]}
"""
TEAMS = """\
version: 1
covers: ["330482"]
tiers:
  - {id: town, zh: 镇街, en: town, escalate_after: 1wd}
  - {id: county, zh: 县级, en: county}
joins: {general: town, major: town, critical: town}
teams:
  - {id: towns, name: {zh: 各镇街, en: towns}, tier: town, regions: "330482"}
  - {id: county, name: {zh: 县大队, en: county}, tier: county, regions: "330482"}
"""


def begin(presence, teams=True, absent="10m"):
    d = Daemon(rules=SCORE_ONLY)
    deadlines = "version: 1\naccept: {major: 5wd}\nverify: {major: 7d}\nabsent: %s\n" % absent
    for name, text in (("teams.yaml", TEAMS), ("principals.yaml", PRINCIPALS), ("deadlines.yaml", deadlines)):
        with open(os.path.join(d.dir, name), "w") as f:
            f.write(text)
    d.listen = ["{endpoint: \"ipc://%s\", principal: %s}" % (os.path.join(d.dir, n), n) for n in ("town", "visitor")]
    d.extra = "principals: principals.yaml\ndeadlines: deadlines.yaml\nlimits: {presence: %s}\n" % presence + ("teams: teams.yaml\n" if teams else "")
    d.write_config()
    return d


class Presence(unittest.TestCase):
    codes = iter(range(7000, 8000))

    def by(self, d, name):
        c = Client("ipc://" + os.path.join(d.dir, name), alive=d.alive)
        self.addCleanup(c.close)
        return c

    def alarm(self, c):
        """The events that a fresh alert brought: [(type, teams)]."""
        code = uscc(next(self.codes))
        c.push(sig("police.owner_missing", code, region="330482001"))
        return [(e["type"], e["teams"]) for e in c.all_events() if e["enterprise"].get("uscc") == code]

    def names(self, happened):
        return [kind for kind, _ in happened]

    def test_nobody_listens(self):
        with begin("1h") as d, d.start().client() as c:
            status = c.query("status")
            self.assertEqual(status["listening"], [])
            self.assertTrue(any("no team listens for 各镇街 (towns)" in p for p in status["problems"]), status["problems"])
            happened = self.alarm(c)
            self.assertEqual(self.names(happened), ["raised", "unattended"])
            self.assertNotIn("county", str(happened[0][1]))
            self.assertIn("county", str(happened[1][1]))  # the next tier

    def test_somebody_does(self):
        with begin("1h") as d, d.start().client() as c:
            visitor, town = self.by(d, "visitor"), self.by(d, "town")
            visitor.subscribe(credit=0)
            self.assertEqual(self.names(self.alarm(c)), ["raised", "unattended"])  # of no team
            sub = town.subscribe(credit=0)
            status = c.query("status")
            self.assertEqual((status["listening"], [p for p in status["problems"] if "listens" in p]), (["towns"], []))
            self.assertEqual(self.names(self.alarm(c)), ["raised"])
            town.expect("done", "unsubscribe", session=sub["session"])
            self.assertEqual(c.query("status")["listening"], [])

    def test_it_ends_late_but_it_ends(self):
        with begin("1s") as d, d.start().client() as c:
            town = self.by(d, "town")
            sub = town.subscribe(credit=1000)
            self.assertEqual(self.names(self.alarm(c)), ["raised"])
            town.expect("done", "unsubscribe", session=sub["session"])
            while self.names(self.alarm(c)) == ["raised"]:  # until the second is over
                pass

    def test_what_it_asks_for(self):
        for asks, hears in (({}, True), ({"regions": ["330482"], "min_level": "major"}, True), ({"regions": ["330482099"]}, False),
                            ({"min_level": "critical"}, False), ({"industries": ["E"]}, False)):
            with self.subTest(asks), begin("1h") as d, d.start().client() as c:
                self.by(d, "town").subscribe(credit=1000, **asks)
                self.assertEqual(c.query("status")["listening"], ["towns"])
                self.assertEqual(self.names(self.alarm(c)), ["raised"] if hears else ["raised", "unattended"])

    def test_without_credit_for_long(self):
        with begin("1s") as d, d.start().client() as c:
            town = self.by(d, "town")
            sub = town.subscribe(credit=0)
            while self.names(self.alarm(c)) == ["raised"]:  # until the second is over
                pass
            self.assertEqual(c.query("status")["listening"], [])
            town.credit(sub["session"], 1000)
            while self.names(self.alarm(c)) != ["raised"]:
                pass

    def test_the_last_one_goes(self):
        with begin("1s", absent="1s") as d, d.start().client() as c:
            town = self.by(d, "town")
            town.subscribe(credit=1000)
            self.assertEqual(self.names(self.alarm(c)), ["raised"])
            self.assertEqual(self.names(self.alarm(c)), ["raised"])
            alerts = {a["alert"] for a in c.query("alerts")["alerts"]}
            seen = min(alerts)
            c.expect("done", "action", alert=seen, do="seen")
            town.close()
            while not any(e["type"] == "unattended" for e in c.all_events()):  # gone, told so, and gone for a second
                c.query("status")
            told = [e for e in c.all_events() if e["type"] == "unattended"]
            self.assertEqual([e["alert"] for e in told], sorted(alerts - {seen}))
            self.assertIn("county", told[0]["teams"])

    def test_one_that_has_gone(self):
        with begin("1h") as d, d.start().client() as c:
            town = self.by(d, "town")
            town.subscribe(credit=0)
            self.assertEqual(c.query("status")["listening"], ["towns"])
            town.close()
            mine = c.subscribe(credit=0)["session"]
            while c.query("status")["listening"]:
                c.next(mine)  # a heartbeat: as often as it looks who is gone

    def test_few_entries(self):
        with begin("1h") as d, d.start().client() as c:
            town = self.by(d, "town")
            first = c.push(sig("tax.arrears", uscc(1)))["seq"]
            for _ in range(20):
                town.expect("done", "unsubscribe", session=town.subscribe(credit=0)["session"])
            last = c.push(sig("tax.arrears", uscc(1)))["seq"]
            self.assertLessEqual(last - first - 1, 1)

    def test_no_teams_no_entries(self):
        with begin("1s", teams=False) as d, d.start().client() as c:
            town = self.by(d, "town")
            first = c.push(sig("tax.arrears", uscc(1)))["seq"]
            town.subscribe(credit=0)
            self.assertEqual(c.query("status")["listening"], [])
            self.assertEqual(c.push(sig("tax.arrears", uscc(1)))["seq"], first + 1)
            self.assertEqual(self.names(self.alarm(c)), ["raised"])

    def test_a_start_ends_all(self):
        with begin("1h") as d:
            d.start()
            self.by(d, "town").subscribe(credit=0)
            with d.client() as c:
                self.assertEqual(self.names(self.alarm(c)), ["raised"])
            d.kill()
            d.start()
            with d.client() as c:
                self.assertEqual(c.query("status")["listening"], [])
                self.assertEqual(self.names(self.alarm(c)), ["raised", "unattended"])


if __name__ == "__main__":
    main()
