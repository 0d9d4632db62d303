#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libwagewarn as its page shows it: the programs of docs/libwagewarn.md, built word for word against the public header
alone, do what the page says over crashes of either side."""
import os
import re
import signal
import subprocess
import unittest

from harness import BUILD, PATIENCE, Daemon, Log, WireCase, main, now_ms, program_env, run, sig, spoil, uscc

FEEDER = os.path.join(BUILD, "tests", "wire", "example_feeder")
SUBSCRIBER = os.path.join(BUILD, "tests", "wire", "example_subscriber")


class Feeder(WireCase):
    def feed(self, text):
        return run([FEEDER], stdin=text.encode(), WAGEWARN_ENDPOINT=self.daemon.endpoint)

    def test_feeds(self):
        text = "f1 %s 100\nf2 %s 5\nthis is none\nf3 %s 7\n" % (self.code, spoil(self.code), self.code)
        self.assertEqual(self.feed(text)[:2], (0, 'not "id code fen": this is none\nrefused f2: uscc: the check character '
                                               "is wrong: expected %s\naccepted 2, seen before 0\n" % self.code[17]))
        self.assertIn("accepted 0, seen before 2", self.feed(text)[1])

    def test_2500_in_batches(self):
        lines = "".join("big%d %s %d\n" % (i, self.code, i) for i in range(2500))
        status, out, _ = self.feed(lines)
        self.assertEqual((status, out.count("accepted 1000,"), out.count("accepted 500,")), (0, 2, 1))

    def test_nobody_there(self):
        status, _, err = run([FEEDER], stdin=b"", WAGEWARN_ENDPOINT="ipc://%s/none" % self.daemon.dir)
        self.assertEqual(status, 1)
        self.assertIn("is it running", err)


class Subscriber(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon().start()
        self.addCleanup(self.daemon.close)
        self.n = 0

    def raise_alert(self, code=None, **more):
        self.n += 1
        code = code or uscc(self.n)
        with self.daemon.client() as c:
            c.push(*(sig(kind, code, at=now_ms(), **more) for kind in ("police.owner_missing", "court.dishonest")))
        return code

    def subscriber(self, *regions):
        p = subprocess.Popen([SUBSCRIBER, *regions], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.daemon.dir,
                             env=program_env(WAGEWARN_ENDPOINT=self.daemon.endpoint))
        log, err = Log(p.stdout), Log(p.stderr)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        return p, log, err

    def test_over_kills_of_both_sides(self):
        seen = []
        for turn in range(3):
            code = self.raise_alert()
            p, log, _ = self.subscriber()
            log.wait("raised: " + code)
            if turn == 1:
                self.daemon.kill()
                self.daemon.start()
                code = self.raise_alert()
                log.wait("raised: " + code)
            p.send_signal(signal.SIGKILL if turn == 0 else signal.SIGINT)
            status = p.wait(PATIENCE)
            log.thread.join(PATIENCE)
            if turn:
                self.assertEqual(status, 0)
            seen += [line for line in log.lines if "raised" in line]
        # a kill may come between the effect and ww_done: that one event again, none missing, order kept
        self.assertEqual(sorted(set(seen)), sorted(dict.fromkeys(seen)))
        self.assertLessEqual(len(seen), 5)
        self.assertEqual([re.search(r"\S+$", line).group() for line in dict.fromkeys(seen)],
                         [uscc(i) for i in range(1, 5)])

    def test_another_regions_events_are_not_shown(self):
        hidden = self.raise_alert()
        p, log, _ = self.subscriber("11")
        log.wait("raised: " + self.raise_alert(uscc(77, "110101"), region="110101"))
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(PATIENCE), 0)
        log.thread.join(PATIENCE)
        self.assertNotIn(hidden, log.text())


if __name__ == "__main__":
    main()
