// SPDX-License-Identifier: Apache-2.0
// linear_u8 and linear_u4 for a few tokens where groups are of 128 columns, as packages have them
// by default: a group is a line of packed activations, and the scales of four groups are had at a
// time. Otherwise as linear_quant_decode.inc.h, with the same bits. Local to the file that includes
// it.
#pragma once

#include <stdint.h>

#include "kernels/x86/linear_quant_decode.inc.h"

namespace phial::kernels {
namespace {

constexpr int32_t kLinesAtATime = 4;

// Does linear_quant_lines do these?
inline bool groups_are_lines(const Matrix& w) {
  return w.group == kLineBytes && w.cols % (kLinesAtATime * kLineBytes) == 0;
}

// Scales of four rows' four groups from `group` on: scales[g], lane r.
PHIAL_INLINE void load_scales(const RowSet& rows, int32_t group, __m128* scales) {
  const auto four = [&](int r) PHIAL_INLINE_LAMBDA {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows.scales[r] + group));
  };
  const __m128i a = _mm_unpacklo_epi16(four(0), four(1)), b = _mm_unpacklo_epi16(four(2), four(3));
  const __m256 low = _mm256_cvtph_ps(_mm_unpacklo_epi32(a, b)),
               high = _mm256_cvtph_ps(_mm_unpackhi_epi32(a, b));
  scales[0] = _mm256_castps256_ps128(low);
  scales[1] = _mm256_extractf128_ps(low, 1);
  scales[2] = _mm256_castps256_ps128(high);
  scales[3] = _mm256_extractf128_ps(high, 1);
}

// Their zero points less zero_bias, as 16 bits (the high halves are 0).
template <Format kFormat>
PHIAL_INLINE void load_zeros(const Matrix& w, const RowSet& rows, int32_t group, __m128i* zeros) {
  int32_t four[kRows];
  for (int r = 0; r < kRows; r++) {
    const int64_t row = rows.row[r], groups = w.cols / kLineBytes;
    if constexpr (kFormat == Format::kU8) {
      __builtin_memcpy(&four[r], w.zero_points + row * groups + group, 4);
    } else {
      uint16_t nibbles;
      __builtin_memcpy(&nibbles, w.zero_points + row * (groups / 2) + group / 2, 2);
      four[r] = nibbles;
    }
  }
  const __m128i all = _mm_setr_epi32(four[0], four[1], four[2], four[3]);
  constexpr int kBits = kFormat == Format::kU8 ? 8 : 4;
  PHIAL_UNROLL
  for (int g = 0; g < kLinesAtATime; g++) {
    const __m128i code =
        _mm_and_si128(_mm_srli_epi32(all, g * kBits), _mm_set1_epi32((1 << kBits) - 1));
    zeros[g] = _mm_and_si128(_mm_sub_epi32(code, _mm_set1_epi32(zero_bias(kFormat))),
                             _mm_set1_epi32(0xFFFF));
  }
}

