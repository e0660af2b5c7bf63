// SPDX-License-Identifier: Apache-2.0
// Causal attention on NEON: an online softmax over blocks of 64 keys. Query rows (token x head of
// the group) are taken 48 at a time and share each key block. A few rows (decode) read keys and
// values where they lie; more rows have the block converted to f32 once. Both do the same float
// operations in the same order. Local to the file that includes it.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

#include "kernels/arm/exp.inc.h"
#include "kernels/attend_shape.inc.h"
#include "kernels/half_bits.inc.h"
#include "kernels/kernels.h"
#include "kernels/kv_i16.inc.h"
#include "kernels/kv_u8.inc.h"

namespace phial::kernels {
namespace {

constexpr int32_t kLanes = 4;
constexpr int kTileRows = 4;        // queries that share loaded keys or values
constexpr int kTileKeys = 4;        // keys whose scores are summed together
constexpr int32_t kDirectRows = 4;  // up to here a block isn't converted first

// How a cache's rows become floats. Row: one position's.
struct F32Kv {
  static constexpr bool kBlocks = false;
  using Element = float;
  struct Row {
    const float* p;
    Row(const float* row, int32_t) : p(row) {}
    float32x4_t load(int32_t d) const { return vld1q_f32(p + d); }
    float one(int32_t d) const { return p[d]; }
  };
};

struct F16Kv {
  static constexpr bool kBlocks = false;
  using Element = uint16_t;
  struct Row {
    const uint16_t* p;
    Row(const uint16_t* row, int32_t) : p(row) {}
    float32x4_t load(int32_t d) const {
      return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + d)));
    }
    float one(int32_t d) const { return f16_value(p[d]); }
  };
};

struct U8Kv {
  static constexpr bool kBlocks = false;
  using Element = uint8_t;
  struct Row {
    const uint8_t* p;
    float scale, offset;
    Row(const uint8_t* row, int32_t head_dim) : p(row) { u8_tail(row, head_dim, &scale, &offset); }
    float32x4_t load(int32_t d) const {
      uint32_t four;
      __builtin_memcpy(&four, p + d, sizeof four);
      const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
      const float32x4_t codes = vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide)));
      return vfmaq_n_f32(vdupq_n_f32(offset), codes, scale);
    }
    float one(int32_t d) const { return __builtin_fmaf(static_cast<float>(p[d]), scale, offset); }
  };
};

// One block of query rows and its running state, all in scratch. Rows of q and sums are `padded`
// floats apart: head_dim rounded up to whole vectors, zeros behind.
struct QueryRows {
  int32_t rows, padded;
  float *q, *sums;
  float* scores;  // [rows][kKeyBlock]
  float *largest, *total;
  int32_t first[kQueryBlock], last[kQueryBlock];  // visible keys, inclusive
};

// scores[r][j] = scale * q[r] . k[j] for R rows and four keys.
template <class Kv, int R>
void score_tile(const float* q, int32_t padded, const typename Kv::Row* k, float scale,
                float* scores) {
  float32x4_t acc[R][kTileKeys];
  for (int r = 0; r < R; r++)
    for (int j = 0; j < kTileKeys; j++) acc[r][j] = vdupq_n_f32(0);
  for (int32_t d = 0; d < padded; d += kLanes) {
    float32x4_t key[kTileKeys];
    for (int j = 0; j < kTileKeys; j++) key[j] = k[j].load(d);
    for (int r = 0; r < R; r++) {
      const float32x4_t query = vld1q_f32(q + r * padded + d);
      for (int j = 0; j < kTileKeys; j++) acc[r][j] = vfmaq_f32(acc[r][j], query, key[j]);
    }
  }
  for (int r = 0; r < R; r++)
    vst1q_f32(scores + r * kKeyBlock, vmulq_n_f32(vpaddq_f32(vpaddq_f32(acc[r][0], acc[r][1]),
                                                             vpaddq_f32(acc[r][2], acc[r][3])),
                                                  scale));
}

// sums[r][d, d + 4 N) += p[r][j] * v[j] for keys [begin, end) of the block, in order.
template <class Kv, int R, int N>
void value_tile(const float* p, const typename Kv::Element* v, int64_t stride, int32_t head_dim,
                int32_t d, int32_t begin, int32_t end, float* sums, int32_t padded) {
  float32x4_t acc[R][N];
  for (int r = 0; r < R; r++)
    for (int i = 0; i < N; i++) acc[r][i] = vld1q_f32(sums + r * padded + d + i * kLanes);
  for (int32_t j = begin; j < end; j++) {
    const typename Kv::Row row(v + j * stride, head_dim);
    float32x4_t value[N];
    for (int i = 0; i < N; i++) value[i] = row.load(d + i * kLanes);
    for (int r = 0; r < R; r++)
      for (int i = 0; i < N; i++)
        acc[r][i] = vfmaq_n_f32(acc[r][i], value[i], p[r * kKeyBlock + j]);
  }
  for (int r = 0; r < R; r++)
    for (int i = 0; i < N; i++) vst1q_f32(sums + r * padded + d + i * kLanes, acc[r][i]);
}

