// SPDX-License-Identifier: Apache-2.0
// linear_f32, linear_f16 and linear_bf16 on NEON. The sums of an output don't depend on which other
// tokens and rows are computed with it. Local to the file that includes it.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

#include "kernels/half_bits.inc.h"
#include "kernels/kernels.h"

namespace phial::kernels {
namespace {

struct F32Weights {
  using Element = float;
  static inline float32x4_t four(const float* p) { return vld1q_f32(p); }
  static inline float one(float value) { return value; }
};

struct F16Weights {
  using Element = uint16_t;
  static inline float32x4_t four(const uint16_t* p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
  }
  static inline float one(uint16_t value) { return f16_value(value); }
};

struct BF16Weights {
  using Element = uint16_t;
  static inline float32x4_t four(const uint16_t* p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
  }
  static inline float one(uint16_t value) { return bf16_value(value); }
};

template <class Weights>
void linear_float(const Linear& l) {
  const int64_t cols = l.w.cols;
  for (int32_t row = l.row_begin; row < l.row_end; row++) {
    const auto* w = static_cast<const typename Weights::Element*>(l.w.data) + row * cols;
    for (int32_t t = 0; t < l.n_tokens; t++) {
      const float* x = static_cast<const float*>(l.x) + t * cols;
      float32x4_t sum[4];
      for (float32x4_t& s : sum) s = vdupq_n_f32(0);
      int64_t c = 0;
      for (; c + 16 <= cols; c += 16)
        for (int i = 0; i < 4; i++)
          sum[i] = vfmaq_f32(sum[i], vld1q_f32(x + c + 4 * i), Weights::four(w + c + 4 * i));
      for (; c + 4 <= cols; c += 4)
        sum[0] = vfmaq_f32(sum[0], vld1q_f32(x + c), Weights::four(w + c));
      float total = vaddvq_f32(vaddq_f32(vaddq_f32(sum[0], sum[1]), vaddq_f32(sum[2], sum[3])));
      for (; c < cols; c++) total += x[c] * Weights::one(w[c]);
      l.y[t * l.y_stride + row] = total;
    }
  }
}

}  // namespace
}  // namespace phial::kernels
