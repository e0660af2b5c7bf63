# SPDX-License-Identifier: Apache-2.0
# Small sums: + and - with numbers up to 99, the times table up to 12, exact division from it,
# larger/smaller, counting, and the refusal of what is too big. No other mathematics.
#
# Held out are wordings and, for + and -, operand pairs: {a, b} is held out in both orders, and a - b
# is held out with its pair. Of the times table (not to be learned but by heart) only one order is.

from .core import Turn, asked, capital, expand, is_held, noise, pick

WORDS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
         "sixteen seventeen eighteen nineteen twenty").split()

ADD_Q = ["What is <a> + <b>?", "<a> + <b>", "What is <a> plus <b>?", "{Add|Please add} <a> and <b>.", "How much is <a> + <b>?", "<a>+<b>=", "Calculate <a> + <b>.", "<a> plus <b>?",
         "<a> + <b> = ?", "What's <a> + <b>?", "Can you add <a> and <b>?", "What is the sum of <a> and <b>?", "How much is <a> plus <b>?", "<a>+<b>", "What do I get if I add <b> to <a>?", "What is <a>+<b>?",
         "Work out <a> + <b>.", "Compute <a> plus <b>[, please].", "<a> and <b> make how {much|many}?", "Tell me <a> + <b>.", "What does <a> + <b> {make|give}?", "Do you know what <a> plus <b> is?", "<a> + <b>?", "If I add <a> and <b>, what do I get?"]
SUB_Q = ["What is <a> - <b>?", "<a> - <b>", "What is <a> minus <b>?", "Subtract <b> from <a>.", "How much is <a> - <b>?", "<a>-<b>=", "Calculate <a> - <b>.", "<a> minus <b>?",
         "<a> - <b> = ?", "What's <a> - <b>?", "Take <b> {from|away from} <a>.", "What is the difference of <a> and <b>?", "How much is <a> minus <b>?", "<a>-<b>", "What is left of <a> when I take away <b>?", "What is <a>-<b>?",
         "Work out <a> - <b>.", "Compute <a> minus <b>[, please].", "<a> less <b>?", "Tell me <a> - <b>.", "What does <a> - <b> {make|give}?", "Do you know what <a> minus <b> is?", "<a> - <b>?", "Can you subtract <b> from <a>?"]
MUL_Q = ["What is <a> * <b>?", "<a> x <b>", "What is <a> times <b>?", "Multiply <a> {and|by|with} <b>.", "How much is <a> x <b>?", "<a>*<b>=", "Calculate <a> * <b>.", "<a> times <b>?",
         "<a> x <b> = ?", "What's <a> x <b>?", "Can you multiply <a> {by|and} <b>?", "What is the product of <a> and <b>?", "How much is <a> times <b>?", "<a>*<b>", "What is <a> multiplied by <b>?", "What is <a>*<b>?",
         "Work out <a> x <b>.", "Compute <a> times <b>[, please].", "Tell me <a> times <b>.", "What does <a> x <b> {make|give}?", "What is <a> x <b>?", "Do you know what <a> times <b> is?", "<a> * <b>", "<a> times <b> makes what?"]
DIV_Q = ["What is <a> / <b>?", "<a> / <b>", "What is <a> divided by <b>?", "Divide <a> by <b>.", "How much is <a> / <b>?", "<a> : <b>", "How often does <b> go into <a>?", "What's <a> / <b>?",
         "Calculate <a> / <b>.", "<a> divided by <b>?", "Can you divide <a> by <b>?", "How much is <a> divided by <b>?"]

THINGS = "apples pears books coins stones eggs cakes balls stars pens cups shells cards keys flowers candles stamps buttons nuts cookies".split()
WHO = "Tom Anna Ben Lisa Max Mia Paul Emma Leo Nina Sam Lucy Jack Ella Oscar Ruth".split()
ADD_STORY = ["<w> has <a> <t> and gets <b> more. How many <t> {does <w> have|are there} now?", "I have <a> <t> and buy <b> more. How many <t> do I have?", "There are <a> <t> in a box. I put in <b> more. How many are there now?",
             "<w> finds <a> <t> and then <b> <t>. How many <t> is that?", "I had <a> <t>. <w> gave me <b> more. How many do I have now?", "<w> has <a> <t> and I have <b> <t>. How many do we have together?",
             "<a> <t> are on the table and <b> <t> are on the floor. How many <t> are there?", "<w> buys <a> <t> today and <b> <t> tomorrow. How many in all?"]
