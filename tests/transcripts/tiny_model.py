#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a tiny Phi-3 with random weights and a small tokenizer of our own, in a moment and always the same.

usage: tiny_model.py PHIAL FOLDER
"""
import json
import pathlib
import subprocess
import sys
import tempfile

CONFIG = {
    "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "vocab_size": 315, "hidden_size": 64,
    "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 256, "original_max_position_embeddings": 256, "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0, "rope_scaling": None, "sliding_window": None, "hidden_act": "silu",
    "tie_word_embeddings": False, "attention_bias": False, "bos_token_id": 1, "eos_token_id": 310,
    "pad_token_id": 310, "torch_dtype": "bfloat16",
}
SPECIAL = {0: "<unk>", 1: "<s>", 2: "</s>", 310: "<|endoftext|>", 311: "<|assistant|>", 312: "<|system|>",
           313: "<|end|>", 314: "<|user|>"}
MERGES = ["\u2581 t", "h e", "\u2581t he", "l o", "he l", "hel lo", "\u2581 hello"]
TEMPLATE = ("{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}"
            "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}")


def tokenizer_files() -> dict:
    words = [SPECIAL[i] for i in range(3)] + [f"<0x{b:02X}>" for b in range(256)]
    words += ["\u2581"] + [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words += [m.replace(" ", "") for m in MERGES]
    vocab = {word: i for i, word in enumerate(words)}
    vocab.update({word: i for i, word in SPECIAL.items()})
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    back = {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": word, "single_word": False, "lstrip": False, "rstrip": i > 310,
                          "normalized": False, "special": i != 2} for i, word in SPECIAL.items()],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}, replace]},
        "pre_tokenizer": None, "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"},
                                                     {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "vocab": vocab,
                  "merges": MERGES},
    }
    config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": False, "bos_token": "<s>",
              "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "unk_token": "<unk>",
              "chat_template": TEMPLATE}
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": config}


def make(phial: str, folder: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        parts = pathlib.Path(name)
        (parts / "tokenizer").mkdir()
        for file, content in tokenizer_files().items():
            (parts / "tokenizer" / file).write_text(json.dumps(content, ensure_ascii=False))
        (parts / "config.json").write_text(json.dumps(CONFIG))
        subprocess.run([phial, "make-random", str(parts / "config.json"), str(folder), "--seed", "7", "--tokenizer",
                        str(parts / "tokenizer")], check=True)


if __name__ == "__main__":
    make(sys.argv[1], pathlib.Path(sys.argv[2]))
