#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged is there: after kill -9 right behind the ack, after many of them, after a view thrown away."""
import os
import shutil
import unittest

from harness import DAY, Daemon, SCORE_ONLY, brief, main, now_ms, sig, uscc, without_session


class Durability(unittest.TestCase):
    def daemon(self, **kw):
        d = Daemon(rules=SCORE_ONLY, **kw)
        self.addCleanup(d.close)
        return d.start()

    def test_kill_right_after_the_ack(self):
        d = self.daemon()
        sent = []
        for n in range(12):
            batch = [sig("court.seizure", uscc(n)) for _ in range(n + 1)]
            with d.client() as c:
                ack = c.push(*batch)
                d.kill()
            self.assertEqual(ack["accepted"], len(batch))
            sent += batch
            d.start()
            with d.client() as c:
                again = c.push(*batch)
                self.assertEqual((again["accepted"], again["duplicates"]), (0, len(batch)))
        with d.client() as c:
            again = c.push(*sent)
            self.assertEqual((again["accepted"], again["duplicates"]), (0, len(sent)))
            for n in range(12):
                self.assertEqual(len(c.enterprise(uscc(n))["signals"]), n + 1)

    def test_what_feeds_sent_is_known_after_a_restart(self):
        """Counts and times of a source, of signals that are actual only, whether it stopped or was killed."""
        d = self.daemon()
        with d.client() as c:
            c.push(*[sig("court.seizure", uscc(n)) for n in range(7)])
            c.push(sig("court.seizure", uscc(8), status="exercise"))
        for end in (d.stop, d.kill):
            end()
            d.start()
            with d.client() as c:
                feeds = {f["source"]: f for f in c.query("feeds")["feeds"]}
                self.assertEqual((feeds["court"]["accepted"], feeds["court"]["today"]), (7, 7))
                self.assertAlmostEqual(feeds["court"]["last_at"], now_ms(), delta=10 * 60 * 1000)

    def test_a_clean_stop_leaves_no_tail(self):
        """Even where the last entries changed no record: actions that were refused."""
        d = self.daemon()
        with d.client() as c:
            for _ in range(3):
                c.error("no_such_alert", "action", alert=99, do="accept")
            c.push(sig("police.owner_missing", uscc(1)))
            alert = c.alerts()[0]["alert"]
            for _ in range(3):
                c.error("wrong_state", "action", alert=alert, do="close")
        d.stop()
        d.start()
        self.assertIn(" folded=0 ", d.log.text())

    def test_names_without_an_owner_are_told(self):
        d = self.daemon()
        with d.client() as c:
            c.push(sig(code=uscc(1), name="同名公司"), sig(code=uscc(2), name="同名公司"))
            self.assertEqual(c.query("status")["problems"], [])
            lone = sig("police.owner_missing", uscc(3), name="同名公司")
            del lone["uscc"]
            c.push(lone)
            self.assertEqual(c.alerts(), [])
            self.assertRegex(" ".join(c.query("status")["problems"]), r"^1 name\(s\) belong to several enterprises")

    def test_numbers_go_on(self):
        d = self.daemon()
        last = 0
        for _ in range(4):
            with d.client() as c:
                seq = c.push(sig())["seq"]
                self.assertGreater(seq, last)
                last = seq
            d.kill()
            d.start()

    def test_no_ack_means_send_again(self):
        """Killed with batches in flight: each is stored whole, in part or not at all, and sending again completes it."""
        d = self.daemon()
        for n in range(6):
            batches = [[sig("tax.arrears", uscc(100 + n)) for _ in range(20)] for _ in range(20)]
            with d.client() as c:
                rids = [c.post("signals", batch=b) for b in batches]
                for rid in rids[:n * 3 + 1]:
                    c.reply_to(rid)
                d.kill()
            d.start()
            with d.client() as c:
                for b in batches:
                    ack = c.push(*b)
                    self.assertEqual(ack["accepted"] + ack["duplicates"], 20)
                    self.assertEqual(ack["rejected"], [])
                for b in batches[:n * 3 + 1]:
                    self.assertEqual(c.push(*b)["duplicates"], 20)
                ids = [s["id"] for s in c.enterprise(uscc(100 + n))["signals"]]
                self.assertEqual(len(ids), len(set(ids)))

    def test_events_are_the_same_after_kills(self):
        d = self.daemon()
        seen = []
        for n in range(8):
            with d.client() as c:
                c.push(sig("court.seizure", uscc(n), at=now_ms()), sig("police.owner_missing", uscc(n), at=now_ms()),
                       sig("tax.arrears", uscc(n + 1), at=now_ms()))
                events = [without_session(e) for e in c.all_events()]
                self.assertEqual(events[:len(seen)], seen)
                self.assertGreater(len(events), len(seen))
                seen = events
            d.kill()
            d.start()
        with d.client() as c:
            self.assertEqual([without_session(e) for e in c.all_events()], seen)

    def test_rebuild_gives_the_same(self):
        d = self.daemon()
        with d.client() as c:
            c.push_all([sig(kind, uscc(n % 7), at=now_ms() - n * DAY, name="示例%d号公司" % (n % 7), region="330482001")
                        for n in range(40) for kind in ("court.seizure", "police.owner_missing", "tax.arrears")])
            before = self.picture(c)
        d.stop()
        d.start("--rebuild")
        with d.client() as c:
            self.assertEqual(self.picture(c), before)

    def picture(self, c):
        events = [without_session(e) for e in c.all_events()]
        firms = [c.enterprise(uscc(n)) for n in range(7)]
        for f in firms:
            f["score"] = round(f["score"] / 10)  # time goes on between the two
            for s in f["signals"]:
                s["share"] = round((s.get("share") or 0) / 100)
        return events, firms, [a["alert"] for a in c.alerts()], c.hello()["store"]

    def test_another_directory_is_another_store(self):
        a, b = self.daemon(), self.daemon()
        with a.client() as ca, b.client() as cb:
            self.assertNotEqual(ca.hello()["store"], cb.hello()["store"])

    def test_a_torn_tail_was_never_acknowledged(self):
        """Bytes after the last good batch, as a power cut leaves them, do not stop a start and lose nothing."""
        d = self.daemon()
        with d.client() as c:
            batch = [sig("court.seizure", uscc(3)) for _ in range(5)]
            c.push(*batch)
            size = c.query("status")["journal"]["bytes"]
        d.kill()
        segment = self.segments(d)[-1]
        with open(segment, "r+b") as f:
            data = f.read()
            end = len(data.rstrip(b"\0"))
            self.assertLessEqual(end, size + 4096)
            f.seek(end + 64)
            f.write(b"\x5a" * 700)
        d.start()
        with d.client() as c:
            self.assertEqual(c.push(*batch)["duplicates"], 5)
            self.assertEqual(c.push(sig(code=uscc(3)))["accepted"], 1)

    def test_damage_in_the_middle_is_told_and_refused(self):
        d = self.daemon()
        with d.client() as c:
            for _ in range(20):
                c.push(sig("court.seizure", uscc(4), note="x" * 500))
        d.stop()
        segment = self.segments(d)[0]
        with open(segment, "r+b") as f:
            end = len(f.read().rstrip(b"\0"))
            f.seek(end // 2)
            byte = f.read(1)
            f.seek(end // 2)
            f.write(bytes([byte[0] ^ 0x40]))
        d.launch()
        self.assertNotEqual(d.ended(), 0)
        self.assertIn(os.path.basename(segment), d.old_logs[-1])
        with open(segment, "r+b") as f:
            f.seek(end // 2)
            f.write(byte)
        d.start()
        with d.client() as c:
            self.assertEqual(len(c.enterprise(uscc(4))["signals"]), 20)

    def segments(self, d):
        where = os.path.join(d.state, "journal")
        return [os.path.join(where, n) for n in sorted(os.listdir(where)) if n.endswith(".seg")]

    def test_a_view_that_is_gone(self):
        """The view is derived: without its files a start folds the journal again."""
        d = self.daemon()
        with d.client() as c:
            c.push(sig("police.owner_missing", uscc(5), at=now_ms()))
            events = [without_session(e) for e in c.all_events()]
            self.assertEqual(brief(events), [("raised", "major")])
        d.stop()
        for name in os.listdir(d.state):
            if name not in ("journal", "lock") and os.path.isdir(os.path.join(d.state, name)):
                shutil.rmtree(os.path.join(d.state, name))
        d.start("--rebuild")
        with d.client() as c:
            self.assertEqual([without_session(e) for e in c.all_events()], events)


if __name__ == "__main__":
    main()
