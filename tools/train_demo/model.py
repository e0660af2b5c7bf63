# SPDX-License-Identifier: Apache-2.0
# Phi-3 in plain PyTorch, for training on a CPU: the same mathematics and the same tensor names as
# transformers' Phi3ForCausalLM (export.py checks that), less overhead, a loss on chosen positions only.
# No cache, no long context: not for inference.

import math

import torch
import torch.nn.functional as F
from torch import nn

CONFIG = dict(vocab_size=4096, hidden_size=256, intermediate_size=640, num_hidden_layers=5, num_attention_heads=4, num_key_value_heads=2,
              max_position_embeddings=4096, rope_theta=10000.0, rms_norm_eps=1e-5, tie_word_embeddings=1)
EMBED_STD = 0.15


class RMSNorm(nn.Module):
    def __init__(self, dim, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def rotate(x, cos, sin):  # x [batch, heads, n, head_dim]; the pairs are (i, i + head_dim / 2)
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.kv = c["num_attention_heads"], c["num_key_value_heads"]
        self.dim = c["hidden_size"] // self.heads
        self.qkv_proj = nn.Linear(c["hidden_size"], (self.heads + 2 * self.kv) * self.dim, bias=False)
        self.o_proj = nn.Linear(self.heads * self.dim, c["hidden_size"], bias=False)

    def forward(self, x, cos, sin, mask):
        b, n, _ = x.shape
        q, k, v = self.qkv_proj(x).view(b, n, -1, self.dim).transpose(1, 2).split((self.heads, self.kv, self.kv), 1)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k, v = (t.repeat_interleave(self.heads // self.kv, 1) for t in (k, v))
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.o_proj(out.transpose(1, 2).reshape(b, n, -1))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.gate_up_proj = nn.Linear(c["hidden_size"], 2 * c["intermediate_size"], bias=False)
        self.down_proj = nn.Linear(c["intermediate_size"], c["hidden_size"], bias=False)

    def forward(self, x):
        gate, up = self.gate_up_proj(x).chunk(2, -1)
        return self.down_proj(F.silu(gate) * up)


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        self.self_attn = Attention(c)
        self.post_attention_layernorm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        self.mlp = MLP(c)

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"]))
        self.norm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])


class Phi3(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.config, self.model = dict(c), Body(c)
        self.lm_head = nn.Linear(c["hidden_size"], c["vocab_size"], bias=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                out = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(p, std=0.02 / (math.sqrt(2 * c["num_hidden_layers"]) if out else 1.0))
        # Large, so that a step changes a token's vector by a percent only and heads that match tokens can follow; the last
        # norm keeps the logits small all the same.
        nn.init.normal_(self.model.embed_tokens.weight, std=EMBED_STD)
        if c["tie_word_embeddings"]:  # to say a token again is then a step away from doing nothing
            self.lm_head.weight = self.model.embed_tokens.weight
            nn.init.constant_(self.model.norm.weight, 0.02 / EMBED_STD)

    def hidden(self, ids, mask):
        """ids [batch, n]; mask [batch, 1, n, n], true where a key may be seen -> [batch, n, hidden]"""
        dim = self.model.layers[0].self_attn.dim
        freq = self.config["rope_theta"] ** (-torch.arange(0, dim, 2, device=ids.device).float() / dim)
        angle = torch.arange(ids.shape[1], device=ids.device).float()[:, None] * freq
        cos, sin = angle.cos(), angle.sin()
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer(x, cos, sin, mask)
        return self.model.norm(x)

    def loss(self, ids, doc, learn):
        """Mean loss over the positions whose next token is to be learned. `doc` numbers the conversations
        of a row: tokens see only their own, and as RoPE is relative, each seems to begin at 0."""
        n = ids.shape[1]
        mask = (doc[:, None, :, None] == doc[:, None, None, :]) & torch.ones(n, n, dtype=torch.bool, device=ids.device).tril()
        h = self.hidden(ids, mask)[:, :-1]
        want = learn[:, 1:]
        return F.cross_entropy(self.lm_head(h[want]), ids[:, 1:][want])
