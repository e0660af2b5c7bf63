# SPDX-License-Identifier: Apache-2.0
# Trains the tokenizer of phial-demo and writes it as a file of the kind Phi-3 has: SentencePiece-like
# BPE with byte fallback, "▁" for the space, no pre-tokenizer. Not a general tokenizer trainer.
#
#   python tokenizer.py --out DIR      writes tokenizer.json, tokenizer_config.json, special_tokens_map.json

import argparse
import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from data import conversations
from grammar.core import OPTIONS

VOCAB = 4096  # with the added tokens; a multiple of 128
ADDED = ["<|endoftext|>", "<|assistant|>", "<|placeholder1|>", "<|placeholder2|>", "<|placeholder3|>", "<|placeholder4|>",
         "<|system|>", "<|end|>", "<|placeholder5|>", "<|placeholder6|>", "<|user|>"]  # Phi-3-mini's order
FIRST = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
# Only while training: keeps pieces inside a word and digits alone. Merges learned this way never
# reach over such a border, so the finished file does not need it.
WORDS = Regex(r"▁?\p{L}+|\p{N}|▁?[^\p{L}\p{N}▁]+|▁+")
LETTERS = [chr(c) for c in range(33, 127)] + list("▁äöüÄÖÜßàáâãåæçèéêëìíîïñòóôõøœùúûýÀÁÂÇÈÉÊÑÓÔØÚ¿¡«»“”‘’„–—…€£§°±×÷·")
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}")


def corpus(seed, n):
    """Lines of text; a newline inside a reply stays a byte token, as in Llama's and Phi-3's files."""
    for _, (system, turns) in zip(range(n), conversations(seed)):
        for text in [system or ""] + [s for t in turns for s in (t.user, t.reply)]:
            yield from text.split("\n")


def flags(i, content):
    """The flags of the updated Phi-3-mini file."""
    rstrip = content == "</s>" or (content.startswith("<|") and content != "<|endoftext|>")
    return {"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": rstrip, "normalized": False,
            "special": content != "</s>"}


def train(seed, n):
    tok = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tok.pre_tokenizer = pre_tokenizers.Split(WORDS, "isolated")
    trainer = trainers.BpeTrainer(vocab_size=VOCAB - len(ADDED), min_frequency=2, special_tokens=FIRST, initial_alphabet=LETTERS,
                                  limit_alphabet=len(LETTERS), show_progress=False)
    tok.train_from_iterator(corpus(seed, n), trainer)
    out = json.loads(tok.to_str())
    vocab = out["model"]["vocab"]
    size = len(vocab)
    assert [k for k, _ in sorted(vocab.items(), key=lambda kv: kv[1])][:len(FIRST)] == FIRST
    assert size == VOCAB - len(ADDED), f"only {size} pieces: give more text"
    assert not any(any(c.isdigit() for c in p) and len(p) > 1 for p in vocab if not p.startswith("<0x"))
    added = [flags(i, c) for i, c in enumerate(FIRST[:3])] + [flags(size + i, c) for i, c in enumerate(ADDED)]
    single, pair = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                           {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": None,
        "post_processor": {"type": "TemplateProcessing", "single": [single], "pair": [single, pair], "special_tokens": {}},
        "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                                                     {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": True, "byte_fallback": True, "vocab": vocab,
                  "merges": [m if isinstance(m, str) else " ".join(m) for m in out["model"]["merges"]]},
    }


def config(tok):
    decoder = {str(a["id"]): {k: a[k] for k in ("content", "lstrip", "normalized", "rstrip", "single_word", "special")} for a in tok["added_tokens"]}
    return {"add_bos_token": False, "add_eos_token": False, "added_tokens_decoder": decoder, "bos_token": "<s>", "chat_template": CHAT_TEMPLATE,
            "clean_up_tokenization_spaces": False, "eos_token": "<|endoftext|>", "legacy": False, "model_max_length": 4096,
            "pad_token": "<|endoftext|>", "padding_side": "left", "sp_model_kwargs": {}, "tokenizer_class": "LlamaTokenizer",
            "unk_token": "<unk>", "use_default_system_prompt": False}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--conversations", type=int, default=60000)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    OPTIONS.update(typos=False, jumbles=False)
    tok = train(a.seed, a.conversations)
    special = {k: {"content": v, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
               for k, v in (("bos_token", "<s>"), ("eos_token", "<|endoftext|>"), ("pad_token", "<|endoftext|>"), ("unk_token", "<unk>"))}
    for name, value in (("tokenizer.json", tok), ("tokenizer_config.json", config(tok)), ("special_tokens_map.json", special)):
        (a.out / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(tok['model']['vocab'])} pieces, {len(tok['model']['merges'])} merges, {len(ADDED)} added tokens")


if __name__ == "__main__":
    main()
