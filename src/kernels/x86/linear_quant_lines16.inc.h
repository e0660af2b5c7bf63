// SPDX-License-Identifier: Apache-2.0
// linear_quant_lines.inc.h on zmm registers: a line of a row is one register of u4. The float part
// runs over four groups and four rows at a time. The same bits. Local to the file that includes it.
#pragma once

#include <stdint.h>

#include "kernels/x86/linear_quant_lines.inc.h"
#include "kernels/x86/tile16.inc.h"

namespace phial::kernels {
namespace {

// Codes of a row's line, as dot operands. u8: the first and the last 64 columns; u4: even and odd
// ones.
template <Format kFormat>
struct LineCodes {
  __m512i a, b;
  PHIAL_INLINE void load(const uint8_t* p) {
    if constexpr (kFormat == Format::kU8) {
      a = _mm512_loadu_si512(p);
      b = _mm512_loadu_si512(p + 64);
    } else {
      const __m512i low = _mm512_set1_epi8(15), bytes = _mm512_loadu_si512(p);
      a = _mm512_and_si512(bytes, low);
      b = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), low);
    }
  }
};

// Each lane of 128 bits: the sums of the rows' lanes.
PHIAL_INLINE __m512i fold(const __m512i* d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(d[0], d[1]),
                                      _mm512_unpackhi_epi32(d[0], d[1])),
                cd = _mm512_add_epi32(_mm512_unpacklo_epi32(d[2], d[3]),
                                      _mm512_unpackhi_epi32(d[2], d[3]));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

// The same for u4, in 16 bits: why it fits, pair_dots in linear_quant_decode.inc.h.
PHIAL_INLINE __m512i fold_u4(const __m512i* d) {
  const __m512i ones = _mm512_set1_epi16(1);
  const __m512i ab = _mm512_madd_epi16(_mm512_packs_epi32(d[0], d[1]), ones),
                cd = _mm512_madd_epi16(_mm512_packs_epi32(d[2], d[3]), ones);
  return _mm512_madd_epi16(_mm512_packs_epi32(ab, cd), ones);
}

// Lane 4 * b + r: row r's dot of the line's block b.
template <Format kFormat>
PHIAL_INLINE __m512i line_dots(const LineCodes<kFormat>* w, const int8_t* line) {
  const __m512i x = _mm512_loadu_si512(line), y = _mm512_loadu_si512(line + 64);
  __m512i a[kRows], b[kRows];
  PHIAL_UNROLL
  for (int r = 0; r < kRows; r++) {
    a[r] = b[r] = _mm512_setzero_si512();
    Tile16::add_dots16(a[r], w[r].a, x);
    Tile16::add_dots16(kFormat == Format::kU8 ? b[r] : a[r], w[r].b, y);
  }
  if constexpr (kFormat == Format::kU4) return fold_u4(a);
  const __m512i low = fold(a), high = fold(b);  // two lanes of 128 bits a block
  return _mm512_add_epi32(_mm512_shuffle_i32x4(low, high, 0x88),
                          _mm512_shuffle_i32x4(low, high, 0xDD));
}

// `four` in lanes of 128 bits each.
PHIAL_INLINE __m512i spread(__m128i four) {
  return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
                                  _mm512_castsi128_si512(four));
}

// The integer part of a plane's line.
template <Format kFormat, bool kAsymmetric>
PHIAL_INLINE __m512i plane_dots(const LineCodes<kFormat>* w, const int8_t* line,
                                const int32_t* offsets, __m512i zeros) {
  const __m512i four = spread(_mm_loadu_si128(reinterpret_cast<const __m128i*>(offsets)));
  const __m512i raw = line_dots<kFormat>(w, line);
  if constexpr (!kAsymmetric) return _mm512_add_epi32(raw, four);
  // 16 x 16 bits: at most 32 * 127 in size
  const __m512i minus_sums = _mm512_srai_epi32(four, symmetric_zero_log2(kFormat));
  return _mm512_add_epi32(raw, _mm512_madd_epi16(zeros, minus_sums));
}

// Lane 4 * b + r of d[g] becomes lane 4 * g + r of d[b].
PHIAL_INLINE void groups_to_lanes(__m512* d) {
  const __m512 a = _mm512_shuffle_f32x4(d[0], d[1], 0x44),
               b = _mm512_shuffle_f32x4(d[0], d[1], 0xEE),
               c = _mm512_shuffle_f32x4(d[2], d[3], 0x44),
               e = _mm512_shuffle_f32x4(d[2], d[3], 0xEE);
  d[0] = _mm512_shuffle_f32x4(a, c, 0x88);
  d[1] = _mm512_shuffle_f32x4(a, c, 0xDD);
  d[2] = _mm512_shuffle_f32x4(b, e, 0x88);
  d[3] = _mm512_shuffle_f32x4(b, e, 0xDD);
}

