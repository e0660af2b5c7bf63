// SPDX-License-Identifier: Apache-2.0
// Names of GPUs and NPUs by their PCI ids. A short table of what AI PCs have; others are looked up
// in the system's own pci.ids, if it has one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "machine/root.h"

namespace phial {

constexpr int64_t kIntel = 0x8086, kNvidia = 0x10de, kAmd = 0x1002, kAmdCpu = 0x1022;

struct PciName {
  std::string name;
  std::optional<bool> integrated;
};

std::string vendor_name(int64_t vendor);  // "Intel"; "1234" for others
// Without the vendor: "Arc Graphics (Meteor Lake)".
PciName device_name(const Root& root, int64_t vendor, int64_t device);

}  // namespace phial
