#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One rival, one run, one line of JSON: for rivals.py, which starts it anew for each round.

  one.py openvino|openvino-f32|ort FOLDER --threads T --prompts 128,1024 --generate 32 [--depths 0,2000]

FOLDER is a package of phial's: OpenVINO GenAI opens it through its IR, ONNX Runtime GenAI through its model.onnx. Prompts are random ids, answers
greedy, end-of-text ignored. Rates are tokens per second; "decode@D" is the rate after D tokens.
"""
import argparse
import json
import random
import resource
import time

START = time.time()


def ids(n):
    return [random.randrange(100, 30000) for _ in range(n)]


def openvino(a):
    import numpy as np
    import openvino as ov
    import openvino_genai as genai

    properties = {"INFERENCE_NUM_THREADS": a.threads}
    if a.engine == "openvino-f32":
        properties["INFERENCE_PRECISION_HINT"] = "f32"
    pipe = genai.LLMPipeline(a.folder, "CPU", **properties)

    def ask(n, tokens):
        config = genai.GenerationConfig(max_new_tokens=tokens, ignore_eos=True)
        x = ov.Tensor(np.array([ids(n)], dtype=np.int64))
        mask = ov.Tensor(np.ones((1, n), dtype=np.int64))
        metrics = pipe.generate(genai.TokenizedInputs(x, mask), config).perf_metrics
        return metrics.get_ttft().mean / 1000, metrics.get_tpot().mean / 1000 if tokens > 1 else 0

    return ask


def ort(a):
    import numpy as np
    import onnxruntime_genai as og

    config = og.Config(a.folder)
    config.overlay(json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": a.threads}}}}))
    model = og.Model(config)

    def ask(n, tokens):
        params = og.GeneratorParams(model)
        params.set_search_options(max_length=n + tokens, min_length=n + tokens, do_sample=False)
        generator = og.Generator(model, params)
        start = time.time()
        generator.append_tokens(np.array([ids(n)], dtype=np.int32))
        generator.generate_next_token()
        first = time.time() - start
        start = time.time()
        for _ in range(tokens - 1):
            generator.generate_next_token()
        return first, (time.time() - start) / max(1, tokens - 1)

    return ask


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("engine", choices=["openvino", "openvino-f32", "ort"])
    p.add_argument("folder")
    p.add_argument("--threads", type=int, required=True)
    p.add_argument("--prompts", default="128,1024")
    p.add_argument("--depths", default="128")
    p.add_argument("--generate", type=int, default=32)
    a = p.parse_args()
    random.seed(1)
    ask = ort(a) if a.engine == "ort" else openvino(a)
    loaded = time.time() - START
    first, _ = ask(128, 2)
    result = {"start_to_first_token": time.time() - START, "load": loaded}
    for n in map(int, a.prompts.split(",")):
        result[f"prefill@{n}"] = n / ask(n, 1)[0]
    for depth in map(int, a.depths.split(",")):
        result[f"decode@{depth}"] = 1 / ask(max(depth, 1), a.generate)[1]
    result["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
