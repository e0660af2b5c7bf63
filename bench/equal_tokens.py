#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do two ways to run one package give the same greedy tokens? Counts answers that are equal, and tokens up to the first difference.

  equal_tokens.py --phial build/release/bin/phial --prompts models/phial-demo/heldout.jsonl [--count 40] PACKAGE WAY WAY...

WAY: flags of phial run in one argument, "--require cpu" or "--require openvino:CPU --ov-config KEY=VALUE". The first is compared
with each of the others.
"""
import argparse
import json
import shlex
import subprocess
from pathlib import Path


def prompts(path, count):
    """A spread over the whole file, which is sorted by task."""
    texts = []
    for line in path.read_text().splitlines():
        item = json.loads(line)
        texts += [m["content"] for m in item.get("messages", []) if m["role"] == "user"][-1:]
    step = max(1, len(texts) // count)
    return texts[::step][:count]


def answer(phial, package, prompt, way, tokens):
    run = subprocess.run([phial, "run", package, prompt, "--json", "--quiet", "--temperature", "0", "-n", str(tokens), *shlex.split(way)],
                         capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["ids"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--phial", required=True)
    p.add_argument("--prompts", type=Path, required=True)
    p.add_argument("--count", type=int, default=40)
    p.add_argument("--tokens", type=int, default=64)
    p.add_argument("package")
    p.add_argument("ways", nargs="+")
    a = p.parse_args()
    chosen = prompts(a.prompts, a.count)
    answers = {way: [answer(a.phial, a.package, text, way, a.tokens) for text in chosen] for way in a.ways}
    first = answers[a.ways[0]]
    total = sum(map(len, first))
    for way in a.ways[1:]:
        equal = same = 0
        for x, y in zip(first, answers[way]):
            equal += x == y
            same += next((i for i, (u, v) in enumerate(zip(x, y)) if u != v), min(len(x), len(y)))
        print(f"{way}: {equal} of {len(first)} answers equal, {same} of {total} tokens up to the first difference", flush=True)


if __name__ == "__main__":
    main()
