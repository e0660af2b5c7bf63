// SPDX-License-Identifier: Apache-2.0
// What a package gives back: the weights that the recipe leads to, whatever way it was opened.
#include "package/package.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "model/checkpoint_weights.h"
#include "model/reference.h"
#include "package/layout.h"
#include "quant/schemes.h"
#include "small_model.h"

namespace phial {
namespace {

std::vector<float> dequantized(const WeightMatrix& m) {
  std::vector<float> out(static_cast<size_t>(m.rows * m.cols));
  for (int64_t r = 0; r < m.rows; ++r) dequantize_row(m, r, out.data() + r * m.cols);
  return out;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {  // relative, of vectors
  double d = 0, n = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    d += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    n += std::pow(static_cast<double>(a[i]), 2);
  }
  return std::sqrt(d / n);
}

TEST(Package, HoldsTheSourcesWeightsWithinTheFormatsError) {
  const TempFolder temp;
  struct Case {
    QuantRecipe recipe;
    double error;  // docs/formats/package.md: relative RMS error of Gaussian weights, and a little
  };
  const Case cases[] = {{recipe_of(WeightPrecision::kFp16), 3e-4},
                        {recipe_of(WeightPrecision::kInt8, false), 0.008},
                        {recipe_of(WeightPrecision::kInt8, true), 0.012},
                        {recipe_of(WeightPrecision::kInt4, false, 32), 0.085},
                        {recipe_of(WeightPrecision::kInt4, true, 128), 0.11},
                        {recipe_of(WeightPrecision::kInt4, true, -1), 0.125}};
  for (bool tied : {false, true}) {
    const fs::path source = small_checkpoint(temp, tied);
    const auto original = Package::open(source);
    for (const Case& c : cases) {
      const fs::path folder = temp.path() / "package";
      fs::remove_all(folder);
      quantize_small(source, folder, c.recipe);
      const auto package = Package::open(folder);
      for (const TensorSpec& spec : tensor_specs(package->config())) {
        Phi3Weights ours = package->weights(), theirs = original->weights();
        if (is_norm(spec.role)) {
          EXPECT_EQ(ours.norm(spec.role, spec.layer), theirs.norm(spec.role, spec.layer))
              << spec.name;
          continue;
        }
        const double d = distance(dequantized(theirs.matrix(spec.role, spec.layer)),
                                  dequantized(ours.matrix(spec.role, spec.layer)));
        EXPECT_LT(d, c.error) << spec.name << " " << c.recipe.to_json().dump();
        if (c.recipe.precision !=
            WeightPrecision::kFp16) {  // bf16 weights of this size are exact in f16
          EXPECT_GT(d, 0.0) << spec.name;
        }
      }
      if (tied) {
        EXPECT_EQ(package->weights().lm_head.data, package->weights().embedding.data);
      }
    }
  }
}

TEST(Package, LogitsFollowTheCheckpoints) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp);
  quantize_small(source, temp.path() / "int8", recipe_of(WeightPrecision::kInt8, false));
  const auto a = Package::open(source), b = Package::open(temp.path() / "int8");
  const std::vector<int32_t> ids = {1, 5, 9, 200, 17};
  EXPECT_LT(distance(reference_forward(a->config(), a->weights(), ids),
                     reference_forward(b->config(), b->weights(), ids)),
            0.03);
}

TEST(Package, RatioGivesFewerParametersFourBitsThanItSays) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp);
  quantize_small(source, temp.path() / "p", recipe_of(WeightPrecision::kInt4, true, 64, 0.6));
  int64_t four = 0, all = 0;
  const auto package = Package::open(temp.path() / "p");
  for (const Phi3Layer& l : package->weights().layers)
    for (const WeightMatrix* m : {&l.qkv, &l.o, &l.gate_up, &l.down}) {
      all += m->rows * m->cols;
      if (m->format == WeightFormat::kU4) four += m->rows * m->cols;
    }
  EXPECT_GT(four, 0);
  EXPECT_LT(static_cast<double>(four) / static_cast<double>(all), 0.6);
}

TEST(Package, DescribesItself) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp);
  quantize_small(source, temp.path() / "model-int4", recipe_of(WeightPrecision::kInt4, true, 64));
  const auto package = Package::open(temp.path() / "model-int4");
  const Json json = package->describe();
  EXPECT_EQ(json["name"], "model-int4");
  EXPECT_EQ(json["kind"], "package");
  EXPECT_EQ(json["layers"], 2);
  EXPECT_EQ(json["kv_heads"], 2);
  EXPECT_EQ(json["recipe"]["weight_format"], "int4");
  EXPECT_EQ(json["source"]["folder"], "plain-bf16");
  EXPECT_EQ(json["source"]["hash"]["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(json["formats"]["qkv"][0]["format"], "u4");
  EXPECT_EQ(json["formats"]["qkv"][0]["matrices"], 2);
  EXPECT_EQ(json["formats"]["qkv"][0]["bits_per_weight"], 4.25);
  EXPECT_EQ(json["formats"]["lm_head"][0]["format"], "u8");
  EXPECT_EQ(json["weight_bytes"], package->weight_bytes());
  EXPECT_EQ(json["tokenizer"], false);
  EXPECT_TRUE(json["quality"].is_null());
  EXPECT_EQ(Package::open(source)->describe()["formats"]["down"][0]["format"], "bf16");
}

TEST(Package, MissingThingsAreNamed) {
  const TempFolder temp;
  EXPECT_TRUE(contains(error_of([&] { Package::open(temp.path() / "nothing"); }), "not found"));
  EXPECT_TRUE(contains(error_of([&] { Package::open(temp.path()); }), "config.json"));
  const fs::path source = small_checkpoint(temp), folder = temp.path() / "p";
  quantize_small(source, folder, recipe_of(WeightPrecision::kInt8));
  fs::rename(folder / kWeightsFile, folder / "elsewhere");
  EXPECT_TRUE(contains(error_of([&] { Package::open(folder); }),
                       std::string("not found: ") + (folder / kWeightsFile).string()));
  fs::rename(folder / "elsewhere", folder / kWeightsFile);
  fs::remove(folder / "config.json");
  EXPECT_TRUE(contains(error_of([&] { Package::open(folder); }), "config.json is missing"));
}

TEST(Package, RolesHaveNames) {
  for (Role role : {Role::kEmbedding, Role::kInputNorm, Role::kQkv, Role::kO, Role::kPostNorm,
                    Role::kGateUp, Role::kDown, Role::kFinalNorm, Role::kLmHead}) {
    Role back;
    ASSERT_TRUE(role_from_name(role_name(role), back));
    EXPECT_EQ(back, role);
  }
  Role unused;
  EXPECT_FALSE(role_from_name("experts", unused));
}

}  // namespace
}  // namespace phial
