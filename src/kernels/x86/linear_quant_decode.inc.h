// SPDX-License-Identifier: Apache-2.0
// linear_u8 and linear_u4 for a few tokens: weights are read once, straight from where they are
// stored. Lanes run along the columns; four rows at a time, whose integer sums are folded together
// (horizontal adds), so that the float part has the order that linear_quant_any.inc.h states. Local
// to the file that includes it.
#pragma once

#include <stdint.h>

#include "kernels/linear_quant_any.inc.h"
#include "kernels/x86/dot.inc.h"

namespace phial::kernels {
namespace {

constexpr int kRows = 4;  // far-apart streams of memory: measured 1.26-1.37 times as fast as one
// How far ahead in a stream codes are fetched: at 8 GB/s a stream this is 190 ns. Scales are read a
// few bytes a row, too slowly for the processor to see a stream in them.
constexpr int32_t kCodesAhead = 1536, kScalesAhead = 192;

PHIAL_INLINE void fetch(const void* p, int64_t bytes) {
  _mm_prefetch(static_cast<const char*>(p) + bytes, _MM_HINT_T0);
}

PHIAL_INLINE __m256i load32(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

// Bytes of codes of two activation blocks (64 columns).
constexpr int32_t pair_bytes(Format format) { return format == Format::kU8 ? 64 : 32; }

// Codes of two blocks of a row, as dot operands.
template <Format kFormat>
struct PairCodes {
  __m256i a, b;  // u8: the two blocks; u4: even and odd columns, one block per 128-bit lane
  PHIAL_INLINE void load(const uint8_t* p) {
    if constexpr (kFormat == Format::kU8) {
      a = load32(p);
      b = load32(p + 32);
    } else {
      const __m256i low = _mm256_set1_epi8(15), bytes = load32(p);
      a = _mm256_and_si256(bytes, low);
      b = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low);
    }
  }
};

// Lane r: rows' dots of the first block; lane 4 + r: of the second one. `x` and `y` are the blocks'
// activations; u4: their even and their odd columns.
template <Format kFormat>
PHIAL_INLINE __m256i pair_dots(const PairCodes<kFormat>* w, const int8_t* x, const int8_t* y) {
  const __m256i bx = load32(x), by = load32(y);
  if constexpr (kFormat == Format::kU8) {
    const __m256i p = _mm256_hadd_epi32(_mm256_hadd_epi32(dot_u8(w[0].a, bx), dot_u8(w[1].a, bx)),
                                        _mm256_hadd_epi32(dot_u8(w[2].a, bx), dot_u8(w[3].a, bx)));
    const __m256i q = _mm256_hadd_epi32(_mm256_hadd_epi32(dot_u8(w[0].b, by), dot_u8(w[1].b, by)),
                                        _mm256_hadd_epi32(dot_u8(w[2].b, by), dot_u8(w[3].b, by)));
    return _mm256_add_epi32(_mm256_permute2x128_si256(p, q, 0x20),
                            _mm256_permute2x128_si256(p, q, 0x31));
  } else {
    // A lane's eight products, and the sum of two lanes (16 * 15 * 127 = 30480), fit into 16 bits:
    // less work than horizontal adds, which shuffle more.
    const __m256i ones = _mm256_set1_epi16(1);
    const __m256i two = _mm256_madd_epi16(
        _mm256_packs_epi32(dot_u4(w[0].a, bx, w[0].b, by), dot_u4(w[1].a, bx, w[1].b, by)), ones);
    const __m256i more = _mm256_madd_epi16(
        _mm256_packs_epi32(dot_u4(w[2].a, bx, w[2].b, by), dot_u4(w[3].a, bx, w[3].b, by)), ones);
    return _mm256_madd_epi16(_mm256_packs_epi32(two, more), ones);
  }
}

PHIAL_INLINE __m256i two_of(int32_t low, int32_t high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_set1_epi32(low)), _mm_set1_epi32(high),
                                 1);
}

struct RowSet {
  const uint8_t* codes[kRows];
  const uint16_t* scales[kRows];
  int32_t row[kRows];
  int count;  // rows to store; those after it repeat the first
};