// The integer part of one plane's two blocks: what has to be added to the raw dots. `zeros`: in
// both lanes.
template <Format kFormat, bool kAsymmetric>
PHIAL_INLINE __m256i add_offsets(__m256i dots, const int32_t* two, __m256i zeros) {
  if constexpr (!kAsymmetric && zero_bias(kFormat) != 0) return dots;
  int64_t both;
  __builtin_memcpy(&both, two, sizeof both);
  const __m256i offsets = _mm256_permutevar8x32_epi32(_mm256_set1_epi64x(both),
                                                      _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
  if constexpr (!kAsymmetric) return _mm256_add_epi32(dots, offsets);
  // 16 x 16 bits: at most 32 * 127 in size
  const __m256i minus_sums = _mm256_srai_epi32(offsets, symmetric_zero_log2(kFormat));
  return _mm256_add_epi32(dots, _mm256_madd_epi16(zeros, minus_sums));
}

// y[t][r] for 4 rows and T tokens of P planes, tokens t0 .. t0 + T of the packed ones.
template <Format kFormat, bool kAsymmetric, int T, int P>
void line_rows(const Linear& l, const RowSet& rows, const PackedActs& acts, int32_t t0,
               float (*y)[kRows]) {
  constexpr int32_t kPair = pair_bytes(kFormat);
  __m128 sum[T];
  PHIAL_UNROLL
  for (int t = 0; t < T; t++) sum[t] = _mm_setzero_ps();
  for (int32_t first = 0; first < l.w.cols / kLineBytes; first += kLinesAtATime) {
    __m128 scales[kLinesAtATime];
    __m128i zeros[kLinesAtATime];
    load_scales(rows, first, scales);
    if constexpr (kAsymmetric) load_zeros<kFormat>(l.w, rows, first, zeros);
    for (int32_t g = 0; g < kLinesAtATime; g++) {
      const size_t line =
          static_cast<size_t>(first + g) * acts.stride + static_cast<size_t>(t0) * P;
      const int8_t* const codes = acts.lines + line * kLineBytes;
      const int32_t* const offsets = acts.offsets + line * kLineBlocks;
      const float* const act_scales = acts.scales + line * kLineBlocks;
      const __m256i zeros_twice =
          kAsymmetric ? _mm256_broadcastsi128_si256(zeros[g]) : _mm256_setzero_si256();
      __m128 inner[T];
      PHIAL_UNROLL
      for (int h = 0; h < 2; h++) {  // blocks 2 h and 2 h + 1
        PairCodes<kFormat> w[kRows];
        PHIAL_UNROLL
        for (int r = 0; r < kRows; r++) {
          const uint8_t* at = rows.codes[r] + static_cast<int64_t>((first + g) * 2 + h) * kPair;
          if (kFormat == Format::kU8 || h == 0) fetch(at, kCodesAhead);
          w[r].load(at);
        }
        PHIAL_UNROLL
        for (int t = 0; t < T; t++) {
          __m256i dots = _mm256_setzero_si256();  // planes together
          PHIAL_UNROLL
          for (int p = 0; p < P; p++) {
            const int plane = t * P + p;
            const int8_t* const x = codes + plane * kLineBytes + block_in_line(kFormat, 2 * h);
            const __m256i raw =
                pair_dots<kFormat>(w, x, x + (kFormat == Format::kU8 ? kActBlock : kLineBytes / 2));
            const __m256i d = add_offsets<kFormat, kAsymmetric>(
                raw, offsets + plane * kLineBlocks + 2 * h, zeros_twice);
            dots = p == 0 ? d : _mm256_add_epi32(times_plane_base(dots), d);
          }
          const __m256 floats = _mm256_cvtepi32_ps(dots);
          const float* const s = act_scales + t * P * kLineBlocks + 2 * h;
          const __m128 one = _mm256_castps256_ps128(floats);
          inner[t] = h == 0 ? _mm_mul_ps(one, _mm_set1_ps(s[0]))
                            : _mm_fmadd_ps(one, _mm_set1_ps(s[0]), inner[t]);
          inner[t] = _mm_fmadd_ps(_mm256_extractf128_ps(floats, 1), _mm_set1_ps(s[1]), inner[t]);
        }
      }
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) sum[t] = _mm_fmadd_ps(inner[t], scales[g], sum[t]);
    }
  }
  PHIAL_UNROLL
  for (int t = 0; t < T; t++) _mm_storeu_ps(y[t], sum[t]);
}

struct Lines8 {
  // From here on the transposing path is faster (bench/kernels, docs/decisions/0005-kernels.md).
  static constexpr int32_t kPrefillTokens = 4;

  template <Format kFormat, bool kAsymmetric, int T, int P>
  static PHIAL_INLINE void rows(const Linear& l, const RowSet& rows, const PackedActs& acts,
                                int32_t t0, float (*y)[kRows]) {
    line_rows<kFormat, kAsymmetric, T, P>(l, rows, acts, t0, y);
  }
};

}  // namespace
}  // namespace phial::kernels
