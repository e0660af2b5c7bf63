// SPDX-License-Identifier: Apache-2.0
// Guesses how a text goes on from what it has said before: where its last tokens stood earlier,
// what followed there follows again ("prompt lookup"). No second model. What a guess is worth, and
// whether it is worth a try, DraftPolicy decides.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "backend/session.h"

namespace phial {

class NgramDraft {
 public:
  explicit NgramDraft(std::span<const TokenId> text);

  void add(TokenId token);

  // At most `most` tokens that may follow; empty: the last three tokens are new. Valid until the
  // next call.
  std::span<const TokenId> propose(int32_t most);
  // How many of the last tokens stood before the proposed ones too, at least 3.
  int32_t matched() const { return matched_; }

 private:
  int32_t match_length(int32_t position) const;

  std::vector<TokenId> text_;
  // Of three tokens: the position after their last occurrence; and from there to the one before.
  std::unordered_map<uint64_t, int32_t> last_;
  std::vector<int32_t> earlier_;  // [position]
  std::vector<TokenId> draft_;
  int32_t matched_ = 0;
};

// How many tokens to guess: as many as make the expected tokens a second most, from how often
// guesses came true lately and how long steps took. Its choices change the speed, never the text.
class DraftPolicy {
 public:
  static constexpr int32_t kMost = 15;

  // 0: don't guess now.
  int32_t choose(int32_t matched);
  // A step of 1 + drafted tokens took so long; so many of the guesses came true.
  void report(int32_t matched, int32_t drafted, int32_t accepted, double seconds);

 private:
  static constexpr int kClasses = 4;
  static int class_of(int32_t matched);

  double chance_[kClasses] = {0.5, 0.6, 0.75, 0.85};  // that one more guess comes true
  double single_ = 0;   // seconds of a step of one token, 0: none seen yet
  double further_ = 0;  // seconds that each further token of a step adds, 0: likewise
};

}  // namespace phial
