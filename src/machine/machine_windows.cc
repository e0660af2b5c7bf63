// SPDX-License-Identifier: Apache-2.0
// Windows: memory and power from kernel32, GPUs from DXGI, how busy they are from the performance
// counters that Task Manager reads (PDH, "\GPU Engine(*)\Utilization Percentage"). An NPU appears
// there as an adapter of its own whose engines are of the type "neural" or "compute"; which adapter
// is an NPU would take DXCore, whose attribute for it isn't in this compiler's headers: not told.
#include <dxgi.h>
#include <fmt/format.h>
#include <pdh.h>
#include <pdhmsg.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/cpu_info.h"
#include "base/shared_library.h"
#include "base/windows_api.h"
#include "machine/machine.h"
#include "machine/nvml.h"
#include "machine/pci_names.h"
#include "machine/usage_meter.h"

namespace phial {
namespace {

Memory system_memory() {
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof status;
  if (!GlobalMemoryStatusEx(&status)) return {};
  Memory memory;
  memory.total = status.ullTotalPhys;
  memory.available = status.ullAvailPhys;
  return memory;
}

Power system_power() {
  SYSTEM_POWER_STATUS status{};
  Power power;
  if (!GetSystemPowerStatus(&status)) return power;
  constexpr BYTE kUnknown = 255, kNoBattery = 128;
  if (status.ACLineStatus != kUnknown) power.on_battery = status.ACLineStatus == 0;
  if (status.BatteryFlag != kUnknown && !(status.BatteryFlag & kNoBattery) &&
      status.BatteryLifePercent != kUnknown)
    power.battery_percent = status.BatteryLifePercent;
  return power;
}

// An adapter's number in the names of performance counters: "luid_0x00000000_0x0000BB15".
std::string luid_text(const LUID& luid) {
  return fmt::format("luid_0x{:08X}_0x{:08X}", static_cast<uint32_t>(luid.HighPart),
                     static_cast<uint32_t>(luid.LowPart));
}

struct Adapter {
  Gpu gpu;
  std::string luid;
};

std::vector<Adapter> adapters() {
  std::vector<Adapter> found;
  const HMODULE library = LoadLibraryW(L"dxgi.dll");  // never freed, as drivers hang on it
  using Create = HRESULT(WINAPI*)(REFIID, void**);
  const auto create = library ? reinterpret_cast<Create>(reinterpret_cast<void*>(
                                    GetProcAddress(library, "CreateDXGIFactory1")))
                              : nullptr;
  IDXGIFactory1* factory = nullptr;
  if (!create || FAILED(create(__uuidof(IDXGIFactory1), reinterpret_cast<void**>(&factory))))
    return found;
  IDXGIAdapter1* adapter = nullptr;
  for (UINT i = 0; factory->EnumAdapters1(i, &adapter) == S_OK; ++i) {
    DXGI_ADAPTER_DESC1 description{};
    if (SUCCEEDED(adapter->GetDesc1(&description)) &&
        !(description.Flags & DXGI_ADAPTER_FLAG_SOFTWARE)) {
      Gpu gpu;
      gpu.id = fmt::format("adapter{}", i);
      gpu.vendor = vendor_name(description.VendorId);
      gpu.name = to_utf8(description.Description);
      gpu.pci = fmt::format("{:04x}:{:04x}", description.VendorId, description.DeviceId);
      LARGE_INTEGER version{};
      if (SUCCEEDED(adapter->CheckInterfaceSupport(__uuidof(IDXGIDevice), &version)))
        gpu.driver_version =
            fmt::format("{}.{}.{}.{}", HIWORD(version.HighPart), LOWORD(version.HighPart),
                        HIWORD(version.LowPart), LOWORD(version.LowPart));
      const Root nothing;
      gpu.integrated = device_name(nothing, description.VendorId, description.DeviceId).integrated;
      // Integrated GPUs have a little of their own, which says nothing.
      if (gpu.integrated != true) gpu.memory_bytes = description.DedicatedVideoMemory;
      found.push_back({std::move(gpu), luid_text(description.AdapterLuid)});
    }
    adapter->Release();
  }
  factory->Release();
  return found;
}

void add_nvidia(std::vector<Adapter>& found) {
  const Nvml* library = Nvml::of(Root());
  if (!library) return;
  const auto gpus = library->gpus();
  size_t next = 0;
  for (Adapter& adapter : found) {  // both list them by their place on the bus
    if (adapter.gpu.vendor != "NVIDIA" || next >= gpus.size()) continue;
    const NvidiaGpu& gpu = gpus[next++];
    adapter.gpu.memory_used = gpu.memory_used;
    adapter.gpu.mhz = gpu.mhz;
    adapter.gpu.max_mhz = gpu.max_mhz;
  }
}

// The counters of all GPU engines of all processes, asked for at every sample.
class GpuCounters {
 public:
  GpuCounters() {
    if (PdhOpenQueryW(nullptr, 0, &query_) != ERROR_SUCCESS) query_ = nullptr;
    if (query_ && PdhAddEnglishCounterW(query_, L"\\GPU Engine(*)\\Utilization Percentage", 0,
                                        &busy_) != ERROR_SUCCESS)
      busy_ = nullptr;
  }

