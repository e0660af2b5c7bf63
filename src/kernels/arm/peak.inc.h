// SPDX-License-Identifier: Apache-2.0
// How fast SDOT goes when nothing is read or written. Local to the file that includes it.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

namespace phial::kernels {
namespace {

inline uint64_t int8_peak(uint64_t rounds) {
  constexpr int kSums = 16;
  int8x16_t x = vdupq_n_s8(3), y = vdupq_n_s8(5);
  int32x4_t sums[kSums];
  for (int i = 0; i < kSums; i++) sums[i] = vdupq_n_s32(0);
  for (uint64_t round = 0; round < rounds; round++) {
    // The operands are made new, so that no product is moved out of the loop.
    __asm__ volatile("" : "+w"(x), "+w"(y));
    for (int i = 0; i < kSums; i++) sums[i] = vdotq_s32(sums[i], x, y);
  }
  for (int i = 0; i < kSums; i++) __asm__ volatile("" ::"w"(sums[i]));
  return rounds * kSums * 16 * 2;
}

}  // namespace
}  // namespace phial::kernels
