// SPDX-License-Identifier: Apache-2.0
// The rules of a step. Histories are kept here; the first `cached` tokens of one are in its
// generator's cache, and setting that lower is all it takes to compute tokens again: after
// truncating, after a step that was stopped, when LongRoPE's factors change. After a failure of the
// runtime the generator is dropped, since it is unknown how far it came.
#include "session.h"

#include <algorithm>

#include "backend/check_batch.h"

namespace phial::ort {
namespace {

// Prompt tokens a run: enough for the matrix kernels, and little enough that an interrupt, which
// can be seen between runs only, waits about a second on a laptop. Logits of all positions come
// with each run: no more than so many bytes of them.
constexpr int32_t kDefaultChunk = 256;
constexpr int64_t kMostLogitBytes = 64 << 20;
constexpr int32_t kLeastChunk = 32;
// Room of a sequence, in tokens, where none is asked for; it doubles when it is outgrown.
constexpr int32_t kFirstRoom = 4096;
// A provider that doesn't append: with more new tokens than that, the whole sequence is computed
// again.
constexpr int32_t kMostSingleSteps = 8;

int32_t default_chunk(const Phi3Config& config) {
  const int64_t fit = kMostLogitBytes / (int64_t{4} * config.vocab_size);
  return static_cast<int32_t>(std::clamp<int64_t>(fit, kLeastChunk, kDefaultChunk));
}

Limits make_limits(const Phi3Config& config, const Graph& graph, const SessionOptions& options,
                   bool appends) {
  Limits limits;
  limits.vocab = config.vocab_size;
  limits.max_context = options.context ? std::min(options.context, graph.context) : graph.context;
  limits.max_sequences = options.max_sequences;
  limits.prefill_chunk = std::min(
      limits.max_context, options.prefill_chunk ? options.prefill_chunk : default_chunk(config));
  if (!appends) limits.prefill_chunk = limits.max_context;
  limits.cheap_truncate = appends;
  return limits;
}

void check_options(const SessionOptions& options, const Graph& graph) {
  if (options.context < 0 || options.max_sequences < 1 || options.threads < 0 ||
      options.prefill_chunk < 0)
    throw_error(Code::kInvalidArgument,
                "session options can't be negative, and there must be a sequence: context {}, "
                "max_sequences {}, threads {}, prefill_chunk {}",
                options.context, options.max_sequences, options.threads, options.prefill_chunk);
  if (!options.kv_cache.empty() && options.kv_cache != graph.kv_cache())
    throw_error(Code::kUnsupported,
                "a KV cache in {} was asked for; the graph for {} keeps it in {}", options.kv_cache,
                provider_name(graph.made_for), graph.kv_cache());
  if (options.activations == "int16" && graph.made_for == Provider::kCpu)
    throw_error(
        Code::kUnsupported,
        "activations of 16 bits were asked for; ONNX Runtime's CPU provider rounds them to 8 "
        "in the graph that this package has");
}

}  // namespace

struct OrtSession::Sequence {
  SequenceId id;
  std::vector<TokenId> tokens;  // the whole history
  int32_t cached = 0;           // the first so many are in the generator ...
  bool long_factors = false;    // ... rotated with these factors
  int32_t room = 0;             // tokens that the generator can hold
  bool ended = false;           // GenAI chose a stop token and will choose nothing more
  std::unique_ptr<Generator> generator;

