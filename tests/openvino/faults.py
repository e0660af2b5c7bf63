#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around OpenVINO, with the program as its user has it. Exit code 0: right; 1: wrong; 77: skipped.

usage: faults.py PHIAL SOURCE
PHIAL_OPENVINO_LIB: folder of libopenvino_c.so*; without it the virtual environment that tools/python_env.sh makes.
Versions, drivers and lost devices come from faulty_openvino.c, which stands before the real library.
"""
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

PHIAL, SOURCE = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
sys.path[:0] = [str(SOURCE / "tests"), str(SOURCE / "tests/transcripts")]
import checks  # noqa: E402
from checks import expect, skip  # noqa: E402
import tiny_model  # noqa: E402

PATIENCE = 300  # seconds; nothing here waits for a time to pass
EXACT = [a for p in ("INFERENCE_PRECISION_HINT=f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE=0", "KV_CACHE_PRECISION=f32")
         for a in ("--ov-config", p)]


def find_openvino() -> pathlib.Path:
    named = os.environ.get("PHIAL_OPENVINO_LIB")
    folders = [pathlib.Path(named)] if named else list(SOURCE.glob(".venv/lib/python3*/site-packages/openvino/libs"))
    for folder in folders:
        for library in sorted(folder.glob("libopenvino_c.so*")):
            return library
    skip("no OpenVINO: set PHIAL_OPENVINO_LIB, or let ./test.sh install it in .venv")


class Place:
    """A folder with a tiny model, its package, and an OpenVINO that fails on command."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        tiny_model.make(PHIAL, folder / "tiny")
        self.run("quantize", "tiny", "p", "--weight-format", "fp16", "--quiet", check=True)
        real = find_openvino()
        self.faulty = folder / "faulty"
        self.faulty.mkdir()
        for file in real.parent.iterdir():  # phial looks which plugins lie beside the library
            if not file.name.startswith("libopenvino_c.so"):
                (self.faulty / file.name).symlink_to(file)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.faulty / "libopenvino_c.so",
                        SOURCE / "tests/openvino/faulty_openvino.c", "-Wl,--no-as-needed", real,
                        f"-Wl,-rpath,{real.parent}", "-ldl"], check=True)
        self.own = self.run("run", "p", "hello", "-n", "12", "--ignore-eos", "--quiet", "--device", "cpu", check=True).stdout

    def environment(self, more: dict) -> dict:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PHIAL_", "FAULT_"))}
        return dict(clean, PHIAL_CACHE=str(self.folder / "cache"), PHIAL_OPENVINO_LIB=str(getattr(self, "faulty", "")), **more)

    def run(self, *arguments: str, check: bool = False, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run([PHIAL, *arguments], cwd=self.folder, env=self.environment(more), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=check, timeout=PATIENCE)

    def hello(self, *arguments: str, tokens: int = 12, **more: str) -> subprocess.CompletedProcess:
        return self.run("run", "p", "hello", "-n", str(tokens), "--ignore-eos", "--quiet", *arguments, **more)

    def start(self, *arguments: str, **more: str) -> subprocess.Popen:
        return subprocess.Popen([PHIAL, "run", "p", "hello", "-n", "12", "--ignore-eos", "--quiet", *arguments], cwd=self.folder,
                                env=self.environment(more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def entries(self) -> list:
        return sorted(p.name for p in (self.folder / "cache/compiled").glob("*"))


def one_sentence(text: str) -> bool:
    return text.startswith("phial: ") and "terminate" not in text and "Exception from" not in text


def versions_and_devices(place: Place):
    old = place.run("run", "p", "hello", "--require", "openvino:CPU", FAULT_VERSION="2023.3.0-13775-ceeafaf64f3")
    expect(old.returncode == 1 and "2023.3.0" in old.stderr and "2024.5" in old.stderr, "an old OpenVINO is told apart, with the minimum", old)
    listed = place.run("devices", FAULT_VERSION="2023.3.0-13775-ceeafaf64f3")
    expect(listed.returncode == 0 and "2023.3.0" in listed.stdout, "phial devices says so too", listed)

    new = {"FAULT_DEVICES": "NPU"}
    for driver, good in (("1700000000", False), ("2016", False), ("1750000000", True), ("4082", True)):
        verdict = place.run("devices", FAULT_DRIVER=driver, **new).stdout
        line = next((x for x in verdict.splitlines() if "openvino:NPU" in x), "")
        minimum = "1.13.0" if len(driver) > 9 else "32.0.100.3104"
        expect((" old" in line and minimum in line) != good and line != "", f"an NPU with driver {driver} is {'used' if good else 'refused with the minimum'}",
               (line, verdict))
    lost = place.hello("--device", "npu", FAULT_COMPILE="[NPU] device is lost", **new)
    expect(lost.returncode == 0 and lost.stdout == place.own and "device is lost" in lost.stderr and "cpu runs it instead" in lost.stderr,
           "an NPU that vanishes before the model is compiled: announced, and the CPU answers", lost)
    lost = place.hello("--require", "npu", FAULT_COMPILE="[NPU] device is lost", **new)
    expect(lost.returncode == 1 and lost.stdout == "" and "device is lost" in lost.stderr, "with --require that is an error", lost)
    lost = place.hello("--require", "npu", **new)  # the real plugin, asked for a device that it doesn't have
    expect(lost.returncode == 1 and lost.stdout == "" and one_sentence(lost.stderr), "and so it is with the real plugin's words", lost)
    lost = place.hello("--device", "openvino:CPU", *EXACT, FAULT_INFER="6")
    expect(lost.returncode == 1 and "the device was lost" in lost.stderr and one_sentence(lost.stderr) and place.own.startswith(lost.stdout.rstrip("\n")),
           "a device that vanishes within an answer: what came before it stands, then the error", lost)


def cache_and_processes(place: Place):
    cached = ["--device", "openvino:CPU", "--compile-cache", "yes", *EXACT]
    crowd = [place.start(*cached) for _ in range(3)]
    results = [(p.communicate(timeout=PATIENCE), p.returncode) for p in crowd]
    expect(all(code == 0 and out == place.own for (out, _), code in results), "three processes compile at once", results)
    expect(len(place.entries()) == 1 and len(place.entries()[0]) == 64, "and leave one entry", place.entries())
    again = place.hello(*cached)
    expect(again.stdout == place.own and again.stderr == "", "which the next one uses", again)

    entry = place.folder / "cache/compiled" / place.entries()[0]
    sound = {p: p.read_bytes() for p in entry.rglob("*") if p.is_file()}
    wrong = []
    dice = random.Random(4)
    for _ in range(20):
        file = dice.choice(sorted(sound))
        data = bytearray(sound[file])
        if dice.random() < 0.2:
            data = data[:dice.randrange(len(data))]
        else:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        shutil.rmtree(entry, ignore_errors=True)
        for path, content in sound.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data if path == file else content)
        result = place.hello(*cached)
        if result.returncode != 0 or result.stdout != place.own or len(place.entries()) != 1:
            wrong.append((file, result, place.entries()))
    expect(not wrong, "an entry damaged at random is dropped and made again (20 times)", wrong[:3])

    place.run("cache", "clear", check=True)
    fifo = place.folder / "fifo"
    os.mkfifo(fifo)
    for kill in (signal.SIGINT, signal.SIGKILL):
        process = place.start(*cached, FAULT_WAIT=str(fifo))
        while "compiling" not in (line := process.stderr.readline()):
            if not line:
                break
        process.send_signal(kill)
        process.communicate(timeout=PATIENCE)
        expect(process.returncode in (-kill, 128 + kill), f"{kill.name} while a model is compiled ends phial", process.returncode)
        expect(not [e for e in place.entries() if len(e) == 64], "no entry is left that looks whole", place.entries())
    for left in (place.folder / "cache/compiled").glob("partial-*"):
        os.utime(left, (1, 1))  # a long time ago
    result = place.hello(*cached)
    expect(result.returncode == 0 and result.stdout == place.own and len(place.entries()) == 1, "the next one compiles, and sweeps up", (result, place.entries()))

    place.run("cache", "clear", check=True)
    full = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 16; exec "$0" "$@"', PHIAL, "run", "p", "hello", "-n", "12", "--ignore-eos",
                           "--quiet", *cached], cwd=place.folder, env=place.environment({}), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE)
    expect(full.returncode == 0 and full.stdout == place.own and "can't be kept" in full.stderr, "a disk that is full costs the cache only", full)
    result = place.hello(*cached)
    expect(result.returncode == 0 and result.stdout == place.own, "and leaves nothing that harms", result)


