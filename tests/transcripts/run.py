#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a transcript: commands and what they must print. Exit code 0: as written; 1: not; 77: skipped.

usage: run.py PHIAL TRANSCRIPT

    # a comment
    $ phial run nowhere hello        a command for bash, in a fresh folder that holds a tiny model, tiny/
    expected line of stdout          [..] stands for anything within a line
    ...                              any number of lines
    ! expected line of stderr        all stderr lines of a command, in order
    ? 1                              the exit code (0 if not said)
    $TREES, $BUILD                   tests/machine/trees of the source, and the build's folder
    % skip-if-root REASON            whole file; also: % need FOLDER REASON (FOLDER from $SOURCE, the source tree)
    % env NAME=VALUE                 a variable for all commands; VALUE may name others: $TREES
    % openvino                       skipped without OpenVINO, which PHIAL_OPENVINO_LIB names for the commands
    % onnxruntime                    skipped without ONNX Runtime GenAI, which PHIAL_ORT_GENAI_LIB names for them

Empty lines end a command's block. stdin is empty unless the command says otherwise.
"""
import os
import pathlib
import re
import string
import subprocess
import sys
import tempfile

import tiny_model


def matches(expected: list, found: list) -> bool:
    if not expected:
        return not found
    if expected[0] == "...":
        return any(matches(expected[1:], found[i:]) for i in range(len(found) + 1))
    if not found:
        return False
    pattern = ".*".join(re.escape(part) for part in expected[0].split("[..]"))
    return re.fullmatch(pattern, found[0]) is not None and matches(expected[1:], found[1:])


def parse(text: str):
    """Yields (line number, command, stdout, stderr, exit code)."""
    block = None
    for number, line in enumerate(text.split("\n") + [""], 1):
        if line.startswith("$ "):
            if block:
                yield block
            block = [number, line[2:], [], [], 0]
        elif not line and block:
            yield block
            block = None
        elif line.startswith(("#", "%")) or not line:
            continue
        elif block is None:
            sys.exit(f"line {number}: expected output without a command: {line}")
        elif line.startswith("? "):
            block[4] = int(line[2:])
        elif line == "!" or line.startswith("! "):
            block[3].append(line[2:])
        else:
            block[2].append(line)


def openvino(source: pathlib.Path):
    """The folder of OpenVINO's libraries: PHIAL_OPENVINO_LIB, or the project's own environment."""
    named = os.environ.get("PHIAL_OPENVINO_LIB")
    found = sorted(source.glob(".venv/lib/python3*/site-packages/openvino/libs"))
    return named or (str(found[0]) if found else None)


def onnxruntime(source: pathlib.Path):
    """The folder of ONNX Runtime GenAI: PHIAL_ORT_GENAI_LIB, or the project's own environment."""
    named = os.environ.get("PHIAL_ORT_GENAI_LIB")
    found = sorted(source.glob(".venv/lib/python3*/site-packages/onnxruntime_genai"))
    return named or (str(found[0]) if found else None)


def skip_reason(text: str, source: pathlib.Path):
    for line in text.split("\n"):
        word, _, rest = line.partition(" ")
        if word != "%":
            continue
        what, _, rest = rest.partition(" ")
        if what == "skip-if-root" and os.geteuid() == 0:
            return rest
        if what == "openvino" and not openvino(source):
            return "no OpenVINO: set PHIAL_OPENVINO_LIB, or let ./test.sh install it in .venv"
        if what == "onnxruntime" and not onnxruntime(source):
            return "no ONNX Runtime GenAI: set PHIAL_ORT_GENAI_LIB, or let ./test.sh install it in .venv"
        if what == "need" and not (source / rest.split(" ")[0]).exists():
            return rest.partition(" ")[2]
    return None


def lines(data: bytes) -> list:
    text = data.decode("utf-8", "replace")
    return text.split("\n")[:-1] if text.endswith("\n") else text.split("\n") if text else []


def main() -> int:
    phial = os.path.abspath(sys.argv[1])
    transcript = pathlib.Path(sys.argv[2]).resolve()
    source = transcript.parents[2]
    text = transcript.read_text()
    reason = skip_reason(text, source)
    if reason is not None:
        print(f"SKIPPED: {reason}")
        return 77
    failures = 0
    with tempfile.TemporaryDirectory(prefix="phial-transcript-") as folder:
        tiny_model.make(phial, pathlib.Path(folder) / "tiny")
        os.mkdir(f"{folder}/.run")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PHIAL_")}
        environment.update(PATH=f"{os.path.dirname(phial)}:{os.environ['PATH']}", SOURCE=str(source), HOME=folder,
                           TREES=str(source / "tests/machine/trees"), XDG_RUNTIME_DIR=f"{folder}/.run",
                           BUILD=str(pathlib.Path(phial).parents[1]),
                           LC_ALL="C.UTF-8", TERM="dumb", PHIAL_CACHE=f"{folder}/cache")
        if "\n% openvino" in text:
            environment["PHIAL_OPENVINO_LIB"] = openvino(source)
        if "\n% onnxruntime" in text:
            environment["PHIAL_ORT_GENAI_LIB"] = onnxruntime(source)
        for line in text.split("\n"):
            if line.startswith("% env "):
                name, _, value = line[6:].partition("=")
                environment[name] = string.Template(value).substitute(environment)
        for number, command, out, err, code in parse(text):
            done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=300)
            problems = []
            if done.returncode != code:
                problems.append(f"exit code {done.returncode}, expected {code}")
            if not matches(out, lines(done.stdout)):
                problems.append("stdout differs")
            if not matches(err, lines(done.stderr)):
                problems.append("stderr differs")
            if problems:
                failures += 1
                print(f"{transcript.name}:{number}: $ {command}\n  {'; '.join(problems)}")
                print(f"  stdout was: {done.stdout.decode('utf-8', 'replace')[:4000]}")
                print(f"  stderr was: {done.stderr.decode('utf-8', 'replace')[:4000]}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
