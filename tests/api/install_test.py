#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs a build into a fresh folder, moves that folder, builds the examples against it and runs them.

usage: install_test.py SOURCE BUILD CXX [CXXFLAGS]
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def run(*command, **more) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    source, build, compiler = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    flags = sys.argv[4] if len(sys.argv) > 4 else ""
    environment = {k: v for k, v in os.environ.items() if k not in ("LD_LIBRARY_PATH", "DESTDIR")}
    with tempfile.TemporaryDirectory(prefix="phial-install-") as name:
        folder = pathlib.Path(name)
        run("cmake", "--install", build, "--prefix", folder / "first", env=environment)
        prefix = folder / "moved"  # nothing may depend on where it was installed first
        shutil.move(folder / "first", prefix)

        version = run(prefix / "bin" / "phial", "--version", env=environment)
        assert version.startswith("phial "), version

        model = source / "models" / "phial-demo"
        if not (model / "model.safetensors").exists():
            sys.path.insert(0, str(source / "tests" / "transcripts"))
            import tiny_model
            model = folder / "tiny"
            tiny_model.make(str(prefix / "bin" / "phial"), model)

        run("cmake", "-S", source / "examples", "-B", folder / "examples", f"-DCMAKE_PREFIX_PATH={prefix}",
            f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_FLAGS={flags}", "-DCMAKE_BUILD_TYPE=Release", env=environment)
        run("cmake", "--build", folder / "examples", env=environment)
        text = run(folder / "examples" / "stream", model, "hello", env=environment)
        assert text.strip(), "the example printed nothing"

        if shutil.which("pkg-config"):
            pc = dict(environment, PKG_CONFIG_PATH=str(next(prefix.rglob("phial.pc")).parent))
            compile_flags = run("pkg-config", "--cflags", "--libs", "phial", env=pc).split()
            run(compiler, "-std=c++20", *flags.split(), source / "examples" / "stream.cpp", *compile_flags, "-o",
                folder / "stream", env=pc)
    print("ok")


if __name__ == "__main__":
    main()
