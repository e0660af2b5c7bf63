// SPDX-License-Identifier: Apache-2.0
// Order of the steps (transformers 4.57, generation/utils.py, _get_logits_processor): repetition
// penalty, [presence and frequency], temperature, top-k, top-p, min-p, then one draw. Each step
// works on a shrinking list of candidates, so the whole vocabulary is never sorted.
#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace phial {
namespace {

constexpr uint32_t kInSequence =
    1u << 31;  // in seen_: the token is in prompt or reply; the low bits count the reply
constexpr float kLowest = -std::numeric_limits<float>::infinity();

// How many candidates top-p sorts first. A peaked distribution needs a handful; a flat one grows
// this by four each time.
constexpr size_t kFirstChunk = 128;

template <class T>
void check_range(const char* name, T value, T min, T max) {
  if (!(value >= min && value <= max)) {  // also refuses NaN
    throw_error(Code::kInvalidArgument, "sampling: {} is {}, expected {} to {}", name, value, min,
                max);
  }
}

// NaN can't be compared and +inf can't be normalised: a NaN is never chosen, +inf is the largest
// number there is.
void make_comparable(std::span<float> logits) {
  for (float& logit : logits) {
    if (std::isnan(logit)) logit = kLowest;
    if (logit > std::numeric_limits<float>::max()) logit = std::numeric_limits<float>::max();
  }
}

// First the larger logit, then the lower id.
struct Better {
  const float* logits;
  bool operator()(int32_t a, int32_t b) const {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  }
};

}  // namespace

void SamplingParams::check() const {
  constexpr float kMax = std::numeric_limits<float>::max();
  check_range("temperature", temperature, 0.0f, kMax);
  check_range("top_k", top_k, 0, std::numeric_limits<int32_t>::max());
  check_range("top_p", top_p, 0.0f, 1.0f);
  check_range("min_p", min_p, 0.0f, 1.0f);
  check_range("repetition_penalty", repetition_penalty, 0.0f, kMax);
  if (repetition_penalty == 0.0f) {
    throw_error(Code::kInvalidArgument,
                "sampling: repetition_penalty is 0, expected above 0 (1 is off)");
  }
  check_range("presence_penalty", presence_penalty, -100.0f, 100.0f);
  check_range("frequency_penalty", frequency_penalty, -100.0f, 100.0f);
}

Sampler::Sampler(const SamplingParams& params, int32_t vocab) : params_(params), rng_(params.seed) {
  params_.check();
  if (vocab <= 0)
    throw_error(Code::kInvalidArgument, "sampler: vocabulary of {}, expected at least 1", vocab);
  order_.resize(static_cast<size_t>(vocab));
  probs_.resize(static_cast<size_t>(vocab));
  seen_.assign(static_cast<size_t>(vocab), 0);
}

void Sampler::penalise(std::span<float> logits, std::span<const TokenId> prompt,
                       std::span<const TokenId> reply) {
  const bool repetition = params_.repetition_penalty != 1.0f;
  const bool counted = params_.presence_penalty != 0.0f || params_.frequency_penalty != 0.0f;
  if (!repetition && !counted) return;
  const auto known = [&](TokenId id) { return id >= 0 && static_cast<size_t>(id) < seen_.size(); };
  // Out-of-vocabulary ids (an image placeholder) have no logit.
  if (repetition) {
    for (const TokenId id : prompt) {
      if (known(id)) seen_[id] |= kInSequence;
    }
  }
  for (const TokenId id : reply) {
    if (known(id)) seen_[id] = (seen_[id] | kInSequence) + 1;
  }
  // Each token is changed once: its mark is wiped as it is handled, which also leaves seen_ clean.
  const auto apply = [&](TokenId id) {
    if (!known(id) || seen_[id] == 0) return;
    float& logit = logits[id];
    if (repetition) {
      logit = logit < 0 ? logit * params_.repetition_penalty : logit / params_.repetition_penalty;
    }
    const uint32_t count = seen_[id] & ~kInSequence;
    if (count)
      logit -= params_.presence_penalty + static_cast<float>(count) * params_.frequency_penalty;
    seen_[id] = 0;
  };
  for (const TokenId id : reply) apply(id);
  if (repetition) {
    for (const TokenId id : prompt) apply(id);
  }
}

