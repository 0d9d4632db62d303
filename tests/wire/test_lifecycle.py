#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An alert worked to its end by several teams: who may, by when, what the clock says if nothing happens, and what the
command line shows of it. Terms are seconds here, and what comes by the clock is waited for by its event."""
import datetime
import hashlib
import json
import os
import signal
import time
import unittest

from harness import BUILD, Client, DAY, Daemon, HOUR, SCORE_ONLY, main, now_ms, run, sig, uscc

TEAMS = """\
version: 1
covers: ["330482"]
tiers:
  - {id: street, zh: 镇街, en: street, escalate_after: 1s}
  - {id: county, zh: 县级, en: county, escalate_after: 40d}
  - {id: prefecture, zh: 市级, en: prefecture}
departments:
  labour: {zh: 人社, en: labour}
  housing: {zh: 住建, en: housing}
leads:
  - {lead: labour}
  - {industry: E, lead: housing, assist: [labour]}
joins: {general: street, major: county, critical: prefecture}
teams:
  - {id: streets, name: {zh: 镇街所, en: streets}, tier: street, regions: "330482", department: labour}
%s
  - {id: county, name: {zh: 平湖大队, en: county}, tier: county, regions: "330482", department: labour}
  - {id: sites, name: {zh: 平湖住建, en: sites}, tier: county, regions: "330482", industries: [E], department: housing, carrier: 王县长}
  - {id: prefecture, name: {zh: 嘉兴支队, en: prefecture}, tier: prefecture, regions: "3304", department: labour}
"""
HARBOUR = '  - {id: harbour, name: {zh: 独山港所, en: harbour}, tier: street, regions: "330482003", department: labour}'

MEASURES = """\
version: 1
measures:
  - {id: order, name: {zh: 限期改正指令书, en: order to correct}, wants: [ref, people, amount], due: 1s, due_most: 30d, silence: labour.order_disobeyed, answered_by: [labour.order_obeyed]}
  - {id: talk, name: {zh: 约谈, en: talk}, due: 3wd}
  - {id: board, name: {zh: 挂牌督办, en: on the board}, roles: [operator]}
  - {id: listing, name: {zh: 列入失信名单, en: listed}, wants: [ref], lasts: 3y, may_end_after: 6mo}
  - {id: fund, name: {zh: 应急周转金, en: emergency fund}, wants: [ref, people, amount], recover: true}
  - {id: grave, name: {zh: 社会公布, en: published}, levels: [critical]}
"""

DEADLINES = """\
version: 1
accept: {general: 30d, major: 1s, critical: 1s}
verify: {general: 30d, major: 30d, critical: 30d}
close: {general: 60wd, major: 60wd, critical: 60wd}
extend: 30wd
hold_most: 60wd
snooze_most: 30d
first_steps: {seen: 2h, registered: 0wd, forwarded: 1wd, verified: 7d}
follow_up: {after: 30d, share: 0}
settles: {paid: [subdistrict.wages_paid]}
"""

PRINCIPALS = """\
principals:
  - {name: tax-bureau, role: feeder, agencies: [tax]}
  - {name: pinghu, role: inspector, regions: ["330482"], team: streets}
  - {name: county-desk, role: inspector, regions: ["330482"], team: county}
  - {name: hangzhou, role: inspector, regions: ["3301"]}
  - {name: chief, role: operator}
  - {name: audit, role: auditor}
