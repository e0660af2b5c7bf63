# SPDX-License-Identifier: Apache-2.0
"""Programs for Windows under wine, for wine_test.py and runtimes.py. No tests here."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

NEEDED_BY_WINE = {"WINEDEBUG": "-all",
                  # No Mono, no browser: a fresh prefix would ask for them.
                  "WINEDLLOVERRIDES": "mscoree,mshtml=",
                  # How wine reads names and arguments; in the C locale anything but ASCII is lost.
                  "LC_ALL": "C.UTF-8"}


def skip(reason):
    print("SKIPPED:", reason)
    sys.exit(77)


def wine_program():
    # Debian's /usr/bin/wine asks for a 32-bit wine too, and isn't there without it.
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
        self.wine = wine_program()
        self.demo = source / "models" / "phial-demo"
        self.failures = 0
        # One wine prefix for all parts: to make one takes longer than most of them.
        self.prefix = self.build / "wine"

    def environment(self, **more):
        clean = {k: v for k, v in os.environ.items()
                 if not k.startswith("PHIAL_") and k not in ("DISPLAY", "VIRTUAL_ENV", "CONDA_PREFIX")}
        clean.update(NEEDED_BY_WINE, WINEPREFIX=str(self.prefix), PHIAL_ISA="avx2")
        clean.update({k: str(v) for k, v in more.items()})
        return clean

    def run(self, program, *arguments, stdin=b"", timeout=600, cwd=None, **environment):
        """A Windows program under wine, or one of this system. Output goes to files: wine's server and services, which the
        first program starts, have its outputs open, and a pipe wouldn't end until they do."""
        command = [str(program), *map(str, arguments)]
        if str(program).endswith(".exe"):
            command.insert(0, self.wine)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err, cwd=cwd,
                                     env=self.environment(**environment))
            try:
                child.communicate(stdin, timeout=timeout)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                self.fail(f"{command[1:]} didn't end in {timeout} s")
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(command, child.returncode, out.read(), err.read())

    def end_wine(self):
        server = shutil.which("/usr/lib/wine/wineserver") or shutil.which("wineserver")
        if server and self.prefix.exists():
            self.run(server, "-k")
            self.run(server, "-w")

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

    def holds(self, what, text, *wanted):
        """All of `wanted` are in the text, or the bytes of a message."""
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        missing = [w for w in wanted if w not in text]
        if missing:
            self.fail(f"{what}: {missing} not found", text)
        else:
            print(f"holds: {what}")

    def both(self, what, *arguments, change=lambda x: x, **more):
        """The same command on both systems."""
        self.same(what, change(self.output(self.exe, *arguments, **more)), change(self.output(self.linux, *arguments, **more)))

    def compile(self, result, source, *flags):
        new = pathlib.Path(str(result) + ".new")
        subprocess.run(["x86_64-w64-mingw32-gcc-posix", "-O1", "-o", new, self.source / "tests/windows" / source, *flags],
                       check=True)
        new.replace(result)  # another test may be using the old one

    def imports(self, file):
        table = subprocess.run(["x86_64-w64-mingw32-objdump", "-p", file], check=True, capture_output=True, text=True).stdout
        return {line.split()[-1].lower() for line in table.splitlines() if "DLL Name:" in line}

    def package(self, place, *flags):
        """A package of the demo model, made by the Linux build."""
        self.output(self.linux, "quantize", self.demo, place, *flags)
        return place


def libraries(source, name, file):
    """A folder of tools/windows_wheels.sh that has this file, or a skip."""
    folder = pathlib.Path(os.environ.get("PHIAL_WINDOWS_WHEELS", source / "build" / "windows-wheels")) / name
    if not (folder / file).exists():
        skip(f"{file} for Windows isn't there (tools/windows_wheels.sh gets it)")
    return folder
