// SPDX-License-Identifier: Apache-2.0
// f16 and bf16 bits to float and back without intrinsics, for kernel files only: everything is
// local to the file that includes it, because tensor/half.h may not be compiled with ISA flags.
// tests/kernels compares it with tensor/half.h.
#pragma once

#include <stdint.h>

namespace phial::kernels {
namespace {

inline float float_of_bits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint32_t bits_of_float(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float bf16_value(uint16_t bits) { return float_of_bits(static_cast<uint32_t>(bits) << 16); }

inline float f16_value(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1F, mantissa = bits & 0x3FF;
  if (exponent == 0) {  // zero and subnormals: a small integer times 2^-24, exact
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  const uint32_t wide_exponent = exponent == 31 ? 255 : exponent + 112;
  return float_of_bits(sign | (wide_exponent << 23) | (mantissa << 13));
}

// Round to nearest even, overflow to infinity, as vcvtps2ph.
inline uint16_t f16_bits(float value) {
  const uint32_t bits = bits_of_float(value), magnitude = bits & 0x7FFFFFFF;
  const uint32_t sign = (bits >> 16) & 0x8000;
  if (magnitude > 0x7F800000)
    return static_cast<uint16_t>(sign | 0x7E00 | ((magnitude >> 13) & 0x1FF));
  if (magnitude >= 0x47800000) return static_cast<uint16_t>(sign | 0x7C00);  // 65536 and more
  if (magnitude <
      0x38800000) {  // below 2^-14: 0.5 + x leaves x in units of 2^-24, rounded by the addition
    const float shifted = float_of_bits(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (bits_of_float(shifted) - 0x3F000000));
  }
  const uint32_t rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

}  // namespace
}  // namespace phial::kernels