  int32_t length() const { return static_cast<int32_t>(tokens.size()); }
};

OrtSession::OrtSession(const OgaApi& api, std::shared_ptr<const Package> package,
                       const Target& target, const SessionOptions& options,
                       const Settings& settings)
    : api_(api), package_(std::move(package)), target_(target), notice_(options.notice) {
  graph_ = inspect_graph(*package_, target.provider, settings.any_graph);
  check_options(options, graph_);
  appends_ = settings.append && target.provider != Provider::kDml;
  room_grows_ = options.context == 0;
  limits_ = make_limits(package_->config(), graph_, options, appends_);
  model_ = std::make_unique<Model>(api_, graph_, target_, settings, options.threads);
  if (room_grows_ && limits_.max_context > kFirstRoom && notice_)
    notice_(NoticeKind::kInfo,
            fmt::format("the cache of a conversation is made for {} tokens and grows with it up to "
                        "{}; --context N makes it for N at once",
                        kFirstRoom, limits_.max_context));
}

OrtSession::~OrtSession() = default;

std::string OrtSession::tier() const {
  return fmt::format("ONNX Runtime {}, GenAI {} on {}", api_.ort_version, api_.version,
                     model_->executes_on());
}

OrtSession::Sequence* OrtSession::find(SequenceId seq) const {
  for (const auto& sequence : sequences_)
    if (sequence->id == seq) return sequence.get();
  return nullptr;
}

int32_t OrtSession::length(SequenceId seq) const {
  const Sequence* sequence = find(seq);
  return sequence ? sequence->length() : 0;
}

void OrtSession::truncate(SequenceId seq, int32_t length) {
  Sequence* sequence = find(seq);
  length = std::max(length, 0);
  if (!sequence || length >= sequence->length()) return;
  sequence->tokens.resize(static_cast<size_t>(length));
  sequence->cached = std::min(sequence->cached, length);
}

void OrtSession::release(SequenceId seq) {
  std::erase_if(sequences_, [&](const auto& sequence) { return sequence->id == seq; });
}

void OrtSession::step(std::span<const Step> batch, const Interrupt& interrupt) {
  check_batch(
      batch, limits_, [&](SequenceId seq) { return find(seq) ? length(seq) : -1; },
      sequences_.size(), package_->config().max_positions);
  const size_t known = sequences_.size();
  try {
    for (const Step& step : batch)
      if (!find(step.seq)) {
        sequences_.push_back(std::make_unique<Sequence>());
        sequences_.back()->id = step.seq;
      }
    for (const Step& step : batch) compute(*find(step.seq), step, interrupt);
  } catch (...) {
    for (const Step& step : batch)
      if (Sequence* sequence = find(step.seq))
        sequence->cached = std::min(sequence->cached, sequence->length());
    sequences_.resize(known);
    throw;
  }
  for (const Step& step : batch) {
    Sequence& sequence = *find(step.seq);
    sequence.tokens.insert(sequence.tokens.end(), step.tokens.begin(), step.tokens.end());
  }
}

// A generator's cache has the size that it was made with.
void OrtSession::make_room(Sequence& sequence, int32_t end) {
  if (!sequence.generator) sequence.room = 0;
  if (end <= sequence.room) return;
  int32_t room = limits_.max_context;
  if (room_grows_) {
    room = std::min(kFirstRoom, limits_.max_context);
    while (room < end || room < sequence.room)
      room = room > limits_.max_context / 2 ? limits_.max_context : 2 * room;
  }
  if (sequence.room && notice_)
    notice_(NoticeKind::kInfo, fmt::format("the conversation outgrows {} tokens: it is read again "
                                           "into a cache for {}",
                                           sequence.room, room));
  sequence.generator.reset();  // its memory first
  sequence.cached = 0;
  sequence.generator = std::make_unique<Generator>(*model_, room);
  sequence.room = room;
}

// Tokens of the next run.
int32_t OrtSession::run_length(const Sequence& sequence, int32_t end) const {
  const int32_t left = end - sequence.cached;
  if (!appends_) return sequence.cached == 0 ? left : 1;
  int32_t chunk = limits_.prefill_chunk;
  // The graph takes LongRoPE's factors by the length that a run reaches.
  if (sequence.long_factors)
    chunk = std::max(chunk, package_->config().original_max_positions + 1 - sequence.cached);
  return std::min(left, chunk);
}

void OrtSession::compute(Sequence& sequence, const Step& step, const Interrupt& interrupt) {
  const int32_t had = sequence.length(), end = had + static_cast<int32_t>(step.tokens.size());
  const bool long_factors = package_->config().uses_long_factors(end);
  const bool all = step.logits && step.all_logits;
  make_room(sequence, end);
  if (long_factors != sequence.long_factors) sequence.cached = 0;
  if (!appends_ && (sequence.ended || sequence.cached != sequence.generator->length() ||
                    end - sequence.cached > kMostSingleSteps))
    sequence.cached = 0;
  sequence.long_factors = long_factors;
  const int32_t begin = sequence.cached;
  std::vector<TokenId> tokens(sequence.tokens.begin() + begin, sequence.tokens.end());
  tokens.insert(tokens.end(), step.tokens.begin(), step.tokens.end());
  const size_t vocab = static_cast<size_t>(limits_.vocab);
  while (sequence.cached < end) {
    const int32_t past = sequence.cached, n = run_length(sequence, end);
    if (interrupt && interrupt())
      throw_error(Code::kCancelled, "stopped after {} of {} tokens", past - begin, end - begin);
    try {
      Generator& generator = *sequence.generator;
      generator.rewind(past);
      const auto now =
          std::span(tokens).subspan(static_cast<size_t>(past - begin), static_cast<size_t>(n));
      if (past > 0 && !appends_) {
        generator.choose(now[0], limits_.vocab);
        sequence.ended = std::find(graph_.stop_ids.begin(), graph_.stop_ids.end(), now[0]) !=
                         graph_.stop_ids.end();
      } else {
        generator.append(now);
        sequence.ended = false;
      }
      sequence.cached = past + n;
      if (!step.logits || sequence.cached <= had || !(all || sequence.cached == end)) continue;
      // The logits of a run over LongRoPE's limit are large.
      if (!all && n > limits_.prefill_chunk && graph_.made_for == Provider::kCpu &&
          graph_.pad_id >= 0 && now.back() != graph_.pad_id) {
        generator.last_logits(limits_.vocab).copy(0, step.logits);
        continue;
      }
      const LogitRows rows = generator.logits(limits_.vocab);
      if (rows.rows() != static_cast<size_t>(n))
        throw_error(Code::kInternal, "model.onnx gives {} rows of logits for {} tokens",
                    rows.rows(), n);
      for (int32_t at = all ? std::max(past, had) : end - 1; at < sequence.cached; ++at)
        rows.copy(static_cast<size_t>(at - past),
                  step.logits + (all ? static_cast<size_t>(at - had) * vocab : 0));
    } catch (...) {
      sequence.generator.reset();
      sequence.cached = 0;
      throw;
    }
  }
}

}  // namespace phial::ort
