// SPDX-License-Identifier: Apache-2.0
// Compiling a package ahead of time, for a device that needn't be in this computer.
#include <charconv>

#include "api/handles.h"
#include "backend/plugin_host.h"
#include "base/json.h"
#include "base/write_beside.h"
#include "export/openvino_ir/static_ir.h"

using phial::Code;
using phial::throw_error;
namespace api = phial::api;
namespace fs = phial::fs;

namespace {

// "npu" and "gpu" are kinds of device; what compiles for them is OpenVINO.
std::string device_of_plugin(const std::string& device) {
  if (device == "npu") return "openvino:NPU";
  if (device == "gpu") return "openvino:GPU";
  if (device.find(':') == std::string::npos)
    throw_error(Code::kInvalidArgument,
                "nothing is compiled for device '{}', expected npu, gpu, or one of a plug-in such "
                "as openvino:NPU",
                device);
  return device;
}

int32_t tokens(const std::vector<std::string>& settings, std::string_view key, int32_t otherwise) {
  int32_t n = otherwise;
  for (const std::string& setting : settings) {
    if (!setting.starts_with(key) || setting.size() <= key.size() || setting[key.size()] != '=')
      continue;
    const char *begin = setting.data() + key.size() + 1, *end = setting.data() + setting.size();
    const auto [stop, error] = std::from_chars(begin, end, n);
    if (error != std::errc() || stop != end || n < 1)
      throw_error(Code::kInvalidArgument, "'{}': expected a number of tokens", setting);
  }
  return n;
}

// The graphs alone, over the package's own weights file, for somebody else's compiler.
void write_graphs(const phial::Package& package, const std::vector<std::string>& settings,
                  const fs::path& destination) {
  phial::StaticShape shape;
  shape.prompt = tokens(settings, "npu-prompt", shape.prompt);
  shape.response = tokens(settings, "npu-response", shape.response);
  const phial::PackageParts parts = phial::openvino_parts(package);
  phial::check_static_shape(parts.config, shape);
  phial::FolderBeside folder(destination);
  phial::write_file_atomically(folder.path() / "prefill.xml",
                               static_ir_xml(parts, shape, phial::StaticPart::kPrefill));
  phial::write_file_atomically(folder.path() / "generate.xml",
                               static_ir_xml(parts, shape, phial::StaticPart::kGenerate));
  folder.commit();
}

}  // namespace

extern "C" phial_error* phial_compile(const char* package, const char* destination,
                                      const phial_model_options* options, int32_t graphs_only) {
  return api::guarded([&] {
    api::need(package, "package");
    api::need(destination, "destination");
    const phial_model_options given = api::read_struct(options, &phial_model_options_init);
    const std::string wanted = given.device ? given.device : "auto";
    const std::string device = device_of_plugin(wanted == "auto" ? "npu" : wanted);
    const phial::SessionOptions session = api::to_session_options(given);
    const auto opened = phial::Package::open(package);
    if (graphs_only) return write_graphs(*opened, session.settings, destination);
    const auto plugins = phial::open_plugins_for(device, session.settings);
    plugins.front()->compile(*opened, device, destination, session);
  });
}
