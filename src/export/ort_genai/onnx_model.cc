// SPDX-License-Identifier: Apache-2.0
// The graph, operation by operation in the order of GenAI's model builder.
#include <fmt/format.h>

#include <cmath>

#include "export/ort_genai/onnx_rope.h"
#include "export/ort_genai/onnx_weights.h"

namespace phial {
namespace {

class Builder {
 public:
  Builder(const PackageParts& parts, const OnnxModelOptions& options)
      : config_(parts.config),
        apart_(options.provider == OnnxProvider::kDml || config_.rotary_dim % 16 != 0),
        graph_("phi3"),
        weights_(graph_, parts, options) {}

  std::string model() {
    inputs();
    lengths();
    rope_ = onnx_rope(graph_, weights_, config_, total_list_, position_ids_);
    OnnxValue x = weights_.embed("input_ids");
    OnnxValue normed = graph_.node(
        "SimplifiedLayerNormalization", "/model/layers.0/input_layernorm/LayerNorm",
        {x, weights_.norm(Role::kInputNorm, 0)},
        {epsilon(), onnx_attribute("axis", int64_t{-1}), onnx_attribute("stash_type", int64_t{1})});
    for (int32_t i = 0; i < config_.n_layers; ++i) {
      const std::string layer = fmt::format("model/layers.{}", i);
      const OnnxValue attended = attention(layer + "/attn", normed, i);
      normed = add_and_norm(layer + "/post_attention_layernorm", x, attended,
                            weights_.norm(Role::kPostNorm, i));
      const OnnxValue out = mlp(layer + "/mlp", normed, i);
      const bool last = i + 1 == config_.n_layers;
      normed = last ? add_and_norm(fmt::format("model/layers.{}/final_norm_layernorm", i + 1), x,
                                   out, weights_.norm(Role::kFinalNorm, -1))
                    : add_and_norm(fmt::format("model/layers.{}/input_layernorm", i + 1), x, out,
                                   weights_.norm(Role::kInputNorm, i + 1));
    }
    weights_.project("lm_head", normed, Role::kLmHead, -1, {0, config_.vocab_size}, "logits");
    return graph_.model();
  }

 private:
  ProtoMessage epsilon() const { return onnx_attribute("epsilon", config_.rms_norm_eps); }

  void inputs() {
    const OnnxType real = weights_.real();
    graph_.input("input_ids", OnnxType::kI64, {"batch_size", "sequence_length"});
    graph_.input("attention_mask", OnnxType::kI64, {"batch_size", "total_sequence_length"});
    if (apart_)
      position_ids_ =
          graph_.input("position_ids", OnnxType::kI64, {"batch_size", "sequence_length"});
    graph_.output("logits", real, {"batch_size", "sequence_length", config_.vocab_size});
    for (int32_t i = 0; i < config_.n_layers; ++i)
      for (const char* kind : {"key", "value"}) {
        graph_.input(fmt::format("past_key_values.{}.{}", i, kind), real,
                     {"batch_size", config_.n_kv_heads, "past_sequence_length", config_.head_dim});
        graph_.output(
            fmt::format("present.{}.{}", i, kind), real,
            {"batch_size", config_.n_kv_heads, "total_sequence_length", config_.head_dim});
      }
  }

  // What GroupQueryAttention wants to know of the mask: per row the place of the last token, and
  // the length of the longest row. Padding can be behind the tokens only.
  void lengths() {
    const std::string name = "/model/attn_mask_reformat/attn_mask_subgraph";
    const OnnxValue sum =
        graph_.node("ReduceSum", name + "/ReduceSum", {"attention_mask", graph_.i64s({1})},
                    {onnx_attribute("keepdims", int64_t{0})});
    const OnnxValue last = graph_.node("Sub", name + "/Sub", {sum, graph_.i64s({1})});
    last_places_ = graph_.cast(name + "/Sub/Cast", last, OnnxType::kI32);
    const OnnxValue shape = graph_.node("Shape", name + "/Shape", {"attention_mask"});
    const OnnxValue total = graph_.node("Gather", name + "/Gather", {shape, graph_.i64(1)},
                                        {onnx_attribute("axis", int64_t{0})});
    total_ = graph_.cast(name + "/Gather/Cast", total, OnnxType::kI32);
    if (config_.longrope && !apart_)
      total_list_ = graph_.node("Reshape", name + "/Reshape", {total, graph_.i64s({1})});
  }

