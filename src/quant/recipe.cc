// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe.h"

#include "base/error.h"

namespace phial {
namespace {

struct Name {
  WeightPrecision precision;
  const char* name;
};
constexpr Name kNames[] = {{WeightPrecision::kFp16, "fp16"},
                           {WeightPrecision::kInt8, "int8"},
                           {WeightPrecision::kInt4, "int4"}};

}  // namespace

const char* precision_name(WeightPrecision precision) {
  return kNames[static_cast<size_t>(precision)].name;
}

WeightPrecision precision_from_name(const std::string& name) {
  for (const Name& n : kNames)
    if (name == n.name) return n.precision;
  throw_error(Code::kInvalidArgument, "weight format '{}' isn't known; expected fp16, int8 or int4",
              name);
}

void QuantRecipe::check() const {
  if (!(ratio >= 0.0 && ratio <= 1.0))
    throw_error(Code::kInvalidArgument,
                "ratio is {}; expected 0 to 1 (the share of parameters that get 4 bits)", ratio);
  if (precision != WeightPrecision::kInt4) return;  // the rest says nothing about fp16 and int8
  // 32 is what an engine's block of int8 activations covers; powers of two are what ONNX
  // MatMulNBits takes.
  const bool power_of_two = group_size > 0 && (group_size & (group_size - 1)) == 0;
  if (group_size != -1 && (!power_of_two || group_size < 32))
    throw_error(
        Code::kInvalidArgument,
        "group size is {}; expected 32, 64, 128 or another power of two, or -1 for one scale a row",
        group_size);
}

Json QuantRecipe::to_json() const {
  Json json;
  json["weight_format"] = precision_name(precision);
  if (precision == WeightPrecision::kInt4) {
    json["group_size"] = group_size;
    json["ratio"] = ratio;
    json["all_layers"] = all_layers;
  }
  if (precision != WeightPrecision::kFp16) json["symmetric"] = symmetric;
  return json;
}

QuantRecipe QuantRecipe::from_json(const JsonView& json) {
  QuantRecipe recipe;
  try {
    recipe.precision = precision_from_name(json.string("weight_format"));
    recipe.group_size =
        static_cast<int32_t>(json.integer_or("group_size", recipe.group_size, -1, 1 << 20));
    recipe.ratio = json.number_or("ratio", recipe.ratio);
    recipe.symmetric = json.boolean_or("symmetric", recipe.symmetric);
    recipe.all_layers = json.boolean_or("all_layers", recipe.all_layers);
    recipe.check();
  } catch (const Error& e) {
    if (e.code() != Code::kInvalidArgument) throw;
    throw_error(Code::kCorrupt, "{}: {}", json.where(),
                e.what());  // from a file it isn't the caller's mistake
  }
  return recipe;
}

}  // namespace phial