"""
NAMES = ("tax-bureau", "pinghu", "county-desk", "hangzhou", "chief", "audit")
CLI = os.path.join(BUILD, "cli", "wagewarn")
PLACE = "330482001"
CHINA = datetime.timezone(datetime.timedelta(hours=8))


def months_on(at, months):
    """24:00 of the day of the same number so many months later, or of the last of a shorter month."""
    day = datetime.datetime.fromtimestamp(at / 1000, CHINA).date()
    y, m = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (datetime.date(y + (m == 11), (m + 1) % 12 + 1, 1) - datetime.timedelta(1)).day
    end = datetime.datetime(y, m + 1, min(day.day, last), tzinfo=CHINA) + datetime.timedelta(1)
    return int(end.timestamp() * 1000)


class Lifecycle(unittest.TestCase):
    maxDiff = None
    codes = iter(range(5000, 9000))

    @classmethod
    def write(cls, name, text):
        with open(os.path.join(cls.d.dir, name), "w", encoding="utf-8") as f:
            f.write(text)
        return os.path.join(cls.d.dir, name)

    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(rules=SCORE_ONLY)
        cls.endpoints = {n: "ipc://" + os.path.join(cls.d.dir, n) for n in NAMES}
        for name, text in (("teams.yaml", TEAMS % ""), ("measures.yaml", MEASURES), ("deadlines.yaml", DEADLINES),
                           ("principals.yaml", PRINCIPALS)):
            cls.write(name, text)
        cls.d.listen = ["{endpoint: \"%s\", principal: %s}" % (e, n) for n, e in cls.endpoints.items()]
        cls.d.extra = "principals: principals.yaml\nteams: teams.yaml\nmeasures: measures.yaml\ndeadlines: deadlines.yaml\n"
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
        self.c = self.d.client()
        self.by = {n: Client(e) for n, e in self.endpoints.items()}
        for c in [self.c, *self.by.values()]:
            self.addCleanup(c.close)
        self.code = uscc(next(self.codes))
        self.sub = self.c.subscribe(credit=10000, **{"from": -1})["session"]

    def raise_alert(self, kind="utility.bill_overdue", **more):
        """general by default: nothing is due for a month."""
        kinds = {"general": ["police.owner_missing"], "low": [kind]}
        for k in more.pop("kinds", kinds["general"]):
            ack = self.c.push(sig(k, self.code, region=more.get("region", PLACE), industry=more.get("industry", "C181"), at=now_ms() - HOUR))
            self.assertEqual(ack["accepted"], 1, ack)
        self.alert = self.c.enterprise(self.code)["alert"]
        self.assertTrue(self.alert)
        return self.alert

    def do(self, what, by="chief", **more):
        return self.by[by].expect("done", "action", alert=self.alert, do=what, **more)["seq"]

    def refused(self, code, what, by="chief", **more):
        return self.by[by].error(code, "action", alert=self.alert, do=what, **more)["message"]

    def show(self):
        return self.c.query("alert", alert=self.alert)["alert"]

    def comes(self, type_, **keys):
        """The next event of this alert of that type; others of it are passed over."""
        while True:
            verb, body = self.c.next(self.sub)
            if verb == "event" and body["alert"] == self.alert and body["type"] == type_ and \
                    all(body.get(k) == v for k, v in keys.items()):
                return body

    def cli(self, *args, lang="en_US.UTF-8", status=0, by="chief"):
        got, out, err = run([CLI, "--endpoint", self.endpoints[by], *args], LC_ALL=lang)
        self.assertEqual(got, status, out + err)
        return out if not status else err

    def cli_json(self, *args):
        return json.loads(self.cli(*args, "-o", "json"))

    # ---- by the clock ----

    def test_overdue_then_the_next_tier(self):
        self.raise_alert()
        if self.show()["level"] == "general":
            self.c.push(sig("court.seizure", self.code, region=PLACE), sig("tax.arrears", self.code, region=PLACE))
        self.assertIn(self.show()["level"], ("major", "critical"))
        late = self.comes("overdue")
        self.assertEqual((late["step"], late["tier"]["id"], late["teams"][0]), ("accept", "street", "streets"))
        self.assertNotIn("measure", late)
        up = self.comes("escalated")
        self.assertEqual((up["tier"]["id"], up["tier"]["number"]), ("county", 1))
        self.assertIn("county", up["teams"])
        a = self.show()
        self.assertTrue(a["handling"]["overdue"])
        self.assertEqual((a["handling"]["tier"]["en"], a["handling"]["due_step"]), ("county", "accept"))
        self.assertIn(self.alert, [x["alert"] for x in self.c.alerts(overdue=True)])
        self.assertIn(self.alert, [x["alert"] for x in self.c.alerts(team="county", overdue=True)])
        self.assertIn("overdue since", self.cli("alert", "show", str(self.alert)))
        self.assertIn("逾期", self.cli("alert", "show", str(self.alert), lang="zh_CN.UTF-8"))
        self.assertIn(self.alert, [x["alert"] for x in self.cli_json("alerts", "--overdue", "--team", "county")["alerts"]])
        self.do("accept")
        self.assertNotIn(self.alert, [x["alert"] for x in self.c.alerts(overdue=True)])

    def test_an_order_that_runs_out_counts(self):
        self.raise_alert()
        self.do("accept")
        self.do("verify", finding="confirmed", people=3, amount=900000)
        self.do("dispose", measure="order", ref="平人社监〔2026〕1号", people=3, amount=900000)
        silent = self.comes("overdue", measure="order")
        self.assertEqual((silent["ref"], silent["people"], silent.get("step")), ("平人社监〔2026〕1号", 3, None))
        own = [s for s in self.c.enterprise(self.code)["signals"] if s["source"] == "wagewarn"]
        self.assertEqual([(s["kind"], s["ordinal"]) for s in own], [("labour.order_disobeyed", 1)])
        self.assertLess(own[0]["seq"], 1 << 40)
        listed = self.c.query("signals", uscc=self.code)["signals"]
        self.assertIn((own[0]["seq"], 1), [(s["seq"], s.get("ordinal")) for s in listed])
        shares = self.c.query("explain", alert=self.alert)["explanation"]["shares"]
        self.assertIn((own[0]["seq"], 1), [(s["seq"], s.get("ordinal")) for s in shares])
        taken = self.show()["handling"]["measures"]
        self.assertEqual([(m["measure"], m["zh"], m["state"]) for m in taken], [("order", "限期改正指令书", "silent")])
        self.assertIn("ran out unanswered", self.cli("alert", "show", str(self.alert)))

    def test_put_off_until_it_ends(self):
        self.raise_alert()
        until = now_ms() + 700
        self.do("snooze", until=until)
        self.assertEqual(self.comes("snoozed")["until"], until)
        over = self.comes("snoozed")
        self.assertNotIn("until", over)
        self.assertIsNone(self.show()["handling"]["snoozed_until"])

    # ---- each step ----

    def test_the_whole_way(self):
        self.raise_alert()
        self.assertEqual(self.show()["possible"], ["accept", "seen", "assign", "join", "escalate", "hold", "snooze", "comment"])
        self.do("seen", by="pinghu", actor="王")
        self.do("accept", by="pinghu")
        self.assertEqual((self.comes("seen")["actor"], self.comes("accepted")["principal"]), ("王", "pinghu"))
        self.do("join", team="county")
        self.do("assign", team="streets")
        self.do("verify", finding="confirmed", people=31, amount=48000000)
        before = self.show()["due"]
        self.do("extend", note="批准")
        self.assertGreater(self.show()["due"], before)
        self.assertIn("may not be again", self.refused("wrong_state", "extend"))
        self.assertNotIn("extend", self.show()["possible"])
        self.do("dispose", measure="listing", ref="1号")
        self.do("dispose", measure="fund", ref="2号", people=31, amount=100)
        h = self.show()["handling"]
        listing, fund = h["measures"]
        self.assertEqual((listing["lasts_until"], listing["may_end_from"]), (months_on(listing["at"], 36), months_on(listing["at"], 6)))
        self.assertEqual((fund["recover"], fund["state"], fund["people"], fund["to_recover"]), (True, "open", 31, 100))
        self.assertIn("end", self.show()["possible"])
        self.assertIn("recovered", self.show()["possible"])
        self.assertEqual([(s["step"], s["in_time"]) for s in h["first_steps"]],
                         [("seen", True), ("registered", True), ("forwarded", True), ("verified", True)])
        self.assertIn(self.alert, [a["alert"] for a in self.c.alerts(measure="fund")])
        self.assertNotIn(self.alert, [a["alert"] for a in self.c.alerts(measure="talk")])
        self.do("close", outcome="paid", paid_people=31, paid_amount=48000000)
        a = self.show()
        self.assertEqual(a["state"], "closed")
        self.assertLessEqual({"reopen", "end", "recovered", "comment"}, set(a["possible"]))
        self.assertAlmostEqual(a["handling"]["follow_up_at"], now_ms() + 30 * DAY, delta=HOUR)
        self.do("reopen")

    def test_a_listing_and_money_outlive_the_case(self):
        self.raise_alert()
        self.do("accept")
        self.do("verify", finding="confirmed", people=31, amount=48000000)
        self.do("dispose", measure="listing", ref="1号")
        self.do("dispose", measure="fund", ref="2号", people=31, amount=100000)
        before = self.c.query("statistics")["advanced"]
        self.do("close", outcome="other")
        listed = lambda measure, **more: [a["alert"] for a in self.c.alerts(measure=measure, **more)]
        self.assertIn(self.alert, listed("listing"))
        self.assertIn(self.alert, listed("fund"))
        self.assertNotIn(self.alert, [a["alert"] for a in self.c.alerts()])
        first = time.strftime("%Y-%m-%d", time.gmtime(months_on(now_ms(), 6) / 1000 + 8 * 3600))
        self.assertIn("from %s on" % first, self.refused("wrong_state", "end", measure="listing", ref="1号"))
        self.assertIn("listing (1号), fund (2号)", self.refused("wrong_state", "end", measure="talk"))
        self.assertIn("no term", self.refused("wrong_state", "end", measure="fund", ref="2号"))
        self.refused("missing_field", "recovered", measure="fund", ref="2号")
        self.assertIn("1000.00 yuan", self.refused("bad_field", "recovered", measure="fund", ref="2号", amount=100001))
        self.assertIn("recovered done", self.cli("alert", "recovered", str(self.alert), "--measure", "fund", "--ref", "2号", "--amount", "400"))
        came = self.comes("recovered")
        self.assertEqual((came["measure"], came["ref"], came["amount"], came["state"]), ("fund", "2号", 40000, "closed"))
        self.assertEqual(self.show()["handling"]["measures"][1]["to_recover"], 60000)
        self.assertIn("600.00", self.cli("alert", "show", str(self.alert)))
        self.do("recovered", measure="fund", ref="2号", amount=60000)
        after = self.c.query("statistics")["advanced"]
        self.assertEqual((after["amount"], after["recovered"] - before["recovered"]), (before["amount"], 100000))
        self.assertIn("recovered", self.cli("statistics"))
        self.assertIn("垫付", self.cli("statistics", lang="zh_CN.UTF-8"))
        self.assertNotIn(self.alert, listed("fund"))
        self.assertIn(self.alert, listed("fund", state="any"))
        self.assertNotIn("recovered", self.show()["possible"])

    def test_held(self):
        self.raise_alert()
        until = now_ms() + 5 * DAY
        self.assertIn("note", self.refused("missing_field", "hold", until=until))
        self.do("hold", until=until, note="诉讼中")
        self.assertEqual(self.comes("held")["until"], until)
        self.assertEqual(self.show()["handling"]["held_until"], until)
        self.assertIn("stand still already", self.refused("wrong_state", "hold", until=until, note="again"))

    def test_corrected(self):
        self.raise_alert()
        first = self.do("accept")
        second = self.do("verify", finding="unfounded")
        self.assertIn(str(second), self.refused("wrong_state", "correct", undo=first))
        self.assertIn("undo", self.refused("missing_field", "correct"))
        self.do("correct", undo=second)
        self.assertEqual(self.show()["state"], "accepted")
        self.assertEqual([h["type"] for h in self.show()["history"]][-3:], ["accepted", "verified", "corrected"])

    def test_refusals_say_why(self):
        self.raise_alert()
        self.assertIn("must lie ahead", self.refused("bad_field", "snooze", until=now_ms() - DAY))
        self.assertIn("further ahead", self.refused("bad_field", "snooze", until=now_ms() + 31 * DAY))
        self.assertIn("routes list", self.refused("bad_field", "assign", team="nobody"))
        self.assertIn("team", self.refused("missing_field", "join"))
        self.assertIn("possible now: accept", self.refused("wrong_state", "close", outcome="paid"))
        self.do("accept")
        self.do("verify", finding="confirmed", people=1, amount=1)
        self.assertIn("wants ref", self.refused("missing_field", "dispose", measure="order", people=1, amount=1))
        self.assertIn("query", self.refused("bad_field", "dispose", measure="nothing"))
        self.assertIn("level", self.refused("wrong_state", "dispose", measure="grave"))
        self.assertIn("role", self.refused("denied", "dispose", by="pinghu", measure="board"))
        self.do("dispose", by="chief", measure="board")

    def test_who_may(self):
        """Each role, in its region and out of it; what may not be seen is not there."""
        self.raise_alert()
        self.refused("denied", "accept", by="tax-bureau")
        self.refused("denied", "accept", by="audit")
        self.refused("no_such_alert", "accept", by="hangzhou")
        self.do("seen", by="pinghu")
        self.do("seen", by="county-desk")
        self.do("accept", by="chief")
        self.by["audit"].query("alert", alert=self.alert)
        self.by["hangzhou"].error("no_such_alert", "query", what="alert", alert=self.alert)
        for what in ("measures", "teams", "statistics", "enterprises", "audit", "routes"):
            self.by["tax-bureau"].error("denied", "query", what=what)
        self.assertNotIn(self.code, [e["uscc"] for e in self.by["hangzhou"].pages("enterprises", "enterprises")])
        self.assertIn(self.code, [e["uscc"] for e in self.by["pinghu"].pages("enterprises", "enterprises")])

    # ---- each role's story ----

    def test_an_inspector_works_it_to_its_end(self):
        self.raise_alert()
        me = {"by": "pinghu", "actor": "王"}
        self.do("comment", note="已电话联系", **me)
        self.assertIsNotNone(self.show()["handling"]["seen_at"])  # a comment is a look
        self.assertIn("cannot be given extend", self.refused("wrong_state", "extend", **me))
        self.do("accept", **me)
        self.assertIn("\"accepted\" by 王", self.refused("wrong_state", "accept", by="county-desk"))
        self.do("verify", finding="confirmed", people=3, amount=900000, **me)
        self.assertIn("王 found it confirmed", self.refused("wrong_state", "verify", by="county-desk", finding="confirmed"))
        self.do("dispose", measure="talk", **me)
        self.assertIn("confirmed", self.refused("wrong_state", "close", outcome="unfounded", **me))
        self.assertIn("more than 0", self.refused("bad_field", "close", outcome="paid", paid_people=0, paid_amount=1, **me))
        self.do("close", outcome="paid", paid_people=3, paid_amount=900000, **me)
        self.assertIsNotNone(self.show()["handling"]["follow_up_at"])
        done = self.by["pinghu"].expect("done", "action", alert=self.alert, do="follow_up", finding="unfounded", note="未付清")
        self.assertIn("reopen", done["message"])
        self.assertIsNone(self.show()["handling"]["follow_up_at"])
        self.assertEqual(self.comes("follow_up")["finding"], "unfounded")
        self.do("reopen", **me)
        self.cli("alert", "comment", str(self.alert), "--note", "again", by="pinghu")

    def test_an_operator_takes_what_is_reserved(self):
        self.raise_alert()
        for what, more in (("accept", {}), ("verify", {"finding": "confirmed"})):
            self.do(what, **more)
        self.assertIn("role", self.refused("denied", "dispose", by="county-desk", measure="board"))
        self.do("dispose", measure="board")
        self.do("escalate")
        self.do("snooze", until=now_ms() + 20 * DAY)
        self.do("close", outcome="other")
        self.cli("alert", "follow-up", str(self.alert), "--finding", "confirmed")

    def test_a_feeder_and_an_auditor_take_no_step(self):
        self.raise_alert()
        version = self.show()["version"]
        for what in ("accept", "verify", "dispose", "close", "reopen", "seen", "assign", "join", "escalate", "extend", "hold",
                     "snooze", "correct", "follow_up", "comment"):
            for role in ("tax-bureau", "audit"):
                self.refused("denied", what, by=role)
        self.assertEqual(self.show()["version"], version)

    def test_two_at_once(self):
        self.raise_alert()
        version = self.show()["version"]
        a, b = self.by["pinghu"], self.by["county-desk"]
        rids = [(c, c.post("action", alert=self.alert, do="accept", version=version)) for c in (a, b)]
        answers = {n: c.reply_to(rid) for n, (c, rid) in zip(("pinghu", "county-desk"), rids)}
        verbs = {verb: name for name, (verb, _) in answers.items()}
        self.assertEqual(set(verbs), {"done", "error"})
        error = answers[verbs["error"]][1]
        self.assertEqual(error["code"], "wrong_state")
        self.assertIn("\"accepted\" by " + verbs["done"], error["message"])

    # ---- who answers for what ----

    def test_routes(self):
        route = self.c.query("routes", region=PLACE, industry="E47")["route"]
        self.assertEqual([(t["tier"], t["team"], t["from_level"]) for t in route["tiers"]],
                         [("street", "streets", "general"), ("county", "sites", "major"), ("prefecture", "prefecture", "critical")])
        self.assertEqual((route["lead"]["department"], route["lead"]["team"]), ("housing", "sites"))
        self.assertEqual([a["team"] for a in route["assist"]], ["streets"])
        self.assertTrue(route["name"].startswith("浙江省嘉兴市平湖市"))
        self.c.error("missing_field", "query", what="routes")
        self.c.error("bad_field", "query", what="routes", region="x")
        self.assertEqual(self.cli_json("routes", "test", "--region", PLACE, "--industry", "E47")["route"], route)
        status, out, err = run([CLI, "routes", "test", "--region", PLACE, "--industry", "E47", "--config", self.d.config, "-o", "json"])
        self.assertEqual((status, json.loads(out)["route"]), (0, route), err)
        zh = self.cli("routes", "test", "--region", PLACE, "--industry", "E", lang="zh_CN.UTF-8")
        self.assertIn("王县长", zh)
        self.assertIn("平湖住建", zh)
        self.cli("routes", "test", "--region", "11", status=1)
        self.assertEqual([t["team"] for t in self.cli_json("routes", "list")["teams"]],
                         [t["team"] for t in self.c.pages("teams", "teams", limit=2)])
        self.assertEqual([m["measure"] for m in self.cli_json("measures")["measures"]],
                         ["order", "talk", "board", "listing", "fund", "grave"])

    def test_a_street_goes_to_another_team(self):
        self.raise_alert(region="330482003")
        self.assertEqual(self.show()["teams"][0], "streets")
        self.addCleanup(self.reload, TEAMS % "")
        self.reload(TEAMS % HARBOUR)
        moved = self.comes("assigned")
        self.assertEqual((moved["teams"][0], moved.get("principal")), ("harbour", None))
        self.assertEqual(self.show()["teams"][0], "harbour")

    def reload(self, teams):
        self.write("teams.yaml", teams)
        mark = self.d.log.mark()
        self.d.proc.send_signal(signal.SIGHUP)
        self.d.log.wait("reloaded", since=mark)

    def test_a_principal_of_no_team(self):
        self.write("wrong.yaml", PRINCIPALS.replace("team: county", "team: countty"))
        self.write("wrong-config.yaml", "state_dir: %s\nteams: teams.yaml\nprincipals: wrong.yaml\n" % self.d.state)
        status, out, err = run([CLI, "check-config", os.path.join(self.d.dir, "wrong-config.yaml")])
        self.assertEqual(status, 78, out + err)
        self.assertIn('no team "countty"', out + err)
        self.assertIn('did you mean "county"', out + err)

    # ---- the command line ----

    def test_worked_by_the_command_line(self):
        self.raise_alert()
        n = str(self.alert)
        self.cli("alert", "snooze", n, "--until", "2d")
        self.assertAlmostEqual(self.show()["handling"]["snoozed_until"], now_ms() + 2 * DAY, delta=HOUR)
        self.cli("alert", "accept", n, "--actor", "王")
        done = json.loads(self.cli("alert", "verify", n, "--finding", "confirmed", "--people", "31", "--amount", "480000.50", "-o", "json"))
        self.cli("alert", "correct", n, "--undo", str(done["seq"]))
        self.cli("alert", "verify", n, "--finding", "confirmed", "--people", "31", "--amount", "480000.50")
        self.cli("alert", "extend", n, "--note", "approved")
        self.cli("alert", "dispose", n, "--measure", "order", "--ref", "7", "--people", "31", "--amount", "480000.50", "--due", "10d")
        taken = self.show()["handling"]["measures"][0]
        self.assertEqual((taken["amount"], taken["people"], taken["ref"]), (48000050, 31, "7"))
        self.assertAlmostEqual(taken["due"], now_ms() + 10 * DAY, delta=HOUR)
        day = self.by["chief"].query("alert", alert=self.alert)["alert"]["due"]
        self.assertEqual((day + 8 * HOUR) % DAY, 0)  # 24:00 of a day
        self.cli("alert", "hold", n, "--until", "5d", "--note", "in court")
        self.cli("alert", "join", n, "--team", "sites")
        shown = self.cli("alert", "show", n)
        for words in ("possible now", "to be struck off", "24:00", "order to correct", "held until", "480,000.50", "in time"):
            self.assertIn(words, shown)
        zh = self.cli("alert", "show", n, lang="zh_CN.UTF-8")
        for words in ("现在可以", "限期改正指令书", "中止计时至", "按时"):
            self.assertIn(words, zh)
        self.assertIn("term", self.cli("alert", "snooze", n, "--until", "soon", status=2))
        self.assertIn("cannot be given accept", self.cli("alert", "accept", n, status=1))

    def test_columns_line_up(self):
        self.raise_alert()
        lines = self.cli("alerts", "--state", "any", lang="zh_CN.UTF-8").splitlines()
        self.assertIn("层级", lines[0])
        width = lambda s: sum(2 if ord(c) > 0x2e7f else 1 for c in s)
        at = width(lines[0][:lines[0].index("层级")])
        for line in lines[1:]:
            cut, n = 0, 0
            while n < at:
                n += width(line[cut])
                cut += 1
            self.assertEqual(line[cut - 1], " ", line)
            self.assertIn(line[cut:cut + 2], ("镇街", "县级", "市级"), line)

    def test_statistics(self):
        before = self.cli_json("statistics")
        self.raise_alert()
        self.do("accept")
        self.do("verify", finding="unfounded")
        self.do("close", outcome="unfounded")
        self.code = uscc(next(self.codes))
        self.raise_alert()
        self.do("accept")
        self.do("verify", finding="confirmed")
        self.c.push(sig("police.owner_missing", uscc(next(self.codes)), region=PLACE, status="exercise"))
        after = self.cli_json("statistics")
        grown = {k: after["all"][k] - before["all"][k] for k in after["all"]}
        self.assertEqual(grown, {"raised": 2, "confirmed": 1, "unfounded": 1, "false_claim": 0, "open": 1})
        figure = lambda doc, key, word, name: sum(r["raised"] for r in doc[key] if r[word] == name)
        self.assertEqual(figure(after, "rules", "rule", "score") - figure(before, "rules", "rule", "score"), 2)
        self.assertEqual(figure(after, "agencies", "agency", "police") - figure(before, "agencies", "agency", "police"), 2)
        self.assertEqual(self.by["hangzhou"].query("statistics")["all"]["raised"], 0)
        self.assertIn("By agency", self.cli("statistics", "--region", "330482"))

    # ---- by lot ----

    def proves(self, path, got):
        """--verify holds for the file as it is, without a daemon, and for none that was changed."""
        alone = lambda path, *more: run([CLI, *more, "draw", "--verify", path], LC_ALL="en_US.UTF-8", WAGEWARN_ENDPOINT="ipc:///none")
        self.assertEqual(alone(path)[0], 0, alone(path))
        self.assertIn("--state-dir", alone(path)[1])
        self.assertIn("which the journal has there", self.cli("draw", "--verify", path))
        for change in (lambda d: d["drawn"].reverse(), lambda d: d["drawn"].pop(), lambda d: d["list"].pop(),
                       lambda d: d["names"].reverse() or d["names"].pop(), lambda d: d["drawn"][0]["inspectors"].reverse(),
                       lambda d: d.update(seed="0" * 64), lambda d: d.update(as_of=d["number"] + 1),
                       lambda d: d["list"].append(dict(d["list"][0], key="z"))):
            forged = json.loads(json.dumps(got))
            change(forged)
            if forged["names"] != got["names"] and len({n for d in got["drawn"] for n in d["inspectors"]} - set(forged["names"])) == 0:
                continue  # the name that went was nobody's
            self.write("forged.json", json.dumps(forged))
            status, _, err = alone(os.path.join(self.d.dir, "forged.json"))
            self.assertEqual(status, 1, forged)
            self.assertIn("does not hold", err)
        false = dict(got, seed="%064x" % 7)
        self.write("forged.json", json.dumps(false))
        self.assertIn("does not hold", self.cli("draw", "--verify", os.path.join(self.d.dir, "forged.json"), status=1))
        for bad in ("{", "[]", "{}", json.dumps(dict(got, list=3)), json.dumps(dict(got, seed="x")),
                    json.dumps(dict(got, list=got["list"] + got["list"][:1])), json.dumps(dict(got, list=[{"key": "a\nb"}]))):
            self.write("forged.json", bad)
            self.assertEqual(alone(os.path.join(self.d.dir, "forged.json"))[0], 2, bad)

    def test_a_draw_can_be_computed_again(self):
        for _ in range(6):
            self.code = uscc(next(self.codes))
            self.c.push(sig("tax.arrears", self.code, region=PLACE))
        names = ["王一", "李二", "张三", "赵四", "钱五"]
        inspectors = self.write("names.txt", "# on duty\n" + "\n".join(names) + "\n")
        kept, result = os.path.join(self.d.dir, "kept.json"), os.path.join(self.d.dir, "drawn.json")
        number = self.c.push(sig("tax.arrears", self.code, region=PLACE))["seq"] + 3
        args = ["draw", "--of", "enterprises", "--region", "330482", "--n", "3", "--inspectors", inspectors, "--at-number", str(number)]
        self.assertIn("--save", self.cli(*args, status=2))
        self.assertIn("announce", self.cli(*args, "--save", kept))
        self.assertIn("new file", self.cli(*args, "--save", kept, status=74))
        self.assertIn("not come", self.cli("draw", "--candidates", kept, status=75))
        self.assertIn("nothing has been drawn", self.cli("draw", "--verify", kept, status=1))
        keys = [e["uscc"] for e in self.c.pages("enterprises", "enterprises", region="330482", limit=3)]
        while self.c.push(sig("tax.arrears", uscc(next(self.codes)), region=PLACE))["seq"] <= number:  # new ones are no candidates
            pass
        got = self.cli_json("draw", "--candidates", kept, "--save", result)
        seed = self.c.query("audit", number=number)["hash"]
        lot = lambda *words: hashlib.blake2b(" ".join((seed,) + words).encode(), digest_size=32).hexdigest()
        self.assertEqual(got["seed"], seed)
        self.assertEqual([d["key"] for d in got["drawn"]], sorted(keys, key=lot)[:3])
        self.assertEqual([d["hash"] for d in got["drawn"]], [lot(d["key"]) for d in got["drawn"]])
        for d in got["drawn"]:
            self.assertEqual(d["inspectors"], sorted(names, key=lambda name: lot(d["key"], name))[:2])
        self.assertEqual([c["key"] for c in got["list"]], sorted(keys))
        self.assertEqual(got["names"], names)
        self.assertEqual(got["candidates_hash"],
                         hashlib.blake2b("".join(k + "\n" for k in sorted(keys)).encode(), digest_size=32).hexdigest())
        self.assertEqual(self.cli_json("draw", "--candidates", kept, "--state-dir", self.d.state), got)
        self.assertIn(seed, self.cli("draw", "--candidates", kept))
        self.assertIn("种子", self.cli("draw", "--candidates", kept, lang="zh_CN.UTF-8"))
        self.assertIn("is not known any more", self.cli(*args, status=2))
        self.proves(result, got)
        self.assertIn("lies ahead", self.c.error("bad_field", "query", what="audit", number=10**9)["message"])
        self.write("names.txt", "王一\n王一\n")
        self.assertIn("two", self.cli(*args, status=2))


AREA = SCORE_ONLY + """\
  - id: town
    title: {zh: 同一镇街多家企业, en: Several firms of a town}
    when: {area: {region: 9, industry: 4, level: general, at_least: 2, within: 30d}}
    then: {raise: general}
"""


class Areas(unittest.TestCase):
    def test_an_area_bears_the_full_name_of_its_region(self):
        with Daemon(rules=AREA) as d, d.start().client() as c:
            for n in (1, 2):
                c.push(sig("police.owner_missing", uscc(n), region=PLACE, industry="C181"))
            area = [e for e in c.all_events() if not e["enterprise"]["uscc"]][-1]
            self.assertEqual(area["enterprise"]["name"], "浙江省嘉兴市平湖市当湖街道 C181")
            item = [a for a in c.alerts() if a["alert"] == area["alert"]][0]
            self.assertEqual(item["enterprise"]["name"], area["enterprise"]["name"])
            self.assertNotIn("tier", area)  # none configured


if __name__ == "__main__":
    main()
