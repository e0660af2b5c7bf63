#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/quant/: small matrices quantised by NNCF, and its choice of 4-bit layers. tests/quant reads them.

usage: quant_nncf.py [OUT_DIR]      needs: nncf 3.4, openvino, numpy; with the same versions the same bytes come out

schemes.bin, little endian: for every case "QCAS", u32 scheme (0 int8_asym, 1 int8_sym, 2 int4_asym, 3 int4_sym), i32 group,
u32 rows, u32 cols, u32 seed; then codes u8 [rows][cols] (signed ones with 8 or 128 added), scales f16 [rows][groups], zero
points u8 [rows][groups] if asymmetric. The weights aren't stored: weights() below and the C++ test make the same ones.
ratio.json: a model of several layers: shapes, seeds, and for each ratio which matrices got 4 bits.
"""
import json
import pathlib
import struct
import sys

import numpy as np
import nncf
import openvino as ov
from nncf.quantization.algorithms.weight_compression.config import WeightCompressionConfig
from nncf.quantization.algorithms.weight_compression.weight_lowering import do_integer_quantization
from nncf.tensor import Tensor
from openvino import opset13 as opset

MODES = ["INT8_ASYM", "INT8_SYM", "INT4_ASYM", "INT4_SYM"]
CASES = [(rows, cols, seed) for rows, cols, seed in [(12, 256, 1), (40, 512, 2)]]
GROUPS = {"INT8_ASYM": [-1], "INT8_SYM": [-1], "INT4_ASYM": [32, 64, 128, -1], "INT4_SYM": [32, 64, 128, -1]}


def weights(rows, cols, seed):
    """bfloat16 values in float32 from integers alone. Rows 0..9 are the awkward ones, the rest has outliers."""
    i = np.arange(rows * cols, dtype=np.uint64)
    h = (i + np.uint64(seed) * np.uint64(1000003)) * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(32)
    s = sum(((h >> np.uint64(16 * k)) & np.uint64(0xFFFF)).astype(np.int64) for k in range(4)) - 131070
    w = (s.astype(np.float32) * np.float32(2.0**-20)).reshape(rows, cols)   # deviation about 0.036
    w[(s.reshape(rows, cols) % 97) == 0] *= np.float32(8)                   # outliers
    r = {k: w[k] for k in range(10)}
    r[0][:] = 0                                                             # a zero row
    r[1][:] = np.float32(0.3125)                                            # constant
    r[2][:] = np.float32(-0.40625)
    r[3][:] = np.abs(r[3])                                                  # all positive
    r[4][:] = -np.abs(r[4])
    r[5][:] *= np.float32(2.0**-21)                                         # below the smallest scale
    r[6][:] *= np.float32(2.0**-17)                                         # scales are subnormal in f16
    r[7][32:64] = 0                                                         # a zero group
    r[8][:] = r[8] + np.float32(4)                                          # far from zero
    r[9][:] = np.float32(0.125) * np.round(r[9] * np.float32(64)).astype(np.float32)  # ties
    u = w.view(np.uint32)
    return ((u + np.uint32(0x7FFF) + ((u >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)).view(np.float32)


def quantised(w, mode, group):
    # Repeated rows take NNCF over the size at which it runs its OpenVINO path, the one that real models get.
    times = -(-10000 // w.size)
    config = WeightCompressionConfig(mode=getattr(nncf.CompressWeightsMode, mode), group_size=group)
    result = do_integer_quantization(Tensor(np.tile(w, (times, 1))), config, reduction_axes=(1,))
    rows, cols = w.shape
    codes = np.asarray(result.tensor.data).reshape(-1, cols)[:rows].astype(np.int32)
    scales = np.asarray(result.scale.data).reshape(times * rows, -1)[:rows]
    # as the exporter stores it: a Constant of type f16 made from float32
    scales = opset.constant(scales, dtype=ov.Type.f16).data.view(np.uint16)
    zero = None if result.zero_point is None else np.asarray(result.zero_point.data).reshape(times * rows, -1)[:rows]
    offset = {"INT8_SYM": 128, "INT4_SYM": 8}.get(mode, 0)
    return (codes + offset).astype(np.uint8), scales, zero


def ratio_model(shapes, seeds, scales):
    """Matmuls in a row behind an embedding, as NNCF sees a decoder: [Gather, MatMul..., MatMul]."""
    def matrix(k):
        rows, cols = shapes[k]
        return weights(rows + 10, cols, seeds[k])[10:] * np.float32(scales[k])
    ids = opset.parameter([-1, -1], ov.Type.i64)
    x = opset.gather(opset.constant(matrix(0)), ids, opset.constant(np.int64(0)))
    for k in range(1, len(shapes)):
        c = opset.constant(matrix(k))
        c.set_friendly_name(f"matrix.{k}")
        x = opset.matmul(x, c, False, True)
    return ov.Model([x], [ids])


def chosen(model):
    return sorted(int(op.get_friendly_name().split(".")[1]) for op in model.get_ordered_ops()
                  if op.get_type_name() == "Constant" and op.get_element_type() in (ov.Type.i4, ov.Type.u4)
                  and op.get_friendly_name().count(".") == 1 and "/" not in op.get_friendly_name())


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2] / "tests/golden/quant")
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "schemes.bin", "wb") as f:
        for rows, cols, seed in CASES:
            w = weights(rows, cols, seed)
            for number, mode in enumerate(MODES):
                for group in GROUPS[mode]:
                    codes, scales, zero = quantised(w, mode, group)
                    f.write(struct.pack("<4sIiIII", b"QCAS", number, group, rows, cols, seed))
                    f.write(codes.tobytes() + scales.tobytes())
                    if zero is not None:
                        f.write(zero.astype(np.uint8).tobytes())

    shapes = [[300, 128]] + [[128, 128], [384, 128], [128, 384]] * 4 + [[300, 128]]
    seeds = [100 + k for k in range(len(shapes))]
    scales = [1.0 + ((k * 5) % 13) / 8 for k in range(len(shapes))]
    result = {"shapes": shapes, "seeds": seeds, "scales": scales, "int4": {}}
    for ratio in (0.3, 0.6, 0.8, 0.95, 1.0):
        model = nncf.compress_weights(ratio_model(shapes, seeds, scales), mode=nncf.CompressWeightsMode.INT4_SYM, ratio=ratio,
                                      group_size=128)
        result["int4"][str(ratio)] = chosen(model)
    (out / "ratio.json").write_text(json.dumps(result) + "\n")
    print(json.dumps(result["int4"]))


if __name__ == "__main__":
    main()
