// SPDX-License-Identifier: Apache-2.0
// A Phi-3 as ONNX Runtime GenAI opens it: graphs whose weights are pieces of a package's one
// weights file, and genai_config.json. No protobuf library and no ONNX Runtime are needed. The
// graphs follow those of GenAI's own model builder operation by operation
// (docs/decisions/0009-onnx.md); what differs between execution providers is in OnnxProvider.
//
//   in   input_ids i64 [B, S], attention_mask i64 [B, total]; DirectML also position_ids i64 [B,
//   S];
//        past_key_values.N.key, .value T [B, n_kv, past, head_dim]
//   out  logits T [B, S, vocab]; present.N.key, .value T [B, n_kv, total, head_dim]
//   T is f32 on the CPU, f16 elsewhere. total = past + S, or, where past and present are one
//   buffer, how much of it is filled.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "package/artefacts.h"

namespace phial {

enum class OnnxProvider : uint8_t { kCpu, kCuda, kDml };

const char* onnx_provider_name(OnnxProvider provider);        // "cpu", "cuda", "dml"
OnnxProvider onnx_provider_from_name(std::string_view name);  // throws kInvalidArgument

// The graph's file: all providers' graphs can be in one folder, because ONNX Runtime refuses
// weights outside the model's own folder (also through a link).
const char* onnx_model_file(OnnxProvider provider);

inline constexpr const char* kGenAiConfigFile = "genai_config.json";

struct OnnxModelOptions {
  OnnxProvider provider = OnnxProvider::kCpu;
  // What MatMulNBits may compute with on the CPU: 4, activations in blocks of int8; 1, float32.
  int accuracy_level = 4;
};

// The bytes of a model.onnx. Throws kUnsupported, saying why, for weights that no operator takes.
std::string onnx_model(const PackageParts& parts, const OnnxModelOptions& options = {});

// The text of genai_config.json for one provider's graph. `stop_ids`: all ids that end an answer.
std::string genai_config(const PackageParts& parts, OnnxProvider provider,
                         const std::vector<int32_t>& stop_ids);

struct OrtGenAiOptions {
  OnnxProvider provider = OnnxProvider::kCpu;  // the one that genai_config.json names
  // Throw for weights that can't be exported; else there is simply no artefact.
  bool required = false;
  // The ids that end an answer, from the folder's tokenizer and side files. Empty function, or no
  // ids: those of config.json and generation_config.json.
  std::function<std::vector<int32_t>(const fs::path& folder)> stop_ids;
};

// Graphs for all providers and the configuration for one.
std::vector<ArtefactMaker> ort_genai_artefacts(const OrtGenAiOptions& options);

}  // namespace phial
