#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs phial's ONNX graphs in ONNX Runtime (on the CPU). Exit code 0: right; 1: wrong; 77: skipped, with the reason.

usage: onnx_test.py SUITE PHIAL ONNX_VARIANT SOURCE
SUITE: golden   fp16 packages of the golden checkpoints against the logits of transformers
       formats  every weight format, every provider's graph, against NumPy on the dequantized weights; whole and in steps
       longrope both sides of the switch, every provider's graph, and what a sequence that crosses it in steps would give
       window   the window's edge, and that nothing else would pass
       genai    onnxruntime_genai.Model on the demo model's folder: the same greedy tokens as phial's own engine
       crossing GenAI over LongRoPE's switch at 4096: it starts anew by itself, and each token is that of one whole prefill
       demo     the demo model's held-out prompts in GenAI: how many answers are phial's own to the last token
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the library is loaded
SUITE, PHIAL, VARIANT, SOURCE = sys.argv[1], sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
GOLDEN = SOURCE / "tests/golden/model"
sys.path[:0] = [str(SOURCE / "tests"), str(SOURCE / "tests/openvino")]
PROVIDERS = {"cpu": "model.onnx", "cuda": "model_cuda.onnx", "dml": "model_dml.onnx"}
# f16 activations and caches, run on the CPU provider (which computes some operators in f32).
BOUNDS = {"cpu": 1e-5, "cuda": 5e-3, "dml": 5e-3}
FORMATS = {
    "int4": ["--weight-format", "int4", "--group-size", "32"],
    "int4-row": ["--weight-format", "int4", "--group-size", "-1"],
    "int4-asym": ["--weight-format", "int4", "--group-size", "32", "--asym"],
    "int4-asym-all": ["--weight-format", "int4", "--group-size", "32", "--asym", "--all-layers"],
    "int4-asym-row-all": ["--weight-format", "int4", "--group-size", "-1", "--asym", "--all-layers"],
    "int4-ratio": ["--weight-format", "int4", "--group-size", "32", "--ratio", "0.6"],
    "int8": ["--weight-format", "int8"],
    "int8-sym": ["--weight-format", "int8", "--sym"],
    "fp16": ["--weight-format", "fp16"],
}

import checks  # noqa: E402
from checks import expect, need, skip  # noqa: E402

need("numpy", "onnxruntime")
import numpy as np  # noqa: E402
import onnxruntime as ort  # noqa: E402

import phi3_numpy  # noqa: E402

ort.set_default_logger_severity(3)


def quantize(source: pathlib.Path, destination: pathlib.Path, *flags: str) -> pathlib.Path:
    subprocess.run([PHIAL, "quantize", source, destination, "--quiet", *flags], check=True)
    return destination


def make_ids(seed: int, length: int, vocab: int) -> list:
    """The generator of tests/golden/model/README.md."""
    ids, state = [], seed
    for _ in range(length):
        state = (state * 1664525 + 1013904223) % 2**32
        ids.append((state >> 16) % vocab)
    return ids


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


class Model:
    """A graph of a package on the CPU provider. Exactly computed: accuracy level 1 in place of 4."""

    def __init__(self, package: pathlib.Path, provider: str = "cpu", exact: bool = True):
        self.config = json.loads((package / "config.json").read_text())
        file = package / PROVIDERS[provider]
        if exact:
            file = package / f"exact_{provider}.onnx"
            subprocess.run([VARIANT, package, file, provider, "accuracy=1"], check=True)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        self.session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name: i for i in self.session.get_inputs()}
        self.outputs = [o.name for o in self.session.get_outputs()]

    def run(self, ids: list, steps: list = None) -> np.ndarray:
        """Logits of ids, fed in steps of these sizes, with the cache of the steps before."""
        cache, past, rows = {}, 0, []
        for name, value in self.inputs.items():
            if name.startswith("past_key_values"):
                kind = np.float16 if value.type == "tensor(float16)" else np.float32
                cache[name] = np.zeros((1, value.shape[1], 0, value.shape[3]), kind)
        for n in steps or [len(ids)]:
            total = past + n
            feed = {"input_ids": np.int64([ids[past:total]]), "attention_mask": np.ones((1, total), np.int64), **cache}
            if "position_ids" in self.inputs:
                feed["position_ids"] = np.arange(past, total, dtype=np.int64)[None]
            out = dict(zip(self.outputs, self.session.run(self.outputs, feed)))
            rows.append(out["logits"][0].astype(np.float64))
            cache = {name: out[name.replace("past_key_values", "present")] for name in cache}
            past = total
        return np.concatenate(rows)


