#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Campaigns: a saved selection of alerts, and how far it has come."""
import json
import os
import time
import unittest

from harness import BUILD, Client, DAY, Daemon, SCORE_ONLY, main, now_ms, run, sig, uscc

CLI = os.path.join(BUILD, "cli", "wagewarn")


def day(days):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600 + days * DAY / 1000))


CAMPAIGNS = """\
version: 1
campaigns:
  - {id: builders, title: {zh: 工程, en: Builders}, from: %s, to: %s, regions: ["330482"], industries: [E], kinds: [court.seizure]}
  - {id: red, title: {zh: 红, en: Red}, from: %s, to: %s, levels: [major, critical]}
  - {id: past, title: {zh: 旧, en: Past}, from: 2020-01-01, to: 2020-02-01}
""" % (day(-1), day(1), day(-1), day(1))
PRINCIPALS = "principals:\n  - {name: haiyan, role: inspector, regions: [\"330424\"]}\n"
ZERO = {"alerts": 0, "open": 0, "accepted": 0, "verified": 0, "disposed": 0, "closed": 0, "confirmed": 0, "unfounded": 0,
        "false_claim": 0, "overdue": 0, "people": 0, "amount": 0, "paid_people": 0, "paid_amount": 0}


class Campaign(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(rules=SCORE_ONLY)
        self.addCleanup(lambda: self.d.close())
        self.write("campaigns.yaml", CAMPAIGNS)
        self.write("principals.yaml", PRINCIPALS)
        self.haiyan = "ipc://" + os.path.join(self.d.dir, "haiyan")
        self.d.listen = ["{endpoint: \"%s\", principal: haiyan}" % self.haiyan]
        self.d.extra = "campaigns: campaigns.yaml\nprincipals: principals.yaml\n"
        self.d.write_config()
        self.d.start()
        self.c = self.d.client()
        self.addCleanup(self.c.close)

    def write(self, name, text):
        with open(os.path.join(self.d.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def raise_one(self, n, kinds=("court.seizure", "tax.arrears"), region="330482001", industry="E4710", **more):
        """An alert; its number."""
        code = uscc(n)
        self.c.push(*[sig(k, code, at=now_ms(), region=region, industry=industry, **more) for k in kinds])
        (one,) = self.c.alerts(uscc=code, status=more.get("status", "actual"))
        return one["alert"]

    def act(self, alert, **step):
        return self.c.expect("done", "action", alert=alert, **step)["seq"]

    def progress(self, name="builders", c=None):
        return (c or self.c).query("campaign", campaign=name)["progress"]

    def is_so(self, **figures):
        self.assertEqual(self.progress(), dict(ZERO, **figures))

    def test_only_what_is_selected_counts(self):
        self.is_so()
        self.raise_one(1)
        self.raise_one(2, region="330424001")
        self.raise_one(3, industry="C1810")
        self.raise_one(4, kinds=("subdistrict.wage_delay",))
        self.raise_one(5, status="exercise")
        self.is_so(alerts=1, open=1)
        self.assertEqual(self.progress("past"), ZERO)
        self.assertEqual(self.progress("red"), ZERO)
        self.c.push(sig("police.owner_missing", uscc(2), at=now_ms()))
        self.assertEqual(self.progress("red")["alerts"], 1)

    def test_the_highest_level_counts_after_it_fell(self):
        self.c.push(*[sig(k, uscc(1), at=now_ms(), id=k, region="330482001", industry="E4710")
                      for k in ("court.seizure", "tax.arrears", "police.owner_missing")])
        self.c.push(sig("police.owner_missing", uscc(1), at=now_ms(), cancels="police.owner_missing"))
        (one,) = self.c.alerts(uscc=uscc(1))
        self.assertEqual(one["level"], "general")
        self.assertEqual(self.progress("red")["alerts"], 1)

    def test_what_was_found_and_paid(self):
        paid, wrong, unfounded = self.raise_one(1), self.raise_one(2), self.raise_one(3)
        for alert in (paid, wrong, unfounded):
            self.act(alert, do="accept")
        self.is_so(alerts=3, accepted=3)
        self.act(paid, do="verify", finding="confirmed", people=12, amount=480000)
        self.act(wrong, do="verify", finding="confirmed", people=7, amount=70000)
        again = self.act(wrong, do="verify", finding="confirmed", people=700, amount=7000000)
        self.act(unfounded, do="verify", finding="unfounded")
        self.is_so(alerts=3, verified=3, confirmed=2, unfounded=1, people=712, amount=7480000)
        self.act(wrong, do="correct", undo=again)
        self.is_so(alerts=3, verified=3, confirmed=2, unfounded=1, people=19, amount=550000)
        self.act(paid, do="close", outcome="paid", paid_people=11, paid_amount=470000)
        self.act(unfounded, do="close", outcome="unfounded")
        self.is_so(alerts=3, verified=1, closed=2, confirmed=2, unfounded=1, people=19, amount=550000, paid_people=11,
                   paid_amount=470000)

    def test_by_team(self):
        one = self.raise_one(1)
        self.raise_one(2)
        self.act(one, do="assign", team="pinghu")
        teams = {t.pop("team"): t for t in self.c.query("campaign", campaign="builders")["teams"]}
        self.assertEqual(teams, {"pinghu": dict(ZERO, alerts=1, open=1)})

    def test_nobody_counts_what_he_may_not_see(self):
        self.raise_one(1)
        with Client(self.haiyan, alive=self.d.alive) as c:
            self.assertEqual(self.progress(c=c), ZERO)

    def test_the_list_and_mistakes(self):
        listed = self.c.query("campaigns")["campaigns"]
        self.assertEqual([(x["id"], x["when"]) for x in listed], [("builders", "running"), ("red", "running"), ("past", "ended")])
        self.assertEqual((listed[0]["regions"], listed[0]["industries"], listed[1]["levels"]), (["330482"], ["E"], ["major", "critical"]))
        self.c.error("missing_field", "query", what="campaign")
        self.c.error("bad_field", "query", what="campaign", campaign="bilders")
        self.write("campaigns.yaml", "campaigns:\n  - {id: a, title: {zh: a, en: a}, from: soon, to: 2026-01-01, levels: [majr]}\n"
                   "  - {id: a, title: {zh: a, en: a}, from: 2026-01-02, to: 2026-01-01, kinds: [court.seizur], rgions: [\"33\"]}\n")
        status, _, err = run([os.path.join(BUILD, "daemon", "wagewarnd"), "--config", self.d.config, "--check-config"])
        self.assertEqual(status, 78)
        for words in ("a day such as", "levels: general", "another campaign", "court.seizure", "unknown key \"rgions\"", "regions"):
            self.assertIn(words, err)

    def test_the_command_line(self):
        self.raise_one(1)
        status, out, err = run([CLI, "--endpoint", self.d.endpoint, "campaign", "builders", "-o", "json"])
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(json.loads(out)["progress"], dict(ZERO, alerts=1, open=1))
        for args in (["campaign"], ["campaign", "builders"]):
            status, out, err = run([CLI, "--endpoint", self.d.endpoint] + args)
            self.assertEqual((status, err), (0, ""))
            self.assertIn("Builders", out)


if __name__ == "__main__":
    main()
