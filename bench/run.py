#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks: each against the bare server in the same run, alternating, ratios first, JSON beside.

    ./dev bench [ingest|latency|fold|rules|all] [--signals N] [--enterprises N] [--clients N] [--batch N] [--window N]
                [--rate R] [--seconds S] [--rounds N] [--transport tcp|ipc] [--dir DIR] [--json FILE]
"""
import argparse
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time


def describe(directory):
    cpu = next((x.split(":")[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), "?")
    memory = int(next(x.split()[1] for x in open("/proc/meminfo") if x.startswith("MemTotal"))) // 1024
    fs = subprocess.run(["stat", "-f", "-c", "%T", directory], capture_output=True, text=True).stdout.strip()
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "memory_mib": memory, "kernel": platform.release(),
            "filesystem": fs, "load_average": os.getloadavg()[0]}


class Server:
    """One server process on an endpoint of its own; ends it by its pid."""

    def __init__(self, name, argv, endpoint, log):
        self.name, self.endpoint, self.log = name, endpoint, log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        for _ in range(600):
            with open(log, encoding="utf-8", errors="replace") as f:
                if any(line.removeprefix("<5>").startswith("ready") for line in f):
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        sys.exit(f"bench: {name} did not become ready; its log: {log}\n" + open(log, errors="replace").read()[-2000:])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def endpoint_for(args, name):
    if args.transport == "ipc":
        return f"ipc://{os.path.abspath(args.dir)}/{name}.sock"
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{s.getsockname()[1]}"


def start(args, name):
    """A server with nothing in it yet."""
    endpoint, state = endpoint_for(args, name), os.path.join(args.dir, name)
    shutil.rmtree(state, ignore_errors=True)
    os.makedirs(state)
    if name == "bare":
        mib = min(4096, 64 + args.signals * 320 // 2**20)
        argv = [f"{args.build}/bench/bare", "--listen", endpoint, "--file", f"{state}/bytes", "--mib", str(mib)]
    else:
        argv = [f"{args.build}/daemon/wagewarnd", "--config", "config/wagewarn.yaml", "--state-dir", state,
                "--listen", endpoint]
    return Server(name, argv, endpoint, os.path.join(args.dir, f"{name}.log"))


def load(args, server, *options):
    argv = [f"{args.build}/bench/load", *options, "--endpoint", server.endpoint, "--pid", str(server.process.pid)]
    run = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        server.stop()
        sys.exit(f"bench: the load on {server.name} failed; its log: {server.log}")
    return json.loads(run.stdout)


def directory_bytes(path):
    return sum(os.stat(os.path.join(at, f)).st_blocks * 512 for at, _, files in os.walk(path) for f in files)


def median(values):
    return sorted(values)[len(values) // 2]


def ingest(args):
    runs = {"bare": [], "wagewarnd": []}
    for _ in range(args.rounds):
        for name, results in runs.items():
            server = start(args, name)
            try:
                result = load(args, server, "ingest", "--signals", str(args.signals), "--enterprises",
                              str(args.enterprises), "--clients", str(args.clients), "--batch", str(args.batch),
                              "--window", str(args.window))
                began = time.monotonic()
            finally:
                server.stop()
            result["stop_s"] = round(time.monotonic() - began, 2)
            result["disk_mib"] = directory_bytes(os.path.join(args.dir, name)) // 2**20
            results.append(result)
            shutil.rmtree(os.path.join(args.dir, name), ignore_errors=True)
    rate = {name: median([r["signals_per_s"] for r in results]) for name, results in runs.items()}
    print(f"ingest: {rate['wagewarnd'] / rate['bare']:.3f} of the bare server "
          f"({rate['wagewarnd'] / 1e3:,.0f} of {rate['bare'] / 1e3:,.0f} thousand acknowledged signals a second)")
    print(f"        {args.signals:,} signals, {args.enterprises:,} enterprises, {args.clients} clients, batches of "
          f"{args.batch}, {args.window} in flight, {args.transport}, rounds {args.rounds}")
    row = "        {:<10} {:>10} {:>10} {:>12} {:>12} {:>12} {:>8} {:>6}"
    print(row.format("", "signals/s", "CPU s/M", "batch p50 us", "p99 us", "client s/M", "RSS MiB", "busy"))
    for name, results in runs.items():
        for r in results:
            print(row.format(name, f"{r['signals_per_s']:,.0f}", f"{r['server_cpu_s_per_million']:.2f}",
                             f"{r['batch_ack']['p50_us']:,.0f}", f"{r['batch_ack']['p99_us']:,.0f}",
                             f"{r['client_cpu_s_per_million']:.2f}", f"{r['server_rss_mib']:.0f}", r["busy"]))
    return {"ratio": rate["wagewarnd"] / rate["bare"], **runs}


def latency(args):
    runs = {}
    for name in ("bare", "wagewarnd"):
        server = start(args, name)
        try:
            options = ["latency", "--rate", str(args.rate), "--seconds", str(args.seconds)]
            runs[name] = load(args, server, *options)
            if name != "bare":  # on the same daemon, an alert for every signal, and a subscriber
                runs["alerts"] = load(args, server, *options, "--alerts")
        finally:
            server.stop()
        shutil.rmtree(os.path.join(args.dir, name), ignore_errors=True)
    bare, ours, alerts = runs["bare"]["ack"], runs["wagewarnd"]["ack"], runs["alerts"]
    print(f"latency: ack p50 {ours['p50_us'] / bare['p50_us']:.2f} times the bare server's, p99 "
          f"{ours['p99_us'] / bare['p99_us']:.2f} times; alert at a subscriber p50 {alerts['alert']['p50_us']:,.0f} us")
    print(f"         {args.rate} signals a second for {args.seconds} s, one a message, open loop, {args.transport}; "
          "counted from when each was due")
    row = "         {:<28} {:>9} {:>9} {:>9} {:>9} {:>9}"
    print(row.format("us", "p50", "p90", "p99", "p99.9", "max"))
    for title, s in (("bare: ack", bare), ("wagewarnd: ack", ours), ("wagewarnd: ack, each alerts", alerts["ack"]),
                     ("wagewarnd: alert heard", alerts["alert"])):
        print(row.format(title, *(f"{s[k]:,.0f}" for k in ("p50_us", "p90_us", "p99_us", "p999_us", "max_us"))))
    if alerts["alerts_heard"] != args.rate * args.seconds:
        print(f"         only {alerts['alerts_heard']} of {args.rate * args.seconds} alerts were heard")
    return runs


def fold(args):
    """The writer's part of a signal but for the disk, step by step; a quarter of the signals, for it repeats itself."""
    out = os.path.join(args.dir, "fold.json")
    subprocess.run([os.path.join(args.build, "bench", "bench-fold"), "--signals", str(args.signals // 4), "--enterprises",
                    str(args.enterprises // 4), "--out", out], check=True)
    with open(out, encoding="utf-8") as f:
        return json.load(f)


def rules(args):
    """The fold alone, in memory: what 100 and 1,000 rules cost beside 10."""
    out = os.path.join(args.dir, "rules.json")
    subprocess.run([os.path.join(args.build, "bench", "bench-rules"), "--out", out], check=True)
    with open(out, encoding="utf-8") as f:
        return json.load(f)


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("what", nargs="?", default="all", choices=["ingest", "latency", "fold", "rules", "all"])
    p.add_argument("--build", default="build")
    for name, value in (("signals", 4_000_000), ("enterprises", 1_000_000), ("clients", 2), ("batch", 100),
                        ("window", 32), ("rate", 500), ("seconds", 20), ("rounds", 1)):
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
    for name, run in (("ingest", ingest), ("latency", latency), ("fold", fold), ("rules", rules)):
        if args.what in (name, "all"):
            report[name] = run(args)
    with open(args.json, "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1)
        f.write("\n")
    print(f"JSON: {args.json}")


main()
