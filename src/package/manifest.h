// SPDX-License-Identifier: Apache-2.0
// phial.json: what a package says of itself. Reading checks every number against the configuration
// and the size of the weights file, so that nothing behind it needs to check again. Format:
// docs/formats/package.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "model/phi3_config.h"
#include "package/layout.h"
#include "quant/recipe.h"

namespace phial {

inline constexpr int64_t kPackageFormatVersion = 1;

// `source` is what describe_source() said.
Json make_manifest(const Json& source, const QuantRecipe& recipe,
                   const std::vector<StoredTensor>& tensors, uint64_t weights_bytes);

// Notes in `manifest` that the weights file ends at `weights_bytes` now and where in it graph
// constants lie.
void set_graph_constants(Json& manifest, const Extent& graph_constants, uint64_t weights_bytes);

// Notes the files that a maker of `kind` wrote, in place of its earlier ones.
void set_artefacts(Json& manifest, const std::string& kind, const fs::path& folder,
                   const std::vector<std::string>& files);

struct ManifestContents {
  std::vector<StoredTensor> tensors;  // complete and in bounds
  Extent graph_constants;             // 0 bytes: none
  uint64_t weights_bytes = 0;         // what the manifest knows of the file
};

// `file_bytes` is the size of the weights file; more than the manifest knows is what a killed
// export left. `where` names the manifest in errors. Throws kUnsupported for a format version that
// this phial doesn't know, kCorrupt for anything that doesn't fit.
ManifestContents read_manifest(const Json& manifest, const std::string& where,
                               const Phi3Config& config, uint64_t file_bytes);

// The recipe of a manifest that read_manifest accepted.
QuantRecipe manifest_recipe(const Json& manifest, const std::string& where);

}  // namespace phial
