// SPDX-License-Identifier: Apache-2.0
// Attention of every tier against a double-precision softmax written out plainly, and against
// itself in other batches.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/kernel_fixtures.h"

namespace phial::kernels {
namespace {

struct Shape {
  int32_t n_tokens, n_heads, head_dim, q_position, window;
  KvType kv_type;
  int32_t kv_extra, q_extra;  // what rows are longer than they need be
  int32_t first_visible() const { return window > 0 ? std::max(0, q_position - window + 1) : 0; }
  int32_t keys() const { return q_position + n_tokens; }
  int64_t stride() const { return head_dim + kv_extra + (kv_type == KvType::kU8 ? kU8Tail : 0); }
};

// Keys that no query sees are NaN, and the caches end at unreadable pages: neither may be touched.
struct Inputs {
  Shape shape;
  GuardedBytes q, k, v;
  std::vector<float> k_values, v_values;  // what the caches hold, as f32 [keys][head_dim]
  float largest_value = 0;

  Attend attend(float* out, float* scratch) const {
    const int64_t width = static_cast<int64_t>(shape.n_heads) * shape.head_dim + shape.q_extra;
    return {q.as<float>(),
            width,
            shape.n_tokens,
            shape.n_heads,
            shape.head_dim,
            shape.q_position,
            shape.window,
            k.as<void>(),
            v.as<void>(),
            shape.stride(),
            shape.kv_type,
            1.0f / std::sqrt(static_cast<float>(shape.head_dim)),
            out,
            width,
            scratch};
  }
};

// Element bytes, and what a row has beside head_dim elements.
size_t element_bytes(KvType type) { return type == KvType::kU8 ? 1 : type == KvType::kF32 ? 4 : 2; }

struct Cache {
  GuardedBytes bytes;
  std::vector<float> values;  // what it holds
};

// Rows one after another: all types but kI16.
Cache random_rows(Rng& rng, const Shape& s) {
  const int64_t tail = s.kv_type == KvType::kU8 ? kU8Tail : 0, stride = s.stride();
  // The last row has no extra: the guard follows its head_dim elements.
  Cache cache{GuardedBytes(static_cast<size_t>((s.keys() - 1) * stride + s.head_dim + tail) *
                           element_bytes(s.kv_type)),
              {}};
  std::memset(cache.bytes.as<char>(), 0xFF, cache.bytes.bytes());  // NaN, u8's tails too
  cache.values.assign(static_cast<size_t>(s.keys()) * static_cast<size_t>(s.head_dim), 0);
  for (int32_t j = s.first_visible(); j < s.keys(); j++) {
    float* row = cache.values.data() + static_cast<int64_t>(j) * s.head_dim;
    for (int32_t d = 0; d < s.head_dim; d++) row[d] = activation(rng);
    if (s.kv_type == KvType::kF32) {
      std::memcpy(cache.bytes.as<float>() + j * stride, row,
                  static_cast<size_t>(s.head_dim) * sizeof(float));
    } else if (s.kv_type == KvType::kF16) {
      for (int32_t d = 0; d < s.head_dim; d++) {
        const uint16_t bits = f32_to_f16(row[d]);
        cache.bytes.as<uint16_t>()[j * stride + d] = bits;
        row[d] = f16_to_f32(bits);
      }
    } else {
      uint8_t* codes = cache.bytes.as<uint8_t>() + j * stride;
      table("scalar").f32_to_u8(row, s.head_dim, codes);
      float scale, offset;
      std::memcpy(&scale, codes + s.head_dim, 4);
      std::memcpy(&offset, codes + s.head_dim + 4, 4);
      for (int32_t d = 0; d < s.head_dim; d++)
        row[d] = std::fma(static_cast<float>(codes[d]), scale, offset);
    }
  }
  return cache;
}

// A row's codes and its scale, as the layout says (kernels/kv_i16.inc.h), written out once more.
float round_to_i16(float* row, int32_t n, int32_t limit) {
  float largest = 0;
  for (int32_t d = 0; d < n; d++) largest = std::max(largest, std::abs(row[d]));
  const float scale = largest == 0 ? 1e-30f : largest / static_cast<float>(limit);
  for (int32_t d = 0; d < n; d++) row[d] = std::nearbyint(row[d] * (1.0f / scale)) * scale;
  return scale;
}

std::pair<Cache, Cache> random_blocks(Rng& rng, const Shape& s) {
  const size_t blocks = static_cast<size_t>(s.keys() + kKvBlock - 1) / kKvBlock,
               bytes = blocks * kv_block_bytes(s.head_dim),
               numbers = static_cast<size_t>(s.keys()) * static_cast<size_t>(s.head_dim);
  Cache k{GuardedBytes(bytes), std::vector<float>(numbers)},
      v{GuardedBytes(bytes), std::vector<float>(numbers)};
  std::memset(k.bytes.as<char>(), 0xFF, bytes);
  std::memset(v.bytes.as<char>(), 0xFF, bytes);
  for (int32_t j = s.first_visible(); j < s.keys(); j++) {
    float* const key = k.values.data() + static_cast<int64_t>(j) * s.head_dim;
    float* const value = v.values.data() + static_cast<int64_t>(j) * s.head_dim;
    // Values of very different sizes, and now and then none at all.
    const float size = rng.below(20) == 0 ? 0.0f : std::exp2(static_cast<float>(rng.below(12)) - 9);
    for (int32_t d = 0; d < s.head_dim; d++) {
      key[d] = activation(rng);
      value[d] = size * activation(rng);
    }
    table("scalar").append_i16(key, value, s.head_dim, j, k.bytes.as<void>(), v.bytes.as<void>());
    round_to_i16(key, s.head_dim, 4095);
    round_to_i16(value, s.head_dim, 4095);
  }
  return {std::move(k), std::move(v)};
}

Inputs random_inputs(Rng& rng, const Shape& s) {
  Inputs in{s, {}, {}, {}, {}, {}};
  const size_t width = static_cast<size_t>(s.n_heads * s.head_dim + s.q_extra);
  in.q =
      random_floats(rng, static_cast<size_t>(s.n_tokens) * width - static_cast<size_t>(s.q_extra));
  auto [k, v] = s.kv_type == KvType::kI16 ? random_blocks(rng, s)
                                          : std::pair{random_rows(rng, s), random_rows(rng, s)};
  in.k = std::move(k.bytes);
  in.v = std::move(v.bytes);
  in.k_values = std::move(k.values);
  in.v_values = std::move(v.values);
  for (const float value : in.v_values)
    in.largest_value = std::max(in.largest_value, std::abs(value));
  return in;
}

Shape random_shape(Rng& rng) {
  constexpr int32_t kHeadDims[] = {96, 128, 64, 32, 16, 8, 12, 20, 6, 100};
  const auto below = [&](int32_t n) {
    return static_cast<int32_t>(rng.below(static_cast<uint64_t>(n)));
  };
  Shape s;
  s.n_tokens = rng.below(3) == 0 ? 1 : 1 + below(90);
  s.n_heads = 1 + below(5);
  s.head_dim = kHeadDims[rng.below(std::size(kHeadDims))];
  s.q_position = rng.below(3) == 0 ? 0 : below(300);
  s.window = rng.below(2) ? 0 : 1 + below(150);
  s.kv_type = static_cast<KvType>(rng.below(4));
  s.kv_extra = rng.below(2) ? 0 : below(70);
  s.q_extra = rng.below(2) ? 0 : below(70);
  return s;
}

std::string describe(const KernelTable& table, const Shape& s) {
  return fmt::format("{}: {} tokens x {} heads of {}, position {}, window {}, {}", table.name,
                     s.n_tokens, s.n_heads, s.head_dim, s.q_position, s.window,
                     s.kv_type == KvType::kU8    ? "u8"
                     : s.kv_type == KvType::kF16 ? "f16"
                     : s.kv_type == KvType::kI16 ? "i16"
                                                 : "f32");
}

constexpr float kUntouched = 12345.0f;

std::vector<float> outputs(const KernelTable& table, const Inputs& in) {
  const Shape& s = in.shape;
  const size_t width = static_cast<size_t>(s.n_heads * s.head_dim + s.q_extra);
  std::vector<float> out(static_cast<size_t>(s.n_tokens) * width, kUntouched);
  Attend attend = in.attend(out.data(), nullptr);
  GuardedBytes scratch = poisoned_scratch(attend_scratch_floats(attend) * sizeof(float));
  attend.scratch = scratch.as<float>();
  table.attend(attend);
  for (size_t i = 0; i < out.size(); i++) {
    const bool padding = i % width >= static_cast<size_t>(s.n_heads * s.head_dim);
    EXPECT_EQ(out[i] == kUntouched, padding) << "place " << i << " of " << out.size();
  }
  return out;
}

std::vector<double> expected_head(const Inputs& in, int32_t t, int32_t h, bool rounds_queries) {
  const Shape& s = in.shape;
  const size_t dim = static_cast<size_t>(s.head_dim);
  const float* q = in.q.as<float>() +
                   static_cast<int64_t>(t) * (s.n_heads * s.head_dim + s.q_extra) + h * s.head_dim;
  const int32_t position = s.q_position + t;
  std::vector<float> query(q, q + dim);
  if (rounds_queries) round_to_i16(query.data(), s.head_dim, 4095);
  std::vector<double> weights, out(dim);
  std::vector<int32_t> keys;
  for (int32_t j = 0; j <= position; j++)
    if (s.window <= 0 || j > position - s.window) keys.push_back(j);
  double largest = -INFINITY, total = 0;
  for (const int32_t j : keys) {
    double dot = 0;
    for (size_t d = 0; d < dim; d++)
      dot += static_cast<double>(query[d]) *
             static_cast<double>(in.k_values[static_cast<size_t>(j) * dim + d]);
    weights.push_back(dot / std::sqrt(static_cast<double>(s.head_dim)));
    largest = std::max(largest, weights.back());
  }
  for (double& w : weights) total += w = std::exp(w - largest);
  for (size_t i = 0; i < keys.size(); i++)
    for (size_t d = 0; d < dim; d++)
      out[d] += weights[i] / total *
                static_cast<double>(in.v_values[static_cast<size_t>(keys[i]) * dim + d]);
  return out;
}

class AttendTest : public testing::TestWithParam<Candidate> {
 protected:
  void SetUp() override {
    if (!GetParam().table) GTEST_SKIP() << GetParam().name << ": " << GetParam().why_not;
  }
  const KernelTable& tier() const { return *GetParam().table; }
};

TEST_P(AttendTest, AgreesWithDouble) {
  Rng rng(5);
  for (int round = 0; round < 60; round++) {
    const Shape s = random_shape(rng);
    SCOPED_TRACE(describe(tier(), s));
    const Inputs in = random_inputs(rng, s);
    const auto out = outputs(tier(), in);
    const size_t width = static_cast<size_t>(s.n_heads * s.head_dim + s.q_extra);
    // Tiers with integer products round weights to 1/8191 of the largest of 64, 1/8191 * sqrt(64 /
    // 12) or so of a value.
    const bool integers = s.kv_type == KvType::kI16 && tier().kv_type == KvType::kI16;
    const double tolerance = integers ? 2e-4 + 1e-3 * static_cast<double>(in.largest_value) : 2e-4;
    for (int32_t t = 0; t < s.n_tokens; t++)
      for (int32_t h = 0; h < s.n_heads; h++) {
        const auto expected = expected_head(in, t, h, integers);
        for (size_t d = 0; d < expected.size(); d++)
          // Scores are up to some hundreds here, so f32 scores alone give 1e-5.
          ASSERT_NEAR(
              static_cast<double>(
                  out[static_cast<size_t>(t) * width + static_cast<size_t>(h * s.head_dim) + d]),
              expected[d], tolerance)
              << "token " << t << ", head " << h << ", element " << d;
      }
    if (HasFailure()) return;
  }
}

// Window 1 sees the own key only: the output is that value, exactly.
TEST_P(AttendTest, WindowOfOneCopiesTheValue) {
  Rng rng(6);
  for (const int32_t position : {0, 63, 64, 200}) {
    const Shape s{5, 2, 96, position, 1, KvType::kF16, 0, 0};
    const Inputs in = random_inputs(rng, s);
    const auto out = outputs(tier(), in);
    for (int32_t t = 0; t < s.n_tokens; t++)
      for (int32_t i = 0; i < s.n_heads * s.head_dim; i++)
        ASSERT_EQ(out[static_cast<size_t>(t * s.n_heads * s.head_dim + i)],
                  in.v_values[static_cast<size_t>((position + t) * s.head_dim + i % s.head_dim)]);
  }
}

// The same with kI16, up to a few roundings of floats.
TEST_P(AttendTest, WindowOfOneGivesTheRoundedValue) {
  Rng rng(8);
  for (const int32_t position : {0, 63, 64, 200}) {
    const Shape s{70, 2, 96, position, 1, KvType::kI16, 0, 0};
    const Inputs in = random_inputs(rng, s);
    const auto out = outputs(tier(), in);
    for (int32_t t = 0; t < s.n_tokens; t++)
      for (int32_t i = 0; i < s.n_heads * s.head_dim; i++) {
        const float value =
            in.v_values[static_cast<size_t>((position + t) * s.head_dim + i % s.head_dim)];
        ASSERT_FLOAT_EQ(out[static_cast<size_t>(t * s.n_heads * s.head_dim + i)], value);
      }
  }
}

// A first token that all attend to and whose value is next to nothing, as real models have: what
// the others add still has to be exact to a part of its own size.
TEST_P(AttendTest, SmallWeightsOfLargeValuesCount) {
  Rng rng(9);
  Shape s{40, 1, 96, 90, 0, KvType::kI16, 0, 0};
  Inputs in = random_inputs(rng, s);
  std::vector<float> key(96), value(96);
  for (int32_t j = 0; j < s.keys(); j++) {
    for (size_t d = 0; d < key.size(); d++) {
      key[d] = j == 0 ? 1.0f : 0.01f * rng.normal();
      value[d] = (j == 0 ? 1e-6f : 1.0f) * rng.normal();
    }
    table("scalar").append_i16(key.data(), value.data(), s.head_dim, j, in.k.as<void>(),
                               in.v.as<void>());
    round_to_i16(key.data(), s.head_dim, 4095);
    round_to_i16(value.data(), s.head_dim, 4095);
    std::copy(key.begin(), key.end(), in.k_values.begin() + j * s.head_dim);
    std::copy(value.begin(), value.end(), in.v_values.begin() + j * s.head_dim);
  }
  for (int32_t i = 0; i < s.n_tokens * s.head_dim; i++) in.q.as<float>()[i] = 1.2f;
  const auto out = outputs(tier(), in);
  for (int32_t t = 0; t < s.n_tokens; t++) {
    const auto expected = expected_head(in, t, 0, tier().kv_type == KvType::kI16);
    double error = 0, norm = 0;
    for (size_t d = 0; d < expected.size(); d++) {
      const double got = static_cast<double>(out[static_cast<size_t>(t) * expected.size() + d]);
      error += (got - expected[d]) * (got - expected[d]);
      norm += expected[d] * expected[d];
    }
    ASSERT_LT(std::sqrt(norm), 0.1);  // the first token has most of the weight
    ASSERT_LT(std::sqrt(error / norm), 1e-3) << "token " << t;
  }
}

// Whole run = single tokens = chunks, to the bit.
TEST_P(AttendTest, BatchDoesntMatter) {
  Rng rng(7);
  for (int round = 0; round < 30; round++) {
    const Shape s = random_shape(rng);
    SCOPED_TRACE(describe(tier(), s));
    const Inputs in = random_inputs(rng, s);
    const auto whole = outputs(tier(), in);
    ASSERT_EQ(whole, outputs(tier(), in));
    const int64_t width = static_cast<int64_t>(s.n_heads) * s.head_dim + s.q_extra;
    std::vector<float> parts(whole.size(), kUntouched);
    for (int32_t t = 0; t < s.n_tokens;) {
      Attend a = in.attend(parts.data() + t * width, nullptr);
      a.q += t * width;
      a.q_position += t;
      a.n_tokens = std::min(s.n_tokens - t, 1 + static_cast<int32_t>(rng.below(20)));
      GuardedBytes scratch = poisoned_scratch(attend_scratch_floats(a) * sizeof(float));
      a.scratch = scratch.as<float>();
      tier().attend(a);
      t += a.n_tokens;
    }
    ASSERT_EQ(parts, whole);
  }
}

INSTANTIATE_TEST_SUITE_P(Attend, AttendTest, testing::ValuesIn(candidates()),
                         [](const auto& info) { return candidate_name(info.param); });

}  // namespace
}  // namespace phial::kernels
