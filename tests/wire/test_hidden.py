#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An enterprise of another district is a reason here: that it is one is told, which one only to who may see it."""
import os
import unittest

from harness import Client, Daemon, SCORE_ONLY, main, now_ms, sig, uscc

RULES = SCORE_ONLY.replace("rules:\n", "  shares: {sub: 0.3, predecessor: 1.0}\nrules:\n") + """\
  - id: same-owner
    title: {zh: 同一经营者失联, en: The same owner is gone elsewhere}
    when: {related: {by: [owner, project], signal: police.owner_missing, within: 60d}}
    then: {raise: major}
"""
PRINCIPALS = """\
principals:
  - {name: pinghu, role: inspector, regions: ["330482"]}
  - {name: jiaxing, role: inspector, regions: ["3304"]}
"""
OWNER, SITE, NAME = "b" * 32, "330424202607150101", "隐名机械有限公司"
OTHER, MINE, NEXT = uscc(1, "330424"), uscc(2), uscc(4)
SECRETS = (OTHER, NAME, "secret-ref", SITE + "-x", "secret-id", 77777777, 33)


def told(value):
    """Every secret that stands anywhere in it."""
    if isinstance(value, dict):
        return [s for v in value.values() for s in told(v)]
    if isinstance(value, list):
        return [s for v in value for s in told(v)]
    return [value] if value in SECRETS else []


class Hidden(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(rules=RULES)
        self.addCleanup(self.d.close)
        self.endpoints = {n: "ipc://" + os.path.join(self.d.dir, n) for n in ("pinghu", "jiaxing")}
        with open(os.path.join(self.d.dir, "principals.yaml"), "w") as f:
            f.write(PRINCIPALS)
        self.d.listen = ["{endpoint: \"%s\", principal: %s}" % (e, n) for n, e in self.endpoints.items()]
        self.d.extra = "principals: principals.yaml\n"
        self.d.write_config()
        self.d.start()
        self.c = self.client()
        self.c.push(sig("police.owner_missing", OTHER, id="secret-id", at=now_ms(), region="330424101", name=NAME, owner=OWNER,
                        project=SITE + "-x", role="sub", ref="secret-ref", amount=77777777, people=33))
        self.c.push(sig("tax.arrears", MINE, at=now_ms(), region="330482001", owner=OWNER))
        self.c.push(sig("registry.succession", OTHER, at=now_ms(), attrs={"successor": NEXT}))
        self.c.push(sig("tax.arrears", NEXT, at=now_ms(), region="330482001"))

    def client(self, name=None):
        c = Client(self.endpoints[name], alive=self.d.alive) if name else self.d.client()
        self.addCleanup(c.close)
        return c

    def last(self, c, code):
        return [e for e in c.all_events() if e["enterprise"]["uscc"] == code][-1]

    def test_events_do_not_say_which(self):
        c = self.client("pinghu")
        self.assertEqual([told(e) for e in c.all_events() if told(e)], [])
        (reason,) = [r for r in self.last(c, MINE)["reasons"] if r["rule"] == "same-owner"]
        self.assertEqual((reason["hidden"], reason["link"], "other" in reason), (True, "owner", False))
        (shared,) = [e for e in self.last(c, NEXT)["evidence"] if "counted" in e]
        self.assertTrue(shared["hidden"])
        self.assertEqual((shared["kind"], shared["agency"], shared["counted"]), ("police.owner_missing", "police", 1000000))
        self.assertEqual([k for k in ("from", "id", "amount", "people", "project") if k in shared], [])
        self.assertGreater(shared["share"], 0)

    def test_alert_and_explain_do_not_say_which(self):
        c = self.client("pinghu")
        for alert in c.alerts():
            self.assertEqual(told(c.query("alert", alert=alert["alert"])), [])
        for code in (MINE, NEXT):
            self.assertEqual(told(c.query("explain", uscc=code)), [])
        conds = [k for r in c.query("explain", uscc=MINE)["explanation"]["rules"] for k in r["conditions"] if k["op"] == "related"]
        self.assertEqual([(k.get("other"), k["link"], k["hidden"]) for k in conds], [(None, "owner", True)])
        shares = [s for s in c.query("explain", uscc=NEXT)["explanation"]["shares"] if s.get("hidden")]
        self.assertEqual([(s["kind"], s["id"], s["from"], s["amount"]) for s in shares], [("police.owner_missing", None, None, None)])

    def test_who_may_see_it_is_told(self):
        for c in (self.c, self.client("jiaxing")):
            (reason,) = [r for r in self.last(c, MINE)["reasons"] if r["rule"] == "same-owner"]
            self.assertEqual((reason["other"], reason["link"]), (OTHER, "owner"))
            self.assertNotIn("hidden", reason)
            (shared,) = [e for e in self.last(c, NEXT)["evidence"] if "counted" in e]
            self.assertEqual((shared["from"], shared["id"], shared["amount"], shared["people"]), (OTHER, "secret-id", 77777777, 33))
            self.assertIn(OTHER, told(c.query("explain", uscc=MINE)))
            self.assertIn("secret-id", told(c.query("explain", uscc=NEXT)))

    def test_a_place_of_its_register_is_enough(self):
        c = self.client("pinghu")
        self.c.push(sig("registry.profile", OTHER, at=now_ms(), region="330482"))
        shares = [s for s in c.query("explain", uscc=NEXT)["explanation"]["shares"] if s["from"]]
        self.assertEqual([s["from"] for s in shares], [OTHER])
        conds = [k for r in c.query("explain", uscc=MINE)["explanation"]["rules"] for k in r["conditions"] if k["op"] == "related"]
        self.assertEqual([(k["other"], "hidden" in k) for k in conds], [(OTHER, False)])

    def test_parents_names_and_homonyms(self):
        c = self.client("pinghu")
        self.c.push(sig("registry.profile", MINE, at=now_ms(), region="330482", attrs={"parent": OTHER}))
        self.assertEqual(c.query("enterprise", uscc=MINE)["enterprise"]["profile"]["parent"], {"uscc": OTHER, "name": None})
        self.assertEqual(self.c.query("enterprise", uscc=MINE)["enterprise"]["profile"]["parent"]["name"], NAME)
        self.c.push(sig("tax.arrears", uscc(8), at=now_ms(), region="330482001", name=NAME))
        self.c.push({"id": "n", "kind": "tax.arrears", "at": now_ms(), "name": NAME, "region": "330482001"})
        (item,) = c.query("unresolved")["unresolved"]
        self.assertEqual(([k["uscc"] for k in item["codes"]], item["codes_total"]), ([uscc(8)], 2))
        (item,) = self.c.query("unresolved")["unresolved"]
        self.assertEqual((sorted(k["uscc"] for k in item["codes"]), item["codes_total"]), (sorted([uscc(8), OTHER]), 2))


if __name__ == "__main__":
    main()
