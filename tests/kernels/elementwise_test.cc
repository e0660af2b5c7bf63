// SPDX-License-Identifier: Apache-2.0
// The kernels that go over vectors once, for every tier, at lengths around the vector widths;
// buffers end at unreadable pages.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/kernel_fixtures.h"

namespace phial::kernels {
namespace {

constexpr int32_t kLengths[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 100, 3072};

class ElementwiseTest : public testing::TestWithParam<Candidate> {
 protected:
  void SetUp() override {
    if (!GetParam().table) GTEST_SKIP() << GetParam().name << ": " << GetParam().why_not;
  }
  const KernelTable& tier() const { return *GetParam().table; }
};

// Within `tolerance` relative to the expected value.
void expect_relative(double got, double expected, double tolerance) {
  ASSERT_NEAR(got, expected, tolerance * std::fabs(expected) + 1e-37);
}

TEST_P(ElementwiseTest, RmsNorm) {
  Rng rng(11);
  for (const int32_t n : kLengths) {
    const size_t count = static_cast<size_t>(n);
    const GuardedBytes x = random_floats(rng, count), w = random_floats(rng, count);
    GuardedBytes y(count * 4);
    tier().rms_norm(x.as<float>(), w.as<float>(), 1e-5f, n, y.as<float>());
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += std::pow(static_cast<double>(x.as<float>()[i]), 2);
    const double root = std::sqrt(sum / n + static_cast<double>(1e-5f));
    for (size_t i = 0; i < count; i++)
      expect_relative(
          static_cast<double>(y.as<float>()[i]),
          static_cast<double>(w.as<float>()[i]) * static_cast<double>(x.as<float>()[i]) / root,
          1e-6);
    if (HasFatalFailure()) return;
  }
}

TEST_P(ElementwiseTest, RmsNormInPlaceAndOfZeros) {
  Rng rng(12);
  GuardedBytes x = random_floats(rng, 100), w = random_floats(rng, 100), y(400);
  tier().rms_norm(x.as<float>(), w.as<float>(), 1e-5f, 100, y.as<float>());
  tier().rms_norm(x.as<float>(), w.as<float>(), 1e-5f, 100, x.as<float>());
  EXPECT_EQ(std::memcmp(x.as<char>(), y.as<char>(), 400), 0);
  std::fill_n(x.as<float>(), 100, 0.0f);
  tier().rms_norm(x.as<float>(), w.as<float>(), 1e-5f, 100, y.as<float>());
  for (int i = 0; i < 100; i++) EXPECT_EQ(y.as<float>()[i], 0.0f);
}

TEST_P(ElementwiseTest, Rope) {
  Rng rng(13);
  struct {
    int32_t n_heads, head_dim, rotary;
  } const shapes[] = {{32, 96, 96}, {3, 128, 96}, {2, 128, 128},
                      {1, 16, 12},  {5, 64, 2},   {2, 40, 34}};
  for (const auto& s : shapes) {
    const size_t count = static_cast<size_t>(s.n_heads * s.head_dim),
                 half = static_cast<size_t>(s.rotary / 2);
    GuardedBytes x = random_floats(rng, count), cos(half * 4), sin(half * 4);
    for (size_t i = 0; i < half; i++) {
      const float angle = static_cast<float>(rng.uniform() * 6.28);
      cos.as<float>()[i] = std::cos(angle);
      sin.as<float>()[i] = std::sin(angle);
    }
    const std::vector<float> before(x.as<float>(), x.as<float>() + count);
    tier().rope(x.as<float>(), s.n_heads, s.head_dim, s.rotary, cos.as<float>(), sin.as<float>());
    for (size_t i = 0; i < count; i++) {
      const size_t d = i % static_cast<size_t>(s.head_dim);
      if (d >= 2 * half) {
        ASSERT_EQ(x.as<float>()[i], before[i]) << "not rotary: " << d;
        continue;
      }
      const double c = static_cast<double>(cos.as<float>()[d % half]),
                   si = static_cast<double>(sin.as<float>()[d % half]);
      const double expected =
          d < half
              ? static_cast<double>(before[i]) * c - static_cast<double>(before[i + half]) * si
              : static_cast<double>(before[i]) * c + static_cast<double>(before[i - half]) * si;
      ASSERT_NEAR(static_cast<double>(x.as<float>()[i]), expected, 2e-6) << "element " << d;
    }
  }
}

TEST_P(ElementwiseTest, SiluMul) {
  Rng rng(14);
  for (const int32_t n : kLengths) {
    const size_t count = static_cast<size_t>(n);
    GuardedBytes gate(count * 4), up = random_floats(rng, count), y(count * 4);
    for (size_t i = 0; i < count; i++)
      gate.as<float>()[i] = static_cast<float>((rng.uniform() - 0.5) * (i % 3 ? 16 : 170));
    tier().silu_mul(gate.as<float>(), up.as<float>(), n, y.as<float>());
    for (size_t i = 0; i < count; i++) {
      const double g = static_cast<double>(gate.as<float>()[i]);
      expect_relative(static_cast<double>(y.as<float>()[i]),
                      static_cast<double>(up.as<float>()[i]) * g / (1 + std::exp(-g)), 1e-6);
    }
    if (HasFatalFailure()) return;
  }
}

TEST_P(ElementwiseTest, SiluMulOfExtremes) {
  const float gates[] = {-1e30f, -200.0f, 0.0f, 200.0f, 1e30f, -INFINITY, NAN};
  float up[7], y[7];
  std::fill_n(up, 7, 2.0f);
  tier().silu_mul(gates, up, 7, y);
  EXPECT_NEAR(y[0], 0, 1e-7);
  EXPECT_NEAR(y[1], 0, 1e-30);
  EXPECT_EQ(y[2], 0.0f);
  EXPECT_EQ(y[3], 400.0f);
  EXPECT_EQ(y[4], 2e30f);
  EXPECT_TRUE(std::isnan(y[6]));
}

TEST_P(ElementwiseTest, Add) {
  Rng rng(15);
  for (const int32_t n : kLengths) {
    const size_t count = static_cast<size_t>(n);
    const GuardedBytes x = random_floats(rng, count);
    GuardedBytes y = random_floats(rng, count);
    std::vector<float> expected(count);
    for (size_t i = 0; i < count; i++) expected[i] = x.as<float>()[i] + y.as<float>()[i];
    tier().add(x.as<float>(), n, y.as<float>());
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), y.as<float>())) << n;
  }
}

