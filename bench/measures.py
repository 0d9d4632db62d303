# SPDX-License-Identifier: Apache-2.0
"""What is measured with a daemon running: each against its bare baseline in the same run, ratios first."""
import json
import os
import shutil
import subprocess
import sys
import time

from servers import (clear, client, directory_bytes, ingest_on, load, median, start, state_dir, table)


def thousands(rate):
    return f"{rate / 1e3:,.1f}"


# ---- ingest ----

def ingest(args):
    runs = {"bare": [], "wagewarnd": []}
    for _ in range(args.rounds):
        for name, results in runs.items():
            server = start(args, name)
            try:
                result = ingest_on(args, server, args.signals, args.enterprises, args.clients, args.batch, args.window)
                result["anonymous_mib"] = server.anonymous_mib()
                began = time.monotonic()
            finally:
                server.stop()
            result["stop_s"] = round(time.monotonic() - began, 2)
            result["disk_mib"] = directory_bytes(state_dir(args, name)) // 2**20
            results.append(result)
            clear(args, name)
    rate = {name: median([r["signals_per_s"] for r in results]) for name, results in runs.items()}
    print(f"ingest: {rate['wagewarnd'] / rate['bare']:.3f} of the bare server "
          f"({rate['wagewarnd'] / 1e3:,.0f} of {rate['bare'] / 1e3:,.0f} thousand acknowledged signals a second)")
    print(f"        {args.signals:,} signals, {args.enterprises:,} enterprises, {args.clients} clients, batches of "
          f"{args.batch}, {args.window} in flight, {args.transport}, rounds {args.rounds}")
    rows = [[name, f"{r['signals_per_s']:,.0f}", f"{r['server_cpu_s_per_million']:.2f}", f"{r['batch_ack']['p50_us']:,.0f}",
             f"{r['batch_ack']['p99_us']:,.0f}", f"{r['client_cpu_s_per_million']:.2f}", f"{r['anonymous_mib']:.0f}",
             str(r["busy"])] for name, results in runs.items() for r in results]
    table(["", "signals/s", "CPU s/M", "batch p50 us", "p99 us", "client s/M", "anon MiB", "busy"], rows)
    return {"ratio": rate["wagewarnd"] / rate["bare"], **runs}


