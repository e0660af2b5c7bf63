#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Ray costs: the same prompts by phial.Engine in a process of its own, and by one actor of `phial batch --ray`'s pool.

usage: ray_overhead.py [PACKAGE]     With a Python that has phial and Ray. Options: --help

Both sides have the same threads and the same work, and take turns, round by round, the first of a round alternating, so that a
machine that grows slower meanwhile is no side's luck. The actor is up, and has answered, before the clock starts: the cluster's
own start is told apart. It is meant to stay below 5 % on the median of the rounds.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Iterator

import phial
from phial.ray._pool import Answerer, Pool

SOURCE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "tests" / "python"))
from two_nodes import node, patiently  # noqa: E402

# Ray's workers are nicer than others, by 15 unless the environment says otherwise. The direct side gets the same, or on a busy
# machine nothing else would be measured.
NICE = int(os.environ["RAY_worker_niceness"])
DEMO = SOURCE / "models" / "phial-demo"
# The direct side, in a process of its own as an actor is: a job each line of its input, the answers' number of tokens out.
DIRECT = """
import json, sys
from phial.ray._answers import open_engine, record_of
model, engine = json.loads(sys.stdin.readline())
opened = open_engine(model, engine)
for job in sys.stdin:
    records = [record_of(opened, None, asked["messages"], asked["params"]) for asked in map(json.loads, json.loads(job))]
    print(json.dumps(records), flush=True)
"""


def requests(n: int, tokens: int, first: int) -> list[str]:
    return [json.dumps({"line": i, "messages": [{"role": "user", "content": f"Tell me about the number {i}"}],
                        "params": {"max_new_tokens": tokens, "temperature": 1.0, "seed": i, "ignore_eos": True}})
            for i in range(first, first + n)]


class Direct:
    def __init__(self, model: str, engine: dict[str, Any]) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", DIRECT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         preexec_fn=lambda: os.nice(NICE))
        self._say([model, engine])

    def _say(self, what: Any) -> None:
        assert self._process.stdin
        print(json.dumps(what), file=self._process.stdin, flush=True)

    def run(self, job: list[str]) -> list[Any]:
        self._say(job)
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())  # type: ignore[no-any-return]

    def close(self) -> None:
        self._process.communicate()


def start_cluster(cpus: int) -> None:
    import ray
    from ray.cluster_utils import Cluster

    head = {**node(), "num_cpus": cpus, "include_dashboard": False, "no_monitor": True}
    cluster = patiently(lambda: Cluster(initialize_head=True, head_node_args=head))
    ray.init(address=cluster.address, log_to_driver=False, logging_level="error")


class OverRay:
    def __init__(self, model: str, engine: dict[str, Any], threads: int) -> None:
        start_cluster(threads)
        self._pool = Pool({"model": model, "engine": engine, "actors": 1, "cpus": threads}, print)

    def run(self, job: list[str]) -> list[Any]:
        for request in job:
            self._pool.ask(request)
        return [json.loads(record) for record in self._answers()]

    def _answers(self) -> Iterator[str]:
        while not self._pool.is_idle:
            yield from self._pool.answers(1.0)


class NoEngine(Answerer):
    """Says at once what an answer might be: 1 KB."""

    def open(self, version: str) -> str | None:
        return None

    def answer(self, request: str) -> str:
        return json.dumps({"text": "x" * 1000, "finish_reason": "stop", "prompt_tokens": 1, "generated_tokens": 1})


class PoolWithoutEngines(Pool):
    actor = NoEngine


def measure_driver(answers: int) -> None:
    """How many answers a second one driver can hand out and take, which bounds a cluster."""
    start_cluster(4)
    pool = PoolWithoutEngines({"model": "", "engine": {}, "actors": 4, "cpus": 1}, print)
    took = []
    for n in (100, *(answers for _ in range(5))):  # the first until all actors are there
        begun, cpu = time.perf_counter(), time.process_time()
        for request in requests(n, 100, 0):
            pool.ask(request)
        while not pool.is_idle:
            for _ in pool.answers(1.0):
                pass
        took.append((time.perf_counter() - begun, time.process_time() - cpu))
    wall, cpu = (statistics.median(column) / answers for column in list(zip(*took[1:])))
    print(f"driver: {1 / wall:.0f} answers/s with 4 actors that do nothing, {1e3 * cpu:.2f} ms of CPU time an answer in the driver; "
          f"load {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="What Ray costs")
    parser.add_argument("package", nargs="?", help="by default the demo model, quantized to INT4")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--answers", type=int, default=20, help="a round and side")
    parser.add_argument("--tokens", type=int, default=100, help="an answer")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--driver", action="store_true", help="instead: what one driver can do at most")
    given = parser.parse_args()
    if given.driver:
        return measure_driver(2000)
    with tempfile.TemporaryDirectory() as folder:
        if not given.package:
            given.package = str(pathlib.Path(folder) / "int4")
            phial.quantize(DEMO, given.package, weight_format="int4")
        measure(given)


def measure(given: argparse.Namespace) -> None:
    engine = {"device": "cpu", "threads": given.threads}
    begun = time.perf_counter()
    direct = Direct(given.package, engine)
    expected = direct.run(requests(1, given.tokens, 0))
    start = {"direct": time.perf_counter() - begun}
    begun = time.perf_counter()
    over_ray = OverRay(given.package, engine, given.threads)
    assert over_ray.run(requests(1, given.tokens, 0)) == expected, "the answers differ"
    start["over Ray"] = time.perf_counter() - begun
    print(f"to the first answer: direct {start['direct']:.2f} s, over Ray {start['over Ray']:.2f} s (a cluster of its own)")

    sides: dict[str, Any] = {"direct": direct, "over Ray": over_ray}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for n in range(given.rounds):
        job, found = requests(given.answers, given.tokens, 1 + n * given.answers), []
        for name in sorted(sides, reverse=bool(n % 2)):
            begun = time.perf_counter()
            found.append(sides[name].run(job))
            seconds[name].append(time.perf_counter() - begun)
        assert found[0] == found[1], "the answers differ"
        print(f"round {n + 1}: direct {seconds['direct'][-1]:.3f} s, over Ray {seconds['over Ray'][-1]:.3f} s, "
              f"load {os.getloadavg()[0]:.1f}", flush=True)
    direct.close()

    tokens = given.answers * given.tokens
    for name, times in seconds.items():
        print(f"{name}: median {statistics.median(times):.3f} s a round, {tokens / statistics.median(times):.1f} tokens/s; "
              f"{sum(times):.1f} s in all")
    ratios = [b / a - 1 for a, b in zip(seconds["direct"], seconds["over Ray"])]
    whole = sum(seconds["over Ray"]) / sum(seconds["direct"]) - 1
    print(f"overhead: median of {len(ratios)} rounds {100 * statistics.median(ratios):+.1f} % "
          f"({100 * min(ratios):+.1f} to {100 * max(ratios):+.1f} %), of the sums {100 * whole:+.1f} %")


if __name__ == "__main__":
    main()
