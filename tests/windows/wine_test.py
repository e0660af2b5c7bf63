#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""phial for Windows, built here by the mingw preset and run under wine, held to the Linux build of the same tree.

usage: wine_test.py PART --source TREE --phial LINUX_PHIAL

PART: build   configure and build the preset (exit code 0 is what the other parts need)
      cli     quantize, run, chat, tokenize, show, bench: packages and answers equal to the Linux build's, to the byte
      names   names with spaces and in other scripts, long paths, CRLF
      console a console of its own: UTF-8 typed and shown, Ctrl-C
      units   C++ tests, built for Windows
      openvino  the plug-in with OpenVINO's Windows libraries (PHIAL_OPENVINO_WINDOWS: their folder)
      package the zip, unpacked somewhere else

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

UNITS = ["base", "tensor", "text", "checkpoint", "kernels", "model", "quant", "package", "native", "api"]
PROMPTS = ["Hello", "What is 12 + 30?", "Can you introduce yourself?", "Größe? 日本語 😀"]


def skip(reason):
    print("SKIPPED:", reason)
    sys.exit(77)


def wine():
    for name in ("/usr/lib/wine/wine64", "wine64", "wine"):
        if shutil.which(name):
            return shutil.which(name)
    skip("wine isn't installed (Debian package wine64)")


def windows(path):
    return "Z:" + str(path).replace("/", "\\")


class Tester:
    def __init__(self, source, linux):
        self.source, self.linux = source, linux
        self.build = source / "build" / "mingw"
        self.exe = self.build / "bin" / "phial.exe"
        self.wine = wine()
        self.demo = source / "models" / "phial-demo"
        self.failures = 0
        # One wine prefix for all parts: to make it costs more than most of them.
        self.prefix = self.build / "wine"
        self.prefix.mkdir(parents=True, exist_ok=True)

    def environment(self, **more):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PHIAL_")}
        # No Mono, no browser: wine would ask for them.
        clean.update(WINEPREFIX=str(self.prefix), WINEDEBUG="-all", WINEDLLOVERRIDES="mscoree,mshtml=", LC_ALL="C.UTF-8",
                     PHIAL_ISA="avx2")
        clean.update({k: str(v) for k, v in more.items()})
        return clean

    def run(self, program, *arguments, stdin=b"", timeout=600, **environment):
        """A Windows program under wine, or phial of this system."""
        command = [str(program), *map(str, arguments)]
        if str(program).endswith(".exe"):
            command.insert(0, self.wine)
        return subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, env=self.environment(**environment))

    def output(self, program, *arguments, **more):
        done = self.run(program, *arguments, **more)
        if done.returncode != 0:
            self.fail(f"{program} {arguments} ends with {done.returncode}", done.stderr)
        return done.stdout

    def fail(self, what, *details):
        self.failures += 1
        print("FAILED:", what)
        for detail in details:
            print("   ", detail.decode("utf-8", "replace")[-1500:] if isinstance(detail, bytes) else str(detail)[-1500:])

    def same(self, what, ours, theirs):
        if ours == theirs:
            print(f"equal: {what}")
        else:
            self.fail(f"{what} differs", ours, theirs)

    def both(self, what, *arguments, change=lambda x: x, **more):
        """The same command on both systems."""
        self.same(what, change(self.output(self.exe, *arguments, **more)), change(self.output(self.linux, *arguments, **more)))


