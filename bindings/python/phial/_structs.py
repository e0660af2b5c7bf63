# SPDX-License-Identifier: Apache-2.0
"""phial.h's structs and callback types for ctypes. Not for users; field by field as in the header."""
from __future__ import annotations

import ctypes as c
from typing import Any

TextCallback = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_size_t)
InterruptCallback = c.CFUNCTYPE(c.c_int, c.c_void_p)
ProgressCallback = c.CFUNCTYPE(None, c.c_void_p, c.c_uint64, c.c_uint64, c.c_char_p)
NoticeCallback = c.CFUNCTYPE(None, c.c_void_p, c.c_int32, c.c_char_p)


class ModelOptions(c.Structure):
    kept: object = None  # what `settings` points to

    _fields_ = [
        ("size", c.c_size_t),
        ("device", c.c_char_p),
        ("kv_cache", c.c_char_p),
        ("context", c.c_int32),
        ("max_sequences", c.c_int32),
        ("threads", c.c_int32),
        ("prefill_chunk", c.c_int32),
        ("require_device", c.c_int32),
        ("settings", c.POINTER(c.c_char_p)),
        ("n_settings", c.c_size_t),
        ("notice", NoticeCallback),
        ("notice_user", c.c_void_p),
        ("activations", c.c_char_p),
        ("policy", c.c_char_p),
        ("prompt_tokens", c.c_int32),
    ]


class QuantizeOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("weight_format", c.c_char_p),
        ("ratio", c.c_double),
        ("group_size", c.c_int32),
        ("symmetric", c.c_int32),
        ("all_layers", c.c_int32),
        ("threads", c.c_int32),
        ("overwrite", c.c_int32),
    ]


class PullOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("recipe", c.POINTER(QuantizeOptions)),
        ("connections", c.c_int32),
        ("keep", c.c_int32),
        ("offline", c.c_int32),
    ]


class GenerateParams(c.Structure):
    kept: object = None  # what `stop` points to

    _fields_ = [
        ("size", c.c_size_t),
        ("max_new_tokens", c.c_int32),
        ("temperature", c.c_float),
        ("top_k", c.c_int32),
        ("top_p", c.c_float),
        ("min_p", c.c_float),
        ("repetition_penalty", c.c_float),
        ("presence_penalty", c.c_float),
        ("frequency_penalty", c.c_float),
        ("seed", c.c_uint64),
        ("ignore_eos", c.c_int32),
        ("keep_special", c.c_int32),
        ("stop", c.POINTER(c.c_char_p)),
        ("n_stop", c.c_size_t),
        ("speculate", c.c_char_p),
    ]


class Stats(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("prompt_tokens", c.c_int32),
        ("cached_tokens", c.c_int32),
        ("generated_tokens", c.c_int32),
        ("threads", c.c_int32),
        ("prefill_seconds", c.c_double),
        ("decode_seconds", c.c_double),
        ("first_token_seconds", c.c_double),
        ("peak_rss_bytes", c.c_uint64),
        ("device", c.c_char_p),
        ("tier", c.c_char_p),
        ("drafted_tokens", c.c_int32),
        ("accepted_tokens", c.c_int32),
        ("placement", c.c_char_p),
    ]


def texts(values: list[bytes]) -> Any:
    """A C array of these texts; it must outlive the call that gets it."""
    return (c.c_char_p * max(1, len(values)))(*values)
