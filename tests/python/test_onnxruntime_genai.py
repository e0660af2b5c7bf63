# SPDX-License-Identifier: Apache-2.0
"""The AI PC page's second program: a chat with ONNX Runtime GenAI, on a folder that phial made."""
from __future__ import annotations

import subprocess
import sys

import pytest

import phial

from conftest import SOURCE

pytest.importorskip("onnxruntime_genai", reason="onnxruntime-genai isn't installed")


def test_the_chat_answers(package: str) -> None:
    program = SOURCE / "examples/python/onnxruntime_genai_chat.py"
    done = subprocess.run([sys.executable, program, package], capture_output=True, text=True,
                          input="Can you introduce yourself?\nWhat is an NPU?\n")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.strip().startswith("My name is Phial")
    with phial.Engine(package, device="cpu") as engine:
        assert first.strip() == engine.chat("Can you introduce yourself?").text
    assert "neural" in second or "chip" in second
