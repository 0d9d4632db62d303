#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many firms of one project make one parent alert, counted once; nobody is shown the members that he may not see."""
import json
import os
import unittest

from harness import BUILD, Client, Daemon, SCORE_ONLY, main, now_ms, run, sig, uscc

RULES = SCORE_ONLY + """\
  - id: site
    title: {zh: 同一项目多家企业, en: Several firms of one project}
    when: {area: {by: project, level: general, at_least: 3, within: 30d}}
    then: {raise: major}
"""
PRINCIPALS = """\
principals:
  - {name: pinghu, role: inspector, regions: ["330482"]}
  - {name: haiyan, role: inspector, regions: ["330424"]}
  - {name: elsewhere, role: inspector, regions: ["3301"]}
"""
CAMPAIGNS = """\
version: 1
campaigns:
  - {id: all, title: {zh: 全部, en: All}, from: 2020-01-01, to: 2200-01-01}
"""
CLI = os.path.join(BUILD, "cli", "wagewarn")
NAMES = ("pinghu", "haiyan", "elsewhere")
SITE = "330482202607150101"
FIRMS = [("330482", uscc(1)), ("330482", uscc(2)), ("330424", uscc(3))]


class Rollup(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(rules=RULES)
        self.addCleanup(self.close)
        self.endpoints = {n: "ipc://" + os.path.join(self.d.dir, n) for n in NAMES}
        with open(os.path.join(self.d.dir, "principals.yaml"), "w") as f:
            f.write(PRINCIPALS)
        self.d.listen = ["{endpoint: \"%s\", principal: %s}" % (e, n) for n, e in self.endpoints.items()]
        with open(os.path.join(self.d.dir, "campaigns.yaml"), "w") as f:
            f.write(CAMPAIGNS)
        self.d.extra = "principals: principals.yaml\ncampaigns: campaigns.yaml\n"
        self.d.write_config()
        self.d.start()
        self.c = self.client()
        for region, code in FIRMS:
            self.c.push(*self.bad(code, region, project=SITE, role="sub"))
        self.c.push(*self.bad(uscc(9), "330482"))

    def close(self):
        self.d.close()

    def client(self, name=None):
        c = Client(self.endpoints[name], alive=self.d.alive) if name else self.d.client()
        self.addCleanup(c.close)
        return c

    def bad(self, code, region, **more):
        return [sig(kind, code, at=now_ms(), region=region, **more) for kind in ("court.seizure", "tax.arrears")]

    def parent(self, c):
        (one,) = [a for a in c.alerts() if a.get("rolls_up")]
        return one

    def test_each_member_knows_its_parent_and_it_is_counted_once(self):
        parent = self.parent(self.c)
        self.assertEqual((parent["rolls_up"], parent["enterprises_total"], parent["level"]), ("project", 3, "major"))
        self.assertEqual(parent["enterprise"]["name"], SITE)
        by_code = {a["enterprise"]["uscc"]: a for a in self.c.alerts()}
        for _, code in FIRMS:
            self.assertEqual(by_code[code]["parent"], parent["alert"])
        self.assertNotIn("parent", by_code[uscc(9)])
        shown = self.c.query("alert", alert=by_code[uscc(1)]["alert"])["alert"]
        self.assertEqual(shown["parent"], parent["alert"])
        rolled = self.c.alerts(rollup=True)
        self.assertEqual({a["alert"] for a in rolled}, {parent["alert"], by_code[uscc(9)]["alert"]})
        s = self.c.query("status")
        self.assertEqual(sum(x["open"] for x in s["alerts"]), 5)
        self.assertEqual(s["open_alerts_rolled_up"], 2)

    def test_an_area_has_no_score_and_no_agency_to_leave_out(self):
        parent = self.parent(self.c)["alert"]
        (raised,) = [e for e in self.c.all_events() if e["alert"] == parent]
        shown = self.c.query("alert", alert=parent)["alert"]
        for said in (raised, self.parent(self.c), shown, *shown["history"]):
            self.assertNotIn("score", said)
        got = self.c.query("explain", alert=parent, without="tax")["explanation"]
        self.assertIsNone(got["score"])
        self.assertNotIn("without", got)
        rc, out, err = run([CLI, "--endpoint", self.d.endpoint, "explain", str(parent), "--without", "tax"])
        self.assertEqual(rc, 0, err)
        self.assertIn("an area has no signals of its own", out)
        rc, out, err = run([CLI, "--endpoint", self.d.endpoint, "explain", uscc(1), "--without", "tax"])
        self.assertIn("signals taken out", out)

    def test_a_backtest_counts_the_alerts_of_areas_by_rule(self):
        words = [CLI, "backtest", "--rules", os.path.join(self.d.dir, "rules.yaml"), "--state-dir", self.d.state]
        rc, out, err = run(words + ["-o", "json"])
        self.assertEqual(rc, 0, err)
        got = json.loads(out)
        site, score = ({r["id"]: r for r in got["rules"]}[i] for i in ("site", "score"))
        self.assertEqual((site["alerts"], site["of_areas"], site["never_fired"], got["areas"]), (1, True, False, 1))
        self.assertEqual((score["alerts"], score["of_areas"]), (4, False))
        rc, out, err = run(words)
        self.assertIn("and 1 alerts of areas", out)
        (row,) = [line for line in out.splitlines() if line.startswith("site ")]
        self.assertRegex(row, r"of areas +1( +-)*$")

    def test_members_stay_where_the_parent_is_not_on_the_list(self):
        codes = {a["enterprise"]["uscc"] for a in self.c.alerts(rollup=True, level="general")}
        self.assertEqual(codes, {code for _, code in FIRMS} | {uscc(9)})

    def test_a_closed_parent_stands_for_nobody(self):
        parent = self.parent(self.c)["alert"]
        for step in ({"do": "accept"}, {"do": "verify", "finding": "unfounded"}, {"do": "close", "outcome": "unfounded"}):
            self.c.expect("done", "action", alert=parent, **step)
        self.assertEqual([a for a in self.c.alerts() if "parent" in a], [])
        self.assertEqual(len(self.c.alerts(rollup=True)), 4)
        self.assertEqual(self.c.query("status")["open_alerts_rolled_up"], 4)

    def test_statistics_and_campaigns_count_each_case_once(self):
        s = self.c.query("statistics")
        self.assertEqual((s["all"]["raised"], s["all"]["open"]), (2, 2))  # the site, and the firm beside it
        self.assertEqual((s["members"]["raised"], s["members"]["open"]), (3, 3))
        by_rule = {r["rule"]: r["raised"] for r in s["rules"]}
        self.assertEqual((by_rule["site"], by_rule["score"]), (1, 4))
        p = self.c.query("campaign", campaign="all")["progress"]
        self.assertEqual((p["alerts"], p["open"]), (4, 4))  # firms: each once, and no parent
        rc, out, err = run([CLI, "--endpoint", self.d.endpoint, "statistics"])
        self.assertEqual(rc, 0, err)
        self.assertIn("alerts: 2 raised", out)
        self.assertIn("counted once with it: 3 raised, 3 open", out)
        parent = self.parent(self.c)["alert"]
        for step in ({"do": "accept"}, {"do": "verify", "finding": "confirmed", "people": 60, "amount": 900},
                     {"do": "close", "outcome": "paid", "paid_people": 60, "paid_amount": 900}):
            self.c.expect("done", "action", alert=parent, **step)
        s = self.c.query("statistics")
        self.assertEqual((s["all"]["raised"], s["all"]["open"], s["all"]["confirmed"]), (2, 1, 1))
        self.assertEqual((s["members"]["raised"], s["members"]["open"]), (3, 3))
        p = self.c.query("campaign", campaign="all")["progress"]
        self.assertEqual((p["alerts"], p["open"], p["closed"], p["paid_people"]), (4, 4, 0, 0))

    def test_closing_the_parent_says_who_stays_open(self):
        parent = self.parent(self.c)["alert"]
        (member,) = self.c.alerts(uscc=uscc(1))
        for step in ({"do": "accept"}, {"do": "verify", "finding": "unfounded"}, {"do": "close", "outcome": "unfounded"}):
            self.assertNotIn("message", self.c.expect("done", "action", alert=member["alert"], **step))
        for step in (["accept"], ["verify", "--finding", "unfounded"]):
            rc, out, err = run([CLI, "--endpoint", self.d.endpoint, "alert", step[0], str(parent), *step[1:]])
            self.assertEqual((rc, out.count("\n")), (0, 1), out + err)
        rc, out, err = run([CLI, "--endpoint", self.d.endpoint, "alert", "close", str(parent), "--outcome", "unfounded"])
        self.assertEqual(rc, 0, err)
        self.assertIn("2 of its enterprises have an alert that is open", out)
        (closed,) = [e for e in self.c.all_events() if e["alert"] == parent and e["type"] == "closed"]
        self.assertEqual(closed["enterprises_open"], 2)
        self.assertEqual({a["enterprise"]["uscc"] for a in self.c.alerts()}, {uscc(2), uscc(3), uscc(9)})

    def test_members_elsewhere_are_counted_and_not_shown(self):
        for name, codes in (("pinghu", [uscc(1), uscc(2)]), ("haiyan", [uscc(3)])):
            c = self.client(name)
            parent = self.parent(c)
            self.assertEqual(parent["enterprises_total"], 3)
            result = c.query("alert", alert=parent["alert"])
            shown = result["alert"]
            self.assertEqual(sorted(m["uscc"] for m in shown["enterprises"]), sorted(codes))
            self.assertEqual(shown["enterprises_total"], 3)
            self.assertEqual(sorted(m["uscc"] for m in result["explanation"]["members"]), sorted(codes))
            explained = c.query("explain", alert=parent["alert"])["explanation"]
            self.assertEqual(sorted(m["uscc"] for m in explained["members"]), sorted(codes))
            events = [e for e in c.all_events() if e["alert"] == parent["alert"]]
            self.assertEqual([e["type"] for e in events], ["raised"])
            self.assertEqual(sorted(m["uscc"] for m in events[0]["enterprises"]), sorted(codes))
            self.assertEqual(events[0]["enterprises_total"], 3)
        whole = [e for e in self.c.all_events() if e["alert"] == parent["alert"]]
        self.assertEqual(sorted(m["uscc"] for m in whole[0]["enterprises"]), sorted(code for _, code in FIRMS))
        c = self.client("elsewhere")
        self.assertEqual((c.alerts(), c.all_events()), ([], []))
        c.error("no_such_alert", "query", what="alert", alert=parent["alert"])

    def test_it_survives_a_restart_and_a_rebuild(self):
        before = sorted(self.c.alerts(), key=lambda a: a["alert"])
        for args in ((), ("--rebuild",)):
            self.d.stop()
            self.d.start(*args)
            self.assertEqual(sorted(self.client().alerts(), key=lambda a: a["alert"]), before)

    def test_the_command_line_shows_them_in_its_place(self):
        status, out, err = run([CLI, "--endpoint", self.d.endpoint, "alerts", "--rollup", "-o", "json"])
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(len(json.loads(out)["alerts"]), 2)
        status, out, _ = run([CLI, "--endpoint", self.d.endpoint, "alerts", "--rollup"])
        self.assertEqual(status, 0)
        self.assertIn(SITE, out)
        status, out, _ = run([CLI, "--endpoint", self.d.endpoint, "status"])
        self.assertEqual(status, 0)
        self.assertRegex(out, r"rolled up: 2\b")


if __name__ == "__main__":
    main()
