#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""phial beside llama.cpp, OpenVINO GenAI and ONNX Runtime GenAI: the same weights, the same threads, in turns.

  rivals.py setup DIR                                sets the rivals up in DIR (outside this tree) from their published packages
  rivals.py convert DIR --phial PHIAL CHECKPOINT     makes DIR/phial (INT4, groups of 128, symmetric) and DIR/q4_0.gguf of it; prints what that took
  rivals.py run DIR --phial PHIAL [--threads 2] [--rounds 5] [--prompts 128,1024] [--depths 128,2000] [--isa avx2] [--json FILE] [--plot FILE.svg]
  rivals.py plot DIR --json FILE [--plot FILE.svg]   prints and draws again what a run has written

A checkpoint of real size without a download: phial make-random phi-3-mini FOLDER --tokenizer FOLDER_WITH_TOKENIZER. `convert` needs Python's torch,
transformers, sentencepiece and gguf in DIR/venv (setup puts them there). Each round starts every engine anew, one after the other; the
table gives medians, and phial's ratio to the best rival round by round. --isa holds phial to one of its tiers, OpenVINO to the same with
ONEDNN_MAX_CPU_ISA and llama.cpp with a build of its own (DIR/llama-avx2); ONNX Runtime has no such switch and is left out then, and so are
OpenVINO's defaults: on a processor with AVX512-BF16 they choose bf16 in spite of that variable, and fail. f32 is what they are without it.
"start_to_first_token" is the time from a process's start until it says that it has read 128 tokens; llama.cpp's is llama-bench without its warm-up.
--quiet SHARE waits for quiet moments and leaves out runs that met none (class Quiet); --engine NAME runs only some.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import plot

HERE = Path(__file__).resolve().parent
PACKAGES = ["openvino==2026.4.1", "openvino-genai==2026.4.1.0", "openvino-tokenizers==2026.4.1.0", "onnxruntime==1.31.1", "onnxruntime-genai==0.18.0",
            "numpy", "torch", "transformers==4.57.6", "sentencepiece", "gguf", "protobuf"]
LLAMA = "llama-cpp-python==0.3.36"  # its source package holds llama.cpp's
CLIENT = ["-DGGML_NATIVE=OFF", "-DGGML_AVX2=ON", "-DGGML_FMA=ON", "-DGGML_F16C=ON", "-DGGML_BMI2=ON"]


def call(*command, **more):
    print("+", *map(str, command), file=sys.stderr, flush=True)
    return subprocess.run(list(map(str, command)), check=True, **more)


def setup(a):
    a.dir.mkdir(parents=True, exist_ok=True)
    python = a.dir / "venv/bin/python"
    if not python.exists():
        call(sys.executable, "-m", "venv", a.dir / "venv")
        call(python, "-m", "pip", "install", *PACKAGES)
    if not (a.dir / "llama.cpp").exists():
        call(python, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "-d", a.dir / "source", LLAMA)
        call("tar", "xf", next((a.dir / "source").glob("llama_cpp_python-*.tar.gz")), "-C", a.dir / "source")
        shutil.copytree(next((a.dir / "source").glob("llama_cpp_python-*/vendor/llama.cpp")), a.dir / "llama.cpp")
    for name, options in (("llama-native", ["-DGGML_NATIVE=ON"]), ("llama-avx2", CLIENT + ["-DGGML_AVX_VNNI=OFF"]),
                          ("llama-avx2vnni", CLIENT + ["-DGGML_AVX_VNNI=ON"])):
        call("cmake", "-S", a.dir / "llama.cpp", "-B", a.dir / name, "-DCMAKE_BUILD_TYPE=Release", "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF",
             "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_SERVER=OFF", *options)
        call("cmake", "--build", a.dir / name, "--target", "llama-bench", "llama-quantize", "-j", os.cpu_count())


def tokenizer_model(checkpoint, path):
    """The sentencepiece file that llama.cpp's converter wants, from tokenizer.json."""
    from sentencepiece import sentencepiece_model_pb2 as proto

    vocab = json.loads((checkpoint / "tokenizer.json").read_text())["model"]["vocab"]
    model = proto.ModelProto()
    model.trainer_spec.model_type = proto.TrainerSpec.BPE
    model.trainer_spec.byte_fallback = True
    for text, index in sorted(vocab.items(), key=lambda item: item[1]):
        kind = {"<unk>": 2, "<s>": 3, "</s>": 3}.get(text, 6 if text.startswith("<0x") else 1)
        model.pieces.add(piece=text, score=-float(index), type=kind)
    path.write_bytes(model.SerializeToString())


