# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, as exceptions. Their sentences are the library's own, the same that the command line prints."""
from __future__ import annotations

from typing import Final

__all__ = [
    "CancelledError", "ClosedError", "ContextFullError", "CorruptError", "InternalError", "InvalidArgumentError",
    "LibraryNotFoundError", "NotFoundError", "OutOfMemoryError", "PhialError", "PhialOSError", "PhialWarning",
    "UnsupportedError",
]


class PhialError(Exception):
    """Anything that phial couldn't do. ``str(error)`` is one sentence: what, where, found, expected."""

    #: The code in phial.h (``phial_code``).
    code: int = 9


class InvalidArgumentError(PhialError, ValueError):
    """A value that can't be meant, such as a negative temperature."""

    code = 1


class NotFoundError(PhialError, FileNotFoundError):
    """A file, folder, tensor, key or model isn't there."""

    code = 2


class CorruptError(PhialError, ValueError):
    """A file breaks its own format."""

    code = 3


class UnsupportedError(PhialError):
    """Well formed, but phial can't do it: another architecture, a device that isn't here."""

    code = 4


class PhialOSError(PhialError, OSError):
    """The operating system refused: a full disk, no permission, no network."""

    code = 5


class OutOfMemoryError(PhialError, MemoryError):
    """There isn't enough memory."""

    code = 6


class ContextFullError(PhialError, ValueError):
    """The prompt or the conversation is longer than the context."""

    code = 7


class CancelledError(PhialError):
    """The call was stopped before it had a result."""

    code = 8


class InternalError(PhialError, RuntimeError):
    """A mistake in phial; please report it."""

    code = 9


class ClosedError(PhialError, ValueError):
    """The engine, tokenizer or session was closed, or was opened by another process."""

    code = 1


class LibraryNotFoundError(PhialError, ImportError):
    """libphial itself wasn't found; the message lists the places."""

    code = 2


class PhialWarning(UserWarning):
    """What a user should know, such as that another device than the wanted one runs the model."""


_BY_CODE: Final[dict[int, type[PhialError]]] = {
    kind.code: kind
    for kind in (InvalidArgumentError, NotFoundError, CorruptError, UnsupportedError, PhialOSError, OutOfMemoryError,
                 ContextFullError, CancelledError, InternalError)
}


def error_of(code: int, message: str) -> PhialError:
    """The exception for a code of phial.h."""
    kind = _BY_CODE.get(code, PhialError)
    error = kind(message)
    error.code = code
    return error
