// SPDX-License-Identifier: Apache-2.0
// The engine against transformers, which computes in float32: logits and greedy generations of the
// tiny checkpoints in tests/golden/model, some of them with bf16 weights.
#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/suite.h"
#include "model_golden.h"
#include "native/native_backend.h"

namespace phial {

// How a case is named where a test fails.
void PrintTo(const GoldenCase& c, std::ostream* out) { *out << c.name; }

namespace {

// Float32 sums in another order; keys and values rounded to float16.
constexpr double kTolerance = 1e-5, kF16CacheTolerance = 2e-3;

std::unique_ptr<Session> open(const fs::path& folder, const char* kv_cache) {
  SessionOptions options;
  options.kv_cache = kv_cache;
  return make_native_backend()->open(Package::open(folder), "cpu", options);
}

class NativeGolden : public testing::TestWithParam<GoldenCase> {};

TEST_P(NativeGolden, a_prefill_gives_the_logits_of_transformers) {
  const GoldenCase& c = GetParam();
  const auto session = open(c.folder, "f32");
  const size_t first = static_cast<size_t>(c.first);
  // The rows before `first` aren't stored, and with LongRoPE they belong to the same step: so all
  // of it in one.
  const Logits all = feed(*session, 0, c.ids);
  const Logits rows = last_rows(all, c.ids.size() - first, static_cast<int32_t>(c.vocab));
  EXPECT_LT(relative_l2(rows, c.logits), kTolerance);
  EXPECT_LT(relative_max(rows, c.logits), kTolerance);
  const Logits with_f16 = feed(*open(c.folder, "f16"), 0, c.ids);
  EXPECT_LT(relative_l2(last_rows(with_f16, c.ids.size() - first, static_cast<int32_t>(c.vocab)),
                        c.logits),
            kF16CacheTolerance);
}

// Up to five tokens before the end as a prompt, then one at a time: across 4096 where the case is
// about that. The last row is that of the whole sequence whatever the way there.
TEST_P(NativeGolden, decoding_ends_in_the_logits_of_transformers) {
  const GoldenCase& c = GetParam();
  const auto session = open(c.folder, "f32");
  const size_t decoded = std::min<size_t>(5, c.ids.size() - 1);
  const std::span<const int32_t> ids(c.ids);
  Logits last = feed(*session, 0, ids.first(ids.size() - decoded), true);
  for (size_t i = ids.size() - decoded; i < ids.size(); ++i)
    last = feed(*session, 0, ids.subspan(i, 1));
  EXPECT_LT(relative_l2(last, last_rows(c.logits, 1, static_cast<int32_t>(c.vocab))), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(native, NativeGolden, testing::ValuesIn(golden_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(native_golden, greedy_generations_are_those_of_transformers) {
  const auto generations = golden_generations();
  ASSERT_FALSE(generations.empty());
  for (const GoldenGeneration& g : generations) {
    const auto session = open(g.folder, "f32");
    Logits logits = feed(*session, 0, g.prompt, true);
    for (size_t i = 0; i < g.tokens.size(); ++i) {
      const TokenId best =
          static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
      ASSERT_EQ(best, g.tokens[i]) << g.name << ", new token " << i;
      if (session->length(0) == session->limits().max_context) break;
      logits = feed(*session, 0, {&best, 1});
    }
  }
}

}  // namespace
}  // namespace phial
