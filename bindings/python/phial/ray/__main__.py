# SPDX-License-Identifier: Apache-2.0
"""`python -m phial.ray`: what `phial batch --ray` starts. Speaks JSON lines with it, and knows nothing of the job's files.

In: the settings, then a request each line ({"line", "params", "prompt" or "messages"}). Out, in the order of the requests:
{"answer": {...}}; in between {"notice": "..."}; and {"failure": "..."} before it ends with code 1. It ends when its input
does, however that came about: so it doesn't outlive a `phial` that was killed.
"""
from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import Any, Callable, Mapping

from ..errors import PhialError
from ..functions import library_version

_WAIT_SECONDS = 0.5  # between looks at whether the input has ended
_END_SECONDS = 20.0  # that leaving the cluster may take


def main() -> int:
    # Ray and its libraries may print what they like: it goes to standard error.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches phial as well, which then ends our input

    def say(what: str, value: Any) -> None:
        print(json.dumps({what: value}), file=out, flush=True)

    try:
        first = sys.stdin.buffer.readline()
        if not first:
            return 1  # phial has gone already
        settings = json.loads(first)
        if settings["version"] != library_version():
            raise PhialError(f"phial is {settings['version']}, but this Python ({sys.executable}) has phial "
                             f"{library_version()}: use the command that belongs to it, or name another in PHIAL_PYTHON")
        _join(settings["address"])
        _serve(settings, say)
    except BrokenPipeError:
        pass  # phial has gone
    except PhialError as error:
        say("failure", str(error))
        return 1
    except Exception as error:
        say("failure", f"Ray: {type(error).__name__}: {str(error).strip()}")
        return 1
    return 0


def _join(address: str) -> None:
    try:
        import ray
    except ImportError as error:
        raise PhialError(f"this Python ({sys.executable}) has no Ray: pip install 'phial[ray]', or name another Python in "
                         f"PHIAL_PYTHON ({error})") from None
    own: Mapping[str, Any] = {"include_dashboard": False, "object_store_memory": 100 << 20} if address == "local" else {}
    ray.init(address=address, log_to_driver=False, logging_level="error", **own)


def _serve(settings: Mapping[str, Any], say: Callable[[str, Any], None]) -> None:
    from ._pool import Pool

    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    ended = threading.Event()

    def read() -> None:
        for line in sys.stdin.buffer:
            requests.put(line.decode("utf-8"))
        ended.set()
        threading.Timer(_END_SECONDS, os._exit, (1,)).start()

    threading.Thread(target=read, daemon=True).start()
    pool = Pool(settings, lambda text: say("notice", text))
    while not ended.is_set():
        while not requests.empty():
            pool.ask(requests.get())
        if pool.is_idle:
            try:
                pool.ask(requests.get(timeout=_WAIT_SECONDS))
            except queue.Empty:
                continue
        for record in pool.answers(_WAIT_SECONDS):
            say("answer", json.loads(record))


def _end(code: int) -> None:
    """Leaves the cluster, and with it its actors; not waiting for threads that read."""
    ray = sys.modules.get("ray")
    if ray:
        ray.shutdown()
    os._exit(code)


if __name__ == "__main__":
    _end(main())
