# SPDX-License-Identifier: Apache-2.0
"""What a generation gives: its text, its ids, why it ended and what it took."""
from __future__ import annotations

import ctypes as c
import dataclasses
from typing import Any

from . import _structs as s
from ._library import library

__all__ = ["Result", "Stats"]


@dataclasses.dataclass(frozen=True)
class Stats:
    """What one generation took."""

    prompt_tokens: int  #: of the whole prompt
    cached_tokens: int  #: of those, known from earlier turns
    generated_tokens: int  #: the stop token included
    threads: int
    prefill_seconds: float  #: prompt to first logits
    decode_seconds: float  #: all further steps
    first_token_seconds: float  #: call to first token
    peak_rss_bytes: int  #: of the process, so far
    device: str  #: "cpu", "openvino:CPU"
    tier: str  #: "avx512vnni", or what really executes: "OpenVINO 2026.4.1 on CPU"
    drafted_tokens: int = 0  #: guessed (``speculate``) and tried
    accepted_tokens: int = 0  #: of those, true
    placement: str = ""  #: why "auto" chose this device; empty: there was no choice

    @property
    def tokens_per_second(self) -> float:
        """Of the answer, its first token aside; 0 if there is none."""
        steps = self.generated_tokens - 1
        return steps / self.decode_seconds if steps > 0 and self.decode_seconds > 0 else 0.0


@dataclasses.dataclass(frozen=True)
class Result:
    """One answer; ``str(result)`` is its text."""

    text: str
    ids: tuple[int, ...]  #: of the text, without the stop token
    finish_reason: str  #: "stop", "length" or "cancelled"
    stop_id: int | None  #: the token that ended it
    stop_string: str | None  #: the text that ended it
    stats: Stats = dataclasses.field(repr=False)

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return dataclasses.asdict(self)


def take_result(handle: c.c_void_p) -> Result:
    """The values of a phial_result, which is freed."""
    lib = library()
    try:
        n = c.c_size_t()
        text = c.string_at(lib.phial_result_text(handle, n), n.value).decode("utf-8", "replace")
        ids = lib.phial_result_ids(handle, n)
        stop_id = lib.phial_result_stop_id(handle)
        stats = s.Stats(size=c.sizeof(s.Stats))
        lib.phial_result_stats(handle, stats)
        return Result(
            text=text,
            ids=tuple(ids[: n.value]) if n.value else (),
            finish_reason=lib.phial_result_finish_reason(handle).decode(),
            stop_id=stop_id if stop_id >= 0 else None,
            stop_string=lib.phial_result_stop_string(handle).decode("utf-8", "replace") or None,
            stats=Stats(stats.prompt_tokens, stats.cached_tokens, stats.generated_tokens, stats.threads,
                        stats.prefill_seconds, stats.decode_seconds, stats.first_token_seconds, stats.peak_rss_bytes,
                        stats.device.decode(), stats.tier.decode(), stats.drafted_tokens, stats.accepted_tokens,
                        (stats.placement or b"").decode("utf-8", "replace")))
    finally:
        lib.phial_result_free(handle)
