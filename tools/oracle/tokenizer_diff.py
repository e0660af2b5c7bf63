#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares phial's tokenizer with the Hugging Face tokenizers library on random texts and random ids.

  tokenizer_diff.py --probe build/bin/tokenizer_probe --shared ../shared     every text by itself, decode, streaming
  tokenizer_diff.py --phial build/bin/phial --shared ../shared               long texts through `phial tokenize`

Models: every folder of SHARED/data/tokenizers with a tokenizer.json, Phi-4 and Phi-4-mini built from their ranks
(kept in --cache if given), and the small ones of tests/golden/text. Exit status 77 with a reason if something that it
needs isn't there, 1 at a difference. The same --seed gives the same texts.
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import tokenizer_from_ranks

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parents[1] / "tests" / "golden" / "text"
RANKS = {"phi-4-base": "cl100k_base", "phi-4-mini": "o200k_base", "phi-4-mini-reasoning": "o200k_base"}

WORDS = (
    "the The THE don't DON'T I'll we've it's IT'S x'ſ y'S Hello world iPhone McDonald camelCaseWord HTTPServer naïve "
    "Führer нещо на Български БЪЛГ ﷺ العربية עברית हिन्दी ไทย 한국어 日本語 漢字 ǅungla ʰaspir ªº ᾈ ĲSSEL 3 12 345 6789 "
    "½ ² Ⅷ ٣٤٥ 三 //path/to http://a.b/c?d=e&f {}[]() == != -> ... \"quoted\" `code` def f(x): return x\n"
).split(" ")
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n", "\n ", "\u00a0", "\u3000", "\u2028", "\u0085", "\x0b", " " * 17]
ODD = [
    "\0", "\x01", "\x7f", "\u200b", "\u200d", "\ufeff", "\ufffd", "\u0301", "e\u0301", "\u0300\u0301A", "▁", "▁▁", "<0x41>",
    "<0x", "🦙", "👨‍👩‍👧", "🏳️‍🌈", "\U000e0041", "\U0010ffff", "\ue000", "ſ", "K", "İ", "ß", "'", "''", "''s", "/\n/", "!\r\n/",
]  # fmt: skip
BLOCKS = [(0x20, 0x7F), (0, 0x100), (0x100, 0x250), (0x300, 0x370), (0x370, 0x600), (0x900, 0xE00), (0x1F00, 0x2100),
          (0x2000, 0x2070), (0x3000, 0x3100), (0x4E00, 0x5200), (0xAC00, 0xB000), (0x1D400, 0x1D800), (0x1F300, 0x1FA00),
          (0, 0xD800), (0xE000, 0x110000)]  # fmt: skip


def random_piece(rng, added):
    kind = rng.randrange(12)
    if kind < 3:
        return rng.choice(WORDS)
    if kind < 5:
        return rng.choice(SPACES)
    if kind == 5:
        return rng.choice(ODD)
    if kind == 6 and added:
        token = rng.choice(added)
        return token if rng.random() < 0.8 else token[: rng.randrange(len(token))]
    if kind == 7:
        return rng.choice("aA 1'\n/!é中") * rng.randrange(1, 40)
    if kind == 8:  # noise made valid
        return bytes(rng.randrange(256) for _ in range(rng.randrange(1, 12))).decode("utf-8", "replace")
    low, high = rng.choice(BLOCKS)
    return "".join(chr(rng.randrange(low, high)) for _ in range(rng.randrange(1, 8)))


def random_text(rng, added):
    text = "".join(random_piece(rng, added) for _ in range(rng.randrange(1, 14)))
    return text if rng.random() < 0.5 else text.replace("\n", " ")


def random_ids(rng, size, byte_ids):
    ids = []
    for _ in range(rng.randrange(1, 12)):
        if byte_ids and rng.random() < 0.5:
            text = rng.choice(ODD + WORDS).encode()
            ids += [byte_ids[b] for b in text[rng.randrange(2) : len(text) - rng.randrange(2)]]
        else:
            ids.append(rng.randrange(size))
    return ids


def all_code_points():
    chars = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    return ["".join(chars[i : i + 4096]) for i in range(0, len(chars), 4096)]


