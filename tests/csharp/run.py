#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C# library, compiled and run with Mono. Exit code 77: Mono isn't installed.

usage: run.py SOURCE BUILD TEST      TEST: answers, stops, refuses, leaks, sample, nuget
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
import zipfile


def run(command: list, **options) -> subprocess.CompletedProcess:
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    print(done.stdout, end="")
    if done.returncode:
        sys.exit(f"{command[0]}: exit code {done.returncode}")
    return done


def unpacked(source: pathlib.Path, build: pathlib.Path, here: pathlib.Path) -> pathlib.Path:
    """The NuGet package of what this machine has, packed twice and unpacked."""
    files = here / "files"
    (files / "linux-x64/phial/plugins").mkdir(parents=True)
    shutil.copy(here / "Phial.dll", files)
    shutil.copy(build / "lib/libphial.so", files / "linux-x64")
    for plugin in (build / "lib/phial/plugins").glob("phial_o*.so"):
        shutil.copy(plugin, files / "linux-x64/phial/plugins")
    pack = ["python3", source / "tools/pack_nuget.py", source / "bindings/csharp/Phial/phial.nuspec", files]
    refused = subprocess.run(list(map(str, [*pack, here / "none"])), capture_output=True, text=True)
    assert refused.returncode and "there is no Phial.xml" in refused.stderr, refused
    run([*pack, here / "one", "--partial"])
    run([*pack, here / "two", "--partial"])
    package, again = next((here / "one").glob("*.nupkg")), next((here / "two").glob("*.nupkg"))
    assert package.read_bytes() == again.read_bytes()
    version = re.search(r'__version__ = "(.*)"', (source / "bindings/python/phial/__init__.py").read_text())[1]
    assert package.name == f"Phial.{version}.nupkg"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(here / "unpacked")
    inside = here / "unpacked"
    spec = xml.parse(inside / "Phial.nuspec").getroot()
    space = spec.tag.split("}")[0] + "}"
    assert spec.find(f"{space}files") is None and spec.find(f"{space}metadata/{space}id").text == "Phial"
    targets = {e.get("Target") for e in xml.parse(inside / "_rels/.rels").getroot()}
    assert "/Phial.nuspec" in targets and all((inside / t[1:]).is_file() for t in targets)
    kinds = {e.get("Extension") for e in xml.parse(inside / "[Content_Types].xml").getroot()}
    assert {p.suffix[1:] for p in inside.rglob("*") if p.is_file() and p.name != "[Content_Types].xml"} <= kinds | {"xml", ""}
    return inside


def devices(folder: pathlib.Path) -> set[str]:
    """What libphial of this folder finds, in a process of its own."""
    code = ("import ctypes, sys; lib = ctypes.CDLL(sys.argv[1]); text = ctypes.c_char_p(); lib.phial_devices.restype = ctypes.c_void_p; "
            "assert not lib.phial_devices(ctypes.byref(text)); print(text.value.decode())")
    done = subprocess.run([sys.executable, "-c", code, folder / "libphial.so"], capture_output=True, text=True, check=True)
    return {device["id"] for device in json.loads(done.stdout)["devices"]}


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
        program = source / ("bindings/csharp/samples/Chat/Program.cs" if test in ("sample", "nuget") else "tests/csharp/Tests.cs")
        run([*compiler, f"-r:{here}/Phial.dll", f"-out:{here}/program.exe", program])
        libraries = build / "lib"
        if test == "nuget":  # the sample on what the package holds alone
            package = unpacked(source, build, here)
            shutil.copy(package / "lib/net8.0/Phial.dll", here)
            libraries = package / "runtimes/linux-x64/native"
            flat = here / "flat"  # as .NET lays native files when it builds for one platform
            flat.mkdir()
            for file in [p for p in libraries.rglob("*") if p.is_file()]:
                shutil.copy(file, flat)
            assert devices(libraries) == devices(flat) and {"onnxruntime:cpu", "openvino:NPU"} <= devices(flat), devices(flat)
        run([build / "bin/phial", "quantize", "-q", demo, here / "int4"])
        environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries), "PHIAL_MODELS": str(here / "models")}
        mono = ["mono", "--debug", here / "program.exe", here / "int4"]
        if test in ("sample", "nuget"):
            done = run([*mono, "cpu"], env=environment, input="Can you introduce yourself?\nWhat is an NPU?\n\n")
            assert "> My name is Phial" in done.stdout and "neural" in done.stdout
        else:
            run([*mono, demo, here / "scratch", test], env=environment)
    return 0


sys.exit(main())
