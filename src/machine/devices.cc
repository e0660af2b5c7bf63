// SPDX-License-Identifier: Apache-2.0
// GPUs and NPUs: the kernel's classes drm and accel, and what NVIDIA's library adds. Which files
// there are: i915 (Documentation/gpu/i915.rst, sysfs gt/gt*/rps_*), xe (sysfs-driver-intel-xe-hwmon
// and xe_gt_freq.c), amdgpu (Documentation/gpu/amdgpu), intel_vpu (sysfs-driver-ivpu).
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "machine/machine.h"
#include "machine/nvml.h"
#include "machine/parse.h"
#include "machine/pci_names.h"

namespace phial {
namespace {

constexpr int64_t kAcceleratorClass = 0x120000;  // PCI: "processing accelerator"

// "card0", not "card0-eDP-1".
std::vector<std::string> numbered(const Root& root, const std::string& folder,
                                  const std::string& prefix) {
  std::vector<std::string> found = root.entries(folder);
  std::erase_if(found, [&](const std::string& name) {
    return !name.starts_with(prefix) || name.size() == prefix.size() ||
           name.find_first_not_of("0123456789", prefix.size()) != std::string::npos;
  });
  return found;
}

std::optional<double> first_number(const Root& root, const std::string& folder,
                                   std::initializer_list<const char*> files) {
  for (const char* file : files)
    if (const auto value = root.integer(folder + "/" + file)) return static_cast<double>(*value);
  return std::nullopt;
}

// Clocks of 0 are those of a device that sleeps, or a limit that isn't known.
std::optional<double> unless_zero(std::optional<double> mhz) {
  return mhz && *mhz > 0 ? mhz : std::nullopt;
}

struct PciDevice {
  int64_t vendor = 0, device = 0;
  std::string driver, slot, pci;
};

PciDevice read_pci(const Root& root, const std::string& folder) {
  PciDevice found;
  found.vendor = root.integer(folder + "/vendor").value_or(0);
  found.device = root.integer(folder + "/device").value_or(0);
  const std::string event = root.text(folder + "/uevent").value_or("");
  found.driver =
      value_of_key(event, "DRIVER").value_or(root.link_name(folder + "/driver").value_or(""));
  found.slot = value_of_key(event, "PCI_SLOT_NAME").value_or("");
  if (found.vendor) found.pci = fmt::format("{:04x}:{:04x}", found.vendor, found.device);
  return found;
}

std::optional<uint64_t> bytes_of(const Root& root, const std::string& path) {
  const auto value = root.integer(path);
  return value && *value >= 0 ? std::optional(static_cast<uint64_t>(*value)) : std::nullopt;
}

// amdgpu: lines "1: 800Mhz *", the star at the one in use.
void read_amd_clocks(const Root& root, const std::string& device, Gpu& gpu) {
  const std::string text = root.text(device + "/pp_dpm_sclk").value_or("");
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (const size_t colon = line.find(": "); colon != std::string::npos) {
      const double mhz = std::strtod(line.c_str() + colon + 2, nullptr);
      gpu.max_mhz = std::max(gpu.max_mhz.value_or(0), mhz);
      if (line.find('*') != std::string::npos) gpu.mhz = mhz;
    }
    begin = end + 1;
  }
}

Gpu read_gpu(const Root& root, const std::string& id) {
  const std::string card = "sys/class/drm/" + id, device = card + "/device";
  const PciDevice pci = read_pci(root, device);
  const PciName name = device_name(root, pci.vendor, pci.device);
  Gpu gpu;
  gpu.id = id;
  gpu.vendor = vendor_name(pci.vendor);
  gpu.name = name.name;
  gpu.integrated = name.integrated;
  gpu.driver = pci.driver;
  gpu.driver_version = root.text("sys/module/" + pci.driver + "/version").value_or("");
  gpu.pci = pci.pci;
  gpu.slot = pci.slot;
  if (gpu.driver == "xe") {
    const std::string clocks = device + "/tile0/gt0/freq0";
    gpu.mhz = unless_zero(first_number(root, clocks, {"act_freq"}));
    gpu.max_mhz = unless_zero(first_number(root, clocks, {"rp0_freq", "max_freq"}));
  } else if (gpu.driver == "i915") {
    const std::string clocks = card + "/gt/gt0";
    gpu.mhz = unless_zero(first_number(root, clocks, {"rps_act_freq_mhz"}));
    gpu.max_mhz = unless_zero(first_number(root, clocks, {"rps_RP0_freq_mhz", "rps_max_freq_mhz"}));
  } else if (gpu.driver == "amdgpu") {
    gpu.memory_bytes = bytes_of(root, device + "/mem_info_vram_total");
    gpu.memory_used = bytes_of(root, device + "/mem_info_vram_used");
    read_amd_clocks(root, device, gpu);
  }
  for (const std::string& node : numbered(root, device + "/drm", "renderD"))
    gpu.node = read_node(root, "/dev/dri/" + node);
  return gpu;
}

// "Model: \t\t NVIDIA GeForce RTX 4070", where the library isn't there.
std::string name_of_nvidia_driver(const Root& root, const std::string& slot) {
  return value_of_key(root.text("proc/driver/nvidia/gpus/" + slot + "/information").value_or(""),
                      "Model")
      .value_or("");
}

std::string without_vendor(const std::string& name) {
  return name.starts_with("NVIDIA ") ? name.substr(7) : name;
}

void add_nvidia(const Root& root, std::vector<Gpu>& gpus) {
  for (Gpu& gpu : gpus) {
    if (gpu.vendor != "NVIDIA") continue;
    if (const std::string name = name_of_nvidia_driver(root, gpu.slot); !name.empty())
      gpu.name = without_vendor(name);
    gpu.node = read_node(root, "/dev/nvidiactl");
  }
  const Nvml* library = Nvml::of(root);
  if (!library) return;
  const std::string version = library->driver_version();
  int number = 0;
  for (const NvidiaGpu& found : library->gpus()) {
    auto gpu = std::find_if(gpus.begin(), gpus.end(),
                            [&](const Gpu& g) { return !g.slot.empty() && g.slot == found.slot; });
    if (gpu == gpus.end()) {
      gpus.emplace_back();
      gpu = gpus.end() - 1;
      gpu->id = fmt::format("nvidia{}", number);
      gpu->vendor = "NVIDIA";
      gpu->slot = found.slot;
      gpu->node = read_node(root, "/dev/nvidiactl");
    }
    gpu->name = without_vendor(found.name);
    gpu->driver = "nvidia";
    gpu->driver_version = version;
    gpu->integrated = false;
    gpu->memory_bytes = found.memory_bytes;
    gpu->memory_used = found.memory_used;
    gpu->mhz = found.mhz;
    gpu->max_mhz = found.max_mhz;
    ++number;
  }
}

Npu read_npu(const Root& root, const std::string& id) {
  const std::string device = "sys/class/accel/" + id + "/device";
  const PciDevice pci = read_pci(root, device);
  Npu npu;
  npu.id = id;
  npu.vendor = vendor_name(pci.vendor);
  npu.name = device_name(root, pci.vendor, pci.device).name;
  npu.driver = pci.driver;
  npu.pci = pci.pci;
  npu.slot = pci.slot;
  // Linux 7.2 moves the clocks into a folder; the old names go in 2027. 0: it sleeps.
  npu.mhz =
      unless_zero(first_number(root, device, {"freq/current_freq", "npu_current_frequency_mhz"}));
  npu.max_mhz =
      unless_zero(first_number(root, device, {"freq/hw_max_freq", "npu_max_frequency_mhz"}));
  npu.memory_used = bytes_of(root, device + "/npu_memory_utilization");
  // For root only.
  npu.firmware = root.text("sys/kernel/debug/accel/" + pci.slot + "/fw_version")
                     .value_or(root.text(device + "/fw_version").value_or(""));
  npu.node = read_node(root, "/dev/accel/" + id);
  return npu;
}

}  // namespace

