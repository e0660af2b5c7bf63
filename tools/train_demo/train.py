# SPDX-License-Identifier: Apache-2.0
# Trains phial-demo from nothing on conversations that data.py makes up as they are needed.
# The length is given in minutes: the learning rate falls to zero exactly when they are over.
# Not here: writing the Hugging Face folder (export.py), measuring (evaluate.py).
#
#   python train.py --tokenizer DIR --out DIR --minutes 75

import argparse
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file
from tokenizers import Tokenizer

from data import EARLY, MIX, conversations, encode
from lookup import set_lookup_heads
from model import CONFIG, Phi3


def rows(tok, seed, length, mix):
    """Endless rows of `length` tokens: whole conversations, packed first-fit over a few open rows."""
    end = tok.token_to_id("<|endoftext|>")
    open_rows = []
    for system, turns in conversations(seed, mix=mix):
        while True:
            ids, learn = encode(tok, system, turns)
            if len(ids) <= length or len(turns) == 1:
                break
            turns = turns[:-1]
        if len(ids) > length:
            continue
        fit = next((r for r in open_rows if r[3] + len(ids) <= length), None)
        if fit is None:
            if len(open_rows) == 16:  # give out the fullest
                fullest = max(range(16), key=lambda i: open_rows[i][3])
                yield open_rows.pop(fullest)[:3]
            fit = [np.full(length, end), np.zeros(length, int), np.zeros(length, bool), 0, 0]  # ids, doc, learn, used, docs
            open_rows.append(fit)
        a, b = fit[3], fit[3] + len(ids)
        fit[4] += 1
        fit[0][a:b], fit[1][a:b], fit[2][a:b], fit[3] = ids, fit[4], learn, b


def drill(rng, row):
    """The row's tokens as a senseless sequence that is said again and again: to be learned is every token of the
    repetitions. The shortest way to attention heads that look up what came after this token before; copying and sums
    need them, and conversations alone teach them late."""
    ids, doc, _ = row
    period = min(2 + int(rng.exponential(8)), len(ids) // 3)  # mostly short: the longer, the weaker the signal at first
    words = ids[doc > 0] if rng.random() < 0.5 else np.arange(3, 4080)
    once = rng.choice(words, period)
    return np.resize(once, len(ids)), np.ones_like(doc), np.arange(len(ids)) >= period


def batches(tok, seed, tokens, mix):
    """Rows of 256; every 4th batch has rows of 512, from chats with more turns. A share of mix["drill"] of them are drills."""
    makers = [rows(tok, seed * 10 + i, length, mix["kinds"]) for i, length in enumerate((256, 256, 256, 512))]
    rng = np.random.default_rng(seed)
    while True:
        for make, length in zip(makers, (256, 256, 256, 512)):
            some = [next(make) for _ in range(tokens // length)]
            some = [drill(rng, r) if rng.random() < mix["drill"] else r for r in some]
            yield tuple(torch.from_numpy(np.stack(x)) for x in zip(*some))


def set_mix(mix, done, early, drills):
    """`mix` in place: its kinds EARLY at first, MIX after `early` of the time; likewise the share of drills."""
    w = max(0.0, 1 - done / early) if early else 0.0
    mix["kinds"].update({k: w * EARLY[k] + (1 - w) * MIX[k] for k in MIX})
    mix["drill"] = w * drills


def schedule(done, warm=0.02):
    """Learning rate factor for the part of the time that is over (0..1)."""
    return min(1.0, done / warm) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, done)))


class Muon:
    """Momentum, made orthogonal by Newton-Schulz steps (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/);
    learns in fewer tokens than AdamW here. For matrices inside the layers only. The workers share the matrices out."""

    def __init__(self, params, lr, rank, world, weight_decay=0.05, momentum=0.95):
        self.params, self.rank, self.world, self.weight_decay, self.momentum = params, rank, world, weight_decay, momentum
        self.param_groups = [{"lr": lr}]
        self.buffers = [torch.zeros_like(p) for p in params]
        self.flat = torch.zeros(sum(p.numel() for p in params), device=params[0].device)
        self.deltas = [d.view_as(p) for d, p in zip(self.flat.split([p.numel() for p in params]), params)]

    @torch.no_grad()
    def step(self):
        lr = self.param_groups[0]["lr"]
        self.flat.zero_()
        for i, (p, buf, delta) in enumerate(zip(self.params, self.buffers, self.deltas)):
            if i % self.world != self.rank:
                continue
            buf.lerp_(p.grad, 1 - self.momentum)
            x = p.grad.lerp(buf, self.momentum)
            flip = x.shape[0] > x.shape[1]
            x = x.T if flip else x
            x = x / (x.norm() + 1e-7)
            for _ in range(5):
                s = x @ x.T
                x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x
            delta.copy_((x.T if flip else x) * (0.2 * math.sqrt(max(p.shape))))  # the size of an AdamW step
        if self.world > 1:
            dist.all_reduce(self.flat)
        for p, delta in zip(self.params, self.deltas):
            p.mul_(1 - lr * self.weight_decay).add_(delta, alpha=-lr)


def read_init(path):
    """A checkpoint.pt of ours, or an exported folder (bf16 weights; the counters begin at 0)."""
    if path.is_dir():
        tensors = {k: v.float() for k, v in load_file(path / "model.safetensors").items()}
        return {"model": {"lm_head.weight": tensors["model.embed_tokens.weight"], **tensors}}
    return torch.load(path, map_location="cpu")


