// SPDX-License-Identifier: Apache-2.0
// A model that can be run: its configuration, its weights (mapped), its side files and what is
// known of its origin. Three ways to get one: a package folder that `phial quantize` wrote, a
// Hugging Face folder as it is, random weights. Format on disk: docs/formats/package.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "checkpoint/side_files.h"
#include "model/phi3_config.h"
#include "model/phi3_weights.h"
#include "package/layout.h"
#include "quant/recipe.h"

namespace phial {

inline constexpr const char* kManifestFile = "phial.json";
// OpenVINO derives the name of the weights from that of the IR (openvino_model.xml), every other
// reader is told a name: so this is what the one copy of the weights is called.
inline constexpr const char* kWeightsFile = "openvino_model.bin";

// Where everything lies in the weights file of a package folder: for exporters.
struct StoredWeights {
  std::vector<StoredTensor> tensors;
  Extent graph_constants;           // 0 bytes: the package has none
  std::span<const std::byte> file;  // mapped as long as the Package lives
  QuantRecipe recipe;
};

class Package {
 public:
  // A package folder (has phial.json) or a Hugging Face folder. Throws kNotFound, kCorrupt,
  // kUnsupported.
  static std::shared_ptr<const Package> open(const fs::path& folder);
  // Random weights of a known shape ("phi-3-mini") made in memory in the layout that quantizing
  // with `recipe` would give. No tokenizer. `layers` > 0 cuts the model.
  static std::shared_ptr<const Package> synthetic(const std::string& shape,
                                                  const QuantRecipe& recipe, int32_t layers = 0,
                                                  uint64_t seed = 1);
  virtual ~Package() = default;

  const fs::path& folder() const { return folder_; }  // empty for synthetic
  // For people: the folder's, or "phi-4-mini:int4" for a folder phi-4-mini/int4 of the models folder.
  std::string name() const;
  bool quantized_by_phial() const { return !manifest_.is_null(); }
  const Phi3Config& config() const { return config_; }
  const Phi3Weights& weights() const { return weights_; }
  const SideFiles& side_files() const { return side_files_; }
  const Json& manifest() const { return manifest_; }       // null unless a package folder
  uint64_t weight_bytes() const { return weight_bytes_; }  // of the matrices that a run maps
  // Null unless a package folder.
  const StoredWeights* stored() const { return quantized_by_phial() ? &stored_ : nullptr; }

  // What `phial show --json` prints: name, origin, family facts, formats by role, recipe, sizes,
  // artefacts.
  Json describe() const;

 protected:
  Package() = default;
  fs::path folder_;
  Phi3Config config_;
  Phi3Weights weights_;
  SideFiles side_files_;
  Json manifest_;
  uint64_t weight_bytes_ = 0;
  StoredWeights stored_;
};

}  // namespace phial
