#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/model: tiny random Phi-3 checkpoints and what transformers computes with them in float32.

usage: model_golden.py [OUT_DIR]        needs: torch, transformers 4.57, safetensors, numpy

A rerun gives the same weights, ids and files to the byte; logits may differ in the last bits on another processor.
The layout is described in tests/golden/model/README.md.
"""
import copy
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import GenerationConfig, Phi3Config, Phi3ForCausalLM

BASE = dict(
    architectures=["Phi3ForCausalLM"], model_type="phi3", vocab_size=256, hidden_size=64, intermediate_size=128,
    num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=4096,
    original_max_position_embeddings=4096, rms_norm_eps=1e-5, rope_theta=10000.0, rope_scaling=None, sliding_window=None,
    tie_word_embeddings=False, hidden_act="silu", attention_bias=False, attention_dropout=0.0, embd_pdrop=0.0,
    resid_pdrop=0.0, initializer_range=0.02, use_cache=True, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def longrope(half, long_step, short_step=0.03, **more):
    return {"long_factor": [1.0 + long_step * i for i in range(half)],
            "short_factor": [1.0 + short_step * i for i in range(half)], "type": "longrope", **more}


# folder -> (config, stored type, cases of (name, seed of the ids, length, stored positions at the end; 0: all))
MODELS = {
    # Phi-3-mini-4k's kind: multi-head attention with a window, here 7 keys
    "window": (dict(BASE, sliding_window=7), torch.bfloat16, [("window_edge", 1, 24, 0)]),
    # Phi-3.5-mini's kind scaled down: factors change after 32 positions; grouped-query attention as in medium-128k
    "longrope": (dict(BASE, num_key_value_heads=2, max_position_embeddings=256, original_max_position_embeddings=32,
                      sliding_window=512, rope_scaling=longrope(8, 1.5)), torch.bfloat16,
                 [("longrope_31", 2, 31, 2), ("longrope_32", 2, 32, 2), ("longrope_33", 2, 33, 0),
                  ("longrope_40", 2, 40, 2)]),
    # Phi-4-mini's kind: a quarter of each head isn't rotated, tied embeddings, grouped-query attention, short factors 1
    "partial": (dict(BASE, num_key_value_heads=2, partial_rotary_factor=0.75, tie_word_embeddings=True,
                     max_position_embeddings=256, original_max_position_embeddings=32, sliding_window=512,
                     rope_scaling=longrope(6, 2.0, 0.0)), torch.float16,
                [("partial_20", 3, 20, 0), ("partial_36", 3, 36, 2)]),
    # heads wider than hidden / heads, one kv head, another base of the rotation (Phi-4's)
    "head_dim": (dict(BASE, vocab_size=128, intermediate_size=96, num_attention_heads=3, num_key_value_heads=1,
                      head_dim=24, rope_theta=250000.0), torch.bfloat16, [("head_dim_17", 4, 17, 0)]),
    # an attention factor that the configuration states
    "attention_factor": (dict(BASE, vocab_size=128, hidden_size=32, intermediate_size=64, num_attention_heads=2,
                              num_key_value_heads=1, max_position_embeddings=256, original_max_position_embeddings=32,
                              rope_scaling=longrope(8, 1.0, attention_factor=1.5)), torch.float32,
                         [("attention_factor_12", 5, 12, 0), ("attention_factor_34", 5, 34, 1)]),
    # the real limit of 4096
    "long4096": (dict(BASE, vocab_size=128, hidden_size=32, intermediate_size=64, num_attention_heads=2,
                      num_key_value_heads=1, max_position_embeddings=131072, sliding_window=262144,
                      rope_scaling=longrope(8, 3.0)), torch.float32,
                 [("long4096_4095", 6, 4095, 2), ("long4096_4096", 6, 4096, 2), ("long4096_4097", 6, 4097, 2),
                  ("long4096_4200", 6, 4200, 2)]),
}
GENERATIONS = [("longrope_crossing", "longrope", 7, 27, 14), ("window_generation", "window", 8, 5, 20)]


def make_ids(seed, length, vocab):
    """A linear congruential generator's upper bits, so that C++ makes the same ids."""
    state, ids = seed, []
    for _ in range(length):
        state = (state * 1664525 + 1013904223) % 2**32
        ids.append((state >> 16) % vocab)
    return ids


