#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C# library, compiled and run with Mono. Exit code 77: Mono isn't installed.

usage: run.py SOURCE BUILD TEST      TEST: answers, stops, refuses, leaks, sample
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def run(command: list, **options) -> subprocess.CompletedProcess:
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    print(done.stdout, end="")
    if done.returncode:
        sys.exit(f"{command[0]}: exit code {done.returncode}")
    return done


def main() -> int:
    source, build, test = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    if not shutil.which("mcs") or not shutil.which("mono"):
        print("Skipped: mcs and mono aren't installed (mono-mcs, mono-runtime, libmono-system-core4.0-cil)")
        return 77
    demo = source / "models/phial-demo"
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        (here / "scratch").mkdir()
        compiler = ["mcs", "-langversion:7.2", "-warnaserror", "-optimize"]
        run([*compiler, "-target:library", f"-out:{here}/Phial.dll", *sorted((source / "bindings/csharp/Phial").glob("*.cs"))])
        program = source / ("bindings/csharp/samples/Chat/Program.cs" if test == "sample" else "tests/csharp/Tests.cs")
        run([*compiler, f"-r:{here}/Phial.dll", f"-out:{here}/program.exe", program])
        run([build / "bin/phial", "quantize", "-q", demo, here / "int4"])
        environment = {**os.environ, "LD_LIBRARY_PATH": str(build / "lib"), "PHIAL_MODELS": str(here / "models")}
        mono = ["mono", "--debug", here / "program.exe", here / "int4"]
        if test == "sample":
            done = run([*mono, "cpu"], env=environment, input="Can you introduce yourself?\nWhat is an NPU?\n\n")
            assert "> My name is Phial" in done.stdout and "neural" in done.stdout
        else:
            run([*mono, demo, here / "scratch", test], env=environment)
    return 0


sys.exit(main())
