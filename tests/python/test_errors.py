# SPDX-License-Identifier: Apache-2.0
"""Bad input: exceptions of the right kind, with the sentences of the command line."""
from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

import phial


def command_line(*arguments: str) -> str:
    """What `phial` says on standard error, without its own name in front."""
    done = subprocess.run([sys.executable, "-m", "phial", *arguments], capture_output=True, text=True)
    assert done.returncode == 1
    return done.stderr.removeprefix("phial: ").rstrip("\n")


@pytest.mark.parametrize("flag, name, value", [
    ("--temperature", "temperature", -1), ("--top-p", "top_p", 2), ("--min-p", "min_p", -0.5), ("--top-k", "top_k", -3),
    ("--repetition-penalty", "repetition_penalty", 0), ("--max-new-tokens", "max_new_tokens", -5)])
def test_the_same_sentences_as_the_command_line(engine: phial.Engine, flag: str, name: str, value: float) -> None:
    with pytest.raises(phial.InvalidArgumentError) as raised:
        engine.generate("The", **{name: value})
    assert isinstance(raised.value, ValueError) and raised.value.code == 1
    assert str(raised.value) == command_line("run", "--raw", engine.path, "The", f"{flag}={value}")


def test_models_that_are_not_there(tmp_path: pathlib.Path) -> None:
    missing = str(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError) as raised:
        phial.Engine(missing)
    assert isinstance(raised.value, phial.NotFoundError)
    assert str(raised.value) == command_line("run", missing, "The")
    with pytest.raises(phial.NotFoundError) as raised:
        phial.Engine(tmp_path)  # an empty folder
    assert str(raised.value) == command_line("run", str(tmp_path), "The")
    with pytest.raises(phial.PhialError):
        phial.Engine("no-such-model-name")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(phial.CorruptError):
        phial.Engine(tmp_path)


def test_devices_that_are_not_there(package: str) -> None:
    with pytest.raises(phial.PhialError) as raised:
        phial.Engine(package, device="cuda:7", require_device=True)
    assert str(raised.value) == command_line("run", package, "The", "--require", "cuda:7")
    with pytest.raises(phial.PhialError):
        phial.Engine(package, device="no such device", require_device=True)
    with pytest.warns(phial.PhialWarning, match="npu") as warned, phial.Engine(package, device="npu") as engine:
        assert engine.device != "npu" and engine.chat("Hello").text
    assert warned[0].filename == __file__
    told: list[tuple[str, str]] = []
    with phial.Engine(package, device="npu", on_notice=lambda *notice: told.append(notice)):
        assert told[0][0] == "warning" and "npu" in told[0][1]


@pytest.mark.parametrize("given", [
    {"temperature": "hot"}, {"temperature": None, "top_k": 1.5}, {"seed": "one"}, {"stop": 5}, {"stop": [5]}, {"max_tokens": 5},
    {"temperature": [1]}])
def test_wrong_types(engine: phial.Engine, given: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        engine.generate("The", **given)
    with pytest.raises(TypeError):
        engine.stream("The", **given)


@pytest.mark.parametrize("given", [
    {"max_new_tokens": 2**31}, {"seed": -1}, {"seed": 2**64}, {"stop": ""}, {"stop": "a\0b"}, {"top_k": -(2**40)},
    {"temperature": float("nan")}, {"top_p": float("inf")}])
def test_wrong_values(engine: phial.Engine, given: dict[str, Any]) -> None:
    with pytest.raises(phial.InvalidArgumentError):
        engine.generate("The", **given)


def test_wrong_prompts(engine: phial.Engine) -> None:
    for prompt in (5, None, b"bytes", [5], {"role": "user"}):
        with pytest.raises(TypeError):
            engine.generate(prompt)  # type: ignore[call-overload]
    for messages in (5, [5], ["text"], {"role": "user", "content": "x"}):
        with pytest.raises(TypeError):
            engine.chat(messages)  # type: ignore[arg-type]
    for messages in ([{"content": "no role"}], [{"role": "user"}], [{"role": 5, "content": "x"}]):
        with pytest.raises(phial.PhialError):
            engine.chat(messages)
    with pytest.raises(phial.InvalidArgumentError, match="the prompt is empty"):
        engine.generate("")
    with pytest.raises(phial.ContextFullError):
        engine.generate("word " * engine.context)
    with pytest.raises(phial.InvalidArgumentError):
        engine.detokenize([-1])
    with pytest.raises(phial.InvalidArgumentError):
        engine.generate_ids([2**31])
    with pytest.raises(TypeError):
        engine.generate_ids("text")  # type: ignore[arg-type]
    with pytest.raises(phial.PhialError):
        engine.generate_ids([10**6])
    assert engine.generate("zero\0byte \ud800", max_new_tokens=1).ids  # a lone surrogate becomes U+FFFD


def test_wrong_options(package: str, tmp_path: pathlib.Path, demo_checkpoint: pathlib.Path) -> None:
    for options in ({"context": -1}, {"max_sequences": 0}, {"kv_cache": "f8"}, {"threads": -2}, {"settings": ["no sign"]}):
        with pytest.raises(phial.PhialError):
            phial.Engine(package, device="cpu", **options)  # type: ignore[arg-type]
    for options in ({"context": "long"}, {"device": 5}, {"settings": "A=B"}, {"threads": 1.5}):
        with pytest.raises(TypeError):
            phial.Engine(package, **options)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        phial.Engine(5)  # type: ignore[arg-type]
    with pytest.raises(phial.InvalidArgumentError):
        phial.Engine("zero\0byte")
    for recipe in ({"weight_format": "int5"}, {"group_size": 100}, {"ratio": 2}):
        with pytest.raises(phial.InvalidArgumentError) as raised:
            phial.quantize(demo_checkpoint, tmp_path / "out", **recipe)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []
    assert "ratio" in str(raised.value)


def test_a_missing_library_is_said() -> None:
    code = "import phial\ntry: phial.devices()\nexcept ImportError as error: print(type(error).__name__, error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PHIAL_LIBRARY": "/nowhere/libphial.so.0"})
    assert done.stdout.startswith("LibraryNotFoundError phial's library wasn't found or can't be loaded: "
                                  "/nowhere/libphial.so.0: there is no such file")


def test_another_library_is_said() -> None:
    code = "import phial\ntry: phial.devices()\nexcept ImportError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PHIAL_LIBRARY": "/lib/x86_64-linux-gnu/libc.so.6"})
    assert "another version of phial" in done.stdout or "can't be loaded" in done.stdout
