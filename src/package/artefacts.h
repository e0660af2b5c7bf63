// SPDX-License-Identifier: Apache-2.0
// Files beside the weights that let other runtimes open a package: who makes them, and how they get
// into a folder. What is in them is the business of the layers above (export/).
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "model/phi3_config.h"
#include "package/layout.h"
#include "quant/recipe.h"

namespace phial {

// A package, or one under construction, as an exporter sees it. Views: valid during the call.
struct PackageParts {
  fs::path folder;  // has the side files; artefacts are written here
  const Phi3Config& config;
  const QuantRecipe& recipe;
  const std::vector<StoredTensor>& tensors;
  std::span<const std::byte> weights;  // the weights file
  Extent graph_constants;              // in it; 0 bytes: none yet
};

struct ArtefactMaker {
  std::string kind;  // for the manifest: "openvino-ir", ...
  // Constants of the graph that must lie in the weights file, because a graph can point into one
  // file only. Empty function: none.
  std::function<std::vector<std::byte>(const PackageParts&)> graph_constants;
  // Writes the files into parts.folder, each whole or not at all (write_file_atomically), and
  // returns their names. No names: nothing to make of this package (no tokenizer, for example).
  std::function<std::vector<std::string>(const PackageParts&)> write;
};

// What all makers need in the weights file, one behind the other; empty if nobody needs anything.
std::vector<std::byte> collect_graph_constants(const std::vector<ArtefactMaker>& makers,
                                               const PackageParts& parts);

// Lets every maker write, and notes the files in `manifest`. Returns their names.
std::vector<std::string> write_artefacts(const std::vector<ArtefactMaker>& makers,
                                         const PackageParts& parts, Json& manifest);

// Makes (or makes anew) the artefacts of an existing package. The weights file grows only by graph
// constants that it lacks; whenever this is interrupted, the package opens as before. Returns the
// names of the files written. Throws kUnsupported for a folder that isn't a package.
std::vector<std::string> make_artefacts(const fs::path& folder,
                                        const std::vector<ArtefactMaker>& makers);

}  // namespace phial
