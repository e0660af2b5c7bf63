// SPDX-License-Identifier: Apache-2.0
#include "native/workspace.h"

#include <algorithm>

#include "base/error.h"
#include "native/linear.h"

namespace phial {
namespace {

constexpr uint64_t kAlign =
    128;  // two lines: the prefetcher's pair, and no sharing between threads
// A thread's strip of gate and up rows holds at least this many floats, so that a single token
// isn't cut into crumbs.
constexpr int64_t kMinGateUpFloats = 4096;

// Hands out offsets; the same calls first measure and then place.
class Layout {
 public:
  uint64_t add(uint64_t bytes) {
    const uint64_t offset = size_;
    size_ += (bytes + kAlign - 1) / kAlign * kAlign;
    return offset;
  }
  uint64_t floats(int64_t rows, int64_t cols) {
    return add(static_cast<uint64_t>(rows) * static_cast<uint64_t>(cols) * sizeof(float));
  }
  uint64_t size() const { return size_; }

 private:
  uint64_t size_ = 0;
};

size_t largest_packed(const Phi3Weights& weights, int32_t tokens, int32_t planes) {
  size_t bytes = 0;
  const auto see = [&](const WeightMatrix& matrix) {
    if (!is_quantized(matrix.format)) return;
    bytes = std::max(bytes, kernels::packed_bytes(kernel_format(matrix.format), tokens,
                                                  static_cast<int32_t>(matrix.cols), planes));
  };
  for (const Phi3Layer& layer : weights.layers) {
    see(layer.qkv);
    see(layer.o);
    see(layer.gate_up);
    see(layer.down);
  }
  see(weights.lm_head);
  return bytes;
}

// The largest scratch that a task of this session can ask for: scratch may depend on any field of
// the shape.
size_t largest_attend_scratch(const Phi3Config& config, const WorkspaceShape& shape) {
  size_t floats = 0;
  for (int32_t tokens = 1; tokens <= kAttendTokens; ++tokens) {
    kernels::Attend attend{};
    attend.n_tokens = tokens;
    attend.n_heads = config.n_heads / config.n_kv_heads;
    attend.head_dim = config.head_dim;
    attend.q_position = std::max(0, shape.max_context - tokens);
    attend.window = config.sliding_window;
    attend.kv_type = shape.kv_type;
    floats = std::max(floats, kernels::attend_scratch_floats(attend));
  }
  return floats;
}

}  // namespace

Workspace::Workspace(const Phi3Config& config, const Phi3Weights& weights,
                     const WorkspaceShape& shape)
    : chunk_tokens(shape.chunk_tokens) {
  const int64_t t = shape.chunk_tokens;
  Layout thread;
  thread.add(kernels::linear_scratch_bytes());
  attend_offset_ = thread.floats(1, static_cast<int64_t>(largest_attend_scratch(config, shape)));
  gate_up_floats_ = std::max<int64_t>(kMinGateUpFloats, t * 2 * kernels::kRowTile);
  gate_up_offset_ = thread.floats(1, gate_up_floats_);
  thread_bytes_ = thread.size();

  Layout all;
  const uint64_t residual_at = all.floats(t, config.hidden_size);
  const uint64_t branch_at = all.floats(t, config.hidden_size);
  const uint64_t qkv_at = all.floats(t, config.q_rows() + 2 * config.kv_rows());
  const uint64_t attended_at = all.floats(t, config.q_rows());
  const uint64_t activated_at = all.floats(t, config.intermediate_size);
  const uint64_t cos_at = all.floats(t, config.rotary_dim / 2);
  const uint64_t sin_at = all.floats(t, config.rotary_dim / 2);
  const uint64_t logits_at = all.floats(shape.logit_rows, config.vocab_size);
  const uint64_t packed_at = all.add(largest_packed(weights, shape.chunk_tokens, shape.planes));
  const uint64_t threads_at = all.add(thread_bytes_ * static_cast<uint64_t>(shape.threads));

  auto range = AddressRange::reserve(all.size(), true);
  if (!range || !range->commit(0, all.size()))
    throw_error(Code::kOutOfMemory,
                "the buffers for passes of {} tokens need {:.1f} MiB, which the system refuses; "
                "ask for a smaller "
                "prefill chunk",
                shape.chunk_tokens, static_cast<double>(all.size()) / (1u << 20));
  range_ = std::move(*range);
  const auto at = [&](uint64_t offset) { return reinterpret_cast<float*>(range_.data() + offset); };
  residual = at(residual_at);
  branch = at(branch_at);
  qkv = at(qkv_at);
  attended = at(attended_at);
  activated = at(activated_at);
  cos = at(cos_at);
  sin = at(sin_at);
  logits = at(logits_at);
  packed = range_.data() + packed_at;
  thread_base_ = range_.data() + threads_at;
}

}  // namespace phial
