# SPDX-License-Identifier: Apache-2.0
"""Parts of wine_test.py: the plug-ins with their vendors' libraries for Windows."""
import os
import shutil
import subprocess

from wine import NEEDED_BY_WINE, libraries, skip, windows

PROMPTS = ["Hello", "What is 12 + 30?"]


def openvino(t, scratch):
    folder = libraries(t.source, "openvino", "openvino/libs/openvino_c.dll") / "openvino/libs"
    model = t.package(scratch / "int4")
    where = {"PHIAL_OPENVINO_LIB": windows(folder.resolve())}
    theirs = ["--ov-config", "INFERENCE_PRECISION_HINT=f32", "--ov-config", "DYNAMIC_QUANTIZATION_GROUP_SIZE=0",
              "--kv-cache-precision", "f32"]
    ours = ["--activation-precision", "int16", "--kv-cache-precision", "f32"]  # where neither rounds, words are the same
    for prompt in PROMPTS:
        t.same(f"OpenVINO and our engine: {prompt}",
               t.output(t.exe, "run", model, prompt, "-q", "-n", "40", "--require", "openvino:CPU", *theirs, **where),
               t.output(t.linux, "run", model, prompt, "-q", "-n", "40", *ours))
    listed = (t.output(t.exe, "devices", **where) + t.output(t.exe, "devices", "--json", **where)).decode()
    t.holds("why there is no GPU and no NPU", listed, "'Display adapters'", "'Neural processors'")
    t.same("in words of Linux", "/dev/dri" in listed or "/dev/accel" in listed, False)
    missing = t.run(t.exe, "run", model, "x", "--require", "openvino:CPU", PHIAL_OPENVINO_LIB=windows(scratch))
    t.holds("a place without OpenVINO is named", missing.stderr, "openvino_c.dll")
    # Alone in a folder, it lacks what it needs: which, Windows doesn't say.
    shutil.copy(folder / "openvino_c.dll", scratch)
    lacking = t.run(t.exe, "run", model, "x", "--require", "openvino:CPU", PHIAL_OPENVINO_LIB=windows(scratch))
    t.holds("the missing dependent library is named", lacking.stderr, "openvino.dll (needed by openvino_c.dll)")


def linux_runtime(t):
    """The folder of Python packages that has the same ONNX Runtime for this system."""
    for folder in sorted(t.source.glob(".venv/lib/python3*/site-packages")):
        if (folder / "onnxruntime").exists() and (folder / "onnxruntime_genai").exists():
            return folder
    skip("ONNX Runtime for this system isn't there to compare with (tools/python_env.sh)")


def shim(t):
    """What wine 8 lacks and GenAI wants."""
    t.compile(t.prefix / "drive_c/windows/system32/bcryptprimitives.dll", "bcryptprimitives.c", "-shared", "-ladvapi32")


def onnxruntime(t, scratch):
    folder = libraries(t.source, "onnxruntime", "onnxruntime_genai/onnxruntime-genai.dll")
    theirs = {"PHIAL_ORT_GENAI_LIB": linux_runtime(t)}
    shim(t)
    ours = {"PHIAL_ORT_GENAI_LIB": windows(folder.resolve())}
    for name in ("int4", "fp16"):
        model = t.package(scratch / f"ü {name}", "--weight-format", name)
        for prompt in PROMPTS:
            arguments = ["run", model, prompt, "-q", "-n", "40", "--require", "ort:cpu"]
            t.same(f"GenAI on the CPU, {name}: {prompt}", t.output(t.exe, *arguments, **ours),
                   t.output(t.linux, *arguments, **theirs))
    model = scratch / "ü int4"
    listed = t.output(t.exe, "devices", **ours) + t.output(t.exe, "devices", "--json", **ours)
    t.holds("devices", listed, "built without DirectML: pip install onnxruntime-directml", "built without CUDA")
    answer = t.output(t.linux, "run", model, "Hello", "-q")
    for device in ("dml", "cuda"):
        done = t.run(t.exe, "run", model, "Hello", "-q", "--device", device, **ours)
        t.same(f"{device} isn't in this build: our engine's answer", (done.returncode, done.stdout), (0, answer))
        t.holds(f"{device}: the fallback is announced", done.stderr, "cpu runs it instead", "was built without")
        t.same(f"{device} required: exit code", t.run(t.exe, "run", model, "x", "--require", device, **ours).returncode, 1)
    nowhere = t.run(t.exe, "run", model, "x", "--require", "ort:cpu", PHIAL_ORT_GENAI_LIB=windows(scratch))
    t.holds("a place without ONNX Runtime is named", nowhere.stderr, "onnxruntime.dll", "pip install onnxruntime")
    alone = scratch / "alone"
    alone.mkdir()
    shutil.copy(folder / "onnxruntime/capi/onnxruntime.dll", alone)
    lacking = t.run(t.exe, "run", model, "x", "--require", "ort:cpu", PHIAL_ONNXRUNTIME_LIB=windows(alone))
    t.holds("GenAI missing beside ONNX Runtime", lacking.stderr, "ONNX Runtime GenAI isn't found", "pip install onnxruntime-genai")
    older = folder.parent / "directml/onnxruntime/capi"
    if older.exists():  # ONNX Runtime 1.24, which this GenAI can't use on Windows
        mixed = t.run(t.exe, "run", model, "x", "--require", "ort:cpu", PHIAL_ONNXRUNTIME_LIB=windows(older), **ours)
        t.holds("versions that don't belong together", mixed.stderr, "is there but can't be loaded beside ONNX Runtime 1.24",
                "it failed while it was starting")
    graph = model / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-100])
    damaged = t.run(t.exe, "run", model, "x", "--require", "ort:cpu", **ours)
    t.holds("a damaged model.onnx", damaged.stderr, "the file is damaged; make it anew with 'phial export")


