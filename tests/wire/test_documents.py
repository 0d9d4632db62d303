#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documents show works as shown: the feeder and the subscriber of docs/protocol.md, run word for word against
a daemon (only the endpoint is another)."""
import os
import re
import subprocess
import sys
import unittest

from harness import PATIENCE, ROOT, Daemon, Log, main, now_ms, program_env, sig, uscc

DEFAULT = "tcp://127.0.0.1:7410"


def programs():
    with open(os.path.join(ROOT, "docs", "protocol.md"), encoding="utf-8") as f:
        return re.findall(r"^```python\n(.*?)^```", f.read(), re.M | re.S)


class Documents(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon().start()
        self.addCleanup(self.daemon.close)
        self.feeder, self.subscriber = programs()

    def python(self, text):
        self.assertIn(DEFAULT, text)
        return [sys.executable, "-c", text.replace(DEFAULT, self.daemon.endpoint)]

    def test_ten_lines_each(self):
        for text in (self.feeder, self.subscriber):
            self.assertLessEqual(len([line for line in text.split("\n") if line.strip()]), 12)

    def test_feeder(self):
        for accepted, duplicates in ((1, 0), (0, 1)):
            said = subprocess.run(self.python(self.feeder), stdout=subprocess.PIPE, text=True, env=program_env(),
                                  timeout=PATIENCE, check=True).stdout
            self.assertRegex(said, r"^ack ")
            self.assertIn("'accepted': %d" % accepted, said)
            self.assertIn("'duplicates': %d" % duplicates, said)

    def test_subscriber(self):
        with subprocess.Popen(self.python(self.subscriber), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=program_env()) as p:
            log = Log(p.stdout)
            try:
                with self.daemon.client() as c:
                    verb, body = c.ask("signals", batch=[sig("police.owner_missing", uscc(3), at=now_ms(), region="330482")])
                    self.assertEqual((verb, body["accepted"]), ("ack", 1))
                self.assertIn(uscc(3), log.wait(r"^1 raised major "))
            finally:
                p.kill()


if __name__ == "__main__":
    main()
