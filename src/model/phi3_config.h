// SPDX-License-Identifier: Apache-2.0
// config.json of a dense Phi-3 (model_type "phi3"), parsed, completed and checked. What other
// architectures there are and why they are refused is in phi3_config.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace phial {

struct LongRope {
  std::vector<float> short_factor, long_factor;  // [rotary_dim / 2]
  double attention_factor = 1.0;                 // multiplies cos and sin, with both factor sets
};

struct Phi3Config {
  int32_t vocab_size = 0;
  int32_t hidden_size = 0;
  int32_t intermediate_size = 0;
  int32_t n_layers = 0;
  int32_t n_heads = 0, n_kv_heads = 0;
  int32_t head_dim = 0;
  int32_t rotary_dim = 0;              // head_dim * partial_rotary_factor
  int32_t max_positions = 0;           // max_position_embeddings
  int32_t original_max_positions = 0;  // the length up to which the short factors hold
  int32_t sliding_window = 0;          // visible keys including the own one; 0: no window
  float rms_norm_eps = 1e-5f;
  double rope_theta = 10000.0;
  std::optional<LongRope> longrope;
  bool tie_word_embeddings = false;
  int32_t bos_token_id = -1, pad_token_id = -1;  // -1: none
  std::vector<int32_t>
      eos_token_ids;        // of config.json alone; see checkpoint's stop ids for the union
  std::string torch_dtype;  // as the file says, may be empty

  int32_t q_rows() const { return n_heads * head_dim; }
  int32_t kv_rows() const { return n_kv_heads * head_dim; }
  int64_t parameters() const;                               // tied embeddings counted once
  int64_t kv_bytes_per_token(int bytes_per_element) const;  // all layers, K and V

  // True if a sequence of `length` tokens is rotated with the long factors (facts: >
  // original_max_positions).
  bool uses_long_factors(int64_t length) const {
    return longrope && length > original_max_positions;
  }
};

// `where` names the text in errors. Throws kUnsupported, naming the architecture and what is
// supported, for anything that isn't a dense phi3; kCorrupt for values that can't be.
Phi3Config parse_phi3_config(const Json& config, const std::string& where);

// The seven published family members by short name ("phi-3-mini", "phi-3-mini-128k",
// "phi-3-medium", "phi-3-medium-128k", "phi-3.5-mini", "phi-4", "phi-4-mini"), as config.json
// objects; for make-random and --synthetic.
std::vector<std::string> known_shapes();
Json known_shape_config(const std::string& name);  // throws kInvalidArgument with the list

}  // namespace phial
