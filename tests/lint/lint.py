#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the shape of the tree: who may include whom, which room is the one door to a foreign library, that the engine
is pure, that files are labelled, finished and of a readable size.

    lint.py ROOT CHECK...     prints path:line: what is wrong; exit 1 if anything is
    lint.py ROOT --self-test  each check is run on a tree with that mistake planted in it, and must find it

The tables below are the contract; docs/architecture.md says why. A check takes a Tree and yields (path, line, sentence).
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

# ---- the contract ----

# Folder -> folders that it may include. bench and tests stand outside: they may look at all of it; so do the examples
# in docs, which are other people's programs.
LAYERS = {
    "include": {"include"},
    "lib": {"include", "lib"},
    "engine": {"include", "lib", "engine"},
    "store": {"include", "lib", "engine", "store"},
    "daemon": {"include", "lib", "engine", "store", "daemon"},
    "cli": {"include", "lib", "engine", "store", "cli"},
    "adapters": {"include", "lib", "adapters"},
    "web": {"include", "lib", "web"},
}
OUTSIDE = {"bench", "docs", "tests"}

# Rooms that must not know each other though their folders may: the disk's threads own no socket, the pure rooms of lib
# are pure, and the engine reaches no file through a friend.
STRANGERS = [
    (r"daemon/(writer|checkpoint|batch)$", r"daemon/(socket|server|subscriber|query|loop|auth)\.h"),
    (r"daemon/(socket|auth)$", r"(store|engine)/"),
    (r"store/(journal|segment)$", r"store/view\.h|engine/(fold|rules|score)"),
    (r"engine/", r"lib/(log|yaml|client|cursor)\.h"),
    (r"lib/(uscc|region|name|calendar|arena|err|mem|buf|signal|scan|codec|tree|kind|words)$",
     r"lib/(client|cursor|log|yaml)\.h"),
]

# Foreign header -> the rooms that may include it. A header that is neither here nor libc's is refused.
DOORS = [
    (r"zmq(_utils)?\.h", {"daemon/socket", "daemon/auth", "lib/client"}),
    (r"msgpack(/.*)?\.h", {"lib/codec"}),
    (r"lmdb\.h", {"store/view", "adapters/spool"}),
    (r"libfyaml\.h", {"lib/yaml"}),
    (r"utf8proc\.h", {"lib/name"}),
    (r"sodium(/.*)?\.h", {"lib/hash", "daemon/auth"}),
    (r"event2/.*\.h", {"daemon/loop", "web/http"}),
    (r"jansson\.h", {"adapters/source_jsonl", "adapters/json", "cli/output", "cli/json"}),
    (r"csv\.h", {"adapters/source_csv"}),
    (r"zip\.h", {"adapters/source_xlsx"}),
    (r"expat\.h", {"adapters/source_xlsx"}),
    (r"sqlext?\.h", {"adapters/source_odbc"}),
    (r"iconv\.h", {"adapters/text", "adapters/encoding"}),
    (r"libsmartcols(/libsmartcols)?\.h", {"cli/output", "cli/table"}),
    (r"curl/curl\.h", {"adapters/notify_http"}),
    (r"cmocka\.h", set()),
]

LIBC = set("""assert complex ctype errno fcntl fenv float getopt inttypes iso646 langinfo limits locale malloc math netdb
poll pthread pwd grp sched semaphore setjmp signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib
stdnoreturn string strings syslog tgmath threads time uchar unistd utime wchar wctype dirent libgen fnmatch glob regex
termios dlfcn endian byteswap alloca
sys/epoll sys/eventfd sys/file sys/inotify sys/ioctl sys/mman sys/param sys/random sys/resource sys/select sys/signalfd sys/socket
sys/stat sys/statfs sys/statvfs sys/syscall sys/time sys/timerfd sys/timex sys/types sys/uio sys/un sys/utsname sys/wait
sys/prctl sys/xattr netinet/in netinet/tcp arpa/inet net/if linux/fs linux/limits linux/falloc
immintrin nmmintrin x86intrin arm_acle""".split())

