#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles phial's static-shape models with the real NPU compiler, without an NPU and without Windows.

OpenVINO's Windows package carries the compiler (openvino_intel_npu_compiler.dll), the Linux one doesn't; it runs under wine.
Proves that the compiler takes what phial writes, and for which NPUs. It doesn't run a blob: only an NPU can.

  compile.py --phial build/release/bin/phial --openvino FOLDER [--platforms 3720,4000,5010] [--cases demo,...] [--out DIR]

FOLDER: where openvino_c.dll lies (<unpacked Windows wheel>/openvino/libs), or PHIAL_OPENVINO_WINDOWS. Exit code 77: wine, the
cross compiler or FOLDER is missing.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "models" / "phial-demo"
# Of Phi-4-mini's 200064 words most are left out: its layer is what is to be compiled, and with all of them a prefill
# model took 13 minutes and made a blob of 1.9 GB.
VOCABULARY = {"phi-4-mini": 16384}
# name: (shape or None for the demo model, quantize flags, prompt tokens of the prefill model, tokens of the cache)
CASES = {
    "demo": (None, ["--group-size", "128"], 128, 256),
    "demo-channel-wise": (None, ["--group-size", "-1"], 128, 256),
    "phi-3-mini": ("phi-3-mini", ["--group-size", "128"], 128, 512),
    "phi-3-mini-channel-wise": ("phi-3-mini", ["--group-size", "-1"], 128, 512),
    "phi-4-mini": ("phi-4-mini", ["--group-size", "128"], 128, 512),
    "phi-4-mini-channel-wise": ("phi-4-mini", ["--group-size", "-1"], 128, 512),
}


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def wine():
    for name in ("wine64", "/usr/lib/wine/wine64", "wine"):
        if shutil.which(name):
            return shutil.which(name)
    skip("wine isn't installed (Debian package wine64)")


def build(out):
    for compiler in ("x86_64-w64-mingw32-gcc-posix", "x86_64-w64-mingw32-gcc"):
        if shutil.which(compiler):
            exe = out / "npu_compile.exe"
            subprocess.run([compiler, "-O1", "-o", exe, HERE / "npu_compile.c"], check=True)
            return exe
    skip("no cross compiler for Windows (Debian package gcc-mingw-w64-x86-64)")


def windows(path):
    return "Z:" + str(path).replace("/", "\\")


def package(phial, name, work):
    """A quantized package of the case; of the published shapes one layer with random weights."""
    shape, flags, _, _ = CASES[name]
    source = DEMO
    if shape:
        source = work / f"random-{shape}"
        if not source.exists():
            subprocess.run([phial, "make-random", shape, source, "--layers", "1"], check=True)
            if shape in VOCABULARY:
                config = json.loads((source / "config.json").read_text())
                config.update(vocab_size=VOCABULARY[shape], bos_token_id=1, eos_token_id=2, pad_token_id=2)
                (work / "config.json").write_text(json.dumps(config))
                shutil.rmtree(source)
                subprocess.run([phial, "make-random", work / "config.json", source, "--layers", "1"], check=True)
    out = work / f"package-{name}"
    if not out.exists():
        subprocess.run([phial, "quantize", source, out, "--weight-format", "int4", "--sym", *flags], check=True)
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--phial", type=Path, required=True)
    p.add_argument("--openvino", type=Path, default=os.environ.get("PHIAL_OPENVINO_WINDOWS"))
    p.add_argument("--platforms", default="3720,4000,5010")
    p.add_argument("--cases", default=",".join(CASES))
    p.add_argument("--out", type=Path, help="keep blobs and results here")
    p.add_argument("--json", type=Path, help="write the table as JSON too")
    a = p.parse_args()
    if not a.openvino or not (a.openvino / "openvino_intel_npu_compiler.dll").exists():
        skip("OpenVINO for Windows isn't there (--openvino or PHIAL_OPENVINO_WINDOWS: the folder with openvino_intel_npu_compiler.dll)")
    wine64 = wine()
    failed = 0
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        work = (a.out or Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        exe = build(work)
        env = dict(os.environ, WINEPATH=windows(a.openvino.resolve()), WINEDEBUG="-all", WINEPREFIX=str(work / "wine"))
        for name in a.cases.split(","):
            folder = package(a.phial.resolve(), name, work)
            _, _, prompt, context = CASES[name]
            models = work / f"static-{name}"
            subprocess.run([a.phial.resolve(), "compile", folder, "--device", "npu", "--ir-only", "--npu-prompt", str(prompt),
                            "--npu-response", str(context - prompt), "-o", models], check=True)
            for platform in a.platforms.split(","):
                for part in ("prefill", "generate"):
                    blob = work / f"{name}-{platform}-{part}.blob"
                    start = time.time()
                    run = subprocess.run([wine64, exe, windows(models / f"{part}.xml"), windows(folder / "openvino_model.bin"), windows(blob),
                                          f"NPU_PLATFORM={platform}", "NPU_COMPILER_TYPE=PLUGIN"], env=env, capture_output=True, text=True)
                    good = run.returncode == 0 and blob.exists() and blob.stat().st_size > 0
                    failed += not good
                    row = dict(case=name, platform=platform, model=part, ok=good, seconds=round(time.time() - start, 1),
                               blob_bytes=blob.stat().st_size if blob.exists() else 0)
                    rows.append(row)
                    print(("compiled " if good else "FAILED   ") + json.dumps(row), flush=True)
                    if not good:
                        print(run.stdout[-2000:], run.stderr[-500:])
                    if not a.out and blob.exists():
                        blob.unlink()
    if a.json:
        a.json.write_text(json.dumps(rows, indent=1))
    print(f"{len(rows) - failed} compiled, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
