#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""action: an alert worked from accepted to closed, what is refused on the way, and what each step's event says."""
from harness import HOUR, WireCase, brief, main, now_ms, sig


class Actions(WireCase):
    def setUp(self):
        super().setUp()
        self.take(sig("police.owner_missing", self.code, id=self.code + "-gone", at=now_ms() - HOUR))
        self.alert = self.c.enterprise(self.code)["alert"]

    def do(self, what, **more):
        return self.c.expect("done", "action", alert=self.alert, do=what, **more)["seq"]

    def refused(self, code, what, **more):
        return self.c.error(code, "action", alert=self.alert, do=what, **more)

    def types(self):
        return [e["type"] for e in self.events_of(self.code)]

    def state(self):
        return self.c.query("alert", alert=self.alert)["alert"]["state"]

    def test_from_open_to_closed(self):
        numbers = [self.do("accept"), self.do("verify", finding="confirmed", people=5, amount=100000), self.do("close", outcome="paid", paid_people=5, paid_amount=100000)]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(self.types(), ["raised", "accepted", "verified", "closed"])
        self.assertEqual(self.state(), "closed")
        self.assertEqual([h["type"] for h in self.c.query("alert", alert=self.alert)["alert"]["history"]], self.types())

    def test_paid_wants_people_and_amount(self):
        self.do("accept")
        self.do("verify", finding="confirmed", people=5, amount=100000)
        self.assertIn("paid_amount", self.refused("missing_field", "close", outcome="paid", paid_people=5)["message"])
        self.do("close", outcome="paid", paid_people=5, paid_amount=100000)

    def test_an_unfounded_one(self):
        self.do("accept")
        self.do("verify", finding="unfounded")
        self.do("close", outcome="unfounded")
        self.assertEqual(self.types()[1:], ["accepted", "verified", "closed"])

    def test_reopened_by_hand(self):
        for what, more in (("accept", {}), ("verify", {"finding": "false_claim"}), ("close", {"outcome": "false_claim"}), ("reopen", {})):
            self.do(what, **more)
        self.assertEqual((self.types()[-1], self.state()), ("reopened", "accepted"))

    def test_wrong_states_say_what_is_possible(self):
        for what, more in (("verify", {"finding": "confirmed"}), ("close", {"outcome": "paid"}), ("reopen", {})):
            self.assertIn("accept", self.refused("wrong_state", what, **more)["message"])
        self.do("accept")
        self.refused("wrong_state", "accept")
        self.refused("wrong_state", "close", outcome="paid")
        self.assertEqual(self.types(), ["raised", "accepted"])

    def test_the_version_that_was_seen(self):
        version = self.c.query("alert", alert=self.alert)["alert"]["version"]
        other = self.client()
        other.expect("done", "action", alert=self.alert, do="accept", version=version)
        self.refused("wrong_state", "comment", note="x", version=version)
        self.do("comment", note="x", version=version + 1)

    def test_two_at_once(self):
        a, b = self.client(), self.client()
        rids = [(c, c.post("action", alert=self.alert, do="accept")) for c in (a, b)]
        self.assertEqual(sorted(c.reply_to(rid)[0] for c, rid in rids), ["done", "error"])

    def test_what_makes_no_sense(self):
        self.c.error("no_such_alert", "action", alert=10**9, do="accept")
        self.c.error("missing_field", "action", do="accept")
        self.c.error("missing_field", "action", alert=self.alert)
        self.refused("bad_field", "nonsense")
        self.refused("bad_field", "accept", note=5)
        self.do("accept")
        self.refused("bad_field", "verify", finding="maybe")
        self.assertIn(self.c.expect("error", "action", alert=self.alert, do="verify")["code"], ("missing_field", "bad_field"))
        self.assertEqual(self.types(), ["raised", "accepted"])

    def test_an_accepted_alert_waits_for_its_team(self):
        """Below general it is not withdrawn any more: its level is none, and it stays."""
        self.do("accept")
        self.take(sig("police.owner_found", self.code, at=now_ms()))
        self.assertEqual(brief(self.events_of(self.code))[2:], [("downgraded", "none")])
        self.assertEqual(self.state(), "accepted")
        self.assertIn(self.alert, [a["alert"] for a in self.c.alerts()])

    def test_new_evidence_reopens_a_closed_one(self):
        self.do("accept")
        self.do("verify", finding="confirmed")
        self.do("close", outcome="paid", paid_people=5, paid_amount=100000)
        self.take(sig("subdistrict.wage_delay", self.code, at=now_ms()))
        self.assertEqual(self.types()[-1], "reopened")
        self.assertEqual(self.c.enterprise(self.code)["alert"], self.alert)

    def test_a_note_is_stored_and_survives(self):
        self.do("comment", note="已电话联系")
        self.daemon.kill()
        self.daemon.start()
        self.c = self.client()
        self.assertEqual(self.types(), ["raised", "commented"])


if __name__ == "__main__":
    main()
