#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `meson install` puts in place is whole: programs that run from there, their tables, manuals, library, unit."""
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import main, program_env

BUILD = os.environ["WAGEWARN_BUILD"]


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="ww-install-")
        cls.addClassCleanup(shutil.rmtree, cls.root)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.root], check=True,
                       stdout=subprocess.DEVNULL)
        cls.files = {}
        for folder, _, names in os.walk(cls.root):
            for name in names:
                cls.files[name] = os.path.join(folder, name)

    def run_installed(self, name, *args):
        libraries = os.path.dirname(self.files["libwagewarn.so.0"])
        data = os.path.dirname(self.files["kinds.csv"])
        return subprocess.run([self.files[name], *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=program_env(LD_LIBRARY_PATH=libraries, WAGEWARN_DATA=data))

    def test_programs_run(self):
        for name in ("wagewarn", "wagewarn-feed", "wagewarnd"):
            r = self.run_installed(name, "--version")
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertRegex(r.stdout, r"\d+\.\d+\.\d+")

    def test_the_configuration_that_is_shipped_is_good(self):
        r = self.run_installed("wagewarnd", "--check-config", "--config", self.files["wagewarn.yaml"])
        self.assertEqual(r.returncode, 0, r.stderr)

    def test_nothing_is_missing(self):
        for name in ("tax.yaml", "court.yaml", "police.yaml", "market.yaml", "subdistrict.yaml", "rules.yaml", "regions.csv",
                     "spring_festival.csv", "wagewarn.h", "wagewarn.pc", "wagewarnd.service"):
            self.assertIn(name, self.files)

    @unittest.skipUnless(shutil.which("scdoc"), "scdoc makes the manuals")
    def test_manuals(self):
        for name in ("wagewarn.1", "wagewarn-feed.1", "wagewarn-profile.5", "wagewarn-rules.5", "wagewarn.yaml.5", "wagewarnd.8"):
            self.assertIn(name, self.files)
            if shutil.which("mandoc"):
                r = subprocess.run(["mandoc", "-T", "lint", "-W", "error", self.files[name]], stdout=subprocess.PIPE, text=True)
                self.assertEqual(r.returncode, 0, r.stdout)

    def test_a_program_builds_against_the_library(self):
        cc = shutil.which("cc") or self.skipTest("no compiler")
        header, library = (os.path.dirname(self.files[n]) for n in ("wagewarn.h", "libwagewarn.so"))
        source = os.path.join(self.root, "t.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write("#include <wagewarn.h>\nint main(void) { ww_disconnect(0); return 0; }\n")
        subprocess.run([cc, "-Wall", "-Werror", "-I", header, "-fsyntax-only", source], check=True)
        with open(self.files["wagewarn.pc"], encoding="utf-8") as f:
            self.assertIn("-lwagewarn", f.read())
        self.assertTrue(os.path.exists(os.path.join(library, "libwagewarn.so.0")))


if __name__ == "__main__":
    main()
