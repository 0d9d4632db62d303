#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an operator does and meets: start, stop, reload, a second daemon, mistakes in options and configuration, systemd."""
import os
import re
import signal
import socket
import subprocess
import time
import unittest

from harness import Client, DAEMON, Daemon, PATIENCE, SCORE_ONLY, THREE_AGENCIES, brief, free_port, main, now_ms, program_env, run, sig, uscc


class Operate(unittest.TestCase):
    def daemon(self, **kw):
        d = Daemon(**kw)
        self.addCleanup(d.close)
        return d

    def refused(self, d, status, *patterns, args=()):
        """The daemon does not start: this status, one clear sentence that has all this in it."""
        d.launch(*args)
        got = d.ended()
        text = d.old_logs[-1]
        self.assertIn(got, status if isinstance(status, tuple) else (status,), text)
        for p in patterns:
            self.assertRegex(text, p)
        return text


class StartAndStop(Operate):
    def test_ready(self):
        d = self.daemon().start()
        d.log.wait(r"\bready\b")
        self.assertIn("READY=1", d.notify.said)

    def test_sigterm(self):
        d = self.daemon().start()
        with d.client() as c:
            c.push_all([sig("court.seizure", uscc(n)) for n in range(500)])
            store = c.hello()["store"]
        self.assertEqual(d.stop(), 0)
        self.assertIn("STOPPING=1", d.notify.said)
        d.start()
        with d.client() as c:
            self.assertEqual(c.hello()["store"], store)
            self.assertEqual(c.query("status")["enterprises"], 500)

    def test_sigterm_answers_what_is_in_hand(self):
        """Batches sent before the signal are acknowledged or, after it, not there: never acknowledged and lost."""
        d = self.daemon().start()
        with d.client() as c:
            batches = [[sig("tax.arrears", uscc(n)) for n in range(20)] for _ in range(100)]
            rids = [c.post("signals", batch=b) for b in batches]
            c.reply_to(rids[0])
            d.proc.send_signal(signal.SIGTERM)
            self.assertEqual(d.ended(), 0)
            acked = {rids[0]}
            while c.sock.poll(0):
                verb, body = c.receive()
                if verb == "ack":
                    acked.add(body["rid"])
        d.start()
        with d.client() as c:
            for rid, b in zip(rids, batches):
                ack = c.push(*b)
                if rid in acked:
                    self.assertEqual(ack["duplicates"], 20)
                self.assertEqual(ack["accepted"] + ack["duplicates"], 20)

    def test_sigint_too(self):
        d = self.daemon().start()
        d.proc.send_signal(signal.SIGINT)
        self.assertEqual(d.ended(), 0)

    def test_stop_with_clients_that_do_not_read(self):
        d = self.daemon().start()
        c = d.client(hwm=1)
        self.addCleanup(c.close)
        for _ in range(50):
            c.send("query", {"what": "kinds"})
        c.send("subscribe", {"credit": 1000})
        with d.client() as other:
            other.push(sig("police.owner_missing", at=now_ms()))
        d.stop()

    def test_a_stale_socket_file(self):
        d = self.daemon().start()
        d.kill()
        self.assertTrue(os.path.exists(d.endpoint[len("ipc://"):]))
        d.start()
        with d.client() as c:
            c.hello()

    def test_a_file_in_the_socket_s_place_stays(self):
        d = self.daemon()
        path = d.endpoint[len("ipc://"):]
        with open(path, "w") as f:
            f.write("precious")
        self.refused(d, 78, r"no socket stands there")
        with open(path) as f:
            self.assertEqual(f.read(), "precious")
        os.rename(path, path + ".aside")
        os.symlink(path + ".aside", path)
        self.refused(d, 78, r"no socket stands there")
        os.unlink(path)
        d.start()

    def test_second_daemon(self):
        d = self.daemon().start()
        other = self.daemon()
        other.state = d.state
        other.write_config()
        self.refused(other, (1, 74, 75, 78), re.escape(d.state))
        with d.client() as c:
            self.assertEqual(c.push(sig())["accepted"], 1)

    def test_endpoint_taken(self):
        d = self.daemon(tcp=True).start()
        other = self.daemon()
        other.listen = [d.tcp_endpoint]
        other.write_config()
        text = self.refused(other, (69, 74, 75, 78), re.escape(d.tcp_endpoint.rsplit(":", 1)[1]))
        self.assertNotEqual(text, "")


