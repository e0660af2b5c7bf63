#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""phial batch: order, bad lines, and that a job killed at any moment goes on without a loss or a repetition.

usage: batch_test.py PHIAL TEST      TEST: answers, killed, refused, ray
"""
import fcntl
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile

import tiny_model

PHIAL = sys.argv[1]


def batch(*arguments: str, code: int = 0) -> str:
    done = subprocess.run([PHIAL, "batch", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == code, f"exit code {done.returncode}: {done.stderr}"
    return done.stderr


def records(path: pathlib.Path) -> list:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_answers(here: pathlib.Path) -> None:
    lines = ['"hello"', "", '{"id": "b", "prompt": "hello", "max_new_tokens": 2}', "broken",
             '{"messages": [{"role": "user", "content": "hello"}], "id": {"any": 1}}', '{"prompt": "hello", "temperature": -1}',
             '{"prompt": "hello", "top_k": "many"}', '{"prompt": ' + json.dumps("hello " * 400) + "}", "  ",
             '{"prompt": "hello", "temperature": 1, "seed": 7, "stop": "zz"}', '{"messages": 5}']
    (here / "in").write_text("\r\n".join(lines), encoding="utf-8")
    said = batch(here / "in", here / "out", "-m", here / "tiny", "-n", "5", "--ignore-eos", code=1)
    assert "9 answers" in said and "5 with an error in their place" in said, said
    found = records(here / "out")
    assert [r["index"] for r in found] == list(range(9))
    assert ["error" in r for r in found] == [False, False, True, False, True, True, True, False, True]
    assert found[0]["text"] == found[3]["text"] and found[0]["generated_tokens"] == 5
    assert found[1]["id"] == "b" and found[1]["generated_tokens"] == 2 and found[3]["id"] == {"any": 1}
    assert "line 4" in found[2]["error"] and "temperature" in found[4]["error"] and "256" in found[6]["error"]
    run = subprocess.run([PHIAL, "run", here / "tiny", "hello", "-n", "5", "--ignore-eos", "--json", "-q"], capture_output=True,
                         text=True, check=True)
    assert json.loads(run.stdout)["text"] == found[0]["text"]
    raw = subprocess.run([PHIAL, "run", "--raw", here / "tiny", "hello", "-n", "5", "--ignore-eos", "--json", "-q"],
                         capture_output=True, text=True, check=True)
    batch(here / "in", here / "raw", "-m", here / "tiny", "-n", "5", "--ignore-eos", "--raw", code=1)
    assert json.loads(raw.stdout)["text"] == records(here / "raw")[0]["text"]
    before = (here / "out").read_bytes()
    said = batch(here / "in", here / "out", "-m", here / "tiny", "-n", "5", "--ignore-eos")  # nothing is left to do
    assert "9 answers, 9 of them were there" in said and (here / "out").read_bytes() == before
    (here / "none").write_text("\n\n")
    batch(here / "none", here / "out2", "-m", here / "tiny")
    assert (here / "out2").read_bytes() == b""


def test_killed(here: pathlib.Path) -> None:
    with open(here / "in", "w", encoding="utf-8") as lines:
        for i in range(60):
            lines.write(json.dumps({"id": i, "prompt": f"hello {i}", "temperature": 1.0, "seed": i}) + "\n")
    flags = ["-m", here / "tiny", "-n", "30", "--ignore-eos", "-t", "1"]
    batch(here / "in", here / "whole", *flags)
    whole = (here / "whole").read_bytes()
    assert [r["id"] for r in records(here / "whole")] == list(range(60))

    # Every length that a killed process may leave: a part of a line, a line without its end.
    choose = random.Random(1)
    for size in [0, 1, len(whole) - 1, *(choose.randrange(len(whole)) for _ in range(12))]:
        (here / "cut").write_bytes(whole[:size])
        batch(here / "in", here / "cut", *flags)
        assert (here / "cut").read_bytes() == whole, f"cut to {size}"

    # Killed for real, as soon as it has grown by some bytes, until it is done.
    out, kills = here / "out", 0
    while True:
        size = out.stat().st_size if out.exists() else 0
        job = subprocess.Popen([PHIAL, "batch", here / "in", out, *map(str, flags), "-q"])
        grow = choose.randrange(1, 3000)
        while job.poll() is None and (not out.exists() or out.stat().st_size < size + grow):
            pass
        job.send_signal(signal.SIGKILL)
        if job.wait() == 0:
            break
        kills += 1
        done = out.read_bytes()
        assert whole.startswith(done[:done.rfind(b"\n") + 1])
    assert out.read_bytes() == whole and kills > 3, kills
    print(f"killed {kills} times")

    # Ctrl-C: what was begun isn't written, and the exit code says so.
    job = subprocess.Popen([PHIAL, "batch", here / "in", here / "stopped", *map(str, flags), "-q"])
    while not (here / "stopped").exists() or not (here / "stopped").stat().st_size:
        assert job.poll() is None
    job.send_signal(signal.SIGINT)
    assert job.wait() == 130
    done = (here / "stopped").read_bytes()
    assert whole.startswith(done) and done.endswith(b"\n") and done != whole
    batch(here / "in", here / "stopped", *flags)
    assert (here / "stopped").read_bytes() == whole


def test_refused(here: pathlib.Path) -> None:
    (here / "in").write_text('"hello"\n"hello you"\n')
    flags = ["-m", here / "tiny", "-n", "3"]
    batch(here / "in", here / "out", *flags)
    good = (here / "out").read_bytes()
    for other in (["-n", "4"], ["-n", "3", "--seed", "1"], ["-n", "3", "--system", "Be brief."], ["-n", "3", "--raw"],
                  ["-n", "3", "--kv-cache-precision", "u8"], ["-n", "3", "--activation-precision", "int16"]):
        assert "--overwrite" in batch(here / "in", here / "out", "-m", here / "tiny", *other, code=1)
    (here / "in2").write_text('"hello"\n"hello me"\n')
    said = batch(here / "in2", here / "out", *flags, code=1)
    assert "line 2 isn't the answer to this input" in said, said
    (here / "in3").write_text('"hello"\n')
    batch(here / "in3", here / "out", *flags, code=1)
    (here / "in").write_text('"hello"\n"hello you"\n"one more"\n')  # an input that has grown is the same job
    assert "3 answers, 2 of them were there" in batch(here / "in", here / "out", *flags)
    assert (here / "out").read_bytes().startswith(good)
    for notes in ("my notes\nof today\n", "one line", "{}"):
        (here / "notes").write_text(notes)
        batch(here / "in", here / "notes", *flags, code=1)
        assert (here / "notes").read_text() == notes
    batch(here / "in", here / "notes", *flags, "--overwrite")
    assert len(records(here / "notes")) == 3
    assert "one file" in batch(here / "in", here / "in", *flags, code=1)
    assert "no such file" in batch(here / "nothing", here / "out9", *flags, code=1) and not (here / "out9").exists()
    assert "nowhere" in batch(here / "in", here / "out9", "-m", here / "nowhere", code=1)
    # Two at once: the second is refused.
    with open(here / "both", "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another process" in batch(here / "in", here / "both", *flags, code=1)


# What `phial batch --ray` speaks with, without Ray: answers with phial itself, and misbehaves where a line asks for it.
STAND_IN = """#!{python}
import json, os, signal, subprocess, sys
settings = json.loads(sys.stdin.readline())
open(os.environ["NOTES"], "w").write(json.dumps([sys.argv[1:], settings]))
assert "PHIAL_STAND_IN_DIES" not in os.environ, "meant so"
print(json.dumps(dict(notice="two engines")), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    text = asked["messages"][-1]["content"] if "messages" in asked else asked["prompt"]
    if text == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if text == "fail":
        print(json.dumps(dict(failure="the cluster has gone")), flush=True)
        sys.exit(1)
    print(json.dumps(dict(answer=dict(text=text.upper(), finish_reason="stop", prompt_tokens=1,
                                      generated_tokens=asked["params"]["max_new_tokens"]))), flush=True)
open(os.environ["NOTES"], "a").write("ended")
"""


def test_ray(here: pathlib.Path) -> None:
    """The command line's side of --ray; tests/python/test_ray_batch.py has the cluster's."""
    (here / "python").write_text(STAND_IN.replace("{python}", sys.executable))
    (here / "python").chmod(0o755)
    os.environ.update(PHIAL_PYTHON=str(here / "python"), NOTES=str(here / "notes"))
    lines = ['"one"', "broken", '{"id": 7, "prompt": "two", "max_new_tokens": 3}', "", '{"prompt": "x", "seed": "y", "id": 8}',
             '{"messages": [{"role": "user", "content": "three"}]}']
    (here / "in").write_text("\n".join(lines))
    flags = ["-m", here / "tiny", "-n", "5", "--temperature", "0.5"]
    ray = ["--ray", "a:1", "--ray-cpus", "2"]
    said = batch(here / "in", here / "out", *flags, *ray, code=1)
    assert "two engines" in said and "5 answers, 13 tokens" in said and "2 with an error" in said, said
    found = records(here / "out")
    assert [r.get("text") for r in found] == ["ONE", None, "TWO", None, "THREE"] and found[2]["id"] == 7 and found[3]["id"] == 8
    assert "line 2" in found[1]["error"] and "line 5" in found[3]["error"]
    arguments, settings = json.loads((here / "notes").read_text().removesuffix("ended"))
    assert arguments == ["-m", "phial.ray"] and (here / "notes").read_text().endswith("ended")
    assert settings["address"] == "a:1" and settings["cpus"] == 2 and settings["actors"] == 0
    assert settings["model"] == str(here / "tiny") and settings["engine"]["device"] == "auto"

    # A job that either begins and the other ends: the settings are the same, and so is what an answer has to be to.
    (here / "in2").write_text("\n".join(lines + ['"hello"']))
    assert "6 answers, 5 of them were there" in batch(here / "in2", here / "out", *flags)
    assert records(here / "out")[:5] == found and "error" not in records(here / "out")[5]
    assert "6 of them were there" in batch(here / "in2", here / "out", *flags, *ray)
    assert "--overwrite" in batch(here / "in2", here / "out", "-m", here / "tiny", *ray, code=1)

    # The other side fails, or dies: what came is kept.
    for word, why in (("fail", "the cluster has gone"), ("die", "exit code 137")):
        (here / "in3").write_text(f'"one"\n"two"\n"{word}"\n"three"\n')
        said = batch(here / "in3", here / word, *flags, *ray, code=1)
        assert why in said and "goes on behind" in said, said
        assert [r["text"] for r in records(here / word)] == ["ONE", "TWO"]
    os.environ["PHIAL_STAND_IN_DIES"] = "1"
    assert "ended with exit code 1" in batch(here / "in3", here / "out3", *flags, *ray, code=1)
    os.environ["PHIAL_PYTHON"] = str(here / "nowhere")
    assert "phial[ray]" in batch(here / "in3", here / "out3", *flags, *ray, code=1)


with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    tiny_model.make(PHIAL, place / "tiny")
    {"answers": test_answers, "killed": test_killed, "refused": test_refused, "ray": test_ray}[sys.argv[2]](place)
