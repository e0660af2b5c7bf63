// SPDX-License-Identifier: Apache-2.0
// What the shared library exports: ONNX Runtime as an engine of phial's.
#include "common/plugin_table.h"
#include "devices.h"
#include "library.h"
#include "session.h"

namespace {

struct Engine {
  static constexpr const char* kName = "onnxruntime";

  static std::vector<phial::Device> devices(const std::vector<std::string>& settings, bool quick) {
    return phial::ort::list_devices(phial::ort::parse_settings(settings), quick);
  }
  static phial::Verdict judge(const std::vector<std::string>& settings,
                              const phial::Package& package, const std::string& device) {
    return phial::ort::judge(phial::ort::parse_settings(settings), package, device);
  }
  static std::unique_ptr<phial::Session> open(const std::vector<std::string>& texts,
                                              std::shared_ptr<const phial::Package> package,
                                              const std::string& device,
                                              const phial::SessionOptions& options) {
    const phial::ort::Settings settings = phial::ort::parse_settings(texts);
    return std::make_unique<phial::ort::OrtSession>(
        phial::ort::onnxruntime(settings.libraries), std::move(package),
        phial::ort::to_target(device), options, settings);
  }
};

}  // namespace

extern "C" PHIAL_PLUGIN_EXPORT const phial_plugin* phial_backend_plugin(
    uint32_t /*host_abi: we know one version only*/) {
  return phial::PluginTable<Engine>::table();
}
