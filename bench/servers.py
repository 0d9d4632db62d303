# SPDX-License-Identifier: Apache-2.0
"""Servers that a benchmark starts and ends, and the load on them."""
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


def is_ready(log):
    with open(log, encoding="utf-8", errors="replace") as f:
        return any(line.removeprefix("<5>").startswith("ready") for line in f)


class Server:
    """One server process on an endpoint of its own; ends it by its pid. `ready_s`: from the start until it said so."""

    def __init__(self, name, argv, endpoint, log):
        self.name, self.endpoint, self.log = name, endpoint, log
        began = time.monotonic()
        with open(log, "wb") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        while self.process.poll() is None and time.monotonic() - began < 120:
            if is_ready(log):
                self.ready_s = time.monotonic() - began
                return
            time.sleep(0.002)
        self.stop()
        sys.exit(f"bench: {name} did not become ready; its log: {log}\n" + open(log, errors="replace").read()[-2000:])

    def anonymous_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(next(x.split()[1] for x in f if x.startswith("RssAnon"))) / 1024

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.kill()


def endpoint_for(args, name):
    if args.transport == "ipc":
        return f"ipc://{os.path.abspath(args.dir)}/{name}.sock"
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{s.getsockname()[1]}"


def state_dir(args, name):
    return os.path.join(args.dir, name)


def clear(args, name):
    shutil.rmtree(state_dir(args, name), ignore_errors=True)
    os.makedirs(state_dir(args, name))


def config_with(args, limits):
    """The shipped configuration, with other limits."""
    if not limits:
        return "config/wagewarn.yaml"
    path = os.path.join(args.dir, "wagewarn.yaml")
    with open("config/wagewarn.yaml", encoding="utf-8") as f:
        text = f.read()
    here = os.path.abspath("config")
    for name in ("rules.yaml", "kinds.csv", "regions.csv", "thresholds.csv", "spring_festival.csv", "deadlines.yaml"):
        text = text.replace(f": {name}", f": {here}/{name}")
    for key, value in limits.items():
        lines = [f"  {key}: {value}" if x.startswith(f"  {key}:") else x for x in text.split("\n")]
        text = "\n".join(lines)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def start(args, name, keep=False, **limits):
    """`keep`: on the state that is there; otherwise on none."""
    endpoint, state = endpoint_for(args, name), state_dir(args, name)
    if not keep:
        clear(args, name)
    if name == "bare":
        mib = min(4096, 64 + args.signals * 320 // 2**20)
        argv = [f"{args.build}/bench/bare", "--listen", endpoint, "--file", f"{state}/bytes", "--mib", str(mib)]
    else:
        argv = [f"{args.build}/daemon/wagewarnd", "--config", config_with(args, limits), "--state-dir", state,
                "--listen", endpoint]
    return Server(name, argv, endpoint, os.path.join(args.dir, f"{name}.log"))


def load(args, server, *options):
    return client(args, server, "load", *options, "--pid", server.process.pid)


def client(args, server, program, *options):
    argv = [f"{args.build}/bench/{program}", *map(str, options), "--endpoint", server.endpoint]
    run = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        server.stop()
        sys.exit(f"bench: the load on {server.name} failed; its log: {server.log}")
    return json.loads(run.stdout)


def ingest_on(args, server, signals, enterprises, clients=2, batch=100, window=32):
    return load(args, server, "ingest", "--signals", signals, "--enterprises", enterprises, "--clients", clients,
                "--batch", batch, "--window", window)


def directory_bytes(path):
    return sum(os.stat(os.path.join(at, f)).st_blocks * 512 for at, _, files in os.walk(path) for f in files)


def median(values):
    return sorted(values)[len(values) // 2]


def table(head, rows):
    """Right-aligned, but for the first column."""
    cells = [head] + rows
    widths = [max(len(r[i]) for r in cells) for i in range(len(head))]
    for r in cells:
        print("        " + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())