size_t Sampler::keep_top_k(std::span<const float> logits, size_t n) {
  const size_t k = static_cast<size_t>(params_.top_k);
  if (k == 0 || k >= n) return n;
  for (size_t i = 0; i < n; ++i) probs_[i] = logits[order_[i]];
  const auto kth = probs_.begin() + static_cast<ptrdiff_t>(k - 1);
  std::nth_element(probs_.begin(), kth, probs_.begin() + static_cast<ptrdiff_t>(n),
                   std::greater<float>());
  // As transformers: all that are not below the k-th value, so ties at the border stay.
  const float threshold = *kth;
  const auto end = std::remove_if(order_.begin(), order_.begin() + static_cast<ptrdiff_t>(n),
                                  [&](int32_t id) { return logits[id] < threshold; });
  return static_cast<size_t>(end - order_.begin());
}

size_t Sampler::keep_top_p(std::span<const float> logits, size_t n, double total) {
  if (params_.top_p >= 1.0f) return n;
  const Better better{logits.data()};
  const double wanted = params_.top_p * total;
  double sum = 0;
  size_t sorted = 0;
  for (size_t chunk = kFirstChunk; sorted < n; chunk *= 4) {
    const size_t end = std::min(n, sorted + chunk);
    const auto first = order_.begin() + static_cast<ptrdiff_t>(sorted);
    const auto last = order_.begin() + static_cast<ptrdiff_t>(end);
    if (end < n) std::nth_element(first, last, order_.begin() + static_cast<ptrdiff_t>(n), better);
    std::sort(first, last, better);
    for (; sorted < end; ++sorted) {
      // A token stays while those before it don't reach p; the best one always stays.
      if (sorted > 0 && sum >= wanted) return sorted;
      sum += weight(logits[order_[sorted]]);
    }
  }
  return n;
}

TokenId Sampler::sample(std::span<float> logits, std::span<const TokenId> prompt,
                        std::span<const TokenId> reply) {
  if (logits.size() != order_.size()) {
    throw_error(Code::kInvalidArgument, "sampler: {} logits, made for a vocabulary of {}",
                logits.size(), order_.size());
  }
  penalise(logits, prompt, reply);
  make_comparable(logits);
  const auto best =
      std::max_element(logits.begin(), logits.end());  // the first of equals: the lowest id
  if (*best == kLowest) {
    throw_error(Code::kInternal,
                "sampler: none of {} logits is a number above -inf, so no token can be chosen",
                logits.size());
  }
  if (params_.temperature == 0.0f) return static_cast<TokenId>(best - logits.begin());

  max_ = *best;
  size_t n = 0;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] > kLowest) order_[n++] = static_cast<int32_t>(id);
  }
  n = keep_top_k(logits, n);
  if (params_.top_p < 1.0f) {
    double total = 0;
    for (size_t i = 0; i < n; ++i) total += weight(logits[order_[i]]);
    n = keep_top_p(logits, n, total);
  }
  if (params_.min_p > 0.0f) {
    // weight() is relative to the best token, whose weight is 1: min_p compares with it directly.
    const auto end = std::remove_if(order_.begin(), order_.begin() + static_cast<ptrdiff_t>(n),
                                    [&](int32_t id) { return weight(logits[id]) < params_.min_p; });
    n = static_cast<size_t>(end - order_.begin());
  }

  double total = 0;
  for (size_t i = 0; i < n; ++i) {
    probs_[i] = static_cast<float>(weight(logits[order_[i]]));
    total += probs_[i];
  }
  double left = rng_.uniform() * total;
  size_t last = 0;  // rounding may leave a remainder: then the last token that has any weight
  for (size_t i = 0; i < n; ++i) {
    if (probs_[i] <= 0.0f) continue;
    last = i;
    left -= probs_[i];
    if (left < 0) break;
  }
  return order_[last];
}

double Sampler::weight(float logit) const {
  // In double: a tiny temperature must not overflow. e^-104 is below the smallest float.
  const double x = (static_cast<double>(logit) - max_) / params_.temperature;
  return x < -104.0 ? 0.0 : std::exp(x);
}

}  // namespace phial
