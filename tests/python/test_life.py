# SPDX-License-Identifier: Apache-2.0
"""Beginning and end: closing, garbage, Ctrl-C, cancelling, forks, the end of the program; and that nothing leaks."""
from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
import weakref
from typing import Callable

import pytest

import phial

ENDLESS = {"ignore_eos": True, "temperature": 1.0, "seed": 1}  # until the context is full: thousands of tokens


def working() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "phial"]


def when_working(engine: phial.Engine, action: Callable[[], object]) -> threading.Thread:
    """Does `action` on another thread as soon as a call of the engine runs."""
    def wait_and_act() -> None:
        while not engine._running:
            pass
        action()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def test_a_closed_engine_says_so(package: str) -> None:
    engine = phial.Engine(package, device="cpu")
    stream = engine.stream("The", max_new_tokens=3)
    assert list(stream)
    engine.close()
    engine.close()
    assert engine.closed and "closed" in repr(engine)
    for use in (lambda: engine.generate("The"), lambda: engine.chat("The"), lambda: list(engine.stream("The")),
                lambda: engine.tokenize("The"), lambda: phial.Session(engine), lambda: asyncio.run(engine.achat("The"))):
        with pytest.raises(phial.ClosedError, match="this engine is closed"):
            use()
    engine.cancel()
    assert pickle.loads(pickle.dumps(engine)).generate("The", max_new_tokens=1).ids


def test_closing_stops_what_runs(package: str) -> None:
    engine = phial.Engine(package, device="cpu")
    closer = when_working(engine, engine.close)
    try:
        assert engine.generate("The", **ENDLESS).finish_reason == "cancelled"
    finally:
        closer.join()
    stream = phial.Engine(package, device="cpu").stream("The", **ENDLESS)  # keeps its engine alive
    next(stream)
    stream.close()
    assert stream.result is None and list(stream) == []


def test_cancel_ends_an_answer(engine: phial.Engine) -> None:
    stream = engine.stream("The", **ENDLESS)
    next(stream)
    engine.cancel()
    rest = list(stream)
    assert stream.result and stream.result.finish_reason == "cancelled"
    assert stream.result.text.endswith("".join(rest))
    assert engine.generate("The", max_new_tokens=2).finish_reason == "length"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
@pytest.mark.parametrize("way", ["generate", "list", "chat", "stream"])
def test_ctrl_c(engine: phial.Engine, way: str) -> None:
    ways: dict[str, Callable[[], object]] = {
        "generate": lambda: engine.generate("The", **ENDLESS), "list": lambda: engine.generate(["The"] * 5, **ENDLESS),
        "chat": lambda: engine.chat("The", **ENDLESS), "stream": lambda: list(engine.stream("The", **ENDLESS))}
    before = engine.statistics()["generated_tokens"]
    presser = when_working(engine, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        ways[way]()
    presser.join()
    for worker in working():
        worker.join()
    assert engine.statistics()["generated_tokens"] - before < engine.context / 2
    assert engine.generate("The", max_new_tokens=2).finish_reason == "length"


def test_ctrl_c_while_quantizing(demo_checkpoint: os.PathLike[str], tmp_path: os.PathLike[str]) -> None:
    def stop(done: int, total: int, current: str) -> None:
        raise KeyboardInterrupt

    destination = os.path.join(tmp_path, "out")
    with pytest.raises(KeyboardInterrupt):
        phial.quantize(demo_checkpoint, destination, progress=stop)
    assert os.listdir(tmp_path) == []


def test_garbage(package: str) -> None:
    engine = phial.Engine(package, device="cpu")
    stream = engine.stream("The", **ENDLESS)
    next(stream)
    gone = weakref.ref(engine)
    workers = working()
    del engine, stream
    gc.collect()
    for worker in workers:
        worker.join()
    del workers
    gc.collect()
    assert gone() is None


def test_a_cancelled_task_stops_the_answer(engine: phial.Engine) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(engine.achat("The", **ENDLESS))
        while not engine._running:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def left() -> str:
        async with engine.astream("The", **ENDLESS) as stream:
            async for piece in stream:
                return piece
        return ""

    asyncio.run(cancelled())
    assert asyncio.run(left())
    for worker in working():
        worker.join()  # ends long before the context is full, or this test takes its timeout
    assert engine.generate("The", max_new_tokens=2).finish_reason == "length"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_is_told(engine: phial.Engine) -> None:
    engine.generate("The", max_new_tokens=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of forks where threads are
        child = os.fork()
    if child == 0:
        try:
            engine.generate("The")
        except phial.ClosedError as error:
            os._exit(0 if "another process" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("last", [
    "engine", "list(engine.stream('The', max_new_tokens=3))",
    "stream = engine.stream('The', ignore_eos=True); next(stream)",
    "session = phial.Session(engine); session.feed([1])",
    "import threading; threading.Thread(target=lambda: engine.generate('The', ignore_eos=True), daemon=True).start()",
])
def test_the_program_may_end_at_any_time(package: str, last: str) -> None:
    code = f"import phial, sys; engine = phial.Engine({package!r}, device='cpu', max_sequences=2); {last}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def usage() -> tuple[int, int, int]:
    with open("/proc/self/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc here")
def test_nothing_leaks(package: str) -> None:
    """Engines made, used in every way and closed; PHIAL_LEAK_CYCLES says how often (10000 by hand)."""
    def cycle(i: int) -> None:
        engine = phial.Engine(package, device="cpu", threads=1)
        engine.generate("The", max_new_tokens=2)
        if i % 4 == 0:
            next(engine.stream([{"role": "user", "content": "Hello"}], ignore_eos=True))
        if i % 4 == 1:
            with pytest.raises(phial.InvalidArgumentError):
                engine.generate("The", temperature=-1)
        if i % 4 == 2:
            engine.chat("Hello", max_new_tokens=1)
            phial.Session(engine).close()
        if i % 8 < 4:
            engine.close()

    cycles = int(os.environ.get("PHIAL_LEAK_CYCLES", "150"))
    for i in range(60):
        cycle(i)
    gc.collect()
    before = usage()
    for i in range(cycles):
        cycle(i)
    gc.collect()
    for worker in working():
        worker.join()
    after = usage()
    print(f"{cycles} cycles: resident {before[0]} -> {after[0]}, files {before[1]} -> {after[1]}, "
          f"threads {before[2]} -> {after[2]}")
    assert after[0] - before[0] < 8_000_000 and after[1:] == before[1:]