def build(t):
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    for command in (["cmake", "--preset", "mingw", *launcher],
                    ["cmake", "--build", "--preset", "mingw", "--target", "phial_cli", "phial_plugin_openvino",
                     *(f"test_{name}" for name in UNITS)]):
        done = subprocess.run(command, cwd=t.source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            print(done.stdout.decode()[-6000:])
            sys.exit(1)
    # What needs more than Windows' own libraries wouldn't start elsewhere.
    for file in (t.exe, t.exe.parent / "libphial.dll", t.build / "lib/phial/plugins/phial_openvino.dll"):
        table = subprocess.run(["x86_64-w64-mingw32-objdump", "-p", file], check=True, capture_output=True, text=True).stdout
        needs = {line.split()[-1].lower() for line in table.splitlines() if "DLL Name:" in line}
        strange = needs - {"kernel32.dll", "msvcrt.dll", "shell32.dll", "setupapi.dll", "advapi32.dll", "user32.dll", "libphial.dll"}
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
    # The first program in a fresh prefix waits for wine to set itself up.
    t.output(t.exe, "--version", timeout=900)


def folder_files(folder):
    return sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())


def cli(t, scratch):
    for name, flags in {"int4": ["--weight-format", "int4", "--group-size", "128"], "int8": ["--weight-format", "int8"],
                        "fp16": ["--weight-format", "fp16"]}.items():
        ours, theirs = scratch / f"win-{name}", scratch / f"linux-{name}"
        t.output(t.exe, "quantize", t.demo, ours, *flags)
        t.output(t.linux, "quantize", t.demo, theirs, *flags)
        t.same(f"{name}: file names", folder_files(ours), folder_files(theirs))
        for file in folder_files(theirs):
            if not filecmp.cmp(ours / file, theirs / file, shallow=False):
                t.fail(f"{name}: {file} differs")
    model = scratch / "linux-int4"
    for tier in ("avx2", "avx2vnni"):
        if t.run(t.exe, "tokenize", t.demo, "x", PHIAL_ISA=tier).returncode or \
                t.run(t.linux, "run", model, "x", "-n", "1", PHIAL_ISA=tier).returncode:
            print(f"skipped: tier {tier}: this machine lacks it")
            continue
        facts = json.loads(t.output(t.exe, "run", model, "Hello", "--json", "-n", "4", PHIAL_ISA=tier))
        print(f"tier {tier} ran: {json.dumps(facts)[:120]}")
        for package in ("linux-int4", "linux-int8", "linux-fp16"):
            for prompt in PROMPTS:
                t.both(f"{tier}: {package}: {prompt}", "run", scratch / package, prompt, "-q", "-n", "60", "--threads", "2",
                       PHIAL_ISA=tier)
        for package in ("linux-int4", "linux-int8", "linux-fp16"):
            ids = ",".join(str(i) for i in range(5, 105))
            t.output(t.exe, "logits", scratch / package, "--ids", ids, "--out", scratch / "win.npy", PHIAL_ISA=tier)
            t.output(t.linux, "logits", scratch / package, "--ids", ids, "--out", scratch / "linux.npy", PHIAL_ISA=tier)
            t.same(f"{tier}: {package}: the bits of all logits", (scratch / "win.npy").read_bytes() == (scratch / "linux.npy").read_bytes(),
                   True)
    t.both("sampling with a seed", "run", model, "Tell me a story.", "-q", "--temp", "0.9", "--seed", "7", "-n", "60")
    t.both("tokenize", "tokenize", model, "Größe 日本語 😀 naïve")
    t.both("chat from a pipe", "chat", model, stdin="Hello\nWhat is 2 + 3?\n/bye\n".encode())
    t.same("chat from a pipe with CRLF", t.output(t.exe, "chat", model, stdin=b"Hello\r\nWhat is 2 + 3?\r\n/bye\r\n"),
           t.output(t.linux, "chat", model, stdin=b"Hello\nWhat is 2 + 3?\n/bye\n"))
    t.same("a prompt from a pipe with CRLF", t.output(t.exe, "run", model, "-q", stdin=b"Hello\r\n"),
           t.output(t.linux, "run", model, "-q", stdin=b"Hello\n"))
    t.both("show", "show", model, "--json", change=lambda x: json.dumps({k: v for k, v in json.loads(x).items() if k != "folder"}))
    bench = json.loads(t.output(t.exe, "bench", model, "--json"))
    t.same("bench measures something", bool(bench), True)
    for arguments in (["run", "nowhere", "x"], ["quantize", "nowhere", scratch / "no"], ["run", model, "x", "--device", "npu", "--require", "npu"]):
        t.same(f"exit code of {arguments[:2]}", t.run(t.exe, *arguments).returncode, t.run(t.linux, *arguments).returncode)
    t.same("a wrong flag's exit code", t.run(t.exe, "run", "--nonsense").returncode, 2)