class Systemd(Operate):
    def test_watchdog(self):
        d = self.daemon(env={"WATCHDOG_USEC": "400000"})
        mark = d.notify.mark()
        d.start()
        self.assertTrue(d.notify.wait("WATCHDOG=1", mark, d.alive))
        self.assertTrue(d.notify.wait("WATCHDOG=1", d.notify.mark(), d.alive), "once is not enough")

    def test_no_watchdog_unless_asked(self):
        d = self.daemon().start()
        with d.client() as c:
            sub = c.subscribe(credit=0)
            for _ in range(3):  # a few seconds of heartbeats
                c.next(sub["session"])
        self.assertNotIn("WATCHDOG=1", d.notify.said)

    def test_without_systemd(self):
        """No NOTIFY_SOCKET: the log line tells."""
        d = self.daemon(env={"NOTIFY_SOCKET": ""})
        d.launch()
        d.log.wait(r"\bready\b")
        with d.client() as c:
            c.hello()

    def test_state_directory_of_systemd(self):
        d = self.daemon(env={})
        own = os.path.join(d.dir, "given")
        os.mkdir(own)
        d.env["STATE_DIRECTORY"] = own
        d.write_config("listen: [\"%s\"]\nrules: rules.yaml\nkinds: %s\nregions: %s\n" % (d.endpoint, d.kinds, d.regions))
        with open(os.path.join(d.dir, "spring_festival.csv"), "w") as f:
            f.write("year,new_year_day\n2030,2030-02-03\n")
        d.start()
        self.assertTrue(os.path.isdir(os.path.join(own, "journal")))

    def test_state_is_private(self):
        d = self.daemon().start()
        for where, _, files in os.walk(d.state):
            self.assertEqual(os.stat(where).st_mode & 0o007, 0, where)
            for name in files:
                self.assertEqual(os.stat(os.path.join(where, name)).st_mode & 0o007, 0, name)


