# SPDX-License-Identifier: Apache-2.0
"""A model that is open on a device: text in, text out. Streams are in stream.py, token ids in tokenizer.py and session.py."""
from __future__ import annotations

import asyncio
import contextlib
import ctypes as c
import json
import logging
import os
import threading
import warnings
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence, TypeVar, overload

from . import _convert as convert
from . import _structs as s
from ._chats import Chats
from ._handles import Handle
from ._library import library
from ._work import Event, Flag, Work
from .errors import PhialWarning
from .results import Result, take_result
from .stream import AsyncStream, Stream
from .tokenizer import TokenizerMethods

__all__ = ["Engine"]

T = TypeVar("T")
OnNotice = Callable[[str, str], None]
_KINDS = {0: "info", 1: "warning", 2: "progress"}
_log = logging.getLogger("phial")


class Engine(TokenizerMethods):
    """A model, opened from a folder (a package of ``phial quantize``, or a Hugging Face folder) or by its name.

    ``device``: "auto", "cpu" (phial's own engine), "gpu", "npu", "openvino:GPU.0", "ort:cpu", "dml", "cuda", ...; where it
    can't run the model another one does, and a `PhialWarning` says why, unless ``require_device``. ``policy`` ("auto", "fast",
    "efficient") is how "auto" chooses, ``prompt_tokens`` about how long prompts will be, ``activations`` ("int8", "int16") what
    the CPU engine may round to. ``settings`` are for the
    runtime behind a device: a dict, or "KEY=VALUE" texts. ``on_notice(kind, text)`` gets what the library has to tell, with
    kind "info", "warning" or "progress", instead of Python's warnings and the logger "phial".

    An engine may be used by any number of threads: their calls wait for each other, without the GIL. It is pickled as its
    path and options, and opens again where it is unpickled. ``close()``, or leaving a ``with``, stops what runs.
    """

    def __init__(self, path: convert.Path, device: str = "auto", *, require_device: bool = False, context: int = 0,
                 max_sequences: int = 1, threads: int = 0, kv_cache: str | None = None, prefill_chunk: int = 0,
                 activations: str | None = None, policy: str | None = None, prompt_tokens: int = 0,
                 settings: convert.Settings = (), on_notice: OnNotice | None = None) -> None:
        self.path = os.fspath(path)
        self._options: dict[str, Any] = {
            "device": device, "require_device": require_device, "context": context, "max_sequences": max_sequences,
            "threads": threads, "kv_cache": kv_cache, "prefill_chunk": prefill_chunk,
            "activations": activations, "policy": policy, "prompt_tokens": prompt_tokens, "settings": convert.setting_texts(settings), "on_notice": on_notice}
        self._totals = _Totals()
        self._lock = threading.Lock()
        self._running: set[Flag] = set()
        opened = _Opened(self._options)
        name = convert.path_bytes("path", path)
        # Opening can't be interrupted: after Ctrl-C it ends by itself, and what it opened is closed.
        self._model, self._facts = Work(lambda flag, emit: opened.open(name)).result(wait=False)
        self._chats = opened.chats
        for kind, text in opened.early_notices():
            _tell(on_notice, kind, text)

    # ---- Generating ----

    @overload
    def generate(self, prompt: str, **params: Any) -> Result: ...
    @overload
    def generate(self, prompt: Sequence[str], **params: Any) -> list[Result]: ...

    def generate(self, prompt: str | Sequence[str], **params: Any) -> Result | list[Result]:
        """Continues a text as it is, without the chat template; a list of texts gives a list of results.

        Parameters, all by keyword: ``max_new_tokens`` (default: until the model stops or the context is full),
        ``temperature`` (0: always the likeliest token), ``top_k``, ``top_p``, ``min_p``, ``repetition_penalty``,
        ``presence_penalty``, ``frequency_penalty``, ``seed``, ``stop`` (a text or several that end the answer),
        ``ignore_eos``, ``speculate`` ("ngram": sooner where the answer quotes), ``keep_special`` (special tokens appear in the text).
        """
        work: Work[Result | list[Result]] = Work(self._generating(prompt, params))
        return work.result()

    def generate_ids(self, ids: Iterable[int], **params: Any) -> Result:
        """The same from token ids."""
        return Work(self._call_on_ids(ids, params)).result()

    def chat(self, messages: convert.Messages, **params: Any) -> Result:
        """The assistant's answer to ``[{"role": "user", "content": "..."}, ...]``, or to a text alone.

        Written with the model's own chat template. What the model still knows of the same conversation isn't computed
        again.
        """
        return Work(self._chatting(messages, params)).result()

    def stream(self, prompt: convert.Messages, **params: Any) -> Stream:
        """An iterator over the answer's text in pieces: `generate` for a text, `chat` for a list of messages.

        Its ``result`` is there after the last piece. Leaving the loop early and ``close()`` stop the answer.
        """
        return Stream(self._streaming(prompt, params))

    async def agenerate(self, prompt: str | Sequence[str], **params: Any) -> Result | list[Result]:
        """`generate` for asyncio; a cancelled task stops the answer."""
        return await _wait(self._generating(prompt, params))

    async def achat(self, messages: convert.Messages, **params: Any) -> Result:
        """`chat` for asyncio."""
        return await _wait(self._chatting(messages, params))

    def astream(self, prompt: convert.Messages, **params: Any) -> AsyncStream:
        """`stream` for ``async for``."""
        return AsyncStream(self._streaming(prompt, params))

    def cancel(self) -> None:
        """Stops what runs or waits on this engine now: those answers end with the finish reason "cancelled"."""
        with self._lock:
            for flag in self._running:
                flag.set()

    # ---- What it is ----

    def describe(self) -> dict[str, Any]:
        """Everything that is known of the model and the session, as `phial show --json` has it."""
        return json.loads(self._facts)  # type: ignore[no-any-return]

    @property
    def device(self) -> str:
        """The device that runs the model, which may be another than was asked for."""
        return str(self.describe()["session"]["device"])

    @property
    def context(self) -> int:
        """Tokens that fit, prompt and answer."""
        return int(self.describe()["session"]["context"])

    def statistics(self) -> dict[str, float]:
        """Sums over all answers so far: calls, tokens and seconds."""
        return self._totals.values()

    # ---- Its life ----

    @property
    def closed(self) -> bool:
        return self._model.closed

    def close(self) -> None:
        """Stops what runs, and releases the model when the last call has ended. May be called more than once."""
        self._model.close()
        self.cancel()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _open_again, (self.path, self._options)

    def __repr__(self) -> str:
        return f"phial.Engine({self.path!r}, {'closed' if self.closed else 'device=' + repr(self.device)})"

    # ---- Inside ----

    def _handle(self) -> Handle:
        return self._model

    def _tokenizer_of(self, model: c.c_void_p) -> c.c_void_p | None:
        return library().phial_model_tokenizer(model)  # type: ignore[no-any-return]

    @contextlib.contextmanager
    def _use_for_call(self, flag: Flag) -> Iterator[c.c_void_p]:
        with self._model.use() as model:
            with self._lock:
                self._running.add(flag)
            if self._model.closed:  # between the two lines above, so that close() didn't see this call
                flag.set()
            try:
                yield model
            finally:
                with self._lock:
                    self._running.discard(flag)

    # Each of these checks its arguments now, on the caller's thread, and gives what is to be done on another.

    def _generating(self, prompt: str | Sequence[str],
                    given: Mapping[str, Any]) -> Callable[[Flag, Callable[[str], None]], Any]:
        if isinstance(prompt, str):
            return self._call("phial_generate", convert.encoded("prompt", prompt), None, given)
        if not isinstance(prompt, Sequence) or isinstance(prompt, (bytes, bytearray)):
            raise TypeError(f"prompt must be a text or a list of texts, not {type(prompt).__name__}")
        calls = [self._call("phial_generate", convert.encoded("prompt", text), None, given) for text in prompt]
        return lambda flag, emit: [call(flag, _ignore) for call in calls]

    def _call_on_ids(self, ids: Iterable[int], given: Mapping[str, Any]) -> Callable[[Flag, Callable[[str], None]], Result]:
        array, n = convert.id_array("ids", ids)
        return self._call("phial_generate_ids", array, n, given)

    def _call(self, name: str, data: Any, length: int | None, given: Mapping[str, Any],
              streamed: bool = False) -> Callable[[Flag, Callable[[str], None]], Result]:
        params = convert.generate_params(given)
        n = len(data) if length is None else length

        def run(flag: Flag, emit: Callable[[str], None]) -> Result:
            with self._use_for_call(flag) as model:
                function = getattr(library(), name)
                result = _run(lambda *rest: function(model, data, n, *rest), params, flag, emit if streamed else None)
            self._totals.add(result)
            return result

        return run

    def _chatting(self, messages: convert.Messages, given: Mapping[str, Any],
                  streamed: bool = False) -> Callable[[Flag, Callable[[str], None]], Result]:
        data = convert.messages_json(messages)
        params = convert.generate_params(given)

        def run(flag: Flag, emit: Callable[[str], None]) -> Result:
            with self._use_for_call(flag) as model, self._chats.borrow(model, data) as chat:
                reply = library().phial_chat_reply
                result = _run(lambda *rest: reply(chat, *rest), params, flag, emit if streamed else None)
            self._totals.add(result)
            return result

        return run

    def _streaming(self, prompt: convert.Messages,
                   given: Mapping[str, Any]) -> Callable[[Flag, Callable[[str], None]], Result]:
        if isinstance(prompt, str):
            return self._call("phial_generate", convert.encoded("prompt", prompt), None, given, streamed=True)
        return self._chatting(prompt, given, streamed=True)