def golden(folder: pathlib.Path):
    cases = json.loads((GOLDEN / "cases.json").read_text())
    models = {}
    for case in cases["cases"] if isinstance(cases, dict) else cases:
        name = case["checkpoint"]
        if name not in models:
            models[name] = Model(quantize(GOLDEN / name, folder / name, "--weight-format", "fp16"))
        config = models[name].config
        expected = np.load(GOLDEN / case["logits"])
        found = models[name].run(make_ids(case["seed"], case["length"], config["vocab_size"]))[case["first"]:]
        error = relative(found, expected)
        # bf16 and f16 checkpoints lose nothing in an f16 package; f32 ones are rounded.
        rounded = (config.get("torch_dtype") or config.get("dtype")) == "float32"
        expect(error < (5e-3 if rounded else 1e-5), f"{name}, {case['length']} tokens: relative error {error:.1e} "
               f"against transformers{' (weights rounded to f16)' if rounded else ''}")


def wide_partial(folder: pathlib.Path) -> pathlib.Path:
    """Partial rotation as Phi-4-mini has it: tables of a multiple of 8 columns, which the attention operator takes."""
    config = json.loads((GOLDEN / "partial/config.json").read_text())
    half = 24  # of 0.75 * 64
    config.update(hidden_size=256, intermediate_size=384)
    config["rope_scaling"].update(short_factor=[1.0] * half, long_factor=[1 + i / 4 for i in range(half)])
    (folder / "wide.json").write_text(json.dumps(config))
    subprocess.run([PHIAL, "make-random", folder / "wide.json", folder / "wide", "--seed", "5"], check=True,
                   capture_output=True)
    return folder / "wide"


def formats(folder: pathlib.Path):
    sources = {name: GOLDEN / name for name in ("window", "longrope", "partial")}
    sources["wide partial"] = wide_partial(folder)
    worst = {provider: 0.0 for provider in PROVIDERS}
    for name, source in sources.items():
        config = json.loads((source / "config.json").read_text())
        ids = make_ids(3, 30, config["vocab_size"])  # past the window of 7, not over the switch at 32
        for label, flags in FORMATS.items():
            package = quantize(source, folder / f"{name}-{label}", *flags)
            expected = phi3_numpy.logits(config, phi3_numpy.package_weights(package), ids)
            said, right = [], True
            for provider in PROVIDERS:
                model = Model(package, provider)
                whole = relative(model.run(ids), expected)
                stepped = relative(model.run(ids, [5, 1, 1, 14, 1] + [1] * 8), expected)
                right = right and max(whole, stepped) < BOUNDS[provider]
                worst[provider] = max(worst[provider], whole, stepped)
                said.append(f"{provider} {whole:.1e}, in steps {stepped:.1e}")
            expect(right, f"{name} {label}: {'; '.join(said)}")
            # As it is shipped: activations in blocks of int8.
            shipped = relative(Model(package, exact=False).run(ids), expected)
            expect(shipped < (1e-5 if label == "fp16" else 0.1), f"{name} {label}: accuracy level 4: {shipped:.1e}")
    print("      worst:", ", ".join(f"{p} {e:.1e}" for p, e in worst.items()))


