// SPDX-License-Identifier: Apache-2.0
// The decoder of a tokenizer.json: tokens back to text, token by token. What can't be decided yet
// (byte tokens, the beginning of a UTF-8 sequence) is held in the state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/decode_state.h"

namespace phial {

class Decoder {
 public:
  // From the file's "decoder". Throws kCorrupt, kUnsupported.
  explicit Decoder(const JsonView& file);

  DecodeState begin() const { return {{}, strip_count_}; }
  // Appends to `out` what is certain after `token`; finish() appends the rest. All pieces together
  // are the decoded text.
  void push(DecodeState& state, std::string_view token, std::string& out) const;
  void finish(DecodeState& state, std::string& out) const;

 private:
  struct Replace {
    std::string pattern, content;
  };
  void add(const JsonView& step, int depth, int& stage);
  void emit(DecodeState& state, std::string_view text, std::string& out) const;
  void flush_bytes(DecodeState& state, std::string& out) const;

  bool byte_level_ = false;  // GPT-2's alphabet; else the chain below, in this order
  std::vector<Replace> replaces_;
  bool byte_fallback_ = false;
  std::string strip_;  // the character to strip
  int strip_count_ = 0;
};

}  // namespace phial
