// SPDX-License-Identifier: Apache-2.0
// How one matrix is turned into a format of tensor/formats.h: scales, zero points and codes, bit
// for bit those of NNCF 3.4 (nncf/quantization/algorithms/weight_compression/weight_lowering.py).
// Which matrix gets which scheme: assign.h.
//
//   int8 asym, row       lo = min(0, min w), hi = max(0, max w), s = (hi - lo) / 255, z =
//   clip(-round(lo / s), 0, 255),
//                        q = clip(round(w / s + z), 0, 255)
//   int4 asym, group     the same with 15
//   int4 sym, group      s = |min w| / 8 if |min w| >= max w, else -max w / 8 (the scale has a
//   sign), q = clip(round(w / s), -8, 7),
//                        stored as q + 8
//   int8 sym, row        the same with 128, stored as q + 128
//
// All in float32 with round half to even; |s| < 2^-23 becomes 2^-23; codes come from the float32
// scale, which is then stored as f16.
#pragma once

#include <cstdint>
#include <string>

#include "tensor/formats.h"

namespace phial {

enum class QuantScheme : uint8_t { kFp16, kInt8Asym, kInt8Sym, kInt4Asym, kInt4Sym };

const char* scheme_name(QuantScheme scheme);  // "fp16", "int8_asym", ...
bool has_zero_points(QuantScheme scheme);

// The matrix that `scheme` makes of [rows, cols], without bytes. `group` counts for the int4
// schemes only, -1 or cols: one scale a row; int8 is always by row.
WeightMatrix quant_shape(QuantScheme scheme, int64_t rows, int64_t cols, int64_t group);

// Where the results for a block of rows go: each points at the first row of the block.
struct QuantRows {
  std::byte* data;
  uint16_t* scales;      // null for fp16
  uint8_t* zero_points;  // null unless has_zero_points()
};

// Quantizes rows [begin, end) of `source` (f32, f16 or bf16) into `shape`'s format. Thread-safe for
// separate outputs. Throws kUnsupported, naming `name` and the row, for a weight that is infinite,
// NaN, or too large for f16 (as itself in fp16, as the scale otherwise).
void quant_rows(const WeightMatrix& source, int64_t begin, int64_t end, QuantScheme scheme,
                const WeightMatrix& shape, const QuantRows& out, const std::string& name);

// max over rows [begin, end) of the mean squared error of int8_asym by row: what NNCF's data-free
// choice of 4-bit layers ranks by.
float int8_row_error(const WeightMatrix& source, int64_t begin, int64_t end);

}  // namespace phial
