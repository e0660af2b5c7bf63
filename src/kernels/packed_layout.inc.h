// SPDX-License-Identifier: Apache-2.0
// Where pack_u8 and pack_u4 put what, shared by all tiers; local to the file that includes it.
//
// Four activation blocks (128 columns) of a token's plane make a line of 128 bytes:
//   lines   int8  [n_lines][stride][128]; a line's first n_tokens * planes are used
//           u8: columns in order; u4: the 64 even columns, then the 64 odd ones, since the nibbles
//           of a byte come apart as an even and an odd column
//   scales  f32   [n_lines][stride][4]
//           one plane: max |x| / 127 of the block; two: max |x| / (254 * 127), in both places
//   offsets int32 [n_lines][stride][4]
//           -zero * sum of the plane's codes, zero = 128 (u8) or 8 (u4): where an integer dot
//           product with symmetric weights' raw codes has to start
// What lies past the last column is zero, in all three.
//
// Two planes: code = round(x / scale), high = round(code / 254), low = code - 254 * high; all
// rounded to nearest even, the division as a product with kInversePlaneBase.
//
// Lines come before tokens so that a tile of tokens lies together: with tokens first, their stride
// would be a multiple of 4096 bytes for common widths. The stride between lines isn't one for
// common numbers of tokens either.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

namespace phial::kernels {
namespace {

constexpr int32_t kLineBlocks = 4;
constexpr int32_t kLineBytes = kLineBlocks * kActBlock;

inline int32_t act_blocks(int32_t cols) { return (cols + kActBlock - 1) / kActBlock; }
inline int32_t act_lines(int32_t cols) { return (cols + kLineBytes - 1) / kLineBytes; }

// A block's codes are two times 16 that lie this far apart; u4: even and odd columns.
constexpr int32_t half_distance(Format format) { return format == Format::kU8 ? 16 : 64; }
// Where the first half of a line's block lies in it.
constexpr int32_t block_in_line(Format format, int32_t block) {
  return block % kLineBlocks * (format == Format::kU8 ? 32 : 16);
}

struct PackedActs {
  const int8_t* lines;
  const float* scales;
  const int32_t* offsets;
  size_t stride;

  // Which line of all; `plane`: token * planes + plane. Times kLineBytes: its codes; times
  // kLineBlocks plus block % kLineBlocks: the block's scale and offset.
  size_t line(int32_t block, size_t plane) const {
    return static_cast<size_t>(block / kLineBlocks) * stride + plane;
  }
};

// 8 more than a multiple of 16: the same tile's lines lie in different parts of 4096 bytes.
inline size_t packed_stride(int32_t n_tokens, int32_t planes) {
  const size_t n = static_cast<size_t>(n_tokens) * static_cast<size_t>(planes);
  return n <= 16 ? n : n + ((8 - n) & 15);
}

// Byte offsets of the three parts and the end, for `n` = stride * n_lines.
inline size_t packed_scales_at(size_t n) { return n * kLineBytes; }
inline size_t packed_offsets_at(size_t n) { return n * (kLineBytes + 4 * kLineBlocks); }
inline size_t packed_end(size_t n) { return n * (kLineBytes + 8 * kLineBlocks); }

inline PackedActs packed_acts(const void* packed, int32_t n_tokens, int32_t planes, int32_t cols) {
  const char* base = static_cast<const char*>(packed);
  const size_t stride = packed_stride(n_tokens, planes),
               n = stride * static_cast<size_t>(act_lines(cols));
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
