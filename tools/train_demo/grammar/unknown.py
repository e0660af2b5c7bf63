# SPDX-License-Identifier: Apache-2.0
# Questions outside Phial's small domain, and the polite "I don't know that".
# The things are only asked about, never explained.

from .core import Turn, asked, expand, is_held, noise, pick
from .knowledge import FRAMES

THINGS = """photosynthesis|the French Revolution|a black hole|gravity|the Eiffel Tower|Shakespeare|Mozart|Einstein|football|chess|the moon|the sun|Mars|Jupiter|the Pacific Ocean|Paris|London|Berlin|Tokyo|Rome
New York|Africa|China|Brazil|Canada|India|the Roman Empire|World War II|Napoleon|Julius Caesar|Cleopatra|the stock market|inflation|a mortgage|bitcoin|blockchain|democracy|philosophy|Plato|Buddhism|yoga|meditation
a volcano|an earthquake|the weather|a hurricane|a rainbow|global warming|solar energy|nuclear power|electricity|magnetism|DNA|a virus|a vaccine|cancer|the heart|the liver|a bone|blood|vitamin C|aspirin|a headache
pizza|pasta|sushi|chocolate cake|coffee|green tea|wine|beer|bread|cheese|tomato soup|an omelette|Java|JavaScript|HTML|SQL|a database|Linux|Windows|a web browser|Bluetooth|a printer|a smartphone|a television
a car engine|a bicycle|an aeroplane|a submarine|a rocket|the International Space Station|a whale|a dolphin|an elephant|a penguin|a spider|a butterfly|dinosaurs|evolution|Darwin|a pyramid|the Great Wall|the Olympics
tennis|basketball|cricket|golf|skiing|swimming|a piano|a guitar|jazz|hip hop|the Beatles|Beethoven|Picasso|the Mona Lisa|a novel|Harry Potter|Star Wars|a poem|Hamlet|the Bible|Greek mythology|Zeus|the Vikings
quantum physics|a molecule|an atom|the periodic table|gold|silver|iron|water|oxygen|carbon|calculus|geometry|the Pythagorean theorem|prime numbers|pi|statistics|economics|marketing|law|a contract|taxes|insurance
the president|the pope|the queen of England|Microsoft's share price|the United Nations|the European Union|NASA|Tesla cars|Amazon|Netflix|Facebook|YouTube|Python programming|C++ templates|Excel|Photoshop
gardening|roses|an oak tree|a cactus|mushrooms|honey|a beehive|sheep|cows|horses|a tiger|a lion|the human brain|sleep|dreams|psychology|love|happiness|friendship|marriage|parenting|school|university|a job interview
Antarctica|the Amazon river|the Sahara|Mount Everest|the Titanic|Columbus|Gandhi|Martin Luther King|Leonardo da Vinci|the Renaissance|the Middle Ages|feudalism|communism|capitalism|the Cold War|the Berlin Wall
Spanish grammar|French verbs|Latin|Esperanto|sign language|an alphabet|a comma|origami|knitting|painting|photography|a camera|a telescope|a microscope|a thermometer|a clock|a calendar|leap years|time zones
stars|galaxies|the Milky Way|comets|a solar eclipse|tides|a glacier|the rainforest|coral reefs|sharks|eagles|owls|snakes|frogs|ants|bacteria|antibiotics|allergies|diabetes|the flu|a broken leg|first aid|a dentist""".replace("\n", "|").split("|")
PLACES = "France Spain Italy Germany Poland Peru Chile Egypt Kenya Japan Korea Norway Sweden Finland Greece Turkey Mexico Cuba Nepal Iran Ghana Austria Hungary Ireland Scotland Australia Vietnam Thailand Morocco Portugal".split()
TASKS = [
    "What is the capital of <p>?", "What's the weather {like|today|tomorrow}[ in <p>]?", "Who is the president of <p>?", "How many people live in <p>?", "Write {a|some} {Python|Java|C} {program|script|code}[ for me].",
    "Translate {this|'good morning'|'thank you'|'hello'} {to|into} {French|German|Spanish|Chinese}.", "What time is it[ in <p>]?", "Who won the {match|game|world cup|election}[ yesterday| last year]?", "What is the news[ today]?",
    "Give me a recipe for <t>.", "How do I cook {rice|pasta|an egg|a steak}?", "Where is <p>?", "Where can I buy {a car|shoes|a house|a ticket}?", "How tall is {the Eiffel Tower|Mount Everest|a giraffe}?", "How old is {the earth|the sun|the queen}?",
    "Which is the {longest|deepest|largest} {river|lake|country|city}[ in <p>]?", "Book me a {flight|hotel|table}[ to <p>].", "Play some music.", "Set an alarm[ for 7].", "Send an email[ to my boss].",
    "Who wrote {Hamlet|the Odyssey|Don Quixote|Faust}?", "Who {painted|stole} the Mona Lisa?", "When did {Napoleon|Einstein|Mozart|Caesar} {die|live}?", "When was {the war|World War II|the revolution|the wheel invented}?", "What language do they speak in <p>?",
    "Should I {buy|sell} {gold|shares|bitcoin|a house}?", "I have a {headache|cold|fever}. What should I do?", "What is the meaning of life?", "Who will win the {election|world cup}?", "How far is it {to the moon|from here to <p>|to <p>}?",
    "Search the {web|internet} for <t>.", "What is the price of {gold|oil|bitcoin|milk}?", "Draw {a picture|an image} of <t>.", "Who is {Taylor Swift|Elon Musk|Bill Gates|Lionel Messi|Albert Einstein}?", "Write an essay about <t>.", "Recommend {a film|a book|a restaurant|a song}[ about <t>].",
    "How do I fix {my car|a bicycle|the washing machine|a tap}?", "How many {legs does a spider|bones does a human|days does a year|moons does Jupiter} have?", "Why is the sky blue?", "Why do {cats purr|birds sing|leaves fall|people dream}?", "What happened in {1789|1914|1969|1066}?", "Solve this equation: x + y = 10.",
    "Who invented {the telephone|the wheel|television|the light bulb}?", "What is the population of <p>?", "How do I lose weight?", "Tell me {today's|the latest} news.", "What day is it[ today]?", "What should I {eat|cook|wear} today?",
    "Which currency is used in <p>?", "Open {my email|the door|a website}.", "Call {my mother|a taxi|the police}.", "How do {planes fly|magnets work|fish breathe|engines work}?", "Tell me about the history of <p>.", "What is <t> made of?",
]
DONT_KNOW = [
    "I am sorry, I don't know that. I am a small demo model. Ask me about NPUs, quantisation or phial, or ask for a story.",
    "I don't know that: I am only a small demo model. {You could ask me about NPUs, quantisation or small sums.|But I can explain NPUs or tell you a tiny story.}",
    "Sorry, that is too much for a small demo model like me. I don't know it. I can talk about AI on a PC, do small sums or tell a story.",
]
ACCEPT = [r"don't know"]
SOUNDS = ["bla", "cor", "dim", "fle", "gru", "hop", "jin", "kel", "lum", "mor", "nab", "os", "pra", "qui", "ral", "sto", "tiv", "ux", "vel", "wam", "zor", "an", "ter", "ling", "ix", "ba", "no", "ri"]


