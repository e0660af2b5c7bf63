// SPDX-License-Identifier: Apache-2.0
// float16 (IEEE binary16) and bfloat16 as bits, converted one value at a time with round to nearest
// even. The fast conversions of whole rows are kernels.
#pragma once

#include <bit>
#include <cstdint>

namespace phial {

inline float bf16_to_f32(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

inline uint16_t f32_to_bf16(float value) {
  const uint32_t u = std::bit_cast<uint32_t>(value);
  if ((u & 0x7FFFFFFF) > 0x7F800000)
    return static_cast<uint16_t>((u >> 16) | 0x40);  // a quiet NaN stays one
  return static_cast<uint16_t>((u + 0x7FFF + ((u >> 16) & 1)) >> 16);
}

float f16_to_f32(uint16_t bits);
uint16_t f32_to_f16(float value);  // overflow becomes infinity, as the hardware's vcvtps2ph

}  // namespace phial
