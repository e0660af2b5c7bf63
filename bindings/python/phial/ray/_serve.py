# SPDX-License-Identifier: Apache-2.0
"""A Ray Serve application that speaks OpenAI's chat completions."""
from __future__ import annotations

import json
import os
from typing import Any, AsyncIterator, Mapping

from ..errors import ClosedError, ContextFullError, PhialError
from ..results import Result
from ..stream import AsyncStream
from . import _openai as openai
from ._answers import open_engine


def app(model: str, *, replicas: int | tuple[int, int] = 1, num_cpus: float = 1, name: str = "phial", model_id: str = "",
        max_ongoing_requests: int = 8, target_ongoing_requests: float = 2, health_check_period_s: float = 10,
        **engine: Any) -> Any:
    """For ``serve.run(phial.ray.app("phi3-int4"))``: POST /v1/chat/completions and /v1/completions, GET /v1/models.

    Requests and answers are OpenAI's, streams too (``"stream": true``); besides them `phial.Engine`'s parameters are understood.
    A client that goes away stops its answer. ``replicas``: a number, or the least and the most, between which Ray Serve chooses
    such that each has about ``target_ongoing_requests``. Each is a process with one engine on ``num_cpus`` CPUs, answers one
    request after the other and lets up to ``max_ongoing_requests`` wait; one whose engine doesn't work is replaced. ``model_id``
    is what /v1/models calls the model. Other keywords are `phial.Engine`'s.
    """
    from ray import serve

    scaling: dict[str, Any] = {"num_replicas": replicas} if isinstance(replicas, int) else {"autoscaling_config": {
        "min_replicas": replicas[0], "max_replicas": replicas[1], "target_ongoing_requests": target_ongoing_requests}}
    deployed = serve.deployment(name=name, ray_actor_options={"num_cpus": num_cpus}, max_ongoing_requests=max_ongoing_requests,
                                health_check_period_s=health_check_period_s, **scaling)(Replica)
    return deployed.bind(model, model_id or model.rstrip("/").rsplit("/", 1)[-1], engine)


class Replica:
    """One process of the service. Through a deployment handle it has `generate`, `stream` and `statistics`."""

    def __init__(self, model: str, model_id: str, engine: Mapping[str, Any]) -> None:
        self._model_id = model_id
        self._engine = open_engine(model, engine)

    def check_health(self) -> None:
        """Ray Serve asks now and then, and replaces a replica that raises or doesn't answer."""
        if self._engine.closed:
            raise ClosedError("this engine is closed")
        self._engine.tokenize("a")

    async def generate(self, prompt: Any, **params: Any) -> dict[str, Any]:
        """``await handle.generate.remote([{"role": "user", "content": "..."}], max_new_tokens=50)``: `phial.Result` as a dict."""
        return (await self._answer(prompt, params)).to_dict()

    async def stream(self, prompt: Any, **params: Any) -> AsyncIterator[str]:
        """``async for piece in handle.options(stream=True).stream.remote("...")``."""
        async with self._engine.astream(prompt, **params) as stream:
            async for piece in stream:
                yield piece

    def statistics(self) -> dict[str, float]:
        """`phial.Engine.statistics` of one replica, whose process id it has too."""
        return {**self._engine.statistics(), "process": os.getpid()}

    async def __call__(self, request: Any) -> Any:
        from starlette.responses import JSONResponse

        path = request.url.path
        if path.endswith("/models"):
            return JSONResponse(openai.model_list(self._model_id))
        if not path.endswith("/completions"):
            return _failed(404, f"there is no {path}: POST /v1/chat/completions, POST /v1/completions, GET /v1/models")
        if request.method != "POST":
            return _failed(405, f"{path} takes POST, not {request.method}")
        try:
            asked = openai.Asked(await request.json(), chat=path.endswith("/chat/completions"), model=self._model_id)
            if asked.stream:
                return await self._streamed(asked)
            return JSONResponse(asked.whole(await self._answer(asked.prompt, asked.params)))
        except (ValueError, TypeError, ContextFullError) as error:  # no JSON, InvalidArgumentError, ...
            return _failed(400, str(error))
        except PhialError as error:
            return _failed(500, str(error))

    async def _answer(self, prompt: Any, params: Mapping[str, Any]) -> Result:
        if isinstance(prompt, str):
            result = await self._engine.agenerate(prompt, **params)
            assert isinstance(result, Result)
            return result
        return await self._engine.achat(prompt, **params)

    async def _streamed(self, asked: openai.Asked) -> Any:
        from starlette.responses import StreamingResponse

        stream = self._engine.astream(asked.prompt, **asked.params)
        # With its first piece it is known whether the request can be answered: what can't has a status of its own.
        first = [piece async for piece in _first(stream)]
        return StreamingResponse(self._events(asked, stream, first), media_type="text/event-stream")

    async def _events(self, asked: openai.Asked, stream: AsyncStream, first: list[str]) -> AsyncIterator[str]:
        async with stream:  # left when the client goes away, which stops the answer
            try:
                yield _event(asked.piece("", begins=True))
                for piece in first:
                    yield _event(asked.piece(piece))
                async for piece in stream:
                    yield _event(asked.piece(piece))
                assert stream.result
                for last in asked.ends(stream.result):
                    yield _event(last)
            except PhialError as error:
                yield _event(openai.error(500, str(error)))
        yield "data: [DONE]\n\n"


async def _first(stream: AsyncStream) -> AsyncIterator[str]:
    async for piece in stream:
        yield piece
        return


def _event(value: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _failed(status: int, sentence: str) -> Any:
    from starlette.responses import JSONResponse

    return JSONResponse(openai.error(status, sentence), status_code=status)