std::optional<DeviceNode> read_node(const Root& root, const std::string& path) {
  const std::string relative = path.substr(1);
  const auto owner = root.owner(relative);
  if (!owner && !root.exists(relative)) return std::nullopt;
  DeviceNode node;
  node.path = path;
  if (owner) {
    node.group = group_name(root, owner->group);
    node.owner = fmt::format("{}:{} {:04o}", user_name(root, owner->user), node.group, owner->mode);
  }
  node.may_use = root.may_use(relative);
  return node;
}

std::vector<Gpu> read_gpus(const Root& root) {
  std::vector<Gpu> gpus;
  for (const std::string& id : numbered(root, "sys/class/drm", "card"))
    gpus.push_back(read_gpu(root, id));
  add_nvidia(root, gpus);
  return gpus;
}

std::vector<Npu> read_npus(const Root& root) {
  std::vector<Npu> npus;
  for (const std::string& id : numbered(root, "sys/class/accel", "accel"))
    npus.push_back(read_npu(root, id));
  // One whose driver isn't loaded is on the bus and nowhere else.
  const std::string bus = "sys/bus/pci/devices";
  for (const std::string& slot : root.entries(bus)) {
    if (root.integer(bus + "/" + slot + "/class") != kAcceleratorClass ||
        std::any_of(npus.begin(), npus.end(), [&](const Npu& npu) { return npu.slot == slot; }))
      continue;
    const PciDevice pci = read_pci(root, bus + "/" + slot);
    if (pci.vendor != kIntel && pci.vendor != kAmdCpu) continue;
    Npu npu;
    npu.id = slot;
    npu.vendor = vendor_name(pci.vendor);
    npu.name = device_name(root, pci.vendor, pci.device).name;
    npu.driver = pci.driver;
    npu.pci = pci.pci;
    npu.slot = slot;
    npus.push_back(std::move(npu));
  }
  return npus;
}

}  // namespace phial
