// SPDX-License-Identifier: Apache-2.0
// How fast this tier's integer dot product goes when nothing is read or written: what the percent
// figures of `phial bench` are percents of. Local to the file that includes it.
#pragma once

#include "kernels/x86/dot.inc.h"

namespace phial::kernels {
namespace {

// As many sums as the linear kernels' register tiles have.
inline uint64_t int8_peak8(uint64_t rounds) {
  constexpr int kSums = 12;
  __m256i u = _mm256_set1_epi8(3), s = _mm256_set1_epi8(5), sums[kSums];
  PHIAL_UNROLL
  for (int i = 0; i < kSums; i++) sums[i] = _mm256_setzero_si256();
  for (uint64_t round = 0; round < rounds; round++) {
    // The operands are made new, so that no product is moved out of the loop.
    __asm__ volatile("" : "+x"(u), "+x"(s));
    PHIAL_UNROLL
    for (int i = 0; i < kSums; i++) {
#if PHIAL_DOT == 0
      sums[i] = _mm256_add_epi32(sums[i], pair_sums(_mm256_maddubs_epi16(u, s)));
#else
      add_dots(sums[i], u, s);
#endif
    }
  }
  PHIAL_UNROLL
  for (int i = 0; i < kSums; i++) __asm__ volatile("" ::"x"(sums[i]));
  return rounds * kSums * 32 * 2;
}

#if defined(PHIAL_ZMM)
inline uint64_t int8_peak16(uint64_t rounds) {
  constexpr int kSums = 24;
  __m512i u = _mm512_set1_epi8(3), s = _mm512_set1_epi8(5), sums[kSums];
  PHIAL_UNROLL
  for (int i = 0; i < kSums; i++) sums[i] = _mm512_setzero_si512();
  for (uint64_t round = 0; round < rounds; round++) {
    __asm__ volatile("" : "+v"(u), "+v"(s));
    PHIAL_UNROLL
    for (int i = 0; i < kSums; i++) {
#if defined(__clang__)
      sums[i] = _mm512_dpbusd_epi32(sums[i], u, s);
#else
      __asm__("vpdpbusd %2, %1, %0" : "+v"(sums[i]) : "v"(u), "v"(s));
#endif
    }
  }
  PHIAL_UNROLL
  for (int i = 0; i < kSums; i++) __asm__ volatile("" ::"v"(sums[i]));
  return rounds * kSums * 64 * 2;
}
#endif

}  // namespace
}  // namespace phial::kernels