// All 65536 halves, and floats all over the range, as tensor/half.h converts them.
TEST_P(ElementwiseTest, HalfConversionsAreExact) {
  GuardedBytes halves(65536 * 2), floats(65536 * 4);
  for (uint32_t i = 0; i < 65536; i++) halves.as<uint16_t>()[i] = static_cast<uint16_t>(i);
  tier().f16_to_f32(halves.as<uint16_t>(), 65536, floats.as<float>());
  for (uint32_t i = 0; i < 65536; i++) {
    const float expected = f16_to_f32(static_cast<uint16_t>(i)), got = floats.as<float>()[i];
    if (std::isnan(expected) && std::isnan(got)) continue;
    ASSERT_EQ(std::bit_cast<uint32_t>(got), std::bit_cast<uint32_t>(expected)) << i;
  }
  Rng rng(16);
  for (int64_t n : {1, 5, 8, 13, 16, 29, 65531}) {
    GuardedBytes x(static_cast<size_t>(n) * 4), y(static_cast<size_t>(n) * 2);
    for (int64_t i = 0; i < n; i++)
      x.as<float>()[i] = std::ldexp(rng.normal(), static_cast<int>(rng.below(60)) - 40) *
                         (rng.below(2) ? 1.0f : 0.5f);
    const float edges[] = {65519.99f, 65520.0f, 0x1p-25f, 0x1.8p-25f,
                           -0.0f};  // of infinity and of zero
    if (n > 20) std::copy(std::begin(edges), std::end(edges), x.as<float>() + 3);
    tier().f32_to_f16(x.as<float>(), n, y.as<uint16_t>());
    for (int64_t i = 0; i < n; i++)
      ASSERT_EQ(y.as<uint16_t>()[i], f32_to_f16(x.as<float>()[i])) << x.as<float>()[i];
  }
}

