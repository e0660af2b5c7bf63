// SPDX-License-Identifier: Apache-2.0
// The specification of linear_u8 and linear_u4 in plain C++: the scalar tier, and the other tiers'
// answer to groups that cut activation blocks (group neither a multiple of 32 nor all columns; no
// real model has such). Local to the file that includes it.
//
// Per output, over the segments of columns that lie in one activation block and one weight group,
// in column order:
//   inner = fma(float(sum (code - zero) * act), act_scale, inner)
// where the sum is an exact integer (below 2^24; with two planes below 2^28, rounded to nearest
// even as it becomes a float), act = kPlaneBase * high + low with two planes, and at the end of
// each group
//   y = fma(inner, weight_scale, y); inner = 0
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/half_bits.inc.h"
#include "kernels/kernels.h"
#include "kernels/packed_layout.inc.h"

namespace phial::kernels {
namespace {

inline int32_t zero_point(const Matrix& w, int64_t row, int32_t group_index) {
  if (!w.zero_points) return symmetric_zero(w.format);
  const int64_t groups = w.cols / w.group;
  if (w.format == Format::kU8) return w.zero_points[row * groups + group_index];
  const uint8_t pair = w.zero_points[row * ((groups + 1) / 2) + group_index / 2];
  return group_index & 1 ? pair >> 4 : pair & 15;
}

// Do whole activation blocks lie in one group each?
inline bool groups_hold_blocks(const Matrix& w) {
  return w.group % kActBlock == 0 || w.group == w.cols;
}

// The raw codes of one activation block in packed order; places past the last column are left at 0.
template <Format kFormat>
void block_codes(const Matrix& w, int64_t row, int32_t column, int32_t count, int16_t* codes) {
  for (int i = 0; i < kActBlock; i++) codes[i] = 0;
  const uint8_t* data = static_cast<const uint8_t*>(w.data);
  if constexpr (kFormat == Format::kU8) {
    const uint8_t* p = data + row * w.cols + column;
    for (int32_t i = 0; i < count; i++) codes[i] = p[i];
  } else {
    const uint8_t* p = data + (row * w.cols + column) / 2;  // cols is even
    for (int32_t i = 0; i < count / 2; i++) {
      codes[i] = p[i] & 15;
      codes[kActBlock / 2 + i] = p[i] >> 4;
    }
  }
}

// Where column i of a block lies in it.
template <Format kFormat>
constexpr int32_t packed_place(int32_t i) {
  return kFormat == Format::kU8 ? i : (i & 1) * (kActBlock / 2) + i / 2;
}

// kOrder: the format whose places the packed activations' blocks have in a line.
template <Format kFormat, Format kOrder = kFormat>
void linear_quant_any(const Linear& l) {
  constexpr int32_t kTokens = 32;  // tokens that share one unpacking
  const PackedActs acts = packed_acts(l.x, l.n_tokens, l.planes, l.w.cols);
  const int32_t cols = l.w.cols, group = l.w.group, groups = cols / group;
  for (int32_t row = l.row_begin; row < l.row_end; row++) {
    for (int32_t t0 = 0; t0 < l.n_tokens; t0 += kTokens) {
      const int32_t n = l.n_tokens - t0 < kTokens ? l.n_tokens - t0 : kTokens;
      float inner[kTokens] = {}, sum[kTokens] = {};
      for (int32_t c0 = 0; c0 < cols; c0 += kActBlock) {
        const int32_t end = cols - c0 < kActBlock ? cols : c0 + kActBlock;
        const size_t planes = static_cast<size_t>(l.planes);
        const int32_t block = c0 / kActBlock;
        int16_t codes[kActBlock];
        block_codes<kFormat>(l.w, row, c0, end - c0, codes);
        for (int32_t c = c0; c < end;) {  // one segment
          const int32_t g = c / group, next = (g + 1) * group < end ? (g + 1) * group : end;
          const int32_t zero = zero_point(l.w, row, g);
          int16_t w[kActBlock] = {};
          for (int32_t i = c; i < next; i++) {
            const int32_t place = packed_place<kFormat>(i - c0);
            w[place] = static_cast<int16_t>(codes[place] - zero);
          }
          const float scale = f16_value(l.w.scales[static_cast<int64_t>(row) * groups + g]);
          for (int32_t t = 0; t < n; t++) {
            const size_t line = acts.line(block, static_cast<size_t>(t0 + t) * planes);
            const int8_t* a = acts.lines + line * kLineBytes + block_in_line(kOrder, block);
            int32_t dot = 0;
            for (size_t p = 0; p < planes; p++) {
              dot *= kPlaneBase;
              for (int i = 0; i < kActBlock / 2; i++)
                dot += w[i] * a[i] + w[kActBlock / 2 + i] * a[half_distance(kOrder) + i];
              a += kLineBytes;
            }
            const size_t at = line * kLineBlocks + static_cast<size_t>(block % kLineBlocks);
            inner[t] = __builtin_fmaf(static_cast<float>(dot), acts.scales[at], inner[t]);
            if (next == (g + 1) * group) {
              sum[t] = __builtin_fmaf(inner[t], scale, sum[t]);
              inner[t] = 0;
            }
          }
          c = next;
        }
      }
      for (int32_t t = 0; t < n; t++) l.y[(t0 + t) * l.y_stride + row] = sum[t];
    }
  }
}

}  // namespace
}  // namespace phial::kernels
