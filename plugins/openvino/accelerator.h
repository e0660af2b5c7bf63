// SPDX-License-Identifier: Apache-2.0
// A look at the system without OpenVINO, and words for what OpenVINO doesn't see. One
// implementation a system, accelerator_posix.cc and accelerator_windows.cc.
#pragma once

#include <string>

namespace phial::ov {

// Where an NPU's driver comes from.
#if defined(_WIN32)
inline constexpr const char* kDriverPage =
    "Windows Update, or Intel's download page for NPU drivers";
#else
inline constexpr const char* kDriverPage = "https://github.com/intel/linux-npu-driver/releases";
#endif

// Whether the system has a GPU or NPU of Intel's, as far as it can be seen without asking OpenVINO.
bool accelerator_seen();

// Why OpenVINO, which has its plugin for it, doesn't list one.
std::string gpu_not_seen();
std::string npu_not_seen(const std::string& openvino_version);

}  // namespace phial::ov
