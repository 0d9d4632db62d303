#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""subscribe: credit, the chain of prev, heartbeats, every kind of `from`, filters, sessions, slow readers, resuming."""
import unittest

from harness import Daemon, SCORE_ONLY, Timeout, WireCase, brief, main, now_ms, sig, uscc, without_session


def raise_one(c, code, **more):
    """One alert event: raised, major."""
    ack = c.push(sig("police.owner_missing", code, at=now_ms(), **more))
    assert ack["accepted"] == 1, ack


class Credit(WireCase):
    def test_subscribed(self):
        store = self.c.hello()["store"]
        sub = self.c.subscribe(credit=0)
        self.assertEqual(sub["store"], store)
        for key in ("session", "from", "head", "oldest"):
            self.assertIsInstance(sub[key], int, key)
        self.assertIsInstance(sub["regions"], list)

    def test_nothing_without_credit(self):
        sub = self.c.subscribe(**{"from": -1, "credit": 0})
        feeder = self.client()
        for _ in range(3):
            raise_one(feeder, self.fresh())
        head = feeder.head()
        while True:
            verb, body = self.c.next(sub["session"])
            self.assertEqual(verb, "heartbeat")
            if body["head"] >= head:
                break
        self.assertEqual(body["upto"], sub["head"])
        self.c.credit(sub["session"], 3)
        events = self.c.until(sub["session"], head, credit=False)
        self.assertEqual([e["seq"] for e in events], list(range(sub["head"] + 1, head + 1)))

    def test_credit_is_counted(self):
        feeder = self.client()
        sub = self.c.subscribe(**{"from": -1, "credit": 2})
        for _ in range(7):
            raise_one(feeder, self.fresh())
        head, got = feeder.head(), []
        for grant in (2, 1, 3, 1):
            if got:
                self.c.credit(sub["session"], grant)
            for _ in range(grant):
                while True:
                    verb, body = self.c.next(sub["session"])
                    if verb == "event":
                        break
                got.append(body["seq"])
            while True:  # then a heartbeat that says so, and no event before it
                verb, body = self.c.next(sub["session"])
                self.assertEqual(verb, "heartbeat", "more events than credit")
                if body["upto"] >= got[-1] and body["head"] >= head:
                    break
            self.assertEqual(body["last"], got[-1])
        self.assertEqual(got, list(range(sub["head"] + 1, head + 1)))
        self.assertEqual(body["upto"], head)

    def test_heartbeat(self):
        sub = self.c.subscribe(**{"from": -1, "credit": 5})
        verb, body = self.c.next(sub["session"])
        self.assertEqual(verb, "heartbeat")
        for key in ("session", "last", "upto", "head", "at"):
            self.assertIsInstance(body[key], int, key)
        self.assertEqual((body["last"], body["upto"]), (0, sub["head"]))
        self.assertLess(abs(body["at"] - now_ms()), 60000)
        for _ in range(2):  # and again, with nothing going on
            self.assertEqual(self.c.next(sub["session"])[0], "heartbeat")

    def test_event_body(self):
        sub = self.c.subscribe(**{"from": -1, "credit": 10})
        at = now_ms()
        self.c.push(sig("court.seizure", self.code, id="seizure-1", at=at, name="示例体制衣有限公司", region="330482001",
                        industry="C18", amount=5000, people=4),
                    sig("tax.arrears", self.code, id="tax-1", at=at))
        events = self.events_of(self.code, self.c.until(sub["session"], self.c.head()))
        e = events[-1]
        self.assertEqual(e["enterprise"], {"uscc": self.code, "name": "示例体制衣有限公司", "region": "330482001", "industry": "C18"})
        self.assertEqual((e["type"], e["level"], e["alert"]), ("raised", "general", e["seq"]))
        self.assertNotIn("status", e)
        self.assertAlmostEqual(e["score"], 4150, delta=2)
        self.assertTrue(e["title"])
        self.assertIsInstance(e["teams"], list)
        self.assertLess(abs(e["at"] - now_ms()), 60000)
        (reason,) = e["reasons"]
        self.assertEqual((reason["rule"], reason["level"], reason["signals_total"]), ("score", "general", 2))
        self.assertEqual(sorted(reason["signals"]), sorted(v["seq"] for v in e["evidence"]))
        first, second = e["evidence"]
        self.assertEqual((first["id"], first["source"], first["kind"], first["agency"], first["at"], first["amount"],
                          first["people"]), ("seizure-1", "court", "court.seizure", "court", at, 5000, 4))
        self.assertEqual((second["id"], second["kind"]), ("tax-1", "tax.arrears"))
        self.assertAlmostEqual(first["share"] + second["share"], 1000000, delta=2)
        self.assertAlmostEqual(first["share"], 803500, delta=1500)  # ln .65 / (ln .65 + ln .9)