// Scales and zero points of the group that the loop is in.
template <Format kFormat, bool kAsymmetric>
struct GroupOfRows {
  __m128 scales;
  __m128i zeros;
  PHIAL_INLINE void load(const Matrix& w, const RowSet& rows, int32_t group) {
    scales = _mm_cvtph_ps(_mm_setr_epi16(static_cast<int16_t>(rows.scales[0][group]),
                                         static_cast<int16_t>(rows.scales[1][group]),
                                         static_cast<int16_t>(rows.scales[2][group]),
                                         static_cast<int16_t>(rows.scales[3][group]), 0, 0, 0, 0));
    if constexpr (kAsymmetric) {
      constexpr int32_t kBias = zero_bias(kFormat);
      zeros = _mm_setr_epi32(
          zero_point(w, rows.row[0], group) - kBias, zero_point(w, rows.row[1], group) - kBias,
          zero_point(w, rows.row[2], group) - kBias, zero_point(w, rows.row[3], group) - kBias);
    }
  }
};

// y[t][r] for 4 rows and T tokens of P planes, tokens t0 .. t0 + T of the packed ones.
template <Format kFormat, bool kAsymmetric, int T, int P>
void decode_rows(const Linear& l, const RowSet& rows, const PackedActs& acts, int32_t t0,
                 float (*y)[kRows]) {
  constexpr int32_t kPair = pair_bytes(kFormat);
  constexpr bool kBiased = zero_bias(kFormat) != 0;  // symmetric codes need no offset then
  const int32_t cols = l.w.cols, blocks = act_blocks(cols);
  const int32_t group_blocks = l.w.group == cols ? blocks : l.w.group / kActBlock;
  __m128 inner[T], sum[T];
  PHIAL_UNROLL
  for (int t = 0; t < T; t++) inner[t] = sum[t] = _mm_setzero_ps();

  GroupOfRows<kFormat, kAsymmetric> group;       // of the next block
  int32_t group_index = 0, left = group_blocks;  // blocks left in it
  group.load(l.w, rows, 0);
  const auto end_of_group = [&](__m128 scales) PHIAL_INLINE_LAMBDA {
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) {
      sum[t] = _mm_fmadd_ps(inner[t], scales, sum[t]);
      inner[t] = _mm_setzero_ps();
    }
    left = group_blocks;
    group_index++;
  };

  // Blocks b and b + 1; only the first counts if `second` is false.
  const auto add_pair = [&](const PairCodes<kFormat>* w, int32_t b,
                            bool second) PHIAL_INLINE_LAMBDA {
    // Both are in the same line; what lies past the last block is zero.
    const size_t line = acts.line(b, static_cast<size_t>(t0) * P);
    const int8_t* const codes = acts.lines + line * kLineBytes + block_in_line(kFormat, b);
    const size_t first = line * kLineBlocks + static_cast<size_t>(b % kLineBlocks);
    GroupOfRows<kFormat, kAsymmetric> group_of_second = group;
    if (left == 1 && second) group_of_second.load(l.w, rows, group_index + 1);
    __m256 dots[T];
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) {
      __m256i both = _mm256_setzero_si256();  // planes together
      PHIAL_UNROLL
      for (int p = 0; p < P; p++) {
        const size_t at = first + static_cast<size_t>(t * P + p) * kLineBlocks;
        const int8_t* const x = codes + (t * P + p) * kLineBytes;
        __m256i d =
            pair_dots<kFormat>(w, x, x + (kFormat == Format::kU8 ? kActBlock : kLineBytes / 2));
        if constexpr (kAsymmetric) {
          const __m256i zeros = _mm256_inserti128_si256(_mm256_castsi128_si256(group.zeros),
                                                        group_of_second.zeros, 1);
          const __m256i minus_sums = _mm256_srai_epi32(
              two_of(acts.offsets[at], acts.offsets[at + 1]), symmetric_zero_log2(kFormat));
          d = _mm256_add_epi32(d, _mm256_mullo_epi32(zeros, minus_sums));
        } else if constexpr (!kBiased) {
          d = _mm256_add_epi32(d, two_of(acts.offsets[at], acts.offsets[at + 1]));
        }
        both = p == 0 ? d : _mm256_add_epi32(times_plane_base(both), d);
      }
      dots[t] = _mm256_cvtepi32_ps(both);
      inner[t] = _mm_fmadd_ps(
          _mm256_castps256_ps128(dots[t]),
          _mm_set1_ps(acts.scales[first + static_cast<size_t>(t * P) * kLineBlocks]), inner[t]);
    }
    if (--left == 0) end_of_group(group.scales);
    if (!second) return;
    PHIAL_UNROLL
    for (int t = 0; t < T; t++)
      inner[t] = _mm_fmadd_ps(
          _mm256_extractf128_ps(dots[t], 1),
          _mm_set1_ps(acts.scales[first + 1 + static_cast<size_t>(t * P) * kLineBlocks]), inner[t]);
    group = group_of_second;
    if (--left == 0) {
      end_of_group(group.scales);
      if (b + 2 < blocks) group.load(l.w, rows, group_index);
    }
  };

  const int32_t pairs = cols / (2 * kActBlock);
  for (int32_t p = 0; p < pairs; p++) {
    PairCodes<kFormat> w[kRows];
    PHIAL_UNROLL
    for (int r = 0; r < kRows; r++) {
      const uint8_t* at = rows.codes[r] + static_cast<int64_t>(p) * kPair;
      fetch(at, kCodesAhead);
      w[r].load(at);
    }
    add_pair(w, 2 * p, true);
  }
  if (const int32_t rest = cols - pairs * 2 * kActBlock;
      rest > 0) {  // through a copy: nothing behind the row is read
    const int32_t bytes = kFormat == Format::kU8 ? rest : rest / 2;
    PairCodes<kFormat> w[kRows];
    for (int r = 0; r < kRows; r++) {
      uint8_t copy[kPair] = {};
      __builtin_memcpy(copy, rows.codes[r] + static_cast<int64_t>(pairs) * kPair,
                       static_cast<size_t>(bytes));
      w[r].load(copy);
    }
    add_pair(w, 2 * pairs, rest > kActBlock);
  }
  PHIAL_UNROLL
  for (int t = 0; t < T; t++) _mm_storeu_ps(y[t], sum[t]);
}