def names(t, scratch):
    place = scratch / "mit Leerzeichen & grün 日本"
    place.mkdir()
    shutil.copytree(t.demo, place / "modèle ü")
    t.output(t.exe, "quantize", place / "modèle ü", place / "paket 日本", "--weight-format", "int4")
    t.both("a model with such a name", "run", place / "paket 日本", "Hello", "-q", "-n", "20")
    t.same("relative and with backslashes", subprocess.run([t.wine, t.exe, "run", "paket 日本\\", "Hello", "-q", "-n", "20"], cwd=place,
           env=t.environment(), capture_output=True).stdout, t.output(t.linux, "run", place / "paket 日本", "Hello", "-q", "-n", "20"))
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


def at_console(t, typed, *arguments, timeout=120):
    """phial on a console (wine makes one of a terminal): types each text when the prompt has shown again; what was shown, exit code."""
    child, terminal = pty.fork()
    if child == 0:
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
        if not data:
            break
        shown += data
        if waiting and b">>>" in shown[seen:]:
            seen = len(shown)
            os.write(terminal, waiting.pop(0).encode())
    else:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(terminal)
    return shown.decode("utf-8", "replace"), os.waitstatus_to_exitcode(status)


def console(t, scratch):
    model = scratch / "int4"
    t.output(t.linux, "quantize", t.demo, model, "--weight-format", "int4")
    shown, code = at_console(t, ["/set system Größe 日本\r", "/set\r", "/bye\r"], "chat", model)
    t.same("leaving a chat on a console", code, 0)
    if shown.count("Größe 日本") < 2:  # as typed, and as /set shows it
        t.fail("the console doesn't show what was typed", repr(shown))
    shown, code = at_console(t, ["\x03", "/bye\r"], "chat", model)
    t.same("Ctrl-C at the prompt gives a new one", (code, shown.count(">>>") >= 2), (0, True))
    launcher = scratch / "ctrl_c.exe"
    subprocess.run(["x86_64-w64-mingw32-gcc", "-municode", "-O1", "-o", launcher, t.source / "tests/windows/ctrl_c.c"], check=True)
    stopped = t.run(launcher, windows(t.exe), "run", windows(model), "Hello", "-n", "3000", "--ignore-eos", "-c", "4000")
    if stopped.returncode == 99:
        skip(stopped.stderr.decode("utf-8", "replace"))
    t.same("Ctrl-C ends an answer: exit code", stopped.returncode, 130)


def units(t, scratch):
    for name in UNITS:
        done = t.run(t.build / "bin" / f"test_{name}.exe", "--gtest_brief=1", timeout=1800, PHIAL_ISA="", TMP=windows(scratch),
                     TEMP=windows(scratch))
        text = done.stdout.decode("utf-8", "replace")
        print(f"test_{name}.exe: {text.strip().splitlines()[-1] if text.strip() else 'no output'}")
        if done.returncode != 0:
            t.fail(f"test_{name}.exe ends with {done.returncode}", text, done.stderr)


