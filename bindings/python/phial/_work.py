# SPDX-License-Identifier: Apache-2.0
"""One call of the library on a thread of its own. Not for users.

The thread that asked waits in Python, where Ctrl-C reaches it: inside a C function it wouldn't, and inside a callback of one
the KeyboardInterrupt would be lost. The call is stopped by a flag that the library reads by itself, so that it never waits
for the GIL.
"""
from __future__ import annotations

import atexit
import ctypes
import queue
import sys
import threading
import weakref
from typing import Any, Callable, Generator, Generic, TypeVar

from . import _handles  # noqa: F401  first, so that at the end of the program calls are stopped before handles are closed

T = TypeVar("T")

Event = tuple[str, Any]  # ("item", what was emitted), ("done", result), ("failed", exception)
_EXIT_SECONDS = 5.0  # how long the end of the program waits for calls that were told to stop


class Flag:
    """What makes a call stop: `pointer` goes to the library with its own function for it."""

    def __init__(self) -> None:
        self._value = ctypes.c_int32(0)
        self.pointer = ctypes.cast(ctypes.pointer(self._value), ctypes.c_void_p)

    def set(self) -> None:
        self._value.value = 1

    def __bool__(self) -> bool:
        return self._value.value != 0


class Work(Generic[T]):
    """Runs ``function(flag, emit)`` on a daemon thread; ``send`` gets its events, on that thread."""

    def __init__(self, function: Callable[[Flag, Callable[[Any], None]], T],
                 send: Callable[[Event], object] | None = None) -> None:
        self.flag = Flag()
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        # The thread holds no reference to this object, so that an abandoned one is collected and stops its call.
        self._thread = threading.Thread(target=_run, args=(function, self.flag, send or self._queue.put), name="phial",
                                        daemon=True)
        _running[self._thread] = self.flag
        self._thread.start()

    def stop(self) -> None:
        """Says stop, and doesn't wait."""
        self.flag.set()

    def join(self) -> None:
        self._thread.join()

    def next_event(self) -> Event:
        """The next event, waiting for it in a way that Ctrl-C ends."""
        if sys.platform != "win32":
            return self._queue.get()
        while True:  # there a wait without an end can't be interrupted
            try:
                return self._queue.get(timeout=0.1)
            except queue.Empty:
                pass

    def items(self, wait: bool = True) -> Generator[Any, None, T]:
        """What the call emits, until it ends; the generator's value is its result, and its exception is raised.

        An exception here (Ctrl-C, a generator that is closed) stops the call, and with `wait` waits for its end.
        """
        try:
            while True:
                kind, value = self.next_event()
                if kind == "done":
                    return value  # type: ignore[no-any-return]
                if kind == "failed":
                    try:
                        raise value
                    finally:
                        del value  # the exception's own frames would hold it for ever
                yield value
        except BaseException:
            self.stop()
            if wait:
                self.join()
            raise

    def result(self, on_item: Callable[[Any], object] | None = None, wait: bool = True) -> T:
        """The call's result; `on_item` gets what it emits, on this thread."""
        items = self.items(wait)
        while True:
            try:
                item = next(items)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if on_item:
                try:
                    on_item(item)
                except BaseException as mine:
                    items.throw(mine)

    def __del__(self) -> None:
        self.flag.set()


_running: weakref.WeakKeyDictionary[threading.Thread, Flag] = weakref.WeakKeyDictionary()


def _run(function: Callable[[Flag, Callable[[Any], None]], Any], flag: Flag, send: Callable[[Event], object]) -> None:
    def emit(item: Any) -> None:
        send(("item", item))

    try:
        event: Event = ("done", function(flag, emit))
    except BaseException as error:  # given to whoever waits
        event = ("failed", error)
    del function
    send(event)
    del event  # an exception's own frames would hold it


@atexit.register
def _end_of_program() -> None:
    running = [(thread, flag) for thread, flag in _running.items() if thread.is_alive()]
    for _, flag in running:
        flag.set()
    for thread, _ in running:
        thread.join(_EXIT_SECONDS)