SUB_STORY = ["<w> has <a> <t> and loses <b>. How many <t> {does <w> have|are left} now?", "I have <a> <t> and give away <b>. How many do I have left?", "There are <a> <t> in a box. I take out <b>. How many are left?",
             "<w> had <a> <t> and sold <b> of them. How many are left?", "I had <a> <t>. <w> took <b> of them. How many do I have now?", "<w> has <a> <t> and eats <b> of them. How many are left?",
             "<a> <t> were on the table and <b> fell down. How many are still there?", "I see <a> <t>. If I take away <b>, how many remain?"]
EQ = {"+": "<a> + <b> = <c>", "-": "<a> - <b> = <c>", "*": "<a> x <b> = <c>", "/": "<a> / <b> = <c>"}
QUESTIONS = {"+": ADD_Q, "-": SUB_Q, "*": MUL_Q, "/": DIV_Q}
TASK = {"+": "add", "-": "sub", "*": "mul", "/": "div"}


def pair_held(op, a, b):
    if op == "*":
        return a > b and is_held("mul", a, b)
    if op == "/":
        return is_held("div", a, b)
    small, large = (a, b) if op == "+" else (b, a - b)  # a - b = c undoes c + b = a
    return is_held("sum", min(small, large), max(small, large))


def operands(op, rng, held):
    """a, b, c with a op b = c; the small numbers come more often."""
    while True:
        if op == "*":
            a, b = rng.randint(0, 12), rng.randint(0, 12)
        elif op == "/":
            b, c = rng.randint(1, 12), rng.randint(1, 12)
            a = b * c
        else:
            top = rng.choice([10, 20, 50, 99, 99, 99])
            a, b = rng.randint(0, top), rng.randint(0, top)
            if op == "-" and b > a:
                a, b = b, a
            if op == "+" and a + b > 99 and rng.random() < 0.5:
                continue
        if pair_held(op, a, b) == held:
            return a, b, {"+": a + b, "-": a - b, "*": a * b}[op] if op != "/" else c


def equation(op, a, b, c):
    return EQ[op].replace("<a>", str(a)).replace("<b>", str(b)).replace("<c>", str(c))


def sum_turn(rng, held, op=None):
    op = op or rng.choices("+-*/", [40, 34, 22, 4])[0]
    a, b, c = operands(op, rng, held)
    as_words = a <= 20 and b <= 20 and op in "+-*" and rng.random() < 0.25
    show = (lambda n: WORDS[n]) if as_words else str
    template = expand(pick(QUESTIONS[op], rng, held), rng)
    if as_words:
        template = template.replace("<a>+<b>", "<a> + <b>").replace("<a>-<b>", "<a> - <b>").replace("<a>*<b>", "<a> * <b>")
    user = noise(capital(expand(template, rng, a=show(a), b=show(b))), rng, 0.7)
    eq = equation(op, a, b, c)
    return Turn(user, eq + ".", TASK[op], [rf"= {c}\b"], eq)


def story_turn(rng, held):
    op = rng.choice("+-")
    while True:
        a, b, c = operands(op, rng, held)
        if a > 1 and b > 1:
            break
    t = rng.choice(THINGS)
    user = noise(expand(pick(ADD_STORY if op == "+" else SUB_STORY, rng, held), rng, a=a, b=b, t=t, w=rng.choice(WHO)), rng, 0.4)
    eq = equation(op, a, b, c)
    return Turn(user, f"{eq}, so there are {c} {t}.", "word_" + TASK[op], [rf"= {c}\b"], eq)


LIST_Q = ["Work out: ", "Calculate: ", "Solve these: ", "Please solve: ", "What are ", "Some sums: ", "Compute: "]


def list_turn(rng, held):
    """Many sums at once: the densest way to practise."""
    sums = []
    for _ in range(rng.randint(2, 6)):
        op = rng.choices("+-*", [42, 36, 22])[0]
        a, b, c = operands(op, rng, held)
        sums.append((op, a, b, c))
    tight = rng.random() < 0.3
    asks = [equation(*s).split(" =")[0] for s in sums]
    if tight:
        asks = [s.replace(" ", "") for s in asks]
    user = noise(pick(LIST_Q, rng, held) + ", ".join(asks), rng, 0.3)
    reply = ", ".join(equation(*s) for s in sums)
    return Turn(user, reply + ".", "sum_list", [], reply)


CHAIN_Q = ["And plus <b>?", "Add <b> to that.", "Plus <b>?", "Now add <b>.", "And minus <b>?", "Take away <b>.", "Minus <b>?", "Now subtract <b>.", "And if I add <b>?", "And <b> more?", "And <b> less?", "Subtract <b> from that."]