class Reload(Operate):
    def hash_changes(self, c, old):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            now = c.query("rules")["hash"]
            if now != old:
                return now
        self.fail("the rules did not change")

    def test_good(self):
        d = self.daemon().start()
        with d.client() as c:
            code = uscc(1)
            for kind in ("tax.filing_missed", "market.legal_rep_changed"):
                c.push(sig(kind, code, at=now_ms()))
            old = c.query("rules")
            d.write_rules(THREE_AGENCIES)
            d.proc.send_signal(signal.SIGHUP)
            new = self.hash_changes(c, old["hash"])
            self.assertEqual([r["id"] for r in c.query("rules")["rules"]], ["score", "three-agencies"])
            c.push(sig("utility.property_fee_overdue", code, at=now_ms()))
            self.assertEqual(brief(c.all_events()), [("raised", "major")])
            d.restart()
        with d.client() as c:
            self.assertEqual(c.query("rules")["hash"], new)
            self.assertEqual(brief(c.all_events()), [("raised", "major")])

    def test_alerts_follow_the_new_rules(self):
        d = self.daemon().start()
        with d.client() as c:
            for n in range(30):
                c.push(*[sig(k, uscc(n), at=now_ms()) for k in ("tax.filing_missed", "market.legal_rep_changed",
                                                               "utility.property_fee_overdue")])
            self.assertEqual(c.all_events(), [])
            old = c.query("rules")["hash"]
            d.write_rules(THREE_AGENCIES)
            d.proc.send_signal(signal.SIGHUP)
            self.hash_changes(c, old)
            sub = c.subscribe(credit=100)
            got = c.until(sub["session"], 30)
            self.assertEqual(brief(got), [("raised", "major")] * 30)
            self.assertTrue(all(e.get("rules_changed") for e in got), got[0])

    def test_a_rule_of_another_name_is_told(self):
        d = self.daemon().start()
        with d.client() as c:
            c.push(*[sig(k, at=now_ms()) for k in ("court.seizure", "police.owner_missing")])
            sub, head = c.subscribe(credit=100), c.head()
            c.until(sub["session"], head)
            for n, name in enumerate(("score2", "score2b"), 1):
                d.write_rules(SCORE_ONLY.replace("- id: score", "- id: " + name))
                d.proc.send_signal(signal.SIGHUP)
                told = c.until(sub["session"], head + n)[0]  # before the next: settings that follow at once are one change
                self.assertEqual((told["type"], told["rules_changed"], [r["rule"] for r in told["reasons"]]),
                                 ("evidence", True, [name]))

    def test_bad(self):
        d = self.daemon().start()
        with d.client() as c:
            old = c.query("rules")["hash"]
            for text, line in ((SCORE_ONLY.replace("score: follow", "scoer: follow"), 10), ("rules: [", None), ("", None),
                               (SCORE_ONLY.replace("general: 40", "general: 99"), None)):
                d.write_rules(text)
                mark = d.log.mark()
                d.proc.send_signal(signal.SIGHUP)
                said = d.log.wait(r"reload refused|refused", since=mark)
                self.assertIn("rules.yaml", d.log.text(mark))
                self.assertNotIn("line=0", d.log.text(mark))
                if line:
                    self.assertRegex(d.log.text(mark), r"rules\.yaml:%d\b|line=%d\b" % (line, line), said)
                self.assertEqual(c.query("rules")["hash"], old)
                self.assertEqual(c.push(sig())["accepted"], 1)
            os.unlink(d.rules)
            mark = d.log.mark()
            d.proc.send_signal(signal.SIGHUP)
            d.log.wait(r"refused", since=mark)
            self.assertEqual(c.query("rules")["hash"], old)
            d.write_rules(THREE_AGENCIES)
            d.proc.send_signal(signal.SIGHUP)
            self.hash_changes(c, old)

    def test_many_in_a_row(self):
        d = self.daemon().start()
        with d.client() as c:
            for n in range(20):
                d.write_rules(THREE_AGENCIES if n % 2 else SCORE_ONLY)
                d.proc.send_signal(signal.SIGHUP)
                c.push(sig(code=uscc(n)))
            d.write_rules(THREE_AGENCIES.replace("within: 45d", "within: 44d"))
            old = c.query("rules")["hash"]
            d.proc.send_signal(signal.SIGHUP)
            self.hash_changes(c, old)
        d.restart()

    def test_nothing_changed(self):
        d = self.daemon().start()
        with d.client() as c:
            last = c.query("status")["journal"]["last"]
            mark = d.log.mark()
            d.proc.send_signal(signal.SIGHUP)
            d.log.wait(r"reload", since=mark)
            self.assertEqual(c.query("status")["journal"]["last"], last)


