#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""backtest on a state directory, beside the daemon that writes it: the journal under other rules, with what the teams
found as the outcomes."""
import json
import os
import shutil
import tempfile
import unittest

from harness import BUILD, DAY, SCORE_ONLY, THREE_AGENCIES, Daemon, main, now_ms, run, sig, uscc

WAGEWARN = os.path.join(BUILD, "cli", "wagewarn")
KINDS = ("police.wage_dispute_call", "court.seizure", "tax.arrears")
NEVER = SCORE_ONLY.replace("score: follow", "signal: {kind: bank.account_frozen}, within: 1d").replace("by_score", "general")


class Journal(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="wwb-")
        self.addCleanup(shutil.rmtree, self.dir, True)

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)
        return os.path.join(self.dir, name)

    def backtest(self, rules, *more, status=0):
        got, out, err = run([WAGEWARN, "backtest", "--rules", self.write("rules.yaml", rules), "--state-dir", self.d.state,
                             "-o", "json", *more])
        self.assertEqual(got, status, (out, err))
        return json.loads(out) if status == 0 else err

    def test_what_teams_found(self):
        with Daemon(rules=THREE_AGENCIES).start() as self.d, self.d.client() as c:
            c.push_all([sig(kind, uscc(i), at=now_ms() - 1000) for i in range(1, 5) for kind in KINDS])
            alert = {a["enterprise"]["uscc"]: a["alert"] for a in c.alerts()}

            def verify(i, finding):
                c.expect("done", "action", alert=alert[uscc(i)], do="accept")
                return c.expect("done", "action", alert=alert[uscc(i)], do="verify", finding=finding)["seq"]

            verify(1, "confirmed")
            verify(3, "unfounded")
            step = verify(2, "confirmed")
            c.expect("done", "action", alert=alert[uscc(2)], do="correct", undo=step)
            self.same_rules()
            self.other_rules()
            self.outcomes_of_a_file()

    def same_rules(self):
        got = self.backtest(THREE_AGENCIES)
        self.assertEqual((got["alerts"]["general"], got["alerts"]["major"]), (4, 4))
        self.assertEqual((got["signals"]["folded"], got["outcomes_from"], got["outcomes"]), (12, "actions", 1))
        # of four alerts it is known of two what came of them, and one was right
        self.assertEqual((got["confirmed"]["major"], got["precision"]["major"], got["recall"]["major"]), (1, 0.5, 1.0))
        self.assertNotIn("lead_days", got)

    def other_rules(self):
        old = self.write("old.yaml", THREE_AGENCIES)
        got = self.backtest(NEVER, "--compare", old)
        self.assertEqual((got["alerts"]["general"], got["recall"]["general"]), (0, 0.0))
        self.assertEqual(got["compare"]["general"]["lost"], 4)
        self.assertTrue(got["compare"]["changes"][0]["confirmed"])

    def outcomes_of_a_file(self):
        path = self.write("outcomes.csv", "%s,%d\n" % (uscc(4), now_ms() + 10 * DAY))
        got = self.backtest(THREE_AGENCIES, "--outcomes", path)
        self.assertEqual((got["outcomes_from"], got["outcomes"], got["precision"]["major"]), ("file", 1, 0.25))

    def test_no_store(self):
        class Nothing:
            state = os.path.join(self.dir, "nothing")
        self.d = Nothing
        self.assertIn("nothing", self.backtest(THREE_AGENCIES, status=2))


if __name__ == "__main__":
    main()
