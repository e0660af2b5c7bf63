// SPDX-License-Identifier: Apache-2.0
#include "generate/generator.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/error.h"
#include "generate/ngram_draft.h"
#include "generate/stop_rule.h"

namespace phial {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void check_request(const GenerateParams& params, std::span<const TokenId> prompt,
                   const Limits& limits) {
  if (prompt.empty()) {
    throw_error(Code::kInvalidArgument,
                "prompt: found no tokens, expected at least 1 (an empty text has none)");
  }
  if (params.max_new_tokens < -1) {
    throw_error(Code::kInvalidArgument,
                "max_new_tokens is {}, expected 0 or more, or -1 for no limit",
                params.max_new_tokens);
  }
  if (prompt.size() >= static_cast<size_t>(limits.max_context)) {
    throw_error(Code::kContextFull,
                "prompt has {} tokens, the context holds {} and the reply needs at least one of "
                "them; shorten the "
                "prompt, drop older messages, or open the model with a longer context",
                prompt.size(), limits.max_context);
  }
}

// One reply in the making: where text goes, and why it ended.
class Reply {
 public:
  Reply(GenerateResult& result, StopRule& rule, StreamDecoder& decoder, const TextCallback& on_text)
      : result_(result), rule_(rule), decoder_(decoder), on_text_(on_text) {}

  // False if the reply is over (result.finish_reason says why).
  bool add(TokenId token) {
    result_.ids.push_back(token);
    return show(decoder_.push(token), false);
  }

  // What was held back, after the last token. A stop string may still be completed by it.
  void finish() {
    if (!cut_) show(decoder_.finish(), true);
  }

 private:
  bool show(std::string_view text, bool last) {
    piece_.clear();
    const bool stopped = rule_.push(text, piece_);
    if (last && !stopped) rule_.finish(piece_);
    if (stopped) {
      cut_ = true;
      result_.stop_string = rule_.matched();
      if (result_.finish_reason != FinishReason::kCancelled)
        result_.finish_reason = FinishReason::kStop;
    }
    if (!piece_.empty()) {
      result_.text += piece_;
      if (on_text_ && !silent_ && !on_text_(piece_)) {
        silent_ = true;  // it isn't called again for this reply
        if (!stopped && !last) {
          result_.finish_reason = FinishReason::kCancelled;
          return false;
        }
      }
    }
    return !stopped;
  }

  GenerateResult& result_;
  StopRule& rule_;
  StreamDecoder& decoder_;
  const TextCallback& on_text_;
  std::string piece_;
  bool silent_ = false, cut_ = false;
};

// Feeds `tokens` and keeps `cached` equal to what the sequence holds. False if the interrupt said
// stop.
bool feed(Session& session, SequenceId seq, std::vector<TokenId>& cached,
          std::span<const TokenId> tokens, float* logits, const Interrupt& interrupt,
          bool all_logits = false) {
  const Step step{seq, tokens, logits, all_logits};
  try {
    session.step({&step, 1}, interrupt);
  } catch (const Error& error) {
    if (error.code() == Code::kCancelled) return false;
    throw;
  }
  cached.insert(cached.end(), tokens.begin(), tokens.end());
  return true;
}

// The steps after the prompt: one token each, or with speculation one token and what may follow it,
// whose logits are then there already if the guess was right.
class Decoder {
 public:
  Decoder(Session& session, SequenceId seq, std::vector<TokenId>& cached, const Limits& limits,
          const Interrupt& interrupt)
      : session_(session),
        seq_(seq),
        cached_(cached),
        limits_(limits),
        interrupt_(interrupt),
        logits_(static_cast<size_t>(limits.vocab)) {}

  void speculate(std::span<const TokenId> prompt) {
    draft_.emplace(prompt);
    logits_.resize(static_cast<size_t>(limits_.vocab) * (1 + DraftPolicy::kMost));
  }

  // Where the prompt's logits go.
  float* first() { return logits_.data(); }
  // Of the position at hand.
  std::span<float> logits() {
    const auto vocab = static_cast<size_t>(limits_.vocab);
    return std::span(logits_).subspan(row_ * vocab, vocab);
  }

  // Goes on to the position after `token`, with at most `room` tokens to come after that one. False
  // if the interrupt said stop.
  bool next(TokenId token, int32_t room, GenerateStats& stats) {
    if (!draft_) return feed(session_, seq_, cached_, {&token, 1}, logits_.data(), interrupt_);
    draft_->add(token);
    if (row_ < drafted_ && cached_[base_ + row_] == token) {
      ++row_;
      ++stats.accepted_tokens;
      return true;
    }
    settle();
    base_ = cached_.size() + 1;
    const std::span<const TokenId> guess = draft_->propose(DraftPolicy::kMost);
    matched_ = draft_->matched();
    int32_t drafted = guess.empty() ? 0 : policy_.choose(matched_);
    drafted = std::min({drafted, room, room_before_switch()});
    drafted = std::max(drafted, 0);
    step_.assign(1, token);
    step_.insert(step_.end(), guess.begin(), guess.begin() + drafted);
    const Clock::time_point start = Clock::now();
    if (!feed(session_, seq_, cached_, step_, logits_.data(), interrupt_, drafted > 0))
      return false;
    step_seconds_ = seconds_since(start);
    drafted_ = static_cast<size_t>(drafted);
    stats.drafted_tokens += drafted;
    pending_ = true;
    return true;
  }