def at_a_display(t, command):
    """Runs command() with an X display of its own, or skips."""
    if not shutil.which("Xvfb"):
        skip("no Xvfb (Debian package xvfb): wine has no Direct3D without a display")
    reader, writer = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", "640x480x24"], pass_fds=[writer],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            return command(":" + numbers.readline().strip())
    finally:
        server.terminate()
        server.wait()


def directml(t, scratch):
    folder = libraries(t.source, "directml", "onnxruntime_genai/onnxruntime-genai.dll")
    shim(t)
    where = {"PHIAL_ORT_GENAI_LIB": windows(folder.resolve())}
    model = t.package(scratch / "int4")
    answer = t.output(t.linux, "run", model, "Hello", "-q")
    arguments = ["run", model, "Hello", "-q", "--device", "dml"]
    t.holds("another version's GenAI reads the package", t.output(t.exe, "run", model, "Hello", "-q", "--require", "ort:cpu", **where), "Hello")
    done = t.run(t.exe, *arguments, **where)
    t.same("no GPU: our engine's answer", (done.returncode, done.stdout), (0, answer))
    t.holds("no GPU: the fallback is announced", done.stderr, "cpu runs it instead", "no GPU here speaks DirectX 12")
    # With wine's Direct3D 12 a DirectML device can be made. Its numbers are wrong (vkd3d), so only that it gets that far is looked at.
    system = t.prefix / "drive_c/windows/system32"
    if not (system / "d3d12_wine.dll").exists():
        shutil.copy(system / "d3d12.dll", system / "d3d12_wine.dll")
    (system / "d3d12.dll").unlink()
    t.compile(system / "d3d12.dll", "d3d12.c", t.source / "tests/windows/d3d12.def", "-shared")
    overrides = NEEDED_BY_WINE["WINEDLLOVERRIDES"] + ";d3d12,d3d12_wine=n,b"
    t.end_wine()  # what runs has no display, and programs that come later share its desktop
    done = at_a_display(t, lambda display: t.run(t.exe, *arguments, timeout=120, DISPLAY=display, WINEDLLOVERRIDES=overrides, **where))
    t.end_wine()
    t.same("DirectML on wine's Direct3D: exit code", done.returncode, 0)
    if b"cpu runs it instead" not in done.stderr:
        print("DirectML's session was made and ran; its numbers aren't looked at")
    elif b"can't do a part of the graph" in done.stderr:
        print("a DirectML device was made, the graph was opened and divided; then it is refused, probably because wine's device has no "
              "16-bit floats")
        t.holds("refused: our engine's answer", done.stdout, answer.decode().strip())  # GenAI prints warnings there too
    else:
        # No Vulkan driver, or one that vkd3d won't have: no more than the first half can be tried then.
        skip("wine has no Direct3D 12 here: " + done.stderr.decode("utf-8", "replace").splitlines()[0])
