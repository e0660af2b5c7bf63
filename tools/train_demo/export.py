# SPDX-License-Identifier: Apache-2.0
# Writes a checkpoint of train.py as a Hugging Face Phi-3 folder in bfloat16, and checks that
# transformers' Phi3ForCausalLM computes the same from it. Does not train and does not quantise.
#
#   python export.py --checkpoint DIR/checkpoint.pt --tokenizer DIR --out ../../models/phial-demo

import argparse
import json
import random
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoTokenizer, Phi3ForCausalLM

from data import conversation, encode, messages
from model import Phi3

TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]


def configs(c, tok):
    text, end, assistant = (tok.token_to_id(t) for t in ("<|endoftext|>", "<|end|>", "<|assistant|>"))
    config = {
        "architectures": ["Phi3ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1, "embd_pdrop": 0.0,
        "eos_token_id": text, "hidden_act": "silu", "hidden_size": c["hidden_size"], "initializer_range": 0.02,
        "intermediate_size": c["intermediate_size"], "max_position_embeddings": c["max_position_embeddings"], "model_type": "phi3",
        "num_attention_heads": c["num_attention_heads"], "num_hidden_layers": c["num_hidden_layers"],
        "num_key_value_heads": c["num_key_value_heads"], "original_max_position_embeddings": c["max_position_embeddings"],
        "pad_token_id": text, "resid_pdrop": 0.0, "rms_norm_eps": c["rms_norm_eps"], "rope_scaling": None, "rope_theta": c["rope_theta"],
        "sliding_window": 2047, "tie_word_embeddings": bool(c["tie_word_embeddings"]), "torch_dtype": "bfloat16", "transformers_version": "4.57.6", "use_cache": True,
        "vocab_size": c["vocab_size"]}
    # Phi-3-mini's list: the end of a text, a next assistant header, the end of a turn
    generation = {"_from_model_config": True, "bos_token_id": 1, "do_sample": False, "eos_token_id": [text, assistant, end], "pad_token_id": text,
                  "transformers_version": "4.57.6"}
    return config, generation


def check(out, model, tok):
    """Same ids from both tokenizers and the chat template; same logits from both models."""
    hf_tok = AutoTokenizer.from_pretrained(out)
    hf = Phi3ForCausalLM.from_pretrained(out, dtype=torch.float32).eval()
    rounded = Phi3(model.config)
    rounded.load_state_dict({k: v.bfloat16().float() for k, v in model.state_dict().items()})
    rng, worst = random.Random(3), 0.0
    for _ in range(20):
        system, turns = conversation(rng, held=True)
        ids, _ = encode(tok, system, turns)
        whole = hf_tok.apply_chat_template(messages(system, turns))
        assert whole[:-1] == ids and whole[-1] == tok.token_to_id("<|endoftext|>"), (whole, ids)
        x = torch.tensor([ids])
        n = len(ids)
        with torch.no_grad():
            ours = rounded.lm_head(rounded.hidden(x, torch.ones(1, 1, n, n, dtype=torch.bool).tril()))
            worst = max(worst, (ours - hf(x).logits).abs().max().item())
    assert worst < 2e-3, f"logits differ by {worst}"
    return worst


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--checkpoint", type=Path, required=True)
    p.add_argument("--tokenizer", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    state = torch.load(a.checkpoint, map_location="cpu")
    model = Phi3(state["config"])
    model.load_state_dict(state["model"])
    tok = Tokenizer.from_file(str(a.tokenizer / "tokenizer.json"))
    assert tok.get_vocab_size() == state["config"]["vocab_size"]
    a.out.mkdir(parents=True, exist_ok=True)
    if a.tokenizer.resolve() != a.out.resolve():
        for name in TOKENIZER_FILES:
            shutil.copyfile(a.tokenizer / name, a.out / name)
    config, generation = configs(state["config"], tok)
    for name, value in (("config.json", config), ("generation_config.json", generation)):
        (a.out / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    tensors = {k: v.bfloat16().contiguous() for k, v in model.state_dict().items()}
    if state["config"]["tie_word_embeddings"]:
        del tensors["lm_head.weight"]
    save_file(tensors, a.out / "model.safetensors", metadata={"format": "pt"})
    (a.out / "model.safetensors").chmod(0o644)
    worst = check(a.out, model, tok)
    print(f"{sum(t.numel() for t in tensors.values())} parameters, step {state['step']}, {state['tokens']} tokens seen; "
          f"largest difference of logits to Phi3ForCausalLM {worst:.1e}")


if __name__ == "__main__":
    main()
