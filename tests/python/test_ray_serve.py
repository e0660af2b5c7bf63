# SPDX-License-Identifier: Apache-2.0
"""phial.ray.app in Ray Serve: OpenAI's requests, streams, bad requests, replicas that die."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any, Iterator

import pytest
from two_nodes import DEADLINE_SECONDS, SOURCE, free_port, wait_until

ray = pytest.importorskip("ray", reason="ray isn't installed")
serve = pytest.importorskip("ray.serve", reason="ray[serve] isn't installed")

import phial  # noqa: E402
import phial.ray  # noqa: E402

CPU = {"device": "cpu", "threads": 1}
MESSAGES = [{"role": "user", "content": "Can you introduce yourself?"}]
REPLICA = "ServeReplica:default:phial"


def test_example(two_nodes: Any, package: str) -> None:
    """First, because a cluster's proxies have one port."""
    port = free_port()
    running = subprocess.Popen([sys.executable, SOURCE / "examples/python/ray_serve.py", package, str(port)],
                               env={**os.environ, "RAY_ADDRESS": two_nodes.address}, stderr=subprocess.PIPE, text=True)

    def answered() -> Any:
        assert running.poll() is None, running.communicate()[1]
        try:
            return json.load(post(f"http://127.0.0.1:{port}/v1/chat/completions", {"messages": MESSAGES, "max_tokens": 4}))
        except (urllib.error.URLError, ConnectionError):
            return None

    assert wait_until(answered, "an answer")["usage"]["completion_tokens"] == 4
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=DEADLINE_SECONDS)
    serve.shutdown()  # the service outlives who started it


@pytest.fixture(scope="module")
def service(two_nodes: Any, package: str) -> Iterator[Any]:
    two_nodes.add_second()
    port = free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    handle = serve.run(phial.ray.app(package, replicas=(2, 3), num_cpus=0.5, model_id="demo", health_check_period_s=1, **CPU),
                       name="default")
    yield f"http://127.0.0.1:{port}/v1/", handle
    serve.shutdown()


def post(url: str, body: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=DEADLINE_SECONDS)


def events(text: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_answers_and_streams(service: Any, package: str) -> None:
    url, handle = service
    with phial.Engine(package, **CPU) as engine:
        text, raw = engine.chat(MESSAGES).text, engine.generate("Hello", max_new_tokens=5).text
    answer = json.load(post(url + "chat/completions", {"model": "demo", "messages": MESSAGES}))
    choice = answer["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": text} and choice["finish_reason"] == "stop"
    assert answer["object"] == "chat.completion" and answer["model"] == "demo"
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"] > 10

    parts = [{"role": "user", "content": [{"type": "text", "text": MESSAGES[0]["content"]}]}]
    body = {"messages": parts, "stream": True, "stream_options": {"include_usage": True}}
    found = events(post(url + "chat/completions", body).read().decode())
    assert found[0]["choices"][0]["delta"]["role"] == "assistant" and found[-1]["usage"] == answer["usage"]
    pieces = [event["choices"][0]["delta"].get("content", "") for event in found[:-1]]
    assert "".join(pieces) == text and len(pieces) > 5 and found[-2]["choices"][0]["finish_reason"] == "stop"
    assert {event["object"] for event in found} == {"chat.completion.chunk"} and len({event["id"] for event in found}) == 1

    short = json.load(post(url + "completions", {"prompt": "Hello", "max_tokens": 5}))
    assert short["choices"][0]["text"] == raw and short["choices"][0]["finish_reason"] == "length"
    assert json.load(urllib.request.urlopen(url + "models", timeout=DEADLINE_SECONDS))["data"][0]["id"] == "demo"
    assert handle.generate.remote(MESSAGES, max_new_tokens=3).result(timeout_s=DEADLINE_SECONDS)["finish_reason"] == "length"
    assert "".join(handle.options(stream=True).stream.remote(MESSAGES)) == text


@pytest.mark.parametrize("body,code,why", [
    ({"messages": MESSAGES, "temperature": -1}, 400, "temperature is -1"),
    ({"messages": MESSAGES, "temperature": -1, "stream": True}, 400, "temperature is -1"),
    ({"messages": MESSAGES, "top_k": "many"}, 400, "top_k"),
    ({"messages": MESSAGES, "n": 2}, 400, "'n'"),
    ({"messages": 5}, 400, "'messages'"),
    ({}, 400, "'messages'"),
    ([1], 400, "JSON object"),
    (b"{", 400, ""),
    ({"messages": [{"role": "user", "content": "word " * 5000}]}, 400, "")])
def test_bad_requests(service: Any, body: Any, code: int, why: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        post(service[0] + "chat/completions", body)
    assert error.value.code == code
    assert why in json.load(error.value)["error"]["message"]


def test_other_paths(service: Any) -> None:
    for path, code in (("nothing", 404), ("chat/completions", 405)):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(service[0] + path, timeout=DEADLINE_SECONDS)
        assert error.value.code == code


def test_a_client_that_goes_away_stops_its_answer(service: Any) -> None:
    url, handle = service
    known: dict[int, Any] = {}

    def total(name: str) -> float:  # whichever replica answers this time
        said = handle.statistics.remote().result(timeout_s=DEADLINE_SECONDS)
        known[said.pop("process")] = said
        return sum(statistics[name] for statistics in known.values())

    wait_until(lambda: total("calls") is not None and len(known) >= 2, "both replicas")
    calls, tokens = total("calls"), total("generated_tokens")
    stream = post(url + "chat/completions", {"messages": MESSAGES, "stream": True, "ignore_eos": True})
    assert stream.readline().startswith(b"data: ")
    stream.close()
    wait_until(lambda: total("calls") == calls + 1, "the end of that answer")
    stopped = total("generated_tokens") - tokens
    whole = handle.generate.remote(MESSAGES, ignore_eos=True).result(timeout_s=DEADLINE_SECONDS)  # until the context is full
    assert 0 < stopped < whole["stats"]["generated_tokens"]


def test_a_replica_that_dies_is_replaced(service: Any, two_nodes: Any) -> None:
    url, _ = service
    replicas = wait_until(lambda: len(two_nodes.actors(REPLICA)) >= 2 and two_nodes.actors(REPLICA), "two replicas")
    os.kill(min(replicas), signal.SIGKILL)
    wait_until(lambda: two_nodes.actors(REPLICA) - replicas, "a new replica")

    def answers() -> bool:
        try:
            return bool(json.load(post(url + "chat/completions", {"messages": MESSAGES, "max_tokens": 2}))["choices"])
        except urllib.error.HTTPError:  # of the one that has just died
            return False

    wait_until(answers, "answers again")
