// SPDX-License-Identifier: Apache-2.0
// A package with a graph for the fake runtime, which reads none of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "onnxruntime/session.h"

namespace phial {

// vocab 101, 64 positions (or more); `provider` is what genai_config.json names, and `graphs` are
// the files of graphs.
std::shared_ptr<const Package> fake_package(const fs::path& folder,
                                            const std::string& provider = "cpu",
                                            const std::vector<std::string>& graphs = {"model.onnx"},
                                            int32_t positions = 64);

// As package, with LongRoPE's long factors beyond 16 positions.
std::shared_ptr<const Package> fake_longrope_package(const fs::path& folder);

// Over the fake runtime.
std::unique_ptr<Session> open_fake(std::shared_ptr<const Package> package,
                                   const std::string& device, SessionOptions options = {},
                                   const std::vector<std::string>& settings = {});

std::vector<std::string> fake_runtime();  // the settings that name it

}  // namespace phial
