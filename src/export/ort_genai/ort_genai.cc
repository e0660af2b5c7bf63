// SPDX-License-Identifier: Apache-2.0
#include "export/ort_genai/ort_genai.h"

#include <array>

#include "base/error.h"
#include "base/write_beside.h"
#include "checkpoint/side_files.h"

namespace phial {
namespace {

struct Provider {
  OnnxProvider provider;
  const char *name, *file;
};
constexpr std::array<Provider, 3> kProviders = {{{OnnxProvider::kCpu, "cpu", "model.onnx"},
                                                 {OnnxProvider::kCuda, "cuda", "model_cuda.onnx"},
                                                 {OnnxProvider::kDml, "dml", "model_dml.onnx"}}};

std::vector<std::string> write_all(const PackageParts& parts, const OrtGenAiOptions& options) {
  std::vector<std::string> models;
  try {
    for (const Provider& p : kProviders) models.push_back(onnx_model(parts, {p.provider}));
  } catch (const Error& e) {
    if (e.code() != Code::kUnsupported || options.required) throw;
    return {};
  }
  std::vector<int32_t> stop_ids;
  if (options.stop_ids) stop_ids = options.stop_ids(parts.folder);
  if (stop_ids.empty()) stop_ids = read_side_files(parts.folder).eos_ids();
  std::vector<std::string> files;
  for (size_t i = 0; i < models.size(); ++i) {
    files.emplace_back(kProviders[i].file);
    write_file_atomically(parts.folder / files.back(), models[i]);
  }
  files.emplace_back(kGenAiConfigFile);
  write_file_atomically(parts.folder / files.back(),
                        genai_config(parts, options.provider, stop_ids));
  return files;
}

}  // namespace

const char* onnx_provider_name(OnnxProvider provider) {
  return kProviders[static_cast<size_t>(provider)].name;
}

OnnxProvider onnx_provider_from_name(std::string_view name) {
  for (const Provider& p : kProviders)
    if (name == p.name) return p.provider;
  throw_error(Code::kInvalidArgument,
              "'{}' isn't an execution provider that phial exports for; expected cpu, cuda or dml",
              name);
}

const char* onnx_model_file(OnnxProvider provider) {
  return kProviders[static_cast<size_t>(provider)].file;
}

std::vector<ArtefactMaker> ort_genai_artefacts(const OrtGenAiOptions& options) {
  return {{"onnx", {}, [options](const PackageParts& p) { return write_all(p, options); }}};
}

}  // namespace phial
