// SPDX-License-Identifier: Apache-2.0
// The matrices of tools/oracle/quant_nncf.py, made by the same integer formula.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tensor/half.h"

namespace phial {

inline float to_bf16(float x) { return bf16_to_f32(f32_to_bf16(x)); }

// [rows][cols], bfloat16 values in float32.
inline std::vector<float> oracle_weights(int64_t rows, int64_t cols, uint32_t seed) {
  std::vector<float> w(static_cast<size_t>(rows * cols));
  for (int64_t i = 0; i < rows * cols; ++i) {
    uint64_t h = (static_cast<uint64_t>(i) + uint64_t{seed} * 1000003) * 0x9E3779B97F4A7C15ull;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9ull;
    h ^= h >> 32;
    int64_t s = -131070;
    for (int k = 0; k < 4; ++k) s += static_cast<int64_t>((h >> (16 * k)) & 0xFFFF);
    float x = static_cast<float>(s) * 0x1p-20f;
    if (s % 97 == 0) x *= 8;
    const int64_t c = i % cols;
    switch (i / cols) {
      case 0:
        x = 0;
        break;
      case 1:
        x = 0.3125f;
        break;
      case 2:
        x = -0.40625f;
        break;
      case 3:
        x = std::fabs(x);
        break;
      case 4:
        x = -std::fabs(x);
        break;
      case 5:
        x *= 0x1p-21f;
        break;
      case 6:
        x *= 0x1p-17f;
        break;
      case 7:
        x = c >= 32 && c < 64 ? 0.0f : x;
        break;
      case 8:
        x += 4;
        break;
      case 9:
        x = 0.125f * std::nearbyint(x * 64);
        break;
      default:
        break;
    }
    w[static_cast<size_t>(i)] = to_bf16(x);
  }
  return w;
}

}  // namespace phial
