// SPDX-License-Identifier: Apache-2.0
// The sampler against transformers' probabilities (tools/oracle/chat_sampling.py), against exact
// statistics, and at the edges: ties, NaN, infinities, flat distributions over a large vocabulary.
#include "generate/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/json.h"

namespace phial {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

SamplingParams params_of(const Json& json) {
  SamplingParams params;
  params.temperature = json.value("temperature", 1.0f);
  params.top_k = json.value("top_k", 0);
  params.top_p = json.value("top_p", 1.0f);
  params.min_p = json.value("min_p", 0.0f);
  params.repetition_penalty = json.value("repetition_penalty", 1.0f);
  return params;
}

std::vector<int> histogram(const SamplingParams& params, const std::vector<float>& logits,
                           const std::vector<TokenId>& prompt, const std::vector<TokenId>& reply,
                           int draws) {
  Sampler sampler(params, static_cast<int32_t>(logits.size()));
  std::vector<int> counts(logits.size());
  std::vector<float> scratch(logits.size());
  for (int i = 0; i < draws; ++i) {
    scratch = logits;
    ++counts[static_cast<size_t>(sampler.sample(scratch, prompt, reply))];
  }
  return counts;
}

// Every count within 5 standard deviations, and nothing where the probability is 0.
void expect_distribution(const std::vector<int>& counts, const std::vector<double>& expected,
                         int draws, const std::string& what) {
  for (size_t i = 0; i < counts.size(); ++i) {
    const double mean = expected[i] * draws, deviation = std::sqrt(mean * (1 - expected[i]));
    if (expected[i] == 0) {
      EXPECT_EQ(counts[i], 0) << what << " token " << i;
    } else {
      EXPECT_NEAR(counts[i], mean, 5 * deviation + 1) << what << " token " << i;
    }
  }
}

TEST(Sampler, DistributionsOfTransformers) {
  const Json golden = read_json(fs::path(PHIAL_SOURCE_DIR) / "tests/golden/generate/sampling.json");
  ASSERT_GE(golden.size(), 15u);
  constexpr int kDraws = 40000;
  for (const Json& item : golden) {
    const auto logits = item["logits"].get<std::vector<float>>();
    const auto tokens = item["tokens"].get<std::vector<TokenId>>();
    const std::vector<TokenId> prompt(tokens.begin(), tokens.begin() + 3),
        reply(tokens.begin() + 3, tokens.end());
    SamplingParams params = params_of(item["params"]);
    params.seed = 11;
    expect_distribution(histogram(params, logits, prompt, reply, kDraws),
                        item["probabilities"].get<std::vector<double>>(), kDraws,
                        item["params"].dump());
  }
}

TEST(Sampler, PresenceAndFrequencyCountTheReplyOnly) {
  SamplingParams params;
  params.temperature = 1;
  params.presence_penalty = 0.5f;
  params.frequency_penalty = 0.25f;
  const std::vector<float> logits = {1, 1, 1, 1};
  const std::vector<double> changed = {1, 1 - 0.5 - 0.25, 1 - 0.5 - 0.75, 1};
  double total = 0;
  std::vector<double> expected;
  for (const double x : changed) total += std::exp(x);
  for (const double x : changed) expected.push_back(std::exp(x) / total);
  expect_distribution(histogram(params, logits, {0, 0, 0}, {2, 1, 2, 2}, 50000), expected, 50000,
                      "penalties");
}

TEST(Sampler, RepetitionPenaltyCountsATokenOnce) {
  SamplingParams params;  // greedy
  params.repetition_penalty = 2;
  Sampler sampler(params, 4);
  std::vector<float> logits = {4, 3, -1, -1.5};
  EXPECT_EQ(sampler.sample(logits, std::vector<TokenId>{0, 0, 2}, std::vector<TokenId>{0, 900, -1}),
            1);
  EXPECT_EQ(logits, (std::vector<float>{2, 3, -2, -1.5}));
  std::vector<float> again = {4, 3, -1, -1.5};  // the marks are gone
  EXPECT_EQ(sampler.sample(again, {}, {}), 0);
}

TEST(Sampler, GreedyTakesTheLowestOfEquals) {
  Sampler sampler(SamplingParams{}, 5);
  std::vector<float> logits = {0, 2, 1, 2, 2};
  EXPECT_EQ(sampler.sample(logits, {}, {}), 1);
}

TEST(Sampler, NotANumberIsNeverChosen) {
  for (const float temperature : {0.0f, 1.0f}) {
    SamplingParams params;
    params.temperature = temperature;
    Sampler sampler(params, 4);
    for (int i = 0; i < 50; ++i) {
      std::vector<float> logits = {NAN, -kInfinity, -5, NAN};
      EXPECT_EQ(sampler.sample(logits, {}, {}), 2);
      std::vector<float> infinite = {NAN, 3, kInfinity, -kInfinity};
      EXPECT_EQ(sampler.sample(infinite, {}, {}), 2);
    }
    std::vector<float> none = {NAN, -kInfinity, NAN, -kInfinity};
    EXPECT_THROW(sampler.sample(none, {}, {}), Error);
  }
}

TEST(Sampler, TinyTemperatureIsGreedy) {
  SamplingParams params;
  params.temperature = 1e-30f;
  Sampler sampler(params, 3);
  for (int i = 0; i < 20; ++i) {
    std::vector<float> logits = {1e30f, 2e30f, -1e30f};
    EXPECT_EQ(sampler.sample(logits, {}, {}), 1);
  }
}

TEST(Sampler, SameSeedSameTokens) {
  SamplingParams params;
  params.temperature = 1;
  params.top_p = 0.9f;
  params.seed = 42;
  std::vector<TokenId> runs[3];
  for (int run = 0; run < 3; ++run) {
    if (run == 2) params.seed = 43;
    Sampler sampler(params, 1000);
    for (int i = 0; i < 100; ++i) {
      std::vector<float> logits(1000);
      for (size_t id = 0; id < logits.size(); ++id)
        logits[id] = static_cast<float>((id * 7919) % 1000) * 0.003f;
      runs[run].push_back(sampler.sample(logits, {}, {}));
    }
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(runs[0], runs[2]);
}

// A flat distribution makes top-p sort chunk after chunk: 2000 equal tokens, p = 0.25 keeps the 500
// lowest ids.
TEST(Sampler, TopPOverAFlatVocabulary) {
  SamplingParams params;
  params.temperature = 1;
  params.top_p = 0.25f;
  Sampler sampler(params, 2000);
  TokenId highest = 0;
  for (int i = 0; i < 3000; ++i) {
    std::vector<float> logits(2000, 1.5f);
    highest = std::max(highest, sampler.sample(logits, {}, {}));
  }
  EXPECT_LT(highest, 500);
  EXPECT_GT(highest, 480);
}

TEST(Sampler, BadParametersAreNamed) {
  const auto refused = [](auto change) {
    SamplingParams params;
    change(params);
    try {
      params.check();
    } catch (const Error& error) {
      return error.code() == Code::kInvalidArgument;
    }
    return false;
  };
  EXPECT_TRUE(refused([](SamplingParams& p) { p.temperature = -1; }));
  EXPECT_TRUE(refused([](SamplingParams& p) { p.temperature = NAN; }));
  EXPECT_TRUE(refused([](SamplingParams& p) { p.top_p = 1.5f; }));
  EXPECT_TRUE(refused([](SamplingParams& p) { p.top_k = -1; }));
  EXPECT_TRUE(refused([](SamplingParams& p) { p.min_p = -0.1f; }));
  EXPECT_TRUE(refused([](SamplingParams& p) { p.repetition_penalty = 0; }));
  EXPECT_FALSE(refused([](SamplingParams&) {}));
  EXPECT_THROW(Sampler(SamplingParams{}, 0), Error);
}

}  // namespace
}  // namespace phial
