// SPDX-License-Identifier: Apache-2.0
// Where each tensor lies in the weights file: data, scales and zero points, each from a page on.
// What the writer plans, the manifest records and a reader checks. Not the bits inside:
// tensor/formats.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/phi3_weights.h"
#include "quant/assign.h"

namespace phial {

// A page: a tensor can be mapped or read directly by itself, and OpenVINO's and ONNX Runtime's
// mappings stay aligned.
inline constexpr uint64_t kTensorAlignment = 4096;

struct Extent {
  uint64_t offset = 0, bytes = 0;  // 0 bytes: isn't there
};

struct StoredTensor {
  std::string name;
  Role role = Role::kEmbedding;
  int layer = -1;
  WeightMatrix shape;  // no pointers; norms are f32 [1][hidden]
  Extent data, scales, zero_points;

  uint64_t bytes() const { return data.bytes + scales.bytes + zero_points.bytes; }
};

// In the order of `assignments`. `end` becomes the size of the file, a multiple of the alignment.
std::vector<StoredTensor> plan_layout(const std::vector<QuantAssignment>& assignments,
                                      uint64_t& end);

// Fills `weights` with views into `base`, where the weights file (or a buffer of that layout) is
// mapped. Tensors must be complete and in bounds; with tied embeddings lm_head becomes the
// embedding's view.
void bind_weights(const std::vector<StoredTensor>& tensors, const std::byte* base,
                  const Phi3Config& config, Phi3Weights& weights);

// Bytes of the matrices, a tied one once.
uint64_t matrix_bytes(const Phi3Weights& weights, bool tied);

const char* role_name(Role role);  // "embedding", "qkv", ...
bool role_from_name(const std::string& name, Role& out);

}  // namespace phial
