// SPDX-License-Identifier: Apache-2.0
#include "model/phi3_weights.h"

#include "base/error.h"

namespace phial {

bool is_per_layer(Role role) {
  return role != Role::kEmbedding && role != Role::kFinalNorm && role != Role::kLmHead;
}

bool is_norm(Role role) {
  return role == Role::kInputNorm || role == Role::kPostNorm || role == Role::kFinalNorm;
}

std::string tensor_name(Role role, int layer) {
  const char* part = "";
  switch (role) {
    case Role::kEmbedding:
      return "model.embed_tokens.weight";
    case Role::kFinalNorm:
      return "model.norm.weight";
    case Role::kLmHead:
      return "lm_head.weight";
    case Role::kInputNorm:
      part = "input_layernorm";
      break;
    case Role::kQkv:
      part = "self_attn.qkv_proj";
      break;
    case Role::kO:
      part = "self_attn.o_proj";
      break;
    case Role::kPostNorm:
      part = "post_attention_layernorm";
      break;
    case Role::kGateUp:
      part = "mlp.gate_up_proj";
      break;
    case Role::kDown:
      part = "mlp.down_proj";
      break;
  }
  return fmt::format("model.layers.{}.{}.weight", layer, part);
}

std::vector<TensorSpec> tensor_specs(const Phi3Config& c) {
  std::vector<TensorSpec> specs;
  auto add = [&](Role role, int layer, int64_t rows, int64_t cols) {
    specs.push_back({role, layer, tensor_name(role, layer), rows, cols});
  };
  add(Role::kEmbedding, -1, c.vocab_size, c.hidden_size);
  for (int layer = 0; layer < c.n_layers; ++layer) {
    add(Role::kInputNorm, layer, 1, c.hidden_size);
    add(Role::kQkv, layer, c.q_rows() + 2 * c.kv_rows(), c.hidden_size);
    add(Role::kO, layer, c.hidden_size, c.q_rows());
    add(Role::kPostNorm, layer, 1, c.hidden_size);
    add(Role::kGateUp, layer, 2 * c.intermediate_size, c.hidden_size);
    add(Role::kDown, layer, c.hidden_size, c.intermediate_size);
  }
  add(Role::kFinalNorm, -1, 1, c.hidden_size);
  if (!c.tie_word_embeddings) add(Role::kLmHead, -1, c.vocab_size, c.hidden_size);
  return specs;
}

WeightMatrix& Phi3Weights::matrix(Role role, int layer) {
  switch (role) {
    case Role::kEmbedding:
      return embedding;
    case Role::kLmHead:
      return lm_head;
    case Role::kQkv:
      return layers.at(static_cast<size_t>(layer)).qkv;
    case Role::kO:
      return layers.at(static_cast<size_t>(layer)).o;
    case Role::kGateUp:
      return layers.at(static_cast<size_t>(layer)).gate_up;
    case Role::kDown:
      return layers.at(static_cast<size_t>(layer)).down;
    default:
      throw_error(Code::kInternal, "{} is a norm, not a matrix", tensor_name(role, layer));
  }
}

std::vector<float>& Phi3Weights::norm(Role role, int layer) {
  switch (role) {
    case Role::kInputNorm:
      return layers.at(static_cast<size_t>(layer)).input_norm;
    case Role::kPostNorm:
      return layers.at(static_cast<size_t>(layer)).post_norm;
    case Role::kFinalNorm:
      return final_norm;
    default:
      throw_error(Code::kInternal, "{} is a matrix, not a norm", tensor_name(role, layer));
  }
}

}  // namespace phial
