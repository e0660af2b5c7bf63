// SPDX-License-Identifier: Apache-2.0
// pack_u8 and pack_u4 on ymm registers, to the bit what the scalar tier writes. Local to the file
// that includes it.
#pragma once

#include <stdint.h>

#include "kernels/packed_layout.inc.h"
#include "kernels/x86/vec8.inc.h"

namespace phial::kernels {
namespace {

// 32 codes in column order from four vectors of whole floats.
PHIAL_INLINE __m256i narrow(const __m256* x) {
  const __m256i ab = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
  const __m256i cd = _mm256_packs_epi32(_mm256_cvtps_epi32(x[2]), _mm256_cvtps_epi32(x[3]));
  // packs works in 128-bit lanes: dwords come out as a0 b0 c0 d0 | a1 b1 c1 d1
  return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(ab, cd),
                                     _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

// 16 even columns, then 16 odd ones.
PHIAL_INLINE __m256i evens_then_odds(__m256i codes) {
  const __m256i in_lanes = _mm256_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15, 0,
                                            2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
  return _mm256_permute4x64_epi64(_mm256_shuffle_epi8(codes, in_lanes), 0xD8);
}

PHIAL_INLINE int32_t sum_of_codes(__m256i codes) {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), codes);
  const __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
  s = _mm_add_epi32(s, _mm_unpackhi_epi64(s, s));
  return _mm_cvtsi128_si32(s) + _mm_extract_epi32(s, 1);
}

// One plane of a block: codes, sum.
template <Format kFormat>
PHIAL_INLINE void store_plane(const __m256* whole, const PackedActs& acts, size_t line,
                              int32_t block, float scale) {
  __m256i codes = narrow(whole);
  if constexpr (kFormat == Format::kU4) codes = evens_then_odds(codes);
  int8_t* to = const_cast<int8_t*>(acts.lines) + line * kLineBytes + block_in_line(kFormat, block);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(codes));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + half_distance(kFormat)),
                   _mm256_extracti128_si256(codes, 1));
  const size_t at = line * kLineBlocks + static_cast<size_t>(block % kLineBlocks);
  const_cast<float*>(acts.scales)[at] = scale;
  const_cast<int32_t*>(acts.offsets)[at] = -symmetric_zero(kFormat) * sum_of_codes(codes);
}

template <Format kFormat>
void pack(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
          int32_t end, void* packed) {
  const PackedActs acts = packed_acts(packed, n_tokens, planes, cols);
  const __m256 no_sign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF));
  for (int32_t t = begin; t < end; t++) {
    for (int32_t b = 0; b < act_lines(cols) * kLineBlocks; b++) {
      const float* p = x + static_cast<int64_t>(t) * cols + b * kActBlock;
      const int32_t count = cols - b * kActBlock;
      __m256 v[4], largest = _mm256_setzero_ps();
      for (int i = 0; i < 4; i++) {
        v[i] = count >= (i + 1) * 8 ? _mm256_loadu_ps(p + i * 8)
               : count > i * 8      ? Vec8::load_n(p + i * 8, count - i * 8)
                                    : _mm256_setzero_ps();
        largest = _mm256_max_ps(_mm256_and_ps(v[i], no_sign), largest);
      }
      const float max = Vec8::largest(largest);
      const bool zero = !(max >= kSmallestActs);
      const float scale = zero ? 0.0f : max / largest_code(planes);
      const __m256 inverse = _mm256_set1_ps(zero ? 0.0f : largest_code(planes) / max);
      for (int i = 0; i < 4; i++) v[i] = _mm256_mul_ps(v[i], inverse);
      const size_t line = acts.line(b, static_cast<size_t>(t) * static_cast<size_t>(planes));
      if (planes == 1) {
        store_plane<kFormat>(v, acts, line, b, scale);
        continue;
      }
      __m256 high[4];
      for (int i = 0; i < 4; i++) {
        constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        const __m256 code = _mm256_round_ps(v[i], kNearest);
        high[i] = _mm256_round_ps(_mm256_mul_ps(code, _mm256_set1_ps(kInversePlaneBase)), kNearest);
        v[i] = _mm256_fnmadd_ps(high[i], _mm256_set1_ps(static_cast<float>(kPlaneBase)), code);
      }
      store_plane<kFormat>(high, acts, line, b, scale);
      store_plane<kFormat>(v, acts, line + 1, b, scale);
    }
  }
}

}  // namespace
}  // namespace phial::kernels
