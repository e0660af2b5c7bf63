// SPDX-License-Identifier: Apache-2.0
// The declarations are those of NVIDIA's published nvml.h (API version 2 of these functions), as
// far as they are used here.
#include "machine/nvml.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>

#include "base/error.h"
#include "base/shared_library.h"
#include "base/system.h"

namespace phial {
namespace {

constexpr int kSuccess = 0;
constexpr unsigned kGraphicsClock = 0;

struct Device;  // the library's own

struct MemoryInfo {
  unsigned long long total, free, used;
};
struct Utilization {
  unsigned gpu, memory;  // percent of the last second or less
};
struct PciInfo {
  char legacy_id[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};

#if defined(_WIN32)
constexpr const char* kLibrary = "nvml.dll";
#else
constexpr const char* kLibrary = "libnvidia-ml.so.1";
#endif

}  // namespace

struct Nvml::Functions {
  int (*init)() = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*device)(unsigned, Device**) = nullptr;
  int (*name)(Device*, char*, unsigned) = nullptr;
  int (*pci)(Device*, PciInfo*) = nullptr;
  int (*memory)(Device*, MemoryInfo*) = nullptr;
  int (*utilization)(Device*, Utilization*) = nullptr;
  int (*power)(Device*, unsigned*) = nullptr;  // milliwatts
  int (*clock)(Device*, unsigned, unsigned*) = nullptr;
  int (*max_clock)(Device*, unsigned, unsigned*) = nullptr;
};

bool Nvml::load(const fs::path& path) {
  try {
    const SharedLibrary library(path);
    auto functions = std::make_unique<Functions>();
    bool whole = true;
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(library.symbol(name));
      whole &= function != nullptr;
    };
    find(functions->init, "nvmlInit_v2");
    find(functions->driver_version, "nvmlSystemGetDriverVersion");
    find(functions->count, "nvmlDeviceGetCount_v2");
    find(functions->device, "nvmlDeviceGetHandleByIndex_v2");
    find(functions->name, "nvmlDeviceGetName");
    find(functions->pci, "nvmlDeviceGetPciInfo_v3");
    find(functions->memory, "nvmlDeviceGetMemoryInfo");
    find(functions->utilization, "nvmlDeviceGetUtilizationRates");
    find(functions->power, "nvmlDeviceGetPowerUsage");
    find(functions->clock, "nvmlDeviceGetClockInfo");
    find(functions->max_clock, "nvmlDeviceGetMaxClockInfo");
    if (!whole || functions->init() != kSuccess) return false;
    functions_ = std::move(functions);
    return true;
  } catch (const Error&) {
    return false;
  }
}

const Nvml* Nvml::of(const Root& root) {
  const std::string named = environment("PHIAL_NVML_LIB").value_or("");
  if (named.empty() && !root.is_this_computer()) return nullptr;
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Nvml>> loaded;  // by name; null: couldn't be
  const std::lock_guard lock(mutex);
  const auto [entry, is_new] = loaded.try_emplace(named);
  if (is_new) {
    std::unique_ptr<Nvml> library(new Nvml);
    if (library->load(named.empty() ? kLibrary : named)) entry->second = std::move(library);
  }
  return entry->second.get();
}

std::string Nvml::driver_version() const {
  char text[96] = "";
  return functions_->driver_version(text, sizeof text) == kSuccess ? text : "";
}

std::vector<NvidiaGpu> Nvml::gpus() const {
  std::vector<NvidiaGpu> gpus;
  unsigned count = 0;
  if (functions_->count(&count) != kSuccess) return gpus;
  for (unsigned i = 0; i < count; ++i) {
    Device* device = nullptr;
    if (functions_->device(i, &device) != kSuccess) continue;
    NvidiaGpu gpu;
    char name[128] = "";
    if (functions_->name(device, name, sizeof name) == kSuccess) gpu.name = name;
    PciInfo pci{};
    if (functions_->pci(device, &pci) == kSuccess) {
      gpu.slot = pci.bus_id;  // "00000000:01:00.0": the kernel's has four digits of domain
      if (gpu.slot.size() == 16) gpu.slot.erase(0, 4);
      std::transform(gpu.slot.begin(), gpu.slot.end(), gpu.slot.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    }
    MemoryInfo memory{};
    if (functions_->memory(device, &memory) == kSuccess) {
      gpu.memory_bytes = memory.total;
      gpu.memory_used = memory.used;
    }
    Utilization busy{};
    if (functions_->utilization(device, &busy) == kSuccess) gpu.busy_percent = busy.gpu;
    unsigned value = 0;
    if (functions_->power(device, &value) == kSuccess) gpu.watts = value / 1000.0;
    if (functions_->clock(device, kGraphicsClock, &value) == kSuccess) gpu.mhz = value;
    if (functions_->max_clock(device, kGraphicsClock, &value) == kSuccess) gpu.max_mhz = value;
    gpus.push_back(std::move(gpu));
  }
  return gpus;
}

}  // namespace phial
