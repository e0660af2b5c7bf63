// SPDX-License-Identifier: Apache-2.0
// Making packages open in other runtimes.
#include "api/handles.h"
#include "base/json.h"
#include "export/openvino_ir/openvino_ir.h"
#include "package/artefacts.h"

using phial::Code;
using phial::Json;
using phial::throw_error;
namespace api = phial::api;
namespace fs = phial::fs;

namespace {

std::vector<phial::ArtefactMaker> makers_for(std::string_view to) {
  if (to == "openvino") return phial::openvino_artefacts();
  throw_error(Code::kInvalidArgument, "'{}' is nothing to export to, expected openvino", to);
}

}  // namespace

extern "C" phial_error* phial_export(const char* package, const char* to, char** json) {
  return api::guarded([&] {
    api::need(package, "package");
    api::need(to, "to");
    const fs::path folder(package);
    Json files = Json::array();
    for (const std::string& name : phial::make_artefacts(folder, makers_for(to)))
      files.push_back(Json{{"file", name}, {"bytes", fs::file_size(folder / name)}});
    if (json) *json = api::copy_text(files.dump());
  });
}
