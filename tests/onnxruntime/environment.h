// SPDX-License-Identifier: Apache-2.0
// What the tests over the real runtime share: ONNX Runtime itself, tiny packages on disk, the
// plug-in as a Backend.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "conformance/suite.h"

namespace phial {

// Written once a process. hidden 64, 2 layers, f16 weights; a graph for each provider, of which
// genai_config.json names `provider`'s.
std::shared_ptr<const Package> tiny_with_graph(TinyKind kind, const std::string& provider = "cpu");

// The plug-in itself, loaded as phial loads it; `settings` are added to those of every session.
std::unique_ptr<Backend> onnxruntime_backend(std::vector<std::string> settings = {});

// Greedy continuation of `prompt`, which is fed in one step.
Tokens greedy(Session& session, const Tokens& prompt, size_t count);

}  // namespace phial