def one_cell(args, enterprises, clients, batch):
    """Enough signals for a second or so of each: more where more go in a message."""
    signals = args.matrix_signals if batch >= 10 else max(args.matrix_signals // 20, 1000)
    cell = {"enterprises": enterprises, "clients": clients, "batch": batch}
    for name in ("bare", "wagewarnd"):
        server = start(args, name)
        try:
            cell[name] = ingest_on(args, server, signals, enterprises, clients, batch)
        finally:
            server.stop()
        clear(args, name)
    cell["ratio"] = cell["wagewarnd"]["signals_per_s"] / cell["bare"]["signals_per_s"]
    return cell


def matrix(args):
    cells = [one_cell(args, 10_000, clients, batch) for batch in (1, 10, 100, 1000) for clients in (1, 2, 8)]
    cells += [one_cell(args, enterprises, 2, 100) for enterprises in (100_000, 1_000_000, 10_000_000)]
    by_size = {c["enterprises"]: c["wagewarnd"]["signals_per_s"] for c in cells[12:]}
    print(f"matrix: the rate at 10 million enterprises is {by_size[10_000_000] / by_size[100_000]:.2f} of that at 100 thousand")
    table(["enterprises", "clients", "batch", "of bare", "thousand/s", "bare", "CPU s/M", "batch p50 us", "p99 us"],
          [[f"{c['enterprises']:,}", str(c["clients"]), str(c["batch"]), f"{c['ratio']:.3f}",
            thousands(c["wagewarnd"]["signals_per_s"]), thousands(c["bare"]["signals_per_s"]),
            f"{c['wagewarnd']['server_cpu_s_per_million']:.2f}", f"{c['wagewarnd']['batch_ack']['p50_us']:,.0f}",
            f"{c['wagewarnd']['batch_ack']['p99_us']:,.0f}"] for c in cells])
    return cells


# ---- latency ----

LATENCIES = ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")
LATENCY_HEAD = ["us", "p50", "p90", "p99", "p99.9", "max"]


def latency_row(title, samples):
    return [title] + [f"{samples[k]:,.0f}" for k in LATENCIES]


def latency(args):
    runs = {}
    for name in ("bare", "wagewarnd"):
        server = start(args, name)
        try:
            options = ["latency", "--rate", args.rate, "--seconds", args.seconds]
            runs[name] = load(args, server, *options)
            if name != "bare":  # on the same daemon, an alert for every signal, and a subscriber
                runs["alerts"] = load(args, server, *options, "--alerts")
        finally:
            server.stop()
        clear(args, name)
    bare, ours, alerts = runs["bare"]["ack"], runs["wagewarnd"]["ack"], runs["alerts"]
    print(f"latency: ack p50 {ours['p50_us'] / bare['p50_us']:.2f} times the bare server's, p99 "
          f"{ours['p99_us'] / bare['p99_us']:.2f} times; alert at a subscriber p50 {alerts['alert']['p50_us']:,.0f} us")
    print(f"        {args.rate} signals a second for {args.seconds} s, one a message, open loop, {args.transport}; "
          "counted from when each was due")
    table(LATENCY_HEAD, [latency_row("bare: ack", bare), latency_row("wagewarnd: ack", ours),
                         latency_row("wagewarnd: ack, each alerts", alerts["ack"]),
                         latency_row("wagewarnd: alert heard", alerts["alert"])])
    if alerts["alerts_heard"] != args.rate * args.seconds:
        print(f"        only {alerts['alerts_heard']} of {args.rate * args.seconds} alerts were heard")
    return runs


def checkpoint(args):
    """Acks at a steady rate over a daemon that is full, with checkpoints often and with none: the longest stall."""
    runs = {}
    for title, limits in (("none", {"debt": 100_000_000}), ("often", {"debt": 10_000})):
        server = start(args, "wagewarnd", **limits)
        try:
            ingest_on(args, server, args.matrix_signals, args.matrix_signals // 4)
            runs[title] = load(args, server, "latency", "--rate", args.rate * 10, "--seconds", args.seconds)
        finally:
            server.stop()
        clear(args, "wagewarnd")
    often, none = runs["often"]["ack"], runs["none"]["ack"]
    print(f"checkpoint: the longest ack under checkpoints {often['max_us'] / 1e3:.1f} ms, {often['max_us'] / none['max_us']:.2f} "
          f"times that without; p99.9 {often['p999_us'] / none['p999_us']:.2f} times")
    print(f"        {args.rate * 10} signals a second for {args.seconds} s, each of another enterprise, over "
          f"{args.matrix_signals // 4:,} others; a checkpoint at 5,000 changed rows and more")
    table(LATENCY_HEAD, [latency_row("without checkpoints", none), latency_row("with checkpoints", often)])
    return runs


def fanout(args):
    rows, runs = [], []
    for n in (1, 100, 1000):
        options = ["--subscribers", n, "--alerts", 100]
        server = start(args, "wagewarnd")
        try:
            ours = client(args, server, "fanout", *options)
        finally:
            server.stop()
        clear(args, "wagewarnd")
        argv = [f"{args.build}/bench/fanout", "--bare", "--bytes", str(ours["bytes"]), *map(str, options)]
        bare = json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True).stdout)
        runs.append({"subscribers": n, "wagewarnd": ours, "bare": bare,
                     "ratio": ours["last"]["p50_us"] / bare["last"]["p50_us"]})
        rows.append([f"{n:,}", f"{runs[-1]['ratio']:.2f}", *(f"{x[w][q]:,.0f}" for x in (ours, bare) for w, q in
                     (("first", "p50_us"), ("last", "p50_us"), ("last", "p99_us")))])
    print(f"fanout: the last of 1,000 subscribers has an alert {runs[-1]['ratio']:.2f} times as late as of a bare ROUTER "
          "that stores nothing")
    table(["subscribers", "times bare", "first p50 us", "last p50", "last p99", "bare: first", "last p50", "last p99"], rows)
    return runs


# ---- state ----

def read_all(path):
    """The bare restart: every byte of the journal through memory once, warm."""
    for _ in range(2):
        began = time.monotonic()
        for at, _, files in os.walk(path):
            for f in sorted(files):
                with open(os.path.join(at, f), "rb") as g:
                    while g.read(1 << 20):
                        pass
    return time.monotonic() - began


def bytes_used(path):
    """What segments hold: they are filled with zeros ahead of need."""
    used = 0
    for at, _, files in os.walk(path):
        for f in files:
            with open(os.path.join(at, f), "rb") as g:
                used += len(g.read().rstrip(b"\0"))
    return used


