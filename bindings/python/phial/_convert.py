# SPDX-License-Identifier: Apache-2.0
"""Python's values as the C interface wants them. Not for users. Types are checked here, ranges by the library."""
from __future__ import annotations

import ctypes as c
import json
import operator
import os
from typing import Any, Iterable, Mapping, Sequence, Union

from . import _structs as s
from ._library import library
from .errors import InvalidArgumentError

Path = Union[str, "os.PathLike[str]"]
Messages = Union[str, Sequence[Mapping[str, Any]]]
Settings = Union[Mapping[str, object], Iterable[str]]


def whole(name: str, value: object, bits: int = 32, signed: bool = True) -> int:
    """An int that fits, or an exception: ctypes itself would cut it."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}") from None
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not low <= number <= high:
        raise InvalidArgumentError(f"{name} is {number}, expected {low} to {high}")
    return number


def number(name: str, value: object) -> float:
    if isinstance(value, str) or not hasattr(value, "__float__") and not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")
    return float(value)  # type: ignore[arg-type]


def encoded(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, not {type(value).__name__}")
    return value.encode("utf-8", "surrogatepass")  # the library makes U+FFFD of what isn't UTF-8


def c_text(name: str, value: object) -> bytes:
    """A text that ends at a zero byte, and so can't hold one."""
    data = encoded(name, value)
    if b"\0" in data:
        raise InvalidArgumentError(f"{name} has a zero byte in it")
    return data


def path_bytes(name: str, value: Path) -> bytes:
    data = os.fsencode(os.fspath(value)) if os.name != "nt" else str(os.fspath(value)).encode()
    if b"\0" in data:
        raise InvalidArgumentError(f"{name} has a zero byte in it")
    return data


def id_array(name: str, ids: Iterable[object]) -> tuple[Any, int]:
    if isinstance(ids, (str, bytes)):
        raise TypeError(f"{name} must be token ids, not {type(ids).__name__}")
    values = [whole(name, i) for i in ids]
    return (c.c_int32 * max(1, len(values)))(*values), len(values)


def messages_json(messages: Messages) -> bytes:
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if not isinstance(messages, Sequence) or not all(isinstance(m, Mapping) for m in messages):
        raise TypeError('messages must be a text or a list of {"role": ..., "content": ...}')
    return c_text("messages", json.dumps([dict(m) for m in messages if not isinstance(m, str)]))


def setting_texts(settings: Settings) -> list[str]:
    """"KEY=VALUE" each, from a mapping or as they are."""
    if isinstance(settings, str):
        raise TypeError('settings must be a dict, or a list of "KEY=VALUE"')
    if isinstance(settings, Mapping):
        return [f"{key}={value}" for key, value in settings.items()]
    return list(settings)


# What generate(), chat() and stream() take by keyword, with what each is.
_INTS = ("max_new_tokens", "top_k")
_FLOATS = ("temperature", "top_p", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty")
_BOOLS = ("ignore_eos", "keep_special")


def generate_params(given: Mapping[str, Any]) -> s.GenerateParams:
    params = s.GenerateParams()
    library().phial_generate_params_init(params, c.sizeof(params))
    for name, value in given.items():
        if value is None:
            continue  # the default
        if name in _INTS:
            setattr(params, name, whole(name, value))
        elif name in _FLOATS:
            setattr(params, name, number(name, value))
        elif name in _BOOLS:
            setattr(params, name, 1 if value else 0)
        elif name == "speculate":
            params.speculate = c_text("speculate", value)
        elif name == "seed":
            params.seed = whole(name, value, bits=64, signed=False)
        elif name == "stop":
            if isinstance(value, str):
                value = [value]
            params.kept = stop = s.texts([c_text("stop", text) for text in value])
            params.stop = c.cast(stop, c.POINTER(c.c_char_p))
            params.n_stop = len(value)
        else:
            known = ", ".join(sorted((*_INTS, *_FLOATS, *_BOOLS, "seed", "speculate", "stop")))
            raise TypeError(f"there is no parameter '{name}': there are {known}")
    return params


def model_options(given: Mapping[str, Any]) -> s.ModelOptions:
    """Everything but the notice function."""
    options = s.ModelOptions()
    library().phial_model_options_init(options, c.sizeof(options))
    options.device = c_text("device", given["device"])
    for name in ("kv_cache", "activations", "policy"):
        if given[name] is not None:
            setattr(options, name, c_text(name, given[name]))
    for name in ("context", "max_sequences", "threads", "prefill_chunk", "prompt_tokens"):
        setattr(options, name, whole(name, given[name]))
    options.require_device = 1 if given["require_device"] else 0
    options.kept = settings = s.texts([c_text("settings", text) for text in given["settings"]])
    options.settings = c.cast(settings, c.POINTER(c.c_char_p))
    options.n_settings = len(given["settings"])
    return options


def quantize_options(weight_format: str, group_size: int, ratio: float, symmetric: bool | None, all_layers: bool,
                     threads: int, overwrite: bool) -> s.QuantizeOptions:
    options = s.QuantizeOptions()
    library().phial_quantize_options_init(options, c.sizeof(options))
    options.weight_format = c_text("weight_format", weight_format)
    options.group_size = whole("group_size", group_size)
    options.ratio = number("ratio", ratio)
    options.symmetric = -1 if symmetric is None else int(bool(symmetric))
    options.all_layers = int(bool(all_layers))
    options.threads = whole("threads", threads)
    options.overwrite = int(bool(overwrite))
    return options
