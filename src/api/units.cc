// SPDX-License-Identifier: Apache-2.0
#include "api/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace phial::api {
namespace {

constexpr const char* kNpuDriverPage = "https://github.com/intel/linux-npu-driver/releases";

// 1 of "openvino:GPU.1" and "onnxruntime:cuda:1"; 0 if there is none.
size_t number_of(const std::string& device) {
  const size_t at = device.find_last_not_of("0123456789");
  if (at == std::string::npos || at + 1 >= device.size() ||
      (device[at] != '.' && device[at] != ':'))
    return 0;
  return std::strtoul(device.c_str() + at + 1, nullptr, 10);
}

// The vendor whose devices this one of an engine is among; empty: any.
std::string vendor_of(const std::string& device) {
  if (device.starts_with("openvino:")) return "Intel";
  if (device.starts_with("onnxruntime:cuda")) return "NVIDIA";
  return {};
}

template <class Units>
std::string nth_of_vendor(const Units& units, const std::string& vendor, size_t n) {
  for (const auto& unit : units)
    if ((vendor.empty() || unit.vendor == vendor) && n-- == 0) return unit.id;
  return {};
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// What the node of a device says about this user, which is known better than what a runtime makes
// of it.
bool node_is_closed(const std::optional<DeviceNode>& node, Unit& unit) {
  if (!node || node->may_use != false) return false;
  unit.why_not = fmt::format("this user may not open {}{}", node->path,
                             node->owner.empty() ? "" : " (" + node->owner + ")");
  unit.remedy = node->group.empty() || node->group == "root"
                    ? fmt::format("let this user read and write {}", node->path)
                    : fmt::format("sudo usermod -aG {} $USER, then log in again", node->group);
  return true;
}

// Of a runtime that isn't there, without what to do: that is the remedy's.
std::string engine_reason(const Unit& unit) {
  if (unit.engines.empty()) return {};
  const std::string& why = unit.engines.front().why_not;
  constexpr std::string_view kMissing = "isn't found";
  const size_t at = why.find(kMissing);
  return at == std::string::npos ? why : why.substr(0, at + kMissing.size());
}

void judge_npu(const Npu& npu, Unit& unit) {
  if (npu.vendor != "Intel") {
    unit.why_not = fmt::format("no engine of phial's runs on NPUs by {}", npu.vendor);
    return;
  }
  if (npu.driver.empty()) {
    unit.why_not = "its driver isn't loaded";
    unit.remedy = "sudo modprobe intel_vpu; it takes Linux 6.8 or newer";
    return;
  }
  if (node_is_closed(npu.node, unit)) return;
  unit.why_not = engine_reason(unit);
  if (unit.why_not.find("isn't found") != std::string::npos)
    unit.remedy = "pip install openvino, or name its folder in PHIAL_OPENVINO_LIB";
  else
    unit.remedy = fmt::format("install Intel's NPU driver ({})", kNpuDriverPage);
}

void judge_gpu(const Root& root, const Gpu& gpu, Unit& unit) {
  if (gpu.vendor == "Intel") {
    if (node_is_closed(gpu.node, unit)) return;
    unit.why_not = engine_reason(unit);
    if (unit.why_not.find("isn't found") != std::string::npos)
      unit.remedy = "pip install openvino, or name its folder in PHIAL_OPENVINO_LIB";
    else if (!root.exists("etc/OpenCL/vendors/intel.icd"))
      unit.remedy = "install Intel's OpenCL driver (package intel-opencl-icd)";
  } else if (gpu.vendor == "NVIDIA") {
    if (gpu.driver != "nvidia") {
      unit.why_not = gpu.driver.empty()
                         ? std::string("its driver isn't loaded")
                         : fmt::format("it has the driver {}, which doesn't compute", gpu.driver);
      unit.remedy = "install NVIDIA's driver, 525 or newer";
      return;
    }
    if (node_is_closed(gpu.node, unit)) return;
    unit.why_not = engine_reason(unit);
    unit.remedy = "pip install onnxruntime-gpu onnxruntime-genai-cuda";
  } else if (gpu.vendor == "AMD") {
    unit.why_not = engine_reason(unit);
    if (unit.why_not.empty())
      unit.why_not = "no engine of phial's runs on AMD's GPUs here: DirectML does, on Windows";
  } else {
    unit.why_not = "no engine of phial's runs on it";
  }
}

}  // namespace

std::string unit_of(const Machine& machine, const std::string& device, const std::string& kind) {
  if (kind == "npu") return nth_of_vendor(machine.npus, vendor_of(device), number_of(device));
  if (kind != "gpu") return "cpu";
#if !defined(_WIN32)
  if (device.starts_with("onnxruntime:dml")) return {};
#endif
  return nth_of_vendor(machine.gpus, vendor_of(device), number_of(device));
}

std::vector<Unit> make_units(const Root& root, const Machine& machine,
                             const std::vector<Device>& devices) {
  std::vector<Unit> units;
  units.push_back({"cpu", "cpu", machine.cpu.name, {}, {}, {}});
  for (const Gpu& gpu : machine.gpus)
    units.push_back({gpu.id, "gpu", gpu.vendor + " " + gpu.name, {}, {}, {}});
  for (const Npu& npu : machine.npus)
    units.push_back({npu.id, "npu", npu.vendor + " " + npu.name, {}, {}, {}});
  for (const Device& device : devices) {
    const std::string id = unit_of(machine, device.id, device.kind);
    for (Unit& unit : units)
      if (unit.id == id && !device.kind.empty())
        unit.engines.push_back({device.id, first_line(device.why_not)});
  }
  for (size_t i = 0; i < units.size(); ++i) {
    Unit& unit = units[i];
    if (std::any_of(unit.engines.begin(), unit.engines.end(),
                    [](const EngineUse& use) { return use.why_not.empty(); }))
      continue;
    if (unit.kind == "gpu")
      judge_gpu(root, machine.gpus[i - 1], unit);
    else if (unit.kind == "npu")
      judge_npu(machine.npus[i - 1 - machine.gpus.size()], unit);
    else
      unit.why_not = engine_reason(unit);
    if (unit.why_not.empty()) unit.why_not = "no engine of phial's offers it";
  }
  return units;
}

Json to_json(const std::vector<Unit>& units) {
  Json list = Json::array();
  for (const Unit& unit : units) {
    Json engines = Json::array();
    for (const EngineUse& use : unit.engines)
      engines.push_back(
          {{"device", use.device}, {"usable", use.why_not.empty()}, {"why_not", use.why_not}});
    list.push_back({{"id", unit.id},
                    {"kind", unit.kind},
                    {"name", unit.name},
                    {"usable", unit.why_not.empty()},
                    {"why_not", unit.why_not},
                    {"remedy", unit.remedy},
                    {"engines", std::move(engines)}});
  }
  return list;
}

}  // namespace phial::api