# What the engine, a pure fold, may include of libc: nothing that knows a file, a clock or the machine.
ENGINE_LIBC = {"assert", "ctype", "errno", "inttypes", "limits", "stdalign", "stdarg", "stdbool", "stddef", "stdint",
               "stdlib", "string"}
ENGINE_CALLS = r"""clock|clock_gettime|gettimeofday|time|localtime|gmtime|mktime|nanosleep|usleep|sleep|fopen|open|openat|
read|write|pread|pwrite|close|printf|fprintf|puts|getenv|setenv|rand|random|srand|drand48|arc4random|getrandom|system|
pow|log|log2|exp|exp2|sqrt|pthread_\w+|qsort_r""".replace("\n", "")

MOST_LINES, MOST_FUNCTION = 800, 80
# path or path:function -> why it may be longer
LONG = {
    "bench/gen.c": "one story from top to bottom: a generator whose bytes must never change",
    "bench/gen.c:main": "the same",
}

SPDX = "SPDX-License-Identifier: " + "Apache-2.0"
# Every text has its label but the licence itself and data: CSV (which text_files leaves out) and JSON have no comments.
UNLABELLED = ("LICENSE", ".json", ".jsonl")
MOST_BYTES = 1_500_000

# ---- the tree ----

SKIP_DIRS = re.compile(r"^(\.git|build.*|__pycache__|node_modules|wagewarn-state|\.cache)$")


class Tree:
    def __init__(self, root):
        self.root = root
        self.paths = []
        for at, dirs, files in os.walk(root):
            dirs[:] = sorted(d for d in dirs if not SKIP_DIRS.match(d))
            self.paths += [os.path.relpath(os.path.join(at, f), root) for f in sorted(files)]

    def full(self, path):
        return os.path.join(self.root, path)

    def text(self, path):
        with open(self.full(path), "rb") as f:
            return f.read().decode("utf-8", "replace")

    def lines(self, path):
        return enumerate(self.text(path).split("\n"), 1)

    def c_files(self):
        return [p for p in self.paths if p.endswith((".c", ".h"))]

    def text_files(self):
        return [p for p in self.paths if not p.endswith((".xlsx", ".png", ".ico", ".seg", ".mdb", ".gz", ".csv", ".tsv"))
                and "/corpus/" not in p and not p.startswith("tests/data/")]

    def scripts(self):
        return [p for p in self.text_files() if self.text(p)[:64].startswith("#!")]


