// SPDX-License-Identifier: Apache-2.0
// The integer sums of linear_quant.inc.h with SMMLA, which multiplies two rows of eight by two
// tokens of eight: half of SDOT's instructions. Local to the file that includes it.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

#include "kernels/arm/linear_quant.inc.h"

namespace phial::kernels {
namespace {

// {first eight of x, first eight of y} and {last eight of x, last eight of y}
inline int8x16_t firsts(int8x16_t x, int8x16_t y) {
  return vreinterpretq_s8_s64(vzip1q_s64(vreinterpretq_s64_s8(x), vreinterpretq_s64_s8(y)));
}
inline int8x16_t lasts(int8x16_t x, int8x16_t y) {
  return vreinterpretq_s8_s64(vzip2q_s64(vreinterpretq_s64_s8(x), vreinterpretq_s64_s8(y)));
}

struct Smmla {
  static constexpr int kTokens = 8;  // 16 accumulators, 8 vectors of weights, 4 of activations

  template <Format kFormat, int T>
  static inline void of_block(const BlockCodes<kFormat>* w, const int8_t* acts, int32x4_t* dots) {
    static_assert(T % 2 == 0 && kRows == 4);
    int8x16_t pair[2][4];  // rows 0 and 1, rows 2 and 3
    for (int p = 0; p < 2; p++) {
      const BlockCodes<kFormat>&x = w[2 * p], &y = w[2 * p + 1];
      pair[p][0] = firsts(x.a, y.a);
      pair[p][1] = lasts(x.a, y.a);
      pair[p][2] = firsts(x.b, y.b);
      pair[p][3] = lasts(x.b, y.b);
    }
    for (int t = 0; t < T; t += 2) {
      constexpr int32_t kHalf = half_distance(kFormat);
      const int8_t *x = acts + t * kLineBytes, *y = x + kLineBytes;
      const int8x16_t xa = vld1q_s8(x), xb = vld1q_s8(x + kHalf), ya = vld1q_s8(y),
                      yb = vld1q_s8(y + kHalf);
      const int8x16_t tokens[4] = {firsts(xa, ya), lasts(xa, ya), firsts(xb, yb), lasts(xb, yb)};
      int32x4_t sum[2] = {vdupq_n_s32(0), vdupq_n_s32(0)};  // row 0 of both tokens, row 1 of both
      for (int i = 0; i < 4; i++)
        for (int p = 0; p < 2; p++) sum[p] = vmmlaq_s32(sum[p], pair[p][i], tokens[i]);
      dots[t] = vuzp1q_s32(sum[0], sum[1]);
      dots[t + 1] = vuzp2q_s32(sum[0], sum[1]);
    }
  }
};

}  // namespace
}  // namespace phial::kernels
