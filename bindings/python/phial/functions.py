# SPDX-License-Identifier: Apache-2.0
"""What needs no open model: packages, models by name, devices."""
from __future__ import annotations

import ctypes as c
import json
from typing import Any, Callable

from . import _convert as convert
from . import _structs as s
from ._library import library
from ._work import Flag, Work

__all__ = ["describe", "devices", "doctor", "explain", "export", "find_model", "library_version", "models", "processes", "pull",
           "quantize", "remove_model"]

#: Called with bytes done, bytes in all, and what is being worked on.
Progress = Callable[[int, int, str], object]


def library_version() -> str:
    """The version of the library itself, which should be that of this package."""
    return str(library().phial_version().decode())


def devices() -> dict[str, Any]:
    """This computer: CPU, memory, kernels, and ``devices`` with ``id``, ``kind``, ``usable`` and ``why_not``."""
    return _json("phial_devices")  # type: ignore[no-any-return]


def doctor() -> dict[str, Any]:
    """Checks the whole chain that a model needs: ``healthy``, ``checks``, and what to do ``next``."""
    return _json("phial_doctor")  # type: ignore[no-any-return]


def processes() -> list[dict[str, Any]]:
    """The models that this user's programs have open now."""
    return _json("phial_processes")  # type: ignore[no-any-return]


def explain(model: convert.Path, *, device: str = "auto", require_device: bool = False, context: int = 0,
            max_sequences: int = 1, threads: int = 0, kv_cache: str | None = None, policy: str | None = None,
            prompt_tokens: int = 0, settings: convert.Settings = (), measure: bool = False) -> dict[str, Any]:
    """Where a model would run and why, what it would need and how fast it would be; nothing is opened.

    `phial explain`: ``placement``, ``devices``, ``memory``, ``expected``. ``measure``: how fast the processor reads is measured
    if it isn't known yet, which takes about a second.
    """
    options = convert.model_options({
        "device": device, "require_device": require_device, "context": context, "max_sequences": max_sequences,
        "threads": threads, "kv_cache": kv_cache, "policy": policy, "prompt_tokens": prompt_tokens, "prefill_chunk": 0,
        "activations": None, "settings": convert.setting_texts(settings)})
    folder = convert.path_bytes("model", find_model(model))
    return _json("phial_explain", folder, options, int(bool(measure)))  # type: ignore[no-any-return]


def describe(folder: convert.Path) -> dict[str, Any]:
    """What is known of a package or a Hugging Face folder, without loading it for use."""
    return _json("phial_package_describe", convert.path_bytes("folder", folder))  # type: ignore[no-any-return]


def models() -> dict[str, Any]:
    """The models of this user (``models``), and the names that phial knows (``known``)."""
    return _json("phial_models_list")  # type: ignore[no-any-return]


def find_model(name: convert.Path) -> str:
    """The folder that a name means; a folder means itself."""
    folder = c.c_void_p()
    library().phial_models_find(convert.path_bytes("name", name), folder)
    return library().text(folder)


def remove_model(name: str) -> dict[str, Any]:
    """Removes a model of this user; says which."""
    return _json("phial_models_remove", convert.c_text("name", name))  # type: ignore[no-any-return]


def export(package: convert.Path, to: str = "openvino") -> list[dict[str, Any]]:
    """Makes anew the files with which "openvino", "ort-genai", "ort-genai:dml" or "ort-genai:cuda" opens a package."""
    return _json("phial_export", convert.path_bytes("package", package), convert.c_text("to", to))  # type: ignore[no-any-return]


def quantize(source: convert.Path, destination: convert.Path, *, weight_format: str = "int4", group_size: int = 128,
             ratio: float = 1.0, symmetric: bool | None = None, all_layers: bool = False, threads: int = 0,
             overwrite: bool = False, progress: Progress | None = None) -> None:
    """Makes a package of a Hugging Face folder: `phial quantize`, with optimum-cli's words.

    ``symmetric`` None: int4 symmetric, int8 asymmetric. The destination appears whole or not at all; Ctrl-C, or an exception
    of `progress`, leaves nothing.
    """
    options = convert.quantize_options(weight_format, group_size, ratio, symmetric, all_layers, threads, overwrite)
    source_bytes = convert.path_bytes("source", source)
    destination_bytes = convert.path_bytes("destination", destination)

    def run(flag: Flag, emit: Callable[[Any], None]) -> None:
        lib = library()
        lib.phial_quantize(source_bytes, destination_bytes, options, _emitting(emit), lib.interrupt_flag, flag.pointer)

    Work(run).result(progress and (lambda item: progress(*item)))


def pull(name: str, *, weight_format: str = "int4", group_size: int = 128, ratio: float = 1.0,
         symmetric: bool | None = None, all_layers: bool = False, connections: int = 4, keep: bool = False,
         offline: bool = False, progress: Progress | None = None) -> dict[str, Any]:
    """Downloads a model ("phi-4-mini", "owner/name:int8") and quantizes it while it comes, unless it is there: `phial pull`.

    Gives ``name``, ``folder``, ``bytes`` and ``was_there``. What came is kept when this is stopped.
    """
    recipe = convert.quantize_options(weight_format, group_size, ratio, symmetric, all_layers, 0, False)
    options = s.PullOptions()
    library().phial_pull_options_init(options, c.sizeof(options))
    options.recipe = c.pointer(recipe)
    options.connections = convert.whole("connections", connections)
    options.keep = int(bool(keep))
    options.offline = int(bool(offline))
    name_bytes = convert.c_text("name", name)

    def run(flag: Flag, emit: Callable[[Any], None]) -> dict[str, Any]:
        lib = library()
        return _json("phial_pull", name_bytes, options, _emitting(emit), lib.interrupt_flag,  # type: ignore[no-any-return]
                     flag.pointer)

    return Work(run).result(progress and (lambda item: progress(*item)))


def _emitting(emit: Callable[[Any], None]) -> Any:
    def on_progress(_user: object, done: int, total: int, current: bytes) -> None:
        emit((done, total, current.decode("utf-8", "replace")))

    return s.ProgressCallback(on_progress)


def _json(function: str, *arguments: Any) -> Any:
    lib = library()
    text = c.c_void_p()
    getattr(lib, function)(*arguments, text)
    return json.loads(lib.text(text))
