#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hearsay waits to be sorted before it counts: what waits, who sorts it and how, what its sender takes back, and that the
clock lets it in when nobody does."""
import json
import os
import subprocess
import unittest

from harness import BUILD, HOUR, PATIENCE, Client, Daemon, SCORE_ONLY, main, now_ms, program_env, sig, uscc

WAGEWARN = os.path.join(BUILD, "cli", "wagewarn")
PRINCIPALS = """\
principals:
  - {name: pinghu, role: inspector, regions: ["330482"]}
  - {name: haiyan, role: inspector, regions: ["330424"]}
"""
DEADLINES = """\
version: 1
accept: {general: 0wd, major: 0wd, critical: 2h}
verify: {general: 10d, major: 7d, critical: 2h}
close: {general: 60wd, major: 60wd, critical: 60wd}
triage: {kinds: [police.owner_missing], within: %s}
"""
KIND = "police.owner_missing"  # raises an alert by itself once it counts


def begin(within, names=()):
    d = Daemon(rules=SCORE_ONLY)
    for name, text in (("deadlines.yaml", DEADLINES % within), ("principals.yaml", PRINCIPALS)):
        with open(os.path.join(d.dir, name), "w") as f:
            f.write(text)
    d.listen = ["{endpoint: \"ipc://%s\", principal: %s}" % (os.path.join(d.dir, n), n) for n in names]
    d.extra = "deadlines: deadlines.yaml\nprincipals: principals.yaml\n"
    d.write_config()
    try:
        return d.start()
    except BaseException:
        d.close(clean=False)
        raise


class Triage(unittest.TestCase):
    codes = iter(range(5000, 6000))

    @classmethod
    def setUpClass(cls):
        cls.daemon = begin("30d", ("pinghu", "haiyan"))

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    def setUp(self):
        self.c = self.daemon.client()
        self.addCleanup(self.c.close)
        self.code = uscc(next(self.codes))

    def by(self, name):
        c = Client("ipc://" + os.path.join(self.daemon.dir, name), alive=self.daemon.alive)
        self.addCleanup(c.close)
        return c

    def hear(self, **more):
        return self.c.push(sig(KIND, self.code, **dict({"region": "330482001"}, **more)))["seq"]

    def sort(self, number, word, c=None, **more):
        return (c or self.c).expect("done", "action", do="sort", signal=number, **{"as": word}, **more)["seq"]

    def waiting(self, c=None, **more):
        return {w["number"]: w for w in (c or self.c).pages("intake", "intake", **more)}

    def known(self):
        verb, body = self.c.ask("query", what="enterprise", uscc=self.code)
        return verb == "result"

    def cli(self, *args, status=0):
        p = subprocess.run([WAGEWARN, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                           env=dict(program_env(), WAGEWARN_ENDPOINT=self.daemon.endpoint, LC_ALL="C.UTF-8"))
        self.assertEqual(p.returncode, status, (args, p.stdout, p.stderr))
        return p.stdout.decode() + p.stderr.decode()

    def test_it_waits(self):
        at, before = now_ms() - HOUR, self.c.query("status")["waiting"]
        number = self.hear(id="w" + self.code, at=at, people=12, amount=30000, ref="no. 5")
        w = self.waiting()[number]
        self.assertEqual((w["kind"], w["at"], w["enterprise"]["uscc"], w["region"]), (KIND, at, self.code, "330482001"))
        self.assertEqual((w["people"], w["amount"], w["ref"], w["due"] - w["came_at"]), (12, 30000, "no. 5", 30 * 24 * HOUR))
        self.assertEqual(self.c.query("status")["waiting"], before + 1)
        self.assertFalse(self.known())
        self.assertEqual(self.c.push(sig(KIND, self.code, id="w" + self.code))["duplicates"], 1)  # but it was seen

    def test_relevant_counts_now(self):
        at = now_ms() - HOUR
        number = self.hear(at=at)
        seq = self.sort(number, "relevant", actor="王")
        e = self.c.enterprise(self.code)
        self.assertEqual([(s["kind"], s["at"]) for s in e["signals"]], [(KIND, at)])
        raised = [x for x in self.c.all_events() if x["enterprise"].get("uscc") == self.code]
        self.assertEqual([x["type"] for x in raised], ["raised"])
        self.assertEqual(raised[0]["entry"] if "entry" in raised[0] else seq, seq)
        self.assertNotIn(number, self.waiting())
        done = self.waiting(sorted=True)[number]
        self.assertEqual((done["as"], done["by"], done["sorted_seq"]), ("relevant", "王", seq))

    def test_the_rest_never_counts(self):
        for word in ("duplicate", "not_ours"):
            number = self.hear()
            self.sort(number, word, note="heard before")
            self.assertEqual(self.waiting(sorted=True)[number]["as"], word)
        self.assertFalse(self.known())

    def test_refused(self):
        number = self.hear()
        self.c.error("missing_field", "action", do="sort", signal=number)
        self.c.error("missing_field", "action", do="sort", **{"as": "relevant"})
        self.c.error("bad_field", "action", do="sort", signal=number, **{"as": "perhaps"})
        self.c.error("no_such_signal", "action", do="sort", signal=1 << 40, **{"as": "relevant"})
        self.c.error("no_such_signal", "action", do="sort", signal=1, **{"as": "relevant"})  # an entry, but none that waits
        self.sort(number, "duplicate", actor="王")
        again = self.c.error("wrong_state", "action", do="sort", signal=number, **{"as": "relevant"})
        self.assertIn("王", again["message"])
        self.c.error("bad_field", "query", what="intake", after="x")

    def test_whose_place_it_is(self):
        number, elsewhere = self.hear(), self.hear(region="330424")
        pinghu, haiyan = self.by("pinghu"), self.by("haiyan")
        self.assertIn(number, self.waiting(pinghu))
        self.assertNotIn(elsewhere, self.waiting(pinghu))
        self.assertNotIn(number, self.waiting(haiyan))
        haiyan.error("no_such_signal", "action", do="sort", signal=number, **{"as": "not_ours"})
        self.sort(number, "not_ours", pinghu)
        self.assertEqual(self.waiting(sorted=True)[number]["by"], "pinghu")

    def test_its_place_is_the_enterprises(self):
        """One that names no place is there for whom its enterprise is."""
        self.c.push(sig("tax.arrears", self.code, region="330482"))
        number = self.hear(region=None)
        self.assertIn(number, self.waiting(self.by("pinghu")))
        self.assertNotIn(number, self.waiting(self.by("haiyan")))

    def test_pages(self):
        numbers = [self.hear() for _ in range(5)]
        self.assertLessEqual(set(numbers), set(self.waiting(limit=2)))
        self.assertEqual(sorted(self.waiting(limit=2)), list(self.waiting(limit=2)))

    def test_taken_back(self):
        self.hear(id="b" + self.code)
        other = self.c.push(sig(KIND, uscc(1), id="x" + self.code, cancels="b" + self.code))
        self.assertEqual([r["code"] for r in other["rejected"]], ["unknown_cancel"])
        self.c.query("intake")  # the view holds it now
        number = self.hear(id="c" + self.code, cancels="b" + self.code) - 1
        self.assertEqual(self.waiting(sorted=True)[number]["as"], "cancelled")
        self.assertFalse(self.known())
        self.assertIn("taken back", self.c.error("wrong_state", "action", do="sort", signal=number, **{"as": "relevant"})["message"])

    def test_command_line(self):
        number = self.hear(people=7)
        self.assertIn(self.code, self.cli("intake"))
        self.assertIn(number, [w["number"] for w in json.loads(self.cli("intake", "-o", "json"))["intake"]])
        self.assertIn("sorted as relevant", self.cli("intake", "sort", str(number), "relevant", "--note", "called back", "--actor", "王"))
        self.assertNotIn(self.code, self.cli("intake"))
        self.assertIn("王", self.cli("intake", "--sorted"))
        self.assertIn("already, by 王", self.cli("intake", "sort", str(number), "duplicate", status=1))
        self.cli("intake", "sort", "x", "duplicate", status=2)

    def test_waits_across_a_restart(self):
        number = self.hear()
        self.daemon.restart()
        self.assertIn(number, self.waiting())
        self.sort(number, "relevant")
        self.assertTrue(self.known())


class TimeIsUp(unittest.TestCase):
    def test_it_counts_by_itself(self):
        with begin("1s") as d, d.client() as c:
            sub = c.subscribe(credit=10, **{"from": 0})
            number = c.push(sig(KIND, uscc(7), region="330482"))["seq"]
            verb, event = c.next(sub["session"])
            while verb != "event":
                verb, event = c.next(sub["session"])
            self.assertEqual((event["type"], event["enterprise"]["uscc"]), ("raised", uscc(7)))
            c.query("alerts")  # as_of the event
            done = c.pages("intake", "intake", sorted=True)
            self.assertEqual([(w["number"], w["as"], w["sorted_at"] - w["came_at"]) for w in done], [(number, "time_up", 1000)])
            self.assertEqual(c.query("status")["waiting"], 0)


if __name__ == "__main__":
    main()
