# SPDX-License-Identifier: Apache-2.0
# Tiny stories of a given hero, with or without a given thing. Everything is invented here.

from .core import Turn, asked, capital, expand, is_held

HEROES = ("cat dog robot child girl boy mouse bird rabbit fox bear dragon fish horse duck frog owl king queen pirate teacher baker "
          "farmer doctor wizard princess knight sailor snail turtle elephant lion bee ghost painter").split()
THINGS = ("ball|key|hat|book|lamp|flower|box|boat|kite|drum|star|coin|map|cake|apple|bell|shoe|letter|stone|clock|"
          "cup|ring|feather|rope|basket|mirror|candle|umbrella|bottle|computer|chip|battery").split("|")
ADJ = "small little old kind brave happy shy clever young lonely funny curious lazy quiet".split()
COLOUR = "red blue green golden silver yellow white black".split()
PLACE = ["in a small house", "in a forest", "near the sea", "in a big city", "on a farm", "by a river", "on a hill", "in a garden", "in a quiet village", "under an old tree"]
NAME = "Pip Lulu Momo Bobo Tilly Nino Kiki Rufus Dot Oli Zuzu Milo Penny Toto Fay".split()
FRIEND = "a bird|an old man|a little girl|a mouse|a friendly dog|a wise owl|a boy|a fox|a kind woman".split("|")


def an(word):
    return ("an " if word[0] in "aeiou" else "a ") + word


STORY_Q = [  # <h> has its article, <t> too
    "Tell me a {story|short story|tiny story} about <h> and <t>.", "{Write|Tell} a {story|short story} about <h> and <t>.", "I want {to hear |}a story {about|of} <h> with <t>.",
    "Can you tell {me |}a story about <h> and <t>?", "A {story|short story} about <h> and <t>, please.", "Make up a story {about|of} <h> who {finds|has} <t>.",
    "Please tell me a story {of|about} <h> and <t>.", "Give me a {tiny|short} story {with|about} <h> and <t>.", "Story: <h> and <t>", "Tell me about <h> and <t> in a {tiny|short} story.",
    "Could you {write|invent} a {tiny|short|little} story about <h> and <t>?", "Tell a story in which <h> finds <t>.",
    "I would {like|love} a story about <h> and <t>.", "Do you know a story about <h> and <t>?", "Write something about <h> and <t>.", "Tell me a bedtime story about <h> and <t>.", "Invent a story {with|about} <h> and <t>.", "Let me hear a story about <h> with <t>.",
]
STORY_Q1 = [
    "Tell me a {story|short story|tiny story} about <h>.", "{Write|Tell} a {story|short story} about <h>.", "I want a story about <h>.", "Can you tell {me |}a story about <h>?", "A story about <h>, please.", "Make up a story about <h>.",
    "Please tell me a {tiny|short} story of <h>.", "Give me a {tiny|short} story with <h>.", "Story about <h>", "Could you write a {tiny|short} story about <h>?", "Do you know a story about <h>?", "Tell a story with <h>.",
]
STORY_Q0 = [
    "Tell me a {story|short story|tiny story}.", "{Write|Tell} a {story|short story}.", "I want a story.", "Can you tell {me |}a story?", "A story, please.", "Make up a story.",
    "Please tell me a {tiny|short} story.", "Do you know {a|any} {story|stories}?", "Story time!", "I am bored. Tell me something.", "Entertain me.", "Could you write a {tiny|short} story?",
    "Another story[, please].", "Tell me {another|one more} story.", "I {would like|want} to hear a story.", "Tell me something nice.", "Can you write stories?", "One more story!",
]

OPEN = ["Once there was <a> <h> {called|named} <n>. <n> lived <p>.", "<n> was <a> <h> who lived <p>.", "Once upon a time, <a> <h> {called|named} <n> lived <p>."]
FIND = ["One day <n> found <ct> {in the grass|on the road|under a tree|by the door}.", "One morning <n> saw <ct> {on the path|near the door|in the grass}."]
ASK = ['"Whose <t> is this?" {asked|thought} <n>.', '"What a nice <t>!" said <n>.', '"I will keep this <t> safe," said <n>.']
MEET = ["Then <f> came along and {looked sad|began to cry}: the <t> was lost and now it was found.", "Soon <f> came and asked for the <t>.", "<F> was looking for the <t> everywhere."]
GIVE = ["<n> gave the <t> back{| with a smile}, and they became {friends|good friends}.", "So <n> gave back the <t>, and they played together until the evening.", "<n> gave it back, and they {shared a cake|laughed and danced|sang a song} together."]
LOST = ["One day <n> lost <ct> {in the grass|on the road|in the rain}.", "One evening the <t> of <n> was gone."]
SEARCH = ["<n> looked {for it everywhere|in every corner}.", "<n> looked here and there and was sad."]
HELP = ["Then <f> came to help.", "<F> heard this and helped to look."]
BACK = ["Together they found the <t> under {a bed|a bush|a big leaf}, and <n> was happy again.", "In the end the <t> was {in a tree|behind the door}, and they both laughed."]
END = ["{The end.|From that day on <n> was never alone.|That night <n> slept well.|And <n> was happy.}"]


def story_text(rng, hero, thing):
    friend = rng.choice([f for f in FRIEND if hero not in f])
    plot = rng.choice([(OPEN, FIND, ASK, MEET, GIVE, END), (OPEN, FIND, MEET, GIVE, END), (OPEN, LOST, SEARCH, HELP, BACK, END)])
    slots = dict(a=an(rng.choice(ADJ)), h=hero, n=rng.choice(NAME), p=rng.choice(PLACE), f=friend, F=capital(friend), t=thing, ct=an(rng.choice(COLOUR) + " " + thing))
    return " ".join(capital(expand(rng.choice(part), rng, **slots)) for part in plot)


def story(rng, held):
    while True:
        hero, thing = rng.choice(HEROES), rng.choice(THINGS)
        if is_held("story", hero, thing) == held:
            break
    r = rng.random()
    text = story_text(rng, hero, thing)
    if r < 0.68:
        adj = rng.choice(ADJ) if rng.random() < 0.2 else ""
        h = an((adj + " " + hero).strip()) if rng.random() < 0.92 else "the " + hero
        user = asked(STORY_Q, rng, held, h=h, t=an(thing) if rng.random() < 0.9 else "the " + thing)
        return Turn(user, text, "story", [rf"\b{hero}\b", rf"\b{thing}\b"])
    if r < 0.88:
        return Turn(asked(STORY_Q1, rng, held, h=an(hero)), text, "story_hero", [rf"\b{hero}\b"])
    return Turn(asked(STORY_Q0, rng, held), text, "story_free", [r"\bOnce\b|\blived\b"])
