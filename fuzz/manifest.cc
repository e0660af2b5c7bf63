// SPDX-License-Identifier: Apache-2.0
// A damaged phial.json beside a healthy config.json and weights file: it must be refused, or every
// weight it leads to must lie inside the file. Seeds: manifests of the model below, int4, int8 and
// fp16.
#include "package/manifest.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace {

constexpr const char* kConfig =
    R"({"architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "hidden_act": "silu",
  "vocab_size": 24, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 2,
  "num_key_value_heads": 1, "max_position_embeddings": 64, "original_max_position_embeddings": 64, "rms_norm_eps": 1e-5,
  "rope_theta": 10000.0, "rope_scaling": null, "sliding_window": null, "bos_token_id": 1, "eos_token_id": 2,
  "pad_token_id": 2, "tie_word_embeddings": false})";

void read_all(const phial::WeightMatrix& m) {
  std::vector<float> row(static_cast<size_t>(m.cols));
  for (int64_t r = 0; r < m.rows; ++r) phial::dequantize_row(m, r, row.data());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const phial::Phi3Config config =
      phial::parse_phi3_config(phial::parse_json(kConfig, "config.json"), "config.json");
  static const std::vector<std::byte> weights(
      25 * 4096);  // what the seeds declare: the int8 one needs all of it
  try {
    const phial::Json manifest =
        phial::parse_json({reinterpret_cast<const char*>(data), size}, "phial.json");
    const auto tensors =
        phial::read_manifest(manifest, "phial.json", config, weights.size()).tensors;
    phial::Phi3Weights bound;
    phial::bind_weights(tensors, weights.data(), config, bound);
    for (const phial::WeightMatrix* m :
         {&bound.embedding, &bound.layers[0].qkv, &bound.layers[0].o, &bound.layers[0].gate_up,
          &bound.layers[0].down, &bound.lm_head})
      read_all(*m);
  } catch (const phial::Error&) {
  }
  return 0;
}
