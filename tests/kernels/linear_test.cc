// SPDX-License-Identifier: Apache-2.0
// Every tier's linear kernels against double precision, against the scalar tier, and against
// themselves with other batches and row ranges.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/kernel_fixtures.h"

namespace phial::kernels {
namespace {

void pack(const KernelTable& table, Format format, const float* x, int32_t n_tokens, int32_t cols,
          int32_t planes, void* packed) {
  const auto function = format == Format::kU8 ? table.pack_u8 : table.pack_u4;
  const int32_t middle = n_tokens / 3;  // two calls, as two threads would make them
  function(x, n_tokens, cols, planes, middle, n_tokens, packed);
  function(x, n_tokens, cols, planes, 0, middle, packed);
}

void run(const KernelTable& table, const Linear& l) {
  switch (l.w.format) {
    case Format::kF32:
      return table.linear_f32(l);
    case Format::kF16:
      return table.linear_f16(l);
    case Format::kBF16:
      return table.linear_bf16(l);
    case Format::kU8:
      return table.linear_u8(l);
    case Format::kU4:
      return table.linear_u4(l);
  }
}

constexpr float kUntouched = 12345.0f;

// All rows of [row_begin, row_end) for all tokens; y [n_tokens][rows + 3], whose other places must
// stay as they were.
std::vector<float> outputs(const KernelTable& table, const Matrix& w, const float* x,
                           int32_t n_tokens, int32_t row_begin, int32_t row_end,
                           int32_t planes = 1) {
  GuardedBytes packed(packed_bytes(w.format, n_tokens, w.cols, planes));
  if (w.group) pack(table, w.format, x, n_tokens, w.cols, planes, packed.as<char>());
  GuardedBytes scratch = poisoned_scratch(linear_scratch_bytes());
  const int64_t stride = w.rows + 3;
  std::vector<float> y(static_cast<size_t>(n_tokens * stride), kUntouched);
  run(table, {w, w.group ? packed.as<void>() : x, n_tokens, planes, y.data(), stride, row_begin,
              row_end, scratch.as<void>()});
  for (int32_t t = 0; t < n_tokens; t++)
    for (int64_t r = 0; r < stride; r++) {
      if (r >= row_begin && r < row_end) continue;
      EXPECT_EQ(y[static_cast<size_t>(t * stride + r)], kUntouched)
          << "token " << t << ", row " << r;
    }
  return y;
}

// Double precision over dequantized weights and the given activations; also the sum of magnitudes,
// which bounds rounding.
void reference(const WeightMatrix& w, const float* x, int32_t n_tokens, std::vector<double>& y,
               std::vector<double>& magnitude) {
  const size_t rows = static_cast<size_t>(w.rows), cols = static_cast<size_t>(w.cols);
  y.assign(static_cast<size_t>(n_tokens) * rows, 0);
  magnitude = y;
  std::vector<float> row(cols);
  for (size_t r = 0; r < rows; r++) {
    dequantize_row(w, static_cast<int64_t>(r), row.data());
    for (size_t t = 0; t < static_cast<size_t>(n_tokens); t++)
      for (size_t c = 0; c < cols; c++) {
        const double product = static_cast<double>(row[c]) * static_cast<double>(x[t * cols + c]);
        y[t * rows + r] += product;
        magnitude[t * rows + r] += std::fabs(product);
      }
  }
}

// What the packed activations stand for, by the definition in kernels.h: blocks of kActBlock, max
// |x| / 127, or / (127 * 254) with two planes.
std::vector<float> rounded_activations(const float* x, int32_t n_tokens, int32_t cols,
                                       int32_t planes) {
  const float codes = planes == 2 ? 127.0f * 254.0f : 127.0f;
  std::vector<float> out(static_cast<size_t>(n_tokens) * static_cast<size_t>(cols));
  for (int32_t t = 0; t < n_tokens; t++)
    for (int32_t begin = 0; begin < cols; begin += kActBlock) {
      const int32_t end = std::min(cols, begin + kActBlock);
      float largest = 0;
      for (int32_t c = begin; c < end; c++) largest = std::max(largest, std::fabs(x[t * cols + c]));
      for (int32_t c = begin; c < end; c++)
        out[static_cast<size_t>(t * cols + c)] =
            largest == 0 ? 0
                         : std::nearbyint(x[t * cols + c] * (codes / largest)) * (largest / codes);
    }
  return out;
}

// |got - expected| <= tolerance * sum of |products| for every output.
void expect_near(const std::vector<float>& got, const WeightMatrix& w, const float* x,
                 int32_t n_tokens, int32_t row_begin, int32_t row_end, double tolerance) {
  std::vector<double> expected, magnitude;
  reference(w, x, n_tokens, expected, magnitude);
  for (int32_t t = 0; t < n_tokens; t++)
    for (int64_t r = row_begin; r < row_end; r++) {
      const size_t at = static_cast<size_t>(t * w.rows + r);
      ASSERT_NEAR(static_cast<double>(got[static_cast<size_t>(t * (w.rows + 3) + r)]), expected[at],
                  tolerance * magnitude[at] + 1e-30)
          << "token " << t << ", row " << r;
    }
}

class TierTest : public testing::TestWithParam<Candidate> {
 protected:
  void SetUp() override {
    if (!GetParam().table) GTEST_SKIP() << GetParam().name << ": " << GetParam().why_not;
  }
  const KernelTable& tier() const { return *GetParam().table; }
};

constexpr int32_t kTokenCounts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17, 32, 37, 40};

TEST_P(TierTest, FloatFormatsAgreeWithDouble) {
  Rng rng(1);
  for (const WeightFormat format : {WeightFormat::kF32, WeightFormat::kF16, WeightFormat::kBF16})
    for (int round = 0; round < 25; round++) {
      const int32_t rows = 1 + static_cast<int32_t>(rng.below(70)),
                    cols = 2 + static_cast<int32_t>(rng.below(700));
      const int32_t n_tokens = kTokenCounts[rng.below(std::size(kTokenCounts))];
      const int32_t begin = static_cast<int32_t>(rng.below(static_cast<uint64_t>(rows)));
      const int32_t end =
          begin + 1 + static_cast<int32_t>(rng.below(static_cast<uint64_t>(rows - begin)));
      SCOPED_TRACE(fmt::format("{} {}: [{}, {}], {} tokens, rows [{}, {})", tier().name,
                               weight_format_name(format), rows, cols, n_tokens, begin, end));
      const RandomMatrix w = random_matrix(rng, format, rows, cols);
      const GuardedBytes x =
          random_floats(rng, static_cast<size_t>(n_tokens) * static_cast<size_t>(cols));
      const auto y = outputs(tier(), w.matrix(), x.as<float>(), n_tokens, begin, end);
      expect_near(y, w.view, x.as<float>(), n_tokens, begin, end, 2e-6);
      if (HasFatalFailure()) return;
    }
}

struct QuantShape {
  WeightFormat format;
  int32_t rows, cols, group;
  bool asymmetric;
};

// Real groups (32, 64, 128, all columns) and odd ones; columns always divisible by the group.
QuantShape random_quant_shape(Rng& rng) {
  constexpr int32_t kGroups[] = {32, 64, 96, 128, 256, 0, 0, 2, 6, 16, 20, 48};
  QuantShape s;
  s.format = rng.below(2) ? WeightFormat::kU4 : WeightFormat::kU8;
  s.asymmetric = rng.below(2);
  s.rows = 1 + static_cast<int32_t>(rng.below(120));
  s.group = kGroups[rng.below(std::size(kGroups))];
  if (s.group)
    s.cols = s.group * (1 + static_cast<int32_t>(rng.below(static_cast<uint64_t>(700 / s.group))));
  else
    s.cols = s.group = 2 * (1 + static_cast<int32_t>(rng.below(350)));
  if (rng.below(4) == 0) {  // packages' own: paths of their own for few tokens
    s.group = 128;
    s.cols = 512 * (1 + static_cast<int32_t>(rng.below(3)));
    return s;
  }
  if (s.format == WeightFormat::kU8 && rng.below(4) == 0) {  // u8 may have odd groups
    s.group = 1 + 2 * static_cast<int32_t>(rng.below(40));
    s.cols = s.group * (1 + static_cast<int32_t>(rng.below(8)));
  }
  return s;
}

std::string describe(const KernelTable& table, const QuantShape& s, int32_t n_tokens) {
  return fmt::format("{} {}: [{}, {}] group {}{}, {} tokens", table.name,
                     weight_format_name(s.format), s.rows, s.cols, s.group,
                     s.asymmetric ? " asymmetric" : "", n_tokens);
}

TEST_P(TierTest, QuantFormatsAgreeWithDouble) {
  Rng rng(2);
  for (int round = 0; round < 120; round++) {
    const QuantShape s = random_quant_shape(rng);
    const int32_t n_tokens = kTokenCounts[rng.below(std::size(kTokenCounts))];
    SCOPED_TRACE(describe(tier(), s, n_tokens));
    const RandomMatrix w = random_matrix(rng, s.format, s.rows, s.cols, s.group, s.asymmetric);
    const GuardedBytes x =
        random_floats(rng, static_cast<size_t>(n_tokens) * static_cast<size_t>(s.cols));
    const int32_t planes = 1 + round % 2;
    const auto y = outputs(tier(), w.matrix(), x.as<float>(), n_tokens, 0, s.rows, planes);
    const auto rounded = rounded_activations(x.as<float>(), n_tokens, s.cols, planes);
    expect_near(y, w.view, rounded.data(), n_tokens, 0, s.rows, 2e-6);
    // Against the unrounded activations: at most half a step of max |x| / 127 (or / 32258) a
    // product; 5 % (0.02 %) of the sum of magnitudes is above.
    std::vector<double> expected, magnitude;
    reference(w.view, x.as<float>(), n_tokens, expected, magnitude);
    for (int32_t t = 0; t < n_tokens; t++)
      for (int32_t r = 0; r < s.rows; r++) {
        const size_t at =
            static_cast<size_t>(t) * static_cast<size_t>(s.rows) + static_cast<size_t>(r);
        ASSERT_NEAR(static_cast<double>(y[static_cast<size_t>(t * (s.rows + 3) + r)]), expected[at],
                    (planes == 2 ? 2e-4 : 0.05) * magnitude[at] + 1e-6);
      }
    if (HasFatalFailure()) return;
  }
}

TEST_P(TierTest, QuantFormatsEqualScalarToTheBit) {
  Rng rng(3);
  const KernelTable& scalar = table("scalar");
  for (int round = 0; round < 250; round++) {
    const QuantShape s = random_quant_shape(rng);
    const int32_t n_tokens = kTokenCounts[rng.below(std::size(kTokenCounts))];
    SCOPED_TRACE(describe(tier(), s, n_tokens));
    const RandomMatrix w = random_matrix(rng, s.format, s.rows, s.cols, s.group, s.asymmetric);
    GuardedBytes x =
        random_floats(rng, static_cast<size_t>(n_tokens) * static_cast<size_t>(s.cols));
    if (round % 8 == 0) std::memset(x.as<char>(), 0, x.bytes() / 2);  // blocks of zeros
    if (round % 8 == 1)
      std::fill_n(x.as<float>(), x.bytes() / 4, round % 16 == 1 ? 1.f : -1.f);  // all codes +-127
    for (const int32_t planes : {1, 2})
      EXPECT_EQ(outputs(tier(), w.matrix(), x.as<float>(), n_tokens, 0, s.rows, planes),
                outputs(scalar, w.matrix(), x.as<float>(), n_tokens, 0, s.rows, planes));
    if (HasFailure()) return;
  }
}

// More tokens than share one unpacking (256), with the last tile's every filling.
TEST_P(TierTest, ManyTokensEqualScalarToTheBit) {
  Rng rng(5);
  const KernelTable& scalar = table("scalar");
  for (const int32_t n_tokens : {255, 256, 257, 271, 272, 273, 513})
    for (const WeightFormat format : {WeightFormat::kU4, WeightFormat::kU8}) {
      const QuantShape s = {format, 50, 64 * (5 + static_cast<int32_t>(rng.below(3))), 64,
                            rng.below(2) == 0};
      SCOPED_TRACE(describe(tier(), s, n_tokens));
      const RandomMatrix w = random_matrix(rng, s.format, s.rows, s.cols, s.group, s.asymmetric);
      const GuardedBytes x =
          random_floats(rng, static_cast<size_t>(n_tokens) * static_cast<size_t>(s.cols));
      for (const int32_t planes : {1, 2})
        EXPECT_EQ(outputs(tier(), w.matrix(), x.as<float>(), n_tokens, 1, s.rows, planes),
                  outputs(scalar, w.matrix(), x.as<float>(), n_tokens, 1, s.rows, planes));
      if (HasFailure()) return;
    }
}

// A token's outputs have the same bits alone and in any batch, and for any split of the rows.
TEST_P(TierTest, BatchAndRowSplitDontMatter) {
  Rng rng(4);
  for (int round = 0; round < 60; round++) {
    QuantShape s = random_quant_shape(rng);
    if (round % 3 == 0) {
      constexpr WeightFormat kFloats[] = {WeightFormat::kF32, WeightFormat::kF16,
                                          WeightFormat::kBF16};
      s = {kFloats[rng.below(3)], s.rows, s.cols, 0, false};
    }
    const int32_t n_tokens = 2 + static_cast<int32_t>(rng.below(39));
    SCOPED_TRACE(describe(tier(), s, n_tokens));
    const RandomMatrix w = random_matrix(rng, s.format, s.rows, s.cols, s.group, s.asymmetric);
    const GuardedBytes x =
        random_floats(rng, static_cast<size_t>(n_tokens) * static_cast<size_t>(s.cols));
    const int32_t planes = 1 + round % 2;
    const auto whole = outputs(tier(), w.matrix(), x.as<float>(), n_tokens, 0, s.rows, planes);
    const auto again = outputs(tier(), w.matrix(), x.as<float>(), n_tokens, 0, s.rows, planes);
    ASSERT_EQ(whole, again);
    const size_t stride = static_cast<size_t>(s.rows) + 3;
    for (int32_t t0 = 0; t0 < n_tokens;) {  // batches of random size
      const int32_t n = std::min(n_tokens - t0, 1 + static_cast<int32_t>(rng.below(7)));
      const int32_t split = static_cast<int32_t>(rng.below(static_cast<uint64_t>(s.rows)));
      const float* xt = x.as<float>() + static_cast<int64_t>(t0) * s.cols;
      const auto low = outputs(tier(), w.matrix(), xt, n, 0, split, planes);
      const auto high = outputs(tier(), w.matrix(), xt, n, split, s.rows, planes);
      for (int32_t t = 0; t < n; t++)
        for (int32_t r = 0; r < s.rows; r++) {
          const size_t at = static_cast<size_t>(t) * stride + static_cast<size_t>(r);
          ASSERT_EQ((r < split ? low : high)[at], whole[static_cast<size_t>(t0) * stride + at])
              << "token " << t0 + t << ", row " << r << ", batch of " << n << ", split at "
              << split;
        }
      t0 += n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Linear, TierTest, testing::ValuesIn(candidates()),
                         [](const auto& info) { return candidate_name(info.param); });

}  // namespace
}  // namespace phial::kernels
