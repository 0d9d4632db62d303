#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An alert's events as signals come, are cancelled, cleared, merged: worked out by hand from weights and thresholds.

All signals are dated now, so that decay plays no part: the score is 100 * (1 - the product of 1 - weight)."""
import itertools
import math
import select

from harness import DAY, HOUR, SCORE_ONLY, THREE_AGENCIES, WireCase, brief, main, now_ms, sig


class Alerts(WireCase):
    def story(self, *steps, code=None, **more):
        """Pushes (kind, id or None, cancels or None) one by one; the events that came of it."""
        code = code or self.code
        for kind, name, cancels in steps:
            s = sig(kind, code, cancels=cancels, at=now_ms(), **more)
            s["id"] = "%s-%s" % (code, name) if name else s["id"]
            if cancels:
                s["cancels"] = "%s-%s" % (code, cancels)
            self.take(s)
        return self.events_of(code)

    def score(self):
        return self.c.enterprise(self.code)["score"]


class Levels(Alerts):
    def test_below_general_nothing(self):
        self.assertEqual(self.story(("court.seizure", None, None)), [])
        self.assertEqual(self.c.enterprise(self.code)["level"], "none")

    def test_raised(self):
        (e,) = self.story(("court.seizure", None, None), ("tax.arrears", None, None))  # 1 - .65 * .9 = 41.5
        self.assertEqual((e["type"], e["level"], e["alert"]), ("raised", "general", e["seq"]))
        self.assertAlmostEqual(e["score"], 4150, delta=2)

    def test_up_and_down(self):
        events = self.story(
            ("subdistrict.wage_delay", "a", None),    # 50                    raised general
            ("tax.filing_missed", "b", None),         # 53                    evidence
            ("court.seizure", "c", None),             # 69.45                 upgraded major
            ("police.owner_missing", "d", None),      # 92.36                 upgraded critical
            ("police.owner_missing", "e", "d"),       # 69.45, under 77       downgraded major
            ("court.seizure", "f", "c"),              # 53, under 57          downgraded general
            ("subdistrict.wage_delay", "g", "a"))     # 6                     withdrawn
        self.assertEqual(brief(events), [("raised", "general"), ("evidence", "general"), ("upgraded", "major"),
                                         ("upgraded", "critical"), ("downgraded", "major"), ("downgraded", "general"),
                                         ("withdrawn", "none")])
        self.assertEqual({e["alert"] for e in events}, {events[0]["seq"]})
        scores = [5000, 5300, 6945, 9236, 6945, 5300, 600]
        for e, want in zip(events, scores):
            self.assertAlmostEqual(e["score"], want, delta=3)

    def test_hysteresis(self):
        """From 41.5 to 35 is no fall; to 31.5, more than 8 under the threshold, is one."""
        events = self.story(("court.seizure", "a", None), ("tax.arrears", "b", None), ("tax.arrears", "c", "b"))
        self.assertEqual(brief(events), [("raised", "general"), ("evidence", "general")])
        self.assertAlmostEqual(events[-1]["score"], 3500, delta=2)
        self.assertEqual(self.c.enterprise(self.code)["level"], "general")
        events = self.story(("court.seizure", "d", "a"))
        self.assertEqual(brief(events)[2:], [("withdrawn", "none")])

    def test_hysteresis_stops_at_the_level_that_holds(self):
        """From critical to 60: not major (that holds above 57 only to 65 - 8), so major; to 50: general."""
        events = self.story(("police.owner_missing", "a", None), ("subdistrict.wage_delay", "b", None),
                            ("hotline.media", "c", None), ("police.owner_missing", "d", "a"))  # 90, then 60
        self.assertEqual(brief(events), [("raised", "major"), ("upgraded", "critical"), ("evidence", "critical"),
                                         ("downgraded", "major")])
        events = self.story(("hotline.media", "e", "c"))
        self.assertEqual(brief(events)[4:], [("downgraded", "general")])

    def test_one_agency_raises_no_red_alert(self):
        events = self.story(("police.owner_missing", None, None), ("police.owner_detained", None, None),
                            ("police.wage_dispute_call", None, None))  # 94: critical but for the cap
        self.assertEqual(brief(events), [("raised", "major"), ("evidence", "major"), ("evidence", "major")])
        events = self.story(("tax.filing_missed", None, None))  # 6 by another agency: over 5
        self.assertEqual(brief(events)[3:], [("upgraded", "critical")])

    def test_the_cap_comes_back(self):
        """The other agency's signal is withdrawn: the cap comes first, hysteresis does not hold critical."""
        events = self.story(("police.owner_missing", "a", None), ("police.owner_detained", "b", None),
                            ("tax.filing_missed", "c", None), ("tax.filing_missed", "d", "c"))
        self.assertEqual(brief(events), [("raised", "major"), ("evidence", "major"), ("upgraded", "critical"),
                                         ("downgraded", "major")])

    def test_reopened_after_a_withdrawal(self):
        steps = [("police.owner_missing", "a", None), ("police.owner_missing", "b", "a"), ("police.owner_missing", "c", None)]
        events = self.story(*steps)
        self.assertEqual(brief(events), [("raised", "major"), ("withdrawn", "none"), ("reopened", "major")])
        self.assertEqual({e["alert"] for e in events}, {events[0]["seq"]})

    def test_reopened_when_the_clearing_was_a_mistake(self):
        """A cancel is a signal too, journalled after the close: what it brings back must not stay unseen."""
        self.take(sig("police.owner_missing", self.code, at=now_ms() - HOUR))
        self.take(sig("police.owner_found", self.code, id=self.code + "-found", at=now_ms()))
        self.take(sig("police.owner_found", self.code, cancels=self.code + "-found", at=now_ms()))
        self.assertEqual(brief(self.events_of(self.code)), [("raised", "major"), ("withdrawn", "none"), ("reopened", "major")])
        self.assertEqual(self.c.enterprise(self.code)["level"], "major")

    def test_one_batch_or_many(self):
        """The events do not depend on how signals were batched."""
        steps = ["court.seizure", "tax.arrears", "police.owner_missing", "tax.invoice_stopped", "subdistrict.layoff"]
        at = now_ms()
        one, many = self.fresh(), self.fresh()
        self.accepted(self.c.push(*[sig(k, one, at=at) for k in steps]), len(steps))
        for k in steps:
            self.take(sig(k, many, at=at))
        self.assertEqual(brief(self.events_of(one)), brief(self.events_of(many)))
        self.assertEqual(self.c.enterprise(one)["score"] // 2, self.c.enterprise(many)["score"] // 2)

    def test_what_weighs_nothing_makes_no_event(self):
        before = self.story(("police.owner_missing", None, None))
        self.take(sig("registry.profile", self.code, at=now_ms(), attrs={"headcount": 10}))
        self.take(sig("court.released", self.code, at=now_ms()))
        self.assertEqual(brief(self.events_of(self.code)), brief(before))

    def test_reasons_evidence_shares(self):
        events = self.story(("court.seizure", "a", None), ("tax.arrears", "b", None), ("police.wage_dispute_call", "c", None))
        self.assertEqual(brief(events), [("raised", "general"), ("upgraded", "major")])  # 41.5, then 67.8
        last = events[-1]
        self.assertEqual([v["kind"] for v in last["evidence"]], ["police.wage_dispute_call", "court.seizure", "tax.arrears"])
        hazards = [-math.log(1 - w) for w in (.45, .35, .10)]
        for v, h in zip(last["evidence"], hazards):
            self.assertAlmostEqual(v["share"], 1e6 * h / sum(hazards), delta=20)
        alert = self.c.query("alert", alert=last["alert"])["alert"]
        self.assertEqual([v["seq"] for v in alert["evidence"]], [v["seq"] for v in last["evidence"]])
        self.assertEqual([r["rule"] for r in alert["reasons"]], ["score"])

    def test_thirty_two_of_many(self):
        self.accepted(self.c.push(*[sig("hotline.complaint", self.code, at=now_ms()) for _ in range(50)]), 50)
        last = self.events_of(self.code)[-1]
        self.assertEqual(len(last["evidence"]), 32)
        self.assertEqual(len(last["reasons"][0]["signals"]), 32)
        self.assertEqual(last["reasons"][0]["signals_total"], 50)
        self.assertEqual(max(last["reasons"][0]["signals"]), max(s["seq"] for s in self.c.enterprise(self.code)["signals"]))
        shares = [v["share"] for v in last["evidence"]]
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertTrue(all(abs(s - 20000) < 5 for s in shares), shares)


class Repeats(Alerts):
    def hazard_score(self, *ranks, weight=0.2):
        left = 1.0
        for rank in ranks:
            left *= (1 - weight) ** (0.5 ** rank)
        return round(10000 * (1 - left))

    def pushed(self, *ages, kind="subdistrict.rent_overdue"):
        """Signals of one kind, so many ms before now; half-life 60 days is far longer than what is tested."""
        self.now = now_ms()
        self.accepted(self.c.push(*[sig(kind, self.code, at=self.now - a) for a in ages]), len(ages))
        return self.score()

    def test_a_repeat_counts_half(self):
        self.assertAlmostEqual(self.pushed(HOUR, 0), self.hazard_score(0, 1), delta=3)

    def test_ranks_grow(self):
        self.assertAlmostEqual(self.pushed(3 * HOUR, 2 * HOUR, HOUR, 0), self.hazard_score(0, 1, 2, 3), delta=4)

    def test_a_window_of_nothing(self):
        """Every worker's complaint is news."""
        self.assertAlmostEqual(self.pushed(0, 0, HOUR, kind="hotline.complaint"), self.hazard_score(0, 0, 0, weight=.3), delta=5)

    def test_another_source_is_no_repeat(self):
        at = now_ms()
        self.accepted(self.c.push(sig("housing.site_stopped", self.code, at=at), sig("subdistrict.shutdown", self.code, at=at)), 2)
        self.assertAlmostEqual(self.score(), 10000 * (1 - .7 * .6), delta=3)

    def test_the_window_is_closed(self):
        """Exactly 30 days is within 30 days; a millisecond more is not."""
        def decayed(age_ms):
            return 0.5 ** (age_ms / (60 * DAY))
        unit = -math.log(1 - .2)
        for age, rank in ((30 * DAY, 1), (30 * DAY + 1, 0)):
            self.code = self.fresh()
            want = 10000 * (1 - math.exp(-unit * (decayed(age) + 0.5 ** rank)))
            self.assertAlmostEqual(self.pushed(age, 0), want, delta=4)

    def test_any_order_gives_the_same(self):
        ages = [20 * DAY, 41 * DAY, 5 * DAY, 0, 70 * DAY, 36 * DAY]
        scores = set()
        for order in list(itertools.permutations(ages))[::97]:
            self.code = self.fresh()
            scores.add(round(self.pushed(*order) / 3))
        self.assertLessEqual(len(scores), 2, scores)


class Clearing(Alerts):
    def test_clears_what_came_before(self):
        at = now_ms()
        self.take(sig("court.seizure", self.code, at=at - 2 * DAY))
        self.take(sig("court.enforcement", self.code, at=at - DAY))
        self.take(sig("court.dishonest", self.code, at=at - DAY))
        self.take(sig("court.released", self.code, at=at))
        self.assertAlmostEqual(self.score(), 2500, delta=10)  # the listing is not among them
        flags = {s["kind"]: s["cleared"] for s in self.c.enterprise(self.code)["signals"]}
        self.assertEqual(flags, {"court.seizure": True, "court.enforcement": True, "court.dishonest": False,
                                 "court.released": False})

    def test_in_any_order_of_arrival(self):
        at = now_ms()
        signals = [("subdistrict.shutdown", at - 3 * DAY), ("subdistrict.owner_unreachable", at - 2 * DAY),
                   ("subdistrict.resumed", at - DAY), ("subdistrict.shutdown", at)]
        for order in itertools.permutations(signals):
            self.code = self.fresh()
            self.accepted(self.c.push(*[sig(k, self.code, at=t) for k, t in order]), 4)
            self.assertAlmostEqual(self.score(), 4000, delta=3)

    def test_of_the_same_moment(self):
        """Not after its own: the same millisecond is cleared, one later is not, whichever came first."""
        at = now_ms() - HOUR
        for age, cleared in ((0, True), (1, False), (-1, True)):
            for first in (True, False):
                code = self.fresh()
                pair = [sig("tax.arrears", code, at=at + age), sig("tax.settled", code, at=at)]
                self.accepted(self.c.push(*(pair if first else reversed(pair))), 2)
                self.assertEqual(self.c.enterprise(code)["score"] == 0, cleared, (age, first))

    def test_across_agencies(self):
        at = now_ms()
        self.take(sig("police.wage_dispute_call", self.code, at=at - DAY))
        self.take(sig("hotline.complaint", self.code, at=at - DAY))
        self.take(sig("subdistrict.wages_paid", self.code, at=at))
        self.assertEqual(self.score(), 0)

    def test_withdraws(self):
        at = now_ms()
        self.take(sig("police.owner_missing", self.code, at=at - HOUR))
        self.take(sig("police.owner_found", self.code, at=at))
        self.assertEqual(brief(self.events_of(self.code)), [("raised", "major"), ("withdrawn", "none")])

    def test_cleared_ones_rank_no_repeats(self):
        at = now_ms()
        self.take(sig("subdistrict.shutdown", self.code, at=at - 2 * DAY))
        self.take(sig("subdistrict.resumed", self.code, at=at - DAY))
        self.take(sig("subdistrict.shutdown", self.code, at=at))
        self.assertAlmostEqual(self.score(), 4000, delta=2)

    def test_cleared_on_arrival_makes_no_event(self):
        at = now_ms()
        self.take(sig("police.owner_missing", self.code, at=at))
        self.take(sig("tax.settled", self.code, at=at))
        self.take(sig("tax.arrears", self.code, at=at - DAY))
        self.assertEqual(brief(self.events_of(self.code)), [("raised", "major")])


class Future(Alerts):
    def test_counts_as_of_age_nothing(self):
        at = now_ms()
        self.take(sig("police.owner_missing", self.code, at=at + 20 * HOUR))
        self.assertEqual(self.score(), 7500)
        self.assertEqual(brief(self.events_of(self.code)), [("raised", "major")])

    def test_at_the_threshold_counts(self):
        """A weight of 0.40 at age nothing is a score of 40: at or above counts."""
        self.take(sig("court.wage_suit", self.code, at=now_ms() + HOUR))
        self.assertIn(self.score(), (3999, 4000))


class Rules(Alerts):
    rules = THREE_AGENCIES

    def test_three_agencies(self):
        events = self.story(("tax.filing_missed", None, None), ("market.legal_rep_changed", None, None))
        self.assertEqual(events, [])
        events = self.story(("tax.invoice_stopped", None, None))
        self.assertEqual(events, [])
        events = self.story(("utility.property_fee_overdue", "x", None))
        self.assertEqual(brief(events), [("raised", "major")])
        (reason,) = events[0]["reasons"]
        self.assertEqual((reason["rule"], reason["level"]), ("three-agencies", "major"))
        self.assertEqual(set(reason["signals"]) <= {v["seq"] for v in events[0]["evidence"]}, True)
        events = self.story(("utility.property_fee_overdue", "y", "x"))
        self.assertEqual(brief(events)[1:], [("withdrawn", "none")])

    def test_window(self):
        at = now_ms()
        for days, raised in ((44.9, True), (45.1, False)):
            code = self.fresh()
            self.accepted(self.c.push(sig("tax.filing_missed", code, at=int(at - days * DAY)),
                                      sig("market.legal_rep_changed", code, at=at - 20 * DAY),
                                      sig("utility.property_fee_overdue", code, at=at)), 3)
            self.assertEqual(brief(self.events_of(code)), [("raised", "major")] if raised else [], days)

    def test_what_weighs_nothing_is_no_agency(self):
        events = self.story(("tax.filing_missed", None, None), ("market.legal_rep_changed", None, None),
                            ("registry.profile", None, None), ("court.released", None, None))
        self.assertEqual(events, [])

    def test_cleared_is_no_agency(self):
        at = now_ms()
        self.accepted(self.c.push(sig("tax.arrears", self.code, at=at - DAY), sig("tax.settled", self.code, at=at),
                                  sig("market.legal_rep_changed", self.code, at=at),
                                  sig("utility.property_fee_overdue", self.code, at=at)), 4)
        self.assertEqual(self.events_of(self.code), [])

    def test_highest_rule_wins(self):
        """The score says general, the rule major; both are reasons."""
        events = self.story(("subdistrict.wage_delay", None, None), ("tax.filing_missed", None, None),
                            ("utility.property_fee_overdue", None, None))
        self.assertEqual(brief(events), [("raised", "general"), ("evidence", "general"), ("upgraded", "major")])
        self.assertEqual({r["rule"]: r["level"] for r in events[-1]["reasons"]},
                         {"three-agencies": "major", "score": "general"})


class Clock(Alerts):
    """What only the passing of time makes due: a signal leaves its window with nothing to prompt it."""

    rules = SCORE_ONLY + """\
  - id: recent
    title: {zh: 近期, en: Missed a filing within 45 days}
    when: {signal: tax.filing_missed, within: 45d}
    then: {raise: general}
"""

    def test_a_window_ends(self):
        sub = self.c.subscribe(**{"from": -1, "credit": 10})
        at = now_ms() - 45 * DAY + 1500
        self.take(sig("tax.filing_missed", self.code, at=at))
        events = self.events_of(self.code, self.c.until(sub["session"], sub["head"] + 2))
        self.assertEqual(brief(events), [("raised", "general"), ("withdrawn", "none")])
        self.assertEqual(events[1]["at"], at + 45 * DAY + 1)  # the first moment that is outside

    def test_while_it_was_down(self):
        """What became due in the meantime comes at the start, in order, with the times at which it was due."""
        others, due = [self.fresh() for _ in range(5)], {}
        for n, code in enumerate(others):
            at = now_ms() - 45 * DAY + 1200 + 37 * (n * 3 % 5)
            due[code] = at + 45 * DAY + 1
            self.take(sig("tax.filing_missed", code, at=at))
        self.daemon.stop()
        select.select([], [], [], max(0, max(due.values()) - now_ms()) / 1000 + 0.1)  # the time itself must pass
        self.daemon.start()
        c = self.client()
        sub = c.subscribe(credit=1000)
        events = c.until(sub["session"], sub["head"])
        while sum(e["type"] == "withdrawn" and e["enterprise"]["uscc"] in due for e in events) < 5:
            verb, body = c.next(sub["session"])
            events += [body] if verb == "event" else []
        late = [(e["at"], e["enterprise"]["uscc"]) for e in events if e["type"] == "withdrawn" and e["enterprise"]["uscc"] in due]
        self.assertEqual(late, sorted((at, code) for code, at in due.items()))

    def test_a_future_signal_does_not_leave_early(self):
        self.take(sig("tax.filing_missed", self.code, at=now_ms() + 20 * HOUR))
        self.assertEqual(brief(self.events_of(self.code)), [("raised", "general")])


class Names(Alerts):
    """A name alone, a code with that name, in any order: the same enterprise in the end."""

    def test_name_then_code(self):
        name = "先名后码示例有限公司"
        self.take(sig("police.owner_missing", code=None, uscc=None, name=name, at=now_ms()))
        e = self.c.enterprise(name=name)
        self.assertEqual((e["level"], e["name"]), ("major", name))
        self.assertFalse(e.get("uscc"))
        self.take(sig("tax.filing_missed", self.code, name=name, at=now_ms()))
        e = self.c.enterprise(self.code)
        self.assertEqual(sorted(s["kind"] for s in e["signals"]), ["police.owner_missing", "tax.filing_missed"])
        self.assertAlmostEqual(e["score"], 10000 * (1 - .25 * .94), delta=3)
        self.assertEqual(self.c.enterprise(name=name)["uscc"], self.code)

    def test_code_then_name(self):
        name = "先码后名示例有限公司"
        self.take(sig("tax.filing_missed", self.code, name=name, at=now_ms()))
        self.take(sig("police.owner_missing", code=None, uscc=None, name=name, at=now_ms()))
        e = self.c.enterprise(self.code)
        self.assertAlmostEqual(e["score"], 10000 * (1 - .25 * .94), delta=3)
        self.assertEqual(brief(self.events_of(self.code)), [("raised", "major")])

    def test_any_order(self):
        kinds = [("tax.filing_missed", True), ("police.owner_missing", False), ("court.seizure", False), ("tax.arrears", True)]
        scores = set()
        for n, order in enumerate(itertools.permutations(kinds)):
            name, code = "任意次序%d号示例公司" % n, self.fresh()
            for kind, coded in order:
                self.take(sig(kind, code if coded else None, uscc=None if not coded else code, name=name, at=now_ms()))
            e = self.c.enterprise(code)
            self.assertEqual(len(e["signals"]), 4, order)
            self.assertEqual(e["level"], "critical", order)
            scores.add(round(e["score"] / 4))
        self.assertLessEqual(len(scores), 2, scores)

    def test_brackets_and_widths(self):
        self.take(sig("tax.arrears", self.code, name="示例（平湖）ＡＢＣ 有限公司", at=now_ms()))
        self.take(sig("court.seizure", code=None, uscc=None, name="示例(平湖)abc有限公司", at=now_ms()))
        self.take(sig("market.abnormal_list", code=None, uscc=None, name=" 示例（平湖)Abc　有限公司 ", at=now_ms()))
        self.assertEqual(len(self.c.enterprise(self.code)["signals"]), 3)

    def test_the_beginning_of_a_name_is_not_the_name(self):
        branch = self.fresh()
        self.take(sig("tax.arrears", self.code, name="开头示例制衣有限公司", at=now_ms()))
        self.take(sig("tax.arrears", branch, name="开头示例制衣有限公司乍浦分公司", at=now_ms()))
        self.take(sig("court.seizure", code=None, uscc=None, name="开头示例制衣有限公司", at=now_ms()))
        self.assertEqual(len(self.c.enterprise(self.code)["signals"]), 2)
        self.assertEqual(len(self.c.enterprise(branch)["signals"]), 1)

    def test_several_of_one_name_are_not_guessed(self):
        other, name = self.fresh(), "同名示例有限公司"
        self.take(sig("tax.arrears", self.code, name=name, at=now_ms()))
        self.take(sig("tax.arrears", other, name=name, at=now_ms()))
        self.take(sig("police.owner_missing", code=None, uscc=None, name=name, at=now_ms()))
        for code in (self.code, other):
            self.assertEqual(len(self.c.enterprise(code)["signals"]), 1)
            self.assertEqual(self.events_of(code), [])

    def test_merging_alerts(self):
        """The provisional enterprise's alert and the coded one's: the older stays, the younger is withdrawn into it."""
        name = "合并预警示例有限公司"
        self.take(sig("police.owner_missing", code=None, uscc=None, name=name, at=now_ms()))
        self.take(sig("subdistrict.wage_delay", self.code, at=now_ms()))
        self.take(sig("tax.filing_missed", self.code, name=name, at=now_ms()))
        mine = [e for e in self.c.all_events() if e["enterprise"].get("uscc") == self.code or e["enterprise"].get("name") == name]
        older = mine[0]["alert"]
        younger = [e["alert"] for e in mine if e["alert"] != older]
        self.assertTrue(younger)
        withdrawn = [e for e in mine if e["type"] == "withdrawn"]
        self.assertEqual([(e["alert"], e["merged_into"]) for e in withdrawn], [(younger[0], older)])
        open_ones = [a for a in self.c.alerts() if a["enterprise"].get("name") == name or a["enterprise"].get("uscc") == self.code]
        self.assertEqual([(a["alert"], a["level"]) for a in open_ones], [(older, "critical")])


class Exercises(Alerts):
    def test_apart_from_what_is_actual(self):
        for status in ("exercise", "test"):
            self.code = self.fresh()
            events = self.story(("police.owner_missing", None, None), ("subdistrict.wage_delay", None, None), status=status)
            self.assertEqual(brief(events), [("raised", "major"), ("upgraded", "critical")])
            self.assertEqual([e["status"] for e in events], [status] * 2)
            mine = [a for a in self.c.alerts() if a["enterprise"]["uscc"] == self.code]
            self.assertEqual(mine, [])
            mine = [a for a in self.c.alerts(status=status) if a["enterprise"]["uscc"] == self.code]
            self.assertEqual([a["level"] for a in mine], ["critical"])
            events = self.story(("tax.arrears", None, None))
            self.assertAlmostEqual(self.score(), 1000, delta=1)
            self.assertEqual(len(events), 2)

    def test_actual_signals_do_not_count_in_an_exercise(self):
        self.story(("police.owner_missing", None, None))
        events = self.story(("tax.arrears", None, None), status="exercise")
        self.assertEqual(brief(events), [("raised", "major")])

    def test_ids_are_shared_by_all(self):
        s = sig("tax.arrears", self.code, status="exercise")
        self.take(s)
        self.accepted(self.c.push(dict(s, status="actual")), 0, 1)


class Factors(Alerts):
    rules = SCORE_ONLY.replace("  others_at_least: 5\n", """  others_at_least: 5
  factors:
    industry: {E: 1.3, C18: 1.2, C: 1.1}
    credit: {A: 0.7, B: 1.0, C: 1.4}
""")

    def times(self, weight, factor):
        return 10000 * (1 - (1 - weight) ** factor)

    def test_industry_by_its_longest_prefix(self):
        for industry, factor in (("E", 1.3), ("E47", 1.3), ("C18", 1.2), ("C1811", 1.2), ("C17", 1.1), ("F51", 1)):
            self.code = self.fresh()
            self.take(sig("court.seizure", self.code, at=now_ms(), industry=industry))
            self.assertAlmostEqual(self.score(), self.times(.35, factor), delta=3)

    def test_industry_of_the_latest(self):
        at = now_ms()
        for order in ((0, 1), (1, 0)):
            self.code = self.fresh()
            pair = [sig("court.seizure", self.code, at=at, industry="E"), sig("tax.arrears", self.code, at=at - HOUR, industry="F51")]
            self.accepted(self.c.push(*[pair[i] for i in order]), 2)
            self.assertAlmostEqual(self.score(), self.times(1 - .65 * .9, 1.3), delta=4)

    def test_profile_says_first(self):
        at = now_ms()
        self.take(sig("registry.profile", self.code, at=at - DAY, industry="C18", attrs={"credit": "C"}))
        self.take(sig("court.seizure", self.code, at=at, industry="E"))
        self.assertAlmostEqual(self.score(), self.times(.35, 1.2 * 1.4), delta=3)
        self.take(sig("registry.profile", self.code, at=at, attrs={"credit": "A"}))
        self.assertAlmostEqual(self.score(), self.times(.35, 1.2 * 0.7), delta=3)


if __name__ == "__main__":
    main()
