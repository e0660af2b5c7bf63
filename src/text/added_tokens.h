// SPDX-License-Identifier: Apache-2.0
// The added tokens of a tokenizer.json: which ids they have, and how a text is cut at them before
// anything else happens to it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "text/bpe.h"
#include "text/flat_map.h"
#include "text/normalizer.h"

namespace phial {

struct AddedToken {
  std::string content;
  bool single_word = false;  // only where no word character stands beside it
  bool lstrip = false;       // swallows the spaces before it
  bool rstrip = false;       // swallows the spaces after it
  bool normalized = false;   // looked for in the normalized text, in its own normalized form
  bool special = false;
};

// A part of a text: an added token, or text in between (no id).
struct TextPart {
  std::optional<TokenId> id;
  size_t begin, end;
};

class AddedTokens {
 public:
  AddedTokens(const JsonView& file, const Bpe& bpe, const Normalizer& normalizer);

  // The parts of `text` in order. `normalized` asks for the second pass, over normalized text.
  std::vector<TextPart> split(std::string_view text, bool normalized, bool parse_special) const;

  std::optional<TokenId> token_to_id(std::string_view token) const;
  const AddedToken* find(TokenId id) const;
  TokenId max_id() const { return max_id_; }  // -1 if there are none

 private:
  // The longest of many strings that begins at a place of the text.
  class Matcher {
   public:
    void add(std::string_view pattern, TokenId id);
    bool empty() const { return edges_.size() == 0; }
    // Next leftmost-longest match at or after `from`; false if there is none.
    bool find(std::string_view text, size_t from, size_t& begin, size_t& end, TokenId& id) const;

   private:
    std::array<bool, 256> first_{};
    FlatMap edges_;                 // node << 8 | byte -> node
    std::vector<TokenId> ids_{-1};  // of the pattern that ends at the node, -1 if none does
  };

  void add(AddedToken token, TokenId id);

  std::vector<AddedToken> tokens_;
  std::unordered_map<TokenId, size_t> by_id_;  // into tokens_
  std::unordered_map<std::string, TokenId> by_content_;
  Matcher raw_, normalized_;
  TokenId max_id_ = -1;
};

}  // namespace phial
