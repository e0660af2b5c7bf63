// SPDX-License-Identifier: Apache-2.0
// f32, f16 and bf16 weights with f32 activations. Every output is one vector accumulator over the
// columns in order and one fixed sum of its lanes, so neither the batch nor the split of the rows
// changes its bits. Local to the file that includes it.
#pragma once

#include <stdint.h>

#include "kernels/kernels.h"
#include "kernels/x86/vec8.inc.h"

namespace phial::kernels {
namespace {

template <class V>
struct F32Weights {
  using Element = float;
  static PHIAL_INLINE typename V::F load(const float* p) { return V::load(p); }
  static PHIAL_INLINE typename V::F load_n(const float* p, int n) { return V::load_n(p, n); }
};

template <class V>
struct F16Weights {
  using Element = uint16_t;
  static PHIAL_INLINE typename V::F load(const uint16_t* p) { return V::load_f16(p); }
  static PHIAL_INLINE typename V::F load_n(const uint16_t* p, int n) { return V::load_f16_n(p, n); }
};

template <class V>
struct BF16Weights {
  using Element = uint16_t;
  static PHIAL_INLINE typename V::F load(const uint16_t* p) { return V::load_bf16(p); }
  static PHIAL_INLINE typename V::F load_n(const uint16_t* p, int n) {
    return V::load_bf16_n(p, n);
  }
};

constexpr int kFloatRows = 4;  // rows of weights at a time: four streams of memory

// 4 rows x T tokens; y[t][r].
template <class V, class W, int T>
void float_tile(const typename W::Element* const* w, const float* x, int32_t cols,
                float (*y)[kFloatRows]) {
  using F = typename V::F;
  F acc[kFloatRows][T];
  PHIAL_UNROLL
  for (int r = 0; r < kFloatRows; r++) {
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) acc[r][t] = V::zero();
  }
  const auto step = [&](const F* row, const auto& activations) PHIAL_INLINE_LAMBDA {
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) {
      const F a = activations(t);
      PHIAL_UNROLL
      for (int r = 0; r < kFloatRows; r++) acc[r][t] = V::fma(row[r], a, acc[r][t]);
    }
  };
  int32_t c = 0;
  for (; c + V::kLanes <= cols; c += V::kLanes) {
    F row[kFloatRows];
    PHIAL_UNROLL
    for (int r = 0; r < kFloatRows; r++) {
      _mm_prefetch(reinterpret_cast<const char*>(w[r] + c) + 1024, _MM_HINT_T0);
      row[r] = W::load(w[r] + c);
    }
    step(row, [&](int t)
                  PHIAL_INLINE_LAMBDA { return V::load(x + static_cast<int64_t>(t) * cols + c); });
  }
  if (c < cols) {
    F row[kFloatRows];
    PHIAL_UNROLL
    for (int r = 0; r < kFloatRows; r++) row[r] = W::load_n(w[r] + c, cols - c);
    step(row, [&](int t) PHIAL_INLINE_LAMBDA {
      return V::load_n(x + static_cast<int64_t>(t) * cols + c, cols - c);
    });
  }
  PHIAL_UNROLL
  for (int t = 0; t < T; t++)
    _mm_storeu_ps(y[t], V::sum4(acc[0][t], acc[1][t], acc[2][t], acc[3][t]));
}

template <class V, class W, int T>
PHIAL_INLINE void float_tile_of(int n, const typename W::Element* const* w, const float* x,
                                int32_t cols, float (*y)[kFloatRows]) {
  if constexpr (T > 1) {
    if (n < T) return float_tile_of<V, W, T - 1>(n, w, x, cols, y);
  }
  float_tile<V, W, T>(w, x, cols, y);
}

// Rows [begin, end): row i of each quarter at a time, so that the four streams lie far apart and
// each has a prefetcher.
template <class V, class W>
void float_rows(const Linear& l, int32_t begin, int32_t end, int32_t t0, int32_t n_tokens) {
  using Element = typename W::Element;
  const int32_t cols = l.w.cols, quarter = (end - begin + kFloatRows - 1) / kFloatRows;
  for (int32_t i = begin; i < begin + quarter; i++) {
    const Element* w[kFloatRows];
    for (int r = 0; r < kFloatRows; r++) {
      const int32_t row =
          i + r * quarter < end ? i + r * quarter : i;  // past the end: computed and not stored
      w[r] = static_cast<const Element*>(l.w.data) + static_cast<int64_t>(row) * cols;
    }
    float y[V::kTileTokens][kFloatRows];
    float_tile_of<V, W, V::kTileTokens>(
        n_tokens, w, static_cast<const float*>(l.x) + static_cast<int64_t>(t0) * cols, cols, y);
    for (int32_t t = 0; t < n_tokens; t++)
      for (int r = 0; r < kFloatRows; r++)
        if (i + r * quarter < end) l.y[(t0 + t) * l.y_stride + i + r * quarter] = y[t][r];
  }
}

template <class V, class W>
void linear_float(const Linear& l) {
  constexpr int kT = V::kTileTokens;
  // With many tokens, 64 rows (f16, 3072 columns: 384 KiB) stay in L2 while the tokens go by.
  const int32_t block = l.n_tokens > kT ? 64 : l.row_end - l.row_begin;
  for (int32_t begin = l.row_begin; begin < l.row_end; begin += block) {
    const int32_t end = l.row_end - begin < block ? l.row_end : begin + block;
    for (int32_t t = 0; t < l.n_tokens; t += kT)
      float_rows<V, W>(l, begin, end, t, l.n_tokens - t < kT ? l.n_tokens - t : kT);
  }
}

}  // namespace
}  // namespace phial::kernels
