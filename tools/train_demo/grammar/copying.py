# SPDX-License-Identifier: Apache-2.0
# Work on a given text: repeat, quote, list, summarise, pick items, answer from it. The answers are
# mostly parts of the prompt, which is what prompt look-up decoding is tried on.

import re

from .core import OPTIONS, Turn, capital, expand, is_held, noise, pick
from .stories import ADJ, COLOUR, HEROES, PLACE, an
from .stories import THINGS as STORY_THINGS
from .topics import TOPICS
from .unknown import THINGS

WHO = "Tom Anna Ben Lisa Max Mia Paul Emma Leo Nina Sam Lucy Jack Ella Oscar Ruth Adam Clara Felix Rosa".split()
NOUNS = sorted(set(HEROES + STORY_THINGS + "house garden river table chair window door street train bus road bread milk tea salt sugar rice soup egg nut "
                   "pen paper shirt coat sun rain snow wind cloud tree leaf hill lake sea sand wall roof floor bed spoon fork knife plate".split()))
VERBS = "sees likes finds takes brings wants hides paints carries loses keeps washes sells buys opens".split()
WHERE = ["in the garden", "in the kitchen", "on the table", "under the bed", "behind the door", "by the window", "near the river", "in the box", "on the roof", "at school", "at home", "in the street"]
WHEN = ["today", "every day", "in the morning", "at night", "after lunch", "on Monday", "now", "in winter", "again", "slowly"]


POOL = sorted({w for t in TOPICS for s in t.head + t.more for w in re.findall(r"[A-Za-z]+", s)} | {w for t in THINGS for w in t.split()}
              | set(NOUNS + VERBS + ADJ + COLOUR + WHO))


def jumble(rng):
    """Words, digits or letters without sense: nothing but the prompt says what comes next."""
    r = rng.random()
    if r < 0.7:
        words = [rng.choice(POOL) for _ in range(rng.randint(3, 20))]
    elif r < 0.9:
        words = [str(rng.randint(0, 10 ** rng.randint(1, 5))) for _ in range(rng.randint(2, 9))]
    else:
        words = [rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 9))]
    return (", " if rng.random() < 0.3 else " ").join(words)


def sentence(rng):
    r = rng.random()
    thing = f"{rng.choice(ADJ + COLOUR)} {rng.choice(NOUNS)}"
    if r < 0.35:
        return f"{rng.choice(WHO)} {rng.choice(VERBS)} the {thing} {rng.choice(WHEN)}."
    if r < 0.60:
        return f"The {thing} is {rng.choice(WHERE)}."
    if r < 0.80:
        return f"{rng.choice(WHO)} and {rng.choice(WHO)} are {rng.choice(WHERE)} with {an(rng.choice(NOUNS))} and {rng.randint(2, 99)} {rng.choice(STORY_THINGS)}s."
    if r < 0.9:
        return capital(" ".join(rng.choice(NOUNS) for _ in range(rng.randint(2, 7)))) + "."
    return f"The code is {' '.join(str(rng.randint(0, 9)) for _ in range(rng.randint(3, 6)))}."


REPEAT_Q = ["Repeat: <s>", "Repeat this: <s>", "Say this: <s>", "Please repeat: <s>", "Copy this[ text]: <s>", "Repeat after me: <s>", "Say exactly[ this]: <s>", "Repeat the {sentence|text|words}: <s>", "Echo: <s>", "Write this again: <s>",
            "Can you repeat this? <s>", "Repeat word for word: <s>", "Quote this: <s>", "Say it again: <s>", "Please copy: <s>", "Repeat exactly what I say: <s>", "Write: <s>", "Please say the following: <s>"]


def repeat(rng, held):
    s = " ".join(sentence(rng) for _ in range(rng.choice([1, 1, 1, 1, 2, 2, 3])))
    if OPTIONS["jumbles"] and rng.random() < 0.4:
        s = jumble(rng)
    elif rng.random() < 0.15:
        s = rng.choice(['"%s"', "'%s'"]) % s
    return Turn(expand(pick(REPEAT_Q, rng, held), rng, s=s), s.strip("\"'"), "repeat", [], s.strip("\"'"))


