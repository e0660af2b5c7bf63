// SPDX-License-Identifier: Apache-2.0
// The integer dot product, the one thing in which the ymm tiers differ. The including file sets
// PHIAL_DOT:
//   0  AVX2: vpmaddubsw, vpmaddwd      1  AVX-VNNI (VEX)      2  AVX512-VNNI on ymm (EVEX)
// Local to the file that includes it.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "kernels/kernels.h"
#include "kernels/x86/vec8.inc.h"

namespace phial::kernels {
namespace {

#if PHIAL_DOT == 0

// vpmaddubsw adds two u8 x s8 products in 16 bits with saturation. u8 codes up to 255 would
// saturate, so they are taken as code - 128 with the sign moved to the activation: 2 * 128 * 127 =
// 32512 fits. This is what the zero points below have to be reduced by.
constexpr int32_t zero_bias(Format format) { return format == Format::kU8 ? 128 : 0; }

PHIAL_INLINE __m256i pair_sums(__m256i x) { return _mm256_madd_epi16(x, _mm256_set1_epi16(1)); }

// Signed weights (code ^ 0x80) as two vpmaddubsw operands.
PHIAL_INLINE __m256i signed_products(__m256i w, __m256i acts) {
  return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(acts, w));
}

// 32 u4 codes a vector; 2 * 2 * 15 * 127 = 7620 fits into 16 bits.
PHIAL_INLINE __m256i dot_u4(__m256i even_codes, __m256i even_acts, __m256i odd_codes,
                            __m256i odd_acts) {
  return pair_sums(_mm256_add_epi16(_mm256_maddubs_epi16(even_codes, even_acts),
                                    _mm256_maddubs_epi16(odd_codes, odd_acts)));
}

// 32 u8 codes: sum of (code - 128) * act.
PHIAL_INLINE __m256i dot_u8(__m256i codes, __m256i acts) {
  return pair_sums(signed_products(_mm256_xor_si256(codes, _mm256_set1_epi8(-128)), acts));
}

#else

constexpr int32_t zero_bias(Format) { return 0; }

// acc += u x s, four products a lane. Inline assembly, as gcc 12 copies and spills the accumulators
// of a register tile around the intrinsic (measured: 0.61 of the peak becomes 0.44).
PHIAL_INLINE void add_dots(__m256i& acc, __m256i u, __m256i s) {
#if PHIAL_DOT == 1 && defined(__clang__)
  acc = _mm256_dpbusd_avx_epi32(acc, u, s);
#elif PHIAL_DOT == 1
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(u), "x"(s));
#elif defined(__clang__)
  acc = _mm256_dpbusd_epi32(acc, u, s);
#else
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(s));
#endif
}

PHIAL_INLINE __m256i dot_u4(__m256i even_codes, __m256i even_acts, __m256i odd_codes,
                            __m256i odd_acts) {
  __m256i acc = _mm256_setzero_si256();
  add_dots(acc, even_codes, even_acts);
  add_dots(acc, odd_codes, odd_acts);
  return acc;
}

PHIAL_INLINE __m256i dot_u8(__m256i codes, __m256i acts) {
  __m256i acc = _mm256_setzero_si256();
  add_dots(acc, codes, acts);
  return acc;
}

#endif

// acc += products of pairs of int16, two a lane.
PHIAL_INLINE void add_pair_dots(__m256i& acc, __m256i a, __m256i b) {
#if PHIAL_DOT == 0
  acc = _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
#elif PHIAL_DOT == 1 && defined(__clang__)
  acc = _mm256_dpwssd_avx_epi32(acc, a, b);
#elif PHIAL_DOT == 1
  __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(acc) : "x"(a), "x"(b));
#elif defined(__clang__)
  acc = _mm256_dpwssd_epi32(acc, a, b);
#else
  __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
#endif
}

#if defined(PHIAL_ZMM)
PHIAL_INLINE void add_pair_dots(__m512i& acc, __m512i a, __m512i b) {
#if defined(__clang__)
  acc = _mm512_dpwssd_epi32(acc, a, b);
#else
  __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
#endif
}
#endif

PHIAL_INLINE __m256i times_plane_base(__m256i x) {
  static_assert(kPlaneBase == 256 - 2, "shifts");
  return _mm256_sub_epi32(_mm256_slli_epi32(x, 8), _mm256_slli_epi32(x, 1));
}

}  // namespace
}  // namespace phial::kernels
