// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/tokenizer_bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/json.h"
#include "text/bpe.h"
#include "text/byte_alphabet.h"
#include "text/unicode.h"

namespace phial {
namespace {

bool is_one_char(std::string_view text) {
  if (text.empty() || text.size() > 4) return false;
  size_t length;
  code_point_at(text, 0, length);
  return length == text.size();
}

class Tables {
 public:
  Tables(const TokenizerSpec& spec, bool byte_level, const std::string& where)
      : spec_(spec), byte_level_(byte_level), where_(where) {
    for (size_t i = 0; i < spec.vocab.size(); ++i) by_token_.emplace(token(i), i);
    reached_.resize(spec.vocab.size());
  }

  BpeTables make() {
    reach_characters();
    reach_by_merges();
    BpeTables tables;
    TokenId max = -1;
    for (const VocabEntry& entry : spec_.vocab) max = std::max(max, entry.id);
    tables.pieces.resize(static_cast<size_t>(max + 1));
    std::unordered_set<std::string> taken;
    for (size_t i = 0; i < spec_.vocab.size(); ++i) {
      if (!reached_[i]) continue;
      std::string piece = bytes_of(token(i));
      taken.insert(piece);
      tables.pieces[static_cast<size_t>(spec_.vocab[i].id)] = std::move(piece);
    }
    for (const auto& [byte, index] : byte_tokens_)
      if (const std::string piece(1, byte); !taken.contains(piece))
        tables.pieces[static_cast<size_t>(spec_.vocab[index].id)] = piece;
    for (const MergeEntry& merge : spec_.merges) {
      const auto [left, right] = parts(merge);
      if (reached_[by_token_.at(left)] && reached_[by_token_.at(right)])
        tables.merges.emplace_back(bytes_of(left), bytes_of(right));
    }
    if (tables.merges.empty())
      throw_error(Code::kUnsupported, "{}: no merge can ever happen", where_);
    return tables;
  }

 private:
  std::string_view token(size_t index) const {
    const VocabEntry& entry = spec_.vocab[index];
    return std::string_view(spec_.token_bytes).substr(entry.offset, entry.length);
  }
  std::pair<std::string_view, std::string_view> parts(const MergeEntry& merge) const {
    const std::string_view bytes(spec_.merge_bytes);
    return {bytes.substr(merge.offset, merge.left_length),
            bytes.substr(merge.offset + merge.left_length, merge.right_length)};
  }
  std::string bytes_of(std::string_view token) const {
    return byte_level_ ? from_byte_alphabet(token) : std::string(token);
  }

  // Every character of a text must have a symbol: what the operation does with others isn't what
  // the library does.
  void reach_characters() {
    size_t n_bytes = 0;
    for (size_t i = 0; i < spec_.vocab.size(); ++i) {
      if (!is_one_char(token(i)) || (byte_level_ && bytes_of(token(i)).size() != 1)) continue;
      reached_[i] = true;
      n_bytes += byte_level_;
    }
    const bool byte_fallback =
        JsonView(spec_.rest, where_).object("model").boolean_or("byte_fallback", false);
    for (int byte = 0; byte < 256 && byte_fallback && !byte_level_; ++byte) {
      const auto it = by_token_.find(fmt::format("<0x{:02X}>", byte));
      if (it == by_token_.end()) continue;
      byte_tokens_.emplace_back(static_cast<char>(byte), it->second);
      ++n_bytes;
    }
    if (n_bytes != 256)
      throw_error(
          Code::kUnsupported,
          "{}: {} of the 256 bytes have a token, and unknown characters can't be said exactly "
          "with openvino_tokenizers",
          where_, n_bytes);
  }

