# SPDX-License-Identifier: Apache-2.0
"""Logits as transformers' processors leave them, for a small vocabulary.

    python tools/oracle/chat_sampling.py > tests/golden/generate/sampling.json
"""
import json

import torch
from transformers.generation import logits_process as lp

VOCAB = 16
generator = torch.Generator().manual_seed(7)
CASES = [
    dict(temperature=1.0), dict(temperature=0.5), dict(temperature=2.5),
    dict(temperature=1.0, top_k=1), dict(temperature=1.0, top_k=5), dict(temperature=0.7, top_k=40),
    dict(temperature=1.0, top_p=0.1), dict(temperature=1.0, top_p=0.6), dict(temperature=1.3, top_p=0.93),
    dict(temperature=1.0, min_p=0.05), dict(temperature=0.8, min_p=0.3),
    dict(temperature=1.0, repetition_penalty=1.3), dict(temperature=1.0, repetition_penalty=0.7),
    dict(temperature=0.9, top_k=8, top_p=0.8, min_p=0.1, repetition_penalty=1.2),
    dict(temperature=1.4, top_k=12, top_p=0.95, min_p=0.02, repetition_penalty=1.05),
]
out = []
for i, case in enumerate(CASES):
    logits = torch.round(torch.randn(1, VOCAB, generator=generator) * 2000) / 1000
    if i == 4:
        logits[0, 3] = logits[0, 7] = logits[0, 9] = 1.5  # a tie at the border of top-k
    tokens = torch.randint(0, VOCAB, (1, 6), generator=generator)
    chain = []
    if case.get("repetition_penalty", 1) != 1:
        chain.append(lp.RepetitionPenaltyLogitsProcessor(case["repetition_penalty"]))
    if case["temperature"] != 1:
        chain.append(lp.TemperatureLogitsWarper(case["temperature"]))
    if case.get("top_k"):
        chain.append(lp.TopKLogitsWarper(case["top_k"]))
    if case.get("top_p", 1) < 1:
        chain.append(lp.TopPLogitsWarper(case["top_p"]))
    if case.get("min_p"):
        chain.append(lp.MinPLogitsWarper(case["min_p"]))
    scores = logits.clone()
    for processor in chain:
        scores = processor(tokens, scores)
    out.append({
        "params": case,
        "tokens": tokens[0].tolist(),
        "logits": [round(x, 3) for x in logits[0].tolist()],
        "probabilities": [round(x, 7) for x in torch.softmax(scores[0].double(), -1).tolist()],
    })
print("[")
print(",\n".join(json.dumps(case) for case in out))
print("]")
