// SPDX-License-Identifier: Apache-2.0
// Follows the tokenizers library 0.22 (tokenizer/added_vocabulary.rs) in every detail that changes
// ids, its oddities included: see the comments.
#include "text/added_tokens.h"

#include <algorithm>

#include "base/error.h"
#include "text/unicode.h"

namespace phial {
namespace {

constexpr size_t kMaxAddedTokens = 100'000;
constexpr size_t kMaxContentBytes = 4096;  // matching costs text bytes x pattern bytes at worst

bool begins_with_word(std::string_view text, size_t pos) {
  size_t length;
  return pos < text.size() && char_classes(code_point_at(text, pos, length)) & kWord;
}

// Begin of the character before `pos` (> 0).
size_t previous(std::string_view text, size_t pos) {
  do --pos;
  while (pos > 0 && (static_cast<uint8_t>(text[pos]) & 0xC0) == 0x80);
  return pos;
}

bool is_space(std::string_view text, size_t pos, size_t& length) {
  return char_classes(code_point_at(text, pos, length)) & kSpace;
}

}  // namespace

void AddedTokens::Matcher::add(std::string_view pattern, TokenId id) {
  first_[static_cast<uint8_t>(pattern[0])] = true;
  uint32_t node = 0;
  for (const char byte : pattern) {
    const uint64_t edge = uint64_t{node} << 8 | static_cast<uint8_t>(byte);
    if (const uint32_t* next = edges_.find(edge)) {
      node = *next;
    } else {
      node = static_cast<uint32_t>(ids_.size());
      edges_.set(edge, node);
      ids_.push_back(-1);
    }
  }
  if (ids_[node] < 0) ids_[node] = id;  // of equal patterns the first counts
}

bool AddedTokens::Matcher::find(std::string_view text, size_t from, size_t& begin, size_t& end,
                                TokenId& id) const {
  for (begin = from; begin < text.size(); ++begin) {
    if (!first_[static_cast<uint8_t>(text[begin])]) continue;
    id = -1;
    uint32_t node = 0;
    for (size_t pos = begin; pos < text.size();) {
      const uint32_t* next = edges_.find(uint64_t{node} << 8 | static_cast<uint8_t>(text[pos]));
      if (!next) break;
      node = *next;
      ++pos;
      if (ids_[node] >= 0) {
        id = ids_[node];
        end = pos;
      }
    }
    if (id >= 0) return true;
  }
  return false;
}

AddedTokens::AddedTokens(const JsonView& file, const Bpe& bpe, const Normalizer& normalizer) {
  if (!file.has("added_tokens")) return;
  const Json& list = file.at("added_tokens");
  if (!list.is_array())
    throw_error(Code::kCorrupt, "{}: 'added_tokens' must be an array, found {}", file.where(),
                list.type_name());
  if (list.size() > kMaxAddedTokens)
    throw_error(Code::kCorrupt, "{}: {} added tokens, expected at most {}", file.where(),
                list.size(), kMaxAddedTokens);
  TokenId next_id = static_cast<TokenId>(bpe.vocab_count());
  for (size_t i = 0; i < list.size(); ++i) {
    const JsonView entry(list[i], fmt::format("{}: added_tokens[{}]", file.where(), i));
    AddedToken token;
    token.content = entry.string("content");
    if (token.content.empty()) continue;
    if (token.content.size() > kMaxContentBytes)
      throw_error(Code::kCorrupt, "{}: 'content' has {} bytes, expected at most {}", entry.where(),
                  token.content.size(), kMaxContentBytes);
    token.single_word = entry.boolean_or("single_word", false);
    token.lstrip = entry.boolean_or("lstrip", false);
    token.rstrip = entry.boolean_or("rstrip", false);
    token.special = entry.boolean_or("special", false);
    token.normalized = entry.boolean_or("normalized", !token.special);
    // The library gives ids by itself and only warns if the file says otherwise. A file that
    // disagrees fits its weights by one of the two at best, so it is refused.
    const TokenId written = static_cast<TokenId>(entry.integer("id", 0, kMaxTokenId));
    if (token_to_id(token.content))
      throw_error(Code::kCorrupt, "{}: '{}' is there twice", entry.where(), token.content);
    const std::optional<TokenId> known = bpe.token_to_id(token.content);
    const TokenId id = known ? *known : next_id++;
    if (id != written)
      throw_error(Code::kCorrupt, "{}: '{}' says it has id {}, but {} {}", entry.where(),
                  token.content, written, known ? "the vocabulary gives it" : "the next free id is",
                  id);
    add(std::move(token), id);
  }
  // Special ones are added first, which matters only if two normalize to the same text.
  for (const bool special : {true, false}) {
    for (const AddedToken& token : tokens_) {
      const TokenId id = by_content_.at(token.content);
      if (token.special != special) continue;
      const std::string pattern =
          token.normalized ? normalizer.apply(token.content) : token.content;
      if (pattern.empty())
        throw_error(Code::kUnsupported, "{}: the added token '{}' normalizes to nothing",
                    file.where(), token.content);
      (token.normalized ? normalized_ : raw_).add(pattern, id);
    }
  }
}

void AddedTokens::add(AddedToken token, TokenId id) {
  by_content_[token.content] = id;
  by_id_[id] = tokens_.size();
  max_id_ = std::max(max_id_, id);
  tokens_.push_back(std::move(token));
}

std::optional<TokenId> AddedTokens::token_to_id(std::string_view token) const {
  const auto it = by_content_.find(std::string(token));
  return it == by_content_.end() ? std::nullopt : std::optional(it->second);
}

const AddedToken* AddedTokens::find(TokenId id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &tokens_[it->second];
}

std::vector<TextPart> AddedTokens::split(std::string_view text, bool normalized,
                                         bool parse_special) const {
  const Matcher& matcher = normalized ? normalized_ : raw_;
  std::vector<TextPart> parts;
  size_t done = 0;                          // the text before it is in parts
  size_t spaces_begin = 0, spaces_end = 0;  // a run of spaces already walked through
  size_t begin, end;
  TokenId id;
  // A match that is then discarded has still used up its text, and the search goes on after the
  // match itself, not after the spaces that it swallowed.
  for (size_t from = 0; !matcher.empty() && matcher.find(text, from, begin, end, id);) {
    from = end;
    const AddedToken& token = *find(id);
    if (token.special && !parse_special) continue;
    if (token.single_word && ((begin > 0 && begins_with_word(text, previous(text, begin))) ||
                              begins_with_word(text, end)))
      continue;
    if (token.lstrip) {
      size_t first = begin, length;
      while (first > done && is_space(text, previous(text, first), length))
        first = previous(text, first);
      begin = std::max(first, done);
    }
    if (token.rstrip) {
      if (end < spaces_begin || end > spaces_end) {
        spaces_begin = spaces_end = end;
        for (size_t length; spaces_end < text.size() && is_space(text, spaces_end, length);)
          spaces_end += length;
      }
      end = spaces_end;
    }
    if (begin >= end)
      continue;  // within the spaces that the one before swallowed: the library drops it
    if (done < begin) parts.push_back({std::nullopt, done, begin});
    parts.push_back({id, begin, end});
    done = end;
  }
  if (done < text.size()) parts.push_back({std::nullopt, done, text.size()});
  return parts;
}

}  // namespace phial
