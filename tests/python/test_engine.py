# SPDX-License-Identifier: Apache-2.0
"""Text in, text out: one answer, many, streams, chats, asyncio. All ways give the same text."""
from __future__ import annotations

import asyncio
import json
import pathlib
import pickle
import subprocess
import sys
import threading

import pytest

import phial

QUESTION = "Can you introduce yourself?"
MESSAGES = [{"role": "user", "content": QUESTION}]


def test_chat_answers(engine: phial.Engine) -> None:
    result = engine.chat(QUESTION)
    assert result.text.startswith("My name is Phial")
    assert str(result) == result.text
    assert result.finish_reason == "stop" and result.stop_id is not None and result.stop_string is None
    assert engine.detokenize(result.ids) == result.text
    assert result.stats.generated_tokens == len(result.ids) + 1
    assert result.stats.device == "cpu" and result.stats.tier
    assert result.stats.tokens_per_second > 0
    assert json.loads(json.dumps(result.to_dict()))["text"] == result.text


def test_every_way_gives_the_same_text(engine: phial.Engine) -> None:
    expected = engine.chat(QUESTION).text
    assert engine.chat(MESSAGES).text == expected
    with engine.stream(MESSAGES) as stream:
        pieces = list(stream)
    assert "".join(pieces) == expected and len(pieces) > 5
    assert stream.result and stream.result.text == expected
    prompt = engine.render_chat(QUESTION)
    assert engine.generate(prompt).text.strip() == expected
    assert engine.generate_ids(engine.tokenize_chat(QUESTION)).text.strip() == expected

    async def asynchronous() -> list[str]:
        streamed = [piece async for piece in engine.astream(MESSAGES)]
        return [(await engine.achat(QUESTION)).text, "".join(streamed)]

    assert asyncio.run(asynchronous()) == [expected, expected]


def test_a_list_gives_a_list(engine: phial.Engine) -> None:
    prompts = ["Once upon", "The"]
    results = engine.generate(prompts, max_new_tokens=6)
    assert [r.text for r in results] == [engine.generate(p, max_new_tokens=6).text for p in prompts]
    assert engine.generate([]) == []
    assert asyncio.run(_both(engine, prompts)) == [r.text for r in results]


async def _both(engine: phial.Engine, prompts: list[str]) -> list[str]:
    results = await engine.agenerate(prompts, max_new_tokens=6)
    assert isinstance(results, list)
    return [r.text for r in results]


def test_a_conversation_is_not_computed_again(engine: phial.Engine) -> None:
    first = engine.chat(MESSAGES)
    longer = [*MESSAGES, {"role": "assistant", "content": first.text}, {"role": "user", "content": "What is an NPU?"}]
    second = engine.chat(longer)
    assert second.stats.cached_tokens > 8
    with phial.Engine(engine.path, device="cpu") as fresh:
        assert fresh.chat(longer).text == second.text


def test_sampling_parameters(engine: phial.Engine) -> None:
    warm = {"temperature": 1.5, "top_k": 50, "top_p": 0.99, "min_p": 0.0, "max_new_tokens": 12, "ignore_eos": True}
    one = engine.generate("The", seed=1, **warm)
    assert one.text == engine.generate("The", seed=1, **warm).text
    assert len({engine.generate("The", seed=s, **warm).text for s in range(5)}) > 1
    assert len(one.ids) == 12 and one.finish_reason == "length"
    text = engine.chat(QUESTION).text
    stopped = engine.chat(QUESTION, stop="Phial")
    assert stopped.stop_string == "Phial" and stopped.finish_reason == "stop" and stopped.text == text.split("Phial")[0]
    assert engine.chat(QUESTION, stop=["nothing like it", "Phial"]).text == stopped.text
    assert engine.generate("The", max_new_tokens=0).ids == ()
    guessed = engine.chat(QUESTION, speculate="ngram")
    assert guessed.text == text and guessed.stats.accepted_tokens <= guessed.stats.drafted_tokens
    assert engine.chat(QUESTION, max_new_tokens=None, seed=2**64 - 1).text == text


def test_tokens(engine: phial.Engine, demo_checkpoint: pathlib.Path) -> None:
    ids = engine.tokenize("Hello, world! \N{SNOWMAN}")
    assert engine.detokenize(ids) == "Hello, world! \N{SNOWMAN}"
    with phial.Tokenizer(demo_checkpoint) as tokenizer:
        assert tokenizer.tokenize("Hello, world! \N{SNOWMAN}") == ids
        assert tokenizer.vocab_size == engine.vocab_size > 100
        again = pickle.loads(pickle.dumps(tokenizer))
        assert again.tokenize_chat(MESSAGES) == engine.tokenize_chat(QUESTION)
        assert len(tokenizer.tokenize("<|end|>")) == 1 < len(tokenizer.tokenize("<|end|>", plain_special=True))
    with pytest.raises(phial.ClosedError, match="this tokenizer is closed"):
        tokenizer.tokenize("Hello")


def test_what_it_is(engine: phial.Engine, package: str) -> None:
    assert engine.device == "cpu" and engine.path == package
    assert engine.describe()["session"]["device"] == "cpu"
    assert engine.context == engine.describe()["session"]["context"] > 100
    assert "device='cpu'" in repr(engine)
    before = engine.statistics()
    result = engine.generate("The", max_new_tokens=3)
    after = engine.statistics()
    assert after["calls"] == before["calls"] + 1
    assert after["generated_tokens"] == before["generated_tokens"] + result.stats.generated_tokens


def test_sessions(engine: phial.Engine) -> None:
    ids = engine.tokenize("Hello there")
    greedy = engine.generate_ids(ids, max_new_tokens=1, ignore_eos=True).ids[0]
    with phial.Engine(engine.path, device="cpu", max_sequences=2) as own, phial.Session(own) as session:
        logits = session.step(ids)
        assert len(logits) == session.vocab and max(range(len(logits)), key=logits.__getitem__) == greedy
        assert len(session) == len(ids)
        session.truncate(0)
        every = session.step(ids, all_logits=True)
        assert len(every) == len(ids) * session.vocab
        assert every[-session.vocab:] == logits
        own.close()  # the session goes on until it is closed itself
        session.truncate(1)
        session.feed(ids[1:])
        assert len(session) == len(ids)
    with pytest.raises(phial.ClosedError, match="this session is closed"):
        session.feed(ids)


def test_threads_share_an_engine(engine: phial.Engine) -> None:
    prompts = [f"Number {i}:" for i in range(8)]
    expected = [engine.generate(p, max_new_tokens=8).text for p in prompts]
    found: dict[str, str] = {}

    def ask(prompt: str) -> None:
        found[prompt] = "".join(engine.stream(prompt, max_new_tokens=8))

    threads = [threading.Thread(target=ask, args=(p,)) for p in prompts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[p] for p in prompts] == expected


def test_pickled_by_path(engine: phial.Engine) -> None:
    data = pickle.dumps(engine)
    assert len(data) < 1000
    code = ("import pickle, sys; engine = pickle.loads(bytes.fromhex(sys.argv[1]));"
            "print(engine.device, engine.generate('The', max_new_tokens=4).text)")
    done = subprocess.run([sys.executable, "-c", code, data.hex()], capture_output=True, text=True, check=True)
    assert done.stdout == f"cpu {engine.generate('The', max_new_tokens=4).text}\n" and done.stderr == ""
