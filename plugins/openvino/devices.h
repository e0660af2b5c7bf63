// SPDX-License-Identifier: Apache-2.0
// The devices that OpenVINO offers here, and whether a package can run on one.
#pragma once

#include "backend/backend.h"
#include "settings.h"

namespace phial::ov {

// With `quick`: none, and OpenVINO isn't even loaded, where neither an NPU nor an Intel GPU has a
// device node.
std::vector<Device> list_devices(const Settings& settings, bool quick);

Verdict judge(const Settings& settings, const Package& package, const std::string& device);

}  // namespace phial::ov