class Mistakes(Operate):
    def test_unknown_option(self):
        for args in (["--nonsense"], ["--config"], ["stray"], ["--listen"]):
            status, _, err = run([DAEMON] + args)
            self.assertEqual(status, 2, (args, err))
            self.assertRegex(err, r"\Awagewarnd: [^\n]+; [^\n]+\n\Z")

    def test_a_window_longer_than_the_journal_is_kept(self):
        d = self.daemon()
        for days, status in ((500, 78), (399, 0)):
            d.write_rules(THREE_AGENCIES.replace("within: 45d", f"within: {days}d"))
            got, _, err = run([DAEMON, "--config", d.config, "--check-config"])
            self.assertEqual(got, status, err)
            self.assertEqual("longer than the journal is kept: 400 days" in err, status == 78, err)

    def test_help_and_version(self):
        status, out, _ = run([DAEMON, "--help"])
        self.assertEqual(status, 0)
        for option in ("--config", "--state-dir", "--listen", "--check-config", "--rebuild"):
            self.assertIn(option, out)
        status, out, _ = run([DAEMON, "--version"])
        self.assertEqual(status, 0)
        self.assertRegex(out, r"\d+\.\d+")

    def test_no_configuration_file(self):
        d = self.daemon()
        os.unlink(d.config)
        self.refused(d, 78, r"wagewarn\.yaml: .*No such file")

    def test_mistakes_have_their_place(self):
        d = self.daemon()
        with open(d.config, encoding="utf-8") as f:
            good = f.read()
        for bad in ("nonsense: 1\n", "state_dir: again\n", "timezone: nowhere\n", "kinds: missing.csv\n", "listen: 5\n",
                    "  bad: [indent\n", "limits: 7\n", "rules: [a]\n"):
            text = good
            key = bad.split(":")[0]
            if key in ("kinds", "rules"):
                text = "".join(l for l in good.splitlines(True) if not l.startswith(key))
            elif key == "listen":
                text = "".join(l for l in good.splitlines(True) if not l.startswith(("listen", "  -")))
            d.write_config(text + bad)
            where = text.count("\n") + 1
            place = {"  bad": r"wagewarn\.yaml:\d+", "kinds": r"missing\.csv"}.get(key, r"wagewarn\.yaml:%d\b" % where)
            out = self.refused(d, 78, place)
            status, _, err = run([DAEMON, "--config", d.config, "--check-config"])
            self.assertEqual(status, 78, err)
            self.assertRegex(err, place)
            self.assertFalse(os.path.exists(d.state), "a refused start leaves nothing behind: %s" % out)

    def test_mistakes_in_rules(self):
        d = self.daemon(rules=SCORE_ONLY.replace("general: 40", "general: 90"))
        self.refused(d, 78, r"rules\.yaml:\d+")
        for old, new in (("raise: by_score", "raise: purple"), ("id: score", "di: score"), ("version: 1", "version: 99"),
                         ("score: follow", "agencies: {of: any, at_least: 0, within: 45d}"),
                         ("score: follow", "signal: tax.arears"), ("score: follow", "signal: tax.arrears, within: 5"),
                         ("hysteresis: 8", "hysteresis: -1"), ("others_at_least: 5", "others_at_least: 500"),
                         ("score: follow", "all: []"), ("rules:\n", "rules:\n  - {id: score, when: {score: follow}, then: {raise: general}}\n")):
            text = SCORE_ONLY.replace(old, new)
            self.assertNotEqual(text, SCORE_ONLY)
            d.write_rules(text)
            self.refused(d, 78, r"rules\.yaml:\d+:\d+: error: ")
        d.write_rules(SCORE_ONLY)
        d.start()

    def test_misspelt_words_are_suggested(self):
        d = self.daemon(rules=SCORE_ONLY.replace("score: follow", "signal: tax.arears"))
        self.refused(d, 78, r"tax\.arrears")

    def test_all_mistakes_at_once(self):
        d = self.daemon(rules=SCORE_ONLY.replace("raise: by_score", "raise: purple").replace("id: score", "di: score"))
        text = self.refused(d, 78)
        self.assertRegex(text, r"rules\.yaml:8\b")
        self.assertRegex(text, r"rules\.yaml:11\b")

    def test_check_config(self):
        d = self.daemon()
        status, _, err = run([DAEMON, "--config", d.config, "--check-config"])
        self.assertEqual(status, 0, err)
        self.assertFalse(os.path.exists(d.state))
        d.start()
        self.assertEqual(run([DAEMON, "--config", d.config, "--check-config"])[0], 0)  # beside a running one

    def test_tcp_without_curve(self):
        d = self.daemon()
        for endpoint in ("tcp://0.0.0.0:7499", "tcp://*:7499", "tcp://192.0.2.1:7499", "tcp://[::]:7499"):
            d.listen = ["\"%s\"" % endpoint]
            d.write_config()
            text = self.refused(d, 78)
            self.assertRegex(text, r"(?i)curve")
        d.listen = []
        d.write_config()
        text = self.refused(d, (2, 78), args=["--listen", "tcp://0.0.0.0:7499"])
        self.assertRegex(text, r"(?i)curve")

    def test_bad_endpoints(self):
        d = self.daemon()
        for endpoint in ("nonsense", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "ipc://", "ipc:///" + "x" * 200 + "/s"):
            d.listen = ["\"%s\"" % endpoint]
            d.write_config()
            self.refused(d, (74, 78), r"wagewarnd: |error: ")

    def test_state_directory_that_cannot_be(self):
        d = self.daemon()
        with open(os.path.join(d.dir, "file"), "w") as f:
            f.write("x")
        d.state = os.path.join(d.dir, "file", "state")
        d.write_config()
        self.refused(d, 74, r"file/state cannot be made: there is no directory above it")
        for state, sentence in ((os.path.join(d.dir, "no", "state"), "there is no directory above it"),
                                (os.path.join(d.dir, "file"), "is no directory"), ("", "--state-dir is empty")):
            self.refused(d, (74, 78), sentence, args=["--state-dir", state])

    def test_loopback_in_all_its_forms(self):
        d = self.daemon()
        port = free_port()
        d.listen = ['"tcp://localhost:%d"' % port]
        with socket.socket(socket.AF_INET6) as s:
            try:
                s.bind(("::1", 0))
                d.listen.append('"tcp://[::1]:%d"' % s.getsockname()[1])
            except OSError:
                pass  # a machine without IPv6
        d.write_config()
        d.start()
        with Client("tcp://127.0.0.1:%d" % port, alive=d.alive) as c:
            c.hello()

    def test_options_win(self):
        d = self.daemon()
        other = os.path.join(d.dir, "other-state")
        d.args = ["--state-dir", other, "--listen", d.endpoint + "2"]
        d.start()
        self.assertTrue(os.path.isdir(other))
        self.assertFalse(os.path.exists(d.state))
        d.endpoint += "2"
        with d.client() as c:
            c.hello()

    def test_without_any_configuration(self):
        """Built-in defaults: the state directory from STATE_DIRECTORY, the shipped kinds, rules and regions."""
        d = self.daemon()
        d.state = os.path.join(d.dir, "bare")
        d.proc = subprocess.Popen([DAEMON, "--listen", d.endpoint], cwd=d.dir, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  env=program_env(NOTIFY_SOCKET=d.notify.path, STATE_DIRECTORY=d.state))
        from harness import Log
        d.said, d.log = 0, Log(d.proc.stderr)
        d.wait_ready()
        with d.client() as c:
            self.assertGreater(len(c.pages("kinds", "kinds")), 70)
            self.assertIn("three-agencies", [r["id"] for r in c.query("rules")["rules"]])
            self.assertEqual(c.push(sig(region="330482001"))["accepted"], 1)


