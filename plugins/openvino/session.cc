// SPDX-License-Identifier: Apache-2.0
// The rules of a step. Histories are kept here; what a request has computed is `cached`, and
// setting that to 0 is all it takes to compute a sequence again: after truncating, after a step
// that was stopped or failed, when LongRoPE's factors change, when a larger NPU model takes over.
#include "session.h"

#include <algorithm>
#include <cstring>

#include "backend/check_batch.h"
#include "npu.h"
#include "tensor/half.h"

namespace phial::ov {
namespace {

// Prompt tokens a run: enough for the matrix kernels, and little enough that an interrupt, which
// can be seen between runs only, waits about a second on a laptop.
constexpr int32_t kDefaultChunk = 256;
// An NPU's generate model takes one token at a time: with more than so many it's quicker to prefill
// the whole sequence again.
constexpr int32_t kMostSingleSteps = 8;

Limits make_limits(const Phi3Config& config, const SessionOptions& options) {
  Limits limits;
  limits.vocab = config.vocab_size;
  limits.max_context =
      options.context ? std::min(options.context, config.max_positions) : config.max_positions;
  limits.max_sequences = options.max_sequences;
  limits.prefill_chunk =
      std::min(limits.max_context, options.prefill_chunk ? options.prefill_chunk : kDefaultChunk);
  limits.cheap_truncate = false;
  return limits;
}

}  // namespace

struct OpenVinoSession::Sequence {
  SequenceId id;
  std::vector<TokenId> tokens;  // the whole history
  int32_t cached = 0;           // the first so many are in the request's state ...
  bool long_factors = false;    // ... rotated with these factors
  std::unique_ptr<Request> request;
};

OpenVinoSession::OpenVinoSession(const Api& api, std::shared_ptr<const Package> package,
                                 const Target& target, const SessionOptions& options,
                                 const Settings& settings)
    : api_(api), package_(std::move(package)) {
  if (options.context < 0 || options.max_sequences < 1 || options.threads < 0 ||
      options.prefill_chunk < 0)
    throw_error(Code::kInvalidArgument,
                "session options can't be negative, and there must be a sequence: context {}, "
                "max_sequences {}, threads {}, prefill_chunk {}",
                options.context, options.max_sequences, options.threads, options.prefill_chunk);
  graph_options_.target = target;
  graph_options_.settings = settings;
  graph_options_.threads = options.threads;
  graph_options_.kv_cache = options.kv_cache;
  graph_options_.activations = options.activations;
  graph_options_.notice = options.notice;
  limits_ = make_limits(package_->config(), options);
  if (target.npuw()) {
    graph_options_.room = first_room(package_->config(), settings, limits_.max_context);
    room_grows_ = !settings.npu_prompt && !settings.npu_response;
    limits_.max_context =
        npu_context(package_->config(), graph_options_.room, limits_.max_context, room_grows_);
    limits_.prefill_chunk = graph_options_.room.prompt;
  }
  graph_ = std::make_unique<Graph>(api_, package_, graph_options_);
}

OpenVinoSession::~OpenVinoSession() = default;

std::string OpenVinoSession::tier() const {
  return fmt::format("OpenVINO {} on {}", api_.version, graph_->executes_on());
}

OpenVinoSession::Sequence* OpenVinoSession::find(SequenceId seq) const {
  for (const auto& sequence : sequences_)
    if (sequence->id == seq) return sequence.get();
  return nullptr;
}

int32_t OpenVinoSession::length(SequenceId seq) const {
  const Sequence* sequence = find(seq);
  return sequence ? static_cast<int32_t>(sequence->tokens.size()) : 0;
}

void OpenVinoSession::truncate(SequenceId seq, int32_t length) {
  Sequence* sequence = find(seq);
  length = std::max(length, 0);
  if (!sequence || static_cast<size_t>(length) >= sequence->tokens.size()) return;
  sequence->tokens.resize(static_cast<size_t>(length));
  if (sequence->cached > length) sequence->cached = 0;
}

void OpenVinoSession::release(SequenceId seq) {
  std::erase_if(sequences_, [&](const auto& sequence) { return sequence->id == seq; });
}

void OpenVinoSession::step(std::span<const Step> batch, const Interrupt& interrupt) {
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
    for (const Step& step : batch) make_room(*find(step.seq), step);
    for (const Step& step : batch) compute(*find(step.seq), step, interrupt);
  } catch (...) {
    // What a request has taken in can't be taken out again.
    for (const Step& step : batch)
      if (Sequence* sequence = find(step.seq))
        if (static_cast<size_t>(sequence->cached) > sequence->tokens.size()) sequence->cached = 0;
    sequences_.resize(known);
    throw;
  }
  for (const Step& step : batch) {
    Sequence& sequence = *find(step.seq);
    sequence.tokens.insert(sequence.tokens.end(), step.tokens.begin(), step.tokens.end());
  }
}

