# SPDX-License-Identifier: Apache-2.0
"""Requests and answers as OpenAI's API has them. Not for users."""
from __future__ import annotations

import secrets
import time
from typing import Any, Iterator, Mapping

from ..results import Result

# Ours come second: a request may use either name.
_NAMES = {"max_completion_tokens": "max_new_tokens", "max_tokens": "max_new_tokens"}
_SAME = ("max_new_tokens", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "presence_penalty",
         "frequency_penalty", "seed", "stop", "ignore_eos", "keep_special", "speculate")
# What would change the answer and can't be done; the rest of what is unknown is let pass.
_REFUSED = {"n": 1, "best_of": 1, "logprobs": False, "top_logprobs": 0, "logit_bias": {}, "tools": [], "functions": [],
            "echo": False, "suffix": ""}


class Asked:
    """A request, checked as far as shapes go, and the answers to it."""

    def __init__(self, body: Any, *, chat: bool, model: str) -> None:
        if not isinstance(body, dict):
            raise ValueError("expected a JSON object")
        for name, harmless in _REFUSED.items():
            if body.get(name) not in (None, harmless):
                raise ValueError(f"'{name}' isn't supported")
        self.stream = bool(body.get("stream"))
        self._with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        self.params = {name: body[name] for name in _SAME if body.get(name) is not None}
        self.params.update({ours: body[name] for name, ours in _NAMES.items() if body.get(name) is not None})
        if self.params.get("temperature") and "seed" not in self.params:
            self.params["seed"] = secrets.randbits(63)
        self.prompt: Any = _messages(body.get("messages")) if chat else body.get("prompt")
        if not chat and not isinstance(self.prompt, str):
            raise ValueError("'prompt' must be a text")
        self._chat = chat
        kind = "chat.completion" if chat else "text_completion"
        self._base = {"id": ("chatcmpl-" if chat else "cmpl-") + secrets.token_hex(12),
                      "object": kind + (".chunk" if chat and self.stream else ""), "created": int(time.time()), "model": model}

    def whole(self, result: Result) -> dict[str, Any]:
        text = {"message": {"role": "assistant", "content": result.text}} if self._chat else {"text": result.text}
        return {**self._base, "choices": [{"index": 0, **text, "logprobs": None, "finish_reason": result.finish_reason}],
                "usage": _usage(result)}

    def piece(self, text: str, *, begins: bool = False) -> dict[str, Any]:
        delta = {"role": "assistant", "content": text} if begins else {"content": text}
        return self._chunk({"delta": delta} if self._chat else {"text": text}, None)

    def ends(self, result: Result) -> Iterator[dict[str, Any]]:
        yield self._chunk({"delta": {}} if self._chat else {"text": ""}, result.finish_reason)
        if self._with_usage:
            yield {**self._base, "choices": [], "usage": _usage(result)}

    def _chunk(self, what: Mapping[str, Any], finish_reason: str | None) -> dict[str, Any]:
        return {**self._base, "choices": [{"index": 0, **what, "logprobs": None, "finish_reason": finish_reason}]}


def error(status: int, sentence: str) -> dict[str, Any]:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": sentence, "type": kind, "param": None, "code": None}}


def model_list(model: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": model, "object": "model", "created": 0, "owned_by": "phial"}]}


def _usage(result: Result) -> dict[str, int]:
    prompt, answer = result.stats.prompt_tokens, result.stats.generated_tokens
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _messages(messages: Any) -> list[dict[str, Any]]:
    """Contents may come as a list of texts."""
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise ValueError("'messages' must be a list of {\"role\": ..., \"content\": ...}")
    return [{**m, "content": _text(m.get("content"))} for m in messages]


def _text(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    if not all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        raise ValueError("only parts with \"type\": \"text\" can be read")
    return "".join(str(part.get("text", "")) for part in content)
