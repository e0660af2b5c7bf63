// SPDX-License-Identifier: Apache-2.0
// Order of the passes over tokens ("serial pieces") and of the loops over rows: with one token the
// pieces run on the calling thread and a layer has five loops (qkv, attention, o, gate_up with
// silu, down).
#include "native/forward.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace phial {
namespace {

// Up to this many tokens the serial pieces cost less than waking the pool would.
constexpr int32_t kSerialTokens = 3;
constexpr int32_t kMaxTokenBlock = 16;
// Rounding in the first layers is what all others build upon: with 16 bits in two layers and the
// lm_head the demo model's logits are off by 0.7 % instead of 1.8 %
// (docs/decisions/0013-activations.md).
constexpr int32_t kExactLayers = 2;

// Of tokens [begin, end), whose first is chunk row `row`, those from the first to the last that has
// a row in `rows`; none: begin == end. Rows ascend.
void narrow(std::span<const WantedRow> rows, int32_t row, int32_t& begin, int32_t& end) {
  const auto before = [](const WantedRow& wanted, int32_t limit) { return wanted.row < limit; };
  const auto first = std::lower_bound(rows.begin(), rows.end(), row + begin, before),
             last = std::lower_bound(first, rows.end(), row + end, before);
  if (first == last) {
    end = begin;
    return;
  }
  begin = first->row - row;
  end = (last - 1)->row - row + 1;
}

int32_t planes_of_layer(Activations activations, int32_t layer) {
  if (activations == Activations::kMixed) return layer < kExactLayers ? 2 : 1;
  return activations == Activations::kInt16 ? 2 : 1;
}

}  // namespace

Forward::Forward(const Phi3Config& config, const Phi3Weights& weights,
                 const kernels::KernelTable& table, ThreadPool& pool, Workspace& workspace,
                 int32_t logit_rows, Activations activations)
    : config_(config),
      weights_(weights),
      table_(table),
      pool_(pool),
      w_(workspace),
      linear_(table, pool, workspace),
      rope_(config),
      logit_rows_(logit_rows),
      activations_(activations),
      qkv_stride_(config.q_rows() + 2 * int64_t{config.kv_rows()}) {}

template <class Body>
void Forward::for_tokens(Body&& body) {
  if (n_tokens_ <= kSerialTokens || pool_.size() == 1) return body(0, n_tokens_);
  const int32_t block = std::clamp(n_tokens_ / (4 * pool_.size()), 1, kMaxTokenBlock);
  pool_.parallel_for((n_tokens_ + block - 1) / block, [&](int64_t chunk, int) {
    const int32_t begin = static_cast<int32_t>(chunk) * block;
    body(begin, std::min(begin + block, n_tokens_));
  });
}

void Forward::run(std::span<const TokenId> tokens, std::span<const Segment> segments,
                  std::span<const WantedRow> wanted, const Interrupt& interrupt) {
  n_tokens_ = static_cast<int32_t>(tokens.size());
  PHIAL_ASSERT(n_tokens_ <= w_.chunk_tokens);
  for (const Segment& segment : segments) segment.cache->touch(segment.position + segment.n_tokens);
  embed(tokens, segments);
  for (int32_t i = 0; i < config_.n_layers; ++i) {
    if (interrupt && interrupt())
      throw_error(Code::kCancelled, "the pass over {} tokens was interrupted before layer {}",
                  n_tokens_, i);
    const Phi3Layer& layer = weights_.layers[static_cast<size_t>(i)];
    planes_ = planes_of_layer(activations_, i);
    // Of what the last layer adds, nobody reads more than the rows whose logits are wanted; of the
    // others its keys and values are all that counts.
    const bool last = i + 1 == config_.n_layers;
    attention(layer, i, segments, last ? &wanted : nullptr);
    if (last && wanted.empty()) return;
    feed_forward(layer, last ? weights_.lm_head : weights_.layers[static_cast<size_t>(i) + 1].qkv);
  }
  logits(wanted);
}

void Forward::embed(std::span<const TokenId> tokens, std::span<const Segment> segments) {
  for_tokens([&](int32_t begin, int32_t end) {
    for (int32_t t = begin; t < end; ++t)
      dequantize_row(weights_.embedding, tokens[static_cast<size_t>(t)],
                     w_.residual + int64_t{t} * config_.hidden_size);
    for (const Segment& s : segments)
      for (int32_t t = std::max(begin, s.row); t < std::min(end, s.row + s.n_tokens); ++t)
        rope_.at(s.position + (t - s.row), s.long_factors, w_.cos + int64_t{t} * rope_.half(),
                 w_.sin + int64_t{t} * rope_.half());
  });
}

