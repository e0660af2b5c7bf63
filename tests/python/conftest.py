# SPDX-License-Identifier: Apache-2.0
"""The demo model as a package, once, and engines on it."""
from __future__ import annotations

import os
import pathlib
from typing import Any, Iterator

import pytest

import phial

SOURCE = pathlib.Path(os.environ.get("PHIAL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
DEMO = SOURCE / "models" / "phial-demo"


@pytest.fixture(scope="session")
def demo_checkpoint() -> pathlib.Path:
    return DEMO


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("packages") / "int4"
    phial.quantize(DEMO, folder, weight_format="int4", threads=1)
    return str(folder)


@pytest.fixture(scope="module")
def engine(package: str) -> Iterator[phial.Engine]:
    with phial.Engine(package, device="cpu") as engine:
        yield engine


@pytest.fixture(scope="session")
def two_nodes() -> Iterator[Any]:
    """One Ray cluster for all tests that need one."""
    from two_nodes import TwoNodes

    made = TwoNodes()
    yield made
    made.shutdown()


@pytest.fixture
def cluster(two_nodes: Any) -> Any:
    """It with both nodes, whatever the last test did to it."""
    two_nodes.add_second()
    return two_nodes


@pytest.fixture(autouse=True)
def models_of_the_test(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's own models or caches."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PHIAL_MODELS", str(folder / "models"))
    monkeypatch.setenv("PHIAL_CACHE", str(folder / "cache"))
