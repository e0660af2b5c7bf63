// SPDX-License-Identifier: Apache-2.0
// Every buffer that a forward pass writes, sized once for the largest chunk of tokens. The cache
// isn't here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/address_range.h"
#include "kernels/kernels.h"
#include "model/phi3_config.h"
#include "model/phi3_weights.h"

namespace phial {

// Attention is shared out in tasks of one KV head and this many query tokens: enough that keys and
// values are reused from the caches, few enough that a prompt of a hundred tokens keeps every core
// busy.
constexpr int32_t kAttendTokens = 48;

struct WorkspaceShape {
  int32_t chunk_tokens;  // tokens in one pass
  int32_t logit_rows;    // rows of logits that may have to be staged, 0: none
  int32_t max_context;
  int threads;
  kernels::KvType kv_type;
  int32_t planes;  // of packed activations, at most
};

class Workspace {
 public:
  // Throws kOutOfMemory.
  Workspace(const Phi3Config& config, const Phi3Weights& weights, const WorkspaceShape& shape);

  int32_t chunk_tokens = 0;
  float* residual = nullptr;  // [chunk][hidden]
  float* branch = nullptr;  // [chunk][hidden]: what goes into a sublayer, then what comes out of it
  float* qkv = nullptr;     // [chunk][q_rows + 2 kv_rows]
  float* attended = nullptr;    // [chunk][q_rows]
  float* activated = nullptr;   // [chunk][intermediate]
  float* cos = nullptr;         // [chunk][rotary_dim / 2]
  float* sin = nullptr;         // likewise
  float* logits = nullptr;      // [logit_rows][vocab]
  std::byte* packed = nullptr;  // the activations of one linear, as its kernel wants them

  // For one thread at a time.
  void* linear_scratch(int thread) const { return of_thread(thread, 0); }
  float* attend_scratch(int thread) const {
    return reinterpret_cast<float*>(of_thread(thread, attend_offset_));
  }
  float* gate_up(int thread) const {
    return reinterpret_cast<float*>(of_thread(thread, gate_up_offset_));
  }
  int64_t gate_up_floats() const { return gate_up_floats_; }  // of one thread

 private:
  std::byte* of_thread(int thread, uint64_t offset) const {
    return thread_base_ + static_cast<uint64_t>(thread) * thread_bytes_ + offset;
  }

  std::byte* thread_base_ = nullptr;
  uint64_t thread_bytes_ = 0, attend_offset_ = 0, gate_up_offset_ = 0;
  int64_t gate_up_floats_ = 0;
  AddressRange range_;
};

}  // namespace phial
