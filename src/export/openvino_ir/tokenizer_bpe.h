// SPDX-License-Identifier: Apache-2.0
// The vocabulary and merges of a tokenizer.json as the operation BPETokenizer reads them. It begins
// with the longest token at each place that no merge makes, where the tokenizers library begins
// with single characters: so tokens that can't be reached from characters are left out here, and
// byte tokens are their byte. Internal to openvino_ir/.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "text/added_tokens.h"
#include "text/tokenizer_json.h"

namespace phial {

struct IrAddedToken {
  AddedToken token;
  TokenId id;
};

struct BpeTables {
  std::vector<std::string> pieces;  // by id; empty: no token, or one that text can't become
  std::vector<std::pair<std::string, std::string>> merges;  // by rank
};

// `byte_level`: tokens are written in GPT-2's alphabet. Throws kUnsupported, naming `where`.
BpeTables make_bpe_tables(TokenizerSpec& spec, bool byte_level, std::span<const IrAddedToken> added,
                          const std::string& where);

}  // namespace phial
