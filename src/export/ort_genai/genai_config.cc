// SPDX-License-Identifier: Apache-2.0
// GenAI's parser refuses keys that its version doesn't know, so there is nothing here that one of
// them would miss: 0.6, 0.9, 0.14 and 0.18 read these keys.
#include <algorithm>

#include "base/json.h"
#include "export/ort_genai/ort_genai.h"

namespace phial {
namespace {

// Past and present keys and values are one buffer, allocated for max_length at once: what a program
// gets that doesn't ask for more or less.
constexpr int32_t kDefaultLength = 4096;

Json provider_options(OnnxProvider provider) {
  Json list = Json::array();
  if (provider == OnnxProvider::kCuda)
    list.push_back(Json{{"cuda", Json{{"enable_cuda_graph", "0"}}}});
  if (provider == OnnxProvider::kDml)
    list.push_back(Json{{"dml", Json{{"enable_graph_capture", "1"}}}});
  return list;
}

}  // namespace

std::string genai_config(const PackageParts& parts, OnnxProvider provider,
                         const std::vector<int32_t>& stop_ids) {
  const Phi3Config& config = parts.config;
  const bool windowed = config.sliding_window > 0 && config.sliding_window < config.max_positions;
  // DirectML's attention knows no window: what it computes beyond one isn't this model any more.
  const int32_t context =
      windowed && provider == OnnxProvider::kDml ? config.sliding_window : config.max_positions;
  Json inputs = {{"input_ids", "input_ids"}, {"attention_mask", "attention_mask"}};
  if (provider == OnnxProvider::kDml) inputs["position_ids"] = "position_ids";
  inputs["past_key_names"] = "past_key_values.%d.key";
  inputs["past_value_names"] = "past_key_values.%d.value";
  const Json decoder = {
      {"session_options",
       {{"log_id", "onnxruntime-genai"}, {"provider_options", provider_options(provider)}}},
      {"filename", onnx_model_file(provider)},
      {"head_size", config.head_dim},
      {"hidden_size", config.hidden_size},
      {"inputs", inputs},
      {"outputs",
       {{"logits", "logits"},
        {"present_key_names", "present.%d.key"},
        {"present_value_names", "present.%d.value"}}},
      {"num_attention_heads", config.n_heads},
      {"num_hidden_layers", config.n_layers},
      {"num_key_value_heads", config.n_kv_heads}};
  const std::vector<int32_t>& stops = stop_ids.empty() ? config.eos_token_ids : stop_ids;
  Json model = {{"type", "phi3"}, {"decoder", decoder}};
  if (config.bos_token_id >= 0) model["bos_token_id"] = config.bos_token_id;
  model["eos_token_id"] = stops;
  const int32_t pad = config.pad_token_id >= 0 ? config.pad_token_id
                      : stops.empty()          ? 0
                                               : stops.front();
  model["pad_token_id"] = pad;
  model["vocab_size"] = config.vocab_size;
  model["context_length"] = context;
  const Json search = {{"do_sample", false},
                       {"max_length", std::min(context, kDefaultLength)},
                       {"num_beams", 1},
                       {"past_present_share_buffer", true}};
  return Json{{"model", model}, {"search", search}}.dump(2) + "\n";
}

}  // namespace phial
