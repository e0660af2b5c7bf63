# SPDX-License-Identifier: Apache-2.0
"""Handles of the library that may be closed while others still use them. Not for users."""
from __future__ import annotations

import atexit
import contextlib
import ctypes as c
import os
import threading
import weakref
from typing import Callable, Iterator

from .errors import ClosedError


class Handle:
    """A pointer of the library: released when it was closed and the last call that uses it has ended.

    Belongs to the process that opened it: a forked child has none of the library's threads, so there every use is refused
    and nothing is released.
    """

    def __init__(self, what: str, pointer: c.c_void_p, release: Callable[[c.c_void_p], object]) -> None:
        self._what = what
        self._state = _State(pointer, release)
        self._finalizer = weakref.finalize(self, self._state.close)
        self._finalizer.atexit = False  # see _end_of_program
        _open[id(self._state)] = self._state

    @contextlib.contextmanager
    def use(self) -> Iterator[c.c_void_p]:
        """The pointer, which stays good inside of ``with``."""
        pointer = self._state.enter(self._what)
        try:
            yield pointer
        finally:
            self._state.leave()

    @property
    def closed(self) -> bool:
        return self._state.closed

    def close(self) -> None:
        self._state.close()


class _State:
    def __init__(self, pointer: c.c_void_p, release: Callable[[c.c_void_p], object]) -> None:
        self.pointer: c.c_void_p | None = pointer
        self.release = release
        self.closed = False
        self.users = 0
        self.process = os.getpid()
        # Reentrant: garbage collection may close a handle in a thread that is just here.
        self.lock = threading.RLock()

    def enter(self, what: str) -> c.c_void_p:
        if os.getpid() != self.process:
            raise ClosedError(f"this {what} was opened by another process, and a fork doesn't carry the library's threads "
                              "over: open it in this process (it can be pickled), or start processes with 'spawn'")
        with self.lock:
            if self.closed or self.pointer is None:
                raise ClosedError(f"this {what} is closed")
            self.users += 1
            return self.pointer

    def leave(self) -> None:
        with self.lock:
            self.users -= 1
            self._release_if_unused()

    def close(self) -> None:
        if os.getpid() != self.process:
            return
        with self.lock:
            self.closed = True
            self._release_if_unused()

    def _release_if_unused(self) -> None:
        if self.closed and not self.users and self.pointer is not None:
            pointer, self.pointer = self.pointer, None
            _open.pop(id(self), None)
            self.release(pointer)


_open: dict[int, _State] = {}


@atexit.register
def _end_of_program() -> None:
    for state in list(_open.values()):
        state.close()
