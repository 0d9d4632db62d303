#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks: each against a bare baseline in the same run, ratios first, JSON beside.

    ./dev bench [ingest|matrix|latency|checkpoint|fanout|restart|memory|feed|fold|rules|all]...
                [--signals N] [--enterprises N] [--clients N] [--batch N] [--window N] [--matrix-signals N]
                [--rate R] [--seconds S] [--rounds N] [--transport tcp|ipc] [--dir DIR] [--json FILE]
"""
import argparse
import json
import os
import subprocess

import measures
from servers import describe


def parts(args, program, *options):
    """The engine alone, in memory: a program that prints for itself."""
    out = os.path.join(args.dir, f"{program}.json")
    subprocess.run([os.path.join(args.build, "bench", program), *map(str, options), "--out", out], check=True)
    with open(out, encoding="utf-8") as f:
        return json.load(f)


def fold(args):
    """The writer's part of a signal but for the disk, step by step; a quarter of the signals, for it repeats itself."""
    return parts(args, "bench-fold", "--signals", args.signals // 4, "--enterprises", args.enterprises // 4)


def rules(args):
    """What 100 and 1,000 rules cost beside 10."""
    return parts(args, "bench-rules")


BENCHES = {"ingest": measures.ingest, "matrix": measures.matrix, "latency": measures.latency, "checkpoint": measures.checkpoint,
           "fanout": measures.fanout, "restart": measures.restart, "memory": measures.memory, "feed": measures.feed,
           "fold": fold, "rules": rules}


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("what", nargs="*", default=["all"], choices=[*BENCHES, "all"])
    p.add_argument("--build", default="build")
    for name, value in (("signals", 4_000_000), ("enterprises", 1_000_000), ("clients", 2), ("batch", 100),
                        ("window", 32), ("matrix-signals", 1_000_000), ("rate", 500), ("seconds", 20), ("rounds", 1)):
        p.add_argument(f"--{name}", type=int, default=value)
    p.add_argument("--transport", choices=["tcp", "ipc"], default="tcp")
    p.add_argument("--dir", default="build/bench-state")
    p.add_argument("--json", default="build/bench.json")
    args = p.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    report = {"machine": describe(args.dir), "options": vars(args)}
    m = report["machine"]
    print(f"machine: {m['cpu']}, {m['cores']} cores, {m['memory_mib']:,} MiB, Linux {m['kernel']}, {m['filesystem']}, "
          f"load {m['load_average']:.2f}")
    for name, run in BENCHES.items():
        if name in args.what or "all" in args.what:
            report[name] = run(args)
    with open(args.json, "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1)
        f.write("\n")
    print(f"JSON: {args.json}")


main()