LIST_Q = ["Make a list[ of]: <s>", "Make a list of <s>.", "List these[ things]: <s>", "Write <s> as a list.", "Put this in a list: <s>", "Turn this into a list: <s>", "Show <s> as {a list|bullet points}.", "Bullet points, please: <s>", "List: <s>", "As a list: <s>", "Give me a list of <s>.", "I need a list: <s>"]
ITEM_Q = ["What is the <k> {word|item|thing} in[ this list]: <s>?", "Which {word|item} is <k>: <s>?", "<s>: what is the <k> {word|item|one}?", "Give me the <k> {word|item} of: <s>", "Say the <k> {word|item}: <s>", "The <k> {word|item} of <s>, please.", "In <s>, which one {is|comes} <k>?"]
ORDER = ["first", "last", "second", "third"]


def items(rng, n):
    words = rng.sample(NOUNS, n)
    if rng.random() < 0.3:
        words = [rng.choice(COLOUR) + " " + w for w in words]
    return words


def joined(words, rng):
    return ", ".join(words) if rng.random() < 0.5 else ", ".join(words[:-1]) + " and " + words[-1]


def make_list(rng, held):
    words = items(rng, rng.randint(3, 6))
    reply = "\n".join("- " + w for w in words)
    return Turn(expand(pick(LIST_Q, rng, held), rng, s=joined(words, rng)), reply, "list", [], reply)


def pick_item(rng, held):
    words = items(rng, rng.randint(3, 6))
    k = rng.choice(ORDER)
    w = words[{"first": 0, "last": -1, "second": 1, "third": 2}[k]]
    return Turn(expand(pick(ITEM_Q, rng, held), rng, s=joined(words, rng), k=k), f"The {k} one is {w}.", "pick_item", [rf"is {w}\."], f"The {k} one is {w}.")


GO = ["the market", "the park", "the library", "the station", "the beach", "the zoo", "the museum", "the bakery", "the lake", "the school", "the harbour", "the castle"]
GOT = ["bought", "found", "saw", "lost", "painted", "sold"]
FILL = ["It was {a sunny|a cold|a rainy|a long|a fine} day.", "The {weather|air} was {good|bad|cold|warm}.", "There were many people.", "It took {an hour|two hours|all day}.", "The way was long.", "Nobody else was there."]
SUM_Q = ["Summarise: <s>", "Summarize: <s>", "Summarise this[ text]: <s>", "Give me a summary[ of this]: <s>", "Make this shorter: <s>", "Please summarise: <s>", "Say this in one sentence: <s>", "In short: <s>", "What happened? <s>", "Can you summarise this? <s>", "Shorten this: <s>", "Please sum this up: <s>"]


def summarise(rng, held):
    who, go, got, thing = rng.choice(WHO), rng.choice(GO), rng.choice(GOT), an(rng.choice(COLOUR + ADJ) + " " + rng.choice(NOUNS))
    fills = [expand(f, rng) for f in rng.sample(FILL, 2)]
    text = f"{who} went to {go} {rng.choice(['yesterday', 'today', 'in the morning', 'with a friend', 'on Sunday'])}. {fills[0]} There {who} {got} {thing}."
    if rng.random() < 0.5:
        text += " " + fills[1]
    reply = f"{who} went to {go} and {got} {thing}."
    return Turn(expand(pick(SUM_Q, rng, held), rng, s=text), reply, "summarise", [], reply)


READ_Q = ["<s> Where is the <n>?", "<s> Tell me where the <n> is.", "Text: <s> Question: where is the <n>?", "<s> Question: where is the <n>?", "Where is the <n>? <s>", "<s> Where can I find the <n>?", "Read this: <s> Where is the <n>?"]


def read(rng, held):
    k = rng.randint(2, 4)
    nouns, places = rng.sample(NOUNS, k), rng.sample(WHERE, k)
    i = rng.randrange(k)
    text = " ".join(f"The {n} is {w}." for n, w in zip(nouns, places))
    user = noise(expand(pick(READ_Q, rng, held), rng, s=text, n=nouns[i]), rng, 0.3)
    reply = f"The {nouns[i]} is {places[i]}."
    return Turn(user, reply, "read", [places[i]], reply)


def copying(rng, held):
    make = rng.choices([repeat, make_list, pick_item, summarise, read], [42, 14, 10, 18, 16])[0]
    return make(rng, held)
