// SPDX-License-Identifier: Apache-2.0
// The ONNX graph in a package folder, looked at before ONNX Runtime gets it: a damaged file can end
// the process there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "package/package.h"
#include "target.h"

namespace phial::ort {

struct Graph {
  std::string folder;
  std::string file;                    // "model.onnx"
  Provider made_for = Provider::kCpu;  // the provider that the graph was written for
  int32_t context = 0;                 // tokens that it can hold
  std::vector<int32_t> stop_ids;       // eos_token_id of genai_config.json
  int32_t pad_id = -1;                 // pad_token_id of it; -1: it has none
  // What the graph keeps its keys and values in: "f32" on the CPU, "f16" for GPUs.
  const char* kv_cache() const { return made_for == Provider::kCpu ? "f32" : "f16"; }
};

// The graph for a provider: that of genai_config.json, or, since `phial export` writes one for
// every provider into a folder, its neighbour. With `any_graph` that of genai_config.json, whatever
// it was made for.
// Throws kNotFound: there is none, or a file is gone; kUnsupported: there are others only;
// kCorrupt: a file isn't what the manifest knows, or isn't of this package. The message has the
// command that makes it anew.
Graph inspect_graph(const Package& package, Provider wanted, bool any_graph = false);

}  // namespace phial::ort
