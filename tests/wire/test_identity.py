#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whose a name is, as a person settles it; what a register told and when; replaced codes at the door; the whole file of
one enterprise; a register of some thousand employers by the same wire."""
import json
import os
import subprocess

from harness import BUILD, DAY, HOUR, PATIENCE, THREE_AGENCIES, WireCase, main, now_ms, program_env, sig, spoil, uscc

WAGEWARN = os.path.join(BUILD, "cli", "wagewarn")


def profile(code, **more):
    return sig("registry.profile", code, **more)


class Identity(WireCase):
    rules = THREE_AGENCIES

    def setUp(self):
        super().setUp()
        self.name = "厂" + self.code

    def settle(self, what, code, name=None, **more):
        return self.c.expect("done", "action", do=what, name=name or self.name, uscc=code, **more)["seq"]

    def kinds_of(self, code):
        return sorted(s["kind"] for s in self.c.enterprise(code)["signals"])

    def cli(self, *args, status=0):
        p = subprocess.run([WAGEWARN, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                           env=dict(program_env(), WAGEWARN_ENDPOINT=self.daemon.endpoint, LC_ALL="C.UTF-8"))
        self.assertEqual(p.returncode, status, (args, p.stdout, p.stderr))
        return p.stdout.decode() + p.stderr.decode()

    def two_of_one_name(self):
        """Two codes that bear the name, and a signal that gives the name alone; the other code."""
        other = self.fresh()
        self.take(profile(self.code, name=self.name, at=now_ms() - DAY))
        self.take(profile(other, name=self.name, at=now_ms() - DAY))
        self.take(sig("tax.arrears", uscc=None, name=self.name, at=now_ms() - HOUR))
        return other

    def waiting(self):
        return {u["name"]: u for u in self.c.query("unresolved", limit=1000)["unresolved"]}

    def test_a_name_that_waits_is_listed_and_resolved(self):
        other = self.two_of_one_name()
        mine = self.waiting()[self.name.lower()]
        self.assertEqual(mine["signals"], 1)
        self.assertEqual({c["uscc"] for c in mine["codes"]}, {self.code, other})
        self.settle("resolve", other)
        self.assertNotIn(self.name.lower(), self.waiting())
        self.assertEqual(self.kinds_of(other), ["registry.profile", "tax.arrears"])

    def test_unmerged_it_is_one_of_its_own(self):
        self.take(profile(self.code, name=self.name, at=now_ms() - DAY))
        self.take(sig("tax.arrears", uscc=None, name=self.name, at=now_ms() - HOUR))
        self.assertIn("tax.arrears", self.kinds_of(self.code))
        self.settle("unmerge", self.code)
        self.assertNotIn("tax.arrears", self.kinds_of(self.code))
        self.assertIsNone(self.c.enterprise(name=self.name)["uscc"])
        self.c.error("wrong_state", "action", do="unmerge", name=self.name, uscc=self.code)

    def test_what_is_wrong_is_said(self):
        for code, body in (("missing_field", {"name": self.name}), ("missing_field", {"uscc": self.code}),
                           ("bad_field", {"name": self.name, "uscc": spoil(self.code)}),
                           ("bad_field", {"name": " ", "uscc": self.code}),
                           ("bad_field", {"name": self.name, "uscc": self.code, "status": "real"}),
                           ("no_such_enterprise", {"name": "nobody " + self.name, "uscc": self.code})):
            self.c.error(code, "action", do="resolve", **body)

    def test_pages_of_names_that_wait(self):
        for _ in range(3):
            self.two_of_one_name()
            self.setUp()
        found, after = [], {}
        while True:
            page = self.c.query("unresolved", limit=1, **after)
            found += [u["name"] for u in page["unresolved"]]
            if "next" not in page:
                break
            after = {"after": page["next"]}
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual(set(found), set(self.waiting()))
        self.c.error("bad_field", "query", what="unresolved", after="xyz")

    def test_a_profile_has_a_history(self):
        parent = self.fresh()
        self.take(profile(parent, name="母公司" + parent, at=now_ms() - DAY))
        self.take(profile(self.code, name=self.name, at=now_ms() - 3 * DAY, region="330482001",
                          attrs={"credit": "B", "headcount": 40, "payroll": "36000000", "parent": parent, "former_name": "旧" + self.name,
                                 "status": "在营", "tag:trial": 0}))
        self.take(profile(self.code, at=now_ms() - DAY, attrs={"credit": "C", "headcount": "12"}))
        e = self.c.enterprise(self.code)
        p = e["profile"]
        self.assertEqual((p["credit"], p["headcount"], p["payroll"], p["status"]), ("C", 12, 36000000, "在营"))
        self.assertEqual(p["parent"], {"uscc": parent, "name": "母公司" + parent.lower()})
        self.assertEqual(p["tags"], [{"name": "trial", "until": None}])
        self.assertEqual([h["attrs"]["credit"] for h in e["profile_history"]], ["C", "B"])
        self.assertEqual(e["profile_history"][1]["attrs"]["payroll"], 36000000)
        out = self.cli("enterprise", "show", self.code)
        for text in ("headcount:  12", "360,000.00", "母公司", "trial", "as it was told"):
            self.assertIn(text, out)
        self.take(sig("tax.arrears", uscc=None, name="旧" + self.name, at=now_ms() - HOUR))
        self.assertIn("tax.arrears", self.kinds_of(self.code))

    def test_a_replaced_code_is_taken_under_the_new_one(self):
        self.take(sig("tax.arrears", self.code, region="330103001", at=now_ms() - HOUR))
        self.assertEqual(self.c.enterprise(self.code)["places"], ["330105"])

    def test_the_command_line(self):
        other = self.two_of_one_name()
        out = self.cli("enterprise", "unresolved")
        self.assertIn(other, out)
        self.assertIn("done", self.cli("enterprise", "resolve", self.name, other, "--note", "seen the licence"))
        self.assertIn("already", self.cli("enterprise", "resolve", self.name, other, status=1))
        self.assertIn("done", self.cli("enterprise", "unmerge", self.name, other))
        self.assertIn("check character", self.cli("enterprise", "unmerge", self.name, spoil(other), status=2))
        self.assertIsInstance(json.loads(self.cli("enterprise", "unresolved", "-o", "json"))["unresolved"], list)

    def test_the_whole_file(self):
        for kind in ("police.wage_dispute_call", "court.seizure", "tax.arrears"):
            self.take(sig(kind, self.code, at=now_ms() - HOUR))
        self.take(sig("tax.arrears", self.code, id=self.code + "-x", at=now_ms() - HOUR))
        self.c.push(sig("tax.arrears", self.code, cancels=self.code + "-x", at=now_ms()))
        whole = json.loads(self.cli("enterprise", "export", self.code))
        self.assertEqual(whole["enterprise"]["uscc"], self.code)
        self.assertEqual(len(whole["signals"]), 4)
        self.assertEqual(sum(s["cancelled"] for s in whole["signals"]), 1)
        self.assertEqual(len(whole["alerts"]), 1)
        self.assertEqual(whole["alerts"][0]["history"][0]["type"], "raised")

    def test_a_register_by_the_same_wire(self):
        codes = [uscc(700000 + i) for i in range(2000)]
        self.c.push_all([profile(c, id="r" + c, name="e" + c, region="330482001", at=now_ms() - DAY,
                                 attrs={"headcount": i, "credit": "ABC"[i % 3]}) for i, c in enumerate(codes)])
        for i in (0, 999, 1999):
            e = self.c.enterprise(codes[i])
            self.assertEqual((e["profile"]["headcount"], e["credit"], e["level"]), (i, "ABC"[i % 3], "none"))


if __name__ == "__main__":
    main()
