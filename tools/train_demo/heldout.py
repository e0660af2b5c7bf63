# SPDX-License-Identifier: Apache-2.0
# Writes heldout.jsonl: questions in wordings, with operands, heroes and subjects that training never
# shows, and conversations for the perplexity. Does not run the model.
#
#   python heldout.py --tokenizer DIR --out ../../models/phial-demo/heldout.jsonl
#
# A line is {"kind": "task", "task", "group", "messages", "accept", "expected"} (see scoring.judge) or
# {"kind": "text", "messages", "ids", "learn"} (learn = 1: a token of an answer).

import argparse
import json
import random
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer

from data import MIX, conversation, encode, messages
from scoring import GROUPS, group_of


def known_prompts(n, seed=99):
    """What training may show; wordings of two templates can coincide."""
    rng = random.Random(seed)
    return {t.user.lower().rstrip("?.! ") for _ in range(n) for t in conversation(rng)[1]}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--tokenizer", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--per-group", type=int, default=30)
    p.add_argument("--texts", type=int, default=120)
    p.add_argument("--seed", type=int, default=2024)
    p.add_argument("--known", type=int, default=20000, help="training conversations to compare with")
    a = p.parse_args()
    tok = Tokenizer.from_file(str(a.tokenizer / "tokenizer.json"))
    known, rng = known_prompts(a.known), random.Random(a.seed)
    want = {g: a.per_group * (2 if g == "knowledge" else 1) for g in GROUPS}
    items, texts, have, used = [], [], Counter(), set()
    mix = dict(MIX, gibberish=0.2, arithmetic=60)
    tries = 0
    while any(have[g] < n for g, n in want.items()) and tries < 400000:
        tries += 1
        system, turns = conversation(rng, held=True, mix=mix)
        for i, t in enumerate(turns):
            group = group_of(t.task)
            if group is None or have[group] >= want[group] or not (t.accept or t.expected):
                continue
            later = group == "later turns"
            key = t.user.lower().rstrip("?.! ")
            if not later and (key in known or key in used):
                continue
            # a single question, except where the answer is in what was said before
            before = turns[max(0, i - 3):i] if later else []
            if later and t.task == "recall_name" and not any(b.task == "greet_name" for b in before):
                continue
            used.add(key)
            have[group] += 1
            items.append({"kind": "task", "task": t.task, "group": group, "messages": messages(None, before + [t], last_reply=False),
                          "accept": t.accept, "expected": t.expected or t.reply})
    rng = random.Random(a.seed + 1)
    while len(texts) < a.texts:
        system, turns = conversation(rng, held=True)
        ids, learn = encode(tok, system, turns)
        if len(ids) <= 512:
            texts.append({"kind": "text", "messages": messages(system, turns), "ids": ids, "learn": learn})
    items.sort(key=lambda i: list(GROUPS).index(i["group"]))
    with open(a.out, "w", encoding="utf-8") as f:
        for item in items + texts:
            f.write(json.dumps(item, ensure_ascii=False) + "\n")
    print(f"{len(items)} tasks, {len(texts)} texts with {sum(sum(t['learn']) for t in texts)} answer tokens; {dict(have)}")


if __name__ == "__main__":
    main()
