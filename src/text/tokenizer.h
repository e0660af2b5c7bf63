// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of the Phi-3 family: text to token ids and back, identical to the Hugging Face
// tokenizers library. Both kinds: SentencePiece-style BPE with byte fallback (Phi-3, Phi-3.5) and
// byte-level BPE with a split rule (Phi-4, Phi-4-mini). Not a general tokenizers clone: what it
// doesn't know it refuses by name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "text/decode_state.h"

namespace phial {

using TokenId = int32_t;

class Tokenizer {
 public:
  // tokenizer.json of this folder. Throws kNotFound, kCorrupt, kUnsupported.
  static std::shared_ptr<const Tokenizer> open(const fs::path& folder);
  // From the text of a tokenizer.json; `where` names it in errors.
  static std::shared_ptr<const Tokenizer> parse(std::string_view json, const std::string& where);
  ~Tokenizer();

  // Ids of `text`. Special tokens written in the text are recognised unless `parse_special` is
  // false (then they are ordinary text). Never adds BOS. Invalid UTF-8 is replaced by U+FFFD first.
  // Thread-safe.
  std::vector<TokenId> encode(std::string_view text, bool parse_special = true) const;

  // Text of `ids` as the library's decode(): the decoder's steps, special tokens left out if
  // `skip_special`. Ids without a token (holes, and rows of the matrix beyond the last token) give
  // nothing; negative ones throw kInvalidArgument.
  std::string decode(std::span<const TokenId> ids, bool skip_special = true) const;

  std::optional<TokenId> token_to_id(std::string_view token) const;
  std::string_view id_to_token(TokenId id) const;  // empty if there is none
  bool is_special(TokenId id) const;
  int32_t vocab_size() const;  // highest id + 1

  // Ids that the file's post_processor would put before a text (Phi-3's first files: BOS). encode()
  // doesn't.
  const std::vector<TokenId>& template_prefix() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Text of a growing list of ids, piece by piece: the concatenation of all pieces equals decode() of
// all ids, no piece ends inside a UTF-8 sequence. One per reply; not thread-safe.
class StreamDecoder {
 public:
  // `keep_leading_space`: don't strip the one leading space that decode() strips (raw
  // continuation).
  StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = true,
                bool keep_leading_space = false);
  std::string push(TokenId id);  // what can be said now, may be empty
  std::string finish();          // what was held back

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool skip_special_;
  DecodeState state_;  // bytes of byte-fallback or byte-level tokens that may still become text
};

}  // namespace phial
