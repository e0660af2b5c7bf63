#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs phial's OpenVINO IR in OpenVINO. Exit code 0: right; 1: wrong; 77: skipped, with the reason.

usage: ir_test.py SUITE PHIAL IR_VARIANT SOURCE
SUITE: golden   fp16 packages of the golden checkpoints against the logits of transformers
       formats  every weight format against NumPy on the dequantized weights; state that grows; fusions
       variants last logits only, LongRoPE's switch from an input, static shapes with the cache as inputs
       npuw     the NPU plugin's LLM path, executed on the CPU, token for token with plain CPU (npuw-on-cpu)
       genai    openvino_genai.LLMPipeline on the demo model, both attention backends, against phial itself
       optimum  OVModelForCausalLM on the demo model, against phial itself
"""
import json
import pathlib
import subprocess
import sys
import tempfile

SUITE, PHIAL, VARIANT, SOURCE = sys.argv[1], sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
GOLDEN = SOURCE / "tests/golden/model"
sys.path.insert(0, str(SOURCE / "tests"))
# The CPU plugin's defaults are bf16 (where there is AMX), quantized activations and an 8-bit cache.
EXACT = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0", "KV_CACHE_PRECISION": "f32"}
FORMATS = {
    "int4": ["--weight-format", "int4", "--group-size", "32"],
    "int4-row": ["--weight-format", "int4", "--group-size", "-1"],
    "int4-asym": ["--weight-format", "int4", "--group-size", "32", "--asym"],
    "int4-asym-row-all": ["--weight-format", "int4", "--group-size", "-1", "--asym", "--all-layers"],
    "int4-ratio": ["--weight-format", "int4", "--group-size", "32", "--ratio", "0.6"],
    "int8": ["--weight-format", "int8"],
    "int8-sym": ["--weight-format", "int8", "--sym"],
    "fp16": ["--weight-format", "fp16"],
}

import checks  # noqa: E402
from checks import expect, need, skip  # noqa: E402

need("numpy", "openvino")
import numpy as np  # noqa: E402
import openvino as ov  # noqa: E402

import phi3_numpy  # noqa: E402

core = ov.Core()


def quantize(source: pathlib.Path, destination: pathlib.Path, *flags: str) -> pathlib.Path:
    subprocess.run([PHIAL, "quantize", source, destination, "--quiet", *flags], check=True)
    return destination


def compiled(folder: pathlib.Path, xml: str = "openvino_model.xml"):
    return core.compile_model(core.read_model(folder / xml, folder / "openvino_model.bin"), "CPU", EXACT)


def run(model, ids: list, steps: list = None, **more) -> np.ndarray:
    """Logits of ids, fed in steps of these sizes to one infer request."""
    request, past, rows = model.create_infer_request(), 0, []
    for n in steps or [len(ids)]:
        total = past + n
        feed = {"input_ids": np.int64([ids[past:total]]), "attention_mask": np.ones((1, total), np.int64),
                "position_ids": np.arange(past, total)[None], "beam_idx": np.zeros(1, np.int32), **more}
        rows.append(np.array(request.infer(feed)["logits"][0]))
        past = total
    return np.concatenate(rows)


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def make_ids(seed: int, length: int, vocab: int) -> list:
    """The generator of tests/golden/model/README.md."""
    ids, state = [], seed
    for _ in range(length):
        state = (state * 1664525 + 1013904223) % 2**32
        ids.append((state >> 16) % vocab)
    return ids


def golden(folder: pathlib.Path):
    cases = json.loads((GOLDEN / "cases.json").read_text())
    models = {}
    for case in cases["cases"] if isinstance(cases, dict) else cases:
        name = case["checkpoint"]
        if name not in models:
            package = quantize(GOLDEN / name, folder / name, "--weight-format", "fp16")
            models[name] = compiled(package), json.loads((package / "config.json").read_text())
        model, config = models[name]
        expected = np.load(GOLDEN / case["logits"])
        found = run(model, make_ids(case["seed"], case["length"], config["vocab_size"]))[case["first"]:]
        error = relative(found, expected)
        # bf16 and f16 checkpoints lose nothing in an f16 package; f32 ones are rounded.
        rounded = (config.get("torch_dtype") or config.get("dtype")) == "float32"
        expect(error < (5e-3 if rounded else 1e-5), f"{name}, {case['length']} tokens: relative error {error:.1e} "
               f"against transformers{' (weights rounded to f16)' if rounded else ''}")


def formats(folder: pathlib.Path):
    for name in ("window", "longrope", "partial"):
        config = json.loads((GOLDEN / name / "config.json").read_text())
        ids = make_ids(3, 30, config["vocab_size"])  # past the window of 7, not over the switch at 32
        for label, flags in FORMATS.items():
            package = quantize(GOLDEN / name, folder / f"{name}-{label}", *flags)
            model, expected = compiled(package), phi3_numpy.logits(config, phi3_numpy.package_weights(package), ids)
            whole = relative(run(model, ids), expected)
            stepped = relative(run(model, ids, [5, 1, 1, 14, 1] + [1] * 8), expected)
            expect(max(whole, stepped) < 1e-5, f"{name} {label}: prefill {whole:.1e}, in steps {stepped:.1e}")
    # The plugin found the compressed weights and the blocks: no weight is dequantized when compiling.
    found = {}
    for node in compiled(folder / "partial-int4").get_runtime_model().get_ordered_ops():
        info = {key: str(node.rt_info[key].astype(str) if hasattr(node.rt_info[key], "astype") else node.rt_info[key])
                for key in ("layerType", "runtimePrecision")}
        kind = info["layerType"] + (" " + info["runtimePrecision"] if info["layerType"] == "FullyConnected" else "")
        found[kind] = found.get(kind, 0) + 1
    layers = json.loads((GOLDEN / "partial/config.json").read_text())["num_hidden_layers"]
    expected = {"FullyConnected u4": 4 * layers, "FullyConnected u8": 1, "RMS": 2 * layers + 1, "RoPE": 2 * layers,
                "ScaledDotProductAttention": layers}
    for kind, count in expected.items():
        expect(found.get(kind) == count, f"fused: {found.get(kind)} {kind}, expected {count}")
    expect("FullyConnected f32" not in found, "no FullyConnected over f32 weights")


def variant(package: pathlib.Path, *words: str):
    xml = "variant.xml"
    subprocess.run([VARIANT, package, package / xml, *words], check=True)
    return compiled(package, xml)


def variants(folder: pathlib.Path):
    config = json.loads((GOLDEN / "longrope/config.json").read_text())
    package = quantize(GOLDEN / "longrope", folder / "longrope", *FORMATS["int4"])
    weights = phi3_numpy.package_weights(package)
    ids = make_ids(5, 40, config["vocab_size"])

    def reference(n):
        return phi3_numpy.logits(config, weights, ids[:n])

    expect(relative(run(variant(package, "last"), ids[:30]), reference(30)[-1:]) < 1e-5, "last logits only")
    by_input = variant(package, "input")
    for n in (31, 32, 33, 40):  # the switch is at 32; chunks must be rotated by the whole prompt's length
        error = relative(run(by_input, ids[:n], [9, 9, n - 18], sequence_length=np.int64([n])), reference(n))
        expect(error < 1e-5, f"chunked prefill of {n}: {error:.1e}")
    chunked = relative(run(compiled(package), ids[:40], [9, 9, 22]), reference(40))
    expect(chunked > 1e-3, f"(which matters: with the switch by positions it would be {chunked:.1e})")
    expect(relative(run(variant(package, "long"), ids[:40]), reference(40)) < 1e-5, "long factors for good")
    expect(relative(run(variant(package, "short"), ids[:32]), reference(32)) < 1e-5, "short factors for good")
    for name in ("window", "partial"):
        static_shapes(folder, name)


def static_shapes(folder: pathlib.Path, name: str):
    """As ahead-of-time compiled models for the NPU are run: prefill [1, 12], then steps of [1, 1], both with a cache
    of 20 whose valid part is at the end. The prompt has 9 tokens, padded in front."""
    config = json.loads((GOLDEN / name / "config.json").read_text())
    package = quantize(GOLDEN / name, folder / f"{name}-static", *FORMATS["int4"])
    ids = make_ids(7, 16, config["vocab_size"])
    expected = phi3_numpy.logits(config, phi3_numpy.package_weights(package), ids)
    past, layers = 20, config["num_hidden_layers"]
    prefill = variant(package, "stateless", "sequence=12", f"past={past}", "last")
    generate = variant(package, "stateless", "sequence=1", f"past={past}")
    cache = {p.get_any_name(): np.zeros(list(p.shape), np.float32) for p in prefill.inputs
             if p.get_any_name().startswith("past_key_values")}
    expect(len(cache) == 2 * layers, f"{name}: {len(cache)} cache inputs")

    def step(model, tokens, first, width):
        pad = width - len(tokens)
        mask = np.zeros((1, past + width), np.int64)
        mask[0, past - first:past] = 1
        mask[0, past + pad:] = 1
        positions = np.int64([[0] * pad + list(range(first, first + len(tokens)))])
        out = model.create_infer_request().infer({"input_ids": np.int64([[0] * pad + tokens]), "attention_mask": mask,
                                                  "position_ids": positions, **cache})
        for key in cache:
            new = out[key.replace("past_key_values", "present")][:, :, pad:]
            cache[key] = np.concatenate([cache[key], new], 2)[:, :, -past:]
        return np.array(out["logits"][0][-1])

    errors = [relative(step(prefill, ids[:9], 0, 12), expected[8])]
    errors += [relative(step(generate, [ids[i]], i, 1), expected[i]) for i in range(9, 16)]
    expect(max(errors) < 1e-5, f"{name}: static prefill and {len(errors) - 1} steps, worst {max(errors):.1e}")
    whole = variant(package, "stateless", "f16", "whole", "layers=1", "sequence=4", "past=8")
    shapes = {p.get_any_name(): (list(p.shape), p.get_element_type().get_type_name()) for p in whole.outputs}
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    expect(shapes["present.0.key"] == ([1, config["num_key_value_heads"], 12, head_dim], "f16"),
           f"{name}: whole present in f16, one layer")


def demo(folder: pathlib.Path, *flags: str) -> pathlib.Path:
    source = SOURCE / "models/phial-demo"
    if not (source / "model.safetensors").is_file():
        skip(f"{source} isn't there")
    return quantize(source, folder / "demo", *flags)


def greedy(model, prompt: list, count: int) -> list:
    request, past, tokens, now = model.create_infer_request(), 0, [], prompt
    for _ in range(count):
        total = past + len(now)
        for name, value in {"input_ids": np.int64([now]), "attention_mask": np.ones((1, total), np.int64),
                            "position_ids": np.arange(past, total)[None].copy(),
                            "beam_idx": np.zeros(1, np.int32)}.items():
            if any(name in port.get_names() for port in model.inputs):
                request.set_tensor(name, ov.Tensor(value))
        request.infer()
        now = [int(request.get_tensor("logits").data[0, -1].argmax())]
        past, tokens = total, tokens + now
    return tokens


def npuw(folder: pathlib.Path):
    if not list(pathlib.Path(ov.__file__).parent.glob("libs/*intel_npu_plugin*")):
        skip("this OpenVINO has no NPU plugin")
    package = demo(folder)  # int4, symmetric, groups of 128: what the NPU wants
    prompt = [1, 795, 1061, 419, 829, 270, 419]
    expected = greedy(compiled(package), prompt, 24)
    core.set_property("CPU", EXACT)
    base = {"NPU_USE_NPUW": "YES", "NPUW_LLM": "YES", "NPUW_DEVICES": "CPU", "NPUW_LLM_BATCH_DIM": "0",
            "NPUW_LLM_SEQ_LEN_DIM": "2", "NPUW_LLM_MAX_PROMPT_LEN": "128", "NPUW_LLM_MIN_RESPONSE_LEN": "64"}
    for label, hint in {"dynamic": {}, "static prefill": {"NPUW_LLM_PREFILL_HINT": "STATIC"},
                        "best performance": {"NPUW_LLM_GENERATE_HINT": "BEST_PERF"}}.items():
        model = core.compile_model(core.read_model(package / "openvino_model.xml"), "NPU", {**base, **hint})
        found = greedy(model, prompt, 24)
        expect(found == expected, f"npuw-on-cpu, {label}: {sum(a == b for a, b in zip(found, expected))} of 24 tokens")


def native(package: pathlib.Path, prompt: str, count: int) -> dict:
    out = subprocess.run([PHIAL, "run", package, prompt, "--raw", "--json", "--quiet", "--max-new-tokens", str(count)],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


PROMPTS = ("Once upon a time", "The capital of", "A short poem about the sea:")


def genai(folder: pathlib.Path):
    need("openvino_genai")
    import openvino_genai
    package = demo(folder)
    if not (package / "openvino_tokenizer.xml").is_file():
        need("openvino_tokenizers", "transformers")
        from openvino_tokenizers import convert_tokenizer
        from transformers import AutoTokenizer
        made = convert_tokenizer(AutoTokenizer.from_pretrained(package), with_detokenizer=True)
        for model, name in zip(made, ("openvino_tokenizer", "openvino_detokenizer")):
            ov.save_model(model, package / f"{name}.xml")
    config = openvino_genai.GenerationConfig()
    config.max_new_tokens, config.do_sample, config.apply_chat_template = 24, False, False
    paged = {key: value for key, value in EXACT.items() if key != "KV_CACHE_PRECISION"}
    pipelines = {"paged attention": {"ATTENTION_BACKEND": "PA", **paged},  # named, so that it can't fall back
                 "stateful": {"ATTENTION_BACKEND": "SDPA", **EXACT}}
    for label, properties in pipelines.items():
        pipeline = openvino_genai.LLMPipeline(str(package), "CPU", **properties)
        for prompt in PROMPTS:
            found, expected = str(pipeline.generate(prompt, config)), native(package, prompt, 24)["text"]
            expect(found.strip() == expected.strip(), f"{label}: {found!r}, phial: {expected!r}")


def optimum(folder: pathlib.Path):
    need("optimum.intel", "transformers", "torch")
    from optimum.intel import OVModelForCausalLM
    package = demo(folder)
    model = OVModelForCausalLM.from_pretrained(
        package, device="CPU", ov_config={"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "CACHE_DIR": ""})
    import torch
    for prompt in PROMPTS:
        out = subprocess.run([PHIAL, "tokenize", package, prompt, "--json"], capture_output=True, text=True)
        ids = json.loads(out.stdout)["ids"] if out.returncode == 0 else None
        if ids is None:
            from transformers import AutoTokenizer
            ids = AutoTokenizer.from_pretrained(package)(prompt).input_ids
        found = model.generate(torch.tensor([ids]), max_new_tokens=24, do_sample=False)[0].tolist()[len(ids):]
        expected = native(package, prompt, 24)["ids"]
        expect(found[:len(expected)] == expected, f"{prompt!r}: {found}, phial: {expected}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        {"golden": golden, "formats": formats, "variants": variants, "npuw": npuw, "genai": genai,
         "optimum": optimum}[SUITE](pathlib.Path(folder))
    checks.finish()


if __name__ == "__main__":
    main()