TEST_P(ElementwiseTest, F32ToU8IsHalfAStepOffAtMostAndTheSameOnAllTiers) {
  Rng rng(17);
  for (int32_t n : {1, 2, 6, 8, 20, 64, 96, 100, 128}) {
    for (int round = 0; round < 20; round++) {
      GuardedBytes x(static_cast<size_t>(n) * 4);
      GuardedBytes y(static_cast<size_t>(n) + kU8Tail);
      std::vector<uint8_t> expected(y.bytes());
      const float width = std::ldexp(1.0f, static_cast<int>(rng.below(30)) - 20);
      for (int32_t i = 0; i < n; i++)
        x.as<float>()[i] = round == 0 ? -0.75f : 3 * width + width * rng.normal();
      tier().f32_to_u8(x.as<float>(), n, y.as<uint8_t>());
      table("scalar").f32_to_u8(x.as<float>(), n, expected.data());
      ASSERT_EQ(std::memcmp(y.as<uint8_t>(), expected.data(), expected.size()), 0);
      float scale, offset;
      std::memcpy(&scale, expected.data() + n, 4);
      std::memcpy(&offset, expected.data() + n + 4, 4);
      const auto [least, largest] = std::minmax_element(x.as<float>(), x.as<float>() + n);
      EXPECT_EQ(offset, *least);
      EXPECT_FLOAT_EQ(scale, (*largest - *least) / 255);
      for (int32_t i = 0; i < n; i++)
        ASSERT_NEAR(std::fma(static_cast<float>(expected[static_cast<size_t>(i)]), scale, offset),
                    x.as<float>()[i], 0.5001f * scale + 1e-6f * std::fabs(x.as<float>()[i]));
    }
  }
}

// A position's codes and scales lie where the layout says, the same bytes on every tier, and
// nothing else of the block changes.
TEST_P(ElementwiseTest, PositionsOfI16) {
  Rng rng(16);
  for (const int32_t n : {96, 128, 24, 7, 2, 160}) {
    const int32_t dim = (n + 15) / 16 * 16;
    const size_t block = kv_block_bytes(n);
    ASSERT_EQ(block, size_t{64} * (2 * static_cast<size_t>(dim) + 4));
    for (const int32_t position : {0, 1, 63, 64, 130}) {
      const GuardedBytes key = random_floats(rng, static_cast<size_t>(n));
      GuardedBytes value = random_floats(rng, static_cast<size_t>(n));
      if (position == 63) std::memset(value.as<float>(), 0, value.bytes());
      GuardedBytes keys(3 * block), values(3 * block), expected_keys(3 * block),
          expected_values(3 * block);
      tier().append_i16(key.as<float>(), value.as<float>(), n, position, keys.as<void>(),
                        values.as<void>());
      table("scalar").append_i16(key.as<float>(), value.as<float>(), n, position,
                                 expected_keys.as<void>(), expected_values.as<void>());
      ASSERT_EQ(std::memcmp(keys.as<char>(), expected_keys.as<char>(), 3 * block), 0);
      ASSERT_EQ(std::memcmp(values.as<char>(), expected_values.as<char>(), 3 * block), 0);

      const size_t at = static_cast<size_t>(position) % 64,
                   first = static_cast<size_t>(position) / 64 * block;
      const auto* k = reinterpret_cast<const int16_t*>(keys.as<char>() + first);
      const auto* v = reinterpret_cast<const int16_t*>(values.as<char>() + first);
      const size_t scales = size_t{32} * static_cast<size_t>(dim);  // in floats
      const float key_scale = reinterpret_cast<const float*>(k)[scales + at],
                  value_scale = reinterpret_cast<const float*>(v)[scales + at];
      float largest_key = 0, largest_value = 0;
      for (int32_t i = 0; i < n; i++) {
        largest_key = std::max(largest_key, std::fabs(key.as<float>()[i]));
        largest_value = std::max(largest_value, std::fabs(value.as<float>()[i]));
      }
      EXPECT_FLOAT_EQ(key_scale, largest_key / 4095);
      EXPECT_FLOAT_EQ(value_scale, position == 63 ? 1e-30f : largest_value / 4095);
      for (size_t d = 0; d < static_cast<size_t>(dim); d++) {
        const int code_of_key = k[(d / 2 * 64 + at) * 2 + d % 2],
                  code_of_value = v[(at / 2 * static_cast<size_t>(dim) + d) * 2 + at % 2];
        const bool padding = d >= static_cast<size_t>(n);
        ASSERT_NEAR(static_cast<float>(code_of_key) * key_scale,
                    padding ? 0.0f : key.as<float>()[d], 0.5001f * key_scale);
        ASSERT_NEAR(static_cast<float>(code_of_value) * value_scale,
                    padding ? 0.0f : value.as<float>()[d], 0.5001f * value_scale);
      }
      size_t changed = 0;  // bytes of other places: GuardedBytes begins as 0xA5
      for (size_t i = 0; i < 3 * block; i++) changed += keys.as<uint8_t>()[i] != 0xA5;
      EXPECT_LE(changed, 2 * static_cast<size_t>(dim) + 4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Elementwise, ElementwiseTest, testing::ValuesIn(candidates()),
                         [](const auto& info) { return candidate_name(info.param); });

}  // namespace
}  // namespace phial::kernels