  OnnxValue attention(const std::string& name, const OnnxValue& x, int index) {
    const int64_t q = config_.q_rows(), kv = config_.kv_rows();
    OnnxValue query, key, value;
    if (apart_) {
      auto part = [&](const char* which, int64_t begin, int64_t count) {
        return weights_.project(fmt::format("{}/{}_proj", name, which), x, Role::kQkv, index,
                                {begin, begin + count});
      };
      query = part("q", 0, q);
      key = part("k", q, kv);
      value = part("v", q + kv, kv);
      query = rotate(fmt::format("/{}/q_rotary/RotaryEmbedding", name), query, config_.n_heads);
      key = rotate(fmt::format("/{}/k_rotary/RotaryEmbedding", name), key, config_.n_kv_heads);
    } else {
      query = weights_.project(name + "/qkv_proj", x, Role::kQkv, index);
    }
    const std::string node = fmt::format("/{}/GroupQueryAttention", name);
    const OnnxValue out = node + "/output_0";
    std::vector<OnnxValue> inputs = {query,
                                     key,
                                     value,
                                     fmt::format("past_key_values.{}.key", index),
                                     fmt::format("past_key_values.{}.value", index),
                                     last_places_,
                                     total_};
    if (!apart_) inputs.insert(inputs.end(), {rope_.cos, rope_.sin});
    // A window as long as any sequence hides nothing.
    const bool windowed =
        config_.sliding_window > 0 && config_.sliding_window < config_.max_positions;
    graph_.node(
        "GroupQueryAttention", node, inputs,
        {out, fmt::format("present.{}.key", index), fmt::format("present.{}.value", index)},
        {onnx_attribute("num_heads", int64_t{config_.n_heads}),
         onnx_attribute("kv_num_heads", int64_t{config_.n_kv_heads}),
         onnx_attribute("scale",
                        static_cast<float>(1.0 / std::sqrt(static_cast<double>(config_.head_dim)))),
         // Visible keys with the own one, as config.json counts.
         onnx_attribute("local_window_size", windowed ? int64_t{config_.sliding_window} : -1),
         onnx_attribute("softcap", 0.0f), onnx_attribute("do_rotary", int64_t{apart_ ? 0 : 1}),
         onnx_attribute("rotary_interleaved", int64_t{0})},
        kOnnxMicrosoft);
    return weights_.project(name + "/o_proj", out, Role::kO, index);
  }

  OnnxValue rotate(const std::string& name, const OnnxValue& x, int32_t heads) {
    const bool partial = config_.rotary_dim != config_.head_dim;  // 0, 0: all of a head
    return graph_.node(
        "RotaryEmbedding", name, {x, rope_.position_ids, rope_.cos, rope_.sin},
        {onnx_attribute("interleaved", int64_t{0}),
         onnx_attribute("num_heads", int64_t{partial ? heads : 0}),
         onnx_attribute("rotary_embedding_dim", int64_t{partial ? config_.rotary_dim : 0})},
        kOnnxMicrosoft);
  }

  // x becomes x + y; returns the sum's norm.
  OnnxValue add_and_norm(const std::string& name, OnnxValue& x, const OnnxValue& y,
                         const OnnxValue& weight) {
    const OnnxValue normed = fmt::format("/{}/output_0", name);
    const OnnxValue sum = fmt::format("/{}/output_3", name);
    graph_.node("SkipSimplifiedLayerNormalization", fmt::format("/{}/SkipLayerNorm", name),
                {x, y, weight}, {normed, "", "", sum}, {epsilon()}, kOnnxMicrosoft);
    x = sum;
    return normed;
  }

  OnnxValue mlp(const std::string& name, const OnnxValue& x, int index) {
    const int64_t n = config_.intermediate_size;
    const OnnxValue gate = weights_.project(name + "/gate_proj", x, Role::kGateUp, index, {0, n});
    const OnnxValue up = weights_.project(name + "/up_proj", x, Role::kGateUp, index, {n, 2 * n});
    const std::string scope = fmt::format("/{}", name);
    const OnnxValue sigmoid = graph_.node("Sigmoid", scope + "/act_fn/Sigmoid", {gate});
    const OnnxValue silu = graph_.node("Mul", scope + "/act_fn/Mul", {gate, sigmoid});
    return weights_.project(name + "/down_proj", graph_.node("Mul", scope + "/Mul", {silu, up}),
                            Role::kDown, index);
  }

  const Phi3Config& config_;
  // Projections of q, k and v and their rotation as operators of their own, before the attention:
  // DirectML's attention takes neither packed projections nor tables; the others' only tables of a
  // multiple of 8 columns (true of every published model).
  const bool apart_;
  OnnxGraph graph_;
  OnnxWeights weights_;
  OnnxRope rope_;
  OnnxValue position_ids_;  // empty unless the graph has this input
  OnnxValue last_places_;   // i32 [B]
  OnnxValue total_;         // i32, scalar
  OnnxValue total_list_;    // i64 [1]; LongRoPE only
};

}  // namespace

std::string onnx_model(const PackageParts& parts, const OnnxModelOptions& options) {
  return Builder(parts, options).model();
}

}  // namespace phial