def longrope(folder: pathlib.Path):
    for name, source in (("longrope", GOLDEN / "longrope"), ("partial", GOLDEN / "partial"),
                         ("wide partial", wide_partial(folder))):
        package = quantize(source, folder / f"package-{name}", *FORMATS["int4"])
        config, weights = json.loads((package / "config.json").read_text()), phi3_numpy.package_weights(package)
        ids = make_ids(5, 40, config["vocab_size"])
        for provider in PROVIDERS:
            model = Model(package, provider)
            for n in (31, 32, 33, 40):  # the switch is at 32
                expected = phi3_numpy.logits(config, weights, ids[:n])
                error = relative(model.run(ids[:n]), expected)
                expect(error < BOUNDS[provider], f"{name} {provider}, {n} tokens at once: {error:.1e}")
            expected = phi3_numpy.logits(config, weights, ids)
            again = relative(model.run(ids, [33, 1, 1, 5]), expected)
            expect(again < BOUNDS[provider], f"{name} {provider}, from 33 on in steps: {again:.1e}")
            crossed = relative(model.run(ids, [20, 12, 1, 7]), expected)
            expect(crossed > 5 * BOUNDS[provider],
                   f"{name} {provider}, over the switch without starting anew differs, as it must: {crossed:.1e}")


def window(folder: pathlib.Path):
    package = quantize(GOLDEN / "window", folder / "package", *FORMATS["fp16"])
    config, weights = json.loads((package / "config.json").read_text()), phi3_numpy.package_weights(package)
    ids = make_ids(9, 24, config["vocab_size"])
    for provider in PROVIDERS:
        found = Model(package, provider).run(ids, [6, 1, 1, 8] + [1] * 8)
        for size in (6, 7, 8, None):
            expected = phi3_numpy.logits({**config, "sliding_window": size}, weights, ids)
            error = relative(found, expected)
            if size == config["sliding_window"]:
                expect(error < BOUNDS[provider], f"{provider}: window of {size}: {error:.1e}")
            else:
                expect(error > 10 * BOUNDS[provider], f"{provider}: it isn't a window of {size}: {error:.1e}")


