# SPDX-License-Identifier: Apache-2.0
"""The AI PC page's first program on the demo model, and what stands in for the archived library's names."""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import warnings
from typing import Any, Iterator

import pytest

torch = pytest.importorskip("torch", reason="torch and transformers aren't installed")
transformers = pytest.importorskip("transformers", reason="torch and transformers aren't installed")

import phial  # noqa: E402
from phial import intel_npu, quantized  # noqa: E402
from phial.intel_npu import NPUModelForCausalLM, float16, int4, int8  # noqa: E402
from phial.intel_npu.compiler import CompilerConfig  # noqa: E402

from conftest import DEMO, SOURCE  # noqa: E402

PROMPT = "<|system|>You are a helpful AI assistant.<|end|><|user|>Can you introduce yourself?<|end|><|assistant|>"


@pytest.fixture(scope="module", autouse=True)
def quantized_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    folder = tmp_path_factory.mktemp("quantized")
    os.environ["PHIAL_QUANTIZED"] = str(folder)
    yield folder
    del os.environ["PHIAL_QUANTIZED"]


@pytest.fixture(scope="module")
def model() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = NPUModelForCausalLM.from_pretrained(str(DEMO), config=CompilerConfig(dtype=int8), max_batch=4)
    yield model
    model.close()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return transformers.AutoTokenizer.from_pretrained(str(DEMO))


