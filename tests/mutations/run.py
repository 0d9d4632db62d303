#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the tests find mistakes? Each NAME.patch beside this file plants one in a copy of the tree, and the test that it
names must fail there; without any patch it must pass.

  run.py [NAME...]      those patches; without a name all

Before its diff a patch has lines for people, and these:
  Fails: TEST [TEST...]     tests as `meson test` knows them, one of which must fail
  With: NAME=VALUE ...      what they find in their environment (optional)
A patch that no longer applies or compiles is as bad as one that is not found: mend it with the code.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = ["daemon/wagewarnd", "cli/wagewarn", "adapters/wagewarn-feed"]  # what tests in Python may start
SETUP = ["--buildtype=debugoptimized", "-Doptimization=1", "-Db_ndebug=false"]


class Wrong(Exception):
    pass


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(args, **kw):
    p = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    return p.returncode, p.stdout.decode("utf-8", "replace")


def must(what, args, **kw):
    status, said = run(args, **kw)
    if status:
        raise Wrong("%s:\n%s" % (what, said[-4000:]))
    return said


class Mutation:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[:-len(".patch")]
        with open(path, encoding="utf-8") as f:
            head = f.read().split("\n--- ")[0]
        fails = re.search(r"^Fails: (.+)$", head, re.M)
        given = re.search(r"^With: (.+)$", head, re.M)
        if not fails:
            raise Wrong("%s names no test: a line 'Fails: TEST' is missing" % self.name)
        self.tests = fails.group(1).split()
        self.env = dict(one.split("=", 1) for one in given.group(1).split()) if given else {}


class Tree:
    """The copy: patched, built and tested, over and over."""

    def __init__(self, where):
        self.source, self.build = os.path.join(where, "tree"), os.path.join(where, "build")
        shutil.copytree(ROOT, self.source, symlinks=True,
                        ignore=shutil.ignore_patterns(".git", "build*", "__pycache__", "wagewarn-state"))
        must("meson setup", ["meson", "setup", self.build, self.source] + SETUP)
        self.needs = self.what_tests_need()

    def what_tests_need(self):
        targets = json.loads(must("introspect", ["meson", "introspect", "--targets", self.build]))
        files = {t["id"]: os.path.relpath(t["filename"][0], self.build) for t in targets}
        needs = {}
        for t in json.loads(must("introspect", ["meson", "introspect", "--tests", self.build])):
            needs[t["name"]] = [files[d] for d in t["depends"] if d in files]
        return needs

    def compile(self, tests):
        want = list(PROGRAMS)
        for t in tests:
            if t not in self.needs:
                raise Wrong("there is no test %s" % t)
            want += self.needs[t]
        must("does not compile", ["ninja", "-C", self.build, "-j2"] + sorted(set(want)))

    def passes(self, tests, env):
        """What the failing ones said, or None."""
        status, said = run(["meson", "test", "-C", self.build, "--no-rebuild", "--print-errorlogs", "--num-processes", "2",
                            "--timeout-multiplier", "2"] + tests, env=dict(os.environ, **env))
        return None if status == 0 else said

    def patch(self, mutation, *how):
        must("does not apply", ["patch", "-p1", "-s", "-N", "--no-backup-if-mismatch", "-r", "-", "-d", self.source,
                                "-i", mutation.path] + list(how))

    def fails_with(self, mutation):
        """What the failing tests said."""
        self.patch(mutation, "--dry-run")
        self.patch(mutation)
        try:
            self.compile(mutation.tests)
            said = self.passes(mutation.tests, mutation.env)
        finally:
            self.patch(mutation, "-R")
        if said is None:
            raise Wrong("not found by %s" % " ".join(mutation.tests))
        return said


def complaint(said):
    """The line that says what was found, of all that a failed test prints."""
    lines = [line.strip() for line in said.split("\n")]
    for want in (r"^images: ", r"AssertionError: .", r"\[  ERROR   \]|\[  FAILED  \]", r"error|FAIL"):
        found = [line for line in lines if re.search(want, line)]
        if found:
            return found[0][:160]
    return ""


def main():
    names = sys.argv[1:] or sorted(os.path.basename(p)[:-len(".patch")] for p in glob.glob(os.path.join(HERE, "*.patch")))
    where = tempfile.mkdtemp(prefix="ww-mutations-")
    bad = []
    try:
        mutations = [Mutation(os.path.join(HERE, name + ".patch")) for name in names]
        tree = Tree(where)
        for env, tests in sorted({(tuple(sorted(m.env.items())), tuple(m.tests)) for m in mutations}):
            tree.compile(tests)
            said = tree.passes(list(tests), dict(env))
            if said:
                raise Wrong("%s fails already without a mistake:\n%s" % (" ".join(tests), said[-4000:]))
        for m in mutations:
            try:
                said = tree.fails_with(m)
                say("found    %-32s %s" % (m.name, complaint(said)))
            except Wrong as e:
                bad.append(m.name)
                say("NOT      %-32s %s" % (m.name, e))
    except (Wrong, OSError) as e:
        say("mutations: %s" % e)
        bad = bad or ["the run"]
    finally:
        shutil.rmtree(where, ignore_errors=True)
    print("%d mistakes planted, %d not found" % (len(names), len(bad)))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