def restart(args):
    rows, runs = [], []
    for signals in (args.signals // 16, args.signals // 4, args.signals):
        server = start(args, "wagewarnd")
        try:
            ingest_on(args, server, signals, max(signals // 4, 1))
        finally:
            server.kill()
        journal = os.path.join(state_dir(args, "wagewarnd"), "journal")
        bare, used = read_all(journal), bytes_used(journal)
        server = start(args, "wagewarnd", keep=True)
        server.stop()
        again = start(args, "wagewarnd", keep=True)
        again.stop()
        runs.append({"signals": signals, "after_kill_s": server.ready_s, "after_stop_s": again.ready_s, "journal_read_s": bare,
                     "journal_bytes": used})
        rows.append([f"{signals:,}", f"{server.ready_s / bare:.1f}", f"{server.ready_s:.2f}", f"{again.ready_s:.2f}", f"{bare:.3f}",
                     f"{used / signals:.0f}"])
        clear(args, "wagewarnd")
    last = runs[-1]
    print(f"restart: after kill -9 with {last['signals']:,} signals ready in {last['after_kill_s']:.2f} s, "
          f"{last['after_kill_s'] / last['journal_read_s']:.1f} times the time to read the journal once")
    table(["signals", "times reading", "after kill s", "after stop s", "reading s", "journal bytes a signal"], rows)
    return runs


def memory(args):
    rows, runs = [], []
    for enterprises in (args.enterprises // 100, args.enterprises // 10, args.enterprises):
        server = start(args, "wagewarnd")
        empty = server.anonymous_mib()
        try:
            ingest_on(args, server, 4 * enterprises, enterprises)
            full = server.anonymous_mib()
        finally:
            server.stop()
        clear(args, "wagewarnd")
        runs.append({"enterprises": enterprises, "anonymous_mib": full, "empty_mib": empty})
        each = (full - empty) * 2**20 / enterprises
        rows.append([f"{enterprises:,}", f"{each / (4 * 170):.2f}", f"{full:.0f}", f"{empty:.0f}", f"{each:.0f}"])
    print(f"memory: {runs[-1]['anonymous_mib']:.0f} MiB of its own with {args.enterprises:,} enterprises just fed four signals each")
    table(["enterprises", "times their signals' bytes", "anonymous MiB", "when empty", "bytes an enterprise"], rows)
    return runs


# ---- the feeder ----

CASE = ('{"案号":"（2026）浙0482执%d号","案件类型":"首次执行","立案日期":"2026-01-24","当事人":{"名称":"平湖市示例%d号有限公司",'
        '"统一社会信用代码":"%s"},"法院":"平湖市人民法院（示例）","标的金额":"%d.00"}\n')
CODE_CHARS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CODE_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]


def code_of(n):
    body = "91330482MA" + "".join(CODE_CHARS[n // 31**k % 31] for k in range(7))
    total = sum(CODE_CHARS.index(c) * w for c, w in zip(body, CODE_WEIGHTS))
    return body + CODE_CHARS[(31 - total % 31) % 31]


def feed(args):
    """An agency's export through the feeder, row by row, against the same number of signals sent by the bare client."""
    rows = args.matrix_signals // 2
    path, spool = os.path.join(args.dir, "cases.jsonl"), os.path.join(args.dir, "spool")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(CASE % (i, i % 50000, code_of(i % 50000), 1000 + i % 90000) for i in range(rows))
    server = start(args, "wagewarnd")
    try:
        bare = ingest_on(args, server, rows, 50_000, 1)
        shutil.rmtree(spool, ignore_errors=True)
        began, cpu = time.monotonic(), os.times().children_user + os.times().children_system
        run = subprocess.run([f"{args.build}/adapters/wagewarn-feed", "--profile", "adapters/profiles/court.yaml", "--spool", spool,
                              "--rejects", os.path.join(args.dir, "rejects.csv"), "--endpoint", server.endpoint, "-o", "json", path],
                             stdout=subprocess.PIPE, text=True)
        seconds, cpu = time.monotonic() - began, os.times().children_user + os.times().children_system - cpu
        if run.returncode or json.loads(run.stdout.strip().split("\n")[-1])["accepted"] != rows:
            sys.exit(f"bench: the feeder ended with {run.returncode}: {run.stdout[-500:]}")
    finally:
        server.stop()
    clear(args, "wagewarnd")
    rate = rows / seconds
    print(f"feed: {rate / bare['signals_per_s']:.2f} of a client whose signals are ready-made ({rate / 1e3:,.0f} thousand rows a second)")
    table(["rows", "seconds", "rows/s", "feeder CPU s/M", "MiB/s", "client: signals/s"],
          [[f"{rows:,}", f"{seconds:.2f}", f"{rate:,.0f}", f"{cpu / rows * 1e6:.2f}",
            f"{os.path.getsize(path) / seconds / 2**20:.0f}", f"{bare['signals_per_s']:,.0f}"]])
    return {"rows": rows, "seconds": seconds, "cpu_s": cpu, "client": bare}
