#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint to OpenVINO's folder: phial beside optimum-cli, same settings, one after the other in each round.

  convert_openvino.py --phial build/release/bin/phial --optimum VENV/bin/optimum-cli CHECKPOINT [--rounds 1]
                      [-- --weight-format int4 --group-size 128 --ratio 0.6 --sym]

Prints wall time, processor time, peak memory (the largest process; mapped pages of the source that phial reads count) and what
lies on disk afterwards. A checkpoint of real size without a download: phial make-random phi-3-mini FOLDER.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def measure(command):
    """Wall seconds, CPU seconds, peak resident bytes of the largest process."""
    child = os.fork()
    if child == 0:
        start = time.time()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        use = resource.getrusage(resource.RUSAGE_CHILDREN)
        Path(os.environ["RESULT"]).write_text(json.dumps([done.returncode, time.time() - start, use.ru_utime + use.ru_stime,
                                                          use.ru_maxrss * 1024, done.stderr.decode()[-1500:]]))
        os._exit(0)
    os.waitpid(child, 0)
    code, wall, cpu, peak, errors = json.loads(Path(os.environ["RESULT"]).read_text())
    if code:
        sys.exit(f"{command[0]} failed: {errors}")
    return wall, cpu, peak


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--phial", required=True)
    p.add_argument("--optimum", required=True)
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--rounds", type=int, default=1)
    p.add_argument("settings", nargs="*", default=[])
    a = p.parse_args()
    settings = a.settings or "--weight-format int4 --group-size 128 --ratio 0.6 --sym".split()
    with tempfile.TemporaryDirectory(dir=a.checkpoint.resolve().parent) as scratch:
        os.environ["RESULT"] = str(Path(scratch) / "result.json")
        print(f"{'':8} {'wall s':>8} {'cpu s':>8} {'peak MB':>9} {'disk MB':>9}")
        for _ in range(a.rounds):
            for name, command in (("phial", [a.phial, "quantize", a.checkpoint]),
                                  ("optimum", [a.optimum, "export", "openvino", "--task", "text-generation-with-past", "--model", a.checkpoint])):
                out = Path(scratch) / name
                shutil.rmtree(out, ignore_errors=True)
                wall, cpu, peak = measure([str(x) for x in (*command, *((out, *settings) if name == "phial" else (*settings, out)))])
                disk = sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
                print(f"{name:8} {wall:8.1f} {cpu:8.1f} {peak / 1e6:9.0f} {disk / 1e6:9.0f}", flush=True)


if __name__ == "__main__":
    main()
