// SPDX-License-Identifier: Apache-2.0
// Where pack_u8 and pack_u4 put what, shared by all tiers; local to the file that includes it.
//
//   codes   int8  [n_blocks][stride][32], a block's first n_tokens * planes are used
//           u8: columns in order; u4: the 16 even columns, then the 16 odd ones, since the nibbles
//           of a byte come apart as an even and an odd column
//   scales  f32   [n_blocks][stride]
//           one plane: max |x| / 127 of the block; two: max |x| / (254 * 127), in both places
//   offsets int32 [n_blocks][stride]
//           -zero * sum of the plane's codes, zero = 128 (u8) or 8 (u4): where an integer dot
//           product with symmetric weights' raw codes has to start
//
// Two planes: code = round(x / scale), high = round(code / 254), low = code - 254 * high; all
// rounded to nearest even, the division as a product with kInversePlaneBase.
//
// Blocks come first so that a tile of tokens lies together: with tokens first, their stride would
// be a multiple of 4096 bytes for common widths. The stride is such that it isn't one for common
// numbers of tokens either. The last block is filled up with zero codes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

namespace phial::kernels {
namespace {

inline int32_t act_blocks(int32_t cols) { return (cols + kActBlock - 1) / kActBlock; }

struct PackedActs {
  const int8_t* codes;
  const float* scales;
  const int32_t* offsets;
  size_t stride;
};

// 8 more than a multiple of 16: the same tile's codes of 16 blocks then lie in 16 different parts
// of 4096 bytes.
inline size_t packed_stride(int32_t n_tokens, int32_t planes) {
  const size_t n = static_cast<size_t>(n_tokens) * static_cast<size_t>(planes);
  return n <= 16 ? n : n + ((8 - n) & 15);
}

// Byte offsets of the three parts and the end, for `n` = stride * n_blocks.
inline size_t packed_scales_at(size_t n) { return n * kActBlock; }
inline size_t packed_offsets_at(size_t n) { return n * (kActBlock + 4); }
inline size_t packed_end(size_t n) { return n * (kActBlock + 8); }

inline PackedActs packed_acts(const void* packed, int32_t n_tokens, int32_t planes, int32_t cols) {
  const char* base = static_cast<const char*>(packed);
  const size_t stride = packed_stride(n_tokens, planes),
               n = stride * static_cast<size_t>(act_blocks(cols));
  return {reinterpret_cast<const int8_t*>(base),
          reinterpret_cast<const float*>(base + packed_scales_at(n)),
          reinterpret_cast<const int32_t*>(base + packed_offsets_at(n)), stride};
}

// The zero point of symmetric codes, and the shift that divides `offsets` by it.
constexpr int32_t symmetric_zero(Format format) { return format == Format::kU8 ? 128 : 8; }
constexpr int symmetric_zero_log2(Format format) { return format == Format::kU8 ? 7 : 3; }

constexpr float kInversePlaneBase = 1.0f / static_cast<float>(kPlaneBase);

// Largest code of a block.
constexpr float largest_code(int32_t planes) {
  return planes == 2 ? 127.0f * static_cast<float>(kPlaneBase) : 127.0f;
}

// A block whose largest |x| is below this packs to zeros: 127 * 254 / x would overflow.
constexpr float kSmallestActs = 1e-33f;

}  // namespace
}  // namespace phial::kernels