def openvino(t, scratch):
    libraries = os.environ.get("PHIAL_OPENVINO_WINDOWS")
    if not libraries or not (pathlib.Path(libraries) / "openvino_c.dll").exists():
        skip("OpenVINO for Windows isn't there (PHIAL_OPENVINO_WINDOWS: the folder with openvino_c.dll)")
    model = scratch / "int4"
    t.output(t.linux, "quantize", t.demo, model, "--weight-format", "int4")
    where = {"PHIAL_OPENVINO_LIB": windows(pathlib.Path(libraries).resolve())}
    for prompt in PROMPTS:
        done = t.run(t.exe, "run", model, prompt, "-q", "-n", "40", "--require", "openvino:CPU", "--ov-config", "INFERENCE_PRECISION_HINT=f32",
                     "--ov-config", "DYNAMIC_QUANTIZATION_GROUP_SIZE=0", "--kv-cache-precision", "f32", timeout=900, **where)
        if done.returncode != 0:
            t.fail(f"OpenVINO: {prompt}", done.stderr)
            continue
        t.same(f"OpenVINO and our engine: {prompt}", done.stdout, t.output(t.linux, "run", model, prompt, "-q", "-n", "40"))
    missing = t.run(t.exe, "run", model, "x", "--require", "openvino:CPU", PHIAL_OPENVINO_LIB=windows(scratch))
    if missing.returncode == 0 or b"openvino_c.dll" not in missing.stderr:
        t.fail("a place without OpenVINO isn't named", missing.stderr)
    # Alone in a folder, it lacks what it needs: which, Windows doesn't say.
    shutil.copy(pathlib.Path(libraries) / "openvino_c.dll", scratch)
    lacking = t.run(t.exe, "run", model, "x", "--require", "openvino:CPU", PHIAL_OPENVINO_LIB=windows(scratch))
    if b"openvino.dll (needed by openvino_c.dll)" not in lacking.stderr:
        t.fail("the missing dependent library isn't named", lacking.stderr)


def package(t, scratch):
    done = subprocess.run(["cmake", "--build", "--preset", "mingw", "--target", "package"], cwd=t.source, capture_output=True)
    archives = sorted((t.build / "package").glob("*.zip"))
    if done.returncode != 0 or len(archives) != 1:
        return t.fail(f"no single zip: {archives}", done.stdout)
    shutil.unpack_archive(archives[0], scratch / "un packed ü")
    root = next((scratch / "un packed ü").iterdir())
    found = [str(p) for p in folder_files(root)]
    for wanted in ("bin/phial.exe", "bin/libphial.dll", "lib/phial/plugins/phial_openvino.dll", "include/phial/phial.h",
                   "include/phial/phial.hpp", "include/phial/backend_abi.h"):
        if wanted not in found:
            t.fail(f"{wanted} isn't in the zip", found)
    if not any("licences/" in f for f in found) or not any(f.endswith("LICENSE") for f in found):
        t.fail("no licences in the zip", found)
    t.same("the unpacked program answers", t.output(root / "bin" / "phial.exe", "run", t.demo, "Hello", "-q"),
           t.output(t.linux, "run", t.demo, "Hello", "-q"))
    devices = t.output(root / "bin" / "phial.exe", "devices", "--json", PHIAL_OPENVINO_LIB="nowhere")
    t.same("the unpacked plug-in is found", b"openvino" in devices.lower(), True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("part", choices=["build", "cli", "names", "console", "units", "openvino", "package"])
    p.add_argument("--source", type=pathlib.Path, required=True)
    p.add_argument("--phial", type=pathlib.Path, required=True)
    a = p.parse_args()
    if not shutil.which("x86_64-w64-mingw32-g++-posix"):
        skip("no cross compiler for Windows (Debian package g++-mingw-w64-x86-64-posix)")
    t = Tester(a.source.resolve(), a.phial.resolve())
    if a.part == "build":
        build(t)
    else:
        if not t.exe.exists():
            skip("the Windows program wasn't built")
        with tempfile.TemporaryDirectory(prefix="phial-windows-") as scratch:
            globals()[a.part](t, pathlib.Path(scratch))
    return 1 if t.failures else 0


if __name__ == "__main__":
    sys.exit(main())
