// SPDX-License-Identifier: Apache-2.0
// What the user asks of a quantization, with the words of optimum-cli: weight format, group size,
// ratio, symmetric or not.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace phial {

enum class WeightPrecision : uint8_t { kFp16, kInt8, kInt4 };

struct QuantRecipe {
  WeightPrecision precision = WeightPrecision::kInt4;
  int32_t group_size = 128;  // int4 only; -1: one scale a row
  double ratio = 1.0;     // int4 only: share of the parameters that get 4 bits, the rest INT8_ASYM
  bool symmetric = true;  // int4: signed symmetric scale; int8: symmetric instead of asymmetric
  bool all_layers = false;  // int4 for embedding and lm_head too (else INT8_ASYM)

  void check() const;  // throws kInvalidArgument
  Json to_json() const;
  static QuantRecipe from_json(const JsonView& json);
};

const char* precision_name(WeightPrecision precision);  // "fp16", "int8", "int4"
WeightPrecision precision_from_name(
    const std::string& name);  // throws kInvalidArgument with the list

}  // namespace phial
