#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""query: each thing that can be asked, its shape, filters and pages; a result is never older than what was acknowledged."""
import csv
import os

from harness import CONFIG, DAY, HOUR, LEVELS, THREE_AGENCIES, WireCase, main, now_ms, sig, uscc


class Query(WireCase):
    rules = THREE_AGENCIES


class Status(Query):
    def test_shape(self):
        self.take(sig("police.owner_missing", self.code, at=now_ms()))
        s = self.c.query("status")
        self.assertEqual((s["ready"], s["store"]), (True, self.c.hello()["store"]))
        self.assertIsInstance(s["version"], str)
        for key, kind in (("uptime_ms", int), ("journal", dict), ("enterprises", int), ("alerts", list), ("feeds", list),
                          ("subscribers", list), ("disk", dict), ("problems", list)):
            self.assertIsInstance(s[key], kind, key)
        self.assertGreaterEqual(s["journal"]["last"], s["as_of"])
        self.assertGreater(s["journal"]["bytes"], 0)
        self.assertTrue(0 < s["disk"]["free_ppm"] <= 1000000)
        for row in s["alerts"]:
            self.assertIn(row["level"], LEVELS)
            self.assertGreaterEqual(row["open"], row["overdue"])
            self.assertIn("oldest_at", row)

    def test_counts_grow(self):
        before = self.c.query("status")
        code = self.fresh()
        self.take(sig("police.owner_missing", code, at=now_ms()))
        after = self.c.query("status")
        self.assertEqual(after["enterprises"], before["enterprises"] + 1)
        major = [sum(r["open"] for r in s["alerts"] if r["level"] == "major") for s in (before, after)]
        self.assertEqual(major[1], major[0] + 1)

    def test_subscribers(self):
        sub = self.client().subscribe(**{"from": -1, "credit": 5})
        listed = self.c.query("status")["subscribers"]
        self.assertEqual(len(listed), 1, listed)
        self.assertEqual(sub["head"], self.c.head())


class Feeds(Query):
    def feed(self, source):
        return next((f for f in self.c.query("feeds")["feeds"] if f["source"] == source), None)

    def test_counts(self):
        s = sig("utility.bill_overdue", self.code)
        before = self.feed("utility") or {"accepted": 0, "duplicates": 0, "rejected": 0}
        self.c.push(s, sig("utility.bill_paid", self.code), s, sig("utility.bill_paid", "91330482XX"))
        after = self.feed("utility")
        self.assertEqual([after[k] - before[k] for k in ("accepted", "duplicates", "rejected")], [2, 1, 1])
        self.assertLess(abs(after["last_at"] - now_ms()), 60000)
        self.assertGreaterEqual(after["today"], 2)
        self.assertEqual(self.c.query("status")["feeds"], self.c.query("feeds")["feeds"])

    def test_exercises_and_tests_do_not_count(self):
        self.c.push(sig("utility.bill_overdue", self.code))
        before = self.feed("utility")
        for status in ("exercise", "test"):
            s = sig("utility.bill_overdue", self.code, status=status)
            self.c.push(s, s, sig("utility.bill_paid", "91330482XX", status=status))
        self.assertEqual(self.feed("utility"), before)


