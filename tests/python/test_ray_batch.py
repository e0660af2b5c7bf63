# SPDX-License-Identifier: Apache-2.0
"""`phial batch --ray`: the file of a single process, whatever dies meanwhile."""
from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
from typing import Any, Iterator

import pytest
from two_nodes import processes, wait_until

pytest.importorskip("ray", reason="ray isn't installed")

import phial  # noqa: E402

N = 120
ACTOR = "Answerer"


class Job:
    """A job of N lines, begun and killed as tests like."""

    def __init__(self, folder: pathlib.Path, package: str) -> None:
        self.package, self.folder = package, folder
        self.input, self.out = folder / "in", folder / "out"
        lines: list[Any] = [{"id": i, "prompt": f"Tell me about the number {i}", "temperature": 1.0, "seed": i} for i in range(N - 5)]
        lines += ["Hello", {"messages": [{"role": "user", "content": "Hello"}], "stop": ["e"]}, {"messages": 5}, {"prompt": 5},
                  {"prompt": "Hello", "temperature": -1}]
        random.Random(1).shuffle(lines)
        self.input.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def start(self, *flags: str, out: pathlib.Path | None = None, model: str | None = None) -> subprocess.Popen[str]:
        program = pathlib.Path(phial.__file__).parent / "bin" / "phial"
        command = [program, "batch", self.input, out or self.out, "-m", model or self.package, "-n", "80", "--ignore-eos", "--device",
                   "cpu", "-t", "1", *flags]
        environment = {**os.environ, "PHIAL_PYTHON": sys.executable}
        return subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True, env=environment)

    def lines(self) -> int:
        return self.out.read_bytes().count(b"\n") if self.out.exists() else 0


def finish(started: subprocess.Popen[str], code: int = 1) -> str:  # 1: some lines are wrong
    said = started.communicate(timeout=240)[1]
    assert started.returncode == code, said
    return said


@pytest.fixture
def job(tmp_path: pathlib.Path, package: str) -> Job:
    return Job(tmp_path, package)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, package: str) -> Iterator[bytes]:
    alone = Job(tmp_path_factory.mktemp("alone"), package)
    assert f"{N} answers" in finish(alone.start())
    yield alone.out.read_bytes()


def test_the_bytes_of_a_single_process(cluster: Any, job: Job, whole: bytes) -> None:
    said = finish(job.start("--ray", cluster.address, "--ray-cpus", "1"))  # two engines a node
    assert f"{N} answers" in said and "3 with an error" in said, said
    assert job.out.read_bytes() == whole
    assert "120 of them were there" in finish(job.start("--ray", cluster.address), code=0)


def test_an_actor_dies(cluster: Any, job: Job, whole: bytes) -> None:
    started = job.start("--ray", cluster.address)
    actors = wait_until(lambda: len(cluster.actors(ACTOR)) == 2 and job.lines() > 5 and cluster.actors(ACTOR), "two actors at work")
    os.kill(min(actors), signal.SIGKILL)
    assert job.lines() < N - 10 and started.poll() is None
    wait_until(lambda: len(cluster.actors(ACTOR) - actors) == 1 or job.lines() == N, "a new actor")
    finish(started)
    assert job.out.read_bytes() == whole


def test_a_node_dies_and_another_joins(cluster: Any, job: Job, whole: bytes) -> None:
    started = job.start("--ray", cluster.address)
    wait_until(lambda: cluster.on_node(cluster.second, ACTOR) and len(cluster.actors(ACTOR)) == 2 and job.lines() > 5, "two actors at work")
    cluster.kill_second()
    n = job.lines()
    assert n < N - 10 and started.poll() is None
    finish(started)
    assert job.out.read_bytes() == whole

    job.out.unlink()
    started = job.start("--ray", cluster.address)
    wait_until(lambda: job.lines() > 5, "answers")
    cluster.add_second()
    wait_until(lambda: cluster.on_node(cluster.second, ACTOR) or started.poll() is not None, "an actor on the node that has joined")
    finish(started)
    assert job.out.read_bytes() == whole


def test_killed_and_resumed(cluster: Any, job: Job, whole: bytes) -> None:
    """phial itself, then the Python beside it; then it goes on without Ray, and with it again."""
    def check() -> None:
        done = job.out.read_bytes()
        assert 0 < len(done) < len(whole) and whole.startswith(done[:done.rfind(b"\n") + 1])

    started = job.start("--ray", cluster.address)
    wait_until(lambda: job.lines() > 5, "answers")
    python = [pid for pid, name in processes(started.pid).items() if "phial.ray" in name]
    started.kill()
    started.communicate()
    check()
    wait_until(lambda: not pathlib.Path(f"/proc/{python[0]}").exists() and not cluster.actors(ACTOR), "the end of what phial had started")

    n = job.lines()
    started = job.start("--ray", cluster.address)
    wait_until(lambda: job.lines() > n + 5, "more answers")
    os.kill(*(pid for pid, name in processes(started.pid).items() if "phial.ray" in name), signal.SIGKILL)
    assert "exit code 137" in finish(started)
    check()

    n = job.lines()
    started = job.start()  # without a cluster
    wait_until(lambda: job.lines() > n + 5, "more answers")
    started.kill()
    started.communicate()
    check()

    n = job.lines()
    started = job.start("--ray", cluster.address)
    wait_until(lambda: job.lines() > n, "more answers")
    started.send_signal(signal.SIGINT)
    finish(started, 130)
    check()

    n = job.lines()
    assert f"{n} of them were there" in finish(job.start("--ray", cluster.address))
    assert job.out.read_bytes() == whole


def test_what_is_wrong_is_told(cluster: Any, job: Job) -> None:
    said = finish(job.start("--ray", cluster.address, model="/no/such/model"))
    assert "/no/such/model" in said and "node " in said, said
    assert job.lines() == 0
    said = finish(job.start("--ray", "nonsense"))
    assert "nonsense" in said, said
