// SPDX-License-Identifier: Apache-2.0
// A Session without a model: the logits of a position are a function of the tokens so far. Keeps
// the contract of backend/session.h and counts what it was fed.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "backend/session.h"
#include "base/error.h"

namespace phial {

class FakeSession : public Session {
 public:
  // Which token follows `history`: it gets logit 10, all others a small one that depends on the id.
  using Next = std::function<TokenId(const std::vector<TokenId>& history)>;

  FakeSession(int32_t vocab, int32_t max_context, Next next) : next_(std::move(next)) {
    limits_.vocab = vocab;
    limits_.max_context = max_context;
    limits_.max_sequences = 4;
  }

  Limits limits() const override { return limits_; }
  void step(std::span<const Step> batch, const Interrupt& interrupt) override {
    for (const Step& step : batch) {
      if (interrupt && interrupt()) throw_error(Code::kCancelled, "fake session: interrupted");
      std::vector<TokenId>& history = sequences_[step.seq];
      if (history.size() + step.tokens.size() > static_cast<size_t>(limits_.max_context)) {
        throw_error(Code::kContextFull, "fake session: full");
      }
      for (const TokenId token : step.tokens) {
        if (token < 0 || token >= limits_.vocab)
          throw_error(Code::kInvalidArgument, "fake session: token {}", token);
      }
      fed_ += step.tokens.size();
      ++steps_;
      const auto begin = static_cast<int32_t>(history.size());
      const auto end = begin + static_cast<int32_t>(step.tokens.size());
      if (begin < limits_.switch_position && end > limits_.switch_position &&
          step.tokens.size() > 1)
        ++crossings_;
      float* row = step.logits;
      for (size_t i = 0; i < step.tokens.size(); ++i) {
        history.push_back(step.tokens[i]);
        if (!row || (!step.all_logits && i + 1 < step.tokens.size())) continue;
        for (int32_t id = 0; id < limits_.vocab; ++id) row[id] = -0.001f * static_cast<float>(id);
        row[next_(history)] = peak_;
        row += limits_.vocab;
      }
    }
  }
  void truncate(SequenceId seq, int32_t length) override {
    std::vector<TokenId>& history = sequences_[seq];
    if (history.size() > static_cast<size_t>(length)) history.resize(static_cast<size_t>(length));
  }
  void release(SequenceId seq) override { sequences_.erase(seq); }
  int32_t length(SequenceId seq) const override {
    const auto found = sequences_.find(seq);
    return found == sequences_.end() ? 0 : static_cast<int32_t>(found->second.size());
  }
  std::string device() const override { return "fake"; }
  std::string tier() const override { return "none"; }

  const std::vector<TokenId>& history(SequenceId seq) { return sequences_[seq]; }
  void reserve(SequenceId seq, size_t n) { sequences_[seq].reserve(n); }
  size_t fed() const { return fed_; }  // tokens, all steps together
  size_t steps() const { return steps_; }
  // Steps of several tokens that began before switch_position and ended beyond it.
  size_t crossings() const { return crossings_; }
  Limits& change_limits() { return limits_; }
  void set_peak(float peak) { peak_ = peak; }  // the logit of the token that follows

 private:
  Limits limits_;
  Next next_;
  std::map<SequenceId, std::vector<TokenId>> sequences_;
  size_t fed_ = 0, steps_ = 0, crossings_ = 0;
  float peak_ = 10.0f;
};

}  // namespace phial