class From(WireCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.daemon.client() as c:
            for n in range(20):
                raise_one(c, uscc(n))

    def read(self, **body):
        sub = self.c.subscribe(credit=1000, **body)
        events = self.c.until(sub["session"], sub["head"])
        self.c.expect("done", "unsubscribe", session=sub["session"])
        return sub, [e["seq"] for e in events]

    def test_the_beginning(self):
        for body in ({}, {"from": 0}, {"from": 1}):
            sub, seqs = self.read(**body)
            self.assertEqual(sub["from"], 1)
            self.assertEqual(sub["oldest"], 1)
            self.assertEqual(seqs, list(range(1, sub["head"] + 1)))

    def test_from_now_on(self):
        sub, seqs = self.read(**{"from": -1})
        self.assertEqual((sub["from"], seqs), (sub["head"] + 1, []))
        sub = self.c.subscribe(**{"from": -1, "credit": 10})
        raise_one(self.client(), self.fresh())
        self.assertEqual([e["seq"] for e in self.c.until(sub["session"], sub["head"] + 1)], [sub["head"] + 1])

    def test_a_number(self):
        for n in (2, 7, 20):
            sub, seqs = self.read(**{"from": n})
            self.assertEqual(sub["from"], n)
            self.assertEqual(seqs, list(range(n, sub["head"] + 1)))

    def test_one_past_the_head_waits(self):
        head = self.c.head()
        sub, seqs = self.read(**{"from": head + 1})
        self.assertEqual((sub["from"], seqs), (head + 1, []))

    def test_beyond_the_head(self):
        head = self.c.head()
        for n in (head + 2, head + 1000, 2**63 - 1):
            self.c.error("store_changed", "subscribe", **{"from": n})

    def test_impossible(self):
        for bad in (-2, -100, "1", 1.5):
            self.c.error("bad_field", "subscribe", **{"from": bad})

    def test_store(self):
        store = self.c.hello()["store"]
        sub, _ = self.read(store=store)
        self.assertEqual(sub["store"], store)
        self.c.error("store_changed", "subscribe", store="0" * len(store))
        self.c.error("store_changed", "subscribe", store="")
        self.c.error("store_changed", "subscribe", store="x", **{"from": -1})

    def test_resume_with_a_cursor(self):
        """Read a few, drop the connection, resume at upto + 1: together the whole log, each once."""
        head, got, cursor = self.c.head(), [], 0
        while cursor < head:
            with self.daemon.client() as c:
                sub = c.subscribe(**{"from": cursor + 1, "credit": 3, "store": c.hello()["store"]})
                while True:
                    verb, body = c.next(sub["session"])
                    if verb == "event":
                        got.append(without_session(body))
                    elif body["upto"] >= min(cursor + 3, head):
                        cursor = body["upto"]
                        break
        self.assertEqual(got, [without_session(e) for e in self.c.all_events()][:len(got)])
        self.assertEqual([e["seq"] for e in got], list(range(1, head + 1)))

    def test_resume_after_a_restart(self):
        before = [without_session(e) for e in self.c.all_events()]
        self.daemon.restart()
        c = self.client()
        after = [without_session(e) for e in c.all_events()]
        self.assertEqual(after, before)
        self.assertEqual([without_session(e) for e in c.all_events(**{"from": 5})], before[4:])


class Sessions(WireCase):
    def test_unsubscribe(self):
        sub = self.c.subscribe(**{"from": -1, "credit": 100})
        raise_one(self.c, self.fresh())
        self.c.until(sub["session"], sub["head"] + 1)
        self.c.expect("done", "unsubscribe", session=sub["session"])
        self.c.inbox.clear()
        raise_one(self.c, self.fresh())
        other = self.c.subscribe(**{"from": -1, "credit": 100})  # its heartbeats pass the time
        for _ in range(3):
            self.c.next(other["session"])
        self.assertEqual([m for m in self.c.inbox if m[1].get("session") == sub["session"]], [])

    def test_unsubscribe_what_is_none(self):
        got, _ = self.c.ask("unsubscribe", session=2**40)
        self.assertIn(got, ("error", "done"))
        self.c.error("missing_field", "unsubscribe")
        self.c.error("bad_field", "unsubscribe", session="x")
        self.c.send("credit", {"session": 2**40, "n": 5})
        self.c.send("credit", {"session": 1})
        self.c.send("credit", {"n": -1, "session": 1})
        self.c.hello()

    def test_several_on_one_connection(self):
        subs = [self.c.subscribe(**{"from": -1, "credit": n * 100}) for n in (0, 1, 2)]
        self.assertEqual(len({s["session"] for s in subs}), 3)
        feeder = self.client()
        for _ in range(5):
            raise_one(feeder, self.fresh())
        head = feeder.head()
        for s in subs[1:]:
            self.assertEqual(len(self.c.until(s["session"], head)), 5)
        self.assertEqual([m for m in self.c.inbox if m[0] == "event" and m[1]["session"] == subs[0]["session"]], [])
        self.c.credit(subs[0]["session"], 5)
        self.assertEqual(len(self.c.until(subs[0]["session"], head, credit=False)), 5)

    def test_a_session_belongs_to_its_connection(self):
        sub = self.c.subscribe(**{"from": -1, "credit": 0})
        stranger = self.client()
        stranger.credit(sub["session"], 100)
        stranger.ask("unsubscribe", session=sub["session"])
        raise_one(stranger, self.fresh())
        head = stranger.head()
        verb, body = self.c.next(sub["session"])
        while body["head"] < head:
            self.assertEqual(verb, "heartbeat")
            verb, body = self.c.next(sub["session"])
        self.assertEqual((verb, body["upto"]), ("heartbeat", sub["head"]))
        self.c.credit(sub["session"], 100)
        self.assertEqual(len(self.c.until(sub["session"], head)), head - sub["head"])

    def test_many_readers_see_the_same(self):
        readers = [self.client() for _ in range(20)]
        subs = [r.subscribe(**{"from": -1, "credit": 50}) for r in readers]
        for _ in range(10):
            raise_one(self.c, self.fresh())
        head = self.c.head()
        seen = [[without_session(e) for e in r.until(s["session"], head)] for r, s in zip(readers, subs)]
        self.assertEqual(len(seen[0]), 10)
        for other in seen[1:]:
            self.assertEqual(other, seen[0])


class Filters(WireCase):
    def test_regions(self):
        here, there, both, none = (self.fresh() for _ in range(4))
        subs = {"all": self.c.subscribe(**{"from": -1, "credit": 100})}
        subs.update((name, self.c.subscribe(**{"from": -1, "credit": 100, "regions": regions})) for name, regions in (
            ("pinghu", ["330482"]), ("jiaxing", ["3304"]), ("street", ["330482001"]), ("beijing", ["11"]),
            ("two", ["330402", "110105"]), ("digits", ["33048"])))
        raise_one(self.c, here, region="330482001")
        raise_one(self.c, there, region="110105")
        raise_one(self.c, both, region="330402")
        self.c.push(sig("tax.arrears", both, region="330482002", at=now_ms()))  # a second place: `evidence`
        raise_one(self.c, none)
        head = self.c.head()
        got = {name: [(e["enterprise"]["uscc"], e["type"]) for e in self.c.until(s["session"], head)]
               for name, s in subs.items()}
        one, two = [(here, "raised")], [(both, "raised"), (both, "evidence")]
        self.assertEqual(got["all"], one + [(there, "raised")] + two + [(none, "raised")])
        self.assertEqual(got["pinghu"], one + two[1:])
        self.assertEqual(got["jiaxing"], one + two)
        self.assertEqual(got["street"], one)
        self.assertEqual(got["beijing"], [(there, "raised")])
        self.assertEqual(got["two"], [(there, "raised")] + two)
        self.assertEqual(got["digits"], one + two[1:])

    def test_registered_place_and_place_of_work(self):
        code = self.fresh()
        subs = [self.c.subscribe(**{"from": -1, "credit": 9, "regions": [r]}) for r in ("330402", "110105", "330483")]
        self.c.push(sig("registry.profile", code, region="330402"))
        raise_one(self.c, code, region="110105")
        head = self.c.head()
        got = [self.c.until(s["session"], head) for s in subs]
        self.assertEqual([len(g) for g in got], [1, 1, 0])
        self.assertEqual(got[0][0]["enterprise"]["region"], "330402")

    def test_bad_regions(self):
        for bad in (["x"], ["33a"], [3304], "3304", {"a": 1}, [None]):
            self.c.error("bad_field", "subscribe", regions=bad, credit=0)

    def test_min_level_before_or_after(self):
        c, code = self.c, self.fresh()
        subs = {level: c.subscribe(**{"from": -1, "credit": 100, "min_level": level})
                for level in ("general", "major", "critical")}
        story = [("subdistrict.wage_delay", "x1", None), ("police.owner_missing", "x2", None),
                 ("court.bankruptcy", "x3", None), ("tax.arrears", "x4", None), ("court.bankruptcy", "x5", "x3"),
                 ("police.owner_missing", "x6", "x2"), ("subdistrict.wage_delay", "x7", "x1")]
        for kind, name, cancels in story:
            self.take(sig(kind, code, id=name, cancels=cancels, at=now_ms()))
        head = c.head()
        got = {level: brief(c.until(s["session"], head)) for level, s in subs.items()}
        # 50; 87.5, which is critical with two agencies; 94.4; 94.9; 88.8; 55; 10
        everything = [("raised", "general"), ("upgraded", "critical"), ("evidence", "critical"), ("evidence", "critical"),
                      ("evidence", "critical"), ("downgraded", "general"), ("withdrawn", "none")]
        self.assertEqual(got["general"], everything)
        self.assertEqual(got["major"], everything[1:6])
        self.assertEqual(got["critical"], everything[1:6])
        self.c.error("bad_field", "subscribe", min_level="red")
        self.c.error("bad_field", "subscribe", min_level="none")

    def test_filtered_events_move_upto(self):
        sub = self.c.subscribe(**{"from": -1, "credit": 5, "regions": ["65"]})
        for _ in range(10):
            raise_one(self.c, self.fresh(), region="330482")
        head = self.c.head()
        self.assertEqual(self.c.until(sub["session"], head), [])
        self.take(sig("police.owner_missing", self.fresh(), region="653121", at=now_ms()))
        events = self.c.until(sub["session"], self.c.head())
        self.assertEqual([(e["seq"], e["prev"]) for e in events], [(head + 1, 0)])


class Slow(unittest.TestCase):
    def test_a_reader_that_never_reads(self):
        """It has all the credit in the world and does not read: all others are served."""
        with Daemon(rules=SCORE_ONLY) as d:
            d.start()
            with d.client(hwm=1) as dead, d.client() as c, d.client() as reader:
                dead.send("subscribe", {"credit": 2**32 - 1})
                sub = reader.subscribe(**{"from": -1, "credit": 500})
                ids = 0
                for _ in range(6):
                    for _ in range(5):
                        batch = []
                        for _ in range(200):
                            ids += 1
                            batch.append(sig("police.owner_missing", uscc(10000 + ids), at=now_ms()))
                        self.assertEqual(c.push(*batch)["accepted"], 200)
                    head = c.head()
                    reader.until(sub["session"], head)
                self.assertEqual(head, 6000)
                c.hello()

    def test_a_reader_that_dies(self):
        with Daemon(rules=SCORE_ONLY) as d:
            d.start()
            with d.client() as c:
                for n in range(30):
                    with d.client() as gone:
                        gone.subscribe(credit=1000)
                    c.push(sig("police.owner_missing", uscc(20000 + n), at=now_ms()))
                self.assertEqual(c.head(), 30)

    def test_only_credit_counts(self):
        """300 sessions without credit get heartbeats and cost next to nothing."""
        with Daemon(rules=SCORE_ONLY) as d:
            d.start()
            with d.client() as c, d.client() as idle:
                for _ in range(300):
                    idle.post("subscribe", **{"from": 0, "credit": 0})
                answers = [idle.receive() for _ in range(300)]
                self.assertTrue(all(v in ("subscribed", "heartbeat", "error") for v, _ in answers))
                for n in range(50):
                    raise_one(c, uscc(30000 + n))
                self.assertEqual(len(c.all_events()), 50)
                try:
                    while True:
                        self.assertNotEqual(idle.receive(0)[0], "event")
                except Timeout:
                    pass


if __name__ == "__main__":
    main()
