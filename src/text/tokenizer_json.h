// SPDX-License-Identifier: Apache-2.0
// The text of a tokenizer.json taken apart: the two long lists (vocabulary, merges) packed,
// everything else as Json. Knows the JSON's shape and its limits, not what the parts mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace phial {

constexpr TokenId kMaxTokenId = 10'000'000;  // fifty times the largest vocabulary of the family

struct VocabEntry {
  uint32_t offset, length;  // in TokenizerSpec::token_bytes
  TokenId id;
};

struct MergeEntry {
  uint32_t offset, left_length, right_length;  // left, then right, in TokenizerSpec::merge_bytes
};

struct TokenizerSpec {
  std::string token_bytes;
  std::vector<VocabEntry> vocab;  // in the file's order
  std::string merge_bytes;
  std::vector<MergeEntry> merges;  // by rank
  bool has_vocab = false, has_merges = false;
  Json rest;  // the whole object, without model.vocab and model.merges
};

// Throws kCorrupt on what isn't JSON of a tokenizer.json's shape, naming `where`.
TokenizerSpec read_tokenizer_json(std::string_view text, const std::string& where);

}  // namespace phial
