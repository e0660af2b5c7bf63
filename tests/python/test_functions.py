# SPDX-License-Identifier: Apache-2.0
"""Functions without an engine, and the command."""
from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

import phial


def test_versions() -> None:
    assert phial.library_version() == phial.__version__


def test_devices() -> None:
    found = phial.devices()
    assert any(device["id"] == "cpu" and device["usable"] for device in found["devices"])


def test_doctor_and_processes(package: str) -> None:
    found = phial.doctor()
    assert found["checks"] and isinstance(found["healthy"], bool)
    assert isinstance(phial.processes(), list)


def test_explain(package: str) -> None:
    found = phial.explain(package)
    assert found["placement"]["device"] == found["devices"][0]["device"]
    assert found["memory"]["needed"] >= found["memory"]["weights"] > 0
    assert phial.explain(package, device="cpu", context=128)["placement"]["device"] == "cpu"
    with pytest.raises(phial.NotFoundError):
        phial.explain("no-such-model")
    with pytest.raises(phial.InvalidArgumentError):
        phial.explain(package, policy="lazy")


def test_quantize(demo_checkpoint: pathlib.Path, tmp_path: pathlib.Path) -> None:
    seen: list[tuple[int, int, str]] = []
    for weight_format in ("int8", "fp16"):
        folder = tmp_path / weight_format
        phial.quantize(demo_checkpoint, folder, weight_format=weight_format, progress=lambda *p: seen.append(p))
        assert phial.describe(folder)["recipe"]["weight_format"] == weight_format
        with phial.Engine(folder, device="cpu") as engine:
            assert "Phial" in engine.chat("Can you introduce yourself?").text
    assert seen[-1][0] == seen[-1][1] > 0 and all(done <= total for done, total, _ in seen)
    try:
        phial.quantize(demo_checkpoint, folder)
        raise AssertionError("it was overwritten")
    except phial.InvalidArgumentError as error:
        assert str(folder) in str(error)
    phial.quantize(demo_checkpoint, folder, overwrite=True, symmetric=True, ratio=0.6, group_size=64, all_layers=True)
    recipe = phial.describe(folder)["recipe"]
    assert recipe["group_size"] == 64 and recipe["ratio"] == 0.6 and recipe["all_layers"]


def test_models_by_name(package: str) -> None:
    assert phial.models()["models"] == []
    assert phial.find_model(package) == package
    done = subprocess.run([sys.executable, "-m", "phial", "cp", package, "demo"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [m["name"] for m in phial.models()["models"]] == ["demo:int4"]
    with phial.Engine("demo", device="cpu") as engine:
        assert engine.chat("Hello").text
    phial.remove_model("demo")
    assert phial.models()["models"] == []


def test_export(demo_checkpoint: pathlib.Path, tmp_path: pathlib.Path) -> None:
    phial.quantize(demo_checkpoint, tmp_path / "package")
    (tmp_path / "package" / "openvino_model.xml").unlink()
    made = phial.export(tmp_path / "package", "openvino")
    assert any(file["file"] == "openvino_model.xml" for file in made)
    assert (tmp_path / "package" / "openvino_model.xml").exists()


def test_the_command(package: str) -> None:
    run = [sys.executable, "-m", "phial"]
    assert subprocess.run([*run, "--version"], capture_output=True, text=True).stdout == f"phial {phial.__version__}\n"
    done = subprocess.run([*run, "run", package, "-q", "Hello"], capture_output=True, text=True)
    with phial.Engine(package) as engine:
        assert done.stdout.rstrip("\n") == engine.chat("Hello").text
    assert subprocess.run([*run, "--no-such-flag"], capture_output=True).returncode == 2
