// SPDX-License-Identifier: Apache-2.0
// What goes over vectors once, on NEON. Local to the file that includes it.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

#include "kernels/arm/exp.inc.h"
#include "kernels/half_bits.inc.h"

namespace phial::kernels {
namespace {

void rms_norm(const float* x, const float* w, float eps, int32_t n, float* y) {
  float64x2_t low = vdupq_n_f64(0), high = low;
  int32_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const float32x4_t v = vld1q_f32(x + i);
    const float64x2_t a = vcvt_f64_f32(vget_low_f32(v)), b = vcvt_high_f64_f32(v);
    low = vfmaq_f64(low, a, a);
    high = vfmaq_f64(high, b, b);
  }
  double sum = vaddvq_f64(vaddq_f64(low, high));
  for (; i < n; i++) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const float64x1_t root = vsqrt_f64(vdup_n_f64(sum / n + static_cast<double>(eps)));
  const float scale = static_cast<float>(1.0 / vget_lane_f64(root, 0));
  for (i = 0; i + 4 <= n; i += 4)
    vst1q_f32(y + i, vmulq_f32(vld1q_f32(w + i), vmulq_n_f32(vld1q_f32(x + i), scale)));
  for (; i < n; i++) y[i] = w[i] * (x[i] * scale);
}

void rope(float* x, int32_t n_heads, int32_t head_dim, int32_t rotary, const float* cos,
          const float* sin) {
  const int32_t half = rotary / 2;
  for (int32_t h = 0; h < n_heads; h++) {
    float* a = x + static_cast<int64_t>(h) * head_dim;
    float* b = a + half;
    int32_t i = 0;
    for (; i + 4 <= half; i += 4) {
      const float32x4_t ai = vld1q_f32(a + i), bi = vld1q_f32(b + i);
      const float32x4_t c = vld1q_f32(cos + i), s = vld1q_f32(sin + i);
      vst1q_f32(a + i, vsubq_f32(vmulq_f32(ai, c), vmulq_f32(bi, s)));
      vst1q_f32(b + i, vaddq_f32(vmulq_f32(bi, c), vmulq_f32(ai, s)));
    }
    for (; i < half; i++) {
      const float ai = a[i], bi = b[i];
      a[i] = ai * cos[i] - bi * sin[i];
      b[i] = bi * cos[i] + ai * sin[i];
    }
  }
}

inline float32x4_t silu_times(float32x4_t gate, float32x4_t up) {
  return vmulq_f32(up, vdivq_f32(gate, vaddq_f32(vdupq_n_f32(1.0f), exp_of(vnegq_f32(gate)))));
}

void silu_mul(const float* gate, const float* up, int32_t n, float* y) {
  int32_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(y + i, silu_times(vld1q_f32(gate + i), vld1q_f32(up + i)));
  for (; i < n; i++) y[i] = vgetq_lane_f32(silu_times(vdupq_n_f32(gate[i]), vdupq_n_f32(up[i])), 0);
}

void add(const float* x, int32_t n, float* y) {
  int32_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(y + i, vaddq_f32(vld1q_f32(y + i), vld1q_f32(x + i)));
  for (; i < n; i++) y[i] += x[i];
}

void f32_to_f16(const float* x, int64_t n, uint16_t* y) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) vst1_u16(y + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(x + i))));
  for (; i < n; i++) y[i] = f16_bits(x[i]);
}

void f16_to_f32(const uint16_t* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(y + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(x + i))));
  for (; i < n; i++) y[i] = f16_value(x[i]);
}

}  // namespace
}  // namespace phial::kernels
