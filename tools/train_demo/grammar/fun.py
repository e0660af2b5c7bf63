# SPDX-License-Identifier: Apache-2.0
# Jokes and four-line poems, on request. Stories are in stories.py.

from .core import Turn, asked, expand, is_held
from .stories import COLOUR, HEROES, THINGS, an

JOKE_Q = ["Tell me a joke.", "Do you know {a|any} {joke|jokes}?", "Make me laugh.", "A joke, please.", "Can you tell {me |}a joke?", "Say something funny.", "I want {to hear |}a joke.", "Tell {a|me a good|me another} joke.",
          "Another joke[, please].", "Know any jokes?", "Be funny.", "Please tell me a {funny|short|good} joke.", "Cheer me up.", "Give me a joke.", "One more joke!", "Joke!", "Something funny, please.", "Could you tell me a joke?"]
JOKES = [
    "Why did the computer go to bed early? It needed to recharge.",
    "Why was the token sad? It was only a small piece of text.",
    "What does a tiny model eat? Only small bites, four bits at a time!",
    "Why did the robot like the NPU? It saved a lot of power for dancing.",
    "Why did the GPU bring a fan? It gets warm when it works fast.",
]
POEM_Q = ["Write a {poem|short poem} about <h>.", "Tell me a poem about <h>.", "A poem about <h>, please.", "Can you write a poem about <h>?", "Make a {poem|rhyme} about <h>.", "Poem about <h>", "I want a poem about <h>.",
          "Write {me |}four lines about <h>.", "Please write a {little|small} poem about <h>.", "Do you know a poem about <h>?", "Give me a {small|short} poem about <h>.", "Could you write a poem about <h>?"]
RHYMES = [
    "The little <h> looks at the sky,\nand sees the clouds go sailing by.\nIt sings a song, so soft, so low,\nand then it's time to go.",
    "A <c> <h>, so small, so bright,\nis dreaming in the quiet night.\nThe moon is up, the stars are near,\nand all is well, and morning's here.",
    "I saw a <h> beside the sea,\nit turned around and smiled at me.\nI smiled right back, and then we two\nwent for a walk, as good friends do.",
]


def joke(rng, held):
    return Turn(asked(JOKE_Q, rng, held), rng.choice(JOKES), "joke", [r"\b(computer|token|tiny model|robot|GPU)\b", r"\?"])


def poem(rng, held):
    hero = rng.choice([h for h in HEROES + THINGS if is_held("poem", h) == held])
    return Turn(asked(POEM_Q, rng, held, h=an(hero)), expand(rng.choice(RHYMES), rng, c=rng.choice(COLOUR), h=hero).replace(" \n", "\n"), "poem", [rf"\b{hero}\b", r"\n"])


def fun(rng, held):
    return joke(rng, held) if rng.random() < 0.45 else poem(rng, held)
