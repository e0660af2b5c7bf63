#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shared library exports every function of phial.h and nothing else.

usage: check_exports.py LIBPHIAL PHIAL_H
"""
import re
import subprocess
import sys


def main() -> int:
    listing = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], check=True, capture_output=True, text=True)
    exported = {line.split()[-1] for line in listing.stdout.splitlines()}
    with open(sys.argv[2], encoding="utf-8") as header:
        declared = set(re.findall(r"^PHIAL_API [^(]*?(phial_\w+)\(", header.read(), re.MULTILINE))
    for name in sorted(exported - declared):
        print(f"exported, but not in phial.h: {name}")
    for name in sorted(declared - exported):
        print(f"in phial.h, but not exported: {name}")
    return 1 if exported != declared or not declared else 0


if __name__ == "__main__":
    sys.exit(main())
