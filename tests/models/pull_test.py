#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""phial pull, list, rm, cp against a small hub on loopback. Exit code 0: right; 1: wrong.

usage: pull_test.py PHIAL SOURCE
"""
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from small_hub import COMMIT, Faults, SmallHub

PHIAL, SOURCE = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
sys.path[:0] = [str(SOURCE / "tests"), str(SOURCE / "tests/transcripts")]
import checks  # noqa: E402
from checks import expect  # noqa: E402
import tiny_model  # noqa: E402

PATIENCE = 300
REPOSITORY = "microsoft/Phi-4-mini-instruct"  # what phi-4-mini stands for; here a small random model


def contents(folder: pathlib.Path) -> dict:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir()) if p.is_file()}


class Place:
    def __init__(self, folder: pathlib.Path):
        self.folder, self.models = folder, folder / "models"
        config = dict(tiny_model.CONFIG, vocab_size=32000, hidden_size=512, intermediate_size=1024, num_attention_heads=8,
                      num_key_value_heads=4)
        (folder / "config.json").write_text(json.dumps(config))
        tiny_model.make(PHIAL, folder / "tiny")
        self.source = folder / "hub" / REPOSITORY
        self.source.parent.mkdir(parents=True)
        self.phial("make-random", "config.json", str(self.source))
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(folder / "tiny" / name, self.source)
        (self.source / "README.md").write_text("not needed\n")
        shutil.copytree(folder / "tiny", folder / "hub/somebody/tiny")
        self.phial("quantize", str(self.source), "expected", "--quiet")
        self.expected = contents(folder / "expected")
        shutil.copytree(folder / "expected", folder / "hub/somebody/package")
        self.hub = SmallHub(folder / "hub")
        (folder / "hub/somebody/llama").mkdir()
        (folder / "hub/somebody/llama/config.json").write_text('{"model_type": "llama"}')
        (folder / "hub/somebody/llama/model.safetensors").write_bytes(b"x" * 200_000)
        (folder / "hub/somebody/old").mkdir()
        (folder / "hub/somebody/old/config.json").write_text((self.source / "config.json").read_text())
        (folder / "hub/somebody/old/pytorch_model.bin").write_bytes(b"x")

    def environment(self, more: dict) -> dict:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PHIAL_", "HF_")) and not k.lower().endswith("_proxy")}
        where = {"HF_ENDPOINT": self.hub.endpoint} if hasattr(self, "hub") else {}
        return {**clean, "PHIAL_MODELS": str(self.models), "PHIAL_RETRY_SECONDS": "0", "HF_HOME": str(self.folder), **where, **more}

    def phial(self, *arguments: str, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run([PHIAL, *arguments], cwd=self.folder, env=self.environment(more), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE)

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen([PHIAL, *arguments], cwd=self.folder, env=self.environment({}), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def fresh(self) -> Faults:
        shutil.rmtree(self.models, ignore_errors=True)
        self.hub.faults, self.hub.log = Faults(), []
        return self.hub.faults

    def right(self, tag: str = "int4") -> bool:
        folder = self.models / "phi-4-mini" / tag
        if not folder.is_dir():
            return False
        found = contents(folder)  # phial.json tells the folder's name, which differs
        return {k: v for k, v in found.items() if k != "phial.json"} == {k: v for k, v in self.expected.items() if k != "phial.json"}

    def first_part(self) -> str:
        try:
            state = json.loads((self.models / ".downloads/phi-4-mini/.phial-download.json").read_text())
            return state["files"]["model.safetensors"]["there"][:1]
        except FileNotFoundError:
            return "0"

    def left(self) -> list:
        return sorted(str(p.relative_to(self.models)) for p in self.models.rglob("*") if ".partial" in p.name or
                      p.parent.name == ".downloads" and not p.name.endswith(".lock"))


def pulling(place: Place):
    place.fresh()
    pulled = place.phial("pull", "phi-4-mini")
    expect(pulled.returncode == 0 and place.right() and not place.left(), "a pulled model is what phial quantize makes of the same files",
           (pulled, place.left()))
    asked = [path for path, _ in place.hub.log]
    expect(not any("README" in path for path in asked), "only the files needed are asked for", asked)
    expect(sum("Range" in headers for _, headers in place.hub.log) > 4, "large files come in parts")
    facts = json.loads(place.phial("show", "phi-4-mini", "--json").stdout)
    expect(facts["name"] == "phi-4-mini:int4" and facts["source"]["repository"] == REPOSITORY and facts["source"]["commit"] == COMMIT,
           "phial show tells its name and where it came from", (facts["name"], facts["source"]))
    again = place.phial("pull", "phi-4-mini")
    expect(again.returncode == 0 and "already" in again.stderr, "what is there isn't pulled again", again)
    answer = place.phial("run", "phi-4-mini", "hello", "-n", "3", "--ignore-eos", "--quiet", "--offline")
    expect(answer.returncode == 0, "a model runs by its name", answer)

    for fault, count in (("busy", 3), ("broken", 2), ("cut", 3)):
        faults = place.fresh()
        setattr(faults, fault, count)
        pulled = place.phial("pull", "phi-4-mini", "--quiet")
        expect(pulled.returncode == 0 and place.right() and getattr(faults, fault) == 0, f"{count} requests that are {fault} don't matter", pulled)
    place.fresh().no_ranges = True
    pulled = place.phial("pull", "phi-4-mini", "--quiet")
    expect(pulled.returncode == 0 and place.right(), "a server without ranges will do", pulled)

    place.fresh()
    pulled = place.phial("pull", "phi-4-mini:int8", "--keep", "--json")
    expect(pulled.returncode == 0 and json.loads(pulled.stdout)["name"] == "phi-4-mini:int8", "a tag chooses the format", pulled)
    kept = contents(place.models / "phi-4-mini/original") if (place.models / "phi-4-mini/original").is_dir() else {}
    source = {k: v for k, v in contents(place.source).items() if k != "README.md"}
    expect(kept == source, "--keep keeps the original files", sorted(kept))
    expect(place.phial("show", "phi-4-mini", "--json").returncode == 0, "a name without a tag means what is there")


def while_it_comes(place: Place):
    faults = place.fresh()
    faults.hold = threading.Event()
    process = place.start("pull", "phi-4-mini")
    while not list(place.models.glob("phi-4-mini/int4.partial-*")) and process.poll() is None:
        os.sched_yield()
    expect(process.poll() is None, "quantizing begins before all has come")
    faults.hold.set()
    _, error = process.communicate(timeout=PATIENCE)
    expect(process.returncode == 0 and place.right(), "and gives the same package", error)


def packages(place: Place):
    place.fresh()
    refused = place.phial("pull", "somebody/package:int8")
    expect(refused.returncode == 1 and "somebody/package:int4" in refused.stderr, "a package of another format is refused", refused)
    before = len(place.hub.log)
    pulled = place.phial("pull", "somebody/package", "--quiet")
    folder = place.models / "somebody--package/int4"
    expect(pulled.returncode == 0 and folder.is_dir() and contents(folder) == place.expected and not place.left(),
           "a package on the hub is taken as it is", (pulled, place.left()))
    expect(not any("resolve" in path for path, _ in place.hub.log[before:]), "of what had come already", place.hub.log[before:])


def killed_and_resumed(place: Place):
    for kill in (signal.SIGKILL, signal.SIGINT):
        faults = place.fresh()
        faults.hold = threading.Event()
        process = place.start("pull", "phi-4-mini")
        expect(faults.started.wait(PATIENCE), "the download goes on in parts")
        while place.first_part() != "1":  # the part that isn't held
            os.sched_yield()
        process.send_signal(kill)
        _, error = process.communicate(timeout=PATIENCE)
        expect(process.returncode == (130 if kill == signal.SIGINT else -kill), f"{kill.name} ends a pull", (process.returncode, error))
        listed = place.phial("list")
        expect("phi-4-mini" not in listed.stdout.split("get one")[0], "nothing is there that could be run", listed)
        faults.hold.set()
        faults.hold = None
        before = len(place.hub.log)
        pulled = place.phial("pull", "phi-4-mini", "--quiet")
        parts = [headers["Range"] for path, headers in place.hub.log[before:] if "Range" in headers and "safetensors" in path]
        expect(pulled.returncode == 0 and place.right() and not place.left(), "the next pull ends it", (pulled, place.left()))
        expect("bytes=0-16777215" not in parts and parts, "and asks only for what is missing", parts)


def refusals(place: Place):
    place.fresh().gated = True
    refused = place.phial("pull", "phi-4-mini")
    expect(refused.returncode == 1 and "accept" in refused.stderr and f"{place.hub.endpoint}/{REPOSITORY}" in refused.stderr and
           "HF_TOKEN" in refused.stderr, "a gated model: where to accept the terms", refused)
    refused = place.phial("pull", "phi-4-mini", HF_TOKEN="bad")
    expect(refused.returncode == 1 and "isn't enough" in refused.stderr, "a token that isn't enough", refused)
    place.hub.log = []
    pulled = place.phial("pull", "phi-4-mini", "--quiet", HF_TOKEN="good")
    expect(pulled.returncode == 0 and place.right(), "a token that is", pulled)
    far = [headers for path, headers in place.hub.log if headers.get("Host", "").startswith("localhost")]
    expect(far and not any("Authorization" in headers for headers in far), "the token isn't given to where large files lie", far[:1])
    place.fresh().gated = True
    (place.folder / "token").write_text("good\n")
    pulled = place.phial("pull", "phi-4-mini", "--quiet")
    (place.folder / "token").unlink()
    expect(pulled.returncode == 0, "the token file of HF_HOME", pulled)

    place.fresh().wrong_checksum = True
    refused = place.phial("pull", "phi-4-mini")
    expect(refused.returncode == 1 and "checksum" in refused.stderr and not place.right(), "a wrong checksum", refused)
    place.hub.faults.wrong_checksum = False
    expect(place.phial("pull", "phi-4-mini", "--quiet").returncode == 0 and place.right(), "which doesn't stick")

    place.fresh().broken = 1000
    refused = place.phial("pull", "phi-4-mini")
    expect(refused.returncode == 1 and "503" in refused.stderr, "a hub that is broken for good", refused)
    place.fresh().busy = 1000
    refused = place.phial("pull", "phi-4-mini")
    expect(refused.returncode == 1 and "429" in refused.stderr and "HF_TOKEN" in refused.stderr, "one that is busy for good", refused)
    place.fresh()
    for name, words in (("somebody/none", "no such repository"), ("phi-4-mini@nonesuch", "no such revision"), ("phi-5", "phi-3.5-mini"),
                        ("somebody/old", "safetensors"), ("somebody/llama", "llama"), ("a/b/c", "can't be the name"),
                        ("phi-4-mini:int5", "can't be the name")):
        refused = place.phial("pull", name)
        expect(refused.returncode == 1 and words in refused.stderr and refused.stderr.count("\n") == 1, f"pull {name}: {words}", refused)
    expect(not any(path.endswith("model.safetensors") and "llama" in path and headers.get("Range", "").startswith("bytes=16")
                   for path, headers in place.hub.log), "what isn't Phi-3 is refused before its weights have come")
    refused = place.phial("pull", "phi-4-mini", HF_ENDPOINT="http://127.0.0.1:1")
    expect(refused.returncode == 1 and "127.0.0.1:1" in refused.stderr, "no hub at all", refused)
    refused = place.phial("run", "nonesuch", "hello")
    expect(refused.returncode == 1 and "phial pull nonesuch" in refused.stderr, "a word that is neither folder nor model", refused)


def offline(place: Place):
    place.fresh()
    tracer = shutil.which("strace")
    command = [PHIAL, "pull", "phi-4-mini", "--offline"]
    for flags, more in ((["--offline"], {}), ([], {"HF_HUB_OFFLINE": "1"})):
        command = [PHIAL, "pull", "phi-4-mini", *flags]
        if tracer:
            command = [tracer, "-f", "-qq", "-o", "trace", "-e", "trace=socket,connect", *command]
        refused = subprocess.run(command, cwd=place.folder, env=place.environment(more), capture_output=True, text=True, timeout=PATIENCE)
        expect(refused.returncode == 1 and "offline" in refused.stderr and not place.hub.log, f"offline by {flags or more}: no request", refused)
        if tracer:
            trace = (place.folder / "trace").read_text()
            expect("socket" not in trace, "and no socket is opened (strace)", trace)
    refused = place.phial("run", "phi-4-mini", "hello", "--offline")
    expect(refused.returncode == 1 and "offline" in refused.stderr and not place.hub.log, "run --offline doesn't pull", refused)
    if not tracer:
        print("note: strace isn't here, so that no socket is opened is known from the hub's log only")


def names(place: Place):
    place.fresh()
    made = place.phial("cp", "expected", "mine")
    expect(made.returncode == 0 and "mine:int4" in made.stdout, "a package made elsewhere gets a name", made)
    copied = place.phial("cp", "mine", "also/mine")
    listed = json.loads(place.phial("list", "--json").stdout)
    expect([m["name"] for m in listed["models"]] == ["also/mine:int4", "mine:int4"] and len(listed["known"]) == 7, "and another", (copied, listed))
    expect((place.models / "mine/int4/openvino_model.bin").stat().st_nlink == 3, "the weights are there once")
    expect(place.phial("cp", "expected", "mine").returncode == 1, "a name that is taken is refused")
    expect(place.phial("cp", str(place.source), "other").returncode == 1, "an original checkpoint isn't a package")
    gone = place.phial("rm", "mine")
    expect(gone.returncode == 0 and not (place.models / "mine").exists() and place.phial("rm", "mine").returncode == 1, "rm removes it, once", gone)
    expect(place.phial("run", "also/mine", "hello", "-n", "2", "--quiet").returncode == 0, "the other name still runs")
    expect("also/mine:int4" in place.phial("ls").stdout, "ls lists")
    file = place.folder / "config.json"
    refused = place.phial("ls", PHIAL_MODELS=str(file))
    expect(refused.returncode == 1 and "isn't a folder" in refused.stderr, "a file in the place of the models folder is said", refused)
    expect(place.phial("run", "expected", "hello", "-n", "1", "--quiet", PHIAL_MODELS=str(file)).returncode == 0, "which a folder named doesn't mind")
    across_file_systems(place)


def across_file_systems(place: Place):
    shm = pathlib.Path("/dev/shm")
    if not os.access(shm, os.W_OK) or shm.stat().st_dev == place.folder.stat().st_dev:
        print("note: there is no second file system: cp only linked")
        return
    with tempfile.TemporaryDirectory(dir=shm) as name:
        models = pathlib.Path(name, "models")
        place.phial("cp", "expected", "mine", PHIAL_MODELS=str(models))
        expect(contents(models / "mine/int4") == place.expected, "on another disk a package is copied")

        def full():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        failed = subprocess.run([PHIAL, "cp", "expected", "other"], cwd=place.folder, env=place.environment({"PHIAL_MODELS": str(models)}),
                                capture_output=True, text=True, timeout=PATIENCE, preexec_fn=full)
        expect(failed.returncode == 1 and "File too large" in failed.stderr and os.listdir(models) == ["mine"],
               "what doesn't fit there is said and leaves nothing", (failed, os.listdir(models)))


def small_disk(place: Place):
    """A disk that has room for the originals or for the package, but not for both."""
    place.fresh()
    place.models.mkdir()
    weights = (place.source / "model.safetensors").stat().st_size
    script = f"mount -t tmpfs -o size={weights + (1 << 20)} tmpfs {place.models} && echo mounted && {PHIAL} pull phi-4-mini; ls -A {place.models}/.downloads/phi-4-mini"
    for flags in ("-m", "-rm"):
        tried = subprocess.run(["unshare", flags, "sh", "-c", script], cwd=place.folder, env=place.environment({}), capture_output=True, text=True,
                               timeout=PATIENCE)
        if "mounted" in tried.stdout:
            expect("and the package made of it needs" in tried.stderr and "model.safetensors" not in tried.stdout and
                   not any(headers.get("Range") for _, headers in place.hub.log), "a disk without room for both is refused before weights come", tried)
            return
    print("note: no small disk can be made here (unshare):", tried.stderr.strip()[-100:])


def crowd(place: Place):
    place.fresh()
    processes = [place.start("pull", "phi-4-mini") for _ in range(3)]
    results = [(p.communicate(timeout=PATIENCE)[1], p.returncode) for p in processes]
    weights = [path for path, headers in place.hub.log if headers.get("Host", "").startswith("localhost") and "bytes=0-" in headers.get("Range", "")]
    expect(all(code == 0 for _, code in results) and place.right() and not place.left(), "three processes pull the same", results)
    expect(len(weights) == len(set(weights)), "and it comes once", weights)


def main():
    with tempfile.TemporaryDirectory(prefix="phial-pull-") as name:
        place = Place(pathlib.Path(name))
        for part in (pulling, while_it_comes, packages, killed_and_resumed, refusals, offline, names, small_disk, crowd):
            part(place)
        place.hub.close()
    checks.finish()


if __name__ == "__main__":
    main()