// Rotates keys of tokens [begin, end) (counted in the segment) and appends them and their values to
// the cache.
void Forward::append_head(const Segment& s, int32_t layer, int32_t kv_head, int32_t begin,
                          int32_t end) {
  const int32_t dim = config_.head_dim;
  std::byte* const keys = s.cache->keys(layer, kv_head);
  std::byte* const values = s.cache->values(layer, kv_head);
  for (int32_t t = begin; t < end; ++t) {
    const int64_t row = s.row + t;
    float* const k = w_.qkv + row * qkv_stride_ + config_.q_rows() + int64_t{kv_head} * dim;
    const float* const v = k + config_.kv_rows();
    table_.rope(k, 1, dim, config_.rotary_dim, w_.cos + row * rope_.half(),
                w_.sin + row * rope_.half());
    append(*s.cache, keys, values, s.position + t, k, v);
  }
}

void Forward::append(const KvCache& cache, std::byte* keys, std::byte* values, int32_t position,
                     const float* k, const float* v) {
  const int32_t dim = config_.head_dim;
  const uint64_t bytes = cache.position_bytes(), at = static_cast<uint64_t>(position) * bytes;
  switch (cache.type()) {
    case kernels::KvType::kI16:
      table_.append_i16(k, v, dim, position, keys, values);
      break;
    case kernels::KvType::kF16:
      table_.f32_to_f16(k, dim, reinterpret_cast<uint16_t*>(keys + at));
      table_.f32_to_f16(v, dim, reinterpret_cast<uint16_t*>(values + at));
      break;
    case kernels::KvType::kU8:
      table_.f32_to_u8(k, dim, reinterpret_cast<uint8_t*>(keys + at));
      table_.f32_to_u8(v, dim, reinterpret_cast<uint8_t*>(values + at));
      break;
    case kernels::KvType::kF32:
      std::memcpy(keys + at, k, bytes);
      std::memcpy(values + at, v, bytes);
      break;
  }
}

// Rotates the queries of tokens [begin, end) that share this KV head and attends. Their keys are in
// the cache.
void Forward::attend(const Segment& s, int32_t layer, int32_t kv_head, int32_t begin, int32_t end,
                     int thread) {
  const int32_t dim = config_.head_dim, shared = config_.n_heads / config_.n_kv_heads;
  const int64_t first = int64_t{kv_head} * shared * dim, row = s.row + begin;
  float* const q = w_.qkv + row * qkv_stride_ + first;
  for (int32_t t = 0; t < end - begin; ++t)
    table_.rope(q + t * qkv_stride_, shared, dim, config_.rotary_dim,
                w_.cos + (row + t) * rope_.half(), w_.sin + (row + t) * rope_.half());
  kernels::Attend a{};
  a.q = q;
  a.q_stride = qkv_stride_;
  a.n_tokens = end - begin;
  a.n_heads = shared;
  a.head_dim = dim;
  a.q_position = s.position + begin;
  a.window = config_.sliding_window;
  a.k = s.cache->keys(layer, kv_head);
  a.v = s.cache->values(layer, kv_head);
  a.kv_stride = s.cache->stride();
  a.kv_type = s.cache->type();
  a.scale = 1.0f / std::sqrt(static_cast<float>(dim));
  a.out = w_.attended + row * config_.q_rows() + first;
  a.out_stride = config_.q_rows();
  a.scratch = w_.attend_scratch(thread);
  table_.attend(a);
}

void Forward::attention(const Phi3Layer& layer, int32_t index, std::span<const Segment> segments,
                        const std::span<const WantedRow>* only) {
  const int32_t hidden = config_.hidden_size, kv_heads = config_.n_kv_heads;
  for_tokens([&](int32_t begin, int32_t end) {
    for (int64_t t = begin; t < end; ++t)
      table_.rms_norm(w_.residual + t * hidden, layer.input_norm.data(), config_.rms_norm_eps,
                      hidden, w_.branch + t * hidden);
    linear_.pack(layer.qkv, w_.branch, n_tokens_, planes_, begin, end);
  });
  linear_.run(layer.qkv, w_.branch, n_tokens_, planes_, w_.qkv, qkv_stride_, {&layer.o});

  // A segment that fits one task per head appends its keys in that task; longer ones (prompts)
  // append first, since the tasks of later tokens read the keys of earlier ones.
  int32_t tasks = 0;
  bool append_first = only && only->size() < static_cast<size_t>(n_tokens_);
  const bool all_rows = !append_first;
  for (const Segment& s : segments) {
    tasks += (s.n_tokens + kAttendTokens - 1) / kAttendTokens;
    append_first |= s.n_tokens > kAttendTokens;
  }
  if (append_first)
    pool_.parallel_for(int64_t{kv_heads} * tasks, [&](int64_t chunk, int) {
      int32_t task = static_cast<int32_t>(chunk % tasks);
      for (const Segment& s : segments) {
        const int32_t blocks = (s.n_tokens + kAttendTokens - 1) / kAttendTokens;
        if (task < blocks)
          return append_head(s, index, static_cast<int32_t>(chunk / tasks), task * kAttendTokens,
                             std::min((task + 1) * kAttendTokens, s.n_tokens));
        task -= blocks;
      }
    });
  if (only && only->empty()) return;
  pool_.parallel_for(int64_t{kv_heads} * tasks, [&](int64_t chunk, int thread) {
    const int32_t kv_head = static_cast<int32_t>(chunk / tasks);
    int32_t task = static_cast<int32_t>(chunk % tasks);
    for (const Segment& s : segments) {
      const int32_t blocks = (s.n_tokens + kAttendTokens - 1) / kAttendTokens;
      if (task < blocks) {
        int32_t begin = task * kAttendTokens, end = std::min(begin + kAttendTokens, s.n_tokens);
        if (!append_first) append_head(s, index, kv_head, begin, end);
        if (!all_rows) narrow(*only, s.row, begin, end);
        if (begin < end) attend(s, index, kv_head, begin, end, thread);
        return;
      }
      task -= blocks;
    }
  });
  if (!all_rows) keep_rows(*only);

  for_tokens([&](int32_t begin, int32_t end) {
    linear_.pack(layer.o, w_.attended, n_tokens_, planes_, begin, end);
  });
  linear_.run(layer.o, w_.attended, n_tokens_, planes_, w_.branch, hidden, {&layer.gate_up, true});
}

