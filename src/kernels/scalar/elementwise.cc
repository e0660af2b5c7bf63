// SPDX-License-Identifier: Apache-2.0
// Everything of the scalar tier that goes over vectors once.
#include <cmath>

#include "kernels/half_bits.inc.h"
#include "kernels/kv_i16.inc.h"
#include "kernels/kv_u8.inc.h"
#include "kernels/scalar/scalar.h"

namespace phial::kernels::scalar {

void rms_norm(const float* x, const float* w, float eps, int32_t n, float* y) {
  double sum = 0;
  for (int32_t i = 0; i < n; i++) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const float scale = static_cast<float>(1.0 / std::sqrt(sum / n + static_cast<double>(eps)));
  for (int32_t i = 0; i < n; i++) y[i] = w[i] * (x[i] * scale);
}

void rope(float* x, int32_t n_heads, int32_t head_dim, int32_t rotary, const float* cos,
          const float* sin) {
  const int32_t half = rotary / 2;
  for (int32_t h = 0; h < n_heads; h++) {
    float* a = x + static_cast<int64_t>(h) * head_dim;
    float* b = a + half;
    for (int32_t i = 0; i < half; i++) {
      const float ai = a[i], bi = b[i];
      a[i] = ai * cos[i] - bi * sin[i];
      b[i] = bi * cos[i] + ai * sin[i];
    }
  }
}

void silu_mul(const float* gate, const float* up, int32_t n, float* y) {
  for (int32_t i = 0; i < n; i++) y[i] = up[i] * (gate[i] / (1.0f + std::exp(-gate[i])));
}

void add(const float* x, int32_t n, float* y) {
  for (int32_t i = 0; i < n; i++) y[i] += x[i];
}

void f32_to_f16(const float* x, int64_t n, uint16_t* y) {
  for (int64_t i = 0; i < n; i++) y[i] = f16_bits(x[i]);
}

void f16_to_f32(const uint16_t* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; i++) y[i] = f16_value(x[i]);
}

void f32_to_u8(const float* x, int32_t n, uint8_t* y) { kernels::f32_to_u8(x, n, y); }

void append_i16(const float* key, const float* value, int32_t head_dim, int32_t position,
                void* keys, void* values) {
  kernels::append_i16(key, value, head_dim, position, keys, values);
}

uint64_t int8_peak(uint64_t rounds) {
  constexpr int kWidth = 64;
  static volatile int8_t three = 3;
  int8_t a[kWidth], b[kWidth];
  for (int i = 0; i < kWidth; i++) a[i] = b[i] = three;
  int32_t sums[kWidth] = {};
  for (uint64_t round = 0; round < rounds; round++) {
    a[round % kWidth] = three;  // else the products would be computed once
    for (int i = 0; i < kWidth; i++) sums[i] += a[i] * b[i];
  }
  static volatile int32_t sink;
  for (const int32_t sum : sums) sink = sink + sum;
  return rounds * kWidth * 2;
}

}  // namespace phial::kernels::scalar
