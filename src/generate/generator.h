// SPDX-License-Identifier: Apache-2.0
// The generation loop over any Session: prefill, sample, decode text, stop, statistics. The same
// for every engine.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/session.h"
#include "generate/sampler.h"
#include "text/tokenizer.h"

namespace phial {

enum class FinishReason : uint8_t {
  kStop,       // a stop id or stop string
  kLength,     // max_new_tokens reached, or the context is full
  kCancelled,  // the interrupt or the callback said stop
};
const char* finish_reason_name(FinishReason reason);  // "stop", "length", "cancelled"

struct GenerateParams {
  int32_t max_new_tokens = -1;  // -1: until a stop or the end of the context
  SamplingParams sampling;
  std::vector<TokenId> stop_ids;  // the union that the files name, see stop_ids_of()
  std::vector<std::string> stop_strings;
  bool ignore_eos = false;   // stop ids don't stop (benchmarks)
  bool skip_special = true;  // in the text
  // Guess from what the text said before (NgramDraft), and check several tokens in one step: the
  // same reply, sooner where it repeats. Without effect on sessions that don't have
  // Limits::exact_steps.
  bool speculate = false;
  bool keep_leading_space = false;  // raw continuation
};

struct GenerateStats {
  int32_t prompt_tokens = 0;  // of the whole prompt
  int32_t cached_tokens = 0;  // of those, already in the session (a conversation's earlier turns)
  int32_t generated_tokens = 0;    // sampled, the stop token included
  int32_t drafted_tokens = 0;      // guessed and fed ...
  int32_t accepted_tokens = 0;     // ... and true
  double prefill_seconds = 0;      // prompt -> first logits
  double decode_seconds = 0;       // all further steps
  double first_token_seconds = 0;  // call -> first sampled token
};

struct GenerateResult {
  std::vector<TokenId> ids;  // without the stop token
  std::string text;          // valid UTF-8 if the tokens are
  FinishReason finish_reason = FinishReason::kLength;
  TokenId stop_id = -1;     // the stop id that ended it, -1 if another reason
  std::string stop_string;  // the stop string that ended it, if one did
  GenerateStats stats;
};

// Called with each new piece of text (never empty); false stops the reply.
using TextCallback = std::function<bool(std::string_view piece)>;

// Continues sequence `seq` of `session` so that it holds `prompt` and then the reply. What the
// sequence already holds is kept as far as it is a prefix of `prompt` (`cached` = the ids that it
// holds; empty: nothing) and truncated behind that. On return `cached` is what the sequence holds
// now: prompt and reply, the stop token included if one was sampled and fed. Throws kContextFull
// with both numbers if the prompt doesn't fit with room for one token.
GenerateResult generate(Session& session, SequenceId seq, std::vector<TokenId>& cached,
                        std::shared_ptr<const Tokenizer> tokenizer, std::span<const TokenId> prompt,
                        const GenerateParams& params, const TextCallback& on_text = {},
                        const Interrupt& interrupt = {});

}  // namespace phial
