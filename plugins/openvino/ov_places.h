// SPDX-License-Identifier: Apache-2.0
// Where OpenVINO may be installed on this system: in Python environments and by its installers. One
// implementation a system, ov_places_posix.cc and ov_places_windows.cc.
#pragma once

#include <vector>

#include "ov_library.h"

namespace phial::ov {

// Its C library's file, behind whose name on Linux a version may follow, and what lies beside it.
#if defined(_WIN32)
inline constexpr const char* kLibraryName = "openvino_c.dll";
inline constexpr const char* kGpuPlugin = "openvino_intel_gpu_plugin.dll";
inline constexpr const char* kNpuPlugin = "openvino_intel_npu_plugin.dll";
#else
inline constexpr const char* kLibraryName = "libopenvino_c.so";
inline constexpr const char* kGpuPlugin = "libopenvino_intel_gpu_plugin.so";
inline constexpr const char* kNpuPlugin = "libopenvino_intel_npu_plugin.so";
#endif

// In the order of the search.
std::vector<Place> installed_places();

// What is in a folder, sorted; nothing if it isn't there.
std::vector<fs::path> entries(const fs::path& folder);

}  // namespace phial::ov
