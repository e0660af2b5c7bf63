// SPDX-License-Identifier: Apache-2.0
#include "tensor/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"

namespace phial {
namespace {

TEST(F16, EveryBitPatternRoundTrips) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = f16_to_f32(static_cast<uint16_t>(bits));
    if (std::isnan(value))
      ASSERT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value))));
    else
      ASSERT_EQ(f32_to_f16(value), bits);
  }
}

TEST(F16, RoundsToNearestEvenLikeACheckByDistance) {
  Rng rng(1);
  for (int i = 0; i < 200000; ++i) {
    const float x = std::ldexp(rng.normal(), static_cast<int>(rng.below(44)) - 28);
    if (std::fabs(x) >= 65504.0f) continue;
    const uint16_t bits = f32_to_f16(x);
    const double error = std::fabs(static_cast<double>(f16_to_f32(bits)) - x);
    for (int step : {-1, 1}) {
      const float neighbour = f16_to_f32(static_cast<uint16_t>(bits + step));
      if (!std::isfinite(neighbour) || std::signbit(neighbour) != std::signbit(f16_to_f32(bits)))
        continue;
      const double other = std::fabs(static_cast<double>(neighbour) - x);
      ASSERT_TRUE(error < other || (error == other && bits % 2 == 0)) << x;
    }
  }
  EXPECT_EQ(f32_to_f16(65519.9f), 0x7BFF);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7C00);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::infinity()), 0x7C00);
}

TEST(Bf16, RoundsToNearestEven) {
  EXPECT_EQ(f32_to_bf16(1.0f), 0x3F80);
  EXPECT_EQ(f32_to_bf16(1.00390625f), 0x3F80);  // half-way, to even
  EXPECT_EQ(f32_to_bf16(1.01171875f), 0x3F82);  // half-way, to even
  EXPECT_EQ(f32_to_bf16(std::nanf("")) & 0x7FC0, 0x7FC0);
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = bf16_to_f32(static_cast<uint16_t>(bits));
    if (!std::isnan(value)) {
      ASSERT_EQ(f32_to_bf16(value), bits);
    }
  }
}

}  // namespace
}  // namespace phial
