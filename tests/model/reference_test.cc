// SPDX-License-Identifier: Apache-2.0
// reference_forward against transformers: the golden files, and the larger tiny checkpoints where
// they were made.
#include "model/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "model/checkpoint_weights.h"
#include "model_golden.h"

namespace phial {
namespace {

// Two float32 implementations of the same sums: some ten roundings of 6e-8 a layer.
constexpr double kTolerance = 1e-5;

struct Loaded {
  explicit Loaded(const fs::path& folder)
      : checkpoint(folder),
        config(parse_phi3_config(checkpoint.config(), folder.string())),
        weights(weights_from_checkpoint(checkpoint, config)) {}

  Checkpoint checkpoint;
  Phi3Config config;
  Phi3Weights weights;

  std::vector<float> logits(const GoldenCase& c) const {
    return reference_forward(config, weights, c.ids, static_cast<int64_t>(c.ids.size()) - c.first);
  }
};

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, LogitsAreThoseOfTransformers) {
  const GoldenCase& c = GetParam();
  const std::vector<float> logits = Loaded(c.folder).logits(c);
  EXPECT_LT(relative_l2(logits, c.logits), kTolerance);
  EXPECT_LT(relative_max(logits, c.logits), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Reference, Golden, testing::ValuesIn(golden_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(Reference, GenerationsAreThoseOfTransformers) {
  for (const GoldenGeneration& g : golden_generations()) {
    const Loaded model(g.folder);
    std::vector<int32_t> ids = g.prompt;
    for (size_t i = 0; i < g.tokens.size(); ++i) {
      const std::vector<float> logits = reference_forward(model.config, model.weights, ids, 1);
      const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
      ASSERT_EQ(best, g.tokens[i]) << g.name << ", new token " << i;
      ids.push_back(g.tokens[i]);
    }
  }
}

// The golden files must tell a wrong model from a right one.
TEST(Reference, WindowIsExactAtItsEdge) {
  const GoldenCase c = golden_case("window_edge");
  Loaded model(c.folder);
  ASSERT_EQ(model.config.sliding_window, 7);
  for (int32_t wrong : {0, 6, 8}) {
    model.config.sliding_window = wrong;
    EXPECT_GT(relative_l2(model.logits(c), c.logits), 1e-3) << wrong;
  }
}

TEST(Reference, FactorsChangeAfterTheOriginalLength) {
  for (const char* name : {"longrope_32", "longrope_33"}) {
    const GoldenCase c = golden_case(name);
    Loaded model(c.folder);
    ASSERT_TRUE(model.config.longrope);
    std::swap(model.config.longrope->short_factor, model.config.longrope->long_factor);
    EXPECT_GT(relative_l2(model.logits(c), c.logits), 1e-2) << name;
  }
}

TEST(Reference, LastRowsAreThoseOfTheWhole) {
  const GoldenCase c = golden_case("partial_20");
  const Loaded model(c.folder);
  const std::vector<float> all = reference_forward(model.config, model.weights, c.ids);
  ASSERT_EQ(all.size(), c.ids.size() * static_cast<size_t>(c.vocab));
  const std::vector<float> last = reference_forward(model.config, model.weights, c.ids, 3);
  EXPECT_EQ(last, std::vector<float>(all.end() - 3 * c.vocab, all.end()));
  EXPECT_EQ(reference_forward(model.config, model.weights, c.ids, 1000), all);
}

TEST(Reference, RefusesIdsOutsideTheVocabulary) {
  const Loaded model(golden_model_folder() / "partial");
  for (int32_t id : {-1, 256}) {
    try {
      reference_forward(model.config, model.weights, std::vector<int32_t>{1, id});
      FAIL() << id;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kInvalidArgument);
    }
  }
}

// The tiny checkpoints that other oracles leave in a folder tree: every folder with ref_ids.npy and
// ref_logits.npy.
TEST(Reference, TinyCheckpointsAreThoseOfTransformers) {
  const char* root = std::getenv("PHIAL_TINY_CHECKPOINTS");
  if (!root)
    GTEST_SKIP() << "PHIAL_TINY_CHECKPOINTS names no folder of checkpoints with ref_logits.npy";
  int seen = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    const fs::path folder = entry.path();
    if (!fs::exists(folder / "ref_logits.npy")) continue;
    const Npy<int64_t> ids = read_npy<int64_t>(folder / "ref_ids.npy");
    const Npy<float> expected = read_npy<float>(folder / "ref_logits.npy");
    const Loaded model(folder);
    const std::vector<float> logits = reference_forward(
        model.config, model.weights, std::vector<int32_t>(ids.data.begin(), ids.data.end()));
    EXPECT_LT(relative_l2(logits, expected.data), kTolerance) << folder;
    EXPECT_LT(relative_max(logits, expected.data), kTolerance) << folder;
    ++seen;
  }
  EXPECT_GT(seen, 0) << root;
}

}  // namespace
}  // namespace phial
