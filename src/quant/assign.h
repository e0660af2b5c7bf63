// SPDX-License-Identifier: Apache-2.0
// Which scheme each matrix of a Phi-3 gets from a recipe, as NNCF chooses
// (docs/decisions/0002-package.md): embedding and lm_head int8 unless all_layers; with a ratio
// below 1 the matrices that int8 hurts most are the ones given 4 bits.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/phi3_weights.h"
#include "quant/recipe.h"
#include "quant/schemes.h"

namespace phial {

struct QuantAssignment {
  TensorSpec spec;
  QuantScheme scheme = QuantScheme::kFp16;  // norms: unused, they stay float32
  int64_t group = 0;                        // as quant_shape takes it
};

// Positions in `specs` of the matrices that a ratio counts, in NNCF's order: the layers' matrices,
// and with all_layers lm_head and then the embedding. Empty unless the recipe is int4.
std::vector<size_t> ratio_defining(const std::vector<TensorSpec>& specs, const QuantRecipe& recipe);

// True if the assignment depends on the weights, so that errors must be measured first.
bool needs_errors(const QuantRecipe& recipe);

// Which of the matrices (weights each, int8_row_error each) get 4 bits: by falling error until the
// next one would reach the ratio.
std::vector<bool> choose_int4(std::span<const int64_t> sizes, std::span<const float> errors,
                              double ratio);

// One entry a spec. `errors` belongs to ratio_defining(), empty if !needs_errors(). Throws
// kInvalidArgument, naming the tensor and the group sizes that would do, if the recipe's group size
// doesn't divide its columns.
std::vector<QuantAssignment> assign_schemes(const std::vector<TensorSpec>& specs,
                                            const QuantRecipe& recipe,
                                            std::span<const float> errors);

}  // namespace phial