class _Opened:
    """Opens a model and keeps what must live as long as it: its notice function, and its chats."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.chats = Chats()
        self._options = options
        self._early: list[tuple[str, str]] | None = []

    def early_notices(self) -> list[tuple[str, str]]:
        early, self._early = self._early or [], None
        return early

    def open(self, path: bytes) -> tuple[Handle, str]:
        lib = library()
        given = self._options
        options = convert.model_options(given)
        on_notice = given["on_notice"]

        def notice(_user: object, kind: int, text: bytes) -> None:
            told = (_KINDS.get(kind, "info"), text.decode("utf-8", "replace"))
            if self._early is not None:  # told by the thread that opens the engine
                self._early.append(told)
            else:
                _tell(on_notice, *told)

        options.notice = callback = s.NoticeCallback(notice)
        folder = c.c_void_p()
        lib.phial_models_find(path, folder)
        model = c.c_void_p()
        try:
            lib.phial_model_open(c.cast(folder, c.c_char_p), options, model)
        finally:
            lib.phial_free(folder)
        chats = self.chats

        def release(pointer: c.c_void_p, _keep: object = callback) -> None:
            chats.free()
            lib.phial_model_close(pointer)

        handle = Handle("engine", model, release)
        facts = c.c_void_p()
        lib.phial_model_describe(model, facts)
        return handle, lib.text(facts)


class _Totals:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[str, float] = {"calls": 0, "prompt_tokens": 0, "cached_tokens": 0, "generated_tokens": 0,
                                        "prefill_seconds": 0.0, "decode_seconds": 0.0}

    def add(self, result: Result) -> None:
        with self._lock:
            for name in self._sums:
                self._sums[name] += 1 if name == "calls" else getattr(result.stats, name)

    def values(self) -> dict[str, float]:
        with self._lock:
            return dict(self._sums)


def _run(call: Callable[..., None], params: s.GenerateParams, flag: Flag, emit: Callable[[str], None] | None) -> Result:
    def on_text(_user: object, text: int, length: int) -> int:
        assert emit
        emit(c.string_at(text, length).decode("utf-8", "replace"))
        return 0

    lib = library()
    callback = s.TextCallback(on_text) if emit else None
    result = c.c_void_p()
    call(params, c.cast(callback, c.c_void_p) if callback else None, lib.interrupt_flag, flag.pointer, result)
    return take_result(result)


async def _wait(function: Callable[[Flag, Callable[[Any], None]], T]) -> T:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(event: Event) -> None:
        if not future.done():
            future.set_exception(event[1]) if event[0] == "failed" else future.set_result(event[1])

    def send(event: Event) -> None:
        try:
            loop.call_soon_threadsafe(settle, event)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    work = Work(function, send)
    try:
        return await future
    finally:
        work.stop()


def _tell(on_notice: OnNotice | None, kind: str, text: str) -> None:
    if on_notice:
        on_notice(kind, text)
    elif kind == "warning":
        warnings.warn(text, PhialWarning, stacklevel=3)
    elif kind == "info":
        _log.info("%s", text)


def _ignore(_piece: str) -> None:
    pass


def _open_again(path: str, options: dict[str, Any]) -> Engine:
    return Engine(path, **options)
