// SPDX-License-Identifier: Apache-2.0
#include "model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

namespace phial {
namespace {

Phi3Config config_of(int32_t rotary_dim) {
  Phi3Config c;
  c.rotary_dim = rotary_dim;
  c.original_max_positions = 32;
  return c;
}

struct Table {
  Table(const Rope& rope, int64_t position, bool long_factors)
      : cos(static_cast<size_t>(rope.half())), sin(cos.size()) {
    rope.at(position, long_factors, cos.data(), sin.data());
  }
  std::vector<float> cos, sin;
};

TEST(Rope, IsTheFormula) {
  const Phi3Config c = config_of(8);
  const Rope rope(c);
  ASSERT_EQ(rope.half(), 4);
  const Table first(rope, 0, false), far(rope, 1000, false);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(first.cos[i], 1.0f);
    EXPECT_EQ(first.sin[i], 0.0f);
    const double angle =
        1000.0 / std::pow(10000.0, static_cast<double>(i) / 4);  // 1000, 100, 10, 1
    EXPECT_NEAR(far.cos[i], std::cos(angle), 1e-4);
    EXPECT_NEAR(far.sin[i], std::sin(angle), 1e-4);
  }
  EXPECT_EQ(Table(rope, 7, true).cos, Table(rope, 7, false).cos);
}

// transformers rounds the angle to float32: at position 100003 that moves it by up to 0.004.
TEST(Rope, AnglesAreRoundedToFloat) {
  const Rope rope(config_of(96));
  const Table table(rope, 100003, false);
  const float inv_freq =
      1.0f / static_cast<float>(std::pow(10000.0, static_cast<double>(2.0f / 96.0f)));
  const float angle = inv_freq * 100003.0f;
  EXPECT_EQ(table.cos[1], static_cast<float>(std::cos(static_cast<double>(angle))));
  EXPECT_EQ(table.sin[1], static_cast<float>(std::sin(static_cast<double>(angle))));
}

TEST(Rope, BothFactorSetsCarryTheAttentionFactor) {
  Phi3Config c = config_of(4);
  c.longrope = LongRope{{1.0f, 2.0f}, {4.0f, 8.0f}, 1.5};
  const Rope rope(c);
  const Table s(rope, 8, false), l(rope, 8, true);
  EXPECT_NEAR(s.cos[0], 1.5 * std::cos(8.0), 1e-6);
  EXPECT_NEAR(s.cos[1], 1.5 * std::cos(0.08 / 2), 1e-6);
  EXPECT_NEAR(l.sin[0], 1.5 * std::sin(2.0), 1e-6);
  EXPECT_NEAR(l.sin[1], 1.5 * std::sin(0.01), 1e-6);
}

}  // namespace
}  // namespace phial
