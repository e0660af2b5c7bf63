#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""phial's LongRoPE graph for CUDA, held to the one that GenAI's own model builder makes of the same checkpoint in this very run: operation by
operation, and both on the CPU provider against transformers, on both sides of the switch at 4096 tokens.

usage: builder_test.py PHIAL SOURCE
The builder needs the Python packages onnxruntime-genai, onnx-ir, torch and transformers, which are too large for the tests' own environment:
PHIAL_BUILDER_PYTHON names an interpreter that has them. Exit code 77: skipped, none of that is here.
"""
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PHIAL, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, str(SOURCE / "tests"))
import checks  # noqa: E402
from checks import expect, skip  # noqa: E402


def make_checkpoint(folder: pathlib.Path) -> pathlib.Path:
    config = json.loads((SOURCE / "tests/golden/model/long4096/config.json").read_text())
    config["vocab_size"] = 320  # the builder takes any layer with as many rows for the lm_head
    # transformers 5's name for rope_scaling, which the builder asks for.
    config["rope_parameters"] = {**config["rope_scaling"], "rope_type": "longrope", "rope_theta": config["rope_theta"], "partial_rotary_factor": 1.0,
                                 "original_max_position_embeddings": config["original_max_position_embeddings"]}
    (folder / "config.json").write_text(json.dumps(config))
    subprocess.run([PHIAL, "make-random", folder / "config.json", folder / "checkpoint", "--seed", "3"], check=True, capture_output=True)
    # Larger weights, so that what attention looks at matters.
    from safetensors.torch import load_file, save_file
    file = folder / "checkpoint/model.safetensors"
    save_file({name: w if "norm" in name else w * 8 for name, w in load_file(file).items()}, file, {"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json"):  # any: the builder copies it
        shutil.copy(SOURCE / "models/phial-demo" / name, folder / "checkpoint")
    return folder / "checkpoint"


def graph_of_builder(checkpoint: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    done = subprocess.run([sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", checkpoint, "-o", folder / "theirs", "-p", "fp16", "-e", "cuda",
                           "-c", folder / "cache"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"the builder ends with {done.returncode}\n{done.stdout[-4000:]}")
    return folder / "theirs/model.onnx"


def graph_of_phial(checkpoint: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    subprocess.run([PHIAL, "quantize", checkpoint, folder / "ours", "--quiet", "--weight-format", "fp16"], check=True)
    return folder / "ours/model_cuda.onnx"


class Canonical:
    """A line a visit, depth first from the outputs. Brought to one form: what is constant, transposed weights, and shapes of a single number."""

    def __init__(self, model):
        self.graph, self.numbers, self.found = model.graph, {}, []

    def lines(self) -> list:
        for output in sorted(self.graph.outputs, key=lambda o: o.name):
            self.found.append(f"{output.name} {output.dtype}")
            self.visit(output)
        return self.found

    def constant(self, value) -> bool:
        if value.is_initializer():
            return True
        node = value.producer()
        return node is not None and all(i is None or self.constant(i) for i in node.inputs) and not any(
            a.type.name == "GRAPH" for a in node.attributes.values())

    def branch(self, name, graph):
        for output in graph.outputs:
            node = output.producer()
            table = node.inputs[0] if node.op_type == "Slice" else output  # ours: as many rows as there are tokens
            self.found.append(f"  {name}: {output.dtype} of {output.shape[-1]} columns, {'constant' if self.constant(table) else 'computed'}")

    def visit(self, value):
        if value is None:
            return self.found.append("nothing")
        if value.is_graph_input():
            return self.found.append("input " + value.name)
        if self.constant(value):
            tensor = value.const_value if value.is_initializer() else value.producer().attributes["value"].value if (
                value.producer().op_type == "Constant") else None
            single = tensor is not None and tensor.size == 1
            return self.found.append(f"constant {tensor.numpy().ravel()[0]}" if single else "constant")
        node = value.producer()
        if node.op_type == "Reshape":  # of the length, to one dimension
            return self.visit(node.inputs[0])
        fresh = node not in self.numbers
        number = self.numbers.setdefault(node, len(self.numbers))
        at = list(node.outputs).index(value)
        if not fresh:
            return self.found.append(f"output {at} of number {number}")
        product = node.op_type == "FusedMatMul"
        attributes = {} if product else {k: a.value for k, a in node.attributes.items() if a.type.name != "GRAPH"}
        self.found.append(f"{number}: output {at} of {'' if product else node.domain}:{'MatMul' if product else node.op_type} {sorted(attributes.items())}")
        inputs = list(node.inputs)
        while inputs and inputs[-1] is None:
            inputs.pop()
        for i in inputs:
            self.visit(i)
        for name, a in sorted(node.attributes.items()):
            if a.type.name == "GRAPH":
                self.branch(name, a.value)


def same_operations(theirs: pathlib.Path, ours: pathlib.Path):
    import onnx_ir
    expected, found = (onnx_ir.load(file) for file in (theirs, ours))
    inputs = [{i.name: str(i.dtype) for i in m.graph.inputs} for m in (expected, found)]
    expect(inputs[0] == inputs[1], f"the inputs and their types: {len(inputs[1])}")
    expected, found = Canonical(expected).lines(), Canonical(found).lines()
    parting = next((i for i, (a, b) in enumerate(zip(found, expected)) if a != b), None)
    expect(found == expected and len(found) > 60, f"the operations of both: {len(found)} lines" + (
        "" if parting is None else f"; line {parting}: {found[parting]!r}, theirs {expected[parting]!r}"))
    expect(sum(" of :If " in line for line in found) == 1, "one If chooses the cosines and sines")


def run(session, ids: list, steps: list):
    """Logits of ids on the CPU provider, fed in steps of these sizes."""
    import numpy as np
    names, cache, past, rows = [o.name for o in session.get_outputs()], {}, 0, []
    for i in session.get_inputs():
        if i.name.startswith("past"):
            cache[i.name] = np.zeros((1, i.shape[1], 0, 16), np.float16)
    for n in steps:
        out = dict(zip(names, session.run(names, {"input_ids": np.int64([ids[past:past + n]]), "attention_mask": np.ones((1, past + n), np.int64), **cache})))
        rows.append(out["logits"][0].astype(np.float64))
        cache = {name: out[name.replace("past_key_values", "present")] for name in cache}
        past += n
    return np.concatenate(rows)


def same_logits(checkpoint: pathlib.Path, theirs: pathlib.Path, ours: pathlib.Path):
    import numpy as np
    import onnxruntime as ort
    import torch
    import transformers
    ort.set_default_logger_severity(3)
    reference = transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    sessions = {name: ort.InferenceSession(str(file), providers=["CPUExecutionProvider"]) for name, file in (("theirs", theirs), ("ours", ours))}
    ids = np.random.default_rng(6).integers(0, 320, 4200).tolist()
    relative = lambda found, right: float(np.linalg.norm(found - right) / np.linalg.norm(right))  # noqa: E731
    for n in (100, 4095, 4096, 4097, 4200):
        with torch.no_grad():
            right = reference(torch.tensor([ids[:n]])).logits[0, -40:].double().numpy()
        for name, session in sessions.items():
            whole, stepped = (relative(run(session, ids, steps)[-40:], right) for steps in ([n], [n - 20] + [1] * 20))
            expect(whole < 5e-3, f"{name}, {n} tokens at once: {whole:.1e} relative to transformers")
            # Keys that were cached below the switch have the other factors: a run over it must start anew.
            expect((stepped < 5e-3) == (n != 4097), f"{name}, {n} tokens, the last 20 one by one: {stepped:.1e}")


def main() -> None:
    other = os.environ.get("PHIAL_BUILDER_PYTHON")
    if other and pathlib.Path(other).absolute() != pathlib.Path(sys.executable).absolute():
        os.execv(other, [other, *sys.argv])
    for module in ("onnxruntime_genai", "onnxruntime", "onnx_ir", "torch", "transformers"):
        if importlib.util.find_spec(module) is None:
            skip(f"GenAI's model builder needs the Python package '{module}', which {sys.executable} hasn't; PHIAL_BUILDER_PYTHON may name another")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        checkpoint = make_checkpoint(folder)
        theirs, ours = graph_of_builder(checkpoint, folder), graph_of_phial(checkpoint, folder)
        same_operations(theirs, ours)
        same_logits(checkpoint, theirs, ours)
    checks.finish()


if __name__ == "__main__":
    main()
