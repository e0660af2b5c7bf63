#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian package on a machine that has nothing: a fresh system of the same release in a folder (debootstrap), apt-get install
with what it depends on, the demo model quantized and asked, and the package taken away again.

usage: fresh_machine_test.py SOURCE BUILD      Exit code 77: not root, no debootstrap, or no mirror to be reached.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def run(*command, **options) -> str:
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{command}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def skip(reason: str) -> None:
    print(f"Skipped: {reason}")
    sys.exit(77)


def release() -> str:
    text = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    if not re.search(r"^ID=debian$", text, re.M):
        skip("this isn't Debian")
    return re.search(r"^VERSION_CODENAME=(\w+)$", text, re.M)[1]


def mirror(codename: str) -> str:
    """Where this machine's own apt has the release from."""
    for line in run("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(REPO_URI)").splitlines():
        _, name, uri = line.split()
        if name == codename and "security" not in uri and uri.rstrip("/").endswith("debian"):
            return uri
    skip(f"apt has no archive of {codename}")


def clean_environment() -> dict:
    kept = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
    return {**kept, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}


def check(root: pathlib.Path, deb: pathlib.Path, model: pathlib.Path) -> None:
    def inside(*command) -> str:
        return run("chroot", root, *command, env=clean_environment())

    shutil.copy(deb, root / "tmp/phial.deb")
    shutil.copytree(model, root / "tmp/model")
    if pathlib.Path("/etc/resolv.conf").exists():
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    before = set(inside("find", "/usr", "/etc", "-path", "*phial*").splitlines())
    assert not before, before
    inside("apt-get", "update")
    inside("apt-get", "install", "-y", "--no-install-recommends", "/tmp/phial.deb")
    assert inside("phial", "--version").startswith("phial ")
    inside("phial", "quantize", "-q", "/tmp/model", "/tmp/int4")
    answer = inside("phial", "run", "-q", "--device", "cpu", "/tmp/int4", "Can you introduce yourself?")
    assert "Phial" in answer, answer
    assert "cpu" in inside("phial", "devices"), "no device"
    inside("apt-get", "remove", "-y", "phial")
    left = inside("find", "/usr", "-path", "*phial*").splitlines()
    assert not left, left


def main() -> int:
    source, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if os.name != "posix" or os.geteuid() != 0:
        skip("only root can make a system in a folder")
    if not shutil.which("debootstrap"):
        skip("debootstrap isn't here")
    codename = release()
    uri = mirror(codename)
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        run("cmake", "--install", build, "--prefix", here / "stage/usr")
        run("cpack", "-G", "DEB", "-D", "CPACK_INSTALL_CMAKE_PROJECTS=", "-D", f"CPACK_INSTALLED_DIRECTORIES={here / 'stage'};/", "-D",
            f"CPACK_PACKAGE_DIRECTORY={here / 'deb'}", cwd=build)
        root = here / "root"
        made = subprocess.run(["debootstrap", "--variant=minbase", codename, root, uri], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if made.returncode:
            skip(f"debootstrap couldn't make a system (exit code {made.returncode}): {made.stdout[-300:]}")
        try:
            check(root, next((here / "deb").glob("phial_*.deb")), source / "models/phial-demo")
        finally:
            for mounted in ("proc", "sys"):  # where debootstrap left one
                subprocess.run(["umount", root / mounted], stderr=subprocess.DEVNULL, check=False)
    print("installed, answered, removed")
    return 0


sys.exit(main())