def test_the_page_s_program() -> None:
    """The program as it stands in examples/, which says what differs from the page: two imports."""
    program = SOURCE / "examples/python/npu_acceleration.py"
    done = subprocess.run([sys.executable, program, str(DEMO)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("My name is Phial")
    assert "PhialWarning: the model runs on 'cpu': 'npu' can't be used, cpu runs it instead:" in done.stderr
    assert "is not supported for text-generation" not in done.stderr


@pytest.mark.parametrize("dtype, weight_format", [(int4, "int4"), (int8, "int8"), (float16, "fp16"), (torch.float16, "fp16"),
                                                  (torch.int8, "int8")])
def test_data_types(tokenizer: Any, dtype: Any, weight_format: str) -> None:
    with pytest.warns(phial.PhialWarning, match="npu"):
        model = NPUModelForCausalLM.from_pretrained(str(DEMO), use_cache=True, config=CompilerConfig(dtype=dtype),
                                                    attn_implementation="sdpa").eval()
    assert phial.describe(model.engine.path)["recipe"]["weight_format"] == weight_format
    pipe = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)
    text = pipe(PROMPT, max_new_tokens=60, return_full_text=False, do_sample=False)[0]["generated_text"]
    ids = tokenizer(PROMPT)["input_ids"]
    model.close()
    with phial.Engine(model.engine.path, device="cpu") as engine:
        assert text.strip() == engine.generate_ids(ids, max_new_tokens=60).text.strip()


def test_quantized_once_for_the_same_content(quantized_folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    first = quantized.package_of(DEMO, weight_format="fp16")
    made = os.stat(os.path.join(first, "phial.json")).st_mtime_ns
    copy = tmp_path / DEMO.name
    shutil.copytree(DEMO, copy)
    assert quantized.package_of(copy, weight_format="fp16") == first
    assert os.stat(os.path.join(first, "phial.json")).st_mtime_ns == made
    config = json.loads((copy / "generation_config.json").read_text())
    (copy / "generation_config.json").write_text(json.dumps({**config, "note": 1}))
    other = quantized.package_of(copy, weight_format="fp16")
    assert other != first
    with open(copy / "model.safetensors", "r+b") as weights:
        weights.seek(-3, os.SEEK_END)
        weights.write(b"\1")
    assert quantized.package_of(copy, weight_format="fp16") not in (first, other)
    assert quantized.package_of(first) == first  # a package is one already
    (quantized_folder / "hashes.json").write_text("damaged")
    assert quantized.package_of(DEMO, weight_format="fp16") == first


def test_streamer(model: Any, tokenizer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    streamer = transformers.TextStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    inputs = tokenizer(PROMPT, return_tensors="pt")
    ids = model.generate(**inputs, max_new_tokens=30, do_sample=False, streamer=streamer)
    shown = capsys.readouterr().out.strip()
    assert shown and shown == tokenizer.decode(ids[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True).strip()


def test_generate_in_many_ways(model: Any, tokenizer: Any) -> None:
    inputs = tokenizer(PROMPT, return_tensors="pt")
    n = inputs["input_ids"].shape[1]
    greedy = model.generate(**inputs, max_new_tokens=12, do_sample=False)[0, n:].tolist()
    assert greedy == list(model.engine.generate_ids(inputs["input_ids"][0].tolist(), max_new_tokens=12).ids)
    torch.manual_seed(1)
    one = model.generate(**inputs, max_new_tokens=12, do_sample=True, temperature=1.0, top_k=20)
    torch.manual_seed(1)
    assert torch.equal(one, model.generate(**inputs, max_new_tokens=12, do_sample=True, temperature=1.0, top_k=20))
    beams = model.generate(**inputs, max_new_tokens=8, do_sample=False, num_beams=3)
    assert beams.shape == (1, n + 8)
    two = tokenizer([PROMPT, "Hello"], return_tensors="pt", padding=True, padding_side="left")
    both = model.generate(**two, max_new_tokens=12, do_sample=False)
    assert both[0, two["input_ids"].shape[1]:].tolist() == greedy
    alone = tokenizer("Hello", return_tensors="pt")
    expected = model.generate(**alone, max_new_tokens=12, do_sample=False)[0, alone["input_ids"].shape[1]:].tolist()
    assert both[1, two["input_ids"].shape[1]:].tolist()[:len(expected)] == expected


def test_beams_are_those_of_transformers(tokenizer: Any) -> None:
    """The float model of transformers itself, and phial's fp16 package: the same logits, and the same beams."""
    original = transformers.AutoModelForCausalLM.from_pretrained(str(DEMO), dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = NPUModelForCausalLM.from_pretrained(str(DEMO), max_batch=3)
    inputs = tokenizer(PROMPT, return_tensors="pt")
    with torch.no_grad():
        expected = original(**inputs).logits
    assert torch.allclose(model(**inputs).logits, expected, atol=0.05)
    for options in ({"num_beams": 3}, {}):
        one = original.generate(**inputs, max_new_tokens=20, do_sample=False, **options)
        assert torch.equal(model.generate(**inputs, max_new_tokens=20, do_sample=False, **options), one)
    model.close()


def test_logits_step_by_step(model: Any, tokenizer: Any) -> None:
    ids = tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    whole = model(ids)
    assert whole.logits.shape == (1, ids.shape[1], model.config.vocab_size)
    first = model(ids[:, :5], use_cache=True)
    then = model(ids[:, 5:], past_key_values=first.past_key_values)
    assert torch.allclose(torch.cat([first.logits, then.logits], 1), whole.logits, atol=1e-3)
    assert then.past_key_values.get_seq_length() == ids.shape[1]
    assert torch.allclose(model(ids, logits_to_keep=1).logits, whole.logits[:, -1:], atol=1e-3)


def test_a_model_that_is_only_run(model: Any, tmp_path: pathlib.Path) -> None:
    assert model.to("npu") is model and model.half() is model and model.eval() is model
    ids = torch.tensor([[1, 2]])
    for use in (lambda: model.train(), lambda: model(ids, labels=ids), lambda: model(ids, output_attentions=True),
                lambda: model(inputs_embeds=torch.zeros(1, 1, 4)), lambda: model.save_pretrained(tmp_path)):
        with pytest.raises(phial.UnsupportedError):
            use()
    with pytest.raises(phial.ContextFullError):
        model(torch.ones(1, model.engine.context + 1, dtype=torch.long))


def test_without_an_npu(model: Any) -> None:
    assert model.engine.device == "cpu"
    if intel_npu.backend.npu_available():
        pytest.skip("this computer has an NPU")
    with pytest.raises(phial.PhialError, match="npu|NPU"):
        intel_npu.backend.check_npu_and_driver_version()
    with pytest.raises(phial.PhialError):
        NPUModelForCausalLM.from_pretrained(str(DEMO), config=CompilerConfig(dtype=int8), require_npu=True)


def test_names_of_the_archived_library() -> None:
    for name in ("compile", "int4", "int8", "float16", "__version__", "NPUModel", "NPUAutoModel", "NPUModelForCausalLM",
                 "NPUModelForSeq2SeqLM"):
        assert hasattr(intel_npu, name)
    with pytest.raises(phial.UnsupportedError, match="from_pretrained"):
        intel_npu.compile(torch.nn.Linear(2, 2), CompilerConfig(dtype=int8))
    with pytest.raises(phial.UnsupportedError, match="OVModelForSeq2SeqLM"):
        intel_npu.NPUModelForSeq2SeqLM.from_pretrained("any")
    for name in ("Tensor", "NNFactory", "MLP", "MatMul", "Linear", "QMatMul", "QLinear", "Convolution", "SDPA", "SimpleSDPA",
                 "run_matmul", "run_factory", "clear_cache", "get_driver_version", "lib"):
        with pytest.raises(AttributeError, match="from-npu-acceleration-library.md"):
            getattr(intel_npu.backend, name)
    for name in ("nn", "functional", "device", "quantization", "optimizations"):
        with pytest.raises(AttributeError, match="from-npu-acceleration-library.md"):
            getattr(intel_npu, name)
    with pytest.raises(AttributeError, match="there is no phial.intel_npu.nonsense"):
        getattr(intel_npu, "nonsense")


def test_bad_input(tmp_path: pathlib.Path) -> None:
    with pytest.raises(phial.UnsupportedError, match="expected int4, int8 or float16"):
        CompilerConfig(dtype=torch.float32)
    with pytest.raises(phial.UnsupportedError, match="train"):
        CompilerConfig(dtype=int8, training=True)
    with pytest.raises(TypeError, match="CompilerConfig"):
        NPUModelForCausalLM.from_pretrained(str(DEMO), config=int8)  # type: ignore[arg-type]
    with pytest.raises(phial.NotFoundError):
        NPUModelForCausalLM.from_pretrained(str(tmp_path))
    with pytest.warns(phial.PhialWarning, match="no use for nonsense"):
        NPUModelForCausalLM.from_pretrained(str(DEMO), config=CompilerConfig(dtype=int8), nonsense=1).close()
