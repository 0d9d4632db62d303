#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who answers for what: teams that change under open alerts, what is told of teams and measures before they are used, and
what is said where there are none."""
import os
import signal
import tempfile
import unittest

from harness import BUILD, CONFIG, DAEMON, Daemon, main, run, sig, uscc

CLI = os.path.join(BUILD, "cli", "wagewarn")
TIERS = """\
version: 1
%stiers:
  - {id: town, zh: 镇街, en: town, escalate_after: 1wd}
  - {id: county, zh: 县级, en: county, escalate_after: 1wd}
  - {id: city, zh: 市级, en: city}
joins: {general: town, major: county, critical: city}
teams:
"""
COVERS = 'covers: ["330482"]\n'


def team(name, tier, regions, more=""):
    return '  - {id: %s, name: {zh: %s, en: %s}, tier: %s, regions: %s%s}\n' % (name, name, name, tier, regions, more)


TOWNS, COUNTY, CITY = team("towns", "town", '"330482"'), team("desk", "county", '"330482"'), team("city", "city", '"3304"')
GOOD = TIERS % COVERS + TOWNS + COUNTY + CITY


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        f.write(text)


class Moves(unittest.TestCase):
    def test_an_upper_team_is_another(self):
        with Daemon(extra="teams: teams.yaml\n") as d:
            write(d.dir, "teams.yaml", GOOD)
            with d.start().client() as c:
                c.push(sig("police.owner_missing", uscc(1), region="330482001"))  # major: the county joins
                alert = c.query("alerts")["alerts"][0]
                self.assertEqual(alert["teams"][:2], ["towns", "desk"])
                sub, head = c.subscribe(credit=100), c.head()
                c.until(sub["session"], head)
                write(d.dir, "teams.yaml", GOOD.replace("desk", "bureau"))
                d.proc.send_signal(signal.SIGHUP)
                told = c.until(sub["session"], head + 1)[0]
                self.assertEqual((told["type"], told["alert"], told["team"]), ("assigned", alert["alert"], "towns"))
                self.assertIn("bureau", told["teams"])
                self.assertNotIn("desk", told["teams"])
                self.assertEqual([a["alert"] for a in c.query("alerts", team="bureau")["alerts"]], [alert["alert"]])
                self.assertEqual(c.query("alerts", team="desk")["alerts"], [])


class Checks(unittest.TestCase):
    def checked(self, teams=GOOD, measures=None):
        with tempfile.TemporaryDirectory(prefix="ww-") as folder:
            write(folder, "teams.yaml", teams)
            write(folder, "measures.yaml", measures or "version: 1\nmeasures: [{id: talk, name: {zh: 约谈, en: talk}}]\n")
            write(folder, "wagewarn.yaml", "state_dir: s\nteams: teams.yaml\nmeasures: measures.yaml\n" + "".join(
                "%s: %s\n" % (key, os.path.join(CONFIG, name)) for key, name in
                (("rules", "rules.yaml"), ("kinds", "kinds.csv"), ("regions", "regions.csv"), ("deadlines", "deadlines.yaml"))))
            status, out, err = run([DAEMON, "--check-config", "--config", os.path.join(folder, "wagewarn.yaml")])
            self.assertIn(status, (0, 78), err)
            return status, out + err

    def told(self, sentence, **files):
        status, said = self.checked(**files)
        self.assertEqual(status, 78, said)
        self.assertIn(sentence, said)

    def test_good(self):
        self.assertEqual(self.checked()[0], 0)

    def test_holes(self):
        hole = TOWNS.replace('"330482"', '["330482001", "330482002"]')
        self.told('no team answers for 330482003 at the tier "town"', teams=TIERS % COVERS + hole + COUNTY + CITY)
        some = TIERS % "" + hole + COUNTY + CITY.replace("3304", "330482")
        self.told("or say under 'covers' which places need one", teams=some)

    def test_two_for_one(self):
        village = "".join(team(n, "town", '"330482001001"') for n in ("x1", "x2"))
        self.told('both "x1" and "x2" answer for 330482001001 at the tier "town"', teams=GOOD + village)
        trade = "".join(team(n, "town", '"330482"', ", industries: [C18]") for n in ("x1", "x2"))
        self.told('both "x1" and "x2" answer for 330482 at the tier "town" for industry C18', teams=GOOD + trade)

    def test_tiers(self):
        self.told('teams.yaml:6:5: error: the tier "city" has no team', teams=TIERS % COVERS + TOWNS + COUNTY)
        self.told('no tier is called "village"', teams=GOOD + team("x", "village", '"330482001"'))

    def test_measures(self):
        one = "version: 1\nmeasures:\n  - id: a\n    name: {zh: 一, en: a}\n    %s\n"
        for line, sentence in (("due: 3wd\n    silence: labour.nope", 'measures.yaml:6:14: error: unknown kind "labour.nope"'),
                               ("due: 40wd\n    due_most: 30wd", "measures.yaml:5:10: error: due is longer than due_most"),
                               ("lasts: 10d\n    may_end_after: 20d", "measures.yaml:6:20: error: may_end_after lies beyond"),
                               ("ends: true", 'measures.yaml:5:5: error: the key "ends" does nothing'),
                               ("roles: []", "nobody could ever take this measure")):
            with self.subTest(line):
                self.told(sentence, measures=one % line)


class NoTeams(unittest.TestCase):
    def test_what_to_do(self):
        status, out, err = run([CLI, "routes", "test", "--region", "330482001", "--config", os.path.join(CONFIG, "wagewarn.yaml")])
        self.assertEqual((status, err), (1, ""))
        self.assertIn("teams: teams.yaml", out)
        with Daemon() as d, d.start().client() as c:
            route = c.query("routes", region="330482001")["route"]
            self.assertEqual(route["tiers"], [])
            self.assertIn("teams: teams.yaml", route["advice"])
            status, out, err = run([CLI, "--endpoint", d.endpoint, "routes", "test", "--region", "330482001"])
            self.assertEqual((status, err), (1, ""))
            self.assertIn("teams: teams.yaml", out)


if __name__ == "__main__":
    main()
