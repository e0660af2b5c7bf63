#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares a phial package with an OpenVINO export of the same checkpoint, tensor by tensor and bit by bit.

usage: quant_compare.py PACKAGE OPENVINO_DIR      needs: numpy. Exit status 1 if anything differs.

Codes, scales and zero points must be the same bytes, but for what the two sides encode differently: i4 against u4 (xor 8),
i8 against u8 (xor 128), and rows of an odd number of 4-bit zero points, which a package pads to a whole byte.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ET

import numpy as np


def constants(folder):
    """name -> (type, shape, bytes) of the IR's constants that hold weights."""
    data = np.memmap(folder / "openvino_model.bin", np.uint8, "r")
    found = {}
    for layer in ET.parse(folder / "openvino_model.xml").getroot().find("layers"):
        if layer.get("type") == "Const":
            d = layer.find("data")
            name = layer.get("name").removesuffix("_compressed").removeprefix("self.")
            shape = [int(x) for x in d.get("shape").split(",") if x.strip()]
            at, size = int(d.get("offset")), int(d.get("size"))
            found[name] = (d.get("element_type"), shape, np.asarray(data[at:at + size]))
    return found


def nibbles(raw, count):
    return np.stack([raw & 15, raw >> 4], axis=-1).reshape(-1)[:count]


def as_codes(kind, shape, raw):
    """Unsigned codes of an IR constant."""
    n = int(np.prod(shape))
    if kind == "i4":
        return nibbles(raw, n) ^ 8
    if kind == "u4":
        return nibbles(raw, n)
    return raw ^ 128 if kind == "i8" else raw


def compare(t, weights, ir):
    """Numbers of differing (codes or floats, scales, zero points) of tensor t, and whether the formats agree."""
    part = lambda key: np.asarray(weights[t[key][0]:t[key][0] + t[key][1]]) if key in t else None
    name, rows, cols = t["name"], t["rows"], t["cols"]
    kind, shape, raw = ir[name]
    if t["format"] == "f16":
        return kind == "f16", [int((part("data").view(np.uint16) != raw.view(np.uint16)).sum()), 0, 0]
    bits = 4 if t["format"] == "u4" else 8
    ours = nibbles(part("data"), rows * cols) if bits == 4 else part("data")
    same = kind in (f"u{bits}", f"i{bits}") and (kind[0] == "u") == ("zero_points" in t) and int(np.prod(shape)) == rows * cols
    if not same:
        return False, [rows * cols, 0, 0]
    counts = [int((ours != as_codes(kind, shape, raw)).sum())]
    scales = ir[name + "/scale"][2].view(np.uint16)
    counts.append(int((part("scales").view(np.uint16) != scales).sum()) if scales.size == rows * cols // t["group"] else -1)
    if "zero_points" in t:
        groups = cols // t["group"]
        zp = part("zero_points")
        if bits == 4:
            zp = np.stack([zp & 15, zp >> 4], axis=-1).reshape(rows, -1)[:, :groups].reshape(-1)
        zkind, zshape, zraw = ir[name + "/zero_point"]
        counts.append(int((zp != as_codes(zkind, zshape, zraw)).sum()))
    else:
        counts.append(0)
    return True, counts


def main():
    package, folder = map(pathlib.Path, sys.argv[1:3])
    manifest = json.loads((package / "phial.json").read_text())
    weights = np.memmap(package / manifest["weights"]["file"], np.uint8, "r")
    ir = constants(folder)
    formats, bad, total = {}, 0, np.zeros(3, np.int64)
    for t in manifest["weights"]["tensors"]:
        if t["role"].endswith("norm"):
            continue
        same, counts = compare(t, weights, ir)
        formats[t["format"]] = formats.get(t["format"], 0) + 1
        total += np.array(counts)
        if not same or any(counts):
            bad += 1
            print(f"{t['name']}: {'formats' if not same else 'values'} differ: ours {t['format']}, theirs {ir[t['name']][0]}; "
                  f"{counts[0]} of {t['rows'] * t['cols']} codes, {counts[1]} scales, {counts[2]} zero points")
    print(f"{package.name}: {sum(formats.values())} matrices {formats}, {bad} differ; codes {total[0]}, scales {total[1]}, zero points {total[2]}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
