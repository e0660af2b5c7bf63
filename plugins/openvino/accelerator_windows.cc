// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "accelerator.h"
#include "base/error.h"
#include "base/windows_api.h"
// after windows.h
#include <setupapi.h>

namespace phial::ov {
namespace {

// The device manager's "Display adapters" and "Neural processors" (ComputeAccelerator).
constexpr GUID kClasses[] = {
    {0x4d36e968, 0xe325, 0x11ce, {0xbf, 0xc1, 0x08, 0x00, 0x2b, 0xe1, 0x03, 0x18}},
    {0xf01a9d53, 0x3ff6, 0x48d2, {0x9f, 0x97, 0xc8, 0xa7, 0x00, 0x4b, 0xe1, 0x0c}}};

bool intel_device(const GUID& kind) {
  const HDEVINFO list = SetupDiGetClassDevsW(&kind, nullptr, nullptr, DIGCF_PRESENT);
  if (list == INVALID_HANDLE_VALUE) return false;
  bool found = false;
  SP_DEVINFO_DATA device = {};
  device.cbSize = sizeof device;
  for (DWORD i = 0; !found && SetupDiEnumDeviceInfo(list, i, &device); ++i) {
    wchar_t ids[1024] = {};  // several, each with its zero: the first, "PCI\\VEN_8086&...", will do
    if (SetupDiGetDeviceRegistryPropertyW(list, &device, SPDRP_HARDWAREID, nullptr,
                                          reinterpret_cast<BYTE*>(ids), sizeof ids - 2, nullptr))
      found = std::wstring_view(ids).find(L"VEN_8086") != std::wstring_view::npos;
  }
  SetupDiDestroyDeviceInfoList(list);
  return found;
}

}  // namespace

bool accelerator_seen() { return intel_device(kClasses[0]) || intel_device(kClasses[1]); }

std::string gpu_not_seen() {
  if (!intel_device(kClasses[0]))
    return "no GPU of Intel's is seen: the device manager has none under 'Display adapters' (there "
           "is none, it is switched off, or its driver isn't installed)";
  return "OpenVINO sees no Intel GPU, though the device manager has one: its driver is too old or "
         "lacks OpenCL; install Intel's current graphics driver";
}

std::string npu_not_seen(const std::string& openvino_version) {
  if (!intel_device(kClasses[1]))
    return fmt::format(
        "no NPU is seen: the device manager has none of Intel's under 'Neural processors'. It "
        "takes a Core Ultra processor and Intel's NPU driver ({})",
        kDriverPage);
  return fmt::format(
      "OpenVINO {} doesn't see the NPU that the device manager has: its driver is too old; take a "
      "newer one ({})",
      openvino_version, kDriverPage);
}

}  // namespace phial::ov
