#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up: `busy` with its reason, nothing acknowledged is lost, and it goes on when there is room again.

Needs a small file system of its own (tmpfs); where that may not be mounted the test is skipped."""
import os
import subprocess
import sys
import tempfile
import time
import unittest

from harness import DAEMON, Daemon, PATIENCE, SCORE_ONLY, SKIP, brief, main, now_ms, sig, uscc

MIB = 1 << 20


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.disk = tempfile.mkdtemp(prefix="ww-disk-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=0700" % (320 * MIB), "tmpfs", self.disk], check=True)
        self.addCleanup(os.rmdir, self.disk)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.d = Daemon(rules=SCORE_ONLY)
        self.addCleanup(self.d.close)
        self.d.state = os.path.join(self.disk, "state")
        self.d.write_config()

    def free(self):
        s = os.statvfs(self.disk)
        return s.f_bavail * s.f_frsize

    def fill(self, leave):
        """A file that leaves this much room."""
        with open(os.path.join(self.disk, "filler"), "ab") as f:
            chunk = bytes(256 * 1024)
            try:
                while self.free() > leave:
                    f.write(chunk[:min(len(chunk), max(4096, self.free() - leave))])
                    f.flush()
            except OSError:
                pass

    def make_room(self):
        os.unlink(os.path.join(self.disk, "filler"))

    def busy(self, c, *signals):
        body = c.expect("busy", "signals", batch=list(signals))
        self.assertGreater(body["retry_ms"], 0)
        self.assertTrue(body["reason"])

    def until(self, c, answer, batch):
        """The daemon looks at the disk in its own time: asks again until it answers so."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            got, body = c.ask("signals", batch=batch)
            if got == answer:
                return body
            c.query("status")
        self.fail("still %s" % got)

    def test_below_five_per_cent(self):
        self.d.start()
        with self.d.client() as c:
            kept = [sig("police.owner_missing", uscc(n), at=now_ms()) for n in range(20)]
            self.assertEqual(c.push(*kept)["accepted"], 20)
            self.fill(8 * MIB)
            late = [sig("police.owner_missing", uscc(n + 100), at=now_ms()) for n in range(20)]
            self.until(c, "busy", [sig("tax.arrears", uscc(999))])
            self.busy(c, *late)
            self.assertEqual(len(c.all_events()), 20)  # it goes on serving
            self.assertEqual(c.enterprise(uscc(3))["level"], "major")
            self.assertTrue(c.query("status")["problems"])
            self.d.restart()  # and starts on a full disk
        with self.d.client() as c:
            self.assertEqual(len(c.all_events()), 20)
            self.busy(c, *late)
            self.make_room()
            ack = self.until(c, "ack", late)
            self.assertEqual((ack["accepted"], ack["duplicates"]), (20, 0))  # nothing of a busy batch was stored
            self.assertEqual(c.push(*kept)["duplicates"], 20)
            self.assertEqual(brief(c.all_events()), [("raised", "major")] * 40)

    def test_questions_while_the_view_cannot_be_written(self):
        # signals are taken to the last byte here: what is asked is what becomes of the view
        self.d.extra = "limits: {disk_free: 0}\n"
        self.d.write_config()
        self.d.start()
        with self.d.client() as c, self.d.client() as fresh:
            c.push(*[sig("police.owner_missing", uscc(n), at=now_ms()) for n in range(50)])
            self.assertEqual(len(c.query("alerts")["alerts"]), 50)
            self.fill(0)
            got, body = c.ask("signals", batch=[sig("police.owner_missing", uscc(n + 100), at=now_ms()) for n in range(900)])
            self.assertEqual((got, body["accepted"]), ("ack", 900))  # the journal's segment is there already
            got, body = c.ask("query", what="alerts")
            self.assertEqual((got, body.get("reason")), ("busy", "the disk is full: the view cannot be written"))
            self.assertGreater(body["retry_ms"], 0)
            self.assertIn("the disk is full: the view cannot be written", c.query("status")["problems"])
            seen = fresh.query("alerts")  # it was told of nothing newer
            self.assertEqual(len(seen["alerts"]), 50)
            alert = seen["alerts"][0]["alert"]
            self.assertEqual(c.ask("action", alert=alert, do="comment", note="x")[0], "done")
            self.assertEqual(c.ask("action", alert=alert + 500, do="comment", note="x")[0], "busy")
            self.make_room()
            self.until(c, "ack", [sig("tax.arrears", uscc(9999))])
            self.assertEqual(len(c.query("alerts", limit=1000)["alerts"]), 950)
            self.assertEqual(c.query("status")["problems"], [])

    def test_filled_to_the_last_byte_while_feeding(self):
        self.d.start()
        acked, n, filled = [], 0, False
        with self.d.client() as c:
            while n < 400:
                batch = [sig("registry.profile", uscc(n), note="x" * 1000) for _ in range(200)]
                got, body = c.ask("signals", batch=batch)
                if got == "busy":
                    break
                self.assertEqual((got, body["accepted"]), ("ack", 200))
                acked.append(batch)
                n += 1
                if n == 30 and not filled:
                    self.fill(0)
                    filled = True
            self.assertEqual(got, "busy", "a full disk was never noticed")
            c.hello()
        self.d.kill()
        self.d.start()
        with self.d.client() as c:
            self.busy(c, sig("tax.arrears", uscc(5)))
            self.make_room()
            self.until(c, "ack", [sig("tax.arrears", uscc(5))])
            for batch in acked:
                self.assertEqual(c.push(*batch)["duplicates"], 200)


def may_mount():
    where = tempfile.mkdtemp(prefix="ww-mount-")
    try:
        ok = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", where], stderr=subprocess.DEVNULL).returncode == 0
        if ok:
            subprocess.run(["umount", where], check=True)
        return ok
    except OSError:
        return False
    finally:
        os.rmdir(where)


if __name__ == "__main__":
    if os.path.exists(DAEMON) and not may_mount():
        print("skipped: a file system of its own may not be mounted here")
        sys.exit(SKIP)
    main()