// Sums of four groups, weighted and added one after the other. dots[g], lane 4 * b + r.
PHIAL_INLINE __m128 add_groups(__m512* dots, const float* act_scales, size_t act_stride,
                               const __m128* scales, __m128 sum) {
  groups_to_lanes(dots);
  __m512 s = _mm512_castps128_ps512(_mm_loadu_ps(act_scales));
  s = _mm512_insertf32x4(s, _mm_loadu_ps(act_scales + act_stride), 1);
  s = _mm512_insertf32x4(s, _mm_loadu_ps(act_scales + 2 * act_stride), 2);
  s = _mm512_insertf32x4(s, _mm_loadu_ps(act_scales + 3 * act_stride), 3);
  __m512 inner = _mm512_mul_ps(dots[0], _mm512_permute_ps(s, 0x00));
  inner = _mm512_fmadd_ps(dots[1], _mm512_permute_ps(s, 0x55), inner);
  inner = _mm512_fmadd_ps(dots[2], _mm512_permute_ps(s, 0xAA), inner);
  inner = _mm512_fmadd_ps(dots[3], _mm512_permute_ps(s, 0xFF), inner);
  sum = _mm_fmadd_ps(_mm512_castps512_ps128(inner), scales[0], sum);
  sum = _mm_fmadd_ps(_mm512_extractf32x4_ps(inner, 1), scales[1], sum);
  sum = _mm_fmadd_ps(_mm512_extractf32x4_ps(inner, 2), scales[2], sum);
  return _mm_fmadd_ps(_mm512_extractf32x4_ps(inner, 3), scales[3], sum);
}

struct Lines16 {
  static constexpr int32_t kPrefillTokens = 4;  // as in Lines8

  template <Format kFormat, bool kAsymmetric, int T, int P>
  static void rows(const Linear& l, const RowSet& rows, const PackedActs& acts, int32_t t0,
                   float (*y)[kRows]) {
    constexpr int32_t kBytes = 2 * pair_bytes(kFormat);
    __m128 sum[T];
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) sum[t] = _mm_setzero_ps();
    for (int32_t first = 0; first < l.w.cols / kLineBytes; first += kLinesAtATime) {
      __m128 scales[kLinesAtATime];
      __m128i zeros[kLinesAtATime];
      load_scales(rows, first, scales);
      if constexpr (kAsymmetric) load_zeros<kFormat>(l.w, rows, first, zeros);
      const size_t line = static_cast<size_t>(first) * acts.stride + static_cast<size_t>(t0) * P;
      __m512 dots[T][kLinesAtATime];
      PHIAL_UNROLL
      for (int g = 0; g < kLinesAtATime; g++) {
        LineCodes<kFormat> w[kRows];
        PHIAL_UNROLL
        for (int r = 0; r < kRows; r++) {
          const uint8_t* at = rows.codes[r] + static_cast<int64_t>(first + g) * kBytes;
          PHIAL_UNROLL
          for (int32_t more = 0; more < kBytes; more += 64) fetch(at, kCodesAhead + more);
          w[r].load(at);
        }
        const __m512i zeros_all =
            kAsymmetric ? _mm512_broadcast_i32x4(zeros[g]) : _mm512_setzero_si512();
        PHIAL_UNROLL
        for (int t = 0; t < T; t++) {
          __m512i both = _mm512_setzero_si512();  // planes together
          PHIAL_UNROLL
          for (int p = 0; p < P; p++) {
            const size_t at =
                line + static_cast<size_t>(g) * acts.stride + static_cast<size_t>(t * P + p);
            const __m512i d = plane_dots<kFormat, kAsymmetric>(
                w, acts.lines + at * kLineBytes, acts.offsets + at * kLineBlocks, zeros_all);
            both = p == 0 ? d : _mm512_add_epi32(Tile16::times_plane_base16(both), d);
          }
          dots[t][g] = _mm512_cvtepi32_ps(both);
        }
      }
      PHIAL_UNROLL
      for (int t = 0; t < T; t++)
        sum[t] =
            add_groups(dots[t], acts.scales + (line + static_cast<size_t>(t * P)) * kLineBlocks,
                       acts.stride * kLineBlocks, scales, sum[t]);
    }
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) _mm_storeu_ps(y[t], sum[t]);
  }
};

}  // namespace
}  // namespace phial::kernels