def convert(a):
    def timed(name, *command):
        start = time.time()
        call(*command)
        print(f"{name}: {time.time() - start:.1f} s", flush=True)

    python = a.dir / "venv/bin/python"
    if sys.prefix != str(a.dir / "venv") and not a.python and python.exists():  # torch and the others are there
        os.execv(python, [python, *sys.argv])
    if (a.dir / "phial").exists():
        shutil.rmtree(a.dir / "phial")
    timed("phial quantize", a.phial, "quantize", a.checkpoint, a.dir / "phial", "--weight-format", "int4", "--group-size", "128", "--sym")
    if not list((a.dir / "phial").glob("*.onnx")):
        timed("phial export", a.phial, "export", a.dir / "phial", "--to", "ort-genai")
    source = a.dir / "gguf-source"  # the checkpoint with one file more
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    for file in Path(a.checkpoint).iterdir():
        (source / file.name).symlink_to(file.resolve())
    tokenizer_model(source, source / "tokenizer.model")
    timed("convert_hf_to_gguf", sys.executable, a.dir / "llama.cpp/convert_hf_to_gguf.py", source, "--outtype", "bf16", "--outfile", a.dir / "bf16.gguf")
    timed("llama-quantize", a.dir / "llama-native/bin/llama-quantize", a.dir / "bf16.gguf", a.dir / "q4_0.gguf", "Q4_0", os.cpu_count())
    (a.dir / "bf16.gguf").unlink()


def time_to_line(text, command, **more):
    """Seconds from the start of a process to the line with `text`: not to its end, by which it has given its memory back."""
    command = list(map(str, command))
    start = time.time()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more) as process:
        found = next((time.time() - start for line in process.stdout if text in line), None)
        process.stdout.read()
    if process.returncode or found is None:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=f"no line with '{text}'")
    return found


def run_phial(a, *cache):
    environment = dict(os.environ, **({"PHIAL_ISA": a.isa} if a.isa else {}))
    result = {"start_to_first_token": time_to_line("first token", [
        a.phial, "run", a.dir / "phial", " word" * 126, "--raw", "--require", "cpu", "-n", "1", "--ignore-eos", "-t", a.threads,
        *cache], env=environment)}
    common = [a.phial, "bench", a.dir / "phial", "--require", "cpu", "-t", str(a.threads), "-r", "1", "--json", *cache]
    for flags in (["-p", a.prompts, "-n", "0"], ["-p", "0", "-n", str(a.generate), "-d", a.depths]):
        out = subprocess.run([*common, *flags], env=environment, check=True, capture_output=True, text=True).stdout
        bench = json.loads(out)
        for test in bench["results"]:
            key = f"prefill@{test['n']}" if test["test"] == "prefill" else f"decode@{test['depth']}"
            result[key] = test["tokens_per_second"]
        result["peak_rss_bytes"] = max(result.get("peak_rss_bytes", 0), bench["peak_rss_bytes"])
        result["read_bytes_per_second"] = bench["roofline"]["read_bytes_per_second"]
    result["tier"] = bench["tier"]
    return result


def run_llama(a):
    build = "llama-" + (a.isa or "native")
    common = [a.dir / build / "bin/llama-bench", "-m", a.dir / "q4_0.gguf", "-t", str(a.threads), "-r", "1", "-fa", "1", "-o"]
    result = {"start_to_first_token": time_to_line("avg_ts", [*common, "jsonl", "-p", "128", "-n", "0", "--no-warmup"])}
    common.append("json")
    for flags in (["-p", a.prompts, "-n", "0"], ["-p", "0", "-n", str(a.generate), "-d", a.depths]):
        out = subprocess.run(["/usr/bin/time", "-f", "%M", *common, *flags], check=True, capture_output=True, text=True)
        for test in json.loads(out.stdout):
            key = f"prefill@{test['n_prompt']}" if test["n_prompt"] else f"decode@{test['n_depth']}"
            result[key] = test["avg_ts"]
        result["peak_rss_bytes"] = max(result.get("peak_rss_bytes", 0), int(out.stderr.split()[-1]) * 1024)
    return result


