# SPDX-License-Identifier: Apache-2.0
"""An answer in pieces, for ``for`` and for ``async for``."""
from __future__ import annotations

import asyncio
from typing import AsyncIterator, Callable, Iterator

from ._work import Event, Flag, Work
from .results import Result

__all__ = ["AsyncStream", "Stream"]

Generating = Callable[[Flag, Callable[[str], None]], Result]


class Stream(Iterator[str]):
    """Pieces of text, whole characters each. The answer goes on being made while its reader does other things."""

    def __init__(self, generating: Generating) -> None:
        self._work: Work[Result] | None = Work(generating)
        #: The whole answer, when the last piece has been read; None before, and if the stream was closed.
        self.result: Result | None = None

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> str:
        work = self._work
        if work is None:
            raise StopIteration
        try:
            kind, value = work.next_event()
        except BaseException:  # Ctrl-C
            self.close()
            raise
        if kind == "item":
            return str(value)
        self._work = None
        if kind == "failed":
            try:
                raise value
            finally:
                del value
        self.result = value
        raise StopIteration

    def close(self) -> None:
        """Stops the answer and waits for that; what was made but not read is dropped."""
        work, self._work = self._work, None
        if work:
            work.stop()
            work.join()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncStream(AsyncIterator[str]):
    """The same for asyncio. The answer begins with the first piece that is asked for."""

    def __init__(self, generating: Generating) -> None:
        self._generating: Generating | None = generating
        self._work: Work[Result] | None = None
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self.result: Result | None = None

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> str:
        if self._generating:
            self._work, self._generating = self._start(self._generating), None
        if self._work is None:
            raise StopAsyncIteration
        try:
            kind, value = await self._events.get()
        except BaseException:  # the task was cancelled
            self._stop()
            raise
        if kind == "item":
            return str(value)
        self._work = None
        if kind == "failed":
            try:
                raise value
            finally:
                del value
        self.result = value
        raise StopAsyncIteration

    def _start(self, generating: Generating) -> Work[Result]:
        loop = asyncio.get_running_loop()
        events = self._events

        def send(event: Event) -> None:
            try:
                loop.call_soon_threadsafe(events.put_nowait, event)
            except RuntimeError:
                pass  # the loop is closed: nobody waits any more

        return Work(generating, send)

    def _stop(self) -> None:
        work, self._work = self._work, None
        self._generating = None
        if work:
            work.stop()

    async def aclose(self) -> None:
        """Stops the answer."""
        self._stop()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop()