def native(package: pathlib.Path, prompt: str, count: int, *flags: str) -> dict:
    out = subprocess.run([PHIAL, "run", package, prompt, "--json", "--quiet", "--max-new-tokens", str(count), *flags],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def greedy(model, prompt: list, count: int) -> list:
    import onnxruntime_genai as og
    params = og.GeneratorParams(model)
    params.set_search_options(max_length=len(prompt) + count + 1)
    generator, tokens = og.Generator(model, params), []
    generator.append_tokens(prompt)
    while not generator.is_done() and len(tokens) < count:
        generator.generate_next_token()
        tokens.append(int(generator.get_next_tokens()[0]))
    return tokens


def demo_package(folder: pathlib.Path, label: str, *flags: str) -> pathlib.Path:
    source = SOURCE / "models/phial-demo"
    if not (source / "model.safetensors").is_file():
        skip(f"{source} isn't there")
    return quantize(source, folder / label, "--weight-format", label, *flags)


PROMPTS = ("Tell me a story about a robot.", "Who are you?", "What is 17 + 25?")


def genai(folder: pathlib.Path):
    need("onnxruntime_genai")
    import onnxruntime_genai as og
    package = demo_package(folder, "int4")
    config = json.loads((package / "genai_config.json").read_text())
    stops = config["model"]["eos_token_id"]
    for provider, file in PROVIDERS.items():
        subprocess.run([PHIAL, "export", package, "--to", "ort-genai", "--ep", provider, "--quiet"], check=True)
        named = json.loads((package / "genai_config.json").read_text())["model"]["decoder"]["filename"]
        expect(named == file, f"--ep {provider}: genai_config.json names {named}")
    subprocess.run([PHIAL, "export", package, "--to", "ort-genai", "--quiet"], check=True)
    model = og.Model(str(package))
    tokenizer = og.Tokenizer(model)
    for prompt in PROMPTS:
        raw, ids = native(package, prompt, 1, "--raw")["prompt_ids"], [int(i) for i in tokenizer.encode(prompt)]
        expect(ids == raw, f"{prompt!r}: GenAI's own tokenizer: {ids}")
        expected = native(package, prompt, 24)
        found = greedy(model, expected["prompt_ids"], len(expected["ids"]))
        expect(found == expected["ids"], f"{prompt!r}: {found}, phial: {expected['ids']}")
    # An answer ends by itself: the ids that end one are all there.
    answer = native(package, "What is an NPU?", 200)
    found = greedy(model, answer["prompt_ids"], 200)
    expect(answer["finish_reason"] == "stop" and len(found) < 200 and found[-1] in stops,
           f"GenAI stops after {len(found)} tokens at {found[-1]}, phial after {len(answer['ids'])}")
    # The other providers' graphs, which this GenAI runs on the CPU if told so.
    for provider in ("cuda", "dml"):
        overlaid = og.Config(str(package))
        overlaid.overlay(json.dumps({"model": {"decoder": {"filename": PROVIDERS[provider]}}}))
        other = og.Model(overlaid)
        for prompt in PROMPTS:
            expected = native(package, prompt, 24)
            found = greedy(other, expected["prompt_ids"], len(expected["ids"]))
            expect(found == expected["ids"], f"{provider}'s graph on the CPU, {prompt!r}: {found}")


def crossing(folder: pathlib.Path):
    need("onnxruntime_genai")
    import onnxruntime_genai as og
    package = quantize(GOLDEN / "long4096", folder / "package", *FORMATS["fp16"])
    whole = Model(package)
    ids = make_ids(2, 4093, whole.config["vocab_size"])
    found = greedy(og.Model(str(package)), ids, 8)
    for i, token in enumerate(found):
        expected = whole.run(ids + found[:i])[-1]
        expect(token == int(expected.argmax()), f"after {len(ids) + i} tokens: {token}, at once {int(expected.argmax())}")
    expect(len(found) > 5, f"{len(found)} tokens")


def demo(folder: pathlib.Path):
    need("onnxruntime_genai")
    import onnxruntime_genai as og
    lines = (SOURCE / "models/phial-demo/heldout.jsonl").read_text().splitlines()
    prompts = [json.loads(line)["messages"][-1]["content"] for line in lines if '"messages"' in line]
    prompts = prompts[::max(1, len(prompts) // 40)][:40]
    # By default both round activations to 8 bits, not in the same way, and near ties can fall differently. Where neither does, every answer is the
    # same; one may part on a processor whose sums of floats go in another order.
    exact = ("--activation-precision", "int16", "--kv-cache-precision", "f32")
    for label, flags, at_least in (("fp16", (), 0.97), ("int8", (), 0.85), ("int4", (), 0.85), ("fp16", exact, 0.97), ("int8", exact, 0.97),
                                   ("int4", exact, 0.97)):
        package = folder / label
        if not package.exists():
            demo_package(folder, label)
        if flags:
            subprocess.run([VARIANT, package, package / "model.onnx", "cpu", "accuracy=1"], check=True)
        model, same, kept, all_tokens = og.Model(str(package)), 0, 0, 0
        for prompt in prompts:
            expected = native(package, prompt, 48, "--require", "cpu", *flags)
            found = greedy(model, expected["prompt_ids"], max(1, len(expected["ids"])))[:len(expected["ids"])]
            parting = next((i for i, (a, b) in enumerate(zip(found, expected["ids"])) if a != b), len(expected["ids"]))
            same, kept, all_tokens = same + (found == expected["ids"]), kept + parting, all_tokens + len(expected["ids"])
            if found != expected["ids"]:
                print(f"      {label}: {prompt[:50]!r} parts after {parting} of {len(expected['ids'])} tokens")
        expect(same >= at_least * len(prompts), f"{label}{', nothing rounded' if flags else ''}: {same} of {len(prompts)} answers are phial's own token "
               f"for token; {kept} of {all_tokens} tokens before the first difference")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        {"golden": golden, "formats": formats, "longrope": longrope, "window": window, "genai": genai,
         "crossing": crossing, "demo": demo}[SUITE](pathlib.Path(folder))
    checks.finish()


if __name__ == "__main__":
    main()
