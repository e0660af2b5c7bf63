# SPDX-License-Identifier: Apache-2.0
"""Text to token ids and back, by a model's own tokenizer and chat template."""
from __future__ import annotations

import abc
import contextlib
import ctypes as c
import os
from typing import Iterable, Iterator

from . import _convert as convert
from ._handles import Handle
from ._library import library
from .errors import UnsupportedError

__all__ = ["Tokenizer"]


class TokenizerMethods(abc.ABC):
    """What an engine and a tokenizer of its own have in common."""

    @abc.abstractmethod
    def _handle(self) -> Handle: ...

    @abc.abstractmethod
    def _tokenizer_of(self, pointer: c.c_void_p) -> c.c_void_p | None: ...

    def tokenize(self, text: str, *, bos: bool = True, plain_special: bool = False) -> list[int]:
        """Ids of a text. ``bos``: with BOS in front if the model's files ask for it. ``plain_special``: special tokens
        written in the text are ordinary text."""
        data = convert.encoded("text", text)
        ids, n = c.c_void_p(), c.c_size_t()
        with self._use() as tokenizer:
            library().phial_tokenizer_encode(tokenizer, data, len(data), int(bool(bos)) + 2 * int(bool(plain_special)), ids,
                                             n)
        return library().ids(ids, n.value)

    def detokenize(self, ids: Iterable[int], *, keep_special: bool = False) -> str:
        """Text of ids; without special tokens unless ``keep_special``."""
        array, n_ids = convert.id_array("ids", ids)
        text, n = c.c_void_p(), c.c_size_t()
        with self._use() as tokenizer:
            library().phial_tokenizer_decode(tokenizer, array, n_ids, int(bool(keep_special)), text, n)
        return library().text(text, n.value)

    def render_chat(self, messages: convert.Messages, *, add_generation_prompt: bool = True) -> str:
        """The prompt that the model's own chat template makes of messages."""
        data = convert.messages_json(messages)
        text, n = c.c_void_p(), c.c_size_t()
        with self._use() as tokenizer:
            library().phial_tokenizer_render_chat(tokenizer, data, int(bool(add_generation_prompt)), text, n)
        return library().text(text, n.value)

    def tokenize_chat(self, messages: convert.Messages, *, add_generation_prompt: bool = True) -> list[int]:
        """The same as ids, as the model is fed them."""
        data = convert.messages_json(messages)
        ids, n = c.c_void_p(), c.c_size_t()
        with self._use() as tokenizer:
            library().phial_tokenizer_encode_chat(tokenizer, data, int(bool(add_generation_prompt)), ids, n)
        return library().ids(ids, n.value)

    @property
    def vocab_size(self) -> int:
        """Highest id + 1."""
        with self._use() as tokenizer:
            return int(library().phial_tokenizer_vocab_size(tokenizer))

    @contextlib.contextmanager
    def _use(self) -> Iterator[c.c_void_p]:
        with self._handle().use() as pointer:
            tokenizer = self._tokenizer_of(pointer)
            if not tokenizer:
                raise UnsupportedError("this model has no tokenizer.json, so it can't take or give text")
            yield tokenizer


class Tokenizer(TokenizerMethods):
    """A tokenizer without its model, from a folder that holds at least tokenizer.json. May be shared by threads."""

    def __init__(self, folder: convert.Path) -> None:
        self.folder = os.fspath(folder)
        pointer = c.c_void_p()
        library().phial_tokenizer_open(convert.path_bytes("folder", folder), pointer)
        self._owned = Handle("tokenizer", pointer, library().phial_tokenizer_close)

    def close(self) -> None:
        self._owned.close()

    def __enter__(self) -> Tokenizer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[Tokenizer], tuple[str]]:
        return Tokenizer, (self.folder,)

    def _handle(self) -> Handle:
        return self._owned

    def _tokenizer_of(self, pointer: c.c_void_p) -> c.c_void_p | None:
        return pointer
