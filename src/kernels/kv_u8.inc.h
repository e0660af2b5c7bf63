// SPDX-License-Identifier: Apache-2.0
// A row of KvType::kU8 from floats. Plain loops, which a compiler turns into the vectors of the
// including file's tier; the same bits on all. Local to the file that includes it.
#pragma once

#include <stdint.h>

#include "kernels/kernels.h"

namespace phial::kernels {
namespace {

inline void f32_to_u8(const float* x, int32_t n, uint8_t* y) {
  float least = x[0], largest = x[0];
  for (int32_t i = 1; i < n; i++) {
    least = x[i] < least ? x[i] : least;
    largest = x[i] > largest ? x[i] : largest;
  }
  const float range = largest - least;
  const bool flat = !(range > 0);
  const float scale = flat ? 0.0f : range / 255.0f, inverse = flat ? 0.0f : 255.0f / range;
  for (int32_t i = 0; i < n; i++) {
    // 1.5 * 2^23: the sum's last bits are the number, rounded to nearest even.
    const float shifted = (x[i] - least) * inverse + 12582912.0f;
    uint32_t bits;
    __builtin_memcpy(&bits, &shifted, sizeof bits);
    y[i] = static_cast<uint8_t>(bits);
  }
  __builtin_memcpy(y + n, &scale, sizeof scale);
  __builtin_memcpy(y + n + 4, &least, sizeof least);
}

// A row's scale and offset.
inline void u8_tail(const uint8_t* row, int32_t n, float* scale, float* offset) {
  __builtin_memcpy(scale, row + n, sizeof *scale);
  __builtin_memcpy(offset, row + n + 4, sizeof *offset);
}

}  // namespace
}  // namespace phial::kernels
