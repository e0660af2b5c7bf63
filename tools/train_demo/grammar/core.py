# SPDX-License-Identifier: Apache-2.0
# The template language, the train/held-out rule and the typing noise that all grammars share.
# It is not a grammar itself: it knows no sentence of its own.
#
# Templates:  {a|b|c} one of, [a|b] the same or nothing, <slot> a value given by name. They nest.

import re
import zlib
from dataclasses import dataclass, field

HELD_EVERY = 6  # in each list of templates, every 6th is kept for the held-out split
OPTIONS = {"typos": True, "jumbles": True}  # off while the tokenizer learns its words

_GROUP = re.compile(r"\{([^{}\[\]]*)\}|\[([^{}\[\]]*)\]")


@dataclass
class Turn:
    """One question with its answer. `accept`: regular expressions that must all be found in a
    good answer (case is ignored); `expected`: the only right answer, where there is just one."""

    user: str
    reply: str
    task: str
    accept: list = field(default_factory=list)
    expected: str | None = None


def expand(template, rng, **slots):
    def choose(m):
        if m.group(2) is not None:
            return rng.choice(m.group(2).split("|")) if rng.random() < 0.5 else ""
        return rng.choice(m.group(1).split("|"))

    text, n = template, 1
    while n:
        text, n = _GROUP.subn(choose, text)
    for name, value in slots.items():
        text = text.replace(f"<{name}>", str(value))
    text = re.sub(r" +", " ", text).strip()
    return re.sub(r" ([,.?!;:])(?=\s|$)", r"\1", text)


def pick(templates, rng, held):
    """A template of the wanted split. Lists shorter than HELD_EVERY have no held-out part."""
    if len(templates) < HELD_EVERY:
        return rng.choice(templates)
    while True:
        i = rng.randrange(len(templates))
        if (i % HELD_EVERY == HELD_EVERY - 1) == held:
            return templates[i]


def is_held(*key, every=8):
    """Whether a combination (operands, hero and thing, ...) is kept for the held-out split.
    A hash of the key, so it does not depend on the seed or on the order of generation."""
    return zlib.crc32(repr(key).encode()) % every == 0


def pick_combo(rng, held, draw, key=lambda c: c, every=8):
    while True:
        combo = draw(rng)
        if is_held(key(combo), every=every) == held:
            return combo


def capital(text):
    return text[:1].upper() + text[1:]


_NEAR = {"a": "s", "e": "r", "i": "o", "o": "p", "t": "y", "n": "m", "s": "d", "r": "t", "u": "i"}


def _typo(text, rng):
    if not OPTIONS["typos"]:
        return text
    spots = [i for i in range(1, len(text) - 1)
             if text[i].isalpha() and text[i - 1].isalpha() and text[i + 1].isalpha()]
    if not spots:
        return text
    i = rng.choice(spots)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:i] + text[i + 1] + text[i] + text[i + 2:]
    if kind == 1:
        return text[:i] + text[i + 1:]
    if kind == 2:
        return text[:i] + text[i] + text[i:]
    return text[:i] + _NEAR.get(text[i], text[i]) + text[i + 1:]


_OPENERS = ["Hi, ", "Hey, ", "Hello, ", "Please, ", "OK, ", "So, ", "Well, ", "Hey Phial, ", "Hi Phial, ",
            "Phial, ", "One question: ", "Another question: ", "Tell me, ", "Hmm, ", "Now, ", "And ",
            "I have a question. ", "I am new to this. ", "I have a new laptop. ", "I bought a new PC. ", "Hi! ", "Hello! ", "Good morning. ", "Sorry to bother you. "]
_CLOSERS = [" Thanks!", " Thank you.", " please", ", please", " Please.", " I am curious.", " :)"]
_KEEP = re.compile(r"(I\b|I'|[A-Z]{2}|Phi|Open|ONNX|[^A-Za-z])")


def dress(text, rng, opener=0.16, closer=0.08):
    """Politeness around a question."""
    if rng.random() < opener:
        head = rng.choice(_OPENERS)
        text = head + (text if _KEEP.match(text) or head[-2] in ".!" else text[:1].lower() + text[1:])
    if rng.random() < closer:
        tail = rng.choice(_CLOSERS)
        text = (text.rstrip("?.!") + tail + "?" if tail in (" please", ", please") else text + tail)
    return text


def noise(text, rng, level=1.0):
    """Case, punctuation and spelling as people type them."""
    r = rng.random() / level
    if r < 0.20:
        text = text.lower()
    elif r < 0.225:
        text = text.upper()
    r = rng.random() / level
    if r < 0.22:
        text = text.rstrip("?.!")
    elif r < 0.25:
        text = text.replace("?", "??")
    elif r < 0.27:
        text = text.replace("?", " ?")
    elif r < 0.29:
        text = text.replace("?", "!")
    elif r < 0.31:
        text = text.replace("'", "")
    r = rng.random() / level
    if r < 0.14:
        text = _typo(text, rng)
    if r < 0.03:
        text = _typo(text, rng)
    return text.strip()


def asked(templates, rng, held, **slots):
    """A question of the wanted split, filled in, dressed and roughened."""
    return noise(dress(capital(expand(pick(templates, rng, held), rng, **slots)), rng), rng)
