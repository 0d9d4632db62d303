#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts: a short life of the daemon is recorded, each write, sync and acknowledgement, and from the recording the
disks are made that a power cut at any moment may leave. Each is started from and checked (check.h has what is checked).

  power.py [--images N] [--seed N] [--keep]

--images 0: each prefix of the recording and its synced part alone, and as many torn ones.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from record import IMAGES, LETTER_ACK, LETTER_EVENT, LETTER_STORE, letters, life, scratch  # noqa: E402
from harness import program_env  # noqa: E402

PARTS = 2


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--images", type=int, default=int(os.environ.get("WAGEWARN_IMAGES", "300")))
    p.add_argument("--seed", type=int, default=int(os.environ.get("WAGEWARN_SEED", "0")) or random.randrange(1, 10**6))
    p.add_argument("--keep", action="store_true", help="leave the recording and the last images where they are")
    args = p.parse_args()
    print("power: %d images, seed %d" % (args.images, args.seed), flush=True)
    where = scratch("ww-power-")
    try:
        life(where, os.path.join(where, "calls"), args.seed)
        told = letters(os.path.join(where, "calls"), os.path.join(where, "log"))
        print("told: %d acknowledgements, %d events, %d times the store's id" %
              tuple(told.get(k, 0) for k in (LETTER_ACK, LETTER_EVENT, LETTER_STORE)))
        running = []
        for part in range(PARTS):
            command = [IMAGES, os.path.join(where, "log"), where, str(args.images), str(args.seed), str(part), str(PARTS)]
            running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=program_env()))
        bad = 0
        for part, proc in enumerate(running):
            said = proc.communicate()[0].decode("utf-8", "replace")
            print(said, end="")
            if proc.returncode:
                bad += 1
                with open(os.path.join(where, "now-%d" % part)) as f:
                    print("part %d ended with %d at %s" % (part, proc.returncode, f.read()), end="")
        assert not bad, "an image from which a start goes wrong"
    finally:
        if args.keep:
            print("kept: %s" % where)
        else:
            shutil.rmtree(where)
    print("nothing acknowledged was lost, nothing was there twice, the view was the journal's")


if __name__ == "__main__":
    main()
