// SPDX-License-Identifier: Apache-2.0
// phial.json: what a package says of itself. Reading checks every number against the configuration
// and the size of the weights file, so that nothing behind it needs to check again. Format:
// docs/formats/package.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/phi3_config.h"
#include "package/layout.h"
#include "quant/recipe.h"

namespace phial {

inline constexpr int64_t kPackageFormatVersion = 1;

// `source` is what describe_source() said. `artefacts` beside the weights file are added by their
// makers.
Json make_manifest(const Json& source, const QuantRecipe& recipe,
                   const std::vector<StoredTensor>& tensors, uint64_t weights_bytes);

// The tensors of `manifest`, complete and in bounds. `where` names the file in errors. Throws
// kUnsupported for a format version that this phial doesn't know, kCorrupt for anything that
// doesn't fit.
std::vector<StoredTensor> read_manifest(const Json& manifest, const std::string& where,
                                        const Phi3Config& config, uint64_t weights_bytes);

// The recipe of a manifest that read_manifest accepted.
QuantRecipe manifest_recipe(const Json& manifest, const std::string& where);

}  // namespace phial
