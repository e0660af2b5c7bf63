# SPDX-License-Identifier: Apache-2.0
# Measures a Hugging Face folder with transformers on heldout.jsonl: right answers by task with greedy
# decoding, and the perplexity of held-out answers. score.py does the same with the phial program.
#
#   python evaluate.py --model ../../models/phial-demo [--samples] [--ask "Can you introduce yourself?"]

import argparse
import json
import math
from pathlib import Path

import torch
from transformers import AutoTokenizer, Phi3ForCausalLM

from scoring import group_of, judge, load, nll, table


def generate(model, tok, chats, max_new_tokens, batch=32):
    """Greedy answers as (text, ended), in the order of `chats`."""
    prompts = [tok.apply_chat_template(c, add_generation_prompt=True) for c in chats]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    out = [None] * len(prompts)
    stops = set(model.generation_config.eos_token_id)
    for s in range(0, len(order), batch):
        part = order[s:s + batch]
        width = max(len(prompts[i]) for i in part)
        ids = torch.full((len(part), width), tok.pad_token_id)
        attention = torch.zeros_like(ids)
        for r, i in enumerate(part):
            ids[r, width - len(prompts[i]):] = torch.tensor(prompts[i])
            attention[r, width - len(prompts[i]):] = 1
        with torch.no_grad():
            got = model.generate(ids, attention_mask=attention, max_new_tokens=max_new_tokens, do_sample=False)
        for r, i in enumerate(part):
            new = got[r, width:].tolist()
            end = next((k for k, t in enumerate(new) if t in stops), None)
            out[i] = (tok.decode(new[:end], skip_special_tokens=True).strip(), end is not None)
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--heldout", type=Path, help="default: heldout.jsonl of the model")
    p.add_argument("--threads", type=int, default=1, help="more than idle cores are very slow")
    p.add_argument("--max-new-tokens", type=int, default=128)
    p.add_argument("--limit", type=int, help="items per group and texts, for a quick look")
    p.add_argument("--json", type=Path, help="write the numbers here")
    p.add_argument("--samples", action="store_true", help="print wrong answers")
    p.add_argument("--ask", nargs="*", help="answer these prompts and stop")
    p.add_argument("--system")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    tok = AutoTokenizer.from_pretrained(a.model)
    model = Phi3ForCausalLM.from_pretrained(a.model, dtype=torch.float32).eval()  # bf16 weights, float32 arithmetic
    if a.ask:
        system = [{"role": "system", "content": a.system}] if a.system else []
        for q, (text, ended) in zip(a.ask, generate(model, tok, [system + [{"role": "user", "content": q}] for q in a.ask], a.max_new_tokens)):
            print(f"> {q}\n{text}{'' if ended else ' [not ended]'}\n")
        return
    tasks, texts = load(a.heldout or a.model / "heldout.jsonl")
    if a.limit:
        count = {}
        tasks = [t for t in tasks if count.setdefault(t["group"], []).append(1) or len(count[t["group"]]) <= a.limit]
        texts = texts[:a.limit]
    right, by_task = {}, {}
    for item, (text, ended) in zip(tasks, generate(model, tok, [t["messages"] for t in tasks], a.max_new_tokens)):
        good = judge(item, text, ended)
        for counts, key in ((right, group_of(item["task"])), (by_task, item["task"])):
            counts.setdefault(key, [0, 0])
            counts[key][0] += good
            counts[key][1] += 1
        if a.samples and not good:
            print(f"[{item['task']}] {item['messages'][-1]['content']!r}\n    got  {text!r}{'' if ended else ' (not ended)'}\n    want {item['expected']!r}")
    total = n = 0
    for t in texts:
        with torch.no_grad():
            s, k = nll(model(torch.tensor([t["ids"]])).logits[0].numpy(), t["ids"], t["learn"])
        total, n = total + s, n + k
    result = {"right": right, "perplexity": math.exp(total / n), "texts": len(texts), "answer_tokens": n}
    print(table({"bf16": result}))
    if a.json:
        a.json.write_text(json.dumps(dict(result, by_task=by_task), indent=1) + "\n")


if __name__ == "__main__":
    main()
