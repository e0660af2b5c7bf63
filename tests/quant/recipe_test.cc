// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace phial {
namespace {

TEST(Recipe, RoundTripsThroughJson) {
  QuantRecipe recipe;
  recipe.group_size = 64;
  recipe.ratio = 0.6;
  recipe.symmetric = false;
  recipe.all_layers = true;
  const Json json = recipe.to_json();
  const QuantRecipe back = QuantRecipe::from_json(JsonView(json, "test"));
  EXPECT_EQ(back.precision, WeightPrecision::kInt4);
  EXPECT_EQ(back.group_size, 64);
  EXPECT_EQ(back.ratio, 0.6);
  EXPECT_FALSE(back.symmetric);
  EXPECT_TRUE(back.all_layers);
}

TEST(Recipe, SaysNothingThatDoesNotApply) {
  QuantRecipe recipe;
  recipe.precision = WeightPrecision::kFp16;
  EXPECT_EQ(recipe.to_json().dump(), R"({"weight_format":"fp16"})");
  recipe.precision = WeightPrecision::kInt8;
  EXPECT_EQ(recipe.to_json().dump(), R"({"weight_format":"int8","symmetric":true})");
}

TEST(Recipe, ChecksItsNumbers) {
  auto refused = [](auto change) {
    QuantRecipe recipe;
    change(recipe);
    try {
      recipe.check();
      return false;
    } catch (const Error& e) {
      return e.code() == Code::kInvalidArgument;
    }
  };
  for (int32_t group : {0, -2, 16, 33, 48, 100})
    EXPECT_TRUE(refused([group](QuantRecipe& r) { r.group_size = group; })) << group;
  for (int32_t group : {-1, 32, 64, 128, 256})
    EXPECT_FALSE(refused([group](QuantRecipe& r) { r.group_size = group; })) << group;
  for (double ratio : {-0.1, 1.01, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_TRUE(refused([ratio](QuantRecipe& r) { r.ratio = ratio; })) << ratio;
  EXPECT_FALSE(refused([](QuantRecipe& r) {
    r.precision = WeightPrecision::kInt8;
    r.group_size = 7;  // means nothing here
  }));
}

TEST(Recipe, NamesItsFormats) {
  for (const char* name : {"fp16", "int8", "int4"})
    EXPECT_STREQ(precision_name(precision_from_name(name)), name);
  try {
    precision_from_name("nf4");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("fp16, int8 or int4"), std::string::npos);
  }
}

TEST(Recipe, FromAFileItIsCorruptNotInvalid) {
  for (const char* text :
       {R"({"weight_format":"int5"})", R"({"weight_format":"int4","group_size":31})",
        R"({"weight_format":"int4","ratio":2})", R"({"ratio":1})",
        R"({"weight_format":"int4","symmetric":1})"}) {
    const Json json = parse_json(text, "test");
    try {
      QuantRecipe::from_json(JsonView(json, "test"));
      FAIL() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kCorrupt) << text;
    }
  }
}

}  // namespace
}  // namespace phial