def damaged_models(place: Place):
    made = place.run("compile", "p", "--device", "openvino:CPU", "--npu-prompt", "32", "--npu-response", "32", "-o", "static")
    expect(made.returncode == 0, "static models are compiled", made)
    use = ["--device", "openvino:CPU", "--static-models", "static"]
    sound = place.hello(*use)
    expect(sound.returncode == 0, "and run", sound)
    files = {p: p.read_bytes() for p in sorted((place.folder / "static").iterdir())}
    wrong, refused = [], 0
    dice = random.Random(5)
    for i in range(30):
        file = list(files)[i % len(files)]
        data = bytearray(files[file])
        if dice.random() < 0.2:
            data = data[:dice.randrange(len(data))]
        else:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        file.write_bytes(data)
        result = place.hello("--require", "openvino:CPU", "--static-models", "static")
        file.write_bytes(files[file])
        refused += result.returncode == 1
        if not (result.returncode == 0 and result.stdout == sound.stdout) and not (result.returncode == 1 and one_sentence(result.stderr)):
            wrong.append((file.name, result))
        if file.suffix == ".blob" and (result.returncode != 1 or file.name not in result.stderr):
            wrong.append((file.name, result))
    expect(not wrong, f"static models damaged at random are refused by name (30 times, {refused} refused)", wrong[:3])

    # phial makes its graph itself; the file is for other programs. A damaged one harms nobody here, and export mends it.
    xml = place.folder / "p/openvino_model.xml"
    good = xml.read_bytes()
    xml.write_bytes(good[:len(good) // 2])
    result = place.hello("--device", "openvino:CPU", *EXACT)
    expect(result.returncode == 0 and result.stdout == place.own, "a damaged openvino_model.xml doesn't matter to phial", result)
    place.run("export", "p", "--quiet", check=True)
    expect(xml.read_bytes() == good, "and phial export writes it anew")

    weights = place.folder / "p/openvino_model.bin"
    good = weights.read_bytes()
    wrong = []
    for _ in range(10):
        weights.write_bytes(good[:dice.randrange(len(good))])
        result = place.hello("--require", "openvino:CPU")
        if result.returncode != 1 or not one_sentence(result.stderr) or "openvino_model.bin" not in result.stderr:
            wrong.append(result)
    weights.write_bytes(good)
    expect(not wrong, "a weights file that was cut is refused by name (10 times)", wrong[:3])


def main():
    with tempfile.TemporaryDirectory(prefix="phial-faults-") as name:
        place = Place(pathlib.Path(name))
        versions_and_devices(place)
        cache_and_processes(place)
        damaged_models(place)
    checks.finish()


if __name__ == "__main__":
    main()
