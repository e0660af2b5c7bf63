#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that includes in src/ only point down the ladder of src/layers.txt. Exit code 1 and one line per arrow that climbs.

usage: check_layers.py [SRC]     SRC: src beside this script's folder if not given
"""
import pathlib
import re
import sys


def main() -> int:
    src = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent / "src"
    rank = {}
    for n, line in enumerate((src / "layers.txt").read_text().split("\n")):
        for name in line.split("#")[0].split():
            rank[name] = n
    bad = 0
    folders = {p.name for p in src.iterdir() if p.is_dir()}
    for name in sorted(folders ^ set(rank)):
        print(f"{src}: '{name}' is a folder or a line of layers.txt, but not both")
        bad += 1
    for p in sorted([*src.rglob("*.h"), *src.rglob("*.cc")]):
        here = p.relative_to(src).parts[0]
        if here.endswith((".h", ".cc")):
            print(f"{p}: nothing sits directly in src/")
            bad += 1
            continue
        for i, line in enumerate(p.read_text().split("\n"), 1):
            m = re.match(r'\s*#\s*include\s+"(\w+)/', line)
            if m and m[1] in rank and m[1] != here and rank[m[1]] >= rank.get(here, 99):
                print(f"{p}:{i}: {here} may not include {m[1]}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
