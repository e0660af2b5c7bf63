// SPDX-License-Identifier: Apache-2.0
// Sources: nncf/quantization/algorithms/weight_compression/algorithm.py
// (get_weight_compression_parameters) and mixed_precision.py (MixedPrecisionCriterion.apply,
// DataFreeCriterion), NNCF 3.4.
#include "quant/assign.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace phial {
namespace {

bool is_edge(Role role) { return role == Role::kEmbedding || role == Role::kLmHead; }

void check_group(const TensorSpec& spec, int64_t group) {
  if (group == -1 ? spec.cols % 2 == 0 : spec.cols % group == 0) return;
  std::string others;
  for (int64_t g = 32; g <= 1024; g *= 2)
    if (spec.cols % g == 0) others += std::to_string(g) + ", ";
  if (group == -1)
    throw_error(Code::kInvalidArgument,
                "tensor '{}' has {} columns, an odd number; int4 needs an even one", spec.name,
                spec.cols);
  throw_error(Code::kInvalidArgument,
              "tensor '{}' has {} columns, which group size {} doesn't divide; possible here: {}-1 "
              "(one scale a row)",
              spec.name, spec.cols, group, others);
}

}  // namespace

std::vector<size_t> ratio_defining(const std::vector<TensorSpec>& specs,
                                   const QuantRecipe& recipe) {
  std::vector<size_t> order, embeddings;
  if (recipe.precision != WeightPrecision::kInt4) return order;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (is_norm(specs[i].role)) continue;
    if (!is_edge(specs[i].role) || (recipe.all_layers && specs[i].role == Role::kLmHead))
      order.push_back(i);
    if (recipe.all_layers && specs[i].role == Role::kEmbedding) embeddings.push_back(i);
  }
  order.insert(order.end(), embeddings.begin(), embeddings.end());
  return order;
}

bool needs_errors(const QuantRecipe& recipe) {
  return recipe.precision == WeightPrecision::kInt4 && recipe.ratio < 1.0;
}

std::vector<bool> choose_int4(std::span<const int64_t> sizes, std::span<const float> errors,
                              double ratio) {
  PHIAL_ASSERT(sizes.size() == errors.size());
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // NNCF sorts by 1 / (error + eps) ascending; the sort is stable there too.
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return errors[a] > errors[b]; });
  const double total = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}));
  std::vector<bool> chosen(sizes.size(), false);
  int64_t taken = 0;
  for (size_t i : order) {
    if (static_cast<double>(taken + sizes[i]) / total >= ratio) break;
    chosen[i] = true;
    taken += sizes[i];
  }
  return chosen;
}

std::vector<QuantAssignment> assign_schemes(const std::vector<TensorSpec>& specs,
                                            const QuantRecipe& recipe,
                                            std::span<const float> errors) {
  recipe.check();
  const QuantScheme int8 = recipe.precision == WeightPrecision::kInt8 && recipe.symmetric
                               ? QuantScheme::kInt8Sym
                               : QuantScheme::kInt8Asym;
  std::vector<QuantAssignment> out;
  for (const TensorSpec& spec : specs)
    out.push_back(
        {spec, recipe.precision == WeightPrecision::kFp16 ? QuantScheme::kFp16 : int8, 0});
  const std::vector<size_t> counted = ratio_defining(specs, recipe);
  std::vector<bool> int4(counted.size(), true);
  if (needs_errors(recipe)) {
    std::vector<int64_t> sizes;
    for (size_t i : counted) sizes.push_back(specs[i].rows * specs[i].cols);
    int4 = choose_int4(sizes, errors, recipe.ratio);
  }
  for (size_t k = 0; k < counted.size(); ++k) {
    QuantAssignment& a = out[counted[k]];
    check_group(a.spec, recipe.group_size);  // NNCF too refuses a group that doesn't fit a matrix
                                             // it might have chosen
    if (!int4[k]) continue;
    a.scheme = recipe.symmetric ? QuantScheme::kInt4Sym : QuantScheme::kInt4Asym;
    a.group = recipe.group_size;
  }
  return out;
}

}  // namespace phial