template <class Kv, int R>
void value_rows(const float* p, const typename Kv::Element* v, int64_t stride, int32_t head_dim,
                int32_t begin, int32_t end, float* sums, int32_t padded) {
  constexpr int kN = R == 1 ? 8 : 4;  // one row alone needs more chains of additions
  int32_t d = 0;
  for (; d + kN * kLanes <= padded; d += kN * kLanes)
    value_tile<Kv, R, kN>(p, v, stride, head_dim, d, begin, end, sums, padded);
  for (; d < padded; d += kLanes)
    value_tile<Kv, R, 1>(p, v, stride, head_dim, d, begin, end, sums, padded);
}

// Scores to weights; largest, total and sums are brought to the new maximum. Keys are `block` ..
// block + kKeyBlock.
inline void softmax_rows(QueryRows& b, int32_t block) {
  constexpr float kNoScore = -__builtin_inff();
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
    float32x4_t m = vld1q_f32(s);
    for (int32_t j = kLanes; j < kKeyBlock; j += kLanes) m = vmaxq_f32(m, vld1q_f32(s + j));
    const float block_largest = vmaxvq_f32(m), before = b.largest[r];
    const float after = block_largest > before ? block_largest : before;
    float32x4_t total = vdupq_n_f32(0);
    for (int32_t j = 0; j < kKeyBlock; j += kLanes) {
      const float32x4_t p = exp_of(vsubq_f32(vld1q_f32(s + j), vdupq_n_f32(after)));
      vst1q_f32(s + j, p);
      total = vaddq_f32(total, p);
    }
    // 0 at first: before is -infinity then.
    const float shrink = vgetq_lane_f32(exp_of(vdupq_n_f32(before - after)), 0);
    b.total[r] = __builtin_fmaf(b.total[r], shrink, vaddvq_f32(total));
    b.largest[r] = after;
    if (shrink == 1.0f) continue;
    float* sums = b.sums + r * b.padded;
    for (int32_t d = 0; d < b.padded; d += kLanes)
      vst1q_f32(sums + d, vmulq_n_f32(vld1q_f32(sums + d), shrink));
  }
}

template <int R>
struct Rows {
  static constexpr int kRows = R;
};

// Calls f with the number of rows of a tile as a constant.
template <class Function>
inline void with_rows(int n, const Function& f) {
  static_assert(kTileRows == 4);
  if (n >= 4) return f(Rows<4>());
  if (n == 3) return f(Rows<3>());
  if (n == 2) return f(Rows<2>());
  f(Rows<1>());
}

// Keys [begin, end) of the block at `block`; k and v point to the block's first key, rows `stride`
// elements apart. Only keys that some row of the tile sees are read: keys of a tile outside
// [begin, end) are stood in for by the nearest one inside, and masked by softmax_rows.
template <class Kv>
void attend_block(QueryRows& b, int32_t block, int32_t begin, int32_t end,
                  const typename Kv::Element* k, const typename Kv::Element* v, int64_t stride,
                  int32_t head_dim, float scale) {
  for (int32_t j = begin / kTileKeys * kTileKeys; j < end; j += kTileKeys) {
    const auto key = [&](int i) {
      return typename Kv::Row(k + max_of(min_of(j + i, end - 1), begin) * stride, head_dim);
    };
    static_assert(kTileKeys == 4);
    const typename Kv::Row keys[kTileKeys] = {key(0), key(1), key(2), key(3)};
    for (int32_t r = 0; r < b.rows; r += kTileRows)
      with_rows(b.rows - r, [&](auto tile) {
        score_tile<Kv, decltype(tile)::kRows>(b.q + r * b.padded, b.padded, keys, scale,
                                              b.scores + r * kKeyBlock + j);
      });
  }
  softmax_rows(b, block);
  for (int32_t r = 0; r < b.rows; r += kTileRows) {
    const int n = min_of(b.rows - r, kTileRows);
    int32_t from = end, to = begin;  // what at least one of the n rows sees
    for (int i = 0; i < n; i++) {
      from = min_of(from, max_of(b.first[r + i] - block, begin));
      to = max_of(to, min_of(b.last[r + i] + 1 - block, end));
    }
    with_rows(n, [&](auto tile) {
      value_rows<Kv, decltype(tile)::kRows>(b.scores + r * kKeyBlock, v, stride, head_dim, from, to,
                                            b.sums + r * b.padded, b.padded);
    });
  }
}

