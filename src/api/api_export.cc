// SPDX-License-Identifier: Apache-2.0
// Making packages open in other runtimes.
#include "api/handles.h"
#include "base/json.h"
#include "checkpoint/side_files.h"
#include "export/openvino_ir/openvino_ir.h"
#include "export/ort_genai/ort_genai.h"
#include "package/artefacts.h"

using phial::Code;
using phial::Json;
using phial::throw_error;
namespace api = phial::api;
namespace fs = phial::fs;

namespace {

// Every id that ends an answer, as phial's own chat knows them; none without a tokenizer.
std::vector<int32_t> stop_ids(const fs::path& folder) {
  if (!fs::exists(folder / "tokenizer.json")) return {};
  const phial::SideFiles files = phial::read_side_files(folder);
  const std::vector<phial::TokenId> ids =
      phial::stop_ids_of(files, *phial::Tokenizer::open(folder));
  return {ids.begin(), ids.end()};
}

phial::OrtGenAiOptions ort_options(phial::OnnxProvider provider, bool required) {
  return {provider, required, &stop_ids};
}

// "openvino", "ort-genai" or "ort-genai:PROVIDER".
std::vector<phial::ArtefactMaker> makers_for(std::string_view to) {
  constexpr std::string_view kOrt = "ort-genai";
  if (to == "openvino") return phial::openvino_artefacts();
  if (to == kOrt) return phial::ort_genai_artefacts(ort_options(phial::OnnxProvider::kCpu, true));
  if (to.starts_with(kOrt) && to[kOrt.size()] == ':')
    return phial::ort_genai_artefacts(
        ort_options(phial::onnx_provider_from_name(to.substr(kOrt.size() + 1)), true));
  throw_error(Code::kInvalidArgument,
              "'{}' is nothing to export to, expected openvino or ort-genai", to);
}

}  // namespace

std::vector<phial::ArtefactMaker> phial::api::quantize_artefacts() {
  std::vector<ArtefactMaker> all = openvino_artefacts();
  for (ArtefactMaker& maker : ort_genai_artefacts(ort_options(OnnxProvider::kCpu, false)))
    all.push_back(std::move(maker));
  return all;
}

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
