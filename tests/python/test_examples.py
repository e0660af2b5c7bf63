# SPDX-License-Identifier: Apache-2.0
"""Examples that need nothing but phial."""
from __future__ import annotations

import subprocess
import sys

from conftest import SOURCE


def test_chat(package: str) -> None:
    done = subprocess.run([sys.executable, SOURCE / "examples/python/chat.py", package], capture_output=True, text=True,
                          input="Can you introduce yourself?\n\n")
    assert done.returncode == 0, done.stderr
    assert "> My name is Phial" in done.stdout
