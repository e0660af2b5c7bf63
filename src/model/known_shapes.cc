// SPDX-License-Identifier: Apache-2.0
// The published family members as numbers, for synthetic weights of the real size. Not a source of
// truth for a real checkpoint: that is its own config.json.
#include <cmath>

#include "base/error.h"
#include "model/phi3_config.h"

namespace phial {
namespace {

enum class Rope { kPlain, kLong, kLongShortIsOne };

struct Member {
  const char* name;
  int32_t hidden, intermediate, layers, heads, kv_heads;
  double partial_rotary;
  int32_t max_positions, original_max_positions;
  double theta;
  Rope rope;
  int32_t sliding_window;  // 0: null
  int32_t vocab;
  bool tied;
  int32_t bos, eos, pad;  // pad -1: null
};

// From the config.json of each published model. Phi-4-mini's short factors are all 1.
constexpr Member kMembers[] = {
    {"phi-3-mini", 3072, 8192, 32, 32, 32, 1.0, 4096, 4096, 1e4, Rope::kPlain, 2047, 32064, false,
     1, 32000, 32000},
    {"phi-3-mini-128k", 3072, 8192, 32, 32, 32, 1.0, 131072, 4096, 1e4, Rope::kLong, 262144, 32064,
     false, 1, 32000, 32000},
    {"phi-3-medium", 5120, 17920, 40, 40, 10, 1.0, 4096, 4096, 1e4, Rope::kPlain, 2047, 32064,
     false, 1, 32000, 32000},
    {"phi-3-medium-128k", 5120, 17920, 40, 40, 10, 1.0, 131072, 4096, 1e4, Rope::kLong, 131072,
     32064, false, 1, 32000, -1},
    {"phi-3.5-mini", 3072, 8192, 32, 32, 32, 1.0, 131072, 4096, 1e4, Rope::kLong, 262144, 32064,
     false, 1, 32000, 32000},
    {"phi-4", 5120, 17920, 40, 40, 10, 1.0, 16384, 16384, 250000, Rope::kPlain, 0, 100352, false,
     100257, 100257, 100257},
    {"phi-4-mini", 3072, 8192, 32, 24, 8, 0.75, 131072, 4096, 1e4, Rope::kLongShortIsOne, 262144,
     200064, true, 199999, 199999, 199999},
};

// Not the published lists (those are in each model's config.json): a rising curve from 1 to `last`,
// steep at the end, which has their form and costs the same to compute with.
Json rising_factors(int32_t length, double last) {
  Json list = Json::array();
  for (int32_t i = 0; i < length; ++i) {
    const double t = length > 1 ? static_cast<double>(i) / (length - 1) : 0.0;
    list.push_back(std::round(100.0 * (1.0 + (last - 1.0) * t * t)) / 100.0);
  }
  return list;
}

}  // namespace

std::vector<std::string> known_shapes() {
  std::vector<std::string> names;
  for (const Member& m : kMembers) names.emplace_back(m.name);
  return names;
}

Json known_shape_config(const std::string& name) {
  std::string list;
  for (const Member& m : kMembers) {
    list += (list.empty() ? "" : ", ") + std::string(m.name);
    if (name != m.name) continue;
    Json c;
    c["architectures"] = {"Phi3ForCausalLM"};
    c["attention_bias"] = false;
    c["bos_token_id"] = m.bos;
    c["eos_token_id"] = m.eos;
    c["hidden_act"] = "silu";
    c["hidden_size"] = m.hidden;
    c["intermediate_size"] = m.intermediate;
    c["max_position_embeddings"] = m.max_positions;
    c["model_type"] = "phi3";
    c["num_attention_heads"] = m.heads;
    c["num_hidden_layers"] = m.layers;
    c["num_key_value_heads"] = m.kv_heads;
    c["original_max_position_embeddings"] = m.original_max_positions;
    c["pad_token_id"] = m.pad < 0 ? Json(nullptr) : Json(m.pad);
    if (m.partial_rotary != 1.0) c["partial_rotary_factor"] = m.partial_rotary;
    c["rms_norm_eps"] = 1e-5;
    c["rope_scaling"] = nullptr;
    if (m.rope != Rope::kPlain) {
      const int32_t half = static_cast<int32_t>(m.hidden / m.heads * m.partial_rotary) / 2;
      c["rope_scaling"] = {
          {"long_factor", rising_factors(half, 64.0)},
          {"short_factor", rising_factors(half, m.rope == Rope::kLongShortIsOne ? 1.0 : 3.0)},
          {"type", "longrope"}};
    }
    c["rope_theta"] = m.theta;
    c["sliding_window"] = m.sliding_window == 0 ? Json(nullptr) : Json(m.sliding_window);
    c["tie_word_embeddings"] = m.tied;
    c["torch_dtype"] = "bfloat16";
    c["vocab_size"] = m.vocab;
    return c;
  }
  throw_error(Code::kInvalidArgument, "there is no known shape '{}'; known are {}", name, list);
}

}  // namespace phial
