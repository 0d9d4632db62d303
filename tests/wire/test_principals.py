#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may do what: an endpoint names its principal; principals.yaml says what that one may send and see."""
import os
import unittest

from harness import Client, Daemon, SCORE_ONLY, brief, main, now_ms, sig, spoil, uscc

PRINCIPALS = """\
principals:
  - {name: tax-bureau, role: feeder, agencies: [tax]}
  - {name: hall, role: feeder, agencies: [court, police], kinds: [tax.arrears]}
  - {name: pinghu, role: inspector, regions: ["330482"]}
  - {name: audit, role: auditor}
"""
NAMES = ("tax-bureau", "hall", "pinghu", "audit")


class Principals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(rules=SCORE_ONLY)
        cls.endpoints = {n: "ipc://" + os.path.join(cls.d.dir, n) for n in NAMES}
        with open(os.path.join(cls.d.dir, "principals.yaml"), "w") as f:
            f.write(PRINCIPALS)
        cls.d.listen = ["{endpoint: \"%s\", principal: %s}" % (e, n) for n, e in cls.endpoints.items()]
        cls.d.extra = "principals: principals.yaml\n"
        cls.d.write_config()
        try:
            cls.d.start()
        except BaseException:
            cls.d.close(clean=False)
            raise

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def setUp(self):
        self.local = self.d.client()
        self.by = {n: Client(e) for n, e in self.endpoints.items()}
        for c in [self.local, *self.by.values()]:
            self.addCleanup(c.close)

    def codes(self, ack):
        return [(r["index"], r["code"]) for r in ack["rejected"]]

    def test_welcome(self):
        for name, c in self.by.items():
            w = c.hello()
            self.assertEqual(w["principal"], name)
        self.assertEqual(self.by["pinghu"].hello()["regions"], ["330482"])
        self.assertEqual(self.by["tax-bureau"].hello()["agencies"], ["tax"])
        self.assertEqual(self.by["tax-bureau"].hello()["role"], "feeder")
        self.assertEqual(self.local.hello()["role"], "operator")

    def test_kind_not_allowed(self):
        ack = self.by["tax-bureau"].push(sig("tax.arrears", uscc(1)), sig("court.seizure", uscc(1)), sig("no.kind", uscc(1)))
        self.assertEqual((ack["accepted"], self.codes(ack)), (1, [(1, "kind_not_allowed"), (2, "unknown_kind")]))
        ack = self.by["hall"].push(sig("tax.arrears", uscc(1)), sig("tax.filing_missed", uscc(1)), sig("police.owner_missing", uscc(2)))
        self.assertEqual((ack["accepted"], self.codes(ack)), (2, [(1, "kind_not_allowed")]))

    def test_source_is_the_principal(self):
        """The same id by two principals is two signals; by one, of two agencies, one."""
        code = uscc(3)
        self.assertEqual(self.by["tax-bureau"].push(sig("tax.arrears", code, id="same"))["accepted"], 1)
        self.assertEqual(self.by["hall"].push(sig("court.seizure", code, id="same"))["accepted"], 1)
        self.assertEqual(self.by["hall"].push(sig("police.owner_missing", code, id="same"))["duplicates"], 1)
        self.assertEqual(self.local.push(sig("tax.arrears", code, id="same"))["accepted"], 1)
        sources = sorted(s["source"] for s in self.local.enterprise(code)["signals"])
        self.assertEqual(sources, ["hall", "tax", "tax-bureau"])

    def test_repeats_are_by_source(self):
        """The same kind from another source is no repeat: 1 - .9 * .9; from its own it is."""
        a, b, at = uscc(4), uscc(5), now_ms()
        self.by["tax-bureau"].push(sig("tax.arrears", a, at=at), sig("tax.arrears", b, at=at))
        self.by["hall"].push(sig("tax.arrears", a, at=at))
        self.by["tax-bureau"].push(sig("tax.arrears", b, at=at))
        self.assertAlmostEqual(self.local.enterprise(a)["score"], 1900, delta=2)
        self.assertAlmostEqual(self.local.enterprise(b)["score"], 10000 * (1 - .9 ** 1.5), delta=2)

    def test_cancels_within_its_source(self):
        code = uscc(6)
        self.by["tax-bureau"].push(sig("tax.arrears", code, id="own"))
        ack = self.by["hall"].push(sig("tax.arrears", code, cancels="own"))
        self.assertEqual(self.codes(ack), [(0, "unknown_cancel")])
        self.assertEqual(self.by["tax-bureau"].push(sig("tax.arrears", code, cancels="own"))["accepted"], 1)

    def test_a_feeder_only_feeds(self):
        c = self.by["tax-bureau"]
        c.error("denied", "subscribe", credit=1)
        c.error("denied", "query", what="alerts")
        c.error("denied", "query", what="enterprise", uscc=uscc(1))

    def test_a_feeder_hears_of_its_own_feed_only(self):
        c = self.by["tax-bureau"]
        c.push(sig("tax.arrears", uscc(20)))
        self.local.push(sig("police.owner_missing", uscc(21), at=now_ms()))
        self.by["audit"].subscribe(**{"from": -1, "credit": 1})
        status = c.query("status")
        self.assertEqual((status["alerts"], status["subscribers"]), ([], []))
        self.assertEqual([f["source"] for f in status["feeds"]], ["tax-bureau"])
        self.assertEqual(c.query("feeds")["feeds"], status["feeds"])
        wide = self.by["audit"].query("status")
        self.assertIn("police", [f["source"] for f in wide["feeds"]])
        self.assertTrue(wide["subscribers"] and wide["alerts"])

    def test_others_do_not_feed(self):
        for name in ("pinghu", "audit"):
            self.by[name].error("denied", "signals", batch=[sig()])

    def test_sees_its_regions_only(self):
        mine, other, nowhere = uscc(10), uscc(11), uscc(12)
        c = self.by["pinghu"]
        sub = c.subscribe(**{"from": -1, "credit": 50})
        wide = self.by["audit"].subscribe(**{"from": -1, "credit": 50})
        asked = c.subscribe(**{"from": -1, "credit": 50, "regions": ["330402", "33"]})
        for code, region in ((mine, "330482001"), (other, "330402"), (nowhere, None)):
            self.local.push(sig("police.owner_missing", code, at=now_ms(), region=region))
        head = self.local.head()
        self.assertEqual([e["enterprise"]["uscc"] for e in c.until(sub["session"], head)], [mine])
        self.assertEqual([e["enterprise"]["uscc"] for e in c.until(asked["session"], head)], [mine])
        self.assertEqual(brief(self.by["audit"].until(wide["session"], head)), [("raised", "major")] * 3)
        self.assertLessEqual({mine}, {a["enterprise"]["uscc"] for a in c.alerts()})
        self.assertFalse({other, nowhere} & {a["enterprise"]["uscc"] for a in c.alerts(state="any")})
        c.error("no_such_enterprise", "query", what="enterprise", uscc=other)
        (alert,) = [a["alert"] for a in self.local.alerts() if a["enterprise"]["uscc"] == other]
        c.error("no_such_alert", "query", what="alert", alert=alert)
        c.error("no_such_alert", "action", alert=alert, do="accept")
        self.assertEqual(c.enterprise(mine)["level"], "major")

    def test_outside_its_regions_is_denied_or_empty(self):
        verb, reply = self.by["pinghu"].ask("subscribe", regions=["11"], credit=5)
        self.assertIn(verb, ("subscribed", "error"))
        if verb == "error":
            self.assertEqual(reply["code"], "denied")

    def test_checks_come_in_order(self):
        ack = self.by["tax-bureau"].push(sig("tax.arrears", spoil(uscc(1))))
        self.assertEqual(self.codes(ack), [(0, "bad_uscc")])


if __name__ == "__main__":
    main()
