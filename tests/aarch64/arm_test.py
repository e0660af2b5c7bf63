#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""phial for Linux on aarch64, built here by its preset and run under qemu-user: C++ tests of what depends on the system or the processor,
and the program itself on the demo model, held to the x86-64 build of the same tree.

usage: arm_test.py build | units | cli --source TREE --phial PHIAL

Exit code 77: skipped, with the reason (qemu or the cross compiler isn't here).
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# A "death test" starts its program anew, which the emulator's host can't.
UNITS = {
    # Many short loops take seconds on a quiet computer and minutes on a busy one.
    "base": ["ThreadPool.ManyShortLoopsInARow"],
    "kernels": [],
    # Memory is the emulator's own. The conformance suite and the golden files take hundreds of steps each, minutes under emulation.
    "native": ["kv_cache.memory_follows_what_is_written", "native/*"],
}
FORMATS = {"int4": ["--weight-format", "int4"], "int8": ["--weight-format", "int8"], "fp16": ["--weight-format", "fp16"]}
TIERS = ["neon_i8mm", "neon_dotprod", "scalar"]
PROMPT = "What is 12 + 30?"


def skip(reason):
    print("SKIPPED:", reason)
    sys.exit(77)


def run(command, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PHIAL_")}
    clean.update({k: str(v) for k, v in environment.items()})
    done = subprocess.run([str(c) for c in command], env=clean, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{command} ends with {done.returncode}\n" + (done.stdout + done.stderr).decode("utf-8", "replace")[-6000:])
    return done.stdout


def build(source):
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    os.chdir(source)
    run(["cmake", "--preset", "aarch64", *launcher])
    run(["cmake", "--build", "--preset", "aarch64", "--target", "phial_cli", *(f"test_{name}" for name in UNITS)])


def units(binaries, emulated):
    for name, left_out in UNITS.items():
        text = run([*emulated, binaries / f"test_{name}", "--gtest_brief=1", "--gtest_filter=-" + ":".join(["*DeathTest*", *left_out])]).decode()
        print(f"test_{name}:", next(line for line in text.splitlines() if "PASSED" in line))


class Same:
    """Counts and shows comparisons of the two builds."""

    def __init__(self):
        self.wrong = 0

    def __call__(self, what, found, expected):
        self.wrong += found != expected
        print(f"ok    {what}" if found == expected else f"WRONG {what}\n      aarch64: {found}\n      x86-64:  {expected}", flush=True)


def answer(program, package, **environment):
    said = json.loads(run([*program, "run", package, PROMPT, "--json", "-q", "-n", "6", "--threads", "2"], **environment))
    return said["ids"], said["text"], said["finish_reason"]


def logits(program, package, ids, file, **environment):
    run([*program, "logits", package, "--ids", ",".join(map(str, ids)), "--out", file], **environment)
    return file.read_bytes()


def cli(source, emulated, phial, binaries):
    arm, here, same = [*emulated, binaries / "phial"], [phial], Same()
    same("the version", run([*arm, "--version"]), run([*here, "--version"]))
    tiers = run([*arm, "devices"]).decode()
    same("the tiers that run", sorted(re.findall(r"^ +(neon_\w+|scalar) +(?:runs here|in use)$", tiers, re.M)), sorted(TIERS))
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "logits.npy")
        for name, flags in FORMATS.items():
            ours, theirs = pathlib.Path(folder, "arm", f"demo-{name}"), pathlib.Path(folder, "x86", f"demo-{name}")
            for program, package in ((arm, ours), (here, theirs)):
                package.parent.mkdir(exist_ok=True)
                run([*program, "quantize", source / "models/phial-demo", package, "-q", *flags])
            files = sorted(p.name for p in theirs.iterdir())
            same(f"{name}: the package's files", sorted(p.name for p in ours.iterdir()), files)
            same(f"{name}: files that differ", [f for f in files if (ours / f).read_bytes() != (theirs / f).read_bytes()], [])
            shown = [json.loads(run([*program, "show", package, "--json"])) for program, package in ((arm, ours), (here, theirs))]
            same(f"{name}: show", *({k: v for k, v in facts.items() if k not in ("folder", "files", "artefacts")} for facts in shown))
            # Softmax and SiLU are computed in another order by each tier, on every processor. Scalar is scalar everywhere.
            same(f"{name}: the bits of all logits, scalar", logits(arm, ours, range(5, 25), file, PHIAL_ISA="scalar") ==
                 logits(here, theirs, range(5, 25), file, PHIAL_ISA="scalar"), True)
            expected = answer(here, theirs)
            for tier in TIERS:
                same(f"{name}: {tier}: the answer", answer(arm, ours, PHIAL_ISA=tier), expected)
    sys.exit(1 if same.wrong else 0)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("part", choices=["build", "units", "cli"])
    p.add_argument("--source", type=pathlib.Path, required=True)
    p.add_argument("--phial", type=pathlib.Path, help="the x86-64 build's program, for cli")
    a = p.parse_args()
    source = a.source.resolve()
    qemu = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if not shutil.which("aarch64-linux-gnu-g++"):
        skip("no cross compiler for aarch64 (Debian package g++-aarch64-linux-gnu)")
    if not qemu:
        skip("qemu-aarch64 isn't installed (Debian package qemu-user)")
    emulated = [qemu, "-cpu", "max", "-L", "/usr/aarch64-linux-gnu"]
    binaries = source / "build/aarch64/bin"
    if a.part == "build":
        build(source)
    elif not all((binaries / f).exists() for f in ["phial", *(f"test_{name}" for name in UNITS)]):
        skip("the program and the tests for aarch64 weren't built")
    elif a.part == "units":
        units(binaries, emulated)
    else:
        cli(source, emulated, a.phial.resolve(), binaries)


if __name__ == "__main__":
    main()
