#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads `ctest --verbose` on stdin and prints what a person wants: one line a test, the whole output of those that failed, the
reason of those that were skipped, and then ctest's own closing lines. Exit code 0 always: ctest's own decides.

usage: ctest --preset release --verbose | tools/ctest_report.py
"""
import re
import sys

OUTPUT = re.compile(r"^(\d+): ?(.*)$")
RESULT = re.compile(r"^\s*\d+/\d+ Test\s+#(\d+): (\S+) \.*\s*(.*?)\s+[\d.]+ sec")
NOISE = re.compile(r"^(test \d+|\s+Start\s+\d+|UpdateCTest|Test project|Constructing a list|Done constructing|Updating test list|"
                   r"Checking test dependency|\s*$)")


def skip_reason(lines: list[str]) -> str:
    for i, line in enumerate(lines):
        if re.search(r"\.(cc|c|py):\d+: Skipped$", line):
            return " ".join(part.strip() for part in lines[i + 1:i + 3] if part.strip() and not part.startswith("["))
        if line.lower().startswith("skip"):
            return line
    return "no reason given"


def main() -> None:
    output: dict[str, list[str]] = {}
    skipped = []
    closing = False
    for line in sys.stdin:
        line = line.rstrip("\n")
        if re.match(r"^\d+% tests passed", line):
            for name, reason in skipped:
                print(f"skipped: {name}: {reason}")
            print()
            closing = True
        if closing:
            print(line, flush=True)
        elif m := RESULT.match(line):
            print(line, flush=True)
            lines = output.pop(m[1], [])
            if "Skipped" in m[3]:
                skipped.append((m[2], skip_reason(lines)))
            elif "Passed" not in m[3]:
                print("\n".join("    " + x for x in lines), flush=True)
        elif m := OUTPUT.match(line):
            output.setdefault(m[1], []).append(m[2])
        elif not NOISE.match(line):
            print(line, flush=True)


main()
