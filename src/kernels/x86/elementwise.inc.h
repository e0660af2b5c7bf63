// SPDX-License-Identifier: Apache-2.0
// Everything that goes over vectors once, over the vocabulary of vec8.inc.h. Local to the file that
// includes it.
#pragma once

#include <stdint.h>

#include "kernels/x86/exp.inc.h"
#include "kernels/x86/vec8.inc.h"

namespace phial::kernels {
namespace {

template <class V>
void rms_norm(const float* x, const float* w, float eps, int32_t n, float* y) {
  typename V::D sums = V::zero_double();
  int32_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) sums = V::add_squares(sums, V::load(x + i));
  if (i < n) sums = V::add_squares(sums, V::load_n(x + i, n - i));
  const double mean = V::sum_double(sums) / n + static_cast<double>(eps);
  const float root =
      static_cast<float>(1.0 / _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(mean))));
  const typename V::F scale = V::set1(root);
  for (i = 0; i + V::kLanes <= n; i += V::kLanes)
    V::store(y + i, V::mul(V::load(w + i), V::mul(V::load(x + i), scale)));
  if (i < n)
    V::store_n(y + i, V::mul(V::load_n(w + i, n - i), V::mul(V::load_n(x + i, n - i), scale)),
               n - i);
}

template <class V>
void rope(float* x, int32_t n_heads, int32_t head_dim, int32_t rotary, const float* cos,
          const float* sin) {
  using F = typename V::F;
  const int32_t half = rotary / 2;
  for (int32_t h = 0; h < n_heads; h++) {
    float* a = x + static_cast<int64_t>(h) * head_dim;
    float* b = a + half;
    int32_t i = 0;
    for (; i + V::kLanes <= half; i += V::kLanes) {
      const F ai = V::load(a + i), bi = V::load(b + i), c = V::load(cos + i), s = V::load(sin + i);
      V::store(a + i, V::sub(V::mul(ai, c), V::mul(bi, s)));
      V::store(b + i, V::add(V::mul(bi, c), V::mul(ai, s)));
    }
    for (; i < half; i++) {
      const float ai = a[i], bi = b[i];
      a[i] = ai * cos[i] - bi * sin[i];
      b[i] = bi * cos[i] + ai * sin[i];
    }
  }
}

template <class V>
PHIAL_INLINE typename V::F silu_times(typename V::F gate, typename V::F up) {
  const typename V::F one = V::set1(1.0f);
  return V::mul(up, V::div(gate, V::add(one, exp_of<V>(V::sub(V::zero(), gate)))));
}

template <class V>
void silu_mul(const float* gate, const float* up, int32_t n, float* y) {
  int32_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes)
    V::store(y + i, silu_times<V>(V::load(gate + i), V::load(up + i)));
  if (i < n)
    V::store_n(y + i, silu_times<V>(V::load_n(gate + i, n - i), V::load_n(up + i, n - i)), n - i);
}

template <class V>
void add(const float* x, int32_t n, float* y) {
  int32_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes)
    V::store(y + i, V::add(V::load(y + i), V::load(x + i)));
  if (i < n) V::store_n(y + i, V::add(V::load_n(y + i, n - i), V::load_n(x + i, n - i)), n - i);
}

template <class V>
void f32_to_f16(const float* x, int64_t n, uint16_t* y) {
  int64_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) V::store_f16(y + i, V::load(x + i));
  const int rest = static_cast<int>(n - i);
  if (rest) V::store_f16_n(y + i, V::load_n(x + i, rest), rest);
}

template <class V>
void f16_to_f32(const uint16_t* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) V::store(y + i, V::load_f16(x + i));
  const int rest = static_cast<int>(n - i);
  if (rest) V::store_n(y + i, V::load_f16_n(x + i, rest), rest);
}

}  // namespace
}  // namespace phial::kernels
