// SPDX-License-Identifier: Apache-2.0
// Where OpenVINO may be installed on this system: in Python environments and by its installers. One
// implementation a system, ov_places_posix.cc and ov_places_windows.cc.
#pragma once

#include <vector>

#include "ov_library.h"

namespace phial::ov {

// Its C library's file; on Linux a version may follow.
#if defined(_WIN32)
inline constexpr const char* kLibraryName = "openvino_c.dll";
#else
inline constexpr const char* kLibraryName = "libopenvino_c.so";
#endif

// In the order of the search.
std::vector<Place> installed_places();

// What is in a folder, sorted; nothing if it isn't there.
std::vector<fs::path> entries(const fs::path& folder);

}  // namespace phial::ov
