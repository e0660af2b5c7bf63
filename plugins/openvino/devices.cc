// SPDX-License-Identifier: Apache-2.0
#include "devices.h"

#include <algorithm>
#include <mutex>

#include "accelerator.h"
#include "export/openvino_ir/openvino_ir.h"
#include "npu.h"
#include "ov_library.h"
#include "ov_places.h"
#include "target.h"

namespace phial::ov {
namespace {

// Beside the 50 of phial's own CPU engine. A GPU has the memory bandwidth that a reply is limited
// by; an NPU needs the least energy but minutes to compile at first, so it comes second.
constexpr int kGpuRank = 80, kNpuRank = 70, kCpuRank = 40, kTestRank = 1;

// One core for all questions; sessions have their own.
const Core& questions(const Api& api) {
  static const Core* core = new Core(api);  // never freed, as the library
  return *core;
}

const char* kind_of(const Target& target) {
  switch (target.kind) {
    case Target::Kind::kGpu:
      return "gpu";
    case Target::Kind::kNpu:
      return "npu";
    default:
      return "cpu";
  }
}

std::string gpu_why_not(const Core& core) {
  std::error_code ignored;
  if (!fs::exists(core.api().path.parent_path() / kGpuPlugin, ignored))
    return fmt::format("OpenVINO {} was installed without its GPU plugin", core.api().version);
  return gpu_not_seen();
}

std::string driver_why_not(const Core& core, const Target& target) {
  if (target.kind != Target::Kind::kNpu) return {};
  return npu_driver_why_not(core.property(target.device, "NPU_DRIVER_VERSION"));
}

// Empty: OpenVINO lists it, and its driver will do.
std::string why_not(const Core& core, const Target& target) {
  const auto available = core.available_devices();
  const auto has = [&](const std::string& name) {
    return std::find(available.begin(), available.end(), name) != available.end();
  };
  if (target.kind == Target::Kind::kNpuwOnCpu) {
    std::error_code ignored;
    return fs::exists(core.api().path.parent_path() / kNpuPlugin, ignored)
               ? ""
               : "OpenVINO was installed without its NPU plugin";
  }
  if (has(target.device)) return driver_why_not(core, target);
  // "GPU" is GPU.0, "GPU.0" may be listed as "GPU".
  const std::string family = target.device.substr(0, target.device.find('.'));
  const bool first = target.device == family || target.device == family + ".0";
  if (first && (has(family) || has(family + ".0"))) return driver_why_not(core, target);
  if (target.kind == Target::Kind::kNpu) return npu_why_not(core);
  if (target.kind == Target::Kind::kGpu && !has("GPU") && !has("GPU.0")) return gpu_why_not(core);
  std::string list;
  for (const std::string& name : available) list += (list.empty() ? "" : ", ") + name;
  return fmt::format("OpenVINO {} has no device '{}'; it has {}", core.api().version, target.device,
                     list.empty() ? "none" : list);
}

}  // namespace

std::vector<Device> list_devices(const Settings& settings, bool quick) {
  std::vector<Device> devices;
  if (quick && !accelerator_seen()) return devices;
  try {
    const Api& api = openvino(settings.library);
    const Core& core = questions(api);
    bool gpu = false, npu = false;
    for (const std::string& name : core.available_devices()) {
      const Target target = to_target(name);
      gpu |= target.kind == Target::Kind::kGpu;
      npu |= target.kind == Target::Kind::kNpu;
      const std::string full = core.property(name, "FULL_DEVICE_NAME");
      devices.push_back(
          {target.id, fmt::format("{}{}OpenVINO {}", full, full.empty() ? "" : ", ", api.version),
           kind_of(target), driver_why_not(core, target)});
    }
    if (!gpu) devices.push_back({"openvino:GPU", "", "gpu", gpu_why_not(core)});
    if (!npu) devices.push_back({"openvino:NPU", "", "npu", npu_why_not(core)});
  } catch (const Error& error) {
    const std::string text = error.what();  // with a list of places, which is told once
    const std::string first = text.substr(0, text.find('\n'));
    devices = {{"openvino:CPU", "", "cpu", text},
               {"openvino:GPU", "", "gpu", first},
               {"openvino:NPU", "", "npu", first}};
  }
  return devices;
}

Verdict judge(const Settings& settings, const Package& package, const std::string& device) {
  const Target target = to_target(device);
  Verdict verdict{target.id, 0, {}, kind_of(target)};
  try {
    const Api& api = openvino(settings.library);
    verdict.reason = why_not(questions(api), target);
    if (!verdict.reason.empty()) return verdict;
    openvino_parts(package);  // throws if it lacks what the graph needs
    verdict.reason = fmt::format("OpenVINO {} runs it", api.version);
    verdict.rank = target.kind == Target::Kind::kGpu   ? kGpuRank
                   : target.kind == Target::Kind::kNpu ? kNpuRank
                   : target.kind == Target::Kind::kCpu ? kCpuRank
                                                       : kTestRank;
  } catch (const Error& error) {
    verdict.reason = error.what();
  }
  return verdict;
}

}  // namespace phial::ov
