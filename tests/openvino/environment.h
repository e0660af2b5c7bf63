// SPDX-License-Identifier: Apache-2.0
// What the tests of the OpenVINO plug-in share: OpenVINO itself, tiny packages on disk, the plug-in
// as a Backend.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "conformance/suite.h"

namespace phial {

// Exact arithmetic, as far as OpenVINO's CPU plugin has it; and compiled models are kept, which
// makes opening the same one again quick.
std::vector<std::string> exact_settings();

// Written once a process. hidden 64, 2 layers, f16 weights.
std::shared_ptr<const Package> tiny_on_disk(TinyKind kind, int32_t positions = 64);

// The plug-in itself, loaded as phial loads it; `settings` are added to those of every session.
std::unique_ptr<Backend> openvino_backend(std::vector<std::string> settings);

// Greedy continuation of `prompt`, which is fed in one step.
Tokens greedy(Session& session, const Tokens& prompt, size_t count);

}  // namespace phial
