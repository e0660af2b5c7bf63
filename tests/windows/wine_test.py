#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""phial for Windows, built here by the mingw preset and run under wine, held to the Linux build of the same tree.

usage: wine_test.py PART --source TREE --phial LINUX_PHIAL

PART: build   configure and build the preset, and make wine's prefix, which the other parts need
      cli     quantize, run, chat, tokenize, show, bench: packages and answers equal to the Linux build's, to the byte
      avx2vnni  the same answers with the tier of this name
      names   names with spaces and in other scripts, long paths, CRLF
      console a console of its own: UTF-8 typed and shown, Ctrl-C
      units   C++ tests, built for Windows
      package the zip, unpacked somewhere else
      openvino, onnxruntime, directml: the plug-ins with their vendors' Windows libraries (runtimes.py)
      end     ends wine's server

Exit code 77: skipped, with the reason (wine or the cross compiler isn't here).
"""
import argparse
import fcntl
import filecmp
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

import runtimes
from wine import Tester, skip, windows

# What depends on the system or the compiler; the other layers are seen through the answers.
UNITS = ["base", "kernels", "package"]
PLUGINS = ["phial_openvino.dll", "phial_onnxruntime.dll"]
PROMPTS = ["Hello", "What is 12 + 30?", "Can you introduce yourself?", "Größe? 日本語 😀"]
COMPILER = "x86_64-w64-mingw32-g++-posix"


def build(t):
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    for command in (["cmake", "--preset", "mingw", *launcher],
                    ["cmake", "--build", "--preset", "mingw", "--target", "phial_cli", *(name.replace(".dll", "").replace(
                        "phial_", "phial_plugin_") for name in PLUGINS), *(f"test_{name}" for name in UNITS)]):
        done = subprocess.run(command, cwd=t.source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            print(done.stdout.decode()[-6000:])
            sys.exit(1)
    # What needs more than Windows' own libraries wouldn't start elsewhere.
    for file in (t.exe, t.exe.parent / "libphial.dll", *(t.build / "lib/phial/plugins" / name for name in PLUGINS)):
        strange = t.imports(file) - {"kernel32.dll", "msvcrt.dll", "shell32.dll", "setupapi.dll", "advapi32.dll", "user32.dll",
                                     "api-ms-win-core-synch-l1-2-0.dll", "pdh.dll", "libphial.dll"}
        if strange:
            t.fail(f"{file.name} needs {sorted(strange)}")
    # gcc's bug 54412: Win64's stack is aligned to 16 bytes, so nothing may move ymm or zmm registers there with alignment.
    objects = sorted((t.build / "src/kernels/CMakeFiles").glob("phial_kernels*.dir/x86/*.obj"))
    for file in objects:
        code = subprocess.run(["x86_64-w64-mingw32-objdump", "-d", "--no-show-raw-insn", file], check=True, capture_output=True,
                              text=True).stdout
        bad = [line for line in code.splitlines() if ("vmovaps" in line or "vmovdqa" in line or "vmovapd" in line)
               and ("(%rsp" in line or "(%rbp" in line) and ("%ymm" in line or "%zmm" in line)]
        if bad:
            t.fail(f"{file.name}: {len(bad)} aligned moves of ymm or zmm registers to the stack", bad[0])
    if not objects:
        t.fail("no kernel objects found")
    t.prefix.mkdir(parents=True, exist_ok=True)
    t.run(t.wine, "wineboot", "-i", timeout=600)
    t.same("the program starts", t.output(t.exe, "--version"), t.output(t.linux, "--version"))


def end(t):
    t.end_wine()


def folder_files(folder):
    return sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())


FORMATS = {"int4": ["--weight-format", "int4", "--group-size", "128"], "int8": ["--weight-format", "int8"],
           "fp16": ["--weight-format", "fp16"]}


def answers_and_logits(t, scratch, tier, prompts):
    ids = ",".join(str(i) for i in range(5, 105))
    for name in FORMATS:
        package = scratch / f"linux-{name}"
        for prompt in prompts:
            t.both(f"{tier}: {name}: {prompt}", "run", package, prompt, "-q", "-n", "40", "--threads", "2", PHIAL_ISA=tier)
        for program, file in ((t.exe, "win.npy"), (t.linux, "linux.npy")):
            t.output(program, "logits", package, "--ids", ids, "--out", scratch / file, PHIAL_ISA=tier)
        t.same(f"{tier}: {name}: the bits of all logits",
               filecmp.cmp(scratch / "win.npy", scratch / "linux.npy", shallow=False), True)


def cli(t, scratch):
    for name, flags in FORMATS.items():
        ours, theirs = scratch / f"win-{name}", scratch / f"linux-{name}"
        t.output(t.exe, "quantize", t.demo, ours, *flags)
        t.package(theirs, *flags)
        t.same(f"{name}: file names", folder_files(ours), folder_files(theirs))
        t.same(f"{name}: files that differ",
               [str(f) for f in folder_files(theirs) if not filecmp.cmp(ours / f, theirs / f, shallow=False)], [])
    model = scratch / "linux-int4"
    answers_and_logits(t, scratch, "avx2", PROMPTS)
    t.both("sampling with a seed", "run", model, "Tell me a story.", "-q", "--temp", "0.9", "--seed", "7", "-n", "60")
    t.both("tokenize", "tokenize", model, stdin="Größe 日本語 😀 naïve\r\n x".encode())
    t.both("chat from a pipe", "chat", model, stdin="Hello\nWhat is 2 + 3?\n/bye\n".encode())
    t.same("chat from a pipe with CRLF", t.output(t.exe, "chat", model, stdin=b"Hello\r\nWhat is 2 + 3?\r\n/bye\r\n"),
           t.output(t.linux, "chat", model, stdin=b"Hello\nWhat is 2 + 3?\n/bye\n"))
    t.same("a prompt from a pipe with CRLF", t.output(t.exe, "run", model, "-q", stdin=b"Hello\r\n"),
           t.output(t.linux, "run", model, "-q", stdin=b"Hello\n"))
    t.both("show", "show", model, "--json", change=lambda x: json.dumps({k: v for k, v in json.loads(x).items() if k != "folder"}))
    bench = json.loads(t.output(t.exe, "bench", model, "-p", "16", "-n", "8", "-r", "1", "--json"))
    t.same("bench measures something", bool(bench), True)
    for arguments in (["run", "./nowhere", "x"], ["quantize", "./nowhere", scratch / "no"], ["run", model, "x", "--require", "npu"],
                      ["run", "--nonsense"], ["run", "no-such-model", "x"]):
        t.same(f"exit code of {arguments[:2]}", t.run(t.exe, *arguments).returncode, t.run(t.linux, *arguments).returncode)
    # The user's folder of models.
    t.output(t.exe, "cp", model, "mine", PHIAL_MODELS=windows(scratch / "models"))
    t.same("a model by its name", t.output(t.exe, "run", "mine", "Hello", "-q", PHIAL_MODELS=windows(scratch / "models")),
           t.output(t.linux, "run", model, "Hello", "-q"))
    t.holds("the list of models without any variable set", t.run(t.exe, "list").stderr + t.run(t.exe, "list").stdout, "no models")


def avx2vnni(t, scratch):
    for name, flags in FORMATS.items():
        t.package(scratch / f"linux-{name}", *flags)
    if t.run(t.linux, "run", scratch / "linux-int4", "x", "-n", "1", PHIAL_ISA="avx2vnni").returncode:
        skip("this CPU hasn't AVX-VNNI: the tier avx2vnni ran only as its twin in EVEX encoding, in test_kernels.exe (part units)")
    answers_and_logits(t, scratch, "avx2vnni", PROMPTS)


def names(t, scratch):
    place = scratch / "mit Leerzeichen & grün 日本"
    place.mkdir()
    shutil.copytree(t.demo, place / "modèle ü")
    t.output(t.exe, "quantize", place / "modèle ü", place / "paket 日本", "--weight-format", "int4")
    t.both("a model with such a name", "run", place / "paket 日本", "Hello", "-q", "-n", "20")
    t.same("relative and with backslashes", t.output(t.exe, "run", ".\\paket 日本\\", "Hello", "-q", "-n", "20", cwd=place),
           t.output(t.linux, "run", place / "paket 日本", "Hello", "-q", "-n", "20"))
    error = t.run(t.exe, "run", windows(place / "fehlt ü"), "x")
    if "fehlt ü" not in error.stderr.decode("utf-8", "replace"):
        t.fail("the message doesn't name the folder in UTF-8", error.stderr)
    t.output(t.exe, "logits", place / "paket 日本", "--ids", "5,6", "--out", place / "löss.npy")
    t.same("a file with such a name is written", (place / "löss.npy").exists(), True)
    deep = scratch
    while len(str(deep)) < 300:
        deep = deep / ("d" * 40)
    deep.mkdir(parents=True)
    t.output(t.exe, "quantize", t.demo, deep / "package", "--weight-format", "int8")
    t.both(f"a path of {len(str(deep / 'package'))} characters", "run", deep / "package", "Hello", "-q", "-n", "20")
    t.output(t.exe, "quantize", t.demo, deep / "package", "--weight-format", "int4", "--overwrite")
    t.same("replacing a package leaves nothing beside", [p.name for p in deep.iterdir()], ["package"])
    cache = scratch / "Zwischenspeicher ü"
    shown = json.loads(t.output(t.exe, "cache", "ls", "--json", PHIAL_CACHE=windows(cache)))
    t.same("a variable in UTF-8", "Zwischenspeicher ü" in shown["folder"], True)


def at_console(t, typed, *arguments, timeout=60, to_end=True):
    """phial on a console (wine makes one of a terminal): types each text when the prompt has shown again. Returns what was shown
    and the exit code; to_end=False: ends the program at the prompt after the last text."""
    child, terminal = pty.fork()
    if child == 0:
        # wine does this itself, but only when the program first asks for input.
        mode = termios.tcgetattr(0)
        mode[0] &= ~(termios.ICRNL | termios.IXON)
        mode[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        termios.tcsetattr(0, termios.TCSANOW, mode)
        os.execve(t.wine, [t.wine, str(t.exe), *map(str, arguments)], t.environment(TERM="xterm"))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 150, 0, 0))
    shown, seen, waiting, end = b"", 0, list(typed), time.monotonic() + timeout
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        shown += data
        if b">>>" in shown[seen:]:
            seen = len(shown)
            if not waiting and not to_end:
                os.kill(child, signal.SIGKILL)
                break
            if waiting:
                os.write(terminal, waiting.pop(0).encode())
    else:
        t.fail(f"{arguments}: no end in {timeout} s", repr(shown))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(terminal)
    return shown.decode("utf-8", "replace"), os.waitstatus_to_exitcode(status)


def console(t, scratch):
    model = scratch / "int4"
    t.package(model)
    shown, code = at_console(t, ["/set system Größe 日本\r", "/set\r", "/bye\r"], "chat", model)
    t.same("leaving a chat on a console", code, 0)
    if shown.count("Größe 日本") < 2:  # as typed, and as /set shows it
        t.fail("the console doesn't show what was typed", repr(shown))
    # No more than that: wine's console gives what is typed next to the reading that Ctrl-C has ended.
    shown, code = at_console(t, ["\x03"], "chat", model, to_end=False)
    t.same("Ctrl-C at the prompt gives a new one", shown.count(">>>"), 2)
    launcher = scratch / "ctrl_c.exe"
    t.compile(launcher, "ctrl_c.c", "-municode")
    stopped = t.run(launcher, windows(t.exe), "run", windows(model), "Hello", "-n", "3000", "--ignore-eos", "-c", "4000")
    if stopped.returncode == 99:
        skip(stopped.stderr.decode("utf-8", "replace"))
    t.same("Ctrl-C ends an answer: exit code", stopped.returncode, 130)


def units(t, scratch):
    def run(name, tests):
        return t.run(t.build / "bin" / f"test_{name}.exe", "--gtest_brief=1", f"--gtest_filter={tests}", timeout=1800, PHIAL_ISA="",
                     TMP=windows(scratch), TEMP=windows(scratch))

    for name in UNITS:
        # googletest's death tests start the program again for each. Under wine the parent itself then ends with 3 once in some 500 runs,
        # naming no test; a test that fails is named, and isn't run again.
        for tests, tries in (("-*DeathTest*", 1), ("*DeathTest*", 3)):
            for _ in range(tries):
                done = run(name, tests)
                text = done.stdout.decode("utf-8", "replace")
                if done.returncode != 3 or "FAILED" in text:
                    break
            print(f"test_{name}.exe {tests}: {text.strip().splitlines()[-1] if text.strip() else 'no output'}")
            if done.returncode != 0:
                t.fail(f"test_{name}.exe {tests} ends with {done.returncode}", text, done.stderr)


def package(t, scratch):
    for old in (t.build / "package").glob("*.zip"):
        old.unlink()
    done = subprocess.run(["cmake", "--build", "--preset", "mingw", "--target", "package"], cwd=t.source, capture_output=True)
    archives = sorted((t.build / "package").glob("*.zip"))
    if done.returncode != 0 or len(archives) != 1:
        return t.fail(f"no single zip: {archives}", done.stdout)
    shutil.unpack_archive(archives[0], scratch / "un packed ü")
    root = next((scratch / "un packed ü").iterdir())
    found = [str(p) for p in folder_files(root)]
    for wanted in ("bin/phial.exe", "bin/libphial.dll", *(f"lib/phial/plugins/{name}" for name in PLUGINS), "include/phial/phial.h",
                   "include/phial/phial.hpp", "include/phial/backend_abi.h"):
        if wanted not in found:
            t.fail(f"{wanted} isn't in the zip", found)
    if not any(f.endswith("LICENSE") for f in found):
        t.fail("our licence isn't in the zip", found)
    t.same("the unpacked program answers", t.output(root / "bin" / "phial.exe", "run", t.demo, "Hello", "-q"),
           t.output(t.linux, "run", t.demo, "Hello", "-q"))
    t.holds("the licences", " ".join(found), *(f"licences/{name}.txt" for name in (
        "gcc-mingw-w64-x86-64-posix-runtime", "mingw-w64-common", "libfmt-dev", "nlohmann-json3-dev", "libcli11-dev")))
    devices = t.output(root / "bin" / "phial.exe", "devices", "--json", PHIAL_OPENVINO_LIB="nowhere")
    t.holds("the unpacked plug-ins are found", devices, "openvino:CPU", "onnxruntime:cpu")


def main():
    parts = {f.__name__: f for f in (cli, avx2vnni, names, console, units, package, runtimes.openvino, runtimes.onnxruntime,
                                     runtimes.directml)}
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("part", choices=["build", "end", *parts])
    p.add_argument("--source", type=pathlib.Path, required=True)
    p.add_argument("--phial", type=pathlib.Path, required=True)
    a = p.parse_args()
    if not shutil.which(COMPILER):
        skip("no cross compiler for Windows (Debian package g++-mingw-w64-x86-64-posix)")
    t = Tester(a.source.resolve(), a.phial.resolve())
    if a.part in ("build", "end"):
        globals()[a.part](t)
    elif not t.exe.exists():
        skip("the Windows program wasn't built")
    else:
        with tempfile.TemporaryDirectory(prefix="phial-windows-") as scratch:
            parts[a.part](t, pathlib.Path(scratch))
    return 1 if t.failures else 0


if __name__ == "__main__":
    sys.exit(main())