def without_comments(text):
    """C text with comments and the insides of literals blanked; lines stay where they were."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def includes(tree, path):
    for no, line in tree.lines(path):
        m = re.match(r'\s*#\s*include\s+([<"])([^">]+)[>"]', line)
        if m:
            yield no, m.group(1) == "<", m.group(2)


def room(path):
    return re.sub(r"\.[ch]$", "", path)


# ---- checks ----

def check_layers(tree):
    folders = set(LAYERS) | OUTSIDE
    for path in tree.c_files():
        folder = path.split("/")[0]
        if folder in OUTSIDE:
            continue
        if folder not in LAYERS:
            yield path, 1, f"{folder}/ is no layer; the layers are {', '.join(LAYERS)}"
            continue
        for no, foreign, name in includes(tree, path):
            if foreign:
                continue
            to = "include" if name == "wagewarn.h" or name.startswith("tbl/") else name.split("/")[0]
            if to not in folders or ("/" not in name and name != "wagewarn.h"):
                yield path, no, f'"{name}": say the folder too ("lib/err.h")'
            elif to not in LAYERS[folder]:
                yield path, no, f"{folder}/ must not include {to}/ (it may: {', '.join(sorted(LAYERS[folder]))})"
            for here, there in STRANGERS:
                if re.match(here, room(path)) and re.match(there, name):
                    yield path, no, f"{room(path)} must not know {name}"


def check_doors(tree):
    for path in tree.c_files():
        if path.split("/")[0] in OUTSIDE:
            continue
        for no, foreign, name in includes(tree, path):
            if not foreign or re.sub(r"\.h$", "", name) in LIBC:
                continue
            doors = next((rooms for pattern, rooms in DOORS if re.fullmatch(pattern, name)), None)
            if doors is None:
                yield path, no, f"<{name}> has no door; give its library one room and name it in tests/lint/lint.py"
            elif room(path) not in doors:
                yield path, no, f"<{name}> belongs to {', '.join(sorted(doors)) or 'tests'} alone"
            elif path.endswith(".h"):
                yield path, no, f"<{name}> leaves its room through a header"


def check_pure(tree):
    call = re.compile(r"(?<![\w.>])(" + ENGINE_CALLS + r")\s*\(")
    for path in tree.c_files():
        if not path.startswith("engine/"):
            continue
        for no, foreign, name in includes(tree, path):
            if foreign and re.sub(r"\.h$", "", name) not in ENGINE_LIBC:
                yield path, no, f"the engine is pure: no <{name}>"
        for no, line in enumerate(without_comments(tree.text(path)).split("\n"), 1):
            m = call.search(line)
            if m:
                yield path, no, f"the engine is pure: no {m.group(1)}()"
            if re.search(r"\b(double|float)\b", line):
                yield path, no, "the engine counts in fixed point, so that every machine folds to the same bits"


def check_labels(tree):
    for path in tree.text_files():
        if not path.endswith(UNLABELLED) and SPDX not in "\n".join(tree.text(path).split("\n")[:3]):
            yield path, 1, f"the first lines lack '{SPDX}'"


def check_finished(tree):
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
    for path in tree.text_files():
        for no, line in tree.lines(path):
            m = marks.search(line)
            if m:
                yield path, no, f"{m.group(1)}: do it now, or say it in an issue"


def check_portable(tree):
    machine = re.compile(r"(?<![\w./$}-])/(work|home/[a-z]\w*|Users/\w+|root)/\w")
    resolved = re.compile(r'"resol' + r'ved"\s*:\s*"http')
    download = re.compile(r"\b(curl|wget|pip install|git clone)\b[^\n]*\bhttps?://")
    for path in tree.paths:
        size = os.path.getsize(tree.full(path))
        if size > MOST_BYTES:
            yield path, 1, f"{size} bytes: over {MOST_BYTES}; make it smaller or make it at build time"
    for path in tree.text_files():
        for no, line in tree.lines(path):
            if machine.search(line):
                yield path, no, f"a path of one machine: {machine.search(line).group(0)}..."
            if resolved.search(line) or download.search(line):
                yield path, no, "a download address: name the package, let its registry's client find it"


def check_scripts(tree):
    for path in tree.scripts():
        first = tree.text(path).split("\n")[0]
        if not os.access(tree.full(path), os.X_OK):
            yield path, 1, "begins with #! but may not be executed (chmod +x)"
        if re.search(r"\b(ba)?sh\b", first):
            run = subprocess.run(["bash", "-n", tree.full(path)], capture_output=True, text=True)
            if run.returncode:
                yield path, 1, "bash -n: " + run.stderr.strip().split("\n")[0]
        elif "python" in first:
            try:
                compile(tree.text(path), path, "exec")
            except SyntaxError as e:
                yield path, e.lineno or 1, f"python: {e.msg}"


def check_size(tree):
    for path in tree.c_files():
        text = without_comments(tree.text(path)).split("\n")
        if len(text) > MOST_LINES and path not in LONG:
            yield path, MOST_LINES, f"{len(text)} lines: perhaps two rooms (at most {MOST_LINES})"
        head, start = "", 0
        for no, line in enumerate(text, 1):
            if re.match(r"[A-Za-z_].*[^;]$", line) and "(" in line:
                head = line
            if re.match(r"\{", line):
                start = no
            elif re.match(r"\}", line) and start:
                name = (re.findall(r"(\w+)\s*\(", head) or ["?"])[0]
                if no - start - 1 > MOST_FUNCTION and f"{path}:{name}" not in LONG:
                    yield path, start, f"{name}() has {no - start - 1} lines (at most {MOST_FUNCTION})"
                start = 0


def check_headers(tree):
    """Each header stands alone, and the public one bears every warning, in C and, where there is one, in C++."""
    plain = ["-std=gnu11", "-D_GNU_SOURCE", '-DWW_VERSION="0"', "-Wall", "-Wextra", "-Werror"]
    strict = plain + ["-Wpedantic", "-Wconversion", "-Wstrict-prototypes", "-Wc++-compat"]
    for path in tree.paths:
        if not path.endswith(".h") or "/tbl/" in path or path.split("/")[0] not in LAYERS:
            continue
        # included, not compiled: an unused static function of a header is no fault
        source = f'#include "{path}"\n#include "{path}"\nextern int nothing;\n'
        options = strict if path == "include/wagewarn.h" else plain
        run = subprocess.run([os.environ.get("CC", "cc"), *options, "-fsyntax-only", "-I", tree.root, "-I",
                              tree.full("include"), "-x", "c", "-"], input=source, cwd=tree.root,
                             capture_output=True, text=True)
        if run.returncode:
            first = next((x for x in run.stderr.split("\n") if "error" in x), run.stderr[:200])
            yield path, 1, "does not stand alone: " + first


def check_links(tree):
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        fence = False
        for no, line in tree.lines(path):
            fence ^= line.startswith("```")
            for target in [] if fence else re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
                if "://" not in target and not os.path.exists(
                        os.path.normpath(os.path.join(tree.root, os.path.dirname(path), target))):
                    yield path, no, f"links to {target}, which is not there"


def check_manuals(tree):
    """Each manual builds, and mandoc has nothing to say against it. Silent where the two programs are not there."""
    if not (shutil.which("scdoc") and shutil.which("mandoc")):
        return
    for path in tree.paths:
        if path.endswith(".scd"):
            made = subprocess.run(["scdoc"], input=tree.text(path), capture_output=True, text=True)
            if made.returncode:
                yield path, 1, "scdoc: " + made.stderr.strip()
                continue
            said = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=made.stdout, capture_output=True, text=True)
            for line in said.stdout.strip().split("\n"):
                if line and "skipping paragraph macro" not in line:  # scdoc's own habit
                    yield path, 1, line


CHECKS = {n[6:]: f for n, f in list(globals().items()) if n.startswith("check_")}

# ---- the checks checked ----

LABEL = f"/* {SPDX} */\n"
# check -> [(path, text, part of the sentence expected)]; and a clean tree on which every check is silent
PLANTED = {
    "layers": [("engine/a.c", LABEL + '#include "store/view.h"\n', "engine/ must not include store/"),
               ("lib/a.c", LABEL + '#include "engine/fold.h"\n', "lib/ must not include engine/"),
               ("adapters/a.c", LABEL + '#include "store/view.h"\n', "adapters/ must not include store/"),
               ("lib/b.c", LABEL + '#include "err.h"\n', "say the folder"),
               ("engine/b.c", LABEL + '#include "lib/log.h"\n', "must not know"),
               ("daemon/writer.c", LABEL + '#include "daemon/socket.h"\n', "must not know"),
               ("extra/a.c", LABEL, "is no layer")],
    "doors": [("daemon/server.c", LABEL + "#include <zmq.h>\n", "belongs to"),
              ("store/recover.c", LABEL + "  #  include <lmdb.h>\n", "belongs to"),
              ("lib/codec.h", LABEL + "#include <msgpack.h>\n", "leaves its room"),
              ("cli/a.c", LABEL + "#include <ncurses.h>\n", "has no door")],
    "pure": [("engine/a.c", LABEL + "#include <time.h>\n", "no <time.h>"),
             ("engine/b.c", LABEL + "#include <stdio.h>\n", "no <stdio.h>"),
             ("engine/c.c", LABEL + "int f(void) { return (int)time(0); }\n", "no time()"),
             ("engine/d.c", LABEL + "int f(void)\n{\n    return rand();\n}\n", "no rand()"),
             ("engine/e.c", LABEL + "double f(void);\n", "fixed point")],
    "labels": [("lib/a.c", "int x;\n", "lack"), ("meson.build", "project('x')\n", "lack"),
               ("config/a.yaml", "a: 1\n", "lack"), ("run", "#!/bin/sh\n", "lack"), ("docs/a.md", "# A\n", "lack"),
               (".gitignore", "build/\n", "lack")],
    "finished": [("lib/a.c", LABEL + "/* TO" + "DO: the rest */\n", "do it now"),
                 ("README.md", "FIX" + "ME\n", "do it now")],
    "portable": [("docs/a.md", "see /wo" + "rk/main/x\n", "one machine"), ("dev", "cd /ho" + "me/jo/src\n", "one machine"),
                 ("web/lock.json", '"resol' + 'ved": "https://r.example/x.tgz"\n', "download"),
                 ("docs/b.md", "cu" + "rl -O https://example.org/x\n", "download"),
                 ("config/big.csv", "x" * (MOST_BYTES + 1), "make it smaller")],
    "scripts": [("run", f"#!/usr/bin/env bash\n# {SPDX}\nif true; then\n", "bash -n"),
                ("run.py", f"#!/usr/bin/env python3\n# {SPDX}\ndef f(:\n", "python:")],
    "size": [("lib/a.c", LABEL + "\n" * MOST_LINES, "perhaps two rooms"),
             ("lib/b.c", LABEL + "int f(void)\n{\n" + "    g();\n" * (MOST_FUNCTION + 1) + "}\n", "f() has")],
    "headers": [("lib/a.h", LABEL + "struct x { size_t n; };\n", "stand alone"),
                ("include/wagewarn.h", LABEL + "int f();\n", "stand alone")],
    "manuals": [("docs/man/a.1.scd", f"; {SPDX}\n# NAME\n\na\n", "scdoc")],
    "links": [("README.md", "[the map](docs/nowhere.md)\n", "not there")],
}
CLEAN = {
    "lib/err.h": LABEL + "#ifndef E\n#define E\n#include <stddef.h>\n/* size_t time(double): only a comment */\n#endif\n",
    "engine/fold.c": LABEL + '#include "lib/err.h"\n#include <string.h>\n'
                     'int engine_time(const char *rand);\nint x(void)\n{\n    return engine_time("time(0)");\n}\n',
    "store/view.c": LABEL + '#include <lmdb.h>\n#include "engine/fold.h"\n',
    "README.md": f"<!-- {SPDX} -->\n[code](lib/err.h), [outside](https://example.org/)\n",
    "LICENSE": "the licence\n",
    "config/a.csv": "a,b\n",
    "run": f"#!/bin/sh\n# {SPDX}\nmktemp /tmp/a.XXXXXX\n",
}


def planted(files, name):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
            os.chmod(full, 0o755 if text.startswith("#!") else 0o644)
        return list(CHECKS[name](Tree(root)))


def self_test():
    bad = 0
    for name in CHECKS:
        said = planted(CLEAN, name)
        if said:
            print(f"{name}: complains about a clean tree: {said[0]}")
            bad += 1
        if name not in PLANTED:
            print(f"{name}: nobody plants a mistake for it")
            bad += 1
        for path, text, want in PLANTED.get(name, []):
            said = planted({path: text}, name)
            if not any(p == path and want in sentence for p, _, sentence in said):
                print(f"{name}: did not find '{want}' in {path}; it said {said}")
                bad += 1
    return bad


def main():
    if len(sys.argv) < 3 or not (sys.argv[2] == "--self-test" or all(c in CHECKS for c in sys.argv[2:])):
        sys.exit(f"usage: lint.py ROOT --self-test | {' | '.join(CHECKS)}")
    if sys.argv[2] == "--self-test":
        sys.exit(1 if self_test() else 0)
    tree, bad = Tree(sys.argv[1]), 0
    for name in sys.argv[2:]:
        for path, no, sentence in CHECKS[name](tree):
            print(f"{path}:{no}: {name}: {sentence}")
            bad += 1
    sys.exit(1 if bad else 0)


main()
