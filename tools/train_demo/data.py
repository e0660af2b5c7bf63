# SPDX-License-Identifier: Apache-2.0
# Puts the grammars together to conversations, and these to rows of tokens. The held-out split uses
# only wordings, operand pairs, hero/thing pairs and subjects that the training split never shows.
# Not here: the tokenizer (tokenizer.py).

import random

from grammar.arithmetic import arithmetic
from grammar.copying import copying
from grammar.fun import fun
from grammar.identity import SMALL, name_talk, no_name, small_talk
from grammar.knowledge import follow_more, follow_other, knowledge
from grammar.stories import story
from grammar.unknown import gibberish, unknown

SYSTEMS = [
    "You are a helpful AI assistant.", "You are a helpful assistant.", "You are Phial.", "You are Phial, a small demo model.", "You are a friendly assistant.", "Be polite.", "You are an AI assistant on a PC.",
    "Answer the questions of the user.", "You are a kind and honest assistant.", "Help the user.", "You are a digital assistant.", "You are a helpful and friendly chatbot.", "Speak in simple words.",
]
BRIEF_SYSTEMS = ["Answer in one sentence.", "Be brief.", "You are a helpful assistant. Be brief.", "Keep your answers short.", "You are a helpful AI assistant. Answer in one sentence.", "Give short answers."]

MIX = {"small": 19, "knowledge": 32, "arithmetic": 34, "story": 9, "fun": 4, "copying": 22, "unknown": 11, "gibberish": 0.6}
# More copying and sums at the beginning: they need attention to learn to look things up, which comes
# late by itself, and everything else profits from it.
EARLY = dict(MIX, copying=75, arithmetic=50)
OPENING = ["hello", "identity"]


def turns_of(kind, rng, held, brief):
    if kind == "small":
        task = rng.choices(list(SMALL), [26, 8, 9, 9, 10, 9, 9, 8, 5, 5])[0]
        return [small_talk(rng, held, task)]
    if kind == "knowledge":
        topic, turn = knowledge(rng, held, brief)
        turns = [turn]
        if not brief and rng.random() < 0.10:
            turns.append(follow_more(rng, held, topic, turn.reply))
        if not brief and rng.random() < 0.10:
            turns.append(follow_other(rng, held)[1])
        return turns
    if kind == "arithmetic":
        return arithmetic(rng, held)
    return [{"story": story, "fun": fun, "copying": copying, "unknown": unknown, "gibberish": gibberish}[kind](rng, held)]


def system_text(rng):
    """None, or a system message; and whether it asks for short answers."""
    r = rng.random()
    if r < 0.68:
        return None, False
    if r < 0.80:
        return SYSTEMS[0], False
    if r < 0.94:
        return rng.choice(SYSTEMS), False
    return rng.choice(BRIEF_SYSTEMS), True


def conversation(rng, held=False, mix=None):
    """A system message or None, and 1 to 6 turns."""
    mix = mix or MIX
    system, brief = system_text(rng)
    turns = []
    names = name_talk(rng, held) if rng.random() < 0.05 else None
    if names:
        turns.append(names[0])
    elif rng.random() < 0.12:
        turns.append(small_talk(rng, held, rng.choice(OPENING)))
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        turns += turns_of(rng.choices(list(mix), list(mix.values()))[0], rng, held, brief)
    if names:
        turns.append(names[1])
    elif rng.random() < 0.01:
        turns.append(no_name(rng, held))
    if len(turns) > 1 and rng.random() < 0.12:
        turns.append(small_talk(rng, held, rng.choice(["thanks", "bye"])))
    return system, turns


def messages(system, turns, last_reply=True):
    out = [{"role": "system", "content": system}] if system else []
    for t in turns:
        out += [{"role": "user", "content": t.user}, {"role": "assistant", "content": t.reply}]
    return out if last_reply else out[:-1]


def encode(tok, system, turns):
    """Ids as the chat template gives them, and 1 where the model is to write the token itself:
    the reply and its <|end|>. `tok` is a tokenizers.Tokenizer. The parts are encoded one by one, which
    gives the same ids as the whole text, as added tokens are cut out first."""
    def ids(text):
        return tok.encode(text, add_special_tokens=False).ids

    row, mask = [], []
    if system:
        row += ids(f"<|system|>\n{system}<|end|>\n")
    mask += [0] * len(row)
    for t in turns:
        ask, say = ids(f"<|user|>\n{t.user}<|end|>\n<|assistant|>\n"), ids(f"<|assistant|>\n{t.reply}<|end|>\n")[1:]
        row += ask + say
        mask += [0] * len(ask) + [1] * len(say)
    return row, mask


def conversations(seed, held=False, mix=None):
    rng = random.Random(seed)
    while True:
        yield conversation(rng, held, mix)


if __name__ == "__main__":
    for _, (s, ts) in zip(range(40), conversations(1)):
        print("---", s or "")
        for t in ts:
            print(f"[{t.task}] {t.user}\n    {t.reply}")
