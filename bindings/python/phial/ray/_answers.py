# SPDX-License-Identifier: Apache-2.0
"""One engine in a process of Ray's, and single answers from it. Not for users."""
from __future__ import annotations

import ctypes as c
import json
from typing import Any, Mapping

from .. import _convert as convert
from .._library import library
from .._work import Flag
from ..engine import Engine, _run
from ..errors import CancelledError, ClosedError, InternalError, OutOfMemoryError, PhialError
from ..results import Result

#: What isn't the asker's fault, and may go well in another process.
NOT_THE_ROWS_FAULT = (CancelledError, ClosedError, InternalError, OutOfMemoryError)

FIELDS = ("text", "finish_reason", "prompt_tokens", "generated_tokens")


def open_engine(model: str, options: Mapping[str, Any]) -> Engine:
    """With as many threads as Ray gave this actor CPUs, where they aren't named."""
    given = dict(options)
    if not given.get("threads"):
        given["threads"] = _cpus_of_this_actor()
    return Engine(model, **given)


def _cpus_of_this_actor() -> int:
    """0: Ray doesn't say, or this is no actor."""
    import ray

    context = ray.get_runtime_context() if ray.is_initialized() else None
    cpus = context.get_assigned_resources().get("CPU", 0) if context and context.get_actor_id() else 0
    return max(1, int(cpus)) if cpus else 0


def chat_alone(engine: Engine, messages: Any, params: Mapping[str, Any]) -> Result:
    """An answer that knows no other conversation, as `phial batch` gives it: the same bytes whatever came before."""
    data = convert.c_text("messages", json.dumps(messages))
    checked = convert.generate_params(params)
    lib = library()
    with engine._handle().use() as model:
        chat = c.c_void_p()
        lib.phial_chat_new(model, chat)
        try:
            lib.phial_chat_set_messages(chat, data)
            return _run(lambda *rest: lib.phial_chat_reply(chat, *rest), checked, Flag(), None)
        finally:
            lib.phial_chat_free(chat)


def record_of(engine: Engine, prompt: str | None, messages: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """`FIELDS`, or ``error``; a prompt is continued as it is."""
    try:
        if prompt is not None:
            result = engine.generate(prompt, **params)
            assert isinstance(result, Result)
        else:
            result = chat_alone(engine, messages, params)
    except NOT_THE_ROWS_FAULT:
        raise
    except (PhialError, TypeError, ValueError) as error:
        return {"error": str(error)}
    return {"text": result.text, "finish_reason": result.finish_reason, "prompt_tokens": result.stats.prompt_tokens,
            "generated_tokens": result.stats.generated_tokens}
