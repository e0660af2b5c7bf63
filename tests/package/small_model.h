// SPDX-License-Identifier: Apache-2.0
// A model small enough to quantize in a test: 2 layers, hidden 128, GQA.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "package/package.h"
#include "package/writer.h"
#include "temp_folder.h"

namespace phial {

inline Json small_config(bool tied = false) {
  return parse_json(
      R"({"architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "hidden_act": "silu", "vocab_size": 352,
    "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 512, "original_max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "rope_scaling": null, "sliding_window": null, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2,
    "tie_word_embeddings": )" +
          std::string(tied ? "true}" : "false}"),
      "small_config");
}

inline fs::path small_checkpoint(const TempFolder& temp, bool tied = false,
                                 const std::string& dtype = "bf16") {
  const fs::path path = temp.path() / (std::string(tied ? "tied-" : "plain-") + dtype);
  make_random_checkpoint(small_config(tied), path, 1, {}, dtype);
  return path;
}

inline QuantRecipe recipe_of(WeightPrecision precision, bool symmetric = true, int32_t group = 64,
                             double ratio = 1.0) {
  QuantRecipe recipe;
  recipe.precision = precision;
  recipe.symmetric = symmetric;
  recipe.group_size = group;
  recipe.ratio = ratio;
  return recipe;
}

inline void quantize_small(const fs::path& source, const fs::path& destination,
                           const QuantRecipe& recipe) {
  QuantizeOptions options;
  options.recipe = recipe;
  quantize(source, destination, options);
}

// The Error that `action` throws, as "code: message"; "none" if it throws nothing.
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& e) {
    return std::string(code_name(e.code())) + ": " + e.what();
  }
  return "none";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace phial
