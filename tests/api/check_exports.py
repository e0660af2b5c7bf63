#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shared library exports every function of phial.h and nothing else.

usage: check_exports.py LIBPHIAL HEADER...
"""
import re
import subprocess
import sys


def main() -> int:
    listing = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], check=True, capture_output=True, text=True)
    exported = {line.split()[-1] for line in listing.stdout.splitlines()}
    declared = set()
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as header:
            declared |= set(re.findall(r"^PHIAL_API [^(]*?(phial_\w+)\(", header.read(), re.MULTILINE))
    for name in sorted(exported - declared):
        print(f"exported, but in no header: {name}")
    for name in sorted(declared - exported):
        print(f"in a header, but not exported: {name}")
    return 1 if exported != declared or not declared else 0


if __name__ == "__main__":
    sys.exit(main())
