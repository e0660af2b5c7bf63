# SPDX-License-Identifier: Apache-2.0
# How answers are judged and summed up; shared by evaluate.py (transformers) and score.py (phial).
# Needs numpy only. Runs no model.

import json
import re

import numpy as np

GROUPS = {
    "who it is": ["identity", "maker", "not_human", "size", "able", "private"],
    "small talk": ["hello", "thanks", "bye", "doubt", "greet_name", "no_name"],
    "knowledge": ["know_*"],
    "addition to 99": ["add"],
    "subtraction to 99": ["sub"],
    "times table to 12": ["mul"],
    "division": ["div"],
    "word problems": ["word_add", "word_sub"],
    "lists of sums": ["sum_list"],
    "counting, comparing": ["compare_numbers", "count", "next_number"],
    "stories": ["story", "story_hero", "story_free"],
    "jokes, poems": ["joke", "poem"],
    "repeating": ["repeat"],
    "lists, picking": ["list", "pick_item"],
    "summaries, reading": ["summarise", "read"],
    "does not know": ["unknown", "too_big", "gibberish"],
    "later turns": ["recall_name", "sum_chain"],
}


def group_of(task):
    for group, tasks in GROUPS.items():
        if task in tasks or any(t.endswith("*") and task.startswith(t[:-1]) for t in tasks):
            return group
    return None


def load(path):
    """(tasks, texts) of a heldout.jsonl"""
    with open(path, encoding="utf-8") as f:
        items = [json.loads(line) for line in f]
    return [i for i in items if i["kind"] == "task"], [i for i in items if i["kind"] == "text"]


def _plain(text):
    return re.sub(r"[ \t]+", " ", text).strip().rstrip(".").lower()


def judge(item, text, ended):
    """Right if all patterns of `accept` are found or, where there are none, the text is the expected
    one; and if the model ended its turn by itself."""
    if not ended:
        return False
    if item["accept"]:
        return all(re.search(p, text, re.IGNORECASE) for p in item["accept"])
    return _plain(text) == _plain(item["expected"])


def nll(logits, ids, learn):
    """Sum and number of -log p over the tokens with learn = 1. logits: [n, vocab], row i predicts i + 1."""
    x = np.asarray(logits, dtype=np.float64)[:-1]
    want, use = np.asarray(ids)[1:], np.asarray(learn)[1:].astype(bool)
    top = x.max(-1)
    lse = top + np.log(np.exp(x - top[:, None]).sum(-1))
    losses = (lse - x[np.arange(len(want)), want])[use]
    return float(losses.sum()), int(use.sum())


def table(columns):
    """Markdown. columns: {name: {"right": {group: [right, all]}, "perplexity": x or None}}"""
    names = list(columns)
    groups = [g for g in GROUPS if any(g in c["right"] for c in columns.values())]
    lines = ["| held-out task | items | " + " | ".join(names) + " |", "|---|---:|" + "---:|" * len(names)]

    def row(title, count, cells):
        lines.append(f"| {title} | {count} | " + " | ".join(cells) + " |")

    def percent(r, n):
        return f"{100 * r / n:.1f} %" if n else "–"

    for g in groups:
        row(g, max(c["right"].get(g, [0, 0])[1] for c in columns.values()), [percent(*c["right"].get(g, [0, 0])) for c in columns.values()])
    sums = [[sum(v[k] for v in c["right"].values()) for k in (0, 1)] for c in columns.values()]
    row("**all tasks**", max(s[1] for s in sums), [percent(*s) for s in sums])
    if any(c.get("perplexity") for c in columns.values()):
        row("perplexity of held-out answers (lower is better)", max(c.get("texts", 0) for c in columns.values()),
            [f"{c['perplexity']:.4f}" if c.get("perplexity") else "–" for c in columns.values()])
    return "\n".join(lines)