def run_python(a, engine):
    environment = dict(os.environ, **({"ONEDNN_MAX_CPU_ISA": {"avx2": "AVX2", "avx2vnni": "AVX2_VNNI"}[a.isa]} if a.isa else {}))
    out = subprocess.run([a.python or a.dir / "venv/bin/python", HERE / "one.py", engine, a.dir / "phial", "--threads", str(a.threads), "--prompts", a.prompts,
                          "--depths", a.depths, "--generate", str(a.generate)], check=True, capture_output=True, text=True, env=environment).stdout
    return json.loads(out.splitlines()[-1])


def holds(share, best, *calibrations):
    return all(x >= share * most for now in calibrations for x, most in zip(now, best))


class Quiet:
    """Is the machine as fast as it was at best? Neighbours on the same host slow memory or the clock for seconds or minutes.

    A calibration takes phial's own reading loop and integer products, some 0.4 s; it is quiet if both reach `share` of the best that was
    seen. A run is quiet if the calibrations before and after it are.
    """

    TRIES, PATIENCE = 2, 40  # runs of one engine in a round; seconds to wait for a quiet moment before each

    def __init__(self, phial, threads, share):
        self.command = [phial, "bench", "--synthetic", "phi-3-mini", "--layers", "2", "-p", "8", "-n", "0", "-r", "1", "-t", str(threads), "--json"]
        self.share = share
        self.best = [0.0, 0.0]
        if share:
            for _ in range(10):
                self.calibrate()

    def calibrate(self):
        roofline = json.loads(subprocess.run(self.command, check=True, capture_output=True, text=True).stdout)["roofline"]
        now = [roofline["read_bytes_per_second"], roofline["int8_ops_per_second"]]
        self.best = [max(pair) for pair in zip(self.best, now)]
        return now

    def measure(self, run):
        """What run() returns, with its calibrations."""
        if not self.share:
            return run()
        for _ in range(self.TRIES):
            end = time.time() + self.PATIENCE
            while not holds(self.share, self.best, before := self.calibrate()) and time.time() < end:
                time.sleep(1)
            result = run()
            after = self.calibrate()
            result["calibrations"] = [before, after]
            if holds(self.share, self.best, before, after):
                break
        return result


def run(a):
    engines = {"phial": lambda: run_phial(a), "phial, u8 cache": lambda: run_phial(a, "--kv-cache-precision", "u8"), "llama.cpp Q4_0": lambda: run_llama(a)}
    for engine in ("openvino-f32",) if a.isa else ("openvino", "openvino-f32", "ort"):
        engines[engine] = lambda engine=engine: run_python(a, engine)
    if a.engine:
        if unknown := set(a.engine) - set(engines):
            sys.exit(f"rivals.py: no engine '{min(unknown)}' here, expected one of: {'; '.join(engines)}")
        engines = {name: engines[name] for name in a.engine}
    try:
        quiet = Quiet(a.phial, a.threads, a.quiet)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        sys.exit(f"rivals.py: --quiet calibrates with '{a.phial}', which failed: {error}")
    rounds = []
    for number in range(a.rounds):
        now, order = {}, list(engines)
        first = number % len(order)  # who comes after whom shall not always be the same
        for name in order[first:] + order[:first]:
            try:
                now[name] = quiet.measure(engines[name])
            except (subprocess.CalledProcessError, FileNotFoundError, KeyError) as error:
                text = getattr(error, "stderr", None)
                print(f"{name} failed: {error}\n{(text if isinstance(text, str) else '')[-800:]}", file=sys.stderr)
                continue
            print(f"round {number + 1}: {name}: {json.dumps(now[name])}", file=sys.stderr, flush=True)
        rounds.append(now)
        if a.json:
            Path(a.json).write_text(json.dumps(rounds, indent=1))
    rounds = quiet_ones(rounds, a.quiet)
    keys = [f"prefill@{n}" for n in a.prompts.split(",")] + [f"decode@{d}" for d in a.depths.split(",")] + ["start_to_first_token", "peak_rss_bytes"]
    table(rounds, engines, keys, a.quiet)
    if a.plot:
        draw(a, rounds, list(engines), keys)


