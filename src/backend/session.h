// SPDX-License-Identifier: Apache-2.0
// What a running model offers, whatever runs it: feed tokens, get logits, forget. One narrow
// interface; what a device can't do is data in Limits, not an optional virtual. Knows no model:
// LongRoPE's re-prefill, windows and caches are the engine's own business.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace phial {

using SequenceId = int32_t;
using TokenId = int32_t;

struct Limits {
  int32_t vocab = 0;
  int32_t max_context = 0;    // tokens a sequence can hold
  int32_t max_sequences = 1;  // at once
  int32_t prefill_chunk =
      0;  // tokens the engine takes in one go; longer steps are cut inside. 0: any
  bool cheap_truncate = true;  // false: truncate() means a new prefill
  // A step of several tokens gives each of them the logits, to the bit, that steps of one would,
  // and truncate() leaves no trace: tokens may be fed on the guess that they come.
  bool exact_steps = false;
  // A step that begins before this position and ends beyond it changes all that is cached: guesses
  // mustn't cross it. 0: there is no such position.
  int32_t switch_position = 0;
};

// Tokens to append to a sequence (a new id begins an empty one).
struct Step {
  SequenceId seq = 0;
  std::span<const TokenId> tokens;
  float* logits = nullptr;  // nullptr: fill the cache only. Else [vocab] of the last token, or with
                            // all_logits [tokens.size(), vocab]
  bool all_logits = false;
};

// Asked now and then during long steps; true means stop.
using Interrupt = std::function<bool()>;

// Not thread-safe: one caller at a time.
class Session {
 public:
  virtual ~Session() = default;
  virtual Limits limits() const = 0;

  // Ragged: prefill is a long step, decode a short one; several sequences in one batch. Throws
  // kContextFull (nothing is changed then), kInvalidArgument (a token outside the vocabulary, too
  // many sequences), kCancelled (the sequences of this batch are as before the call).
  virtual void step(std::span<const Step> batch, const Interrupt& interrupt = {}) = 0;

  // Forget everything after the first `length` tokens. No effect if the sequence is shorter or
  // unknown.
  virtual void truncate(SequenceId seq, int32_t length) = 0;
  virtual void release(SequenceId seq) = 0;
  virtual int32_t length(SequenceId seq) const = 0;  // 0 if unknown

  // Names for the statistics line: "cpu", "avx512vnni", ...
  virtual std::string device() const = 0;
  virtual std::string tier() const = 0;

  // Bytes of keys and values that each earlier token costs a later one to read; 0: not known.
  virtual uint64_t cache_bytes_per_token() const { return 0; }
};

}  // namespace phial
