# SPDX-License-Identifier: Apache-2.0
"""The table of rivals.py as bars, in SVG. One panel a measure, one bar an engine, medians with lines from the lowest to the highest round."""
import statistics
from html import escape

COLOURS = {"phial": "#0f6cbd", "phial, u8 cache": "#77b7f7"}
OTHERS = ["#8a8886", "#a19f9d", "#bebbb8", "#d2d0ce", "#e1dfdd"]
WIDTH, PANEL, BAR, LABEL = 860, 405, 22, 150
TITLES = {"prefill": "prompt of {} tokens, tokens/s", "decode": "answer after {} tokens, tokens/s"}


def title(key):
    if key == "start_to_first_token":
        return "start of the program to the first token, s (less is better)"
    if key == "peak_rss_bytes":
        return "memory at the peak, GB (less is better)"
    kind, number = key.split("@")
    return TITLES[kind].format(f"{int(number):,}")


def panel(key, rounds, engines, x, y):
    """One measure's bars at (x, y): (svg, height)."""
    scale = 1e9 if key == "peak_rss_bytes" else 1
    values = {name: [r[name][key] / scale for r in rounds if key in r.get(name, {})] for name in engines}
    values = {name: v for name, v in values.items() if v}
    if not values:
        return "", 0
    most = max(max(v) for v in values.values())
    room = PANEL - LABEL - 60
    out = [f'<text x="{x}" y="{y + 14}" font-weight="600">{escape(title(key))}</text>']
    grey = iter(OTHERS * 3)
    for i, (name, all_) in enumerate(values.items()):
        top, colour = y + 26 + i * BAR, COLOURS.get(name) or next(grey)
        median, left = statistics.median(all_), x + LABEL
        out.append(f'<text x="{left - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>')
        out.append(f'<rect x="{left}" y="{top}" width="{room * median / most:.1f}" height="{BAR - 6}" fill="{colour}"/>')
        out.append(f'<line x1="{left + room * min(all_) / most:.1f}" x2="{left + room * max(all_) / most:.1f}" y1="{top + 8}" y2="{top + 8}" '
                   'stroke="#323130" stroke-width="1.2"/>')
        out.append(f'<text x="{left + room * max(all_) / most + 6:.1f}" y="{top + 13}">{median:.1f}</text>')
    return "\n".join(out), 26 + len(values) * BAR + 22


def svg(rounds, engines, keys, caption):
    """The whole picture: two columns of panels."""
    parts, tops = [], [20, 20]
    for i, key in enumerate(keys):
        column = i % 2
        text, height = panel(key, rounds, engines, 20 + column * (PANEL + 20), tops[column])
        parts.append(text)
        tops[column] += height
    height = max(tops) + 24
    parts.append(f'<text x="20" y="{height - 10}" fill="#605e5c" font-size="11">{escape(caption)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="Segoe UI, DejaVu Sans, sans-serif" font-size="12">\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n")