class Alerts(Query):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.firms = [uscc(n) for n in range(1, 31)]
        with cls.daemon.client() as c:
            for n, code in enumerate(cls.firms):
                region = ("330482001", "330402", "110105")[n % 3]
                kinds = (["subdistrict.wage_delay"], ["police.owner_missing"],
                         ["police.owner_missing", "subdistrict.wage_delay"])[n // 10]
                c.push(*[sig(k, code, at=now_ms(), region=region, name="示例%d号查询公司" % n, industry="C18") for k in kinds])
            for code in cls.firms[:2]:  # two that are over: withdrawn
                c.push(sig("subdistrict.wages_paid", code, at=now_ms() + HOUR))

    def codes(self, **body):
        return [a["enterprise"]["uscc"] for a in self.c.alerts(**body)]

    def test_item(self):
        item = next(a for a in self.c.alerts() if a["enterprise"]["uscc"] == self.firms[20])
        self.assertLessEqual({"alert", "version", "state", "level", "score", "enterprise", "title", "raised_at", "due", "teams"},
                             set(item))
        self.assertEqual(item["enterprise"], {"uscc": self.firms[20], "name": "示例20号查询公司", "region": "110105", "industry": "C18"})
        self.assertEqual((item["state"], item["level"]), ("open", "critical"))
        self.assertEqual(item["version"], 2)
        self.assertAlmostEqual(item["score"], 8750, delta=2)
        self.assertLess(abs(item["raised_at"] - now_ms()), 600000)

    def test_all_but_closed(self):
        self.assertEqual(sorted(self.codes()), sorted(self.firms[2:]))
        self.assertEqual(sorted(self.codes(state="open")), sorted(self.firms[2:]))
        self.assertEqual(sorted(self.codes(state="any")), sorted(self.firms))
        self.assertEqual(sorted(self.codes(state="closed")), sorted(self.firms[:2]))
        self.assertEqual(self.codes(state="verified"), [])

    def test_level(self):
        for level, want in (("general", self.firms[2:10]), ("major", self.firms[10:20]), ("critical", self.firms[20:])):
            self.assertEqual(sorted(self.codes(level=level)), sorted(want), level)

    def test_region(self):
        for prefix, rests in (("330482", (0,)), ("3304", (0, 1)), ("33", (0, 1)), ("110105", (2,)), ("65", ())):
            want = [f for n, f in enumerate(self.firms) if n % 3 in rests and n > 1]
            self.assertEqual(sorted(self.codes(region=prefix)), sorted(want), prefix)

    def test_filters_together(self):
        want = [f for n, f in enumerate(self.firms) if n % 3 == 1 and 10 <= n < 20]
        self.assertEqual(sorted(self.codes(region="330402", level="major")), sorted(want))

    def test_overdue_and_status(self):
        self.assertEqual(self.codes(overdue=True), [])
        self.assertEqual(self.codes(status="exercise"), [])
        self.assertEqual(sorted(self.codes(status="actual")), sorted(self.firms[2:]))

    def test_pages(self):
        whole = self.c.alerts()
        for limit in (1, 3, 7, 28, 1000):
            got, body = [], {"limit": limit}
            while True:
                page = self.c.query("alerts", **body)
                self.assertLessEqual(len(page["alerts"]), limit)
                got += page["alerts"]
                if page.get("next") is None:
                    break
                self.assertEqual(len(page["alerts"]), limit)
                body["after"] = page["next"]
            self.assertEqual(got, whole)

    def test_pages_with_a_filter(self):
        want = self.codes(level="major")
        got, body = [], {"limit": 4, "level": "major"}
        while True:
            page = self.c.query("alerts", **body)
            got += [a["enterprise"]["uscc"] for a in page["alerts"]]
            if page.get("next") is None:
                break
            body["after"] = page["next"]
        self.assertEqual(got, want)

    def test_bad_filters(self):
        for body in ({"state": "nonsense"}, {"level": "red"}, {"region": "x"}, {"region": 3304}, {"overdue": "yes"},
                     {"status": "real"}, {"limit": -1}, {"limit": "1"}, {"state": 1}):
            key = next(iter(body))
            self.assertIn(key, self.c.error("bad_field", "query", what="alerts", **body)["message"])

    def test_alert(self):
        item = next(a for a in self.c.alerts() if a["enterprise"]["uscc"] == self.firms[20])
        alert = self.c.query("alert", alert=item["alert"])["alert"]
        self.assertEqual({k: alert[k] for k in item}, item)
        self.assertEqual({r["rule"] for r in alert["reasons"]}, {"score"})
        self.assertEqual([v["kind"] for v in alert["evidence"]], ["police.owner_missing", "subdistrict.wage_delay"])
        self.assertEqual([h["type"] for h in alert["history"]], ["raised", "upgraded"])

    def test_alert_that_is_none(self):
        self.c.error("no_such_alert", "query", what="alert", alert=10**9)
        self.c.error("no_such_alert", "query", what="alert", alert=0)
        self.c.error("missing_field", "query", what="alert")


class Enterprise(Query):
    def test_shape(self):
        at = now_ms() - DAY
        seqs = [self.take(sig("court.seizure", self.code, id="q1", at=at, region="330482001", amount=7, people=2)),
                self.take(sig("tax.arrears", self.code, at=at, name="示例查询公司"))]
        e = self.c.enterprise(self.code)
        self.assertLessEqual({"uscc", "name", "region", "industry", "places", "score", "level", "alert", "signals"}, set(e))
        self.assertEqual((e["uscc"], e["name"], e["places"], e["level"]), (self.code, "示例查询公司", ["330482001"], "general"))
        self.assertEqual(sorted(s["seq"] for s in e["signals"]), seqs)
        one = next(s for s in e["signals"] if s["id"] == "q1")
        self.assertLessEqual({"seq", "id", "source", "kind", "at", "amount", "people", "region", "share", "cleared", "cancelled"},
                             set(one))
        self.assertEqual((one["region"], one["amount"], one["people"], one["at"]), ("330482001", 7, 2, at))
        alert = self.c.query("alert", alert=e["alert"])["alert"]
        self.assertEqual(alert["enterprise"]["uscc"], self.code)
        self.assertAlmostEqual(sum(s["share"] for s in e["signals"]), 1000000, delta=3)

    def test_by_name(self):
        self.take(sig(code=self.code, name="按名查询（示例）公司"))
        for name in ("按名查询（示例）公司", "按名查询(示例)公司", " 按名查询(示例) 公司"):
            self.assertEqual(self.c.enterprise(name=name)["uscc"], self.code)

    def test_none(self):
        self.c.error("no_such_enterprise", "query", what="enterprise", uscc=self.fresh())
        self.c.error("no_such_enterprise", "query", what="enterprise", name="没有这样的公司")
        self.c.error("missing_field", "query", what="enterprise")

    def test_many_signals(self):
        """More than an enterprise's record holds at once: all are there, the score is exact."""
        at = now_ms()
        n = 400
        self.c.push_all([sig("tax.arrears", self.code, id="m%d" % i, at=at - i * HOUR) for i in range(n)])
        e = self.c.enterprise(self.code)
        ids = [s["id"] for s in e["signals"]]
        self.assertEqual(len(ids), len(set(ids)))
        result = self.c.query("enterprise", uscc=self.code)
        while result.get("next") is not None:
            result = self.c.query("enterprise", uscc=self.code, after=result["next"])
            ids += [s["id"] for s in result["enterprise"]["signals"]]
        self.assertEqual(sorted(set(ids)), sorted("m%d" % i for i in range(n)))
        hazard = sum(0.5 ** r * 0.5 ** ((n - 1 - r) / 24 / 90) for r in range(n))  # the oldest has rank 0
        self.assertAlmostEqual(e["score"], 10000 * (1 - 0.9 ** hazard), delta=4)


class Catalogues(Query):
    def test_kinds(self):
        with open(os.path.join(CONFIG, "kinds.csv"), encoding="utf-8", newline="") as f:
            rows = list(csv.DictReader(f))
        kinds = self.c.pages("kinds", "kinds")
        self.assertEqual([k["kind"] for k in kinds], [r["kind"] for r in rows])
        for k, r in zip(kinds, rows):
            self.assertEqual((k["agency"], k["zh"], k["en"]), (r["agency"], r["zh"], r["en"]))
            self.assertEqual(k["weight"], round(float(r["weight"]) * 1000000))
            self.assertEqual((k["half_life_days"], k["repeat_window_days"]), (int(r["half_life_days"]), int(r["repeat_window_days"])))
            self.assertEqual(k["clears"], r["clears"].split())
            self.assertEqual(k["clue"] or "", r["clue_of"])

    def test_rules(self):
        r = self.c.query("rules")
        self.assertTrue(r["hash"])
        self.assertEqual([(x["id"], x["title"]["en"]) for x in r["rules"]],
                         [("score", "Combined risk score"), ("three-agencies", "Three agencies within 45 days")])
        self.assertEqual(r["rules"][0]["title"]["zh"], "综合风险评分")

    def test_unknown(self):
        for what in ("", "nonsense", "Status", "x" * 1000):
            self.c.error("unknown_query", "query", what=what)


class AsOf(Query):
    def test_never_older_than_the_ack(self):
        for n in range(60):
            seq = self.take(sig("tax.arrears", self.code))
            result = self.c.query(("enterprise", "alerts", "status", "feeds")[n % 4], **({"uscc": self.code} if n % 4 == 0 else {}))
            self.assertGreaterEqual(result["as_of"], seq)
            if n % 4 == 0:
                self.assertEqual(len(result["enterprise"]["signals"]), n + 1)

    def test_while_others_push(self):
        feeder = self.client()
        for _ in range(20):
            rids = [feeder.post("signals", batch=[sig("court.seizure", self.fresh()) for _ in range(50)]) for _ in range(5)]
            code = self.fresh()
            seq = self.take(sig("police.owner_missing", code, at=now_ms()))
            result = self.c.query("enterprise", uscc=code)
            self.assertGreaterEqual(result["as_of"], seq)
            self.assertEqual(result["enterprise"]["level"], "major")
            for rid in rids:
                self.assertEqual(feeder.reply_to(rid)[0], "ack")


del Query  # a base, no story of its own

if __name__ == "__main__":
    main()
