#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One suite of the Python package's tests, as a user has the package: the wheel of this build, in a clean environment of its own.

usage: run.py SOURCE BUILD PYTHON suite [ARGUMENTS...]
  PYTHON: "system", or "newer": a newer Python than the system's, where there is one
  suite: "pytest" with its arguments, "types" (mypy), "wheel" (what the wheel is), or "with" and the modules that the tests
    need, with commas between: then pytest runs in an environment that has them (PHIAL_TEST_PYTHON, .venv, or the system's)
Exit code 77: there is no such Python, or no package registry.
"""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

SKIP = 77
HERE = pathlib.Path(__file__).resolve().parent


def skip(reason: str) -> None:
    print(f"Skipped: {reason}")
    sys.exit(SKIP)


def version_of(python: str) -> tuple:
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()


def find_python(which: str) -> str:
    system = "/usr/bin/python3" if version_of("/usr/bin/python3") else sys.executable
    if which == "system":
        return system
    own = version_of(system)
    roots = [pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")) / "versions",
             pathlib.Path.home() / ".local/share/uv/python"]
    found = [str(p) for root in roots for p in root.glob("*/bin/python3")]
    found += [p for p in (shutil.which(f"python3.{minor}") for minor in range(11, 20)) if p]
    newer = sorted((version, path) for version, path in ((version_of(p), p) for p in found) if version > own)
    if not newer:
        skip(f"no Python newer than {own[0]}.{own[1]} on PATH, in pyenv or in uv's folder")
    return newer[-1][1]


def find_python_with(modules: list, source: pathlib.Path) -> str:
    code = "import importlib.util as u, sys; sys.exit(not all(u.find_spec(m) for m in sys.argv[1:]))"
    named = os.environ.get("PHIAL_TEST_PYTHON")
    for python in filter(None, (named, str(source / ".venv/bin/python"), "/usr/bin/python3")):
        if os.path.exists(python) and subprocess.run([python, "-c", code, *modules]).returncode == 0:
            return python
    skip(f"no Python with {', '.join(modules)}: PHIAL_TEST_PYTHON may name one")


def quiet(command: list, **options) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        print(done.stdout)
        if re.search(r"No matching distribution|Could not find a version|Failed to establish|Temporary failure", done.stdout):
            skip("pip can't reach a package registry")
        sys.exit(f"{command}: exit code {done.returncode}")


def make_wheel(python: str, source: pathlib.Path, build: pathlib.Path, into: pathlib.Path) -> pathlib.Path:
    """The wheel of the libraries that are built already; its files are older than nothing, so that it is the same each time."""
    shutil.rmtree(into, ignore_errors=True)
    environment = {**os.environ, "PHIAL_PREBUILT": str(build), "SOURCE_DATE_EPOCH": "1700000000"}
    quiet([python, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", into, source], env=environment)
    return next(into.glob("*.whl"))


def prepare(python: str, source: pathlib.Path, build: pathlib.Path) -> tuple:
    """An environment with the test tools and phial's wheel; made anew where one of them changed."""
    folder = build / "python" / ("%d.%d" % version_of(python))
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        inner = folder / "venv" / "bin" / "python"
        stamp = folder / "requirements"
        wanted = (HERE / "requirements.txt").read_text(encoding="utf-8")
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(folder / "venv", ignore_errors=True)
            quiet([python, "-m", "venv", folder / "venv"])
            quiet([inner, "-m", "pip", "install", "--disable-pip-version-check", "-r", HERE / "requirements.txt"])
            stamp.write_text(wanted, encoding="utf-8")
        parts = [build / "lib/libphial.so.0", build / "bin/phial", *(build / "lib/phial/plugins").glob("*.so"),
                 *(source / "bindings/python").rglob("*.py"), source / "pyproject.toml", source / "cmake/python.cmake"]
        newest = str(max(p.stat().st_mtime_ns for p in parts))
        installed = folder / "installed"
        if not installed.exists() or installed.read_text(encoding="ascii") != newest:
            wheel = make_wheel(inner, source, build, folder / "wheel")
            quiet([inner, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--force-reinstall", wheel])
            installed.write_text(newest, encoding="ascii")
        return inner, next((folder / "wheel").glob("*.whl"))


def check_wheel(inner: pathlib.Path, wheel: pathlib.Path, source: pathlib.Path, build: pathlib.Path) -> None:
    assert re.fullmatch(r"phial-[\d.]+-py3-none-(linux|manylinux\w*)_x86_64\.whl", wheel.name), wheel.name
    names = set(zipfile.ZipFile(wheel).namelist())
    for part in ("phial/lib/libphial.so.0", "phial/bin/phial", "phial/lib/phial/plugins/phial_openvino.so",
                 "phial/lib/phial/plugins/phial_onnxruntime.so", "phial/py.typed", "phial/__init__.py"):
        assert part in names, f"{part} isn't in {sorted(names)}"
    again = make_wheel(str(inner), source, build, wheel.parent.parent / "again")
    assert again.read_bytes() == wheel.read_bytes(), "two wheels of the same build differ"
    command = inner.parent / "phial"
    done = subprocess.run([command, "devices", "--json"], capture_output=True, text=True, check=True)
    assert '"cpu"' in done.stdout
    print(f"{wheel.name}: {wheel.stat().st_size} bytes, {len(names)} files; the same bytes twice")


def main() -> int:
    source, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    python, suite, arguments = find_python(sys.argv[3]), sys.argv[4], sys.argv[5:]
    inner, wheel = prepare(python, source, build)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PHIAL_LIBRARY")}
    environment["PHIAL_SOURCE_DIR"] = str(source)
    os.chdir(source)
    if suite == "wheel":
        check_wheel(inner, wheel, source, build)
        return 0
    if suite == "types":
        return subprocess.run([inner, "-m", "mypy"], env=environment).returncode
    if suite == "with":
        modules = arguments.pop(0).split(",")
        inner = find_python_with(modules, source)
        # That environment stays as it is: the wheel's files and pytest are put before its own packages.
        target = build / "python" / "with"
        quiet([sys.executable, "-m", "zipfile", "-e", wheel, target])
        (target / "phial/bin/phial").chmod(0o755)
        site = next((build / "python").glob("*/venv/lib/python3.11/site-packages"), None)
        environment["PYTHONPATH"] = os.pathsep.join(map(str, filter(None, [target, site])))
    code = subprocess.run([inner, "-m", "pytest", "-q", "-rs", *arguments], env=environment).returncode
    if code == 5:
        print("Skipped: what the tests need isn't installed (see above)")
    return SKIP if code == 5 else code  # 5: the module skipped itself, or had no test


sys.exit(main())
