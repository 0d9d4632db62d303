#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""page_program.py PAGE NAME OUT: the C program under the heading "## A NAME" of a page, word for word, so that what
the page shows is what the tests build."""
import re
import sys

page, name, out = sys.argv[1:]
with open(page, encoding="utf-8") as f:
    found = re.search(r"^## A %s\n\n```c\n(.*?)^```" % re.escape(name), f.read(), re.M | re.S)
if not found:
    sys.exit("page_program: %s shows no %s" % (page, name))
with open(out, "w", encoding="utf-8") as f:
    f.write(found.group(1))