// On an NPU the lengths are compiled in. Refuses what will not fit, or compiles larger ones.
void OpenVinoSession::make_room(const Sequence& sequence, const Step& step) {
  if (!graph_options_.target.npuw()) return;
  const int32_t more = static_cast<int32_t>(step.tokens.size());
  const int32_t end = static_cast<int32_t>(sequence.tokens.size()) + more;
  const bool single = step.logits && step.all_logits;  // fed token by token anyway
  const int32_t prompt = sequence.cached > 0 && more <= kMostSingleSteps ? 0 : end;
  const Room room = graph_options_.room;
  if (!room_grows_) {
    if (more > room.prompt && !single)
      throw_error(Code::kContextFull,
                  "the prompt has {} tokens, the model is compiled for prompts of {}: give "
                  "--npu-prompt {}",
                  more, room.prompt, round_up(more));
    return;
  }
  if ((single || prompt <= room.prompt) && end <= npu_total(room)) return;
  graph_options_.room = next_room(room, end, package_->config());
  if (graph_options_.notice)
    graph_options_.notice(
        NoticeKind::kInfo,
        fmt::format("{} tokens don't fit into the model compiled for prompts of {} and {} in all: "
                    "compiling one for {} and {}",
                    end, room.prompt, npu_total(room), graph_options_.room.prompt,
                    npu_total(graph_options_.room)));
  for (const auto& other : sequences_) {
    other->request.reset();
    other->cached = 0;
  }
  graph_.reset();  // its memory first
  graph_ = std::make_unique<Graph>(api_, package_, graph_options_);
  limits_.prefill_chunk = graph_options_.room.prompt;
}

// Tokens of the next run. The graph gives logits of a run's last token only, so that a run ends
// where a row is wanted.
int32_t OpenVinoSession::run_length(const Sequence& sequence, const Step& step, int32_t end) const {
  const int32_t had = static_cast<int32_t>(sequence.tokens.size());
  const int32_t stop = step.logits && step.all_logits ? std::max(sequence.cached, had) + 1 : end;
  const bool npuw = graph_options_.target.npuw();
  if (npuw && sequence.cached > 0) return 1;
  return std::min(stop - sequence.cached, limits_.prefill_chunk);
}

void OpenVinoSession::compute(Sequence& sequence, const Step& step, const Interrupt& interrupt) {
  const int32_t had = static_cast<int32_t>(sequence.tokens.size());
  const int32_t end = had + static_cast<int32_t>(step.tokens.size());
  const bool long_factors = package_->config().uses_long_factors(end);
  const bool all = step.logits && step.all_logits;
  if (long_factors != sequence.long_factors) sequence.cached = 0;
  if (graph_options_.target.npuw() && !all && end - sequence.cached > kMostSingleSteps &&
      end <= graph_options_.room.prompt)
    sequence.cached = 0;
  sequence.long_factors = long_factors;
  if (sequence.cached == 0) {
    sequence.request.reset();
    sequence.request = graph_->request();
  }
  std::vector<TokenId> tokens(sequence.tokens.begin() + sequence.cached, sequence.tokens.end());
  tokens.insert(tokens.end(), step.tokens.begin() + std::max(0, sequence.cached - had),
                step.tokens.end());
  const int32_t begin = sequence.cached;
  while (sequence.cached < end) {
    const int32_t n = run_length(sequence, step, end);
    if (interrupt && interrupt())
      throw_error(Code::kCancelled, "stopped after {} of {} tokens", sequence.cached - begin,
                  end - begin);
    run(sequence,
        std::span(tokens).subspan(static_cast<size_t>(sequence.cached - begin),
                                  static_cast<size_t>(n)),
        end);
    const int32_t last = sequence.cached - 1 - had;  // of the step's tokens
    if (!step.logits || last < 0 || !(all || sequence.cached == end)) continue;
    const size_t vocab = static_cast<size_t>(limits_.vocab);
    float* row = step.logits + (all ? static_cast<size_t>(last) * vocab : 0);
    const Tensor logits = sequence.request->get("logits");
    const size_t skip = logits.elements() - vocab;  // rows before the last one, if there are any
    if (logits.type() == api_.type(Element::kF32)) {
      std::memcpy(row, static_cast<const float*>(logits.data()) + skip, vocab * sizeof(float));
    } else if (logits.type() == api_.type(Element::kF16)) {
      const auto* half = static_cast<const uint16_t*>(logits.data()) + skip;
      std::transform(half, half + vocab, row, [](uint16_t h) { return f16_to_f32(h); });
    } else {
      throw_error(Code::kInternal, "OpenVINO gives logits of element type {}, expected f32 or f16",
                  logits.type());
    }
  }
}

// One inference over `tokens`, which follow what is cached.
void OpenVinoSession::run(Sequence& sequence, std::span<const TokenId> tokens, int32_t end) {
  const int64_t n = static_cast<int64_t>(tokens.size()), past = sequence.cached;
  ids_.assign(tokens.begin(), tokens.end());
  positions_.resize(tokens.size());
  for (int64_t i = 0; i < n; ++i) positions_[static_cast<size_t>(i)] = past + i;
  mask_.assign(static_cast<size_t>(past + n), 1);
  const int32_t beam = 0;
  const int64_t length = end;
  Request& request = *sequence.request;
  const Tensor ids(api_, Element::kI64, {1, n}, ids_.data());
  const Tensor mask(api_, Element::kI64, {1, past + n}, mask_.data());
  const Tensor positions(api_, Element::kI64, {1, n}, positions_.data());
  const Tensor beam_index(api_, Element::kI32, {1}, &beam);
  const Tensor sequence_length(api_, Element::kI64, {1}, &length);
  request.set("input_ids", ids);
  request.set("attention_mask", mask);
  request.set("position_ids", positions);
  if (graph_->takes_beam_index()) request.set("beam_idx", beam_index);
  if (graph_->takes_sequence_length()) request.set("sequence_length", sequence_length);

  // Not start_async and cancel: after a cancelled run the CPU plugin (2026.4.1) gives wrong logits
  // to the next request of the same model.
  sequence.cached = end + 1;  // if it fails, it is unknown how far it went
  check(api_, api_.ov_infer_request_infer(request.handle()), "the model can't be run");
  sequence.cached = static_cast<int32_t>(past + n);
}

}  // namespace phial::ov