  // Takes back the guesses that didn't come true.
  void settle() {
    if (pending_)
      policy_.report(matched_, static_cast<int32_t>(drafted_), static_cast<int32_t>(row_),
                     step_seconds_);
    pending_ = false;
    if (row_ < drafted_) {
      cached_.resize(base_ + row_);
      session_.truncate(seq_, static_cast<int32_t>(cached_.size()));
    }
    drafted_ = row_ = 0;
  }

 private:
  // How many more tokens a step of one may have.
  int32_t room_before_switch() const {
    const auto after = static_cast<int32_t>(cached_.size()) + 1;
    const int32_t free = limits_.max_context - after;
    return after <= limits_.switch_position ? std::min(free, limits_.switch_position - after)
                                            : free;
  }

  Session& session_;
  SequenceId seq_;
  std::vector<TokenId>& cached_;
  const Limits& limits_;
  const Interrupt& interrupt_;
  std::vector<float> logits_;  // [1 or 1 + kMost][vocab]

  std::optional<NgramDraft> draft_;
  DraftPolicy policy_;
  std::vector<TokenId> step_;
  size_t base_ = 0;     // cached_[base_] is the first guess of the last step ...
  size_t drafted_ = 0;  // ... of so many ...
  size_t row_ = 0;      // ... and so many have come true
  int32_t matched_ = 0;
  double step_seconds_ = 0;
  bool pending_ = false;  // a step whose guesses aren't all judged yet
};

}  // namespace

const char* finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

GenerateResult generate(Session& session, SequenceId seq, std::vector<TokenId>& cached,
                        std::shared_ptr<const Tokenizer> tokenizer, std::span<const TokenId> prompt,
                        const GenerateParams& params, const TextCallback& on_text,
                        const Interrupt& interrupt) {
  const Clock::time_point called = Clock::now();
  const Limits limits = session.limits();
  check_request(params, prompt, limits);
  Sampler sampler(params.sampling, limits.vocab);
  StopRule rule(params.ignore_eos ? std::vector<TokenId>{} : params.stop_ids, params.stop_strings);
  StreamDecoder decoder(tokenizer, params.skip_special, params.keep_leading_space);

  GenerateResult result;
  Reply reply(result, rule, decoder, on_text);
  GenerateStats& stats = result.stats;
  stats.prompt_tokens = static_cast<int32_t>(prompt.size());
  // Everything that grows with the reply is given its room here: the loop below doesn't allocate,
  // text apart.
  size_t room = static_cast<size_t>(limits.max_context) - prompt.size() + 1;
  if (params.max_new_tokens >= 0) room = std::min(room, static_cast<size_t>(params.max_new_tokens));
  result.ids.reserve(room);
  result.text.reserve(4 * room);  // about four bytes a token
  cached.reserve(prompt.size() + room);
  Decoder steps(session, seq, cached, limits, interrupt);

  // Keep what the sequence holds of this prompt, but feed at least the last token: only a step
  // gives logits.
  const int32_t held = session.length(seq);
  size_t keep = std::min({cached.size(), static_cast<size_t>(held), prompt.size() - 1});
  keep = static_cast<size_t>(
      std::mismatch(cached.begin(), cached.begin() + static_cast<ptrdiff_t>(keep), prompt.begin())
          .first -
      cached.begin());
  cached.resize(
      keep);  // first: if truncate() throws, `cached` is still a prefix of what the sequence holds
  if (static_cast<size_t>(held) > keep) session.truncate(seq, static_cast<int32_t>(keep));
  stats.cached_tokens = static_cast<int32_t>(keep);

  result.finish_reason = FinishReason::kLength;
  const bool wanted = params.max_new_tokens != 0;
  const Clock::time_point prefill = Clock::now();
  if (!feed(session, seq, cached, prompt.subspan(keep), wanted ? steps.first() : nullptr,
            interrupt)) {
    result.finish_reason = FinishReason::kCancelled;
    stats.prefill_seconds = seconds_since(prefill);
    return result;
  }
  stats.prefill_seconds = seconds_since(prefill);
  if (!wanted) return result;

  if (params.speculate && limits.exact_steps) steps.speculate(prompt);
  Clock::time_point started = Clock::now();
  for (;;) {
    const TokenId token = sampler.sample(steps.logits(), prompt, result.ids);
    if (++stats.generated_tokens == 1) {
      stats.first_token_seconds = seconds_since(called);
    } else {
      stats.decode_seconds += seconds_since(started);
    }
    if (rule.is_stop(token)) {  // not fed: the template of the next turn writes it again
      result.finish_reason = FinishReason::kStop;
      result.stop_id = token;
      break;
    }
    if (!reply.add(token)) break;
    if (stats.generated_tokens == params.max_new_tokens) break;
    if (prompt.size() + result.ids.size() > static_cast<size_t>(limits.max_context))
      break;  // no room to feed this token
    if (interrupt && interrupt()) {
      result.finish_reason = FinishReason::kCancelled;
      break;
    }
    started = Clock::now();
    const int32_t room = params.max_new_tokens < 0
                             ? limits.max_context
                             : params.max_new_tokens - stats.generated_tokens - 1;
    if (!steps.next(token, room, stats)) {
      result.finish_reason = FinishReason::kCancelled;
      break;
    }
  }
  steps.settle();
  reply.finish();
  return result;
}

}  // namespace phial
