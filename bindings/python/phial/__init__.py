# SPDX-License-Identifier: Apache-2.0
"""phial runs Microsoft's Phi-3 family on this computer.

    import phial
    with phial.Engine("phi3-int4") as engine:
        print(engine.chat("Can you introduce yourself?"))
        for piece in engine.stream([{"role": "user", "content": "What is an NPU?"}], max_new_tokens=100):
            print(piece, end="", flush=True)

`quantize`, `pull`, `devices` and their like do what the command line's verbs of that name do. Everything here sits on the
library's C interface; nothing is computed in Python.
"""
from .engine import Engine
from .errors import (CancelledError, ClosedError, ContextFullError, CorruptError, InternalError, InvalidArgumentError,
                     LibraryNotFoundError, NotFoundError, OutOfMemoryError, PhialError, PhialOSError, PhialWarning,
                     UnsupportedError)
from .functions import (describe, devices, doctor, explain, export, find_model, library_version, models, processes, pull,
                        quantize, remove_model)
from .results import Result, Stats
from .session import Session
from .stream import AsyncStream, Stream
from .tokenizer import Tokenizer

__version__ = "0.1.0"

__all__ = [
    "AsyncStream", "CancelledError", "ClosedError", "ContextFullError", "CorruptError", "Engine", "InternalError",
    "InvalidArgumentError", "LibraryNotFoundError", "NotFoundError", "OutOfMemoryError", "PhialError", "PhialOSError",
    "PhialWarning", "Result", "Session", "Stats", "Stream", "Tokenizer", "UnsupportedError", "describe", "devices", "doctor",
    "explain", "export", "find_model", "library_version", "models", "processes", "pull", "quantize", "remove_model",
]