class Overload(Operate):
    def test_each_batch_is_acknowledged_or_busy(self):
        d = self.daemon().start()
        with d.client() as c:
            batches = [[sig("tax.arrears", uscc(n), note="x" * 900) for n in range(100)] for _ in range(400)]
            rids = {c.post("signals", batch=b): b for b in batches}
            busy = []
            for _ in range(len(rids)):
                verb, body = c.receive()
                self.assertIn(verb, ("ack", "busy"))
                if verb == "busy":
                    self.assertGreater(body["retry_ms"], 0)
                    self.assertTrue(body["reason"])
                    busy.append(body["rid"])
                else:
                    self.assertEqual(body["accepted"], 100)
            for rid in busy:
                ack = c.push(*rids[rid])
                self.assertEqual(ack["accepted"], 100)
            self.assertEqual(c.push(*batches[0])["duplicates"], 100)

    def test_queries_without_end(self):
        d = self.daemon().start()
        with d.client() as c:
            rids = {c.post("query", what="kinds") for _ in range(3000)}
            for _ in range(3000):
                verb, body = c.receive()
                self.assertIn(verb, ("result", "busy"))
                rids.discard(body["rid"])
            self.assertEqual(rids, set())
            self.assertEqual(c.push(sig())["accepted"], 1)


if __name__ == "__main__":
    main()
