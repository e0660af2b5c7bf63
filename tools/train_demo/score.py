# SPDX-License-Identifier: Apache-2.0
# Measures packages (bf16, INT8, INT4, ...) with the phial program on heldout.jsonl and prints a
# Markdown table. Needs Python and numpy only; transformers' numbers come from evaluate.py.
#
#   python score.py --phial build/phial bf16=models/phial-demo int8=PACKAGE int4=PACKAGE
#
# Uses   phial run MODEL PROMPT --max-new-tokens N --temperature 0 --json   -> {"text", "ids", "finish_reason"}
# and    phial logits MODEL --ids 1,2,3 --out FILE.npy                      -> float32 [n, vocab]
# A prompt of several turns cannot be given to `phial run`; those items are left out.

import argparse
import json
import math
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from scoring import group_of, judge, load, nll, table

HERE = Path(__file__).resolve().parent


def call(command):
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{' '.join(command)[:200]}\nended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def ask(a, package, item):
    out = call([*a.phial, "run", package, item["messages"][-1]["content"], "--max-new-tokens", str(a.max_new_tokens), "--temperature", "0", "--json", *a.extra])
    reply = json.loads(out)
    return reply["text"].strip(), reply["finish_reason"] != "length"


def perplexity(a, package, texts):
    total = n = 0
    with tempfile.TemporaryDirectory() as folder:
        for i, t in enumerate(texts):
            path = Path(folder) / f"{i}.npy"
            call([*a.phial, "logits", package, "--ids", ",".join(map(str, t["ids"])), "--out", str(path), *a.extra])
            logits = np.load(path)
            if logits.shape[0] != len(t["ids"]):
                sys.exit(f"{package}: logits of {logits.shape[0]} positions for {len(t['ids'])} ids")
            s, k = nll(logits, t["ids"], t["learn"])
            path.unlink()
            total, n = total + s, n + k
    return math.exp(total / n)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("packages", nargs="+", help="NAME=MODEL, or MODEL")
    p.add_argument("--phial", required=True, help="the program; a .py file is run with this Python")
    p.add_argument("--heldout", type=Path, default=HERE / "../../models/phial-demo/heldout.jsonl")
    p.add_argument("--max-new-tokens", type=int, default=128)
    p.add_argument("--jobs", type=int, default=1, help="programs at the same time")
    p.add_argument("--limit", type=int, help="items per group and texts, for a quick look")
    p.add_argument("--no-perplexity", action="store_true")
    p.add_argument("--show-wrong", action="store_true")
    p.add_argument("--json", type=Path, help="write the numbers here")
    p.add_argument("--extra", nargs=argparse.REMAINDER, default=[], help="last: further arguments for phial, such as --device cpu")
    a = p.parse_args()
    a.phial = [sys.executable, a.phial] if a.phial.endswith(".py") else [a.phial]
    tasks, texts = load(a.heldout)
    single = [t for t in tasks if len(t["messages"]) == 1]
    left_out = len(tasks) - len(single)
    if a.limit:
        count = {}
        single = [t for t in single if count.setdefault(t["group"], []).append(1) or len(count[t["group"]]) <= a.limit]
        texts = texts[:a.limit]
    columns = {}
    for entry in a.packages:
        name, _, package = entry.rpartition("=")
        right = {}
        with ThreadPoolExecutor(a.jobs) as pool:
            answers = list(pool.map(lambda item: ask(a, package, item), single))
        for item, (text, ended) in zip(single, answers):
            good = judge(item, text, ended)
            counts = right.setdefault(group_of(item["task"]), [0, 0])
            counts[0] += good
            counts[1] += 1
            if a.show_wrong and not good:
                print(f"{name or package} [{item['task']}] {item['messages'][-1]['content']!r}\n    got  {text!r}\n    want {item['expected']!r}")
        columns[name or package] = {"right": right, "perplexity": None if a.no_perplexity else perplexity(a, package, texts), "texts": len(texts)}
    print(table(columns))
    print(f"\n{len(single)} single questions; {left_out} items with several turns left out.")
    if a.json:
        a.json.write_text(json.dumps(columns, indent=1) + "\n")


if __name__ == "__main__":
    main()