  void reach_by_merges() {
    std::unordered_set<size_t> bytes;
    for (const auto& [byte, index] : byte_tokens_) bytes.insert(index);
    std::unordered_map<size_t, std::vector<size_t>> waiting;  // token -> merges that need it
    std::vector<size_t> ready;
    auto try_merge = [&](size_t index) {
      const auto [left, right] = parts(spec_.merges[index]);
      const size_t l = by_token_.at(left), r = by_token_.at(right);
      if (bytes.contains(l) || bytes.contains(r))
        throw_error(Code::kUnsupported,
                    "{}: model.merges[{}] merges a byte token, which openvino_tokenizers can't say",
                    where_, index);
      if (!reached_[l]) return waiting[l].push_back(index);
      if (!reached_[r]) return waiting[r].push_back(index);
      const MergeEntry& merge = spec_.merges[index];
      const size_t joined =
          by_token_.at(std::string_view(spec_.merge_bytes)
                           .substr(merge.offset, merge.left_length + merge.right_length));
      if (!reached_[joined]) ready.push_back(joined);
      reached_[joined] = true;
    };
    for (size_t i = 0; i < spec_.merges.size(); ++i) {
      try_merge(i);
      while (!ready.empty()) {
        const size_t next = ready.back();
        ready.pop_back();
        const auto it = waiting.find(next);
        if (it == waiting.end()) continue;
        const std::vector<size_t> woken = std::move(it->second);
        waiting.erase(it);
        for (const size_t merge : woken) try_merge(merge);
      }
    }
  }

  const TokenizerSpec& spec_;
  bool byte_level_;
  const std::string& where_;
  std::unordered_map<std::string_view, size_t> by_token_;  // into spec_.vocab
  std::vector<bool> reached_;                              // by a text's characters and merges
  std::vector<std::pair<char, size_t>> byte_tokens_;
};

// The operation looks an added token up like any text: it must come out as its id.
void check_added(const BpeTables& tables, const Bpe& bpe, std::span<const IrAddedToken> added,
                 bool byte_level, const std::string& where) {
  std::unordered_map<std::string_view, TokenId> known;
  for (size_t id = 0; id < tables.pieces.size(); ++id)
    if (!tables.pieces[id].empty()) known.emplace(tables.pieces[id], static_cast<TokenId>(id));
  BpeScratch scratch;
  for (const IrAddedToken& entry : added) {
    const std::string& content = entry.token.content;
    if (!known.contains(content)) continue;
    std::vector<TokenId> ids;
    bpe.encode(byte_level ? to_byte_alphabet(content) : content, scratch, ids);
    if (ids != std::vector{entry.id})
      throw_error(Code::kUnsupported,
                  "{}: the added token '{}' is also ordinary text with other ids, which "
                  "openvino_tokenizers can't say",
                  where, content);
  }
}

// A piece that is a token by itself needs no merges with ignore_merges. The operation doesn't know
// that; it makes no difference if the merges come to the same.
void check_ignore_merges(const TokenizerSpec& spec, const Bpe& bpe,
                         std::span<const IrAddedToken> added, const std::string& where) {
  std::unordered_set<TokenId> cut_out;
  for (const IrAddedToken& entry : added) cut_out.insert(entry.id);
  BpeScratch scratch;
  std::vector<TokenId> ids;
  for (const VocabEntry& entry : spec.vocab) {
    if (cut_out.contains(entry.id)) continue;
    const std::string_view token =
        std::string_view(spec.token_bytes).substr(entry.offset, entry.length);
    ids.clear();
    bpe.encode(token, scratch, ids);
    if (ids != std::vector{entry.id})
      throw_error(Code::kUnsupported,
                  "{}: model.ignore_merges is set and '{}' isn't what its merges make, which "
                  "openvino_tokenizers can't say",
                  where, token);
  }
}

}  // namespace

BpeTables make_bpe_tables(TokenizerSpec& spec, bool byte_level, std::span<const IrAddedToken> added,
                          const std::string& where) {
  Json& model = spec.rest["model"];
  const bool ignore_merges = JsonView(model, where).boolean_or("ignore_merges", false);
  if (ignore_merges) model["ignore_merges"] = false;
  const Bpe bpe(spec, where);
  BpeTables tables = Tables(spec, byte_level, where).make();
  check_added(tables, bpe, added, byte_level, where);
  if (ignore_merges) check_ignore_merges(spec, bpe, added, where);
  return tables;
}

}  // namespace phial
