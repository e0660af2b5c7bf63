// SPDX-License-Identifier: Apache-2.0
// Attention over KvType::kI16, whose products are integers: scores from codes of keys and queries,
// outputs from codes of values and weights. Integer sums are exact, so a batch of any size gives
// the same bits, and one path serves decode and prefill: strips of up to kStripRows query rows
// (token x head) pass a block of keys and values, which are read as they lie in the cache.
//
// Scores are binary logarithms. A weight is 2^score times the value's own scale, as 13 bits of the
// largest one of its row and block: what a position adds to the output is what is rounded, however
// large or small its value is. The sum of 2^score itself is kept in floats. Local to the file that
// includes it.
#pragma once

#include <stdint.h>

#include "kernels/attend_shape.inc.h"
#include "kernels/kernels.h"
#include "kernels/kv_i16.inc.h"
#include "kernels/x86/dot.inc.h"
#include "kernels/x86/exp.inc.h"

namespace phial::kernels {
namespace {

constexpr int kStripRows = 6;
constexpr int kMaxVectors = 8;  // sums of one row at a time: as many as hide a product's latency

// Query rows and their running state, in scratch.
struct I16Rows {
  int32_t dim;     // i16_dim(head_dim)
  int16_t* q;      // [rows][dim] codes, zeros behind head_dim
  float* sums;     // [rows][dim], in the frame of `largest`: to be multiplied with 2^largest
  float* q_scale;  // [rows], with the softmax's scale and log2(e)
  float* largest;  // [rows + a vector], of score + log2(value's scale)
  float* total;    // [rows + a vector], of 2^score in the frame of `largest`
  int32_t first[kQueryBlock], last[kQueryBlock];  // visible keys, inclusive
};

// A block as a strip sees it.
template <class V>
struct I16Part {
  const char *k, *v;             // of the block
  const char *next_v, *next_k;   // to be fetched meanwhile, by the first strip
  int32_t position, begin, end;  // of the block's first key; keys that some row sees
  alignas(64) float key_scale[kKvBlock], log_scale[kKvBlock], inverse_scale[kKvBlock];
};

// sums[r][i] = products of pairs [begin, end) of rows of a with vectors i of b; rows of a
// `a_stride` int16 apart, rows of b `b_stride` bytes.
template <class V, int R, int N, bool kFetch>
PHIAL_INLINE void pair_products(const int16_t* a, int64_t a_stride, const char* b, int64_t b_stride,
                                int32_t begin, int32_t end, const char* fetch,
                                typename V::I (&sums)[R][N]) {
  using I = typename V::I;
  constexpr int kBytes = 4 * V::kLanes;
  PHIAL_UNROLL
  for (int r = 0; r < R; r++) {
    PHIAL_UNROLL
    for (int i = 0; i < N; i++) sums[r][i] = V::zero_int();
  }
  const int16_t* left = a + 2 * begin;
  const char* right = b + begin * b_stride;
  if constexpr (kFetch) fetch += begin * b_stride;
  for (int32_t pair = begin; pair < end; pair++) {
    I vectors[N];
    PHIAL_UNROLL
    for (int i = 0; i < N; i++) vectors[i] = V::load_int(right + i * kBytes);
    if constexpr (kFetch) {
      PHIAL_UNROLL
      for (int i = 0; i < N * kBytes; i += 64) _mm_prefetch(fetch + i, _MM_HINT_T0);
      fetch += b_stride;
    }
    PHIAL_UNROLL
    for (int r = 0; r < R; r++) {
      const I row = V::broadcast_int(left + r * a_stride);
      PHIAL_UNROLL
      for (int i = 0; i < N; i++) add_pair_dots(sums[r][i], row, vectors[i]);
    }
    left += 2;
    right += b_stride;
  }
}

// Calls body.template run<N>(first vector) for vectors [begin, end), as many at a time as fit.
template <int N, class Body>
PHIAL_INLINE void for_vectors(int begin, int end, const Body& body) {
  for (; begin + N <= end; begin += N) body.template run<N>(begin);
  if constexpr (N > 1) for_vectors<N / 2>(begin, end, body);
}

// dots[r][j] = q[r] . k[j] for the vectors of keys that have a visible one.
template <class V, int R, bool kFetch>
struct Scores {
  const I16Rows& rows;
  const I16Part<V>& part;
  int32_t first_row;
  int32_t (*dots)[kKvBlock];

