#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs phial's tokenizer and detokenizer IRs in OpenVINO and compares them with the Hugging Face tokenizers library.

  tokenizer_ir_test.py --probe build/bin/tokenizer_ir_probe --shared ../shared [--phial build/bin/phial]

Ids of random texts, of every added token, of long texts and of batches with padding; texts of random ids, special
tokens kept and left out. With openvino_genai also its Tokenizer. With --phial also `phial tokenize`. Exit status 77 with
a reason if something that it needs isn't there, 1 at a difference. The same --seed gives the same texts.
"""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "oracle"))
import tokenizer_diff  # noqa: E402


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def fail(name, what, shown, expected, found):
    sys.exit(f"{name}: {what} differs for {shown!r}\n  library:  {expected!r}\n  OpenVINO: {found!r}")


def shown(text):
    return text if len(text) < 300 else text[:80] + "..."


class Graphs:
    """Both IRs of a folder, compiled for the CPU."""

    def __init__(self, ov, folder):
        core = ov.Core()
        one = {"INFERENCE_NUM_THREADS": 1}  # thousands of short calls
        self.tokenizer = core.compile_model(folder / "openvino_tokenizer.xml", "CPU", one)
        self.detokenizer = core.compile_model(folder / "openvino_detokenizer.xml", "CPU", one)
        keeps = core.read_model(folder / "openvino_detokenizer.xml")
        decoder = next(op for op in keeps.get_ordered_ops() if op.get_type_name() == "VocabDecoder")
        decoder.input(4).replace_source_output(ov.op.Constant(ov.Type.i32, ov.Shape([1]), [-1]).output(0))
        self.keeping_detokenizer = core.compile_model(keeps, "CPU", one)

    def encode(self, texts):
        out = self.tokenizer(texts)
        return out["input_ids"].tolist(), out["attention_mask"].tolist()

    def decode(self, rows, skip_special):
        import numpy

        model = self.detokenizer if skip_special else self.keeping_detokenizer
        return list(model(numpy.array(rows, dtype=numpy.int64))["string_output"])


def vectors(shared):
    folder = shared / "data" / "tokenizer-vectors"
    text = (folder / "ggml-vocab-phi-3.gguf.inp").read_text(encoding="utf-8")
    out = text.split("\n__ggml_vocab_test__\n")
    for case in json.loads((folder / "tokenizer_vectors.json").read_text(encoding="utf-8")).values():
        out += [value for value in (case.values() if isinstance(case, dict) else [case]) if isinstance(value, str)]
    return out


def long_texts(rng, added):
    size = 100_000
    mixed = ""
    while len(mixed) < size:
        mixed += tokenizer_diff.random_text(rng, added)
    yield "mixed", mixed
    for what, piece in [("spaces", " "), ("newlines", "\n"), ("letters", "a"), ("words", "the cat "), ("marks", "e\u0301"),
                        ("digits", "7"), ("signs", "!?"), ("CJK", "漢字"), ("camelCase", "aB")]:  # fmt: skip
        yield what, piece * (size // len(piece.encode()))


def repeated(added):
    for piece in [" ", "\n", "a", "ab", "!", "=", "-", "_", "0", "▁", "é", "\t", " \n", "🦙", *added[:3]]:
        for count in [*range(1, 20), 31, 64, 65, 127]:
            yield piece * count


def check_ids(name, tokenizer, graphs, prefix, texts):
    for text in texts:
        text = text.rstrip("\0")  # numpy's strings lose it
        expected = prefix + tokenizer.encode(text, add_special_tokens=False).ids
        found = graphs.encode([text])[0][0]
        if found != expected:
            at = next((i for i, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
            fail(name, f"ids from number {at} on", shown(text), expected[at : at + 12], found[at : at + 12])
    return len(texts)


def check_batches(name, tokenizer, graphs, prefix, pad, pad_left, texts, rng):
    for size in range(2, 12):
        batch = [rng.choice(["", text]) if i else text for i, text in enumerate(rng.choices(texts, k=size))]
        batch = [text.rstrip("\0") for text in batch]
        if not any(batch):
            continue
        rows = [prefix + tokenizer.encode(text, add_special_tokens=False).ids for text in batch]
        width = max(map(len, rows))
        holes = [width - len(row) for row in rows]
        expected = [[pad] * n + row if pad_left else row + [pad] * n for row, n in zip(rows, holes)]
        mask = [[0] * n + [1] * (width - n) if pad_left else [1] * (width - n) + [0] * n for n in holes]
        found = graphs.encode(batch)
        if found != (expected, mask):
            fail(name, "a padded batch", batch, (expected, mask), found)


def check_decode(name, tokenizer, graphs, texts, rng, count):
    size = max(tokenizer.get_vocab().values()) + 1
    byte_ids = [tokenizer.token_to_id(f"<0x{b:02X}>") for b in range(256)]
    byte_ids = byte_ids if None not in byte_ids else None
    if byte_ids is None:  # byte-level: the single bytes
        alphabet = tokenizer_diff.tokenizer_from_ranks.byte_alphabet()
        byte_ids = [tokenizer.token_to_id(alphabet[b]) for b in range(256)]
    rows = [tokenizer_diff.random_ids(rng, size + 3, byte_ids) for _ in range(count)]
    rows += [[byte_ids[rng.randrange(256)] for _ in range(rng.randrange(1, 9))] for _ in range(count)]
    rows += [[byte_ids[b] for b in rng.choice("é漢🦙\u07ff\uffff".encode().split()[:1])] for _ in range(2)]
    for text in rng.sample(texts, min(count, len(texts))):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        rows += [ids, ids[: len(ids) // 2], ids[1:]]
    rows = [row for row in rows if row]
    for skip_special in (True, False):
        for row in rows:
            expected = tokenizer.decode(row, skip_special_tokens=skip_special)
            found = graphs.decode([row], skip_special)[0]
            if found != expected.rstrip("\0"):
                fail(name, f"text (skip_special {skip_special})", row, expected, found)
        for _ in range(10):
            batch = rng.choices(rows, k=4)
            width = max(map(len, batch))
            batch = [row + [size + 5] * (width - len(row)) for row in batch]  # an id of nothing
            expected = [tokenizer.decode(row, skip_special_tokens=skip_special).rstrip("\0") for row in batch]
            found = graphs.decode(batch, skip_special)
            if found != expected:
                fail(name, f"texts of a batch (skip_special {skip_special})", batch, expected, found)
    nothing = graphs.decode([[size + 5], [size + 6]], True)
    if nothing != ["", ""]:
        fail(name, "texts of ids without tokens", [size + 5, size + 6], ["", ""], nothing)
    return 2 * len(rows)


def check_genai(name, genai, tokenizer, folder, prefix, config, texts):
    subject = genai.Tokenizer(folder)
    for text in texts:
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        for add in (True, False):
            found = subject.encode(text, add_special_tokens=add).input_ids.data[0].tolist() if text else []
            expected = (prefix if add and text else []) + plain
            if found != expected:
                fail(name, f"openvino_genai's ids (add_special_tokens {add})", shown(text), expected, found)
        for skip_special in (True, False):
            found = subject.decode(plain, skip_special_tokens=skip_special) if plain else ""
            expected = tokenizer.decode(plain, skip_special_tokens=skip_special)
            if found != expected:
                fail(name, f"openvino_genai's text (skip_special {skip_special})", plain, expected, found)
    long = subject.encode("one two three four five six", max_length=3, truncation=True).input_ids.data[0].tolist()
    whole = prefix + tokenizer.encode("one two three four five six", add_special_tokens=False).ids
    if long != whole[:3]:
        fail(name, "openvino_genai's truncation to 3", "one two ...", whole[:3], long)
    eos = tokenizer.token_to_id(config["eos_token"]) if isinstance(config.get("eos_token"), str) else None
    if eos is not None and subject.get_eos_token_id() != eos:
        fail(name, "openvino_genai's eos id", config["eos_token"], eos, subject.get_eos_token_id())
    if not subject.chat_template:
        return "no chat template"
    template = config.get("chat_template")
    if isinstance(template, str) and subject.chat_template != template:
        fail(name, "the chat template", name, template, subject.chat_template)
    rendered = subject.apply_chat_template([{"role": "user", "content": "Hi\nthere"}], add_generation_prompt=True)
    if "Hi\nthere" not in rendered:
        fail(name, "a rendered conversation", name, "Hi\\nthere in it", rendered)
    return "chat template renders"


def prepare(source, target, shared):
    """A folder with what an IR needs: side files, and tokenizer.json without the added tokens that are refused."""
    target.mkdir(parents=True, exist_ok=True)
    data = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    kept = [token for token in data["added_tokens"]
            if not token.get("single_word") and not (token.get("normalized") and data.get("normalizer"))]  # fmt: skip
    if len(kept) < len(data["added_tokens"]):  # the library gives ids in order
        next_id = len(data["model"]["vocab"])
        for token in kept:
            if token["content"] not in data["model"]["vocab"]:
                token["id"], next_id = next_id, next_id + 1
        data["added_tokens"] = kept
    (target / "tokenizer.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    for side in ("tokenizer_config.json", "config.json", "generation_config.json", "chat_template.jinja"):
        for place in (source, shared / "data" / "tokenizers" / source.name):
            if (place / side).exists():
                shutil.copyfile(place / side, target / side)
                break


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probe", required=True, help="the tokenizer_ir_probe program")
    parser.add_argument("--phial", help="the phial program, to compare its ids too")
    parser.add_argument("--shared", required=True, type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, help="where tokenizers built from ranks are kept")
    parser.add_argument("--model", action="append", default=[], type=pathlib.Path, help="one more folder to compare")
    parser.add_argument("--only", nargs="*", default=[], help="names of the models to compare, default all")
    parser.add_argument("--count", type=int, default=100, help="random texts a model")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--every-code-point", action="store_true", help="each code point in four surroundings (minutes)")
    args = parser.parse_args()
    try:
        import numpy  # noqa: F401
        import openvino as ov
        import openvino_tokenizers  # noqa: F401  (registers its operations)
        from tokenizers import Tokenizer
    except ImportError as error:
        skip(f"this Python can't import {error.name}")
    try:
        import openvino_genai as genai
    except ImportError:
        genai = None
        print("no openvino_genai in this Python: only the graphs themselves are compared")
    if not pathlib.Path(args.probe).exists():
        skip(f"there is no {args.probe}")
    if not (args.shared / "data" / "tokenizers").is_dir():
        skip(f"{args.shared} has no data/tokenizers")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for source in [*tokenizer_diff.model_folders(args.shared, args.cache or scratch / "built"), *args.model]:
            name = source.name
            if args.only and name not in args.only:
                continue
            folder = scratch / "ir" / name
            prepare(source, folder, args.shared)
            subprocess.run([args.probe, str(folder), str(folder)], check=True)
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            tokenizer.no_truncation()
            tokenizer.no_padding()
            path = folder / "tokenizer_config.json"
            config = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            token = lambda key: config.get(key) if isinstance(config.get(key), str) else None  # noqa: E731
            prefix = [tokenizer.token_to_id(token("bos_token"))] if config.get("add_bos_token") else []
            if "add_bos_token" not in config:
                prefix = tokenizer.encode("", add_special_tokens=True).ids
            pads = [tokenizer.token_to_id(t) for t in (token("pad_token"), token("eos_token")) if t]
            pad = next((p for p in pads if p is not None), 0)
            added = [t.content for t in tokenizer.get_added_tokens_decoder().values()]
            rng = random.Random(f"{args.seed} {name}")
            graphs = Graphs(ov, folder)

            texts = [tokenizer_diff.random_text(rng, added) for _ in range(args.count)]
            texts += tokenizer_diff.WORDS + tokenizer_diff.SPACES + tokenizer_diff.ODD + added + vectors(args.shared) + [""]
            n_texts = check_ids(name, tokenizer, graphs, prefix, texts + list(repeated(added)))
            for what, text in long_texts(rng, added):
                n_texts += check_ids(f"{name} (long: {what})", tokenizer, graphs, prefix, [text])
            if args.every_code_point:
                for around in ("{}", "a{}b", "A{}a\n", " {}{}'s"):
                    blocks = ["".join(around.replace("{}", c) for c in block) for block in tokenizer_diff.all_code_points()]
                    n_texts += check_ids(name, tokenizer, graphs, prefix, blocks)
            check_batches(name, tokenizer, graphs, prefix, pad, config.get("padding_side") == "left", texts, rng)
            n_rows = check_decode(name, tokenizer, graphs, texts, rng, args.count)
            report = check_genai(name, genai, tokenizer, folder, prefix, config, texts) if genai else ""
            if args.phial:
                for text in rng.sample(texts, 40):
                    done = subprocess.run([args.phial, "tokenize", str(folder)], input=text.encode(), capture_output=True, check=True)
                    if json.loads(done.stdout) != graphs.encode([text.rstrip("\0")])[0][0] and not text.endswith("\0"):
                        fail(name, "phial tokenize", shown(text), json.loads(done.stdout), graphs.encode([text])[0][0])
            print(f"{name}: {n_texts} texts and {n_rows} id lists the same; {report} ({time.monotonic() - start:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