def hf_config(config):
    config = copy.deepcopy(config)
    scaling = config["rope_scaling"]
    explicit = scaling.pop("attention_factor", None) if scaling else None
    result = Phi3Config(**{k: v for k, v in config.items() if k not in ("architectures", "model_type")})
    if explicit is not None:  # transformers computes with it, but its check of the configuration wants three keys
        result.rope_scaling["attention_factor"] = explicit
    result._attn_implementation = "eager"
    return result


def make_model(config, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    model = Phi3ForCausalLM(hf_config(config)).eval()
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):  # rounded as they will be stored
            value = torch.randn(p.shape, generator=generator) * 0.15 if p.ndim == 2 else \
                torch.rand(p.shape, generator=generator) + 0.5
            p.copy_(value.to(dtype).float())
    return model


def with_config(model, config):
    other = Phi3ForCausalLM(hf_config(config)).eval()
    other.load_state_dict(model.state_dict())
    return other


@torch.no_grad()
def logits_of(model, ids, keep=0):
    return model(torch.tensor([ids]), use_cache=False, logits_to_keep=keep).logits[0].float().numpy()


def check_they_tell(folder, model, config):
    """A golden file that a wrong model would pass is worth nothing: the neighbouring configurations must differ."""
    changes = []
    if config["sliding_window"] == 7:
        changes += [(dict(config, sliding_window=6), 24), (dict(config, sliding_window=8), 24)]
    if config["rope_scaling"]:
        o = config["original_max_position_embeddings"]
        scaling = config["rope_scaling"]
        swapped = dict(scaling, short_factor=scaling["long_factor"], long_factor=scaling["short_factor"])
        if o < 100:
            changes += [(dict(config, rope_scaling=swapped), n) for n in (12, o, o + 1)]
        else:
            changes += [(dict(config, rope_scaling=swapped), o)]
    for changed, n in changes:
        ids = make_ids(9, n, config["vocab_size"])
        a, b = logits_of(model, ids, 2), logits_of(with_config(model, changed), ids, 2)
        difference = np.abs(a - b).max()
        assert difference > 0.01, (folder, difference)


def main(out):
    cases, generations = [], []
    torch.set_num_threads(2)
    models = {}
    for number, (folder, (config, dtype, wanted)) in enumerate(MODELS.items()):
        model = models[folder] = make_model(config, dtype, 100 + number)
        check_they_tell(folder, model, config)
        (out / folder).mkdir(parents=True, exist_ok=True)
        stored = dict(config, torch_dtype=str(dtype).removeprefix("torch."))
        (out / folder / "config.json").write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")
        tensors = {k: v.to(dtype).contiguous() for k, v in model.state_dict().items()
                   if not (config["tie_word_embeddings"] and k == "lm_head.weight")}
        save_file(tensors, out / folder / "model.safetensors", metadata={"format": "pt"})
        for name, seed, length, keep in wanted:
            logits = logits_of(model, make_ids(seed, length, config["vocab_size"]), keep)
            np.save(out / folder / f"{name}.npy", logits)
            cases.append({"name": name, "checkpoint": folder, "seed": seed, "length": length,
                          "first": length - len(logits), "logits": f"{folder}/{name}.npy"})
            print(name, logits.shape)

    for name, folder, seed, length, new in GENERATIONS:
        config, model = MODELS[folder][0], models[folder]
        model.generation_config = GenerationConfig(pad_token_id=0)
        prompt = make_ids(seed, length, config["vocab_size"])
        # Without a cache: where the length crosses original_max_position_embeddings, generate() of 4.57 drops its cache
        # and feeds the whole sequence, but with the cache_position of the last token alone; with eager attention the
        # mask then has one row and that re-prefill isn't causal.
        with torch.no_grad():
            tokens = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=new, use_cache=False,
                                    attention_mask=torch.ones(1, length, dtype=torch.long))[0, length:].tolist()
        so_far, margin = list(prompt), np.inf
        for token in tokens:  # never a close call
            logits = logits_of(model, so_far, 1)[-1]
            second, first = np.sort(logits)[-2:]
            margin = min(margin, first - second)
            assert logits.argmax() == token, name
            so_far.append(token)
        assert len(tokens) == new and margin > 0.005, (name, margin)
        generations.append({"name": name, "checkpoint": folder, "seed": seed, "length": length, "tokens": tokens})
        print(name, tokens, margin)
    text = json.dumps({"cases": cases, "generations": generations}, indent=1)
    (out / "cases.json").write_text(text + "\n")


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent.parent / "tests" / "golden" / "model")
