// SPDX-License-Identifier: Apache-2.0
// The weights of a Phi-3 by role and layer: names, expected shapes, and views of the matrices.
// Knows both the names of a checkpoint and nothing of files: a package or a checkpoint fills it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/phi3_config.h"
#include "tensor/formats.h"

namespace phial {

enum class Role : uint8_t {
  kEmbedding,
  kInputNorm,
  kQkv,
  kO,
  kPostNorm,
  kGateUp,
  kDown,
  kFinalNorm,
  kLmHead
};

bool is_per_layer(Role role);
bool is_norm(Role role);  // a vector kept in float32, not a matrix
std::string tensor_name(
    Role role, int layer);  // "model.layers.3.self_attn.qkv_proj.weight"; layer ignored if global

struct TensorSpec {
  Role role;
  int layer;  // -1 for the global ones
  std::string name;
  int64_t rows, cols;  // norms: rows == 1
};

// Every tensor that a checkpoint of this configuration has, in the order of the forward pass:
// embedding, layers 0.. (input norm, qkv, o, post norm, gate_up, down), final norm, lm_head (absent
// if tied).
std::vector<TensorSpec> tensor_specs(const Phi3Config& config);

struct Phi3Layer {
  std::vector<float> input_norm, post_norm;  // [hidden]
  WeightMatrix qkv;  // [(n_heads + 2 n_kv_heads) * head_dim, hidden]: all Q, then K, then V rows
  WeightMatrix o;    // [hidden, n_heads * head_dim]
  WeightMatrix gate_up;  // [2 * intermediate, hidden]: gate rows, then up rows
  WeightMatrix down;     // [hidden, intermediate]
};

// Views: whoever filled it keeps the bytes alive.
struct Phi3Weights {
  WeightMatrix embedding;  // [vocab, hidden]
  std::vector<Phi3Layer> layers;
  std::vector<float> final_norm;
  WeightMatrix lm_head;  // [vocab, hidden]; the same view as `embedding` if tied

  WeightMatrix& matrix(Role role, int layer);
  std::vector<float>& norm(Role role, int layer);
};

}  // namespace phial
