// SPDX-License-Identifier: Apache-2.0
// From logits to one token: penalties, temperature, top-k, top-p, min-p, seeded. The order of the
// steps is that of transformers' logits processors and warpers; names and meanings of the fields
// too. Knows no text.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/session.h"
#include "base/rng.h"

namespace phial {

struct SamplingParams {
  float temperature = 0.0f;         // 0: greedy
  int32_t top_k = 0;                // 0: off
  float top_p = 1.0f;               // 1: off
  float min_p = 0.0f;               // 0: off
  float repetition_penalty = 1.0f;  // 1: off; over prompt and reply (transformers' definition)
  float presence_penalty = 0.0f;    // over the reply (OpenAI's definition)
  float frequency_penalty = 0.0f;   // over the reply
  uint64_t seed = 0;

  void check() const;  // throws kInvalidArgument: which field, found, expected
};

// Changes logits before a token is chosen (grammars, bans). Owned by whoever makes it.
class LogitsRule {
 public:
  virtual ~LogitsRule() = default;
  virtual void apply(std::span<const TokenId> tokens, std::span<float> logits) = 0;
  virtual void accept(TokenId token) = 0;
};

// One per reply. No allocation after the constructor. Not thread-safe.
class Sampler {
 public:
  Sampler(const SamplingParams& params, int32_t vocab);

  // `prompt` and `reply`: the tokens so far. `logits` [vocab] is used as scratch. Ties: the lowest
  // id. NaN counts as -inf; throws kInternal if no logit is above -inf.
  TokenId sample(std::span<float> logits, std::span<const TokenId> prompt,
                 std::span<const TokenId> reply);

 private:
  void penalise(std::span<float> logits, std::span<const TokenId> prompt,
                std::span<const TokenId> reply);
  // Each keeps the first k of order_[0, n) that its rule allows, and returns k.
  size_t keep_top_k(std::span<const float> logits, size_t n);
  size_t keep_top_p(std::span<const float> logits, size_t n, double total);
  double weight(float logit) const;  // exp((logit - max_) / temperature)

  SamplingParams params_;
  Rng rng_;
  float max_ = 0;               // the largest logit of this step
  std::vector<int32_t> order_;  // [vocab] ids, scratch
  std::vector<float> probs_;    // [vocab]
  std::vector<uint32_t> seen_;  // [vocab] counts, scratch
};

}  // namespace phial
