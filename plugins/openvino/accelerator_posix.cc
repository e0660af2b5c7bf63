// SPDX-License-Identifier: Apache-2.0
#include "accelerator.h"
#include "base/error.h"
#include "base/file.h"

namespace phial::ov {
namespace {

constexpr const char* kIntel = "0x8086";

// Whether one of /sys/class/<name>'s devices is Intel's. A driver's node without a vendor file
// counts.
bool intel_node(const fs::path& nodes, const std::string& prefix, const fs::path& classes) {
  std::error_code ignored;
  for (fs::directory_iterator it(nodes, ignored), end; !ignored && it != end;
       it.increment(ignored)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    std::string vendor;
    try {
      if (!read_file_if_there(classes / name / "device" / "vendor", vendor, 100)) return true;
    } catch (const Error&) {
      return true;
    }
    if (vendor.starts_with(kIntel)) return true;
  }
  return false;
}

}  // namespace

bool accelerator_seen() {
  return intel_node("/dev/accel", "accel", "/sys/class/accel") ||
         intel_node("/dev/dri", "renderD", "/sys/class/drm");
}

}  // namespace phial::ov
