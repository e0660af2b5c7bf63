// SPDX-License-Identifier: Apache-2.0
// What a Tokenizer is made of. Included by this layer only.
#pragma once

#include <string>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace phial {

struct Tokenizer::Impl {
  Impl(TokenizerSpec spec, const std::string& where);

  std::optional<TokenId> token_to_id(std::string_view token) const;
  std::string_view id_to_token(TokenId id) const;
  bool has_token(TokenId id) const { return id_to_token(id).data() != nullptr; }  // false: a hole
  bool is_special(TokenId id) const;
  void check(TokenId id) const;  // throws kInvalidArgument if it is negative

  Bpe bpe;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  AddedTokens added;
  Decoder decoder;
  TokenId vocab_size;  // highest id + 1
  std::vector<TokenId> template_prefix;
};

}  // namespace phial
