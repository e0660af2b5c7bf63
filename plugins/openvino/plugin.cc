// SPDX-License-Identifier: Apache-2.0
// What the shared library exports: OpenVINO as an engine of phial's.
#include "common/plugin_table.h"
#include "devices.h"
#include "ov_library.h"
#include "session.h"
#include "static_session.h"

namespace {

namespace ov = phial::ov;

struct Engine {
  using Texts = std::vector<std::string>;
  static constexpr const char* kName = "openvino";

  static std::vector<phial::Device> devices(const Texts& settings, bool quick) {
    return ov::list_devices(ov::parse_settings(settings), quick);
  }
  static phial::Verdict judge(const Texts& settings, const phial::Package& package,
                              const std::string& device) {
    return ov::judge(ov::parse_settings(settings), package, device);
  }
  static std::unique_ptr<phial::Session> open(const Texts& texts,
                                              std::shared_ptr<const phial::Package> package,
                                              const std::string& device,
                                              const phial::SessionOptions& options) {
    const ov::Settings settings = ov::parse_settings(texts);
    const ov::Api& api = ov::openvino(settings.library);
    const ov::Target target = ov::to_target(device);
    if (settings.static_models.empty())
      return std::make_unique<ov::OpenVinoSession>(api, std::move(package), target, options,
                                                   settings);
    return std::make_unique<ov::StaticSession>(api, std::move(package), target, options, settings);
  }
  static void compile(const Texts& texts, const phial::Package& package, const std::string& device,
                      const std::string& destination, const phial::Notice& notice) {
    const ov::Settings settings = ov::parse_settings(texts);
    ov::compile_static(ov::openvino(settings.library), package, ov::to_target(device), settings,
                       destination, notice);
  }
};

}  // namespace

extern "C" PHIAL_PLUGIN_EXPORT const phial_plugin* phial_backend_plugin(
    uint32_t /*host_abi: we know one version only*/) {
  return phial::PluginTable<Engine>::table();
}
