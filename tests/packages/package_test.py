#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian package and the archive: made twice they are the same to the byte, say nothing of the folder that they were built
in (so that those of another are the same too), and phial runs from what they hold.

usage: package_test.py SOURCE BUILD      Exit code 77: dpkg-deb and dpkg-shlibdeps aren't here.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def run(*command, **options) -> str:
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        sys.exit(f"{command}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def pack(build: pathlib.Path, stage: pathlib.Path, into: pathlib.Path) -> dict:
    # What `--target package` does, but for building everything first, the tests too.
    run("cpack", "-D", "CPACK_INSTALL_CMAKE_PROJECTS=", "-D", f"CPACK_INSTALLED_DIRECTORIES={stage};/", "-D",
        f"CPACK_PACKAGE_DIRECTORY={into}", cwd=build)
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in into.iterdir() if p.is_file()}


def main() -> int:
    source, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if not shutil.which("dpkg-deb") or not shutil.which("dpkg-shlibdeps"):
        print("Skipped: dpkg-deb and dpkg-shlibdeps aren't here")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        run("cmake", "--install", build, "--prefix", here / "stage/usr")
        first, second = pack(build, here / "stage", here / "one"), pack(build, here / "stage", here / "two")
        assert first == second, (first, second)
        deb = next((here / "one").glob("phial_*.deb"))
        archive = next((here / "one").glob("phial-*.tar.gz"))
        depends = run("dpkg-deb", "-f", deb, "Depends")
        for package in ("libc6", "libstdc++6", "libcurl4", "libfmt9"):
            assert package in depends, depends
        run("dpkg-deb", "-x", deb, here / "deb")
        (here / "archive").mkdir()
        run("tar", "-xzf", archive, "-C", here / "archive")
        programs = [here / "deb/usr/bin/phial", *(here / "archive").glob("**/bin/phial")]
        assert len(programs) == 2, programs
        for path in filter(pathlib.Path.is_file, here.glob("stage/**/*")):
            for folder in (source, build):
                assert bytes(folder) not in path.read_bytes(), f"{path} has {folder} in it"
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PHIAL_", "LD_"))}
        for program in programs:
            model = here / "int4"
            run(program, "quantize", "-q", "--overwrite", source / "models/phial-demo", model, env=clean)
            assert "Phial" in run(program, "run", "-q", "--device", "cpu", model, "Can you introduce yourself?", env=clean)
            assert "openvino:" in run(program, "devices", "--json", env=clean), "the plug-ins aren't found"
        print(f"{deb.name}: {deb.stat().st_size} bytes, {archive.name}: {archive.stat().st_size} bytes; the same twice")
    return 0


sys.exit(main())
