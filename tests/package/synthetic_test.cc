// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "small_model.h"

namespace phial {
namespace {

struct Spread {
  double mean, deviation;
};

Spread spread_of(const WeightMatrix& m, int64_t rows) {
  std::vector<float> row(static_cast<size_t>(m.cols));
  double sum = 0, squares = 0, n = 0;
  for (int64_t r = 0; r < rows; ++r) {
    dequantize_row(m, r, row.data());
    for (float x : row) {
      sum += static_cast<double>(x);
      squares += static_cast<double>(x) * static_cast<double>(x);
      ++n;
    }
  }
  return {sum / n, std::sqrt(squares / n)};
}

TEST(Synthetic, WeightsHaveTheSpreadOfAFreshModel) {
  for (QuantRecipe recipe :
       {recipe_of(WeightPrecision::kInt4), recipe_of(WeightPrecision::kInt4, false),
        recipe_of(WeightPrecision::kInt8), recipe_of(WeightPrecision::kFp16)}) {
    recipe.all_layers =
        recipe.symmetric;  // with the asymmetric one the tables are int8 with zero points
    const auto package = Package::synthetic("phi-3-mini", recipe, 1);
    for (const WeightMatrix* m :
         {&package->weights().layers[0].down, &package->weights().lm_head}) {
      const Spread s = spread_of(*m, 40);
      EXPECT_NEAR(s.deviation, 0.022, 0.003) << recipe.to_json().dump();
      EXPECT_NEAR(s.mean, 0.0, 0.001) << recipe.to_json().dump();
    }
    EXPECT_EQ(package->weights().layers[0].input_norm, std::vector<float>(3072, 1.0f));
  }
}

TEST(Synthetic, IsLaidOutAsARealPackageWouldBe) {
  const auto package =
      Package::synthetic("phi-3-mini", recipe_of(WeightPrecision::kInt4, true, 128), 2);
  EXPECT_EQ(package->config().n_layers, 2);
  EXPECT_TRUE(package->folder().empty());
  EXPECT_FALSE(package->quantized_by_phial());
  const Phi3Weights& w = package->weights();
  EXPECT_EQ(w.embedding.format, WeightFormat::kU8);
  EXPECT_NE(w.embedding.zero_points, nullptr);
  EXPECT_EQ(w.layers[1].gate_up.format, WeightFormat::kU4);
  EXPECT_EQ(w.layers[1].gate_up.group, 128);
  EXPECT_EQ(w.layers[1].gate_up.zero_points, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(w.layers[1].down.data) % 4096, 0u);
  EXPECT_EQ(package->describe()["kind"], "synthetic");
  // 4 bits and a 16-bit scale per 128 weights, in two layers of 113 M parameters; two int8 tables
  // with 3 bytes a row
  const uint64_t layer = (9216 * 3072 + 3072 * 3072 + 2 * 8192 * 3072 + 3072 * 8192) / 128ull * 66;
  EXPECT_EQ(package->weight_bytes(), 2 * layer + 2 * (32064ull * 3072 + 32064 * 3));
}

TEST(Synthetic, SameSeedSameBytesAndTiedTablesAreOne) {
  QuantRecipe recipe = recipe_of(WeightPrecision::kInt4, true, 128, 0.6);
  recipe.all_layers = true;
  const auto a = Package::synthetic("phi-3-mini", recipe, 1, 5),
             b = Package::synthetic("phi-3-mini", recipe, 1, 5);
  const auto c = Package::synthetic("phi-4-mini", recipe, 1, 6);
  EXPECT_EQ(c->weights().lm_head.data, c->weights().embedding.data);
  const WeightMatrix &x = a->weights().layers[0].down, &y = b->weights().layers[0].down,
                     &z = c->weights().layers[0].down;
  ASSERT_EQ(x.data_bytes(), y.data_bytes());
  EXPECT_TRUE(std::equal(x.data, x.data + x.data_bytes(), y.data));
  EXPECT_TRUE(std::equal(x.scales, x.scales + x.scale_bytes() / 2, y.scales));
  EXPECT_FALSE(std::equal(x.data, x.data + 4096, z.data));
}

TEST(Synthetic, UnknownShapeIsRefusedWithTheList) {
  EXPECT_TRUE(contains(error_of([] { Package::synthetic("phi-9", QuantRecipe()); }), "phi-3-mini"));
}

}  // namespace
}  // namespace phial
