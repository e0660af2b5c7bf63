// SPDX-License-Identifier: Apache-2.0
// The blocking of attend and what it needs of scratch; shared by the kernels and
// attend_scratch_floats(). Local to the file that includes it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

namespace phial::kernels {
namespace {

// Keys per step of the online softmax. Blocks begin at multiples of it in absolute position, so
// that a token's sums run in the same order whatever else is in its batch. 64 x 96 f32 keys and
// values are 48 KiB: they stay in L2, and the 64 scores of a query in L1.
constexpr int32_t kKeyBlock = kKvBlock;

// Query rows (token x head) that share one reading of a key block.
constexpr int32_t kQueryBlock = 48;

inline int32_t padded_head_dim(int32_t head_dim) {
  return (head_dim + 15) / 16 * 16;
}  // whole zmm vectors

// q and sums [kQueryBlock][padded], keys and values [kKeyBlock][padded], scores
// [kQueryBlock][kKeyBlock], running maximum and sum [kQueryBlock], slack for aligning the start to
// 64 bytes.
inline size_t attend_scratch(int32_t head_dim) {
  const size_t padded = static_cast<size_t>(padded_head_dim(head_dim));
  return padded * (2 * kQueryBlock + 2 * kKeyBlock) +
         static_cast<size_t>(kQueryBlock) * (kKeyBlock + 2) + 16;
}

inline float* aligned_scratch(float* scratch) {
  return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(scratch) + 63) &
                                  ~static_cast<uintptr_t>(63));
}

inline int32_t min_of(int32_t a, int32_t b) { return a < b ? a : b; }
inline int32_t max_of(int32_t a, int32_t b) { return a > b ? a : b; }

// First key that the token at `position` sees.
inline int32_t first_key(int32_t position, int32_t window) {
  return window > 0 ? max_of(0, position - window + 1) : 0;
}

}  // namespace
}  // namespace phial::kernels
