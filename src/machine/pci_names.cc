// SPDX-License-Identifier: Apache-2.0
// Sources of the table: Linux's include/drm/intel/pciids.h and drivers/accel/ivpu/ivpu_drv.h,
// drivers/accel/amdxdna, and the PCI ID repository (pci-ids.ucw.cz).
#include "machine/pci_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace phial {
namespace {

struct Entry {
  int64_t vendor, first, last;  // device ids
  bool integrated;
  const char* name;
};

constexpr Entry kEntries[] = {
    // Intel, integrated
    {kIntel, 0x9a40, 0x9a78, true, "Iris Xe Graphics (Tiger Lake)"},
    {kIntel, 0x4680, 0x4693, true, "UHD Graphics (Alder Lake)"},
    {kIntel, 0x46a0, 0x46c3, true, "Iris Xe Graphics (Alder Lake)"},
    {kIntel, 0x46d0, 0x46d4, true, "UHD Graphics (Alder Lake-N)"},
    {kIntel, 0xa780, 0xa78b, true, "UHD Graphics (Raptor Lake)"},
    {kIntel, 0xa7a0, 0xa7ad, true, "Iris Xe Graphics (Raptor Lake)"},
    {kIntel, 0x7d40, 0x7d45, true, "Graphics (Meteor Lake)"},
    {kIntel, 0x7d55, 0x7d55, true, "Arc Graphics (Meteor Lake)"},
    {kIntel, 0x7dd5, 0x7dd5, true, "Graphics (Meteor Lake)"},
    {kIntel, 0x7d41, 0x7d41, true, "Graphics (Arrow Lake)"},
    {kIntel, 0x7d51, 0x7d51, true, "Arc Graphics (Arrow Lake)"},
    {kIntel, 0x7d67, 0x7d67, true, "Graphics (Arrow Lake)"},
    {kIntel, 0x7dd1, 0x7dd1, true, "Graphics (Arrow Lake)"},
    {kIntel, 0x6420, 0x6420, true, "Graphics (Lunar Lake)"},
    {kIntel, 0x64a0, 0x64b0, true, "Arc Graphics 130V / 140V (Lunar Lake)"},
    {kIntel, 0xb080, 0xb0b0, true, "Graphics (Panther Lake)"},
    // Intel, cards
    {kIntel, 0x5690, 0x5697, false, "Arc A-series Mobile (Alchemist)"},
    {kIntel, 0x56a0, 0x56a0, false, "Arc A770 (Alchemist)"},
    {kIntel, 0x56a1, 0x56a1, false, "Arc A750 (Alchemist)"},
    {kIntel, 0x56a5, 0x56a5, false, "Arc A380 (Alchemist)"},
    {kIntel, 0x56a6, 0x56a6, false, "Arc A310 (Alchemist)"},
    {kIntel, 0xe20b, 0xe20b, false, "Arc B580 (Battlemage)"},
    {kIntel, 0xe20c, 0xe20c, false, "Arc B570 (Battlemage)"},
    {kIntel, 0xe202, 0xe223, false, "Arc B-series (Battlemage)"},
    // Intel, NPUs: the number is how OpenVINO and the driver call their architecture
    {kIntel, 0x7d1d, 0x7d1d, true, "NPU 3720 (Meteor Lake)"},
    {kIntel, 0xad1d, 0xad1d, true, "NPU 3720 (Arrow Lake)"},
    {kIntel, 0x643e, 0x643e, true, "NPU 4000 (Lunar Lake)"},
    {kIntel, 0xb03e, 0xb03e, true, "NPU 5010 (Panther Lake)"},
    // AMD
    {kAmd, 0x15bf, 0x15bf, true, "Radeon 780M / 760M (Phoenix)"},
    {kAmd, 0x1900, 0x1901, true, "Radeon 780M / 740M (Hawk Point)"},
    {kAmd, 0x150e, 0x150e, true, "Radeon 890M / 880M (Strix)"},
    {kAmd, 0x1586, 0x1586, true, "Radeon 8060S / 8050S (Strix Halo)"},
    {kAmd, 0x1681, 0x1681, true, "Radeon 680M / 660M (Rembrandt)"},
    {kAmd, 0x744c, 0x744c, false, "Radeon RX 7900 (Navi 31)"},
    {kAmd, 0x73bf, 0x73bf, false, "Radeon RX 6800 / 6900 (Navi 21)"},
    {kAmdCpu, 0x1502, 0x1502, true, "Ryzen AI NPU (XDNA)"},
    {kAmdCpu, 0x17f0, 0x17f0, true, "Ryzen AI NPU (XDNA 2)"},
    // NVIDIA: its driver tells the name, this is for PCs without it
    {kNvidia, 0x2204, 0x2204, false, "GeForce RTX 3090"},
    {kNvidia, 0x2206, 0x2206, false, "GeForce RTX 3080"},
    {kNvidia, 0x2484, 0x2484, false, "GeForce RTX 3070"},
    {kNvidia, 0x2684, 0x2684, false, "GeForce RTX 4090"},
    {kNvidia, 0x2704, 0x2704, false, "GeForce RTX 4080"},
    {kNvidia, 0x2786, 0x2786, false, "GeForce RTX 4070"},
    {kNvidia, 0x2803, 0x2803, false, "GeForce RTX 4060 Ti"},
    {kNvidia, 0x2882, 0x2882, false, "GeForce RTX 4060"},
    {kNvidia, 0x2b85, 0x2b85, false, "GeForce RTX 5090"},
};

// pci.ids: a line "8086  Intel Corporation" a vendor, below it "\t7d55  Meteor Lake-P [...]".
std::string name_of_pci_ids(const Root& root, int64_t vendor, int64_t device) {
  const std::string vendor_line = fmt::format("\n{:04x}  ", vendor);
  const std::string device_line = fmt::format("\n\t{:04x}  ", device);
  for (const char* path : {"usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids"}) {
    const auto ids = root.text(path);
    if (!ids) continue;
    const size_t begin = ids->find(vendor_line);
    if (begin == std::string::npos) return {};
    const size_t at = ids->find(device_line, begin);
    if (at == std::string::npos) return {};
    // Another vendor's line in between: the device isn't this one's.
    for (size_t line = ids->find('\n', begin + 1); line < at; line = ids->find('\n', line + 1))
      if (line + 1 < ids->size() && (*ids)[line + 1] != '\t' && (*ids)[line + 1] != '#') return {};
    const size_t name = at + device_line.size();
    return ids->substr(name, std::min(ids->find('\n', name), ids->size()) - name);
  }
  return {};
}

}  // namespace

std::string vendor_name(int64_t vendor) {
  switch (vendor) {
    case kIntel:
      return "Intel";
    case kNvidia:
      return "NVIDIA";
    case kAmd:
    case kAmdCpu:
      return "AMD";
    case 0x17cb:
    case 0x5143:
      return "Qualcomm";
    case 0x1af4:
      return "virtio";
    default:
      return fmt::format("{:04x}", vendor);
  }
}

PciName device_name(const Root& root, int64_t vendor, int64_t device) {
  for (const Entry& entry : kEntries)
    if (entry.vendor == vendor && device >= entry.first && device <= entry.last)
      return {entry.name, entry.integrated};
  std::string name = name_of_pci_ids(root, vendor, device);
  if (name.empty()) name = fmt::format("unknown device {:04x}:{:04x}", vendor, device);
  return {name, vendor == kNvidia ? std::optional(false) : std::nullopt};
}

}  // namespace phial
