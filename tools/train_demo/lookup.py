# SPDX-License-Identifier: Apache-2.0
# A start for the weights in which attention can already look up "what came after this token before" (induction heads: one
# head writes down which token came before, one in the next layer compares that with the token at hand and copies what
# follows). Repeating, lists and sums with given operands need such heads; from random weights a model of this size finds
# them only after many millions of tokens. Nothing is fixed: training changes all of it.
# Not here: anything else of the model (model.py).

import torch

CONSTANT = 0  # the dimension that is the same for every token: what a head needs to look at a place and not at a token
MATCH = 32  # numbers by which tokens are compared: in the slow half of RoPE, which hardly turns within some hundred tokens


@torch.no_grad()
def set_lookup_heads(model, seed=0, near=0.9, match=3.0, note=1.5, copy=7.5):
    """Layer 0, first key/value head: looks at the token before and writes a sketch of it into the stream. Layer 1, both
    key/value heads: look where that sketch is the one of the token at hand, and copy the token there."""
    g = torch.Generator().manual_seed(seed)
    c = model.config
    first, second = model.model.layers[0].self_attn, model.model.layers[1].self_attn
    dim, heads, kv = first.dim, first.heads, first.kv
    hidden, group, half = c["hidden_size"], heads // kv, dim // 2
    freq = c["rope_theta"] ** (-torch.arange(half).float() / half)
    embed = model.model.embed_tokens.weight
    embed[:, CONSTANT] = embed[:, 1:].norm(dim=1).mean()

    def key_rows(h):
        return slice((heads + h) * dim, (heads + h + 1) * dim)

    def value_rows(h):
        return slice((heads + kv + h) * dim, (heads + kv + h + 1) * dim)

    # queries and keys that are the same everywhere, a turn of one position apart, in the fast pairs
    fast = torch.arange(10)
    w = first.qkv_proj.weight
    w[key_rows(0)][fast, CONSTANT] = near
    for q in range(group):
        rows = w[q * dim:(q + 1) * dim]
        rows[fast, CONSTANT], rows[fast + half, CONSTANT] = near * torch.cos(-freq[fast]), near * torch.sin(-freq[fast])
    basis, _ = torch.linalg.qr(torch.randn(hidden - 1, hidden - 1, generator=g))
    basis = torch.cat([torch.zeros(hidden - 1, 1), basis], 1)  # never the constant
    sketch, place, rest = basis.split((dim, dim, hidden - 1 - 2 * dim))  # don't disturb each other
    w[value_rows(0)] = sketch
    first.o_proj.weight[:, :dim] = note * place.T

    slow = torch.arange(half - MATCH // 2, half)
    slow = torch.cat([slow, slow + half])
    w = second.qkv_proj.weight
    for h, part in zip(range(kv), (sketch, rest[:dim])):
        w[key_rows(h)][slow] = match * place[:MATCH]
        for q in range(h * group, (h + 1) * group):
            w[q * dim:(q + 1) * dim][slow] = match * sketch[:MATCH]
        w[value_rows(h)] = part
        for q in range(h * group, (h + 1) * group):
            second.o_proj.weight[:, q * dim:(q + 1) * dim] = copy / group * part.T
