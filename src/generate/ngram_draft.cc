// SPDX-License-Identifier: Apache-2.0
#include "generate/ngram_draft.h"

#include <algorithm>
#include <utility>

namespace phial {
namespace {

constexpr size_t kGram = 3;
constexpr int kCandidates = 16;  // earlier places that are compared
constexpr int32_t kLongMatch = 32;

uint64_t key_of(const TokenId* last) {
  return static_cast<uint64_t>(static_cast<uint32_t>(last[0])) << 42 ^
         static_cast<uint64_t>(static_cast<uint32_t>(last[-1])) << 21 ^
         static_cast<uint32_t>(last[-2]);
}

// Tokens a second must grow by this much for a guess to be tried.
constexpr double kWorthwhile = 1.05;
constexpr double kLearn = 0.1;     // weight of a new observation
constexpr double kForget = 0.004;  // of the way back to even chances, for each guess not tried
// Before anything is measured: what a further token costs in parts of the first.
constexpr double kFurther = 0.15;

}  // namespace

NgramDraft::NgramDraft(std::span<const TokenId> text) {
  text_.reserve(text.size() + 256);
  earlier_.reserve(text.size() + 257);
  earlier_.push_back(-1);
  for (const TokenId token : text) add(token);
}

void NgramDraft::add(TokenId token) {
  text_.push_back(token);
  earlier_.push_back(-1);
  if (text_.size() < kGram) return;
  const int32_t after = static_cast<int32_t>(text_.size());
  const auto [place, fresh] = last_.try_emplace(key_of(&text_.back()), after);
  if (!fresh) earlier_.back() = std::exchange(place->second, after);
}

int32_t NgramDraft::match_length(int32_t position) const {
  const int32_t end = static_cast<int32_t>(text_.size());
  int32_t length = 0;
  while (length < kLongMatch && length < position &&
         text_[static_cast<size_t>(position - 1 - length)] ==
             text_[static_cast<size_t>(end - 1 - length)])
    ++length;
  return length;
}

std::span<const TokenId> NgramDraft::propose(int32_t most) {
  draft_.clear();
  matched_ = 0;
  int32_t best = -1;
  int32_t candidate = earlier_.back();
  for (int i = 0; i < kCandidates && candidate > 0; ++i) {
    // Hashes may collide: a length below kGram is no match.
    if (const int32_t length = match_length(candidate); length > matched_) {
      matched_ = length;
      best = candidate;
    }
    candidate = earlier_[static_cast<size_t>(candidate)];
  }
  if (matched_ < static_cast<int32_t>(kGram)) return {};
  const int32_t end = static_cast<int32_t>(text_.size());
  for (int32_t i = 0; i < most; ++i) {  // past the end the guess itself is what repeats
    const int32_t at = best + i;
    draft_.push_back(at < end ? text_[static_cast<size_t>(at)]
                              : draft_[static_cast<size_t>(at - end)]);
  }
  return draft_;
}

int DraftPolicy::class_of(int32_t matched) {
  return matched < 4 ? 0 : matched < 6 ? 1 : matched < 10 ? 2 : 3;
}

int32_t DraftPolicy::choose(int32_t matched) {
  double& chance = chance_[class_of(matched)];
  const double single = single_ > 0 ? single_ : 1;
  const double further = further_ > 0 ? further_ : kFurther * single;
  double tokens = 1, likely = 1, best = kWorthwhile / single;
  int32_t chosen = 0;
  for (int32_t drafted = 1; drafted <= kMost; ++drafted) {
    likely *= chance;
    tokens += likely;
    if (const double rate = tokens / (single + drafted * further); rate > best) {
      best = rate;
      chosen = drafted;
    }
  }
  if (!chosen) chance += kForget * (0.5 - chance);
  return chosen;
}

void DraftPolicy::report(int32_t matched, int32_t drafted, int32_t accepted, double seconds) {
  const auto learn = [](double& value, double seen) { value += kLearn * (seen - value); };
  // A step that something else on the computer delayed says little.
  const auto learn_time = [&](double& value, double seen) {
    learn(value, std::clamp(seen, value / 2, value * 2));
  };
  if (!drafted) {
    if (single_ > 0)
      learn_time(single_, seconds);
    else
      single_ = seconds;
    return;
  }
  double& chance = chance_[class_of(matched)];
  for (int32_t i = 0; i < accepted; ++i) learn(chance, 1);
  if (accepted < drafted) learn(chance, 0);
  if (single_ <= 0) return;
  if (further_ <= 0) further_ = kFurther * single_;
  learn_time(further_, std::max(0.01 * single_, (seconds - single_) / drafted));
}

}  // namespace phial
