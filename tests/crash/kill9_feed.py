#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the adapter, and of the daemon under it, while an export is read: started again, it loses and doubles nothing.

  kill9_feed.py [--cycles N] [--rows N] [--seed N]

An export of the tax office with so many rows (GB18030, lines of title above the header, some rows that cannot be
signals) is read by wagewarn-feed, which is killed at a random moment and started again with the same command, time
after time; now and then the daemon is killed as well, and the adapter must wait for it. When at last it is left to
end, each good row is one signal, each bad row stands in the rejects file, and reading it all again adds nothing.
"""
import argparse
import collections
import csv
import json
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "wire"))
from harness import BUILD, Daemon, PATIENCE, SANITIZER, SCORE_ONLY, program_env, spoil, uscc  # noqa: E402

FEED = os.path.join(BUILD, "adapters", "wagewarn-feed")
KINDS = {"欠税": "tax.arrears", "停供发票": "tax.invoice_stopped", "逾期未申报": "tax.filing_missed"}
FIRMS = 200


def write_export(path, rows, rng):
    """Returns {code: {document: kind}} of the good rows, and the documents of the bad ones."""
    good, bad = collections.defaultdict(dict), set()
    with open(path, "w", encoding="gb18030", newline="") as f:
        f.write("风险纳税人清单,,,,,,,,\r\n导出日期：2026/3/20,,单位：元,,,,,,\r\n")
        out = csv.writer(f)
        out.writerow(["序号", "文书号", "纳税人识别号", "纳税人名称", "风险类型", "认定日期", "金额", "主管税务所", "备注"])
        for n in range(rows):
            code, doc, what = uscc(rng.randrange(FIRMS)), "平税风〔2026〕%06d号" % n, rng.choice(sorted(KINDS))
            if rng.random() < 0.05:
                code = spoil(code)
                bad.add(doc)
            else:
                good[code][doc] = KINDS[what]
            day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - rng.randrange(2, 300) * 86400))
            out.writerow([n + 1, doc, code, "", what, day, "%d.00" % rng.randrange(1, 10**6), "当湖街道税务所", "备注" * rng.randrange(40)])
    return good, bad


class Run:
    """One run of the adapter."""

    def __init__(self, d, export):
        self.rejects = os.path.join(d.dir, "rejects.csv")
        self.out = open(os.path.join(d.dir, "feed.out"), "wb+")
        self.err = open(os.path.join(d.dir, "feed.err"), "wb+")
        self.proc = subprocess.Popen([FEED, "--profile", "tax", "--endpoint", d.endpoint, "-o", "json", "--rejects", self.rejects,
                                      "--spool", os.path.join(d.dir, "spool"), export],
                                     stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err, env=program_env(HOME=d.dir))

    def end(self, kill):
        if kill:
            self.proc.kill()
        status = self.proc.wait(PATIENCE)
        self.out.seek(0)
        self.err.seek(0)
        out, err = self.out.read().decode("utf-8", "replace"), self.err.read().decode("utf-8", "replace")
        self.out.close()
        self.err.close()
        assert not SANITIZER.search(err), err
        return status, out, err


def pause(rng, most):
    """A moment that has nothing to do with what the adapter is at."""
    select.select([], [], [], rng.random() * most)


def disturbed(args, d, export, rng):
    """Kills until the cycles are used up or the adapter was done before its turn came; the longest it may live grows."""
    killed = downs = 0
    for cycle in range(args.cycles):
        run = Run(d, export)
        pause(rng, 0.02 + 0.4 * rng.random() ** 2)
        down = rng.random() < 0.3 and run.proc.poll() is None
        if down:
            d.kill()
            downs += 1
            pause(rng, 0.05)
            d.start()
            pause(rng, 0.1)
        early = run.proc.poll() is not None
        status, _, err = run.end(kill=True)
        # an adapter that has yet to find the daemon says that there is none: 69
        assert status in (0, -9) or (down and status == 69), "wagewarn-feed: status %s: %s" % (status, err)
        killed += not early
    print("%d kills of the adapter, %d of the daemon" % (killed, downs))


def check(d, good, bad, rejects):
    with d.client() as c:
        assert c.query("status")["enterprises"] == len(good)
        for code, docs in good.items():
            signals = c.enterprise(code)["signals"]
            got = collections.Counter(s["kind"] for s in signals)
            assert got == collections.Counter(docs.values()), (code, got, docs)
            ids = [s["id"] for s in signals]
            assert len(set(ids)) == len(ids), code
    with open(rejects, encoding="utf-8-sig", newline="") as f:
        text = f.read()
    missing = [doc for doc in bad if doc not in text]
    assert not missing, "not in the rejects file: %r" % missing[:5]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--cycles", type=int, default=int(os.environ.get("WAGEWARN_KILLS", "15")))
    p.add_argument("--rows", type=int, default=4000)
    p.add_argument("--seed", type=int, default=int(os.environ.get("WAGEWARN_SEED", "0")) or random.randrange(1, 10**6))
    args = p.parse_args()
    print("kill9_feed: %d cycles, %d rows, seed %d" % (args.cycles, args.rows, args.seed), flush=True)
    rng = random.Random(args.seed)
    where = tempfile.mkdtemp(prefix="ww-feed-")
    try:
        export = os.path.join(where, "tax.csv")
        good, bad = write_export(export, args.rows, rng)
        regions = os.path.join(where, "regions.csv")
        with open(regions, "w", encoding="utf-8") as f:
            f.write("code,name\n33,浙江省\n3304,嘉兴市\n330482,平湖市\n")
        with Daemon(rules=SCORE_ONLY, regions=regions) as d:
            d.start()
            disturbed(args, d, export, rng)
            run = Run(d, export)
            status, out, err = run.end(kill=False)
            assert status in (0, 1), (status, err)
            check(d, good, bad, run.rejects)
            run = Run(d, export)
            status, out, err = run.end(kill=False)
            again = json.loads(out.strip().split("\n")[-1])
            assert status in (0, 1) and again["accepted"] == 0, (status, again, err)
            check(d, good, bad, run.rejects)
    finally:
        shutil.rmtree(where)
    print("each row once")


if __name__ == "__main__":
    main()
