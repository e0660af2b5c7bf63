#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--plot FILE.png: a picture of twice the SVG's size with the SVG's colours and text in it, and one sentence where librsvg is missing.

usage: plot_test.py PHIAL
Exit code 77: skipped, librsvg isn't installed here.
"""
import ctypes
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import checks  # noqa: E402
import tiny_model  # noqa: E402
from checks import expect, skip  # noqa: E402

PHIAL = os.path.abspath(sys.argv[1])


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of RGB(A) of 8 bits, not interlaced."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    parts, at = {}, 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + size]
        assert zlib.crc32(kind + body) == struct.unpack(">I", png[at + 8 + size:at + 12 + size])[0]
        parts[kind] = parts.get(kind, b"") + body
        at += 12 + size
    width, height, depth, colours = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    assert depth == 8 and colours in (2, 6)
    step = {2: 3, 6: 4}[colours]
    data, rows, above = zlib.decompress(parts[b"IDAT"]), [], bytes(width * step)
    for y in range(height):
        kind, *line = data[y * (width * step + 1):(y + 1) * (width * step + 1)]
        for i in range(len(line)):
            a, b, c = line[i - step] if i >= step else 0, above[i], above[i - step] if i >= step else 0
            paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            line[i] = (line[i] + [0, a, b, (a + b) // 2, paeth][kind]) & 255
        above = bytes(line)
        rows.append([above[i:i + 3] for i in range(0, len(above), step)])
    return width, height, rows


def main() -> None:
    try:
        ctypes.CDLL("librsvg-2.so.2")
    except OSError as error:
        skip(f"PNG plots need librsvg: {error}")
    with tempfile.TemporaryDirectory(prefix="phial-plot-") as name:
        here = pathlib.Path(name)
        tiny_model.make(PHIAL, here / "tiny")

        def bench(*flags: str, **environment: str) -> subprocess.CompletedProcess:
            return subprocess.run([PHIAL, "bench", "tiny", "-p", "8", "-n", "4", "-r", "1", "-t", "1", *flags], cwd=here, capture_output=True,
                                  text=True, env={**os.environ, **environment})

        done = bench("--plot", "p.png", "--plot", "p.svg")  # of one run: another's figures have other widths
        expect(done.returncode == 0, "phial bench --plot p.png --plot p.svg", done.stderr)
        svg = (here / "p.svg").read_text()
        width, height, rows = pixels((here / "p.png").read_bytes())
        expect((width, height) == tuple(2 * int(n) for n in re.search(r'width="(\d+)" height="(\d+)"', svg).groups()), "twice the SVG's size", (width, height))
        seen = {colour for row in rows for colour in row}
        named = {bytes.fromhex(c) for c in re.findall(r'<(?:rect|circle)[^>]*fill="#([0-9a-f]{6})"', svg)}
        expect(bool(named) and named <= seen, "the SVG's colours are in it", (named, named - seen))
        # Without a font librsvg draws boxes; they would be as dark.
        expect(sum(sum(colour) < 300 for row in rows for colour in row) > 2000, "text is in it")
        expect(sorted(p.name for p in here.iterdir()) == ["p.png", "p.svg", "tiny"], "nothing else is left", list(here.iterdir()))

        (here / "full.png.partial").symlink_to("/dev/full")
        done = bench("--plot", "full.png")
        expect(done.returncode == 1 and "full.png: can't be written" in done.stderr, "a full disk: one sentence", done.stderr)
        expect(not any(p.name.startswith("full") for p in here.iterdir()), "and nothing is left of it", list(here.iterdir()))

        broken = here / "broken"
        broken.mkdir()
        (broken / "librsvg-2.so.2").write_bytes(b"not a library")
        done = bench("--plot", "q.png", LD_LIBRARY_PATH=str(broken))
        expect(done.returncode == 1 and "librsvg2-2" in done.stderr and not done.stdout and not (here / "q.png").exists(),
               "without librsvg: one sentence, before anything is measured", done.stderr + done.stdout)
    checks.finish()


if __name__ == "__main__":
    main()
