// SPDX-License-Identifier: Apache-2.0
#include "tensor/half.h"

namespace phial {

float f16_to_f32(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1F, mantissa = bits & 0x3FF;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000 | (mantissa << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;  // subnormal, exact in f32
  return sign ? -magnitude : magnitude;
}

uint16_t f32_to_f16(float value) {
  const uint32_t u = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((u >> 16) & 0x8000);
  const uint32_t a = u & 0x7FFFFFFF;
  if (a > 0x7F800000) return sign | 0x7E00 | static_cast<uint16_t>((a >> 13) & 0x1FF);
  if (a >= 0x47800000) return sign | 0x7C00;  // 65536 and more
  if (a < 0x38800000) {  // below 2^-14: adding 0.5 leaves the rounded mantissa at the bottom
    const uint32_t r = std::bit_cast<uint32_t>(std::bit_cast<float>(a) + 0.5f);
    return sign | static_cast<uint16_t>(r - 0x3F000000);
  }
  const uint32_t r = a - 0x38000000 + 0xFFF +
                     ((a >> 13) & 1);  // rebias, round half to even; may carry to infinity
  return sign | static_cast<uint16_t>(r >> 13);
}

}  // namespace phial