def chain_turn(rng, held, c):
    """A sum that goes on from the last result."""
    for _ in range(200):
        template = pick(CHAIN_Q, rng, held)
        op = "-" if any(w in template.lower() for w in ("minus", "take", "subtract", "less")) else "+"
        b = rng.randint(1, 30)
        if (op == "+" and c + b < 100 or op == "-" and b <= c) and pair_held(op, c, b) == held:
            eq = equation(op, c, b, c + b if op == "+" else c - b)
            return Turn(noise(expand(template, rng, b=b), rng, 0.5), eq + ".", "sum_chain", [rf"{eq.split('= ')[1]}\b"], eq)
    return None


LARGER_Q = ["Which is {larger|bigger|greater|more}, <a> or <b>?", "{What|Which number} is {larger|bigger|greater}: <a> or <b>?", "Is <a> {larger|bigger|greater|more} than <b>?", "Which is the {larger|bigger|greater} number, <a> or <b>?", "<a> or <b>, which is {larger|bigger}?", "Tell me the {larger|bigger} of <a> and <b>.", "Compare <a> and <b>."]
SMALLER_Q = ["Which is {smaller|less|lower}, <a> or <b>?", "{What|Which number} is smaller: <a> or <b>?", "Is <a> {smaller|less} than <b>?", "Which is the {smaller|lower} number, <a> or <b>?", "<a> or <b>, which is smaller?", "Tell me the smaller of <a> and <b>.", "Is <a> lower than <b>?"]


def compare_turn(rng, held):
    while True:
        a, b = rng.randint(0, 99), rng.randint(0, 99)
        if a != b and is_held("cmp", a, b) == held:
            break
    smaller = rng.random() < 0.5
    user = asked(SMALLER_Q if smaller else LARGER_Q, rng, held, a=a, b=b)
    lo, hi = min(a, b), max(a, b)
    eq = f"{lo} is smaller than {hi}" if smaller else f"{hi} is larger than {lo}"
    return Turn(user, eq + ".", "compare_numbers", [eq], eq)


COUNT_Q = ["Count from <a> to <b>.", "Count up from <a> to <b>.", "Please count from <a> to <b>.", "Can you count from <a> to <b>?", "Say the numbers from <a> to <b>.", "List the numbers from <a> to <b>.", "Give me the numbers <a> to <b>."]


def count_turn(rng, held):
    while True:
        a = rng.choice([0, 1, 1, 1, rng.randint(1, 90)])
        b = a + rng.randint(3, 12)
        if is_held("count", a, b) == held:
            break
    reply = ", ".join(str(i) for i in range(a, b + 1))
    return Turn(asked(COUNT_Q, rng, held, a=a, b=b), reply + ".", "count", [], reply)


COUNT_TO_Q = ["Count to <b>.", "Count up to <b>.", "Please count to <b>.", "Can you count to <b>?", "Say the numbers up to <b>.", "Count from one to <b>.", "Could you count to <b>?"]


def count_to_turn(rng, held):
    b = rng.randint(3, 20)
    user = asked(COUNT_TO_Q, rng, held, b=WORDS[b] if rng.random() < 0.5 else b)
    reply = ", ".join(str(i) for i in range(1, b + 1))
    return Turn(user, reply + ".", "count", [], reply)


NEXT_Q = ["What comes after <a>?", "Which number {comes|is} after <a>?", "What is the next number after <a>?", "What number follows <a>?", "Next number after <a>?", "And after <a> comes?", "Tell me the number after <a>."]


def next_turn(rng, held):
    a = rng.randint(0, 98)
    return Turn(asked(NEXT_Q, rng, held, a=a), f"After {a} comes {a + 1}.", "next_number", [rf"comes {a + 1}\b"], f"After {a} comes {a + 1}")


def too_big(rng, held):
    """Refused: numbers above 99 and operations that are not learned."""
    big = lambda: rng.randint(100, 10 ** rng.randint(3, 7))
    op = rng.choice("+-*/")
    a, b = big(), big() if rng.random() < 0.6 else rng.randint(2, 99)
    if rng.random() < 0.5:
        a, b = b, a
    if max(a, b) < 145:  # 144 / 12 is in the table
        a += 200
    user = asked(QUESTIONS[op], rng, held, a=a, b=b)
    return Turn(user, "These numbers are too big for me. I can add and subtract numbers up to 99, and I know the times table up to 12.", "too_big", [r"too big"])


def arithmetic(rng, held):
    """One or more turns."""
    r = rng.random()
    if r < 0.44:
        t = sum_turn(rng, held)
        turns = [t]
        if t.task in ("add", "sub") and rng.random() < 0.10:
            follow = chain_turn(rng, held, int(t.expected.split("= ")[1]))
            turns += [follow] if follow else []
        return turns
    for limit, make in ((0.74, list_turn), (0.86, story_turn), (0.91, compare_turn), (0.93, count_turn), (0.945, count_to_turn), (0.96, next_turn)):
        if r < limit:
            return [make(rng, held)]
    return [too_big(rng, held)]
