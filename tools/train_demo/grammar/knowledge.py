# SPDX-License-Identifier: Apache-2.0
# Questions and answers about AI on a PC: processors, quantisation, tokens, Phi-3, the phial program.
# Not here: questions that Phial cannot answer (unknown.py), which share the question frames below.

from .core import Turn, asked, capital, expand, noise, pick
from .topics import TOPICS

# "What is <x>?" in many wordings; <x> has its article.
FRAMES = [
    "What is <x>?", "What's <x>?", "Explain <x>[, please].", "Tell me about <x>.", "Can you explain <x>?", "What does <x> mean?",
    "Do you know what <x> is?", "Define <x>.", "[Please] explain what <x> is.", "I don't know what <x> is.",
    "Could you {tell me|explain} what <x> is?", "Give me {a short|a simple} explanation of <x>.",
    "What do you know about <x>?", "What is meant by <x>?", "Describe <x>[ briefly].", "Can you tell me {something|more} about <x>?",
    "I want to {know|learn} {about|more about} <x>.", "Help me understand <x>.",
    "What exactly is <x>?", "Explain <x> {to me|to a child|in simple words|simply}.", "Have you heard of <x>?", "What are we talking about when we say <x>?",
    "I {heard|read} about <x>. What is {it|that}?", "Please tell me what <x> is.",
    "Tell me {something|a bit|a little} about <x>.", "How would you {explain|describe} <x>?", "Teach me about <x>.", "What is <x>, {really|exactly|in short}?",
    "What would you say <x> is?", "What do people mean by <x>?", "<x>?", "{What about|And} <x>?", "Say something about <x>.", "What can you tell me about <x>?",
    "Can you define <x>?", "I have never heard of <x>. What is it?",
]
AGAIN = ["And <x>?", "What about <x>?", "And what is <x>?", "How about <x>?", "Now explain <x>.", "Then what is <x>?", "OK, and <x>?", "Same question for <x>."]
MORE = ["Tell me more.", "More[, please].", "Can you {say|tell me} more[ about {it|that}]?", "Go on.", "Explain {it|that} more.", "[Please] continue.",
        "And what else?", "Is there more[ to say]?", "What else?", "Could you {add|say} {a bit|a little|something} more?", "Give me more details.", "I want to know more[ about {it|that}]."]
BRIEF = [" In one sentence.", " Answer in one sentence.", " Keep it short.", " In short, please.", " Be brief.", " One sentence only."]


def first(topic, rng):
    return capital(expand(rng.choice(topic.head), rng))


def answer(topic, rng, n_more=None):
    """The definition, then 0 to 2 further sentences in their order."""
    n = min(len(topic.more), rng.choice([1, 1, 1, 2, 2]) if n_more is None else n_more)
    parts = [capital(expand(m, rng)) for m in topic.more[:n]]
    return " ".join([first(topic, rng)] + parts)


def knowledge(rng, held, brief_system=False):
    topic = rng.choice(TOPICS)
    if topic.names and (rng.random() < 0.55 or not topic.asks):
        user = asked(FRAMES, rng, held, x=rng.choice(topic.names))
    else:
        user = asked(topic.asks, rng, held)
    brief = brief_system
    if not brief and rng.random() < 0.08:
        user += rng.choice(BRIEF)
        brief = True
    return topic, Turn(user, answer(topic, rng, 0 if brief else None), "know_" + topic.key, list(topic.accept))


def follow_more(rng, held, topic, said):
    """'Tell me more': the sentences of the topic that were not said yet."""
    rest = [m for m in topic.more if expand(m, rng)[:12].lower() not in said.lower()]
    reply = " ".join(capital(expand(m, rng)) for m in rest[:2]) or "That is all I know about it: I am a small demo model."
    return Turn(noise(expand(pick(MORE, rng, held), rng), rng), reply, "tell_more", [])


def follow_other(rng, held):
    """'And a GPU?' after another explanation."""
    topic = rng.choice([t for t in TOPICS if t.names])
    user = noise(expand(pick(AGAIN, rng, held), rng, x=rng.choice(topic.names)), rng, 0.6)
    return topic, Turn(user, answer(topic, rng), "know_" + topic.key, list(topic.accept))
