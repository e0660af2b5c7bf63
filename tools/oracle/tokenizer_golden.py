#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/text with the tokenizers library: small synthetic tokenizer.json files, and texts with their ids.

  tokenizer_golden.py --shared ../shared

Folders spm/, cl100k/, o200k/, gpt2/: a tokenizer.json of a few hundred tokens, trained on the text below, with its
golden.json. phi-3-mini.json: golden pairs for the tokenizer of SHARED/data/tokenizers/phi-3-mini, which stays there.
"""
import argparse
import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import tokenizer_diff
from tokenizer_from_ranks import CL100K, O200K

CORPUS = [
    "Every morning the little engine counted its tokens: one, two, three. It didn't hurry; it'd never hurried.",
    "The engine's friends, a kernel and a scheduler, weren't sure that they'd understood what counting is for.",
    "    for i in range(100):\n        print(i, 'tokens')\n\n\n", "2024-11-30 12:45:59, 3.14159, 1,000,000 and 0xFFEE.",
    "DON'T SHOUT AT THE ENGINE! IT'S COUNTING.", "camelCase HTTPServer iPhone naïve Führer café",
    "Съешь ещё этих мягких булок", "日本語のテキスト 漢字かな交じり文", "//path/to/file // comment\n/* block */\n",
]  # fmt: skip
CASES = [
    "", " ", "  ", "\n", "Hello world", " Hello  world ", "it's IT'S it'ſ", "counting 1234567 tokens", "a<|end|>b",
    "<|user|>\n hi <|end|> \n\t<|assistant|>\n", "<|user|><|end|>", "<s>x</s> y", "x wordy word, word\u0301 word-", "<|en",
    "🦙👨‍👩‍👧é", "\0\x7f\u200b\ufeff", "日本語 漢字", "Съешь ЕЩЁ", "ǅungla HTTPServerʰ", "\u0301A \u0301\u0301b", " \n\n  \r\n x", "tail  ",
    "a" * 70, " " * 33 + "x", "!\r\n/ //\n", "<0x41><0xE2>", "▁the▁ engine", "normal form NORMAL ▁normal", "١٢٣٤ ½²Ⅷ",
]  # fmt: skip


def added_tokens():
    return [
        AddedToken("<|user|>", special=True, rstrip=True, normalized=False),
        AddedToken("<|end|>", special=True, normalized=False),
        AddedToken("<|assistant|>", special=True, lstrip=True, rstrip=True, normalized=False),
        AddedToken("word", special=False, single_word=True, normalized=False),
        AddedToken("normal", special=False, normalized=True),
    ]


def spm():
    """Phi-3's kind: trained on text with the marks already in it, then given the real normalizer and decoder."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=520, special_tokens=special, show_progress=False, max_token_length=12)
    tokenizer.train_from_iterator([line.replace("日本", "").replace("漢字", "") for line in CORPUS], trainer)
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = data["added_tokens"][:3]
    data["pre_tokenizer"] = None
    data["normalizer"] = json.loads(
        normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]).__getstate__()
    )
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer


def byte_level(pattern):
    tokenizer = Tokenizer(models.BPE(ignore_merges=pattern == O200K))
    byte_step = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)
    split = [] if pattern is None else [pre_tokenizers.Split(Regex(pattern), "isolated")]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(split + [byte_step])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=460, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def pairs(tokenizer, seed):
    rng = random.Random(seed)
    added = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    texts = CASES + [tokenizer_diff.random_text(rng, added) for _ in range(60)]
    size = max(tokenizer.get_vocab().values()) + 1
    byte_ids = [tokenizer.token_to_id(f"<0x{b:02X}>") for b in range(256)]
    byte_ids = byte_ids if None not in byte_ids else None
    encoded, decoded = [], []
    for text in texts:
        ids = {}
        for parse_special in (True, False):
            tokenizer.encode_special_tokens = not parse_special
            ids[parse_special] = tokenizer_diff.encode(tokenizer, text)
        tokenizer.encode_special_tokens = False
        encoded.append({"text": text, "ids": ids[True]} | ({} if ids[True] == ids[False] else {"plain": ids[False]}))
    for i in range(60):
        ids = encoded[i]["ids"] if i % 3 == 0 else tokenizer_diff.random_ids(rng, size, byte_ids)
        decoded.append({"ids": ids, "text": tokenizer.decode(ids), "with_special": tokenizer.decode(ids, skip_special_tokens=False)})
    return {"encode": encoded, "decode": decoded}


def write(path, data):
    lines = [f'{json.dumps(key)}: [\n{",".join(chr(10) + json.dumps(row) for row in rows)[1:]}\n]' for key, rows in data.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", required=True, type=pathlib.Path)
    args = parser.parse_args()
    makers = {"spm": spm, "cl100k": lambda: byte_level(CL100K), "o200k": lambda: byte_level(O200K), "gpt2": lambda: byte_level(None)}
    for name, make in makers.items():
        folder = tokenizer_diff.GOLDEN / name
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer = make()
        tokenizer.add_tokens(added_tokens())
        data = json.loads(tokenizer.to_str())
        if name == "cl100k":  # the older form of merges
            data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
        (folder / "tokenizer.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")
        write(folder / "golden.json", pairs(Tokenizer.from_file(str(folder / "tokenizer.json")), name))
    phi3 = args.shared / "data" / "tokenizers" / "phi-3-mini" / "tokenizer.json"
    write(tokenizer_diff.GOLDEN / "phi-3-mini.json", pairs(Tokenizer.from_file(str(phi3)), "phi-3-mini"))


if __name__ == "__main__":
    main()