// Rows [begin, end) of a block of queries, keys or values to f32, padded with zeros.
template <class Kv>
void widen(const typename Kv::Element* from, int64_t stride, int32_t begin, int32_t end,
           int32_t head_dim, int32_t padded, float* to) {
  for (int32_t j = begin; j < end; j++) {
    const typename Kv::Row row(from + j * stride, head_dim);
    int32_t d = 0;
    for (; d + kLanes <= head_dim; d += kLanes) vst1q_f32(to + j * padded + d, row.load(d));
    for (; d < padded; d++) to[j * padded + d] = d < head_dim ? row.one(d) : 0.0f;
  }
}

// The same of KvType::kI16, which no product here wants as it lies.
void widen_i16(const Attend& a, int32_t block, int32_t begin, int32_t end, int32_t padded,
               float* keys, float* values) {
  const I16Block k(a.k, block, a.head_dim), v(a.v, block, a.head_dim);
  for (int32_t j = begin; j < end; j++)
    for (int32_t d = 0; d < padded; d++) {
      keys[j * padded + d] = d < a.head_dim ? k.key(j, d) : 0.0f;
      values[j * padded + d] = d < a.head_dim ? v.value(j, d) : 0.0f;
    }
}

struct I16Kv {
  static constexpr bool kBlocks = true;
  using Element = int16_t;
};

template <class Kv>
void attend_rows(const Attend& a, int32_t first_row, int32_t rows) {
  using Element = typename Kv::Element;
  constexpr bool kBlocks = Kv::kBlocks;
  const int32_t padded = (a.head_dim + kLanes - 1) / kLanes * kLanes,
                reserved = padded_head_dim(a.head_dim);
  QueryRows b;
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
    widen<F32Kv>(a.q + t * a.q_stride + static_cast<int64_t>(h) * a.head_dim, 0, 0, 1, a.head_dim,
                 padded, b.q + r * padded);
    for (int32_t d = 0; d < padded; d++) b.sums[r * padded + d] = 0;
    b.largest[r] = -__builtin_inff();
    b.total[r] = 0;
    b.last[r] = a.q_position + t;
    b.first[r] = first_key(b.last[r], a.window);
    begin = min_of(begin, b.first[r]);
    end = max_of(end, b.last[r] + 1);
  }

  const bool direct = rows <= kDirectRows && a.head_dim % kLanes == 0;
  for (int32_t block = begin / kKeyBlock * kKeyBlock; block < end; block += kKeyBlock) {
    const int32_t from = max_of(begin - block, 0), to = min_of(end - block, kKeyBlock);
    if constexpr (kBlocks) {
      widen_i16(a, block, from, to, padded, wide_k, wide_v);
    } else {
      const Element* k = static_cast<const Element*>(a.k) + block * a.kv_stride;
      const Element* v = static_cast<const Element*>(a.v) + block * a.kv_stride;
      if (direct) {
        attend_block<Kv>(b, block, from, to, k, v, a.kv_stride, a.head_dim, a.scale);
        continue;
      }
      widen<Kv>(k, a.kv_stride, from, to, a.head_dim, padded, wide_k);
      widen<Kv>(v, a.kv_stride, from, to, a.head_dim, padded, wide_v);
    }
    attend_block<F32Kv>(b, block, from, to, wide_k, wide_v, padded, padded, a.scale);
  }

  for (int32_t r = 0; r < rows; r++) {
    const int32_t t = (first_row + r) / a.n_heads, h = (first_row + r) % a.n_heads;
    float* out = a.out + t * a.out_stride + static_cast<int64_t>(h) * a.head_dim;
    const float* sums = b.sums + r * padded;
    int32_t d = 0;
    for (; d + kLanes <= a.head_dim; d += kLanes)
      vst1q_f32(out + d, vdivq_f32(vld1q_f32(sums + d), vdupq_n_f32(b.total[r])));
    for (; d < a.head_dim; d++) out[d] = sums[d] / b.total[r];
  }
}

void attend(const Attend& a) {
  const int32_t rows = a.n_tokens * a.n_heads;
  for (int32_t r = 0; r < rows; r += kQueryBlock) {
    if (a.kv_type == KvType::kF16)
      attend_rows<F16Kv>(a, r, min_of(kQueryBlock, rows - r));
    else if (a.kv_type == KvType::kU8)
      attend_rows<U8Kv>(a, r, min_of(kQueryBlock, rows - r));
    else if (a.kv_type == KvType::kI16)
      attend_rows<I16Kv>(a, r, min_of(kQueryBlock, rows - r));
    else
      attend_rows<F32Kv>(a, r, min_of(kQueryBlock, rows - r));
  }
}

}  // namespace
}  // namespace phial::kernels
