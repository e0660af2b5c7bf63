#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and line editing on a real terminal (a pty). Waits for output, never for time. Exit code 0 or an exception.

usage: signals.py PHIAL TEST      TEST: chat, run, quantize
"""
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile

import tiny_model

PATIENCE = 120  # seconds without the awaited output before the test gives up


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, arguments, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(arguments[0], arguments, environment)
        self.unread = ""
        self.seen = ""

    def wait_for(self, pattern: str) -> str:
        """Everything up to and with the first match."""
        while True:
            match = re.search(pattern, self.unread)
            if match:
                text, self.unread = self.unread[:match.end()], self.unread[match.end():]
                return text
            if not select.select([self.fd], [], [], PATIENCE)[0]:
                raise AssertionError(f"no {pattern!r} came; last seen: {self.seen[-2000:]!r}")
            try:
                data = os.read(self.fd, 65536).decode("utf-8", "replace")
            except OSError:
                data = ""
            if not data:
                raise AssertionError(f"ended before {pattern!r} came; last seen: {self.seen[-2000:]!r}")
            self.unread += data
            self.seen += data

    def send(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def exit_code(self) -> int:
        while True:  # what is left to read would keep the program from ending
            if not select.select([self.fd], [], [], PATIENCE)[0]:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"the program doesn't end; last seen: {self.seen[-2000:]!r}")
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def make_long_model(phial: str, folder: pathlib.Path) -> pathlib.Path:
    """The tiny model with room for an answer that nobody waits for."""
    tiny_model.CONFIG.update(max_position_embeddings=100000, original_max_position_embeddings=100000)
    tiny_model.make(phial, folder / "tiny")
    return folder / "tiny"


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def test_chat(phial: str, folder: pathlib.Path, environment: dict) -> None:
    model = make_long_model(phial, folder)
    prompt = r">>> $"
    chat = Terminal([phial, "chat", str(model), "--ignore-eos"], environment)
    chat.wait_for(prompt)
    chat.send("/set max_new_tokens 4\r")
    chat.wait_for(prompt)
    chat.send("first question\r")
    chat.wait_for(prompt)

    chat.send("/set max_new_tokens -1\r")
    chat.wait_for(prompt)
    chat.send("second question\r")
    chat.wait_for(r"question\r\n(?s:.){40}")  # the answer has begun
    chat.send("\x03")
    chat.wait_for(prompt)
    chat.send("/show\r")
    chat.wait_for(r"messages +4\r\n")  # two questions, two answers: the stopped one was kept
    chat.wait_for(prompt)

    chat.send("half a li")
    chat.wait_for("half a li")
    chat.send("\x03")
    chat.wait_for(prompt)
    chat.send("\x03")
    chat.wait_for(r"/bye")  # the hint
    chat.wait_for(prompt)
    chat.send("\x1b[A")  # up: the last line that was entered
    chat.wait_for("/show")
    chat.send("\x15/set\r")  # Ctrl-U empties the line
    chat.wait_for("temperature")
    chat.wait_for(prompt)
    chat.send("\x04")
    expect(chat.exit_code() == 0, "chat should end with 0 after Ctrl-D")

    history = pathlib.Path(environment["XDG_STATE_HOME"]) / "phial" / "history"
    expect("second" in history.read_text(), "the history file lacks what was typed")
    expect(history.stat().st_mode & 0o077 == 0, "others can read the history file")
    history.unlink()
    chat = Terminal([phial, "chat", str(model), "--no-history"], environment)
    chat.wait_for(prompt)
    chat.send("/bye\r")
    expect(chat.exit_code() == 0, "chat should end with 0 after /bye")
    expect(not history.exists(), "--no-history wrote a history file")


def test_run(phial: str, folder: pathlib.Path, environment: dict) -> None:
    model = make_long_model(phial, folder)
    run = subprocess.Popen([phial, "run", str(model), "hello", "--ignore-eos"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    expect(len(run.stdout.read(40)) == 40, "no answer came")
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=PATIENCE)
    expect(run.returncode == 130, f"exit code {run.returncode}, expected 130")
    expect(b"cancelled" in err and b"tokens/s" in err, f"no statistics: {err!r}")


def test_quantize(phial: str, folder: pathlib.Path, environment: dict) -> None:
    config = dict(tiny_model.CONFIG, vocab_size=64000, hidden_size=1024, intermediate_size=2048)
    (folder / "config.json").write_text(json.dumps(config))
    subprocess.run([phial, "make-random", str(folder / "config.json"), str(folder / "model")], check=True)
    before = sorted(p.name for p in folder.iterdir())
    quantize = Terminal([phial, "quantize", str(folder / "model"), str(folder / "package"), "--all-layers",
                         "--threads", "1"], environment)
    quantize.wait_for("%")  # the progress bar
    quantize.send("\x03")
    code = quantize.exit_code()
    expect(code == 130, f"exit code {code}, expected 130")
    expect(sorted(p.name for p in folder.iterdir()) == before, "something was left behind")


def main() -> None:
    phial = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="phial-signals-") as name:
        folder = pathlib.Path(name)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PHIAL_")}
        environment.update(LC_ALL="C.UTF-8", TERM="xterm", XDG_STATE_HOME=str(folder / "state"), NO_COLOR="1")
        {"chat": test_chat, "run": test_run, "quantize": test_quantize}[sys.argv[2]](phial, folder, environment)


if __name__ == "__main__":
    main()
