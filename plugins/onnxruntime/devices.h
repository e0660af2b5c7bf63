// SPDX-License-Identifier: Apache-2.0
// The devices that ONNX Runtime offers here, and whether a package can run on one.
#pragma once

#include "backend/backend.h"
#include "settings.h"

namespace phial::ort {

// With `quick`: none, and nothing is loaded, where there is no GPU that a provider could use.
std::vector<Device> list_devices(const Settings& settings, bool quick);

Verdict judge(const Settings& settings, const Package& package, const std::string& device);

}  // namespace phial::ort
