// SPDX-License-Identifier: Apache-2.0
// One pass of Phi-3 over a chunk of tokens: embedding to logits, reading every weight once,
// appending to the caches. Knows no history and makes no decision; that is native_session's. What
// it computes is specified by model/reference.h.
#pragma once

#include <cstdint>
#include <span>

#include "backend/session.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "model/phi3_config.h"
#include "model/phi3_weights.h"
#include "model/rope.h"
#include "native/kv_cache.h"
#include "native/linear.h"
#include "native/workspace.h"

namespace phial {

// Consecutive tokens of one sequence. Positions before `position` must be in the cache, rotated
// with the same factors.
struct Segment {
  KvCache* cache;
  int32_t row;  // of the chunk: where its first token is
  int32_t n_tokens;
  int32_t position;  // of its first token
  bool long_factors;
};

// A row of the chunk whose logits are wanted. In row order, each once.
struct WantedRow {
  int32_t row;
  float* logits;  // [vocab]
};

// How activations are rounded where they meet quantized weights.
enum class Activations : uint8_t {
  kMixed,  // 16 bits where errors count most, 8 elsewhere
  kInt8,
  kInt16
};

class Forward {
 public:
  // Everything outlives this object.
  Forward(const Phi3Config& config, const Phi3Weights& weights, const kernels::KernelTable& table,
          ThreadPool& pool, Workspace& workspace, int32_t logit_rows, Activations activations);

  // Segments in row order, together all of `tokens`; at most the workspace's chunk. Throws
  // kCancelled between layers.
  void run(std::span<const TokenId> tokens, std::span<const Segment> segments,
           std::span<const WantedRow> wanted, const Interrupt& interrupt);

 private:
  void embed(std::span<const TokenId> tokens, std::span<const Segment> segments);
  // `only`: the rows that anybody reads afterwards; nullptr: all.
  void attention(const Phi3Layer& layer, int32_t index, std::span<const Segment> segments,
                 const std::span<const WantedRow>* only);
  void keep_rows(std::span<const WantedRow> rows);
  void feed_forward(const Phi3Layer& layer, const WeightMatrix& after);  // after: the next product
  void logits(std::span<const WantedRow> wanted);
  void append_head(const Segment& segment, int32_t layer, int32_t kv_head, int32_t begin,
                   int32_t end);
  void append(const KvCache& cache, std::byte* keys, std::byte* values, int32_t position,
              const float* k, const float* v);
  void attend(const Segment& segment, int32_t layer, int32_t kv_head, int32_t begin, int32_t end,
              int thread);

  // body(begin, end) over all tokens of the chunk: here for a few, else shared out.
  template <class Body>
  void for_tokens(Body&& body);

  const Phi3Config& config_;
  const Phi3Weights& weights_;
  const kernels::KernelTable& table_;
  ThreadPool& pool_;
  Workspace& w_;
  LinearRunner linear_;
  Rope rope_;
  int32_t logit_rows_;  // how many rows of logits can be staged
  Activations activations_;
  int32_t planes_ = 1;    // of activations in the layer at hand (kernels.h)
  int64_t qkv_stride_;    // floats of one token's Q, K and V
  int32_t n_tokens_ = 0;  // of the chunk at hand
};

}  // namespace phial
