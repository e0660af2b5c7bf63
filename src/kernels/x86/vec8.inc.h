// SPDX-License-Identifier: Apache-2.0
// The few vector operations that the float kernels are written in, on ymm registers (AVX2, FMA,
// F16C). vec16.inc.h has the same names on zmm; a tier includes one of them. Local to the file that
// includes it.
#pragma once

#include <immintrin.h>
#include <stdint.h>

// Loops over register tiles have to be unrolled whole, else the tile lives in memory.
#if defined(__clang__)
#define PHIAL_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PHIAL_UNROLL _Pragma("GCC unroll 64")
#endif
#define PHIAL_INLINE inline __attribute__((always_inline))
#define PHIAL_INLINE_LAMBDA __attribute__((always_inline))

namespace phial::kernels {
namespace {

// Sums of four vectors, as four lanes; each in the order ((0+1)+(2+3)) + ((4+5)+(6+7)).
PHIAL_INLINE __m128 sum4_ymm(__m256 a, __m256 b, __m256 c, __m256 d) {
  const __m256 t = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  return _mm_add_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
}

struct Vec8 {
  using F = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kTileTokens =
      3;  // linear_float: 4 rows x 3 tokens + 4 rows of weights = 16 registers
  static constexpr int kScoreRows = 3;     // attend: 3 queries x 4 keys
  static constexpr int kValueVectors = 2;  // attend: 4 queries x 2 vectors of a value
  static constexpr int kPairVectors = 2;   // attend_i16: 6 queries x 2 vectors

  static PHIAL_INLINE F zero() { return _mm256_setzero_ps(); }
  static PHIAL_INLINE F set1(float x) { return _mm256_set1_ps(x); }
  static PHIAL_INLINE F add(F a, F b) { return _mm256_add_ps(a, b); }
  static PHIAL_INLINE F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static PHIAL_INLINE F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static PHIAL_INLINE F div(F a, F b) { return _mm256_div_ps(a, b); }
  static PHIAL_INLINE F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static PHIAL_INLINE F max(F a, F b) {
    return _mm256_max_ps(a, b);
  }  // the second if either is NaN
  static PHIAL_INLINE F min(F a, F b) { return _mm256_min_ps(a, b); }
  static PHIAL_INLINE F round(F a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  // a where x < limit is false (NaN included), else 0
  static PHIAL_INLINE F zero_if_less(F a, F x, F limit) {
    return _mm256_and_ps(a, _mm256_cmp_ps(x, limit, _CMP_NLT_UQ));
  }
  // a * 2^n for whole n in [-126, 127]
  static PHIAL_INLINE F times_power_of_2(F a, F n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
  }

  static PHIAL_INLINE __m128 sum4(F a, F b, F c, F d) { return sum4_ymm(a, b, c, d); }
  static PHIAL_INLINE float sum(F a) { return _mm_cvtss_f32(sum4_ymm(a, a, a, a)); }
  static PHIAL_INLINE float largest(F a) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
  }
  // sum of squares in double precision, added to `sums`
  using D = __m256d;
  static PHIAL_INLINE D zero_double() { return _mm256_setzero_pd(); }
  static PHIAL_INLINE D add_squares(D sums, F a) {
    const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(a)),
                  high = _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
    return _mm256_fmadd_pd(high, high, _mm256_fmadd_pd(low, low, sums));
  }
  static PHIAL_INLINE double sum_double(D a) {
    const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
  }

  static PHIAL_INLINE F load(const float* p) { return _mm256_loadu_ps(p); }
  static PHIAL_INLINE void store(float* p, F a) { _mm256_storeu_ps(p, a); }
  static PHIAL_INLINE F load_f16(const uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static PHIAL_INLINE void store_f16(uint16_t* p, F a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
  }
  static PHIAL_INLINE F load_u8(const uint8_t* p) {
    return _mm256_cvtepi32_ps(
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static PHIAL_INLINE F load_bf16(const uint16_t* p) {
    const __m256i wide =
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }

  // Integers: lanes of 32 bits, and pairs of 16 bits in them.
  using I = __m256i;
  static PHIAL_INLINE I zero_int() { return _mm256_setzero_si256(); }
  static PHIAL_INLINE I load_int(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
  static PHIAL_INLINE void store_int(void* p, I a) {
    _mm256_storeu_si256(static_cast<__m256i*>(p), a);
  }
  static PHIAL_INLINE I broadcast_int(const void* p) {
    int32_t one;
    __builtin_memcpy(&one, p, sizeof one);
    return _mm256_set1_epi32(one);
  }
  static PHIAL_INLINE F to_float(I a) { return _mm256_cvtepi32_ps(a); }
  // rounded to nearest even; all in 16 bits
  static PHIAL_INLINE void store_i16(int16_t* p, F a) {
    const __m256i wide = _mm256_cvtps_epi32(a);
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(p),
        _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1)));
  }
  // a = m * 2^e with m in [sqrt(1/2), sqrt(2)): m, and e as a float; for normal a > 0
  static PHIAL_INLINE F split_float(F a, F& e) {
    constexpr int32_t kRootOfHalf = 0x3F3504F3;
    const __m256i above = _mm256_sub_epi32(_mm256_castps_si256(a), _mm256_set1_epi32(kRootOfHalf));
    const __m256i exponent = _mm256_srai_epi32(above, 23);
    e = _mm256_cvtepi32_ps(exponent);
    return _mm256_castsi256_ps(
        _mm256_sub_epi32(_mm256_castps_si256(a), _mm256_slli_epi32(exponent, 23)));
  }

  // The first n < kLanes elements, the rest 0; nothing behind them is touched.
  static PHIAL_INLINE __m256i first_lanes(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static PHIAL_INLINE F load_n(const float* p, int n) {
    return _mm256_maskload_ps(p, first_lanes(n));
  }
  static PHIAL_INLINE void store_n(float* p, F a, int n) {
    _mm256_maskstore_ps(p, first_lanes(n), a);
  }
  static PHIAL_INLINE F load_f16_n(const uint16_t* p, int n) {
    alignas(16) uint16_t copy[kLanes] = {};
    for (int i = 0; i < n; i++) copy[i] = p[i];
    return load_f16(copy);
  }
  static PHIAL_INLINE void store_f16_n(uint16_t* p, F a, int n) {
    alignas(16) uint16_t copy[kLanes];
    store_f16(copy, a);
    for (int i = 0; i < n; i++) p[i] = copy[i];
  }
  static PHIAL_INLINE F load_bf16_n(const uint16_t* p, int n) {
    alignas(16) uint16_t copy[kLanes] = {};
    for (int i = 0; i < n; i++) copy[i] = p[i];
    return load_bf16(copy);
  }
};

}  // namespace
}  // namespace phial::kernels