  // Percent of the busiest engine of each adapter; a first call gives none.
  std::map<std::string, double> collect() {
    std::map<std::string, double> by_adapter;
    if (!busy_ || PdhCollectQueryData(query_) != ERROR_SUCCESS) return by_adapter;
    DWORD bytes = 0, count = 0;
    if (PdhGetFormattedCounterArrayW(busy_, PDH_FMT_DOUBLE, &bytes, &count, nullptr) !=
        static_cast<PDH_STATUS>(PDH_MORE_DATA))
      return by_adapter;
    std::vector<std::byte> buffer(bytes);
    auto* items = reinterpret_cast<PDH_FMT_COUNTERVALUE_ITEM_W*>(buffer.data());
    if (PdhGetFormattedCounterArrayW(busy_, PDH_FMT_DOUBLE, &bytes, &count, items) != ERROR_SUCCESS)
      return by_adapter;
    // "pid_8684_luid_0x00000000_0x0000BB15_phys_0_eng_13_engtype_3D": processes add up, engines
    // don't.
    std::map<std::string, double> by_engine;
    for (DWORD i = 0; i < count; ++i) {
      const std::string name = to_utf8(items[i].szName);
      const size_t luid = name.find("luid_");
      if (luid != std::string::npos) by_engine[name.substr(luid)] += items[i].FmtValue.doubleValue;
    }
    for (const auto& [engine, percent] : by_engine) {
      double& most = by_adapter[engine.substr(0, luid_text({}).size())];
      most = std::max(most, std::min(percent, 100.0));
    }
    return by_adapter;
  }

 private:
  PDH_HQUERY query_ = nullptr;
  PDH_HCOUNTER busy_ = nullptr;
};

uint64_t ticks(const FILETIME& time) {
  return static_cast<uint64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime;
}

}  // namespace

bool read_system_machine(Machine& machine) {
  machine.system = "Windows";
  machine.cpu.name = cpu_name();
  machine.cpu.logical = static_cast<int>(std::thread::hardware_concurrency());
  CoreKind all;
  for (int cpu = 0; cpu < machine.cpu.logical; ++cpu) all.cpus.push_back(cpu);
  machine.cpu.kinds = {std::move(all)};
  machine.memory = system_memory();
  machine.power = system_power();
  std::vector<Adapter> found = adapters();
  add_nvidia(found);
  for (Adapter& adapter : found) machine.gpus.push_back(std::move(adapter.gpu));
  return true;
}

// What lies between two calls is kept here, as the counters themselves do: one caller is meant.
bool read_system_usage(Usage& usage) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static GpuCounters* const counters = new GpuCounters;  // never closed, as its library
  static uint64_t last_idle = 0, last_total = 0, last_time = 0;
  FILETIME idle{}, kernel{}, user{};
  const uint64_t now = GetTickCount64();
  if (GetSystemTimes(&idle, &kernel, &user)) {
    const uint64_t total = ticks(kernel) + ticks(user);  // idle is in kernel
    if (last_total != 0 && total > last_total)
      usage.cpu_percent = 100 - 100 * static_cast<double>(ticks(idle) - last_idle) /
                                    static_cast<double>(total - last_total);
    last_idle = ticks(idle);
    last_total = total;
  }
  usage.seconds = last_time ? static_cast<double>(now - last_time) / 1000 : 0;
  last_time = now;
  usage.memory = system_memory();
  usage.on_battery = system_power().on_battery;
  const std::map<std::string, double> busy = counters->collect();
  std::vector<Adapter> found = adapters();
  add_nvidia(found);
  for (const Adapter& adapter : found) {
    DeviceUsage device;
    device.id = adapter.gpu.id;
    device.kind = "gpu";
    device.name = adapter.gpu.name;
    device.mhz = adapter.gpu.mhz;
    device.max_mhz = adapter.gpu.max_mhz;
    device.memory_bytes = adapter.gpu.memory_bytes;
    device.memory_used = adapter.gpu.memory_used;
    if (const auto percent = busy.find(adapter.luid); percent != busy.end())
      device.busy_percent = percent->second;
    usage.devices.push_back(std::move(device));
  }
  return true;
}

}  // namespace phial
