# SPDX-License-Identifier: Apache-2.0
"""libphial through ctypes: where it lies, which functions it has, and what they hand out. Not for users.

ctypes releases the GIL while the library works.
"""
from __future__ import annotations

import ctypes as c
import functools
import importlib.util
import os
import pathlib
import sys
from typing import Any, Callable

from . import _structs as s
from .errors import LibraryNotFoundError, error_of

_HERE = pathlib.Path(__file__).resolve().parent
_P = c.c_void_p
_OUT = c.POINTER(c.c_void_p)
_SIZE_OUT = c.POINTER(c.c_size_t)
_IDS = c.POINTER(c.c_int32)
_GENERATE = (c.POINTER(s.GenerateParams), _P, _P, _P, _OUT)

# Functions that return phial_error*: a failure becomes an exception.
_CHECKED: dict[str, tuple[Any, ...]] = {
    "phial_devices": (_OUT,),
    "phial_doctor": (_OUT,),
    "phial_processes": (_OUT,),
    "phial_explain": (c.c_char_p, c.POINTER(s.ModelOptions), c.c_int32, _OUT),
    "phial_cache_list": (_OUT,),
    "phial_cache_clear": (c.POINTER(c.c_uint64),),
    "phial_tokenizer_open": (c.c_char_p, _OUT),
    "phial_tokenizer_encode": (_P, c.c_char_p, c.c_size_t, c.c_uint, _OUT, _SIZE_OUT),
    "phial_tokenizer_decode": (_P, _IDS, c.c_size_t, c.c_int, _OUT, _SIZE_OUT),
    "phial_tokenizer_render_chat": (_P, c.c_char_p, c.c_int, _OUT, _SIZE_OUT),
    "phial_tokenizer_encode_chat": (_P, c.c_char_p, c.c_int, _OUT, _SIZE_OUT),
    "phial_model_open": (c.c_char_p, c.POINTER(s.ModelOptions), _OUT),
    "phial_model_synthetic": (c.c_char_p, c.POINTER(s.QuantizeOptions), c.c_int32, c.c_uint64,
                              c.POINTER(s.ModelOptions), _OUT),
    "phial_model_describe": (_P, _OUT),
    "phial_package_describe": (c.c_char_p, _OUT),
    "phial_generate": (_P, c.c_char_p, c.c_size_t, *_GENERATE),
    "phial_generate_ids": (_P, _IDS, c.c_size_t, *_GENERATE),
    "phial_chat_new": (_P, _OUT),
    "phial_chat_set_messages": (_P, c.c_char_p),
    "phial_chat_reply": (_P, *_GENERATE),
    "phial_session_new": (_P, _OUT),
    "phial_session_step": (_P, _IDS, c.c_size_t, _P, c.c_int, _P, _P),
    "phial_session_truncate": (_P, c.c_int32),
    "phial_quantize": (c.c_char_p, c.c_char_p, c.POINTER(s.QuantizeOptions), s.ProgressCallback, _P, _P),
    "phial_models_list": (_OUT,),
    "phial_models_find": (c.c_char_p, _OUT),
    "phial_models_remove": (c.c_char_p, _OUT),
    "phial_pull": (c.c_char_p, c.POINTER(s.PullOptions), s.ProgressCallback, _P, _P, _OUT),
    "phial_export": (c.c_char_p, c.c_char_p, _OUT),
}

_PLAIN: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "phial_version": (c.c_char_p, ()),
    "phial_error_code": (c.c_int, (_P,)),
    "phial_error_message": (c.c_char_p, (_P,)),
    "phial_error_free": (None, (_P,)),
    "phial_free": (None, (_P,)),
    "phial_peak_rss_bytes": (c.c_uint64, ()),
    "phial_tokenizer_close": (None, (_P,)),
    "phial_tokenizer_vocab_size": (c.c_int32, (_P,)),
    "phial_model_options_init": (None, (c.POINTER(s.ModelOptions), c.c_size_t)),
    "phial_quantize_options_init": (None, (c.POINTER(s.QuantizeOptions), c.c_size_t)),
    "phial_pull_options_init": (None, (c.POINTER(s.PullOptions), c.c_size_t)),
    "phial_generate_params_init": (None, (c.POINTER(s.GenerateParams), c.c_size_t)),
    "phial_model_close": (None, (_P,)),
    "phial_model_tokenizer": (_P, (_P,)),
    "phial_chat_free": (None, (_P,)),
    "phial_session_free": (None, (_P,)),
    "phial_session_length": (c.c_int32, (_P,)),
    "phial_session_vocab": (c.c_int32, (_P,)),
    "phial_result_text": (_P, (_P, _SIZE_OUT)),
    "phial_result_ids": (_IDS, (_P, _SIZE_OUT)),
    "phial_result_finish_reason": (c.c_char_p, (_P,)),
    "phial_result_stop_id": (c.c_int32, (_P,)),
    "phial_result_stop_string": (c.c_char_p, (_P,)),
    "phial_result_stats": (None, (_P, c.POINTER(s.Stats))),
    "phial_result_free": (None, (_P,)),
}