  template <int N>
  PHIAL_INLINE void run(int vector) const {
    typename V::I sums[R][N];
    const int64_t offset = int64_t{vector} * V::kLanes * 4;
    pair_products<V, R, N, kFetch>(rows.q + int64_t{first_row} * rows.dim, rows.dim,
                                   part.k + offset, kKvBlock * 4, 0, rows.dim / 2,
                                   part.next_v + offset, sums);
    PHIAL_UNROLL
    for (int r = 0; r < R; r++) {
      PHIAL_UNROLL
      for (int i = 0; i < N; i++) V::store_int(&dots[r][(vector + i) * V::kLanes], sums[r][i]);
    }
  }
};

// sums[r] = sums[r] * shrink[r] + factor[r] * (weights[r] . v) for vectors of columns.
template <class V, int R, bool kFetch>
struct Outputs {
  const I16Rows& rows;
  const I16Part<V>& part;
  int32_t first_row, from, to;  // pairs of positions
  const int16_t (*weights)[kKvBlock];
  const float *shrink, *factor;

  template <int N>
  PHIAL_INLINE void run(int vector) const {
    typename V::I products[R][N];
    const int64_t offset = int64_t{vector} * V::kLanes * 4;
    pair_products<V, R, N, kFetch>(weights[0], kKvBlock, part.v + offset, int64_t{rows.dim} * 4,
                                   from, to, part.next_k + offset, products);
    PHIAL_UNROLL
    for (int r = 0; r < R; r++) {
      float* const sums = rows.sums + int64_t{first_row + r} * rows.dim + vector * V::kLanes;
      PHIAL_UNROLL
      for (int i = 0; i < N; i++) {
        float* const at = sums + i * V::kLanes;
        V::store(at, V::fma(V::to_float(products[r][i]), V::set1(factor[r]),
                            V::mul(V::load(at), V::set1(shrink[r]))));
      }
    }
  }
};

// Of one row: dots to weights, kI16Weight at most. Returns the largest score + log2(scale);
// `total` is the sum of 2^score in that frame.
template <class V>
PHIAL_INLINE float weights_of(const I16Part<V>& part, float q_scale, int32_t begin, int32_t end,
                              const int32_t* dots, int16_t* weights, float* total) {
  using F = typename V::F;
  constexpr int kVectors = kKvBlock / V::kLanes;
  const F scale = V::set1(q_scale);
  F scores[kVectors];
  PHIAL_UNROLL
  for (int i = 0; i < kVectors; i++) {
    const int at = i * V::kLanes;
    scores[i] = V::fma(V::to_float(V::load_int(dots + at)),
                       V::mul(V::load(part.key_scale + at), scale), V::load(part.log_scale + at));
  }
  if (begin > 0 || end < kKvBlock) {
    alignas(64) float all[kKvBlock];
    PHIAL_UNROLL
    for (int i = 0; i < kVectors; i++) V::store(all + i * V::kLanes, scores[i]);
    for (int32_t j = 0; j < begin; j++) all[j] = -__builtin_inff();
    for (int32_t j = end; j < kKvBlock; j++) all[j] = -__builtin_inff();
    PHIAL_UNROLL
    for (int i = 0; i < kVectors; i++) scores[i] = V::load(all + i * V::kLanes);
  }
  F most = scores[0];
  PHIAL_UNROLL
  for (int i = 1; i < kVectors; i++) most = V::max(scores[i], most);
  const float largest = V::largest(most);
  F sum = V::zero();
  PHIAL_UNROLL
  for (int i = 0; i < kVectors; i++) {
    const F weight = exp2_of<V>(V::sub(scores[i], V::set1(largest)));
    sum = V::fma(weight, V::load(part.inverse_scale + i * V::kLanes), sum);
    V::store_i16(weights + i * V::kLanes, V::mul(weight, V::set1(static_cast<float>(kI16Weight))));
  }
  *total = V::sum(sum);
  return largest;
}

template <class V, int R, bool kFetch>
void attend_strip(const I16Rows& rows, const I16Part<V>& part, int32_t first_row) {
  using F = typename V::F;
  static_assert(kStripRows <= V::kLanes);
  constexpr int kN = R == 1 ? kMaxVectors : R == 2 ? 4 : V::kPairVectors;
  alignas(64) int32_t dots[R][kKvBlock];
  alignas(64) int16_t weights[R][kKvBlock];
  // What the rows see of the block; a row may see nothing of it.
  int32_t begin[R], end[R], from = kKvBlock, to = 0;
  for (int r = 0; r < R; r++) {
    begin[r] = max_of(rows.first[first_row + r] - part.position, 0);
    end[r] = min_of(rows.last[first_row + r] + 1 - part.position, kKvBlock);
    from = min_of(from, begin[r]);
    to = max_of(to, end[r]);
  }
  if (from >= to) return;
  for_vectors<kN>(from / V::kLanes, (to + V::kLanes - 1) / V::kLanes,
                  Scores<V, R, kFetch>{rows, part, first_row, dots});

  // Lanes are rows; those behind R see nothing, and what is kept of them stays as it is.
  alignas(64) float here[V::kLanes], totals[V::kLanes], shrink[V::kLanes], factor[V::kLanes];
  V::store(here, V::set1(-__builtin_inff()));
  V::store(totals, V::zero());
  for (int r = 0; r < R; r++) {
    if (begin[r] < end[r]) {
      here[r] = weights_of<V>(part, rows.q_scale[first_row + r], begin[r], end[r], dots[r],
                              weights[r], &totals[r]);
    } else {
      for (int32_t j = 0; j < kKvBlock; j++) weights[r][j] = 0;
    }
  }
  // Both frames to the larger one; -infinity, nothing seen so far or here, gives 0.
  float* const largest = rows.largest + first_row;
  float* const total = rows.total + first_row;
  const F old = V::load(largest), now = V::load(here);
  const F most = V::max(old, now), finite = V::max(most, V::set1(-3e38f));
  const F old_part = exp2_of<V>(V::sub(old, finite)), new_part = exp2_of<V>(V::sub(now, finite));
  V::store(shrink, old_part);
  V::store(factor, V::mul(new_part, V::set1(1.0f / static_cast<float>(kI16Weight))));
  V::store(largest, most);
  V::store(total, V::fma(V::load(totals), new_part, V::mul(V::load(total), old_part)));
  for_vectors<kN>(0, rows.dim / V::kLanes,
                  Outputs<V, R, kFetch>{rows, part, first_row, from / 2, (to + 1) / 2, weights,
                                        shrink, factor});
}

template <class V, int R, bool kFetch>
PHIAL_INLINE void attend_strip_of(int n, const I16Rows& rows, const I16Part<V>& part,
                                  int32_t first_row) {
  if constexpr (R > 1) {
    if (n < R) return attend_strip_of<V, R - 1, kFetch>(n, rows, part, first_row);
  }
  attend_strip<V, R, kFetch>(rows, part, first_row);
}

// What all rows share of a block. Scales of keys that nobody sees may be anything: theirs don't
// reach a sum.
template <class V>
void prepare_part(I16Part<V>& part, int32_t head_dim) {
  const float* const key_scale = reinterpret_cast<const float*>(part.k + i16_scales_at(head_dim));
  const float* const value_scale = reinterpret_cast<const float*>(part.v + i16_scales_at(head_dim));
  for (int32_t at = 0; at < kKvBlock; at += V::kLanes) {
    const typename V::F scale = V::load(value_scale + at);
    V::store(part.key_scale + at, V::load(key_scale + at));
    V::store(part.log_scale + at, log2_of<V>(scale));
    V::store(part.inverse_scale + at, V::div(V::set1(1.0f), scale));
  }
  for (int32_t j = 0; j < part.begin; j++) part.inverse_scale[j] = 0;
  for (int32_t j = part.end; j < kKvBlock; j++) part.inverse_scale[j] = 0;
}

template <class V>
void attend_i16_rows(const Attend& a, int32_t first_row, int32_t n) {
  const int32_t dim = i16_dim(a.head_dim);
  I16Rows rows;
  rows.dim = dim;
  rows.sums = aligned_scratch(a.scratch);
  rows.q_scale = rows.sums + kQueryBlock * dim;
  rows.largest = rows.q_scale + kQueryBlock;
  rows.total = rows.largest + kQueryBlock + V::kLanes;
  rows.q = reinterpret_cast<int16_t*>(rows.total + kQueryBlock + V::kLanes);
  constexpr float kLog2E = 1.44269504f;
  // kI16Limit but for heads that no Phi-3 has: sums of products have to fit int32
  const int32_t limit = dim <= 128 ? kI16Limit : kI16Limit * 128 / dim;
  int32_t begin = INT32_MAX, end = 0;  // keys that some row sees
  for (int32_t r = 0; r < n; r++) {
    const int32_t t = (first_row + r) / a.n_heads, h = (first_row + r) % a.n_heads;
    int16_t* const q = rows.q + int64_t{r} * dim;
    rows.q_scale[r] =
        a.scale * kLog2E *
        f32_to_i16(a.q + t * a.q_stride + int64_t{h} * a.head_dim, a.head_dim, limit, q);
    for (int32_t d = a.head_dim; d < dim; d++) q[d] = 0;
    for (int32_t d = 0; d < dim; d++) rows.sums[int64_t{r} * dim + d] = 0;
    rows.largest[r] = -__builtin_inff();
    rows.total[r] = 0;
    rows.last[r] = a.q_position + t;
    rows.first[r] = first_key(rows.last[r], a.window);
    begin = min_of(begin, rows.first[r]);
    end = max_of(end, rows.last[r] + 1);
  }

  const int64_t bytes = i16_block_bytes(a.head_dim);
  I16Part<V> part;
  for (int32_t block = begin / kKvBlock; block * kKvBlock < end; block++) {
    part.position = block * kKvBlock;
    part.begin = max_of(begin - part.position, 0);
    part.end = min_of(end - part.position, kKvBlock);
    part.k = static_cast<const char*>(a.k) + block * bytes;
    part.v = static_cast<const char*>(a.v) + block * bytes;
    part.next_v = part.v;
    part.next_k = part.k + bytes;
    prepare_part(part, a.head_dim);
    for (int32_t r = 0; r < n; r += kStripRows) {
      if (r == 0)
        attend_strip_of<V, kStripRows, true>(min_of(n, kStripRows), rows, part, 0);
      else
        attend_strip_of<V, kStripRows, false>(min_of(n - r, kStripRows), rows, part, r);
    }
  }

  for (int32_t r = 0; r < n; r++) {
    const int32_t t = (first_row + r) / a.n_heads, h = (first_row + r) % a.n_heads;
    float* const out = a.out + t * a.out_stride + int64_t{h} * a.head_dim;
    const float* const sums = rows.sums + int64_t{r} * dim;
    const typename V::F total = V::set1(rows.total[r]);
    int32_t d = 0;
    for (; d + V::kLanes <= a.head_dim; d += V::kLanes)
      V::store(out + d, V::div(V::load(sums + d), total));
    if (d < a.head_dim) V::store_n(out + d, V::div(V::load(sums + d), total), a.head_dim - d);
  }
}

}  // namespace
}  // namespace phial::kernels