// From here on the chunk has these rows alone, one after another.
void Forward::keep_rows(std::span<const WantedRow> rows) {
  const auto move = [&](float* matrix, int64_t width) {
    for (size_t i = 0; i < rows.size(); ++i)
      std::memmove(matrix + static_cast<int64_t>(i) * width, matrix + rows[i].row * width,
                   static_cast<size_t>(width) * sizeof(float));
  };
  move(w_.attended, config_.q_rows());
  move(w_.residual, config_.hidden_size);
  n_tokens_ = static_cast<int32_t>(rows.size());
}

// The residual sum after attention, the gated MLP, and the sum after it.
void Forward::feed_forward(const Phi3Layer& layer, const WeightMatrix& after) {
  const int32_t hidden = config_.hidden_size;
  for_tokens([&](int32_t begin, int32_t end) {
    for (int64_t t = begin; t < end; ++t) {
      table_.add(w_.branch + t * hidden, hidden, w_.residual + t * hidden);
      table_.rms_norm(w_.residual + t * hidden, layer.post_norm.data(), config_.rms_norm_eps,
                      hidden, w_.branch + t * hidden);
    }
    linear_.pack(layer.gate_up, w_.branch, n_tokens_, planes_, begin, end);
  });
  linear_.run_gated(layer.gate_up, w_.branch, n_tokens_, planes_, w_.activated, {&layer.down});
  for_tokens([&](int32_t begin, int32_t end) {
    linear_.pack(layer.down, w_.activated, n_tokens_, planes_, begin, end);
  });
  linear_.run(layer.down, w_.activated, n_tokens_, planes_, w_.branch, hidden, {&after});
  for_tokens([&](int32_t begin, int32_t end) {
    table_.add(w_.branch + int64_t{begin} * hidden, (end - begin) * hidden,
               w_.residual + int64_t{begin} * hidden);
  });
}

// Final norm and lm_head for the wanted rows, which are all that is left. Rows whose logits lie one
// after another are written in place; others are staged in groups, so that lm_head is read once for
// a batch of decoding sequences.
void Forward::logits(std::span<const WantedRow> wanted) {
  const int32_t hidden = config_.hidden_size;
  const int64_t vocab = config_.vocab_size;
  planes_ = activations_ == Activations::kInt8 ? 1 : 2;
  PHIAL_ASSERT(static_cast<size_t>(n_tokens_) == wanted.size());
  for (const float* residual = w_.residual; !wanted.empty();) {
    size_t adjacent = 1;
    while (adjacent < wanted.size() &&
           wanted[adjacent].logits == wanted[adjacent - 1].logits + vocab)
      ++adjacent;
    const bool staged = adjacent < wanted.size() && adjacent < static_cast<size_t>(logit_rows_);
    const size_t count =
        staged ? std::min(wanted.size(), static_cast<size_t>(logit_rows_)) : adjacent;
    n_tokens_ = static_cast<int32_t>(count);
    for_tokens([&](int32_t begin, int32_t end) {
      for (int64_t i = begin; i < end; ++i)
        table_.rms_norm(residual + i * hidden, weights_.final_norm.data(), config_.rms_norm_eps,
                        hidden, w_.branch + i * hidden);
      linear_.pack(weights_.lm_head, w_.branch, n_tokens_, planes_, begin, end);
    });
    linear_.run(weights_.lm_head, w_.branch, n_tokens_, planes_,
                staged ? w_.logits : wanted[0].logits, vocab, {&weights_.layers[0].qkv});
    if (staged)
      for (size_t i = 0; i < count; ++i)
        std::memcpy(wanted[i].logits, w_.logits + static_cast<int64_t>(i) * vocab,
                    static_cast<size_t>(vocab) * sizeof(float));
    wanted = wanted.subspan(count);
    residual += static_cast<int64_t>(count) * hidden;
  }
}

}  // namespace phial
