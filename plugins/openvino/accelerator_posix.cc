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

std::string gpu_not_seen() {
  std::error_code ignored;
  if (!fs::exists("/dev/dri", ignored))
    return "no GPU is seen: there is no /dev/dri (the kernel's driver, i915 or xe, isn't loaded, "
           "or there is no Intel GPU)";
  return "OpenVINO sees no Intel GPU: its OpenCL driver (package intel-opencl-icd) is missing, "
         "this user may not open /dev/dri/renderD* (group render), or the GPU isn't Intel's";
}

std::string npu_not_seen(const std::string& openvino_version) {
  std::error_code ignored;
  if (!fs::exists("/dev/accel/accel0", ignored))
    return fmt::format(
        "no NPU is seen: there is no /dev/accel/accel0. It takes a Core Ultra processor, Linux 6.8 "
        "or newer with the module intel_vpu, and Intel's NPU driver ({})",
        kDriverPage);
  return fmt::format(
      "there is an accelerator (/dev/accel/accel0), but OpenVINO {} doesn't see an NPU: Intel's "
      "user-space driver (libze_intel_npu, libze_loader: {}) is missing or too old, or this user "
      "may not open the device (group render)",
      openvino_version, kDriverPage);
}

}  // namespace phial::ov
