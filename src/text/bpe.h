// SPDX-License-Identifier: Apache-2.0
// The BPE model of a tokenizer.json: its vocabulary and its merges, and the ids of one piece of
// normalized text. Doesn't know added tokens, normalizers or split rules.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/flat_map.h"
#include "text/tokenizer_json.h"

namespace phial {

// Memory that encoding reuses from piece to piece.
struct BpeScratch {
  std::vector<uint32_t> symbols;       // ids of the piece's characters
  std::vector<uint32_t> left, right;   // linked list over the symbols of a run
  std::vector<uint64_t> sorted, heap;  // rank << 32 | position
};

class Bpe {
 public:
  // Takes the packed lists out of `spec`. Throws kCorrupt, kUnsupported, naming `where`.
  Bpe(TokenizerSpec& spec, const std::string& where);

  Bpe(const Bpe&) = delete;
  Bpe& operator=(const Bpe&) = delete;

  // Appends the ids of `piece` (valid UTF-8). Thread-safe with a scratch of one's own.
  void encode(std::string_view piece, BpeScratch& scratch, std::vector<TokenId>& ids) const;

  std::optional<TokenId> token_to_id(std::string_view token) const;
  std::string_view id_to_token(TokenId id) const;  // empty if there is none
  size_t vocab_count() const { return by_token_.size(); }
  TokenId max_id() const {
    return static_cast<TokenId>(by_id_.size()) - 1;
  }  // -1 if the vocabulary is empty

 private:
  void load_vocab(const TokenizerSpec& spec, const std::string& where);
  void load_merges(const TokenizerSpec& spec, const std::string& where);
  void add_symbols(std::string_view piece, std::vector<uint32_t>& symbols) const;
  void merge_run(uint32_t* symbols, size_t count, BpeScratch& scratch,
                 std::vector<TokenId>& ids) const;

  std::string where_;
  std::string token_bytes_;
  std::unordered_map<std::string_view, TokenId> by_token_;  // views into token_bytes_
  std::vector<std::string_view> by_id_;
  size_t max_token_bytes_ = 0;
  FlatMap chars_;                 // code point -> id of the token that is this one character
  FlatMap ranks_;                 // left id << 32 | right id -> rank
  std::vector<uint32_t> merged_;  // rank -> id of the joined token
  FlatMap joins_;  // left id << 32 | right id of characters that a merge can join; see load_merges
  bool runs_ = false;  // joins_ may be used
  std::string unk_token_;
  std::optional<uint32_t> unk_id_;
  std::array<int32_t, 256> byte_ids_;  // of <0x00>..<0xFF>, -1 if there is none
  bool has_unk_ = false, fuse_unk_ = false, byte_fallback_ = false, ignore_merges_ = false;
};

}  // namespace phial
