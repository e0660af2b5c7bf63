// SPDX-License-Identifier: Apache-2.0
#include "quant/assign.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "oracle_weights.h"

namespace phial {
namespace {

Phi3Config small_config(bool tied) {
  Phi3Config c;
  c.vocab_size = 1000;
  c.hidden_size = 128;
  c.intermediate_size = 256;
  c.n_layers = 2;
  c.n_heads = c.n_kv_heads = 4;
  c.head_dim = c.rotary_dim = 32;
  c.tie_word_embeddings = tied;
  return c;
}

// A chain of matrices as NNCF saw it; which got 4 bits at each ratio.
TEST(Assign, ChoosesTheLayersThatNncfChose) {
  const Json golden = read_json(fs::path(PHIAL_SOURCE_DIR) / "tests/golden/quant/ratio.json");
  std::vector<int64_t> sizes;
  std::vector<float> errors;
  const size_t n = golden["shapes"].size();
  for (size_t k = 1; k + 1 < n; ++k) {  // the first is the embedding, the last the last MatMul
    const int64_t rows = golden["shapes"][k][0], cols = golden["shapes"][k][1];
    std::vector<float> w = oracle_weights(rows + 10, cols, golden["seeds"][k].get<uint32_t>());
    for (float& x : w) x *= golden["scales"][k].get<float>();
    WeightMatrix m;
    m.rows = rows;
    m.cols = cols;
    m.data = reinterpret_cast<const std::byte*>(w.data() + 10 * cols);
    sizes.push_back(rows * cols);
    errors.push_back(int8_row_error(m, 0, rows));
  }
  for (const auto& [ratio, expected] : golden["int4"].items()) {
    if (ratio == "1.0") continue;  // no choice is made then
    std::vector<int> chosen;
    const std::vector<bool> int4 = choose_int4(sizes, errors, std::stod(ratio));
    for (size_t i = 0; i < int4.size(); ++i)
      if (int4[i]) chosen.push_back(static_cast<int>(i) + 1);
    EXPECT_EQ(chosen, expected.get<std::vector<int>>()) << "ratio " << ratio;
  }
}

TEST(Assign, StopsAtTheFirstMatrixThatReachesTheRatio) {
  const std::vector<int64_t> sizes = {10, 50, 10, 30};
  const std::vector<float> errors = {4, 3, 2, 1};
  EXPECT_EQ(choose_int4(sizes, errors, 0.6),
            (std::vector<bool>{true, false, false, false}));  // 60/100 >= 0.6: stop, don't skip
  EXPECT_EQ(choose_int4(sizes, errors, 0.61), (std::vector<bool>{true, true, false, false}));
  EXPECT_EQ(choose_int4(sizes, errors, 0.0), (std::vector<bool>(4, false)));
  EXPECT_EQ(choose_int4(sizes, std::vector<float>(4, 1.0f), 0.5),
            (std::vector<bool>{true, false, false, false}));  // ties: in order
}

TEST(Assign, EdgesAreInt8UnlessAllLayers) {
  QuantRecipe recipe;
  for (bool tied : {false, true})
    for (bool all : {false, true}) {
      recipe.all_layers = all;
      const auto specs = tensor_specs(small_config(tied));
      EXPECT_EQ(ratio_defining(specs, recipe).size(), 8u + (all ? (tied ? 1u : 2u) : 0u));
      for (const QuantAssignment& a : assign_schemes(specs, recipe, {})) {
        if (is_norm(a.spec.role)) continue;
        const bool edge = a.spec.role == Role::kEmbedding || a.spec.role == Role::kLmHead;
        EXPECT_EQ(a.scheme, edge && !all ? QuantScheme::kInt8Asym : QuantScheme::kInt4Sym)
            << a.spec.name;
      }
    }
}

TEST(Assign, EmbeddingIsCountedAfterTheLastMatMul) {
  QuantRecipe recipe;
  recipe.all_layers = true;
  const auto specs = tensor_specs(small_config(false));
  const auto order = ratio_defining(specs, recipe);
  EXPECT_EQ(specs[order.back()].role, Role::kEmbedding);
  EXPECT_EQ(specs[order[order.size() - 2]].role, Role::kLmHead);
}

TEST(Assign, OtherPrecisionsAreUniform) {
  QuantRecipe recipe;
  recipe.precision = WeightPrecision::kInt8;
  recipe.ratio = 0.5;  // means nothing here
  EXPECT_FALSE(needs_errors(recipe));
  for (bool symmetric : {false, true}) {
    recipe.symmetric = symmetric;
    for (const QuantAssignment& a : assign_schemes(tensor_specs(small_config(false)), recipe, {}))
      EXPECT_EQ(a.scheme, symmetric ? QuantScheme::kInt8Sym : QuantScheme::kInt8Asym);
  }
  recipe.precision = WeightPrecision::kFp16;
  for (const QuantAssignment& a : assign_schemes(tensor_specs(small_config(false)), recipe, {}))
    EXPECT_EQ(a.scheme, QuantScheme::kFp16);
}

TEST(Assign, GroupThatDoesNotFitNamesTheTensorAndWhatDoes) {
  Phi3Config config = small_config(false);
  config.intermediate_size = 192;
  QuantRecipe recipe;
  try {
    assign_schemes(tensor_specs(config), recipe, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(e.what()).find("mlp.down_proj.weight' has 192 columns"),
              std::string::npos)
        << e.what();
    EXPECT_NE(std::string(e.what()).find("32, 64, -1"), std::string::npos) << e.what();
  }
  recipe.group_size = -1;
  EXPECT_NO_THROW(assign_schemes(tensor_specs(config), recipe, {}));
}

}  // namespace
}  // namespace phial
