# SPDX-License-Identifier: Apache-2.0
"""phial.ray.Generator in Ray Data: the answers of a single process; bad rows; deaths; and weights that are in memory once."""
from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
from typing import Any

import pytest
from two_nodes import SOURCE

ray = pytest.importorskip("ray", reason="ray isn't installed")
pytest.importorskip("ray.data", reason="ray[data] isn't installed")
pyarrow = pytest.importorskip("pyarrow", reason="pyarrow isn't installed")

from pyarrow import parquet  # noqa: E402

import phial  # noqa: E402
import phial.ray  # noqa: E402

PARAMS: dict[str, Any] = {"max_new_tokens": 24, "temperature": 1.0, "ignore_eos": True}
CPU = {"device": "cpu", "threads": 1}
GENERATOR = "MapBatches(Generator)"
ROWS = [{"prompt": f"Tell me about the number {i}", "seed": i, "kept": [i, i + 1]} for i in range(64)]


@pytest.fixture(scope="module")
def expected(package: str) -> list[str]:
    with phial.Engine(package, **CPU) as engine:
        return [engine.chat(row["prompt"], seed=row["seed"], **PARAMS).text for row in ROWS]


def answered(rows: Any, package: str, **options: Any) -> Any:
    # A CPU of each node is left for Ray Data's own tasks.
    options = {"batch_size": 4, "compute": ray.data.ActorPoolStrategy(size=2), "num_cpus": 1, "batch_format": "pyarrow", **options}
    return rows.map_batches(phial.ray.Generator, fn_constructor_args=(package,), fn_constructor_kwargs={**PARAMS, "engine": CPU},
                            **options)


def test_jsonl_and_parquet(cluster: Any, package: str, expected: list[str], tmp_path: pathlib.Path) -> None:
    """JSON lines to Parquet as the example does it, and Parquet to rows."""
    keywords = {"temperature": 1.0, "ignore_eos": True, "max_new_tokens": 24}  # as columns, as the example doesn't name them
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({**row, **keywords}) + "\n" for row in ROWS))
    done = subprocess.run([sys.executable, SOURCE / "examples/python/ray_data.py", package, tmp_path / "in.jsonl", tmp_path / "out"],
                          env={**os.environ, "RAY_ADDRESS": cluster.address, "PHIAL_DEVICE": "cpu"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {row["seed"]: row for row in parquet.read_table(tmp_path / "out").to_pylist()}
    assert [found[i]["text"] for i in range(len(ROWS))] == expected
    assert all(row["error"] is None and row["generated_tokens"] == 24 and row["finish_reason"] == "length" and
               row["kept"] == [seed, seed + 1] for seed, row in found.items())

    talks = [{"id": i, "messages": [{"role": "user", "content": row["prompt"]}], "seed": row["seed"]} for i, row in enumerate(ROWS[:8])]
    parquet.write_table(pyarrow.Table.from_pylist(talks), tmp_path / "talks.parquet")
    again = answered(ray.data.read_parquet(str(tmp_path / "talks.parquet")), package, batch_format="default").take_all()
    assert [row["text"] for row in sorted(again, key=lambda row: row["id"])] == expected[:8]


@pytest.mark.parametrize("arrow", [True, False])
def test_bad_rows_are_answers_too(package: str, arrow: bool) -> None:
    generator = phial.ray.Generator(package, prefix="a_", max_new_tokens=5, engine=CPU)
    table = pyarrow.table({"prompt": ["Hello", None, "Hello", "Hello"], "temperature": [0.0, 0.0, -1.0, None], "seed": [1, 2, 3, None],
                           "messages": pyarrow.array([None, None, None, [{"role": "user", "content": "Hello"}]])})
    if arrow:
        found = generator(table)
        assert found.column_names[:4] == table.column_names and found.select(table.column_names).equals(table)
        rows = found.to_pylist()
    else:  # as Ray makes NumPy of it
        batch = {name: table[name].to_pandas().to_numpy() for name in table.column_names}
        found = generator(batch)
        rows = [{name: found[name][i] for name in found} for i in range(4)]
    assert [row["a_error"] for row in rows[::3]] == [None, None] and rows[0]["a_text"] == rows[3]["a_text"] != ""
    assert "'prompt'" in rows[1]["a_error"] and "temperature is -1" in rows[2]["a_error"] and rows[2]["a_text"] is None
    with pytest.raises(ValueError, match="prefix"):
        generator({"a_text": ["x"]})
    with pytest.raises(TypeError, match="max_tokens"):
        phial.ray.Generator(package, max_tokens=5)
    with pytest.raises(phial.NotFoundError):
        phial.ray.Generator("/no/such/model")


def test_weights_are_in_memory_once(cluster: Any, package: str) -> None:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    class Weights:
        """An actor with an engine that has read all its weights: what the kernel knows of their mapping."""

        def __init__(self, package: str) -> None:
            self.engine = phial.ray.Generator(package, max_new_tokens=5, engine=CPU)

        def mapping(self) -> dict[str, int]:
            self.engine({"prompt": ["Can you introduce yourself?"]})
            found: dict[str, int] = {}
            inside = False
            for line in pathlib.Path("/proc/self/smaps").read_text().splitlines():
                words = line.split()
                if "-" in words[0]:
                    inside = line.endswith("/openvino_model.bin")
                elif inside and words[-1] == "kB":
                    found[words[0]] = found.get(words[0], 0) + 1024 * int(words[1])
            return found

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actors = [ray.remote(Weights).options(num_cpus=0.25, scheduling_strategy=here).remote(package) for _ in range(2)]
    ray.get([actor.mapping.remote() for actor in actors])
    mappings = ray.get([actor.mapping.remote() for actor in actors])
    size = os.path.getsize(os.path.join(package, "openvino_model.bin"))
    for found in mappings:
        assert found["Rss:"] > 0.9 * size, found  # each has all of it,
        assert found["Private_Dirty:"] == found["Private_Clean:"] == found["Anonymous:"] == 0, found  # and none of it to itself
    # Each one's share of the pages: together no more than the file.
    assert sum(found["Pss:"] for found in mappings) <= 1.05 * size, (mappings, size)


def test_an_actor_dies_and_a_node_dies(cluster: Any, package: str, expected: list[str]) -> None:
    """In one job: an actor with its first answers, then the whole other node while it is at work."""
    found = {}
    killed: set[int] = set()
    for row in answered(ray.data.from_items(ROWS, override_num_blocks=32), package, batch_size=2).iter_rows():
        found[row["seed"]] = row["text"]
        if not killed:
            killed = cluster.on_node(cluster.cluster.head_node, GENERATOR)
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
        elif cluster.second and cluster.on_node(cluster.second, GENERATOR) and cluster.actors(GENERATOR) - killed:
            cluster.kill_second()
    assert killed and cluster.second is None
    assert [found[i] for i in range(len(ROWS))] == expected
