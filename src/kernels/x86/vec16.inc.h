// SPDX-License-Identifier: Apache-2.0
// vec8.inc.h's vocabulary on zmm registers (AVX-512 F, BW, VL, DQ). Local to the file that includes
// it.
#pragma once

#include "kernels/x86/vec8.inc.h"

namespace phial::kernels {
namespace {

struct Vec16 {
  using F = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kTileTokens =
      6;  // linear_float: 4 rows x 6 tokens + 4 rows of weights = 28 of 32 registers
  static constexpr int kScoreRows = 6;     // attend: 6 queries x 4 keys
  static constexpr int kValueVectors = 3;  // attend: 4 queries x 3 vectors of a value
  static constexpr int kPairVectors = 4;   // attend_i16: 6 queries x 4 vectors

  static PHIAL_INLINE F zero() { return _mm512_setzero_ps(); }
  static PHIAL_INLINE F set1(float x) { return _mm512_set1_ps(x); }
  static PHIAL_INLINE F add(F a, F b) { return _mm512_add_ps(a, b); }
  static PHIAL_INLINE F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static PHIAL_INLINE F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static PHIAL_INLINE F div(F a, F b) { return _mm512_div_ps(a, b); }
  static PHIAL_INLINE F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static PHIAL_INLINE F max(F a, F b) { return _mm512_max_ps(a, b); }
  static PHIAL_INLINE F min(F a, F b) { return _mm512_min_ps(a, b); }
  static PHIAL_INLINE F round(F a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static PHIAL_INLINE F zero_if_less(F a, F x, F limit) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_NLT_UQ), a);
  }
  static PHIAL_INLINE F times_power_of_2(F a, F n) { return _mm512_scalef_ps(a, n); }

  static PHIAL_INLINE __m256 halves(F a) {  // lane i + lane i + 8
    return _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  }
  static PHIAL_INLINE __m128 sum4(F a, F b, F c, F d) {
    return sum4_ymm(halves(a), halves(b), halves(c), halves(d));
  }
  static PHIAL_INLINE float sum(F a) { return Vec8::sum(halves(a)); }
  static PHIAL_INLINE float largest(F a) {
    return Vec8::largest(_mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1)));
  }
  using D = __m512d;
  static PHIAL_INLINE D zero_double() { return _mm512_setzero_pd(); }
  static PHIAL_INLINE D add_squares(D sums, F a) {
    const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(a)),
                  high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
    return _mm512_fmadd_pd(high, high, _mm512_fmadd_pd(low, low, sums));
  }
  static PHIAL_INLINE double sum_double(D a) {
    return Vec8::sum_double(_mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1)));
  }

  static PHIAL_INLINE F load(const float* p) { return _mm512_loadu_ps(p); }
  static PHIAL_INLINE void store(float* p, F a) { _mm512_storeu_ps(p, a); }
  static PHIAL_INLINE F load_f16(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static PHIAL_INLINE void store_f16(uint16_t* p, F a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
  }
  static PHIAL_INLINE F load_u8(const uint8_t* p) {
    return _mm512_cvtepi32_ps(
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static PHIAL_INLINE F bf16_to_float(__m256i a) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(a), 16));
  }
  static PHIAL_INLINE F load_bf16(const uint16_t* p) {
    return bf16_to_float(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }

  using I = __m512i;
  static PHIAL_INLINE I zero_int() { return _mm512_setzero_si512(); }
  static PHIAL_INLINE I load_int(const void* p) { return _mm512_loadu_si512(p); }
  static PHIAL_INLINE void store_int(void* p, I a) { _mm512_storeu_si512(p, a); }
  static PHIAL_INLINE I broadcast_int(const void* p) {
    int32_t one;
    __builtin_memcpy(&one, p, sizeof one);
    return _mm512_set1_epi32(one);
  }
  static PHIAL_INLINE F to_float(I a) { return _mm512_cvtepi32_ps(a); }
  static PHIAL_INLINE void store_i16(int16_t* p, F a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(a)));
  }
  static PHIAL_INLINE F split_float(F a, F& e) {
    constexpr int32_t kRootOfHalf = 0x3F3504F3;
    const __m512i above = _mm512_sub_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(kRootOfHalf));
    const __m512i exponent = _mm512_srai_epi32(above, 23);
    e = _mm512_cvtepi32_ps(exponent);
    return _mm512_castsi512_ps(
        _mm512_sub_epi32(_mm512_castps_si512(a), _mm512_slli_epi32(exponent, 23)));
  }

  static PHIAL_INLINE __mmask16 first_lanes(int n) { return static_cast<__mmask16>((1u << n) - 1); }
  static PHIAL_INLINE F load_n(const float* p, int n) {
    return _mm512_maskz_loadu_ps(first_lanes(n), p);
  }
  static PHIAL_INLINE void store_n(float* p, F a, int n) {
    _mm512_mask_storeu_ps(p, first_lanes(n), a);
  }
  static PHIAL_INLINE F load_f16_n(const uint16_t* p, int n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), p));
  }
  static PHIAL_INLINE void store_f16_n(uint16_t* p, F a, int n) {
    _mm256_mask_storeu_epi16(p, first_lanes(n), _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
  }
  static PHIAL_INLINE F load_bf16_n(const uint16_t* p, int n) {
    return bf16_to_float(_mm256_maskz_loadu_epi16(first_lanes(n), p));
  }
};

}  // namespace
}  // namespace phial::kernels