class Probe:
    """tokenizer_probe: one question a line."""

    def __init__(self, program, folder):
        self.process = subprocess.Popen([program, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)  # fmt: skip

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def encode(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


def fail(name, what, shown, expected, found):
    sys.exit(f"{name}: {what} differs for {shown!r}\n  library: {expected}\n  phial:   {found}")


def check_encode(name, tokenizer, text, parse_special, found):
    expected = encode(tokenizer, text)
    if found != expected:
        at = next((i for i, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
        shown = text if len(text) < 300 else text[:80] + "..."
        fail(name, f"encode (parse_special {parse_special}) from id {at}", shown, expected[at : at + 9], found[at : at + 9])


def compare_with_probe(name, folder, tokenizer, added, program, rng, count):
    probe = Probe(program, folder)
    size = max(tokenizer.get_vocab().values()) + 1
    byte_ids = [tokenizer.token_to_id(f"<0x{b:02X}>") for b in range(256)]
    byte_ids = byte_ids if None not in byte_ids else None
    texts = [random_text(rng, added) for _ in range(count)] + WORDS + SPACES + ODD + added
    for parse_special in (True, False):
        tokenizer.encode_special_tokens = not parse_special
        for text in texts if parse_special else texts[: count // 4] + added:
            check_encode(name, tokenizer, text, parse_special, probe.ask(text=text, parse_special=parse_special))
    tokenizer.encode_special_tokens = False
    for _ in range(count // 2):
        ids = random_ids(rng, size, byte_ids) if rng.random() < 0.7 else encode(tokenizer, rng.choice(texts))
        skip = rng.random() < 0.5
        decoded, *pieces = probe.ask(ids=ids, skip_special=skip)
        expected = tokenizer.decode(ids, skip_special_tokens=skip)
        if decoded != expected:
            fail(name, f"decode (skip_special {skip})", ids, expected, decoded)
        if "".join(pieces) != decoded:
            fail(name, f"the stream (skip_special {skip})", ids, decoded, pieces)
    probe.close()


def compare_with_phial(name, folder, tokenizer, added, program, rng, count):
    for text in ["".join(random_text(rng, added) for _ in range(count)), "".join(all_code_points())[:: rng.randrange(7, 20)]]:
        done = subprocess.run([program, "tokenize", str(folder)], input=text.encode(), capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"{name}: {program} tokenize ended with {done.returncode}: {done.stderr.decode()[:500]}")
        check_encode(name, tokenizer, text, True, json.loads(done.stdout))


def odd_added_tokens(folder, rng):
    """A small model with added tokens of random flags, spaces and overlaps among them."""
    data = json.loads((folder / "tokenizer.json").read_text())
    vocab, flags = data["model"]["vocab"], ["single_word", "lstrip", "rstrip", "normalized", "special"]
    next_id = len(vocab)
    data["added_tokens"] = []
    pool = ["a", "ab", "b ", " b", " ", "  ", "\n", "é", "<x>", "<x", "x>y", "▁a", "the", " the", "'s", "中", "\u0301", "Z9"]
    for content in rng.sample(pool, 8):
        token_id = vocab.get(content)
        if token_id is None:
            token_id, next_id = next_id, next_id + 1
        data["added_tokens"].append({"id": token_id, "content": content} | {flag: rng.random() < 0.4 for flag in flags})
    return data


@contextlib.contextmanager
def silent_stderr():
    """The library writes its panics there, from Rust."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def compare_odd_added_tokens(cache, program, rng, rounds):
    from tokenizers import Tokenizer

    compared = 0
    for i in range(rounds):
        for small in sorted(path.parent for path in GOLDEN.glob("*/tokenizer.json")):
            data = odd_added_tokens(small, rng)
            folder = cache / f"odd-{small.name}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            added = [token["content"] for token in data["added_tokens"]] + [" ", "\n", "a", "b"]
            probe = Probe(program, folder)
            for _ in range(60):
                text = "".join(rng.choice(added) if rng.random() < 0.7 else random_piece(rng, added) for _ in range(9))
                tokenizer.encode_special_tokens = rng.random() < 0.3
                try:
                    with silent_stderr():
                        encode(tokenizer, text)
                except BaseException as error:  # the library panics where a token lies in spaces that another swallowed
                    if type(error).__name__ != "PanicException":
                        raise
                    continue
                special = not tokenizer.encode_special_tokens
                check_encode(f"odd-{small.name} {i}", tokenizer, text, special, probe.ask(text=text, parse_special=special))
                compared += 1
            probe.close()
    print(f"odd added tokens: {compared} texts the same", flush=True)


def compare_spellings(rng):
    """The spellings of cl100k_base's pattern in split_rule.cc split alike in the library."""
    from tokenizers import Regex, pre_tokenizers

    source = (HERE.parents[1] / "src" / "text" / "split_rule.cc").read_text()
    listed = source.split("kCl100kSpellings[] = {", 1)[1].split("};", 1)[0]
    patterns = [line.split('R"(', 1)[1].rsplit(')"', 1)[0] for line in listed.splitlines() if 'R"(' in line]
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    for _ in range(2000):
        text = random_text(rng, [])
        answers = [split.pre_tokenize_str(text) for split in splits]
        if any(answer != answers[0] for answer in answers):
            fail("cl100k_base", "a spelling", text, answers[0], answers[1:])
    print(f"{len(patterns)} spellings of cl100k_base: the same", flush=True)


def model_folders(shared, cache):
    data = shared / "data" / "tokenizers"
    yield from sorted(path.parent for path in GOLDEN.glob("*/tokenizer.json"))
    yield from sorted(path.parent for path in data.glob("*/tokenizer.json"))
    for name, ranks in RANKS.items():
        config, rank_file = data / name / "tokenizer_config.json", data / "ranks" / f"{ranks}.tiktoken"
        if config.exists() and rank_file.exists() and not name.endswith("reasoning"):
            folder = cache / name
            if not (folder / "tokenizer.json").exists():
                folder.mkdir(parents=True, exist_ok=True)
                built = tokenizer_from_ranks.build(rank_file, json.loads(config.read_text()))
                (folder / "tokenizer.json").write_text(json.dumps(built, ensure_ascii=False), encoding="utf-8")
            yield folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probe", help="the tokenizer_probe program")
    parser.add_argument("--phial", help="the phial program")
    parser.add_argument("--shared", required=True, type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, help="where tokenizers built from ranks are kept")
    parser.add_argument("--only", nargs="*", default=[], help="names of the models to compare, default all")
    parser.add_argument("--count", type=int, default=400, help="random texts a model")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--every-code-point", action="store_true", help="each code point in four surroundings (minutes)")
    args = parser.parse_args()
    try:
        from tokenizers import Tokenizer
    except ImportError:
        print("skipped: this Python has no tokenizers library")
        sys.exit(77)
    program = args.probe or args.phial
    if not program or not pathlib.Path(program).exists():
        print("skipped: no such program; give --probe or --phial")
        sys.exit(77)
    if not (args.shared / "data" / "tokenizers").is_dir():
        print(f"skipped: {args.shared} has no data/tokenizers")
        sys.exit(77)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        if args.probe and not args.only:
            compare_spellings(random.Random(args.seed))
            compare_odd_added_tokens(pathlib.Path(scratch), args.probe, random.Random(args.seed), 5)
        for folder in model_folders(args.shared, args.cache or pathlib.Path(scratch)):
            name = folder.name
            if args.only and name not in args.only:
                continue
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            tokenizer.no_truncation()
            tokenizer.no_padding()
            added = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
            rng = random.Random(f"{args.seed} {name}")
            compare = compare_with_probe if args.probe else compare_with_phial
            compare(name, folder, tokenizer, added, program, rng, args.count)
            if args.every_code_point and args.probe:
                probe = Probe(args.probe, folder)
                for around in ("{}", "a{}b", "A{}a\n", " {}{}'s"):
                    for block in all_code_points():
                        text = "".join(around.replace("{}", c) for c in block)
                        check_encode(name, tokenizer, text, True, probe.ask(text=text, parse_special=True))
                probe.close()
            print(f"{name}: the same ({time.monotonic() - start:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
