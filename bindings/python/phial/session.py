# SPDX-License-Identifier: Apache-2.0
"""Tokens in, logits out: one sequence of an engine, for programs that choose tokens themselves."""
from __future__ import annotations

import array
import ctypes as c
from typing import Iterable

from . import _convert as convert
from ._handles import Handle
from ._library import library
from ._work import Flag, Work
from .engine import Engine
from .errors import InvalidArgumentError

__all__ = ["Session"]


class Session:
    """A sequence of tokens in an engine's cache. For one thread at a time. An engine has ``max_sequences`` of them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        lib = library()
        pointer = c.c_void_p()
        model = engine._handle()
        # The engine is in use as long as the session is open.
        in_use = model.use()
        in_use_model = in_use.__enter__()

        def release(session: c.c_void_p) -> None:
            try:
                lib.phial_session_free(session)
            finally:
                in_use.__exit__(None, None, None)

        try:
            lib.phial_session_new(in_use_model, pointer)
        except BaseException:
            in_use.__exit__(None, None, None)
            raise
        self._session = Handle("session", pointer, release)
        self.vocab: int = lib.phial_session_vocab(pointer)

    def step(self, ids: Iterable[int], *, all_logits: bool = False) -> array.array[float]:
        """Appends tokens; logits of the last one, [vocab], or of each, [n, vocab]. NumPy and PyTorch take the array as a
        buffer, without a copy."""
        tokens, n = convert.id_array("ids", ids)
        logits = array.array("f", bytes(4 * self.vocab * (n if all_logits else 1)))
        address, _ = logits.buffer_info()
        self._run(tokens, n, address, all_logits)
        return logits

    def feed(self, ids: Iterable[int]) -> None:
        """Appends tokens without asking for logits."""
        tokens, n = convert.id_array("ids", ids)
        self._run(tokens, n, None, False)

    def truncate(self, length: int) -> None:
        """Forgets all tokens after the first `length`."""
        with self._session.use() as session:
            library().phial_session_truncate(session, convert.whole("length", length))

    def __len__(self) -> int:
        with self._session.use() as session:
            return int(library().phial_session_length(session))

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        raise InvalidArgumentError("a session can't be pickled: pickle the engine")

    def _run(self, tokens: object, n: int, logits: int | None, all_logits: bool) -> None:
        def run(flag: Flag, _emit: object) -> None:
            lib = library()
            with self._session.use() as session:
                lib.phial_session_step(session, tokens, n, logits, int(all_logits), lib.interrupt_flag, flag.pointer)

        Work(run).result()