def quiet_ones(rounds, share):
    """The rounds without the runs whose calibrations stay below `share` of the best of all, which may have come late."""
    if not share:
        return rounds
    calibrations = [now for r in rounds for result in r.values() for now in result.get("calibrations", [])]
    if not calibrations or len(calibrations) != 2 * sum(map(len, rounds)):
        sys.exit("rivals.py: --quiet: there are no calibrations for these runs; they come from a run with --quiet whose engines work")
    best = [max(column) for column in zip(*calibrations)]
    kept = [{name: result for name, result in r.items() if holds(share, best, *result["calibrations"])} for r in rounds]
    print(f"calibrations: at best {best[0] / 1e9:.1f} GB/s and {best[1] / 1e12:.2f} TOPS; {len(calibrations) // 2 - sum(map(len, kept))} of "
          f"{len(calibrations) // 2} runs left out, which stayed below {share} of that, {Quiet.TRIES} times; ratios are of medians\n")
    return kept


def ratio(rounds, key, by_round):
    """phial's figure by the best rival's: the median of the rounds' ratios, or the ratio of medians where runs were left out."""
    if not by_round:
        names = {name for r in rounds for name in r}
        rounds = [{name: {key: statistics.median(values)} for name in names if (values := [r[name][key] for r in rounds if key in r.get(name, {})])}]
    best = min if key in ("start_to_first_token", "peak_rss_bytes") else max
    ratios = []
    for r in rounds:
        others = [v[key] for name, v in r.items() if not name.startswith("phial") and key in v]
        if others and key in r.get("phial", {}):
            ratios.append(r["phial"][key] / best(others))
    return f"{statistics.median(ratios):.2f}" if ratios else ""


def table(rounds, engines, keys, quiet):
    print("| engine | " + " | ".join(keys) + " |\n|---" * 1 + "|---" * len(keys) + "|")
    for name in engines:
        cells = []
        for key in keys:
            values = [r[name][key] for r in rounds if key in r.get(name, {})]
            scale = 1e9 if key == "peak_rss_bytes" else 1
            cells.append(f"{statistics.median(values) / scale:.2f} ({min(values) / scale:.2f}-{max(values) / scale:.2f})" if values else "")
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("| phial / best rival | " + " | ".join(ratio(rounds, key, by_round=not quiet) for key in keys) + " |")


def draw(a, rounds, engines, keys):
    caption = f"Phi-3-mini's shape, random weights, INT4; {a.threads} threads; medians of {len(rounds)} rounds{', of quiet runs' if a.quiet else ''}, lines from the lowest to the highest"
    Path(a.plot).write_text(plot.svg(rounds, engines, keys, caption), encoding="utf-8")


def redraw(a):
    rounds = json.loads(Path(a.json).read_text())
    engines = list(dict.fromkeys(name for r in rounds for name in r))
    of_process = ("start_to_first_token", "peak_rss_bytes")
    keys = list(dict.fromkeys(key for r in rounds for v in r.values() for key in v if "@" in key)) + list(of_process)
    rounds = quiet_ones(rounds, a.quiet)
    table(rounds, engines, keys, a.quiet)
    if a.plot:
        draw(a, rounds, engines, keys)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["setup", "convert", "run", "plot"])
    p.add_argument("dir", type=lambda text: Path(text).resolve())
    p.add_argument("checkpoint", nargs="?")
    p.add_argument("--phial", default="phial")
    p.add_argument("--python", help="the interpreter with the rivals; default: DIR/venv's")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--prompts", default="128,1024")
    p.add_argument("--depths", default="128,2000")
    p.add_argument("--generate", type=int, default=32)
    p.add_argument("--isa", choices=["avx2", "avx2vnni"])
    p.add_argument("--engine", action="append", metavar="NAME", help="only this one, as the table names it; may be given several times; default: all")
    p.add_argument("--quiet", type=float, default=0, metavar="SHARE",
                   help="wait for moments in which the machine reaches this share of its best, and count only runs between two such; 0: count all")
    p.add_argument("--json")
    p.add_argument("--plot")
    a = p.parse_intermixed_args()
    {"setup": setup, "convert": convert, "run": run, "plot": redraw}[a.what](a)


if __name__ == "__main__":
    main()
