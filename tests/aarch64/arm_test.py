#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""phial for Linux on aarch64, built here by its preset and run under qemu-user, C++ tests only: what depends on the
system, and the kernels of every tier (held to the scalar one).

usage: arm_test.py build | units --source TREE

Exit code 77: skipped, with the reason (qemu or the cross compiler isn't here).
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

UNITS = ["base", "kernels"]
# A "death test" starts its program anew, which the emulator's host can't. Many short loops take seconds on a quiet computer and minutes on a busy one.
LEFT_OUT = "*DeathTest*:ThreadPool.ManyShortLoopsInARow"


def skip(reason):
    print("SKIPPED:", reason)
    sys.exit(77)


def run(command, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PHIAL_")}
    clean.update(environment)
    done = subprocess.run([str(c) for c in command], env=clean, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{command} ends with {done.returncode}\n" + (done.stdout + done.stderr).decode("utf-8", "replace")[-6000:])
    return done.stdout


def build(source):
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    os.chdir(source)
    run(["cmake", "--preset", "aarch64", *launcher])
    run(["cmake", "--build", "--preset", "aarch64", "--target", *(f"test_{name}" for name in UNITS)])


def units(source, emulated):
    for name in UNITS:
        text = run([*emulated, source / "build/aarch64/bin" / f"test_{name}", "--gtest_brief=1", f"--gtest_filter=-{LEFT_OUT}"]).decode()
        print(f"test_{name}:", next(line for line in text.splitlines() if "PASSED" in line))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("part", choices=["build", "units"])
    p.add_argument("--source", type=pathlib.Path, required=True)
    a = p.parse_args()
    source = a.source.resolve()
    qemu = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if not shutil.which("aarch64-linux-gnu-g++"):
        skip("no cross compiler for aarch64 (Debian package g++-aarch64-linux-gnu)")
    if not qemu:
        skip("qemu-aarch64 isn't installed (Debian package qemu-user)")
    emulated = [qemu, "-cpu", "max", "-L", "/usr/aarch64-linux-gnu"]
    if a.part == "build":
        build(source)
    elif not (source / "build/aarch64/bin" / f"test_{UNITS[-1]}").exists():
        skip("the tests for aarch64 weren't built")
    else:
        units(source, emulated)


if __name__ == "__main__":
    main()
