#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""phial run with and without --speculate ngram, in turns: the same answers? How much sooner?

  speculation.py --phial build/release/bin/phial PACKAGE [--prompts models/phial-demo/heldout.jsonl] [--rounds 7]

Three prompts that the answer repeats (a story asked for again, a text to quote, a text begun again), then answers to held-out prompts that
don't. Prints medians of the ratio of tokens per second, pair by pair.
"""
import argparse
import json
import statistics
import subprocess
from pathlib import Path


def run(a, prompt, mode):
    out = subprocess.run([a.phial, "run", a.package, prompt, "--raw", "--json", "--quiet", "-n", str(a.tokens), "--ignore-eos", "--require", "cpu",
                          "--speculate", mode], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def compare(a, name, prompts, rounds):
    ratios, equal, drafted, accepted = [], 0, 0, 0
    for prompt in prompts:
        for _ in range(rounds):
            off, on = run(a, prompt, "off"), run(a, prompt, "ngram")
            ratios.append(on["timings"]["generation_tokens_per_second"] / off["timings"]["generation_tokens_per_second"])
            equal += off["ids"] == on["ids"]
            drafted, accepted = drafted + on["stats"]["drafted_tokens"], accepted + on["stats"]["accepted_tokens"]
    print(f"{name}: {statistics.median(ratios):.2f} times as fast (quartiles {' '.join(f'{q:.2f}' for q in statistics.quantiles(ratios, n=4))}), "
          f"{equal} of {len(ratios)} answers equal, {accepted} of {drafted} guesses right", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--phial", required=True)
    p.add_argument("--prompts", type=Path)
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--tokens", type=int, default=150)
    p.add_argument("package")
    a = p.parse_args()
    question = "Tell me a short story about a cat."
    turn = f"<|user|>\n{question}<|end|>\n<|assistant|>\n"
    story = run(a, turn, "off")["text"].split("<|end|>")[0]
    compare(a, "the same question again", [f"{turn}{story}<|end|>\n{turn}"], a.rounds)
    compare(a, "summarize and quote", [f"<|user|>\nSummarize this and quote it: {story}<|end|>\n<|assistant|>\n"], a.rounds)
    compare(a, "a text begun again", [f"{story}\n{story[:40]}"], a.rounds)
    if a.prompts:
        lines = [json.loads(line) for line in a.prompts.read_text().splitlines()]
        asked = [m["content"] for line in lines for m in line.get("messages", [])[-1:]][::20]
        a.tokens = 24  # most answers end by then, and what follows the end repeats
        compare(a, f"{len(asked)} held-out prompts", [f"<|user|>\n{text}<|end|>\n<|assistant|>\n" for text in asked], 2)


if __name__ == "__main__":
    main()
