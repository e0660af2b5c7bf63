# SPDX-License-Identifier: Apache-2.0
"""The command `phial`, and `python -m phial`: becomes the program that lies in this package."""
from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import NoReturn


def main() -> NoReturn:
    program = pathlib.Path(__file__).resolve().parent / "bin" / ("phial.exe" if os.name == "nt" else "phial")
    if not program.is_file():
        sys.exit(f"phial: {program}: there is no such file; install the phial package again")
    arguments = [str(program), *sys.argv[1:]]
    os.environ.setdefault("PHIAL_PYTHON", sys.executable)  # for `batch --ray`
    if os.name == "nt":  # there exec returns to the shell before the program ends
        sys.exit(subprocess.call(arguments))
    os.execv(program, arguments)


if __name__ == "__main__":
    main()
