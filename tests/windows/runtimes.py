# SPDX-License-Identifier: Apache-2.0
"""Parts of wine_test.py: the plug-ins with their vendors' libraries for Windows."""
import shutil

from wine import libraries, windows

PROMPTS = ["Hello", "What is 12 + 30?"]


def openvino(t, scratch):
    folder = libraries(t.source, "openvino", "openvino/libs/openvino_c.dll") / "openvino/libs"
    model = t.package(scratch / "int4")
    where = {"PHIAL_OPENVINO_LIB": windows(folder.resolve())}
    exact = ["--ov-config", "INFERENCE_PRECISION_HINT=f32", "--ov-config", "DYNAMIC_QUANTIZATION_GROUP_SIZE=0",
             "--kv-cache-precision", "f32"]
    for prompt in PROMPTS:
        t.same(f"OpenVINO and our engine: {prompt}",
               t.output(t.exe, "run", model, prompt, "-q", "-n", "40", "--require", "openvino:CPU", *exact, **where),
               t.output(t.linux, "run", model, prompt, "-q", "-n", "40"))
    missing = t.run(t.exe, "run", model, "x", "--require", "openvino:CPU", PHIAL_OPENVINO_LIB=windows(scratch))
    t.holds("a place without OpenVINO is named", missing.stderr, "openvino_c.dll")
    # Alone in a folder, it lacks what it needs: which, Windows doesn't say.
    shutil.copy(folder / "openvino_c.dll", scratch)
    lacking = t.run(t.exe, "run", model, "x", "--require", "openvino:CPU", PHIAL_OPENVINO_LIB=windows(scratch))
    t.holds("the missing dependent library is named", lacking.stderr, "openvino.dll (needed by openvino_c.dll)")


def onnxruntime(t, scratch):
    pass


def directml(t, scratch):
    pass