def invented(rng):
    """A word that does not exist, for names and things that no list has."""
    word = "".join(rng.choice(SOUNDS) for _ in range(rng.randint(2, 3)))
    return rng.choice(["a " + word, word.capitalize(), "the " + word, word])


def unknown(rng, held):
    """Held out are things as well as wordings."""
    r = rng.random()
    if r < 0.08:
        user = asked(FRAMES, rng, held, x=invented(rng))
    elif r < 0.5:
        while True:
            thing = rng.choice(THINGS)
            if is_held("thing", thing, every=6) == held:
                break
        user = asked(FRAMES, rng, held, x=thing)
    else:
        thing = rng.choice([t for t in THINGS if is_held("thing", t, every=6) == held])
        user = asked(TASKS, rng, held, p=rng.choice(PLACES), t=thing)
    return Turn(user, expand(rng.choice(DONT_KNOW), rng), "unknown", ACCEPT)


GIBBERISH_A = ["I did not understand that. Could you say it in other words?"]


def gibberish(rng, held):
    letters = "abcdefghijklmnopqrstuvwxyz"
    n = rng.randint(1, 3)
    user = " ".join("".join(rng.choice(letters) for _ in range(rng.randint(2, 9))) for _ in range(n))
    return Turn(noise(user, rng, 0.3), GIBBERISH_A[0], "gibberish", [r"did not understand"])
