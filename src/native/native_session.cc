// SPDX-License-Identifier: Apache-2.0
// LongRoPE: keys are cached rotated, and which factors rotate them is fixed by the length that the
// sequence has at the end of a step. When that differs from what is cached, the step computes the
// whole history again along with its own tokens; `cached` = 0 is all it takes to ask for that. The
// same field makes an interrupted rebuild resume from the start.
#include "native/native_session.h"

#include <algorithm>

#include "backend/check_batch.h"
#include "base/affinity.h"
#include "base/error.h"
#include "native/map_weights.h"

namespace phial {
namespace {

// Enough tokens for the matrix kernels to be limited by arithmetic; more only adds buffers
// (phi-3-mini: 88 MB at 512).
constexpr int32_t kDefaultChunk = 512;
// Logits of interleaved sequences are staged for so many rows at once at most.
constexpr int32_t kMaxStagedRows = 16;

Limits make_limits(const Phi3Config& config, const SessionOptions& options) {
  if (options.context < 0 || options.max_sequences < 1 || options.threads < 0 ||
      options.prefill_chunk < 0)
    throw_error(Code::kInvalidArgument,
                "session options can't be negative, and there must be a sequence: context {}, "
                "max_sequences {}, "
                "threads {}, prefill_chunk {}",
                options.context, options.max_sequences, options.threads, options.prefill_chunk);
  Limits limits;
  limits.vocab = config.vocab_size;
  limits.max_context =
      options.context ? std::min(options.context, config.max_positions) : config.max_positions;
  limits.max_sequences = options.max_sequences;
  const int64_t most = int64_t{limits.max_context} * limits.max_sequences;
  limits.prefill_chunk = static_cast<int32_t>(
      std::min<int64_t>(most, options.prefill_chunk ? options.prefill_chunk : kDefaultChunk));
  limits.exact_steps = true;
  if (config.longrope) limits.switch_position = config.original_max_positions;
  return limits;
}

Activations choose_activations(const std::string& wanted) {
  if (wanted.empty()) return Activations::kMixed;
  if (wanted == "int8") return Activations::kInt8;
  if (wanted == "int16") return Activations::kInt16;
  throw_error(Code::kInvalidArgument,
              "activation precision '{}' is unknown to the CPU engine; it has int8 and int16",
              wanted);
}

int32_t staged_rows(const Limits& limits) {
  return limits.max_sequences == 1
             ? 0
             : std::min({limits.max_sequences, kMaxStagedRows, limits.prefill_chunk});
}

}  // namespace

NativeSession::NativeSession(std::shared_ptr<const Package> package,
                             const kernels::KernelTable& table, const SessionOptions& options)
    : package_(std::move(package)),
      table_(table),
      limits_(make_limits(package_->config(), options)),
      kv_type_(choose_kv_type(package_->config(), package_->weights(), table, options.kv_cache)),
      activations_(choose_activations(options.activations)),
      pool_(options.threads, ThreadPool::Places::kOneEach),
      workspace_(package_->config(), package_->weights(),
                 {limits_.prefill_chunk, staged_rows(limits_), limits_.max_context, pool_.size(),
                  kv_type_, activations_ == Activations::kInt8 ? 1 : 2}),
      forward_(package_->config(), package_->weights(), table, pool_, workspace_,
               staged_rows(limits_), activations_) {
  chunk_tokens_.reserve(static_cast<size_t>(limits_.prefill_chunk));
  chunk_wanted_.reserve(static_cast<size_t>(limits_.prefill_chunk));
  chunk_segments_.reserve(
      static_cast<size_t>(std::min(limits_.prefill_chunk, limits_.max_sequences)));
  sequences_.reserve(static_cast<size_t>(std::min(limits_.max_sequences, 1024)));
  map_weights(package_->weights(), pool_);
}

Limits NativeSession::limits() const { return limits_; }

uint64_t NativeSession::cache_bytes_per_token() const {
  return kv_bytes_per_token(package_->config(), kv_type_);
}

NativeSession::Sequence* NativeSession::find(SequenceId seq) const {
  for (const auto& sequence : sequences_)
    if (sequence->id == seq) return sequence.get();
  return nullptr;
}

int32_t NativeSession::length(SequenceId seq) const {
  const Sequence* sequence = find(seq);
  return sequence ? static_cast<int32_t>(sequence->tokens.size()) : 0;
}

void NativeSession::truncate(SequenceId seq, int32_t length) {
  Sequence* sequence = find(seq);
  length = std::max(length, 0);
  if (!sequence || static_cast<size_t>(length) >= sequence->tokens.size()) return;
  sequence->tokens.resize(static_cast<size_t>(length));
  sequence->cached = std::min(sequence->cached, length);
  sequence->cache.shrink(sequence->cached);
}

void NativeSession::release(SequenceId seq) {
  std::erase_if(sequences_, [&](const auto& sequence) { return sequence->id == seq; });
}

void NativeSession::step(std::span<const Step> batch, const Interrupt& interrupt) {
  check_batch(
      batch, limits_, [this](SequenceId seq) { return find(seq) ? length(seq) : -1; },
      sequences_.size(), package_->config().max_positions);
  const size_t known = sequences_.size();
  const StayOn stay(pool_.callers_cpu());
  try {
    for (const Step& step : batch)
      if (!find(step.seq)) {
        sequences_.push_back(std::make_unique<Sequence>(
            Sequence{step.seq, KvCache(package_->config(), limits_.max_context, kv_type_), {}}));
        sequences_.back()->tokens.reserve(static_cast<size_t>(limits_.max_context));
      }
    compute(batch, interrupt);
  } catch (...) {
    sequences_.resize(known);
    throw;
  }
  for (const Step& step : batch) {
    Sequence& sequence = *find(step.seq);
    sequence.tokens.insert(sequence.tokens.end(), step.tokens.begin(), step.tokens.end());
    sequence.cached = static_cast<int32_t>(sequence.tokens.size());
  }
}

// Fills caches and logits; histories stay as they are, so that an exception leaves sequences at
// their old length.
void NativeSession::compute(std::span<const Step> batch, const Interrupt& interrupt) {
  chunk_tokens_.clear();
  chunk_segments_.clear();
  chunk_wanted_.clear();
  for (const Step& step : batch) {
    Sequence& sequence = *find(step.seq);
    const int32_t had = static_cast<int32_t>(sequence.tokens.size());
    const int32_t end = had + static_cast<int32_t>(step.tokens.size());
    const bool long_factors = package_->config().uses_long_factors(end);
    if (long_factors != sequence.long_factors) sequence.cached = 0;
    sequence.long_factors = long_factors;
    for (int32_t position = sequence.cached; position < end; ++position) {
      if (chunk_tokens_.size() == static_cast<size_t>(limits_.prefill_chunk)) run_chunk(interrupt);
      const int32_t row = static_cast<int32_t>(chunk_tokens_.size());
      if (row == 0 || position == sequence.cached)
        chunk_segments_.push_back({&sequence.cache, row, 0, position, long_factors});
      ++chunk_segments_.back().n_tokens;
      const int32_t own = position - had;  // of the step's tokens; negative: history being rebuilt
      chunk_tokens_.push_back(own < 0 ? sequence.tokens[static_cast<size_t>(position)]
                                      : step.tokens[static_cast<size_t>(own)]);
      if (step.logits && own >= 0 && (step.all_logits || position + 1 == end))
        chunk_wanted_.push_back(
            {row, step.logits + (step.all_logits ? int64_t{own} * limits_.vocab : 0)});
    }
  }
  if (!chunk_tokens_.empty()) run_chunk(interrupt);
}

void NativeSession::run_chunk(const Interrupt& interrupt) {
  forward_.run(chunk_tokens_, chunk_segments_, chunk_wanted_, interrupt);
  chunk_tokens_.clear();
  chunk_segments_.clear();
  chunk_wanted_.clear();
}

}  // namespace phial
