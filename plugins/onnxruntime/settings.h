// SPDX-License-Identifier: Apache-2.0
// What the user set. The host gives every plug-in all settings; ours begin with "onnxruntime.",
// others are another engine's business.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace phial::ort {

struct Settings {
  // Files or folders of ONNX Runtime and ONNX Runtime GenAI ("onnxruntime.library").
  std::vector<std::string> libraries;
  // Options of the execution provider, as given ("onnxruntime.provider.KEY=VALUE").
  std::vector<std::pair<std::string, std::string>> provider_options;
  // ONNX Runtime's session options, as genai_config.json has them ("onnxruntime.session.KEY").
  std::vector<std::pair<std::string, std::string>> session_options;
  // For tests: take the graph of genai_config.json, also on a provider that it wasn't made for
  // ("onnxruntime.any-graph=yes"), and
  // don't append to a cache that is there ("onnxruntime.append=no"), as DirectML can't.
  bool any_graph = false;
  bool append = true;
};

// Throws kInvalidArgument for a key of ours or a value that isn't known.
Settings parse_settings(std::span<const std::string> settings);

}  // namespace phial::ort
