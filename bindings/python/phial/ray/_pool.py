# SPDX-License-Identifier: Apache-2.0
"""Engines all over a cluster, and the lines they answer: for `phial batch --ray`. Not for users.

Lines are given to actors one by one, so that actors of any speed are busy to the end and a death costs little. An actor that
dies, alone or with its node, is replaced, and its lines are asked again elsewhere. Without a number of actors there are as
many as the nodes have room for, and more when nodes join. Answers come out in order.
"""
from __future__ import annotations

import collections
import dataclasses
import json
import socket
import time
from typing import Any, Callable, Iterator, Mapping

from ..engine import Engine
from ..errors import PhialError
from ..functions import library_version
from ._answers import open_engine, record_of

_AHEAD = 2  # lines that an actor has: the one it is at, and the next, so that it never waits for the driver
_MOST_DEATHS = 5  # of processes over one line, or while opening: then it isn't chance any more
_LOOK_SECONDS = 2.0  # between looks at which nodes there are
_PATIENCE_SECONDS = 20.0  # without an actor, until that is said


@dataclasses.dataclass(eq=False)
class _Line:
    index: int
    request: str
    deaths: int = 0


@dataclasses.dataclass(eq=False)
class _Worker:
    actor: Any
    load: int = 0
    lost: bool = False


class Answerer:
    """The actor: an engine, opened by a call so that what is wrong with it can be told."""

    def __init__(self, model: str, engine: Mapping[str, Any]) -> None:
        self._model, self._options = model, engine
        self._engine: Engine | None = None

    def open(self, version: str) -> str | None:
        """Why it can't be; None: it is open."""
        here = f"node {socket.gethostname()}"
        if library_version() != version:
            return f"{here}: phial {library_version()} is installed there, the job's is {version}"
        try:
            self._engine = open_engine(self._model, self._options)
        except (PhialError, TypeError, ValueError) as error:
            return f"{here}: {error}"
        return None

    def answer(self, request: str) -> str:
        assert self._engine
        asked = json.loads(request)
        return json.dumps(record_of(self._engine, asked.get("prompt"), asked.get("messages"), asked["params"]))


class Pool:
    """For one thread. `settings`: model, engine, actors, cpus (0 each: what the nodes have)."""

    actor: type = Answerer

    def __init__(self, settings: Mapping[str, Any], notice: Callable[[str], object]) -> None:
        self._settings, self._notice = settings, notice
        self._cpus = int(settings["cpus"]) or min((cpus for cpus in _cpus_of_nodes() if cpus >= 1), default=0)
        if not self._cpus:
            raise PhialError("the Ray cluster has no node with a CPU; if it is to grow, say how: --ray-actors and --ray-cpus")
        self._todo: collections.deque[_Line] = collections.deque()
        self._running: dict[Any, tuple[_Line, _Worker]] = {}
        self._opening: dict[Any, _Worker] = {}
        self._workers: list[_Worker] = []
        self._answers: dict[int, str] = {}
        self._n_asked = self._n_given = 0
        self._refused = self._deaths_while_opening = 0
        self._looked = 0.0
        self._started = time.monotonic()
        self._told = False

    def ask(self, request: str) -> None:
        self._todo.append(_Line(self._n_asked, request))
        self._n_asked += 1

    def answers(self, seconds: float) -> Iterator[str]:
        """What can be given out now, in order; waits for it up to `seconds`."""
        import ray

        self._renew_workers()
        self._hand_out()
        watched = [*self._opening, *self._running]
        if watched:
            ready, others = ray.wait(watched, num_returns=1, timeout=seconds)
            if ready and others:
                ready += ray.wait(others, num_returns=len(others), timeout=0)[0]
            for ref in ready:
                (self._take_opened if ref in self._opening else self._take_answer)(ref)
            self._hand_out()
        else:
            time.sleep(min(seconds, 0.05))
        while self._n_given in self._answers:
            self._n_given += 1
            yield self._answers.pop(self._n_given - 1)

    @property
    def is_idle(self) -> bool:
        return self._n_given == self._n_asked

    # ---- Actors ----

    def _renew_workers(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        wanted = int(self._settings["actors"]) or sum(cpus // self._cpus for cpus in _cpus_of_nodes())
        for _ in range(wanted - self._refused - len(self._workers) - len(self._opening)):
            self._open_worker()
        if self._workers or now - self._started < _PATIENCE_SECONDS or self._told:
            return
        self._told = True
        self._notice(f"waiting for the cluster: no engine is open yet; each needs {self._cpus} free CPUs on one node")

    def _open_worker(self) -> None:
        import ray

        actor = ray.remote(self.actor).options(num_cpus=self._cpus, max_restarts=0, max_task_retries=0,
                                             scheduling_strategy="SPREAD").remote(self._settings["model"],
                                                                                  self._settings["engine"])
        self._opening[actor.open.remote(library_version())] = _Worker(actor)

    def _take_opened(self, ref: Any) -> None:
        import ray

        worker = self._opening.pop(ref)
        try:
            why = ray.get(ref)
        except ray.exceptions.RayError as error:  # its process or its node died, or has no phial
            self._deaths_while_opening += 1
            if self._deaths_while_opening >= _MOST_DEATHS:
                self._deaths_while_opening = 0
                self._refuse(f"{_MOST_DEATHS} processes died while they opened the model, the last so: {_last_line(error)}")
            self._looked = 0.0
            return
        if why is None:
            self._deaths_while_opening = 0
            self._workers.append(worker)
            return
        ray.kill(worker.actor)
        self._refuse(why)

    def _refuse(self, why: str) -> None:
        """One actor fewer is wanted; without any the job can't go on."""
        self._refused += 1
        if not self._workers and not self._opening:
            raise PhialError(why)
        self._notice(f"{why}; the job goes on without that engine")

    def _lose(self, worker: _Worker) -> None:
        import ray

        if worker.lost:
            return
        worker.lost = True
        self._workers.remove(worker)
        self._looked = 0.0
        ray.kill(worker.actor)  # it may only be out of reach, and would hold its CPUs

    # ---- Lines ----

    def _hand_out(self) -> None:
        """The next line to whoever has least."""
        while self._todo and self._workers:
            worker = min(self._workers, key=lambda w: w.load)
            if worker.load >= _AHEAD:
                return
            line = self._todo.popleft()
            worker.load += 1
            self._running[worker.actor.answer.remote(line.request)] = line, worker

    def _take_answer(self, ref: Any) -> None:
        import ray

        line, worker = self._running.pop(ref)
        worker.load -= 1
        try:
            self._answers[line.index] = ray.get(ref)
        except ray.exceptions.RayError as error:
            self._lose(worker)
            line.deaths += 1
            if line.deaths >= _MOST_DEATHS:
                number = json.loads(line.request).get("line")
                raise PhialError(f"line {number}: {line.deaths} processes died over it, the last so: {_last_line(error)}"
                                 ) from None
            self._todo.appendleft(line)


def _cpus_of_nodes() -> list[int]:
    import ray

    return [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
