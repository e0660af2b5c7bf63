// SPDX-License-Identifier: Apache-2.0
// The two static-shape models of `phial compile`, as blobs in a folder of their own: made for a
// device, perhaps on another computer, and opened again. Running them: static_session.h.
//
//   prefill.blob, generate.blob   what OpenVINO exported; weights are inside
//   npu.json                      for which package, device, platform and lengths (describes, no
//   code)
#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"
#include "export/openvino_ir/static_ir.h"
#include "ov_objects.h"
#include "settings.h"
#include "target.h"

namespace phial::ov {

inline constexpr const char* kStaticFile = "npu.json";

struct StaticModels {
  StaticShape shape;
  Core core;
  std::vector<MappedFile> blobs;  // what is imported may point into them
  std::unique_ptr<Compiled> prefill, generate;
};

// Compiles both for `target` and writes the folder beside `destination`, then renames it. Throws
// kUnsupported with OpenVINO's words, kInvalidArgument for lengths that the model can't have or if
// the destination exists.
void compile_static(const Api& api, const Package& package, const Target& target,
                    const Settings& settings, const fs::path& destination, const Notice& notice);

// Opens the folder settings.static_models; settings.properties are in force for what is imported.
// Throws kNotFound, kCorrupt (npu.json), kUnsupported (made from another package, for another
// device, or refused by OpenVINO, a property that it doesn't know among that).
StaticModels open_static(const Api& api, const Package& package, const Target& target,
                         const Settings& settings);

}  // namespace phial::ov
