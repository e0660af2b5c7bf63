# SPDX-License-Identifier: Apache-2.0
"""The AI PC page's third program: `phial quantize` with optimum-cli's words, then OVModelForCausalLM on that folder."""
from __future__ import annotations

import pathlib
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch and transformers aren't installed")
pytest.importorskip("transformers", reason="torch and transformers aren't installed")

import phial  # noqa: E402
from phial.optimum import OVModelForCausalLM  # noqa: E402

from conftest import DEMO, SOURCE  # noqa: E402

PROGRAM = SOURCE / "examples/python/openvino_optimum.py"


@pytest.fixture(scope="module", params=[["--weight-format", "int4", "--group-size", "128", "--ratio", "0.6", "--sym"],
                                        ["--weight-format", "fp16"]], ids=["int4", "fp16"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = str(tmp_path_factory.mktemp("openvino") / "out")
    subprocess.run([sys.executable, "-m", "phial", "quantize", "--model", str(DEMO), "--task", "text-generation-with-past",
                    *request.param, "--trust-remote-code", out], check=True)
    return out


def test_the_page_s_program_on_phial(folder: str) -> None:
    done = subprocess.run([sys.executable, PROGRAM, "--phial", folder, "CPU"], capture_output=True, text=True)
    assert done.stdout.startswith("My name is Phial"), done.stderr


def test_the_page_s_program_on_optimum_intel(folder: str) -> None:
    pytest.importorskip("optimum.intel", reason="optimum-intel isn't installed")
    done = subprocess.run([sys.executable, PROGRAM, folder, "CPU"], capture_output=True, text=True)
    assert done.stdout.startswith("My name is Phial"), done.stderr


def test_a_gpu_that_is_not_there(folder: str) -> None:
    with pytest.warns(phial.PhialWarning, match="GPU.0"):
        model: Any = OVModelForCausalLM.from_pretrained(
            folder, device="GPU.0", ov_config={"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "CACHE_DIR": ""})
    if model.engine.device.startswith("openvino:GPU"):
        pytest.skip("this computer has a GPU")
    assert model.engine.chat("Hello").text
    model.close()


def test_it_runs_on_openvino(folder: str, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("openvino", reason="openvino isn't installed")
    with pytest.warns(phial.PhialWarning, match="CACHE_DIR"):
        model = OVModelForCausalLM.from_pretrained(folder, device="CPU", ov_config={"CACHE_DIR": str(tmp_path)})
    assert model.engine.device == "openvino:CPU"
    model.close()
