# SPDX-License-Identifier: Apache-2.0
"""A Phi-3 in NumPy over the weights of a package, dequantized by docs/formats/package.md: what OpenVINO's logits are
held to where transformers isn't installed. Written from the format's page and the model's definition, not from phial."""
import json
import math
import pathlib

import numpy as np


def package_weights(folder: pathlib.Path) -> dict:
    data = np.fromfile(folder / "openvino_model.bin", dtype=np.uint8)
    weights = {}
    for t in json.loads((folder / "phial.json").read_text())["weights"]["tensors"]:
        rows, cols = t["rows"], t["cols"]

        def piece(key):
            offset, size = t[key]
            return data[offset:offset + size]

        def nibbles(codes):
            return np.stack([codes & 15, codes >> 4], -1).reshape(rows, -1)

        if t["format"] == "f32":
            w = piece("data").view(np.float32)
        elif t["format"] == "f16":
            w = piece("data").view(np.float16)
        else:
            u4, groups = t["format"] == "u4", cols // t["group"]
            codes = piece("data").reshape(rows, -1)
            zeros = np.full((rows, groups), 8 if u4 else 128)
            if t["zero_points"]:
                zeros = piece("zero_points").reshape(rows, -1)
                zeros = nibbles(zeros)[:, :groups] if u4 else zeros
            codes = (nibbles(codes) if u4 else codes).reshape(rows, groups, -1).astype(np.float64)
            w = (codes - zeros[..., None]) * piece("scales").view(np.float16).reshape(rows, groups, 1)
        weights[t["name"]] = w.astype(np.float64).reshape(rows, cols)
    weights.setdefault("lm_head.weight", weights["model.embed_tokens.weight"])
    return weights


def frequencies(config: dict, rotary_dim: int, length: int):
    """Of a prefill of `length` tokens: inverse frequencies, and what cos and sin are multiplied by."""
    power = np.float32(config["rope_theta"]) ** (np.arange(0, rotary_dim, 2, dtype=np.float32) / np.float32(rotary_dim))
    scaling = config.get("rope_scaling")
    if not scaling:
        return 1 / power, 1.0
    limit = config["original_max_position_embeddings"]
    factors = np.float32(scaling["long_factor" if length > limit else "short_factor"])
    ratio = config["max_position_embeddings"] / limit
    factor = scaling.get("attention_factor")
    if factor is None:
        factor = math.sqrt(1 + math.log(ratio) / math.log(limit)) if ratio > 1 else 1.0
    return 1 / (factors * power), factor


def logits(config: dict, weights: dict, ids: list) -> np.ndarray:
    n, hidden = len(ids), config["hidden_size"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = config.get("head_dim") or hidden // heads
    rotary_dim = int(head_dim * config.get("partial_rotary_factor", 1.0))
    inv_freq, factor = frequencies(config, rotary_dim, n)
    angles = np.arange(n, dtype=np.float32)[:, None] * inv_freq.astype(np.float32)
    angles = np.concatenate([angles, angles], -1).astype(np.float64)
    cos, sin = np.cos(angles) * factor, np.sin(angles) * factor
    window = config.get("sliding_window") or n
    i, j = np.arange(n)[:, None], np.arange(n)[None]
    hidden_keys = (j > i) | (j <= i - window)

    def norm(x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + config["rms_norm_eps"]) * weights[name]

    def rotate(x):
        part, rest = x[..., :rotary_dim], x[..., rotary_dim:]
        low, high = part[..., :rotary_dim // 2], part[..., rotary_dim // 2:]
        return np.concatenate([part * cos + np.concatenate([-high, low], -1) * sin, rest], -1)

    x = weights["model.embed_tokens.weight"][ids]
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        qkv = norm(x, name + "input_layernorm.weight") @ weights[name + "self_attn.qkv_proj.weight"].T
        q, k, v = np.split(qkv, [heads * head_dim, (heads + kv_heads) * head_dim], -1)
        q, k, v = (m.reshape(n, -1, head_dim).transpose(1, 0, 2) for m in (q, k, v))
        q, k = rotate(q), rotate(k)
        k, v = (np.repeat(m, heads // kv_heads, 0) for m in (k, v))
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(head_dim)
        scores[:, hidden_keys] = -np.inf
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        attended = (scores / scores.sum(-1, keepdims=True)) @ v
        x = x + attended.transpose(1, 0, 2).reshape(n, -1) @ weights[name + "self_attn.o_proj.weight"].T
        both = norm(x, name + "post_attention_layernorm.weight") @ weights[name + "mlp.gate_up_proj.weight"].T
        gate, up = np.split(both, 2, -1)
        x = x + (gate / (1 + np.exp(-gate)) * up) @ weights[name + "mlp.down_proj.weight"].T
    return norm(x, "model.norm.weight") @ weights["lm_head.weight"].T
