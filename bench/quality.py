#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well the rules warn: traces with planted failures (gen.c), folded by `wagewarn backtest`; recall, days of warning
and precision by level for each seed, each rule's own figures, and how often a score of so much came true.

    ./dev bench quality [--seeds 1,2,3,4,5] [--rules FILE] [--trace "-n 300000 -Z 0.6 -f 0.01 -g 0.02"] [--json FILE]

bench/README.md says what is measured and what to think of it.
"""
import argparse
import csv
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile

TRACE = "-n 300000 -Z 0.6 -f 0.01 -g 0.02"
LEVELS = ("general", "major", "critical")
# To be reached before arrears begin: recall, median days of warning, precision.
BARS = {"general": (0.97, 30, 0.25), "major": (0.85, 18, 0.50)}
# A rule of thumb to compare with.
THUMB = """\
version: 1
score: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8}
rules:
  - id: thumb
    title: {zh: 四个部门, en: Four agencies within 90 days}
    when: {agencies: {of: any, at_least: 4, within: 90d}}
    then: {raise: general}
"""
CHINA = datetime.timezone(datetime.timedelta(hours=8))


def day(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, CHINA).isoformat(timespec="milliseconds")


class Bench:
    def __init__(self, args, directory):
        self.args, self.dir = args, directory

    def path(self, name):
        return os.path.join(self.dir, name)

    def trace(self, seed):
        """The signals of a seed, who failed and when, and who recovered."""
        run = subprocess.run([f"{self.args.build}/bench/gen", *self.args.trace.split(), "-s", str(seed), "-k", self.args.kinds,
                              "-r", "config/regions.csv", "-o", self.path("trace.ndjson"), "-t", self.path("truth.csv")],
                             stderr=subprocess.PIPE, text=True)
        if run.returncode:
            sys.exit(f"bench: no trace: {run.stderr}")
        with open(self.path("truth.csv"), encoding="utf-8") as f:
            truth = list(csv.DictReader(f))
        failed = [(t["uscc"], day(int(t["arrears_began_ms"]))) for t in truth if t["outcome"] == "failed"]
        recovered = [(t["uscc"], day(int(t["last_signal_ms"]))) for t in truth if t["outcome"] == "recovered"]
        for name, rows in (("failed.csv", failed), ("recovered.csv", recovered)):
            with open(self.path(name), "w", encoding="utf-8") as f:
                f.write("enterprise,date\n" + "".join(f"{code},{date}\n" for code, date in rows))

    def backtest(self, rules, outcomes):
        run = subprocess.run([f"{self.args.build}/cli/wagewarn", "backtest", "--rules", rules, "--kinds", self.args.kinds, "--signals",
                              self.path("trace.ndjson"), "--outcomes", self.path(outcomes), "-o", "json"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if run.returncode:
            sys.exit(f"bench: the backtest failed: {run.stderr}")
        return json.loads(run.stdout)

    def seed(self, seed):
        self.trace(seed)
        got = self.backtest(self.args.rules, "failed.csv")
        understandable = self.backtest(self.args.rules, "recovered.csv")["confirmed"]
        thumb = self.backtest(self.path("thumb.yaml"), "failed.csv")
        return {"seed": seed, "recovered_warned": understandable, "thumb": thumb, **got}


def figures(d, level):
    lead = d["lead_days"][level]
    return d["recall"][level] or 0, lead["median"] or 0, d["precision"][level] or 0


def share(x):
    return "-" if x is None else f"{100 * x:.1f} %"


def row(name, d, level, recovered):
    recall, median, precision = figures(d, level)
    q1, q3 = d["lead_days"][level]["quartiles"] or (0, 0)
    return (f"{name:6} {level:9} {share(recall):>7} {d['late'][level]:5} {q1:7.1f} {median:7.1f} {q3:6.1f} {share(precision):>9} "
            f"{d['alerts'][level]:7,} {recovered:>9}")


def show_seed(d):
    for level in LEVELS:
        print(row(str(d["seed"]), d, level, f"{d['recovered_warned'][level]:,}"))
    print(row("thumb", d["thumb"], "general", "") + "\n")


def pooled(runs, key, names):
    """Rules or bands of all seeds, added up: alerts and confirmed."""
    total = {}
    for d in runs:
        for r in d[key]:
            if r.get("of_areas"):
                continue  # an area is not what fails
            name = names(r)
            alerts, confirmed, medians = total.setdefault(name, [0, 0, []])
            lead = (r.get("lead_days") or {}).get("median")
            total[name] = [alerts + r["alerts"], confirmed + r["confirmed"], medians + ([lead] if lead is not None else [])]
    return total


def show_rules(runs):
    print(f"{'rule, all seeds':34} {'alerts':>7} {'confirmed':>9} {'precision':>9} {'median days, mean of seeds':>27}")
    for name, (alerts, confirmed, medians) in pooled(runs, "rules", lambda r: r["id"]).items():
        lead = f"{sum(medians) / len(medians):.1f}" if medians else "-"
        print(f"{name:34} {alerts:7,} {confirmed:9,} {share(confirmed / alerts if alerts else None):>9} {lead:>27}"
              + ("" if alerts else "  never fired"))
    print(f"\n{'highest score, all seeds':34} {'alerts':>7} {'confirmed':>9} {'share':>9}")
    for name, (alerts, confirmed, _) in pooled(runs, "calibration", lambda r: f"{r['from']}-{r['to']}").items():
        print(f"{name:34} {alerts:7,} {confirmed:9,} {share(confirmed / alerts if alerts else None):>9}")


def show_bars(runs):
    """The worst of the seeds decides. True: all reached."""
    good = True
    print()
    for level, bars in BARS.items():
        worst = [min(figures(d, level)[i] for d in runs) for i in range(3)]
        met = all(w >= b for w, b in zip(worst, bars))
        good = good and met
        print(f"{level}: at worst recall {share(worst[0])} (bar {share(bars[0])}), {worst[1]:.1f} days ({bars[1]}), "
              f"precision {share(worst[2])} ({share(bars[2])}): {'reached' if met else 'NOT reached'}")
    return good


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("--build", default="build")
    p.add_argument("--rules", default="config/rules.yaml")
    p.add_argument("--kinds", default="config/kinds.csv")
    p.add_argument("--trace", default=TRACE)
    p.add_argument("--seeds", default="1,2,3,4,5,any,any", help="'any': one that nobody tuned on, drawn now")
    p.add_argument("--json")
    args = p.parse_args()
    seeds = [random.randrange(1000, 10**9) if s == "any" else int(s) for s in args.seeds.split(",")]
    runs = []
    with tempfile.TemporaryDirectory(prefix="ww-quality-") as directory:
        bench = Bench(args, directory)
        with open(bench.path("thumb.yaml"), "w", encoding="utf-8") as f:
            f.write(THUMB)
        print(f"traces: {args.trace}; rules: {args.rules}; thumb: four agencies within 90 days\n")
        print(f"{'seed':6} {'level':9} {'recall':>7} {'late':>5} {'days Q1':>7} {'median':>7} {'Q3':>6} {'precision':>9} {'alerts':>7} "
              f"{'recovered':>9}")
        for seed in seeds:
            runs.append(bench.seed(seed))
            show_seed(runs[-1])
    show_rules(runs)
    good = show_bars(runs)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump({"trace": args.trace, "rules": args.rules, "reached": good, "seeds": runs}, f, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
