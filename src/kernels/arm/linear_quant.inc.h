// SPDX-License-Identifier: Apache-2.0
// linear_u8 and linear_u4: four rows at a time, whose integer sums are folded together so that the
// float part runs over rows and has the order that linear_quant_any.inc.h states. A tile of tokens
// shares one unpacking of the weights. The integer sums themselves are a parameter, `Dots`: SDOT's
// are here, SMMLA's in dots_i8mm.inc.h. Local to the file that includes it.
//
// Signed codes: u8 as code - 128, u4 as they are (0..15). The dot of a block is then
//   u8: raw + (zero - 128) * (offset / 128)      u4: raw + zero * (offset / 8)
// with the block's `offset` = -128 (or -8) times the sum of its activations, see
// packed_layout.inc.h.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

#include "kernels/linear_quant_any.inc.h"

namespace phial::kernels {
namespace {

constexpr int kRows = 4;

// Codes of one block of a row as signed operands, in packed order.
template <Format kFormat>
struct BlockCodes {
  int8x16_t a, b;
  inline void load(const uint8_t* p) {
    if constexpr (kFormat == Format::kU8) {
      a = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(p), vdupq_n_u8(0x80)));
      b = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(p + 16), vdupq_n_u8(0x80)));
    } else {
      const uint8x16_t bytes = vld1q_u8(p);
      a = vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(15)));
      b = vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4));
    }
  }
};

constexpr int32_t block_bytes(Format format) { return format == Format::kU8 ? 32 : 16; }

struct Sdot {
  static constexpr int kTokens = 4;  // 8 accumulators and 8 vectors of weights: half the registers

  // dots[t], lane r: the dot of row r and of token t's activations.
  template <Format kFormat, int T>
  static inline void of_block(const BlockCodes<kFormat>* w, const int8_t* acts, int32x4_t* dots) {
    for (int t = 0; t < T; t++) {
      const int8x16_t x = vld1q_s8(acts + t * kLineBytes),
                      y = vld1q_s8(acts + t * kLineBytes + half_distance(kFormat));
      int32x4_t dot[kRows];
      for (int r = 0; r < kRows; r++)
        dot[r] = vdotq_s32(vdotq_s32(vdupq_n_s32(0), w[r].a, x), w[r].b, y);
      dots[t] = vpaddq_s32(vpaddq_s32(dot[0], dot[1]), vpaddq_s32(dot[2], dot[3]));
    }
  }
};

// y[t][row + r] for up to four rows and T tokens from t0 on. Rows past `count` repeat the first.
template <Format kFormat, class Dots, int T, int P>
void linear_rows(const Linear& l, const PackedActs& acts, int32_t row, int count, int32_t t0) {
  constexpr int32_t kBlockBytes = block_bytes(kFormat);
  const int32_t cols = l.w.cols, blocks = act_blocks(cols), groups = cols / l.w.group;
  const int32_t group_blocks = l.w.group == cols ? blocks : l.w.group / kActBlock;
  const int32_t row_bytes = kFormat == Format::kU8 ? cols : cols / 2;
  const int32_t used =
      cols % kActBlock ? row_bytes % kBlockBytes : kBlockBytes;  // of the last block
  const uint8_t* codes[kRows];
  int32_t rows[kRows];
  for (int r = 0; r < kRows; r++) {
    rows[r] = r < count ? row + r : row;
    codes[r] = static_cast<const uint8_t*>(l.w.data) + static_cast<int64_t>(rows[r]) * row_bytes;
  }
  float32x4_t inner[T], sum[T];
  for (int t = 0; t < T; t++) inner[t] = sum[t] = vdupq_n_f32(0);
  for (int32_t g = 0, b = 0; g < groups; g++) {
    float scales[kRows];
    int32_t zeros[kRows];
    for (int r = 0; r < kRows; r++) {
      scales[r] = f16_value(l.w.scales[static_cast<int64_t>(rows[r]) * groups + g]);
      zeros[r] = zero_point(l.w, rows[r], g) - (kFormat == Format::kU8 ? 128 : 0);
    }
    const int32x4_t zero = vld1q_s32(zeros);
    for (const int32_t end = b + group_blocks; b < end; b++) {
      BlockCodes<kFormat> w[kRows];
      if (b + 1 < blocks || used == kBlockBytes) {
        for (int r = 0; r < kRows; r++) w[r].load(codes[r] + static_cast<int64_t>(b) * kBlockBytes);
      } else {
        for (int r = 0; r < kRows;
             r++) {  // activations are 0 there, the weights just mustn't be read
          uint8_t rest[kBlockBytes] = {};
          for (int32_t i = 0; i < used; i++)
            rest[i] = codes[r][static_cast<int64_t>(b) * kBlockBytes + i];
          w[r].load(rest);
        }
      }
      const size_t first = acts.line(b, static_cast<size_t>(t0) * P);
      const int8_t* const first_codes = acts.lines + first * kLineBytes + block_in_line(kFormat, b);
      int32x4_t dots[T * P];
      Dots::template of_block<kFormat, T * P>(w, first_codes, dots);
      for (int t = 0; t < T; t++) {
        int32x4_t both = vdupq_n_s32(0);  // planes together
        for (int p = 0; p < P; p++) {
          const size_t at = (first + static_cast<size_t>(t * P + p)) * kLineBlocks +
                            static_cast<size_t>(b % kLineBlocks);
          const int32_t minus_sum = acts.offsets[at] >> symmetric_zero_log2(kFormat);
          both = vmlaq_n_s32(vmlaq_n_s32(dots[t * P + p], zero, minus_sum), both, kPlaneBase);
        }
        inner[t] = vfmaq_n_f32(inner[t], vcvtq_f32_s32(both),
                               acts.scales[(first + static_cast<size_t>(t * P)) * kLineBlocks +
                                           static_cast<size_t>(b % kLineBlocks)]);
      }
    }
    const float32x4_t scale = vld1q_f32(scales);
    for (int t = 0; t < T; t++) {
      sum[t] = vfmaq_f32(sum[t], inner[t], scale);
      inner[t] = vdupq_n_f32(0);
    }
  }
  for (int t = 0; t < T; t++) {
    float out[kRows];
    vst1q_f32(out, sum[t]);
    for (int r = 0; r < count; r++) l.y[(t0 + t) * l.y_stride + row + r] = out[r];
  }
}

template <Format kFormat, class Dots, int P>
void linear_quant_planes(const Linear& l) {
  const PackedActs acts = packed_acts(l.x, l.n_tokens, P, l.w.cols);
  for (int32_t row = l.row_begin; row < l.row_end; row += kRows) {
    const int count = l.row_end - row < kRows ? l.row_end - row : kRows;
    constexpr int kTokens = Dots::kTokens / P;
    int32_t t = 0;
    for (; t + kTokens <= l.n_tokens; t += kTokens)
      linear_rows<kFormat, Dots, kTokens, P>(l, acts, row, count, t);
    if constexpr (kTokens > 2)
      for (; t + 2 <= l.n_tokens; t += 2) linear_rows<kFormat, Dots, 2, P>(l, acts, row, count, t);
    for (; t < l.n_tokens; t++) linear_rows<kFormat, Sdot, 1, P>(l, acts, row, count, t);
  }
}

template <Format kFormat, class Dots>
void linear_quant(const Linear& l) {
  if (!groups_hold_blocks(l.w)) return linear_quant_any<kFormat>(l);
  if (l.planes == 2) return linear_quant_planes<kFormat, Dots, 2>(l);
  linear_quant_planes<kFormat, Dots, 1>(l);
}

}  // namespace
}  // namespace phial::kernels