def places() -> list[pathlib.Path]:
    """Where libphial may lie: PHIAL_LIBRARY alone if it is set, else in this package and beside a build of it."""
    named = os.environ.get("PHIAL_LIBRARY")
    if named:
        return [pathlib.Path(named)]
    names = {"win32": ["libphial.dll", "phial.dll"], "darwin": ["libphial.0.dylib"]}.get(sys.platform, ["libphial.so.0"])
    return [_HERE / folder / name for folder in ("lib", "bin") for name in names]


# Runtimes that are Python packages, the variable that names one to the plug-ins, and where in the package the library lies.
_RUNTIMES = (("openvino", "PHIAL_OPENVINO_LIB", "libs"), ("onnxruntime", "PHIAL_ONNXRUNTIME_LIB", "capi"),
             ("onnxruntime_genai", "PHIAL_ORT_GENAI_LIB", "."))


def _name_runtimes() -> None:
    """This Python's own packages come before those that the plug-ins would find by themselves, and are found wherever they are
    on sys.path. What the user has set stays."""
    for package, variable, folder in _RUNTIMES:
        if os.environ.get(variable):
            continue
        try:
            spec = importlib.util.find_spec(package)
        except (ImportError, ValueError):
            continue
        for place in (spec and spec.submodule_search_locations) or ():
            libraries = pathlib.Path(place) / folder
            if any(libraries.glob(f"*{package.replace('_', '-')}*.so*")) or any(libraries.glob(f"*{package}*.dll")):
                os.environ[variable] = str(libraries.resolve())
                break


def _load() -> c.CDLL:
    _name_runtimes()
    tried = []
    for place in places():
        if place.is_file():
            try:
                return c.CDLL(str(place))
            except OSError as why:
                tried.append(str(why))
        else:
            tried.append(f"{place}: there is no such file")
    if not os.environ.get("PHIAL_LIBRARY") and sys.platform not in ("win32", "darwin"):
        try:
            return c.CDLL("libphial.so.0")  # installed for the whole system
        except OSError as why:
            tried.append(str(why))
    raise LibraryNotFoundError("phial's library wasn't found or can't be loaded: " + "; ".join(tried)
                               + ". Install the phial package again, or name the library in PHIAL_LIBRARY")


class Library:
    """The loaded library: its functions as attributes."""

    def __init__(self) -> None:
        loaded = _load()
        for name, (result, arguments) in _PLAIN.items():
            setattr(self, name, self._function(loaded, name, result, arguments))
        for name, arguments in _CHECKED.items():
            function = self._function(loaded, name, c.c_void_p, arguments)
            function.errcheck = self._check
            setattr(self, name, function)
        # Used as a callback, never called from Python.
        self.interrupt_flag = c.cast(loaded.phial_interrupt_flag, c.c_void_p)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise AttributeError(name)

    @staticmethod
    def _function(loaded: c.CDLL, name: str, result: Any, arguments: tuple[Any, ...]) -> Any:
        try:
            function = getattr(loaded, name)
        except AttributeError:
            raise LibraryNotFoundError(f"{loaded._name}: it has no function {name}, so it belongs to another version "
                                       "of phial than this Python package") from None
        function.restype = result
        function.argtypes = arguments
        return function

    def _check(self, error: int | None, _function: object, _arguments: object) -> None:
        if error:
            try:
                code = self.phial_error_code(error)
                message = self.phial_error_message(error).decode("utf-8", "replace")
            finally:
                self.phial_error_free(error)
            raise error_of(code, message)

    def text(self, pointer: c.c_void_p, length: int | None = None) -> str:
        """A text that was handed out; it is freed."""
        try:
            data = c.string_at(pointer) if length is None else c.string_at(pointer, length)
            return data.decode("utf-8", "replace")
        finally:
            self.phial_free(pointer)

    def ids(self, pointer: c.c_void_p, n: int) -> list[int]:
        """Token ids that were handed out; they are freed."""
        try:
            return c.cast(pointer, _IDS)[:n] if n else []
        finally:
            self.phial_free(pointer)


@functools.lru_cache(maxsize=1)
def library() -> Library:
    """The library, loaded when it is first needed."""
    return Library()
