# SPDX-License-Identifier: Apache-2.0
"""expect() for the test programs that go on after a finding, and the exit codes: 0 right, 1 wrong, 77 skipped. Not for pytest."""
import importlib
import sys

wrong = 0


def expect(condition: bool, what: str, seen: object = "") -> None:
    global wrong
    wrong += not condition
    detail = f"\n      seen: {seen}" if not condition and seen != "" else ""
    print(("ok    " if condition else "WRONG ") + what + detail, flush=True)


def finish() -> None:
    """Ends the process: 0 only when nothing was wrong."""
    print("all right" if not wrong else f"{wrong} wrong", flush=True)
    sys.exit(1 if wrong else 0)


def skip(reason: str) -> None:
    """Ends the process with what ctest takes for skipped."""
    print(f"skipped: {reason}")
    sys.exit(77)


def need(*modules: str) -> None:
    """Skips the whole program where a Python package can't be imported."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as e:
            skip(f"Python package '{module}' can't be imported ({e}); tools/python_env.sh installs what CI needs")
