// SPDX-License-Identifier: Apache-2.0
#include "backend/check_batch.h"

#include <algorithm>

#include "base/error.h"

namespace phial {

void check_batch(std::span<const Step> batch, const Limits& limits,
                 const std::function<int32_t(SequenceId)>& length, size_t open,
                 int32_t model_context) {
  int64_t unknown = 0;
  for (size_t i = 0; i < batch.size(); ++i) {
    const Step& step = batch[i];
    if (step.tokens.empty())
      throw_error(Code::kInvalidArgument, "step {} of the batch (sequence {}) has no tokens", i,
                  step.seq);
    for (const TokenId token : step.tokens)
      if (token < 0 || token >= limits.vocab)
        throw_error(Code::kInvalidArgument,
                    "token {} of sequence {} is outside the vocabulary of {}", token, step.seq,
                    limits.vocab);
    for (size_t j = 0; j < i; ++j)
      if (batch[j].seq == step.seq)
        throw_error(Code::kInvalidArgument, "sequence {} is twice in a batch, at {} and {}",
                    step.seq, j, i);
    unknown += length(step.seq) < 0;
  }
  if (static_cast<int64_t>(open) + unknown > limits.max_sequences)
    throw_error(
        Code::kInvalidArgument,
        "{} sequences are open and the batch begins {} more, the session was opened for {} at once",
        open, unknown, limits.max_sequences);
  for (const Step& step : batch) {
    const int64_t had = std::max(length(step.seq), 0);
    const int64_t more = static_cast<int64_t>(step.tokens.size());
    if (had + more > limits.max_context)
      throw_error(Code::kContextFull,
                  "sequence {} has {} tokens and gets {} more, the context holds {} (of the "
                  "model's {}); raise it with --context or send less",
                  step.seq, had, more, limits.max_context, model_context);
  }
}

}  // namespace phial
