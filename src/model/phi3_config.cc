// SPDX-License-Identifier: Apache-2.0
// Meaning and defaults of the keys are those of transformers' Phi3Config (configuration_phi3.py,
// modeling_rope_utils.py, 4.57); the newer "rope_parameters" of transformers 5 is read too. What
// isn't a dense Phi-3 is refused by name.
#include "model/phi3_config.h"

#include <cmath>

#include "base/error.h"

namespace phial {
namespace {

constexpr const char* kSupported =
    "phial runs the dense Phi-3 family (model_type 'phi3'): Phi-3 mini and medium, Phi-3.5-mini, "
    "Phi-4, Phi-4-mini";

struct Sibling {
  const char* model_type;
  const char* what;
};
constexpr Sibling kSiblings[] = {
    {"phi3small", "Phi-3-small (LayerNorm, gegelu, block-sparse attention)"},
    {"phimoe", "Phi-3.5-MoE (mixture of experts)"},
    {"phi3_v", "Phi-3-vision (image input)"},
    {"phi4mm", "Phi-4-multimodal (image and audio input, LoRA adapters)"},
    {"phi4_multimodal", "Phi-4-multimodal (image and audio input, LoRA adapters)"},
    {"phi4flash", "Phi-4-mini-flash (state-space layers)"},
    {"phi", "Phi-1, Phi-1.5 or Phi-2 (parallel attention and MLP)"},
};

void check_architecture(const JsonView& view) {
  const std::string type = view.string("model_type");
  for (const Sibling& s : kSiblings)
    if (type == s.model_type)
      throw_error(Code::kUnsupported, "{}: model_type '{}' is {}, another architecture; {}",
                  view.where(), type, s.what, kSupported);
  if (type != "phi3")
    throw_error(Code::kUnsupported, "{}: model_type is '{}'; {}", view.where(), type, kSupported);

  if (view.has("architectures")) {
    const Json& list = view.at("architectures");
    bool found = list.is_array() && list.empty();
    if (list.is_array())
      for (const Json& name : list) found = found || name == "Phi3ForCausalLM";
    if (!found)
      throw_error(Code::kUnsupported, "{}: 'architectures' is {}, expected Phi3ForCausalLM; {}",
                  view.where(), list.dump().substr(0, 80), kSupported);
  }
  if (view.has("quantization_config"))
    throw_error(Code::kUnsupported,
                "{}: the checkpoint is already quantized ('quantization_config'); give the "
                "original one in bfloat16",
                view.where());
  if (const std::string act = view.string_or("hidden_act", "silu"); act != "silu")
    throw_error(Code::kUnsupported, "{}: 'hidden_act' is '{}', a phi3 has 'silu'", view.where(),
                act);
  for (const char* key : {"attention_bias", "mlp_bias", "lm_head_bias"})
    if (view.boolean_or(key, false))
      throw_error(Code::kUnsupported, "{}: '{}' is true; no member of the family has biases",
                  view.where(), key);
}

int32_t int32_of(const JsonView& view, const char* key, int64_t min, int64_t max) {
  return static_cast<int32_t>(view.integer(key, min, max));
}

double number_in(const JsonView& view, const char* key, double fallback, double min, double max) {
  const double value = view.number_or(key, fallback);
  if (!(value >= min && value <= max))
    throw_error(Code::kCorrupt, "{}: '{}' is {}, expected {} to {}", view.where(), key, value, min,
                max);
  return value;
}

std::vector<float> factor_list(const JsonView& scaling, const char* key, int32_t length) {
  const Json& list = scaling.at(key);
  if (!list.is_array() || list.size() != static_cast<size_t>(length))
    throw_error(Code::kCorrupt,
                "{}: '{}' must be a list of {} numbers (half of the rotary dimensions), found {}",
                scaling.where(), key, length,
                list.is_array() ? std::to_string(list.size()) + " entries" : list.type_name());
  std::vector<float> factors;
  for (const Json& value : list) {
    const float factor = value.is_number() ? static_cast<float>(value.get<double>()) : 0.0f;
    if (!(factor > 1e-6f && factor < 1e9f))
      throw_error(Code::kCorrupt, "{}: '{}' has {}, expected positive numbers", scaling.where(),
                  key, value.dump().substr(0, 80));
    factors.push_back(factor);
  }
  return factors;
}

// sqrt(1 + ln s / ln o), s the extension and o the original length, unless the file gives the
// number.
double attention_factor(const JsonView& scaling, const Phi3Config& config) {
  if (scaling.has("attention_factor"))
    return number_in(scaling, "attention_factor", 1.0, 1e-3, 1e3);
  if (scaling.has("short_mscale") || scaling.has("long_mscale")) {
    const double s = number_in(scaling, "short_mscale", 1.0, 1e-3, 1e3);
    const double l = number_in(scaling, "long_mscale", 1.0, 1e-3, 1e3);
    if (s != l)
      throw_error(Code::kUnsupported,
                  "{}: 'short_mscale' {} and 'long_mscale' {} differ; no dense phi3 has that",
                  scaling.where(), s, l);
    return s;
  }
  const double s = static_cast<double>(config.max_positions) / config.original_max_positions;
  if (s <= 1.0) return 1.0;
  if (config.original_max_positions == 1)
    throw_error(Code::kCorrupt, "{}: 'original_max_position_embeddings' is 1, expected at least 2",
                scaling.where());
  return std::sqrt(1.0 +
                   std::log(s) / std::log(static_cast<double>(config.original_max_positions)));
}

// "type" (transformers 4) or "rope_type" (5). "su" and "yarn" are what April 2024 configurations
// call longrope.
std::optional<LongRope> parse_rope(const JsonView& scaling, const Phi3Config& config) {
  const std::string type = scaling.string_or("rope_type", scaling.string_or("type", ""));
  if (type == "default") return std::nullopt;
  const bool lists = scaling.has("short_factor") && scaling.has("long_factor");
  const bool known = type == "longrope" || type == "su" || (type == "yarn" && lists);
  if (!known)
    throw_error(
        Code::kUnsupported,
        "{}: rope scaling '{}' isn't supported; a phi3 has 'longrope' with 'short_factor' and "
        "'long_factor', or none",
        scaling.where(), type);
  LongRope rope;
  rope.short_factor = factor_list(scaling, "short_factor", config.rotary_dim / 2);
  rope.long_factor = factor_list(scaling, "long_factor", config.rotary_dim / 2);
  rope.attention_factor = attention_factor(scaling, config);
  return rope;
}

// A key of the rope, which transformers 5 moved from the top into "rope_parameters".
const JsonView& holder_of(const char* key, const JsonView& top,
                          const std::optional<JsonView>& rope) {
  return !top.has(key) && rope && rope->has(key) ? *rope : top;
}

void parse_positions(const JsonView& top, Phi3Config& c) {
  std::optional<JsonView> rope;
  for (const char* key : {"rope_parameters", "rope_scaling"})
    if (!rope && top.has(key)) rope.emplace(top.object(key));

  const double partial = number_in(holder_of("partial_rotary_factor", top, rope),
                                   "partial_rotary_factor", 1.0, 1e-6, 1.0);
  c.rotary_dim = static_cast<int32_t>(c.head_dim * partial);
  if (c.rotary_dim < 2 || c.rotary_dim % 2 != 0)
    throw_error(Code::kCorrupt,
                "{}: {} rotary dimensions (head_dim {} * partial_rotary_factor {}), expected an "
                "even number",
                top.where(), c.rotary_dim, c.head_dim, partial);
  constexpr int64_t kMaxPositions = 1 << 30;
  c.max_positions =
      static_cast<int32_t>(top.integer_or("max_position_embeddings", 4096, 1, kMaxPositions));
  c.original_max_positions = static_cast<int32_t>(
      holder_of("original_max_position_embeddings", top, rope)
          .integer_or("original_max_position_embeddings", 4096, 1, kMaxPositions));
  c.rope_theta = number_in(holder_of("rope_theta", top, rope), "rope_theta", 10000.0, 1.0, 1e12);
  if (rope) c.longrope = parse_rope(*rope, c);
  c.sliding_window = static_cast<int32_t>(top.integer_or("sliding_window", 0, 0, INT32_MAX));
}

void parse_tokens(const JsonView& top, Phi3Config& c) {
  c.bos_token_id = static_cast<int32_t>(top.integer_or("bos_token_id", -1, -1, INT32_MAX));
  c.pad_token_id = static_cast<int32_t>(top.integer_or("pad_token_id", -1, -1, INT32_MAX));
  if (!top.has("eos_token_id")) return;
  const Json& eos = top.at("eos_token_id");
  const Json list = eos.is_array() ? eos : Json::array({eos});
  for (const Json& id : list) {
    const int64_t n =
        id.is_number_integer() ? id.get<int64_t>() : -1;  // beyond 2^63 it wraps to below 0
    if (n < 0 || n > INT32_MAX)
      throw_error(Code::kCorrupt,
                  "{}: 'eos_token_id' must be a token id or a list of them, found {}", top.where(),
                  id.dump().substr(0, 80));
    c.eos_token_ids.push_back(static_cast<int32_t>(n));
  }
}

}  // namespace

Phi3Config parse_phi3_config(const Json& config, const std::string& where) {
  const JsonView top(config, where);
  check_architecture(top);
  Phi3Config c;
  // The upper limits are a hundred times what exists, and keep every product of two sizes far
  // inside 64 bits.
  c.vocab_size = int32_of(top, "vocab_size", 1, 1 << 24);
  c.hidden_size = int32_of(top, "hidden_size", 1, 1 << 16);
  c.intermediate_size = int32_of(top, "intermediate_size", 1, 1 << 20);
  c.n_layers = int32_of(top, "num_hidden_layers", 1, 1 << 10);
  c.n_heads = int32_of(top, "num_attention_heads", 1, 1 << 10);
  c.n_kv_heads =
      static_cast<int32_t>(top.integer_or("num_key_value_heads", c.n_heads, 1, c.n_heads));
  if (c.n_heads % c.n_kv_heads != 0)
    throw_error(Code::kCorrupt, "{}: {} attention heads can't share {} key/value heads evenly",
                where, c.n_heads, c.n_kv_heads);
  if (top.has("head_dim")) {
    c.head_dim = int32_of(top, "head_dim", 2, 1 << 10);
  } else {
    if (c.hidden_size % c.n_heads != 0 || c.hidden_size / c.n_heads > 1 << 10)
      throw_error(Code::kCorrupt,
                  "{}: 'hidden_size' {} can't be split over {} heads of at most 1024", where,
                  c.hidden_size, c.n_heads);
    c.head_dim = c.hidden_size / c.n_heads;
  }
  c.rms_norm_eps = static_cast<float>(number_in(top, "rms_norm_eps", 1e-5, 1e-12, 1.0));
  c.tie_word_embeddings = top.boolean_or("tie_word_embeddings", false);
  c.torch_dtype = top.string_or("torch_dtype", top.string_or("dtype", ""));
  parse_positions(top, c);
  parse_tokens(top, c);
  return c;
}

int64_t Phi3Config::parameters() const {
  const int64_t hidden = hidden_size, q = q_rows(), kv = kv_rows(),
                embedding = int64_t{vocab_size} * hidden;
  const int64_t layer =
      2 * hidden + (q + 2 * kv) * hidden + hidden * q + 3 * int64_t{intermediate_size} * hidden;
  return embedding + n_layers * layer + hidden + (tie_word_embeddings ? 0 : embedding);
}

int64_t Phi3Config::kv_bytes_per_token(int bytes_per_element) const {
  return 2 * int64_t{n_layers} * kv_rows() * bytes_per_element;
}

}  // namespace phial
