# SPDX-License-Identifier: Apache-2.0
"""The chat handles of an engine, reused so that a conversation's earlier turns stay in the model's cache. Not for users."""
from __future__ import annotations

import contextlib
import ctypes as c
import os
import threading
from typing import Iterator

from ._library import library

_MOST = 8  # idle chats that are kept; the library itself decides whose cache stays


class Chats:
    """Which chat holds what; a call borrows the one that has most of its messages already."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[c.c_void_p, bytes]] = []  # last used last; the messages as JSON

    @contextlib.contextmanager
    def borrow(self, model: c.c_void_p, messages: bytes) -> Iterator[c.c_void_p]:
        """A chat that holds `messages`; what it answers is its own business."""
        lib = library()
        chat = self._take(messages)
        if chat is None:
            chat = c.c_void_p()
            lib.phial_chat_new(model, chat)
        try:
            lib.phial_chat_set_messages(chat, messages)
            yield chat
        finally:
            self._give_back(chat, messages)

    def free(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for chat, _ in idle:
            library().phial_chat_free(chat)

    def _take(self, messages: bytes) -> c.c_void_p | None:
        with self._lock:
            best, known = -1, 0
            for i, (_, had) in enumerate(self._idle):
                # The same beginning, as far as the older conversation's last bracket: its messages go on in the new one.
                common = len(os.path.commonprefix([had, messages]))
                if common >= len(had) - 1 and common > known:
                    best, known = i, common
            if best < 0 and len(self._idle) >= _MOST:
                best = 0
            return self._idle.pop(best)[0] if best >= 0 else None

    def _give_back(self, chat: c.c_void_p, messages: bytes) -> None:
        with self._lock:
            self._idle.append((chat, messages))
