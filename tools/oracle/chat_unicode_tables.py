# SPDX-License-Identifier: Apache-2.0
"""Writes src/chat/jinja_unicode_tables.cc: Python's own upper(), lower(), title() and isprintable(), as ranges.

    python tools/oracle/chat_unicode_tables.py > src/chat/jinja_unicode_tables.cc
"""
import unicodedata

POINTS = [c for c in range(0x80, 0x110000) if not 0xD800 <= c <= 0xDFFF]


def case_table(name, mapping):
    simple, special = [], []
    for c in POINTS:
        text = mapping(chr(c))
        if len(text) > 1:
            special.append((c, text))
        elif text != chr(c):
            simple.append((c, ord(text) - c))
    runs = []  # first, last, step, delta
    for c, delta in simple:
        if runs:
            run = runs[-1]
            step = c - run[1]
            if run[3] == delta and step <= 2 and (run[0] == run[1] or run[2] == step):
                run[1], run[2] = c, step
                continue
        runs.append([c, c, 1, delta])
    print(f"const JinjaCaseRun kJinja{name}Runs[] = {{")
    line = "   "
    for first, last, step, delta in runs:
        item = f" {{0x{first:x}, 0x{last:x}, {step}, {delta}}},"
        if len(line) + len(item) > 100:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")
    print(f"const size_t kJinja{name}RunCount = std::size(kJinja{name}Runs);")
    return special


def special_table(name, special):
    print(f"const JinjaCaseSpecial kJinja{name}Specials[] = {{")
    line = "   "
    for c, text in special:
        item = f" {{0x{c:x}, \"" + "".join(f"\\{b:03o}" if b >= 0x80 else chr(b) for b in text.encode()) + '"},'
        if len(line) + len(item) > 100:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")
    print(f"const size_t kJinja{name}SpecialCount = std::size(kJinja{name}Specials);\n")


print("// SPDX-License-Identifier: Apache-2.0")
print("// Made by tools/oracle/chat_unicode_tables.py from Unicode " + unicodedata.unidata_version + ": don't edit.")
print('#include <iterator>\n\n#include "chat/jinja_text.h"\n\nnamespace phial {\n')
special_table("Upper", case_table("Upper", str.upper))
special_table("Lower", case_table("Lower", str.lower))
special_table("Title", case_table("Title", str.title))
print("// First and last of each run that repr() escapes.\nconst uint32_t kJinjaUnprintable[][2] = {")
line, start, previous = "   ", None, None
runs = []
for c in range(0x7F, 0x110000):
    if not chr(c).isprintable():
        if runs and runs[-1][1] == c - 1:
            runs[-1][1] = c
        else:
            runs.append([c, c])
for first, last in runs:
    item = f" {{0x{first:x}, 0x{last:x}}},"
    if len(line) + len(item) > 100:
        print(line)
        line = "   "
    line += item
print(line + "\n};")
print("const size_t kJinjaUnprintableCount = std::size(kJinjaUnprintable);\n")
print("}  // namespace phial")
