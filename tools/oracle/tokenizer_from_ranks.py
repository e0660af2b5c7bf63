#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds a tokenizer.json from a tiktoken rank file and a tokenizer_config.json (Phi-4, Phi-4-mini).

  tokenizer_from_ranks.py RANKS.tiktoken tokenizer_config.json OUT_DIR [--ignore-merges]

Merges are recovered in rank order: the two parts that a rank's bytes are made of are what BPE with the smaller ranks
leaves of them. The split rule is told from the number of ranks. Added tokens and their flags are those of the config.
"""
import argparse
import base64
import json
import pathlib
import shutil

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
CL100K = (
    CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = (
    r"[^\r\n\p{L}\p{N}]?" + UPPER + "*" + LOWER + "+" + CONTRACTIONS + "?"
    r"|[^\r\n\p{L}\p{N}]?" + UPPER + "+" + LOWER + "*" + CONTRACTIONS + "?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_alphabet():
    """GPT-2's: printable Latin-1 as itself, the other bytes from U+0100 on."""
    table, shifted = {}, 0x100
    for byte in range(256):
        if 0x21 <= byte <= 0x7E or 0xA1 <= byte <= 0xAC or 0xAE <= byte <= 0xFF:
            table[byte] = chr(byte)
        else:
            table[byte], shifted = chr(shifted), shifted + 1
    return table


def parts_of(token, ranks, limit):
    """What BPE with the ranks below `limit` makes of `token`."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while True:
        best, at = limit, None
        for i in range(len(parts) - 1):
            rank = ranks.get(parts[i] + parts[i + 1])
            if rank is not None and rank < best:
                best, at = rank, i
        if at is None:
            return parts
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def build(rank_file, config, ignore_merges=False, pattern=None):
    ranks = {}
    for line in pathlib.Path(rank_file).read_text().splitlines():
        if line:
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
    alphabet = byte_alphabet()
    written = {token: "".join(alphabet[b] for b in token) for token in ranks}
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) > 1:
            parts = parts_of(token, ranks, rank)
            if len(parts) == 2:  # a token that smaller ranks can't make is reached by ignore_merges only
                merges.append([written[parts[0]], written[parts[1]]])
    vocab = {written[token]: rank for token, rank in ranks.items()}
    added = []
    for token_id, flags in sorted(config["added_tokens_decoder"].items(), key=lambda item: int(item[0])):
        added.append({"id": int(token_id), **flags})
        vocab.setdefault(flags["content"], int(token_id))  # ids with holes hold only if the vocabulary has them
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    split = pattern or (O200K if len(ranks) > 150_000 else CL100K)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": split}, "behavior": "Isolated", "invert": False},
                byte_level,
            ],
        },
        "post_processor": byte_level,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": ignore_merges,
            "vocab": vocab,
            "merges": merges,
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ranks")
    parser.add_argument("config")
    parser.add_argument("out_dir")
    parser.add_argument("--ignore-merges", action="store_true")
    args = parser.parse_args()
    out = pathlib.Path(args.out_dir)
    out.mkdir(parents=True, exist_ok=True)
    config = json.loads(pathlib.Path(args.config).read_text())
    text = json.dumps(build(args.ranks, config, args.ignore_merges), ensure_ascii=False)
    (out / "tokenizer.json").write_text(text, encoding="utf-8")
    shutil.copyfile(args.config, out / "tokenizer_config.json")


if __name__ == "__main__":
    main()