// Groups of any number of whole blocks.
struct AnyGroups {
  template <Format kFormat, bool kAsymmetric, int T, int P>
  static PHIAL_INLINE void rows(const Linear& l, const RowSet& rows, const PackedActs& acts,
                                int32_t t0, float (*y)[kRows]) {
    decode_rows<kFormat, kAsymmetric, T, P>(l, rows, acts, t0, y);
  }
};

// Four rows for T tokens from t0 on.
template <class Groups, Format kFormat, bool kAsymmetric, int T, int P>
void decode_and_store(const Linear& l, const RowSet& rows, const PackedActs& acts, int32_t t0) {
  float y[T][kRows];
  Groups::template rows<kFormat, kAsymmetric, T, P>(l, rows, acts, t0, y);
  for (int t = 0; t < T; t++)
    for (int r = 0; r < rows.count; r++) l.y[(t0 + t) * l.y_stride + rows.row[r]] = y[t][r];
}

template <class Groups, Format kFormat, bool kAsymmetric, int P>
void linear_quant_decode(const Linear& l) {
  const PackedActs acts = packed_acts(l.x, l.n_tokens, P, l.w.cols);
  const int64_t row_bytes = kFormat == Format::kU8 ? l.w.cols : l.w.cols / 2,
                groups = l.w.cols / l.w.group;
  const int32_t quarter = (l.row_end - l.row_begin + kRows - 1) / kRows;
  for (int32_t i = l.row_begin; i < l.row_begin + quarter; i++) {
    RowSet rows;
    rows.count = 0;
    for (int r = 0; r < kRows; r++) {
      const bool inside = i + r * quarter < l.row_end;
      const int32_t row = inside ? i + r * quarter : i;  // past the end: computed, not stored
      rows.count += inside;
      rows.row[r] = row;
      rows.codes[r] = static_cast<const uint8_t*>(l.w.data) + row * row_bytes;
      rows.scales[r] = l.w.scales + row * groups;
      for (int64_t bytes = 0; bytes < 2 * groups; bytes += 64)
        fetch(rows.scales[r], kScalesAhead + bytes);
    }
    int32_t t0 = 0;
    for (; t0 + 2 <= l.n_tokens; t0 += 2)  // two tokens share one unpacking
      decode_and_store<Groups, kFormat, kAsymmetric, 2, P>(l, rows, acts, t0);
    if (t0 < l.n_tokens) decode_and_store<Groups, kFormat, kAsymmetric, 1, P>(l, rows, acts, t0);
  }
}

}  // namespace
}  // namespace phial::kernels