def optimizers(model, lr, embed_lr, rank, world):
    inner = [p for n, p in model.named_parameters() if p.dim() == 2 and ".layers." in n]
    outer = [p for n, p in model.named_parameters() if p.dim() == 2 and ".layers." not in n]
    norms = [p for p in model.parameters() if p.dim() == 1]
    adam = torch.optim.AdamW([{"params": outer, "weight_decay": 0.05, "lr": embed_lr}, {"params": norms, "weight_decay": 0.0}], lr=lr, betas=(0.9, 0.98), eps=1e-9, fused=True)
    return [adam, Muon(inner, lr, rank, world)]


def save(path, model, extra):
    tmp = path.with_suffix(".tmp")
    torch.save({"model": model.state_dict(), "config": model.config, **extra}, tmp)
    tmp.replace(path)


def work(rank, a):
    """One worker: its own conversations, half the batch; gradients are averaged."""
    torch.set_num_threads(max(1, a.threads // a.workers))
    torch.set_flush_denormal(True)
    torch.manual_seed(a.seed)
    if a.workers > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(a.port))
        dist.init_process_group("gloo", rank=rank, world_size=a.workers)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config = dict(CONFIG, **{k: int(v) for k, v in (s.split("=") for s in a.set)})
    tok = Tokenizer.from_file(str(a.tokenizer / "tokenizer.json"))
    model = Phi3(config)
    before = {"tokens": 0, "learned": 0, "step": 0}
    if not a.init:
        set_lookup_heads(model, a.seed)
    else:
        state = read_init(a.init)
        model.load_state_dict(state["model"])
        before = {k: state.get(k, 0) for k in before}
    model.to(device)
    params = list(model.parameters())
    # all gradients in one piece; the last three numbers are the loss, the minutes and the learned tokens
    flat = torch.zeros(sum(p.numel() for p in params) + 3, device=device)
    for p, g in zip(params, flat[:-3].split([p.numel() for p in params])):
        p.grad = g.view_as(p)
    opts = optimizers(model, a.lr, a.embed_lr, rank, a.workers)
    rates = [[g["lr"] for g in o.param_groups] for o in opts]
    a.out.mkdir(parents=True, exist_ok=True)
    if rank == 0:
        print(f"{sum(p.numel() for p in params)} parameters, {device}, {a.workers} workers, config {config}", flush=True)

    start = last_save = time.time()
    steps = seen = learned = 0
    mean, mix = None, {"kinds": dict(MIX), "drill": 0.0}
    set_mix(mix, 0, a.early, a.drills)
    for ids, doc, learn in batches(tok, a.seed * 100 + rank, a.tokens // a.workers, mix):
        loss = model.loss(ids.to(device), doc.to(device), learn.to(device))
        loss.backward()
        flat[-3], flat[-2], flat[-1] = loss.detach(), (time.time() - start) / 60, learn.sum()
        if a.workers > 1:
            dist.all_reduce(flat)
            flat /= a.workers
        now, minutes, n = flat[-3:].tolist()
        done = minutes / a.minutes
        if done >= 1:
            break
        for o, full in zip(opts, rates):
            for g, lr in zip(o.param_groups, full):
                g["lr"] = lr * schedule(done)
        norm = flat[:-3].norm()
        flat[:-3] *= torch.clamp(1.0 / (norm + 1e-6), max=1.0)
        for o in opts:
            o.step()
        flat.zero_()
        set_mix(mix, done, a.early, a.drills)
        steps, seen, learned = steps + 1, seen + int((doc > 0).sum()) * a.workers, learned + round(n * a.workers)
        mean = now if mean is None else 0.97 * mean + 0.03 * now
        if rank:
            continue
        if steps % 50 == 0 or steps == 5:
            line = dict(step=steps, minutes=round(minutes, 2), loss=round(mean, 4), tokens=seen, learned=learned, tokens_per_s=round(seen / (time.time() - start)))
            print(json.dumps(line), flush=True)
            with open(a.out / "log.jsonl", "a") as f:
                f.write(json.dumps(line) + "\n")
        if time.time() - last_save > a.save_minutes * 60:
            last_save = time.time()
            save(a.out / "checkpoint.pt", model, dict(step=before["step"] + steps, tokens=before["tokens"] + seen, learned=before["learned"] + learned, seed=a.seed))
    if rank == 0:
        save(a.out / "checkpoint.pt", model, dict(step=before["step"] + steps, tokens=before["tokens"] + seen, learned=before["learned"] + learned, seed=a.seed))
        print(f"done: {steps} steps, {seen} tokens, {learned} of them learned, loss {mean:.4f}", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--tokenizer", type=Path, required=True, help="folder with tokenizer.json")
    p.add_argument("--out", type=Path, required=True, help="folder for checkpoint.pt and log.jsonl")
    p.add_argument("--minutes", type=float, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--embed-lr", type=float, default=1.5e-3, help="of the embedding: with more its vectors change faster than heads can follow")
    p.add_argument("--tokens", type=int, default=2048, help="tokens of a batch, of all workers together")
    p.add_argument("--workers", type=int, default=1, help="processes; with one thread each they lose less to other work on the machine")
    p.add_argument("--threads", type=int, default=2, help="of all workers together")
    p.add_argument("--port", type=int, default=29517, help="on this machine only, for the workers to meet")
    p.add_argument("--save-minutes", type=float, default=4)
    p.add_argument("--early", type=float, default=0.4, help="share of the time with more copying and sums")
    p.add_argument("--drills", type=float, default=0.3, help="share of rows at the beginning that are senseless repetitions")
    p.add_argument("--set", nargs="*", default=[], help="model sizes, such as num_hidden_layers=4")
    p.add_argument("--init", type=Path, help="checkpoint.pt, or exported folder such as models/phial-demo, to go on from (weights only)")
    a = p.parse_args()
    if a.workers == 1:
        work(0, a)
    else:
        mp.spawn(work, (a,), nprocs=a.workers)


if __name__ == "__main__":
    main()
