// SPDX-License-Identifier: Apache-2.0
// Causal attention with an online softmax over blocks of 64 keys. Query rows (token x head of the
// group) are taken 48 at a time and share each key block. A few rows (decode) read keys and values
// where they lie; more rows have the block converted to f32 once. Both do the same float operations
// in the same order. Local to the file that includes it.
#pragma once

#include <stdint.h>

#include "kernels/attend_shape.inc.h"
#include "kernels/kernels.h"
#include "kernels/kv_u8.inc.h"
#include "kernels/x86/attend_i16.inc.h"
#include "kernels/x86/exp.inc.h"
#include "kernels/x86/vec8.inc.h"

namespace phial::kernels {
namespace {

constexpr int kScoreKeys = 4;       // keys whose scores are summed together (V::sum4)
constexpr int kValueRows = 4;       // queries that share a loaded value
constexpr int32_t kDirectRows = 4;  // up to here a block isn't converted first

// How a cache's rows become floats. Row: one position's.
template <class V>
struct F32Kv {
  using Element = float;
  struct Row {
    const float* p;
    PHIAL_INLINE Row(const float* row, int32_t) : p(row) {}
    PHIAL_INLINE typename V::F load(int32_t d) const { return V::load(p + d); }
    PHIAL_INLINE typename V::F load_n(int32_t d, int n) const { return V::load_n(p + d, n); }
  };
};

template <class V>
struct F16Kv {
  using Element = uint16_t;
  struct Row {
    const uint16_t* p;
    PHIAL_INLINE Row(const uint16_t* row, int32_t) : p(row) {}
    PHIAL_INLINE typename V::F load(int32_t d) const { return V::load_f16(p + d); }
    PHIAL_INLINE typename V::F load_n(int32_t d, int n) const { return V::load_f16_n(p + d, n); }
  };
};

template <class V>
struct U8Kv {
  using Element = uint8_t;
  struct Row {
    const uint8_t* p;
    typename V::F scale, offset;
    PHIAL_INLINE Row(const uint8_t* row, int32_t head_dim) : p(row) {
      float s, o;
      u8_tail(row, head_dim, &s, &o);
      scale = V::set1(s);
      offset = V::set1(o);
    }
    PHIAL_INLINE typename V::F load(int32_t d) const {
      return V::fma(V::load_u8(p + d), scale, offset);
    }
    PHIAL_INLINE typename V::F load_n(int32_t d, int n) const {
      uint8_t copy[V::kLanes] = {};
      for (int i = 0; i < n; i++) copy[i] = p[d + i];
      return V::fma(V::load_u8(copy), scale, offset);
    }
  };
};

// A row of a cache that will be read soon; null: none. Keys and values are read by turns, 64 rows
// of the ones, 64 of the others, too short for the processor to fetch well ahead by itself.
PHIAL_INLINE void fetch_row(const void* row, int64_t bytes) {
  if (row)
    for (int64_t i = 0; i < bytes; i += 64)
      _mm_prefetch(static_cast<const char*>(row) + i, _MM_HINT_T0);
}

constexpr float kNoScore = -__builtin_inff();

// scores[r][j] = scale * q[r] . k[j] for R rows and 4 keys; q rows `padded` apart, scores rows
// kKeyBlock apart.
template <class V, class Kv, int R>
void score_tile(const float* q, int32_t padded, const typename Kv::Row* k, float scale,
                float* scores) {
  using F = typename V::F;
  F acc[R][kScoreKeys];
  PHIAL_UNROLL
  for (int r = 0; r < R; r++) {
    PHIAL_UNROLL
    for (int j = 0; j < kScoreKeys; j++) acc[r][j] = V::zero();
  }
  for (int32_t d = 0; d < padded; d += V::kLanes) {
    F key[kScoreKeys];
    PHIAL_UNROLL
    for (int j = 0; j < kScoreKeys; j++) key[j] = k[j].load(d);
    PHIAL_UNROLL
    for (int r = 0; r < R; r++) {
      const F query = V::load(q + static_cast<int64_t>(r) * padded + d);
      PHIAL_UNROLL
      for (int j = 0; j < kScoreKeys; j++) acc[r][j] = V::fma(query, key[j], acc[r][j]);
    }
  }
  PHIAL_UNROLL
  for (int r = 0; r < R; r++)
    _mm_storeu_ps(
        scores + r * kKeyBlock,
        _mm_mul_ps(_mm_set1_ps(scale), V::sum4(acc[r][0], acc[r][1], acc[r][2], acc[r][3])));
}

template <class V, class Kv, int R>
PHIAL_INLINE void score_tile_of(int n, const float* q, int32_t padded, const typename Kv::Row* k,
                                float scale, float* scores) {
  if constexpr (R > 1) {
    if (n < R) return score_tile_of<V, Kv, R - 1>(n, q, padded, k, scale, scores);
  }
  score_tile<V, Kv, R>(q, padded, k, scale, scores);
}

// sums[r][d, d + N vectors) += p[r][j] * v[j] for keys [begin, end) of the block, in order. `next`:
// the keys to be read after that, or null.
template <class V, class Kv, int R, int N>
void value_tile(const float* p, const typename Kv::Element* v, int64_t stride, int32_t head_dim,
                int32_t d, int32_t begin, int32_t end, float* sums, int32_t padded,
                const typename Kv::Element* next) {
  using F = typename V::F;
  F acc[R][N];
  PHIAL_UNROLL
  for (int r = 0; r < R; r++) {
    PHIAL_UNROLL
    for (int i = 0; i < N; i++)
      acc[r][i] = V::load(sums + static_cast<int64_t>(r) * padded + d + i * V::kLanes);
  }
  for (int32_t j = begin; j < end; j++) {
    const typename Kv::Row row(v + j * stride, head_dim);
    fetch_row(next ? next + j * stride : nullptr,
              stride * static_cast<int64_t>(sizeof(typename Kv::Element)));
    F value[N];
    PHIAL_UNROLL
    for (int i = 0; i < N; i++) value[i] = row.load(d + i * V::kLanes);
    PHIAL_UNROLL
    for (int r = 0; r < R; r++) {
      const F weight = V::set1(p[r * kKeyBlock + j]);
      PHIAL_UNROLL
      for (int i = 0; i < N; i++) acc[r][i] = V::fma(weight, value[i], acc[r][i]);
    }
  }
  PHIAL_UNROLL
  for (int r = 0; r < R; r++) {
    PHIAL_UNROLL
    for (int i = 0; i < N; i++)
      V::store(sums + static_cast<int64_t>(r) * padded + d + i * V::kLanes, acc[r][i]);
  }
}

template <class V, class Kv, int R>
PHIAL_INLINE void value_tile_of(int n, const float* p, const typename Kv::Element* v,
                                int64_t stride, int32_t head_dim, int32_t begin, int32_t end,
                                float* sums, int32_t padded, const typename Kv::Element* next) {
  if constexpr (R > 1) {
    if (n < R)
      return value_tile_of<V, Kv, R - 1>(n, p, v, stride, head_dim, begin, end, sums, padded, next);
  }
  // One row alone needs more accumulators to hide the latency of the additions.
  constexpr int kN = R == 1 ? 2 * V::kValueVectors : V::kValueVectors;
  int32_t d = 0;
  for (; d + kN * V::kLanes <= padded; d += kN * V::kLanes, next = nullptr)
    value_tile<V, Kv, R, kN>(p, v, stride, head_dim, d, begin, end, sums, padded, next);
  for (; d < padded; d += V::kLanes, next = nullptr)
    value_tile<V, Kv, R, 1>(p, v, stride, head_dim, d, begin, end, sums, padded, next);
}

// One block of query rows and its running state, all in scratch.
template <class V>
struct QueryBlock {
  int32_t rows, padded;                           // padded: head_dim rounded up to whole vectors
  float* q;                                       // [rows][padded]
  float* sums;                                    // [rows][padded]
  float* scores;                                  // [rows][kKeyBlock]
  float* largest;                                 // [rows]
  float* total;                                   // [rows]
  int32_t first[kQueryBlock], last[kQueryBlock];  // visible keys, inclusive
};

// Scores to weights; largest, total and sums are brought to the new maximum. Keys are block ..
// block + kKeyBlock.
template <class V>
void softmax_rows(QueryBlock<V>& b, int32_t block) {
  using F = typename V::F;
  for (int32_t r = 0; r < b.rows; r++) {
    float* s = b.scores + r * kKeyBlock;
    const int32_t begin = max_of(b.first[r] - block, 0),
                  end = min_of(b.last[r] + 1 - block, kKeyBlock);
    if (begin >= end) {
      for (int32_t j = 0; j < kKeyBlock; j++) s[j] = 0;
      continue;
    }
    for (int32_t j = 0; j < begin; j++) s[j] = kNoScore;
    for (int32_t j = end; j < kKeyBlock; j++) s[j] = kNoScore;
    F m = V::load(s);
    for (int32_t j = V::kLanes; j < kKeyBlock; j += V::kLanes) m = V::max(V::load(s + j), m);
    const float block_largest = V::largest(m), before = b.largest[r];
    const float after = block_largest > before ? block_largest : before;
    F total = V::zero();
    for (int32_t j = 0; j < kKeyBlock; j += V::kLanes) {
      const F p = exp_of<V>(V::sub(V::load(s + j), V::set1(after)));
      V::store(s + j, p);
      total = V::add(total, p);
    }
    const F shrink = exp_of<V>(V::set1(before - after));  // 0 at first: -infinity before
    float shrink_lanes[V::kLanes];
    V::store(shrink_lanes, shrink);
    b.total[r] = __builtin_fmaf(b.total[r], shrink_lanes[0], V::sum(total));
    b.largest[r] = after;
    if (shrink_lanes[0] == 1.0f) continue;
    float* sums = b.sums + static_cast<int64_t>(r) * b.padded;
    for (int32_t d = 0; d < b.padded; d += V::kLanes)
      V::store(sums + d, V::mul(V::load(sums + d), shrink));
  }
}

// Keys [begin, end) of the block at `block`; k and v point to the block's first key, rows `stride`
// elements apart. Only keys that some row of the tile sees are read. `next`: the next block's keys;
// null: there is none, or all this lies in L1 anyway.
template <class V, class Kv>
void attend_block(QueryBlock<V>& b, int32_t block, int32_t begin, int32_t end,
                  const typename Kv::Element* k, const typename Kv::Element* v, int64_t stride,
                  int32_t head_dim, float scale, const typename Kv::Element* next) {
  // Tiles of keys begin at multiples of 4 and stay in the block; keys outside [begin, end) are
  // stood in for by the nearest one inside, their scores are masked by softmax_rows.
  for (int32_t j = begin / kScoreKeys * kScoreKeys; j < end; j += kScoreKeys) {
    if (next)
      fetch_row(v + j * stride,
                kScoreKeys * stride * static_cast<int64_t>(sizeof(typename Kv::Element)));
    const auto key = [&](int i) PHIAL_INLINE_LAMBDA {
      return typename Kv::Row(k + max_of(min_of(j + i, end - 1), begin) * stride, head_dim);
    };
    static_assert(kScoreKeys == 4);
    const typename Kv::Row keys[kScoreKeys] = {key(0), key(1), key(2), key(3)};
    for (int32_t r = 0; r < b.rows; r += V::kScoreRows)
      score_tile_of<V, Kv, V::kScoreRows>(min_of(b.rows - r, V::kScoreRows),
                                          b.q + static_cast<int64_t>(r) * b.padded, b.padded, keys,
                                          scale, b.scores + r * kKeyBlock + j);
  }
  softmax_rows(b, block);
  for (int32_t r = 0; r < b.rows; r += kValueRows) {
    const int n = min_of(b.rows - r, kValueRows);
    int32_t from = end, to = begin;  // what at least one of the n rows sees
    for (int i = 0; i < n; i++) {
      from = min_of(from, max_of(b.first[r + i] - block, begin));
      to = max_of(to, min_of(b.last[r + i] + 1 - block, end));
    }
    value_tile_of<V, Kv, kValueRows>(n, b.scores + r * kKeyBlock, v, stride, head_dim, from, to,
                                     b.sums + static_cast<int64_t>(r) * b.padded, b.padded,
                                     r == 0 ? next : nullptr);
  }
}

// Rows [begin, end) of a block of keys or values to f32, padded with zeros.
template <class V, class Kv>
void widen(const typename Kv::Element* from, int64_t stride, int32_t begin, int32_t end,
           int32_t head_dim, int32_t padded, float* to) {
  for (int32_t j = begin; j < end; j++) {
    const typename Kv::Row row(from + j * stride, head_dim);
    int32_t d = 0;
    for (; d + V::kLanes <= head_dim; d += V::kLanes) V::store(to + j * padded + d, row.load(d));
    if (d < head_dim) V::store(to + j * padded + d, row.load_n(d, head_dim - d));
  }
}

template <class V, class Kv>
void attend_rows(const Attend& a, int32_t first_row, int32_t rows) {
  using Element = typename Kv::Element;
  const int32_t padded = (a.head_dim + V::kLanes - 1) / V::kLanes * V::kLanes,
                reserved = padded_head_dim(a.head_dim);
  QueryBlock<V> b;
  b.rows = rows;
  b.padded = padded;
  b.q = aligned_scratch(a.scratch);
  b.sums = b.q + kQueryBlock * reserved;
  float* wide_k = b.sums + kQueryBlock * reserved;
  float* wide_v = wide_k + kKeyBlock * reserved;
  b.scores = wide_v + kKeyBlock * reserved;
  b.largest = b.scores + kQueryBlock * kKeyBlock;
  b.total = b.largest + kQueryBlock;

  int32_t begin = INT32_MAX, end = 0;  // keys that some row sees
  for (int32_t r = 0; r < rows; r++) {
    const int32_t t = (first_row + r) / a.n_heads, h = (first_row + r) % a.n_heads;
    widen<V, F32Kv<V>>(a.q + t * a.q_stride + static_cast<int64_t>(h) * a.head_dim, 0, 0, 1,
                       a.head_dim, padded, b.q + static_cast<int64_t>(r) * padded);
    for (int32_t d = 0; d < padded; d++) b.sums[r * padded + d] = 0;
    b.largest[r] = kNoScore;
    b.total[r] = 0;
    b.last[r] = a.q_position + t;
    b.first[r] = first_key(b.last[r], a.window);
    begin = min_of(begin, b.first[r]);
    end = max_of(end, b.last[r] + 1);
  }

  const bool direct = rows <= kDirectRows && a.head_dim % V::kLanes == 0;
  for (int32_t block = begin / kKeyBlock * kKeyBlock; block < end; block += kKeyBlock) {
    const int32_t from = max_of(begin - block, 0), to = min_of(end - block, kKeyBlock);
    const Element* k = static_cast<const Element*>(a.k) + block * a.kv_stride;
    const Element* v = static_cast<const Element*>(a.v) + block * a.kv_stride;
    if (direct) {
      attend_block<V, Kv>(b, block, from, to, k, v, a.kv_stride, a.head_dim, a.scale,
                          k + kKeyBlock * a.kv_stride);
    } else {
      widen<V, Kv>(k, a.kv_stride, from, to, a.head_dim, padded, wide_k);
      widen<V, Kv>(v, a.kv_stride, from, to, a.head_dim, padded, wide_v);
      attend_block<V, F32Kv<V>>(b, block, from, to, wide_k, wide_v, padded, padded, a.scale,
                                nullptr);
    }
  }

  for (int32_t r = 0; r < rows; r++) {
    const int32_t t = (first_row + r) / a.n_heads, h = (first_row + r) % a.n_heads;
    float* out = a.out + t * a.out_stride + static_cast<int64_t>(h) * a.head_dim;
    const float* sums = b.sums + static_cast<int64_t>(r) * padded;
    const typename V::F total = V::set1(b.total[r]);
    int32_t d = 0;
    for (; d + V::kLanes <= a.head_dim; d += V::kLanes)
      V::store(out + d, V::div(V::load(sums + d), total));
    if (d < a.head_dim) V::store_n(out + d, V::div(V::load(sums + d), total), a.head_dim - d);
  }
}

template <class V>
void attend(const Attend& a) {
  const int32_t rows = a.n_tokens * a.n_heads;
  for (int32_t r = 0; r < rows; r += kQueryBlock) {
    if (a.kv_type == KvType::kI16)
      attend_i16_rows<V>(a, r, min_of(kQueryBlock, rows - r));
    else if (a.kv_type == KvType::kF16)
      attend_rows<V, F16Kv<V>>(a, r, min_of(kQueryBlock, rows - r));
    else if (a.kv_type == KvType::kU8)
      attend_rows<V, U8Kv<V>>(a, r, min_of(kQueryBlock, rows - r));
    else
      attend_rows<V, F32Kv<V>>(a, r, min_of(kQueryBlock, rows - r));
  }
}

}  // namespace
}  // namespace phial::kernels
