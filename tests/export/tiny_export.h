// SPDX-License-Identifier: Apache-2.0
// Packages for the export tests, in the shapes that the reference exports have.
#pragma once

#include <string>

#include "export/openvino_ir/openvino_ir.h"
#include "package/small_model.h"

namespace phial {

// hidden 128, 2 layers, 4 heads, intermediate 256; `changes` are merged into config.json.
inline Json reference_config(const std::string& changes = "{}") {
  Json config = parse_json(
      R"({"architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "hidden_act": "silu", "vocab_size": 352,
    "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4,
    "max_position_embeddings": 4096, "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "rope_scaling": null, "sliding_window": 2047, "tie_word_embeddings": false,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2})",
      "reference_config");
  config.merge_patch(parse_json(changes, "changes"));
  return config;
}

// Grouped queries, a quarter of each head unrotated, tied embeddings.
inline Json partial_config() {
  return reference_config(
      R"({"num_key_value_heads": 2, "partial_rotary_factor": 0.75, "tie_word_embeddings": true,
    "max_position_embeddings": 131072, "rope_scaling": {"type": "longrope",
      "long_factor": [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23], "short_factor": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}})");
}

inline std::shared_ptr<const Package> make_package(const TempFolder& temp, const Json& config,
                                                   const QuantRecipe& recipe,
                                                   const std::string& name = "package") {
  const fs::path source = temp.path() / (name + "-source");
  make_random_checkpoint(config, source, 1, {}, "bf16");
  QuantizeOptions options;
  options.recipe = recipe;
  options.artefacts = openvino_artefacts();
  quantize(source, temp.path() / name, options);
  return Package::open(temp.path() / name);
}

}  // namespace phial
