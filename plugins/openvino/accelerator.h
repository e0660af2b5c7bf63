// SPDX-License-Identifier: Apache-2.0
// A quick look, before OpenVINO is loaded. One implementation a system, accelerator_posix.cc and
// accelerator_windows.cc.
#pragma once

namespace phial::ov {

// Whether the system has a GPU or NPU of Intel's, as far as it can be seen without asking OpenVINO.
bool accelerator_seen();

}  // namespace phial::ov
