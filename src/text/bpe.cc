// SPDX-License-Identifier: Apache-2.0
// The order of merges is that of the tokenizers library (models/bpe/word.rs): lowest rank first,
// leftmost on ties, an entry of the queue being valid as long as the pair at its place still makes
// the same token.
#include "text/bpe.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "text/unicode.h"

namespace phial {
namespace {

constexpr uint32_t kGone = ~0u;  // a symbol that was merged into its left neighbour
constexpr uint32_t kNone = ~0u;  // no neighbour

uint64_t pair_key(uint64_t left, uint64_t right) { return left << 32 | right; }

char32_t first_char(std::string_view text) {
  size_t length;
  return code_point_at(text, 0, length);
}

char32_t last_char(std::string_view text) {
  size_t pos = text.size() - 1, length;
  while (pos > 0 && (static_cast<uint8_t>(text[pos]) & 0xC0) == 0x80) --pos;
  return code_point_at(text, pos, length);
}

}  // namespace

Bpe::Bpe(TokenizerSpec& spec, const std::string& where) : where_(where) {
  const JsonView model = JsonView(spec.rest, where).object("model");
  const std::string type =
      model.string_or("type", "BPE");  // files of the library's first years don't say
  if (type != "BPE")
    throw_error(Code::kUnsupported, "{}: the tokenizer model is '{}', phial has only BPE", where,
                type);
  if (model.number_or("dropout", 0) != 0)
    throw_error(Code::kUnsupported, "{}: model.dropout isn't 0: ids would be random", where);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!model.string_or(key, "").empty())
      throw_error(Code::kUnsupported, "{}: model.{} isn't supported", where, key);
  if (!spec.has_vocab)
    throw_error(Code::kCorrupt, "{}: model.vocab is missing or not an object", where);
  if (!spec.has_merges || (spec.merges.empty() && spec.vocab.size() > 256))
    throw_error(Code::kCorrupt,
                "{}: the BPE model has no merges: every character would be a token of its own",
                where);
  fuse_unk_ = model.boolean_or("fuse_unk", false);
  byte_fallback_ = model.boolean_or("byte_fallback", false);
  ignore_merges_ = model.boolean_or("ignore_merges", false);
  load_vocab(spec, where);
  has_unk_ = model.has("unk_token");
  unk_token_ = model.string_or("unk_token", "");
  if (auto id = token_to_id(unk_token_); has_unk_ && id) unk_id_ = static_cast<uint32_t>(*id);
  load_merges(spec, where);
}

void Bpe::load_vocab(const TokenizerSpec& spec, const std::string& where) {
  token_bytes_ = spec.token_bytes;
  by_token_.reserve(spec.vocab.size());
  TokenId max = -1;
  for (const VocabEntry& entry : spec.vocab) max = std::max(max, entry.id);
  by_id_.resize(static_cast<size_t>(max + 1));
  std::vector<bool> taken(by_id_.size());
  byte_ids_.fill(-1);
  for (const VocabEntry& entry : spec.vocab) {
    const std::string_view token =
        std::string_view(token_bytes_).substr(entry.offset, entry.length);
    if (!by_token_.emplace(token, entry.id).second)
      throw_error(Code::kCorrupt, "{}: model.vocab has '{}' twice", where, token);
    if (taken[entry.id])
      throw_error(Code::kCorrupt, "{}: model.vocab gives id {} to both '{}' and '{}'", where,
                  entry.id, by_id_[entry.id], token);
    taken[entry.id] = true;
    by_id_[entry.id] = token;
    max_token_bytes_ = std::max(max_token_bytes_, token.size());
    if (token.empty() || token.size() > 4) continue;
    size_t length;
    const char32_t c = code_point_at(token, 0, length);
    if (length == token.size()) chars_.set(c, static_cast<uint32_t>(entry.id));
  }
  for (int byte = 0; byte < 256; ++byte)
    byte_ids_[byte] = token_to_id(fmt::format("<0x{:02X}>", byte)).value_or(-1);
}

// Beside the ranks, notes which neighbouring characters a merge can join at all. A text falls into
// runs between which nothing can merge: where no left part of any merge ends with the one character
// while its right part begins with the other. Runs are short in ordinary text (Phi-3 has no tokens
// across a "▁"), so the queues stay small though there is no pre-tokenizer. Exact, since merges of
// different runs never meet; given up if a merge has a symbol of several characters (a byte token,
// <unk>) for a part.
void Bpe::load_merges(const TokenizerSpec& spec, const std::string& where) {
  ranks_ = FlatMap(spec.merges.size());
  merged_.reserve(spec.merges.size());
  FlatMap multi_char(257);  // symbols that don't stand for one character
  for (const int32_t id : byte_ids_)
    if (id >= 0) multi_char.set(static_cast<uint64_t>(id), 1);
  if (unk_id_) multi_char.set(*unk_id_, 1);
  runs_ = true;
  for (const MergeEntry& merge : spec.merges) {
    const std::string_view joined =
        std::string_view(spec.merge_bytes)
            .substr(merge.offset, merge.left_length + merge.right_length);
    const std::string_view left = joined.substr(0, merge.left_length),
                           right = joined.substr(merge.left_length);
    auto id = [&](std::string_view token) {
      const auto it = by_token_.find(token);
      if (it == by_token_.end())
        throw_error(
            Code::kCorrupt,
            "{}: model.merges[{}] ('{}' and '{}') needs the token '{}', which isn't in model.vocab",
            where, merged_.size(), left, right, token);
      return static_cast<uint32_t>(it->second);
    };
    const uint32_t left_id = id(left), right_id = id(right);
    ranks_.set(pair_key(left_id, right_id),
               static_cast<uint32_t>(merged_.size()));  // the last of equal pairs counts
    merged_.push_back(id(joined));
    if (multi_char.find(left_id) || multi_char.find(right_id)) runs_ = false;
    if (left.empty() || right.empty()) continue;  // an empty token is never a symbol
    const uint32_t* last = chars_.find(last_char(left));
    const uint32_t* first = chars_.find(first_char(right));
    if (last && first) joins_.set(pair_key(*last, *first), 1);
  }
}

std::optional<TokenId> Bpe::token_to_id(std::string_view token) const {
  const auto it = by_token_.find(token);
  return it == by_token_.end() ? std::nullopt : std::optional(it->second);
}

std::string_view Bpe::id_to_token(TokenId id) const {
  return id >= 0 && id <= max_id() ? by_id_[static_cast<size_t>(id)] : std::string_view();
}

// One symbol a character; a character without a token becomes its byte tokens or <unk>. A held-back
// <unk> comes out before the next known character only, even if byte tokens come between: so does
// the library.
void Bpe::add_symbols(std::string_view piece, std::vector<uint32_t>& symbols) const {
  size_t pending_unks = 0;
  auto flush = [&] {
    if (pending_unks) symbols.push_back(*unk_id_);
    pending_unks = 0;
  };
  for (size_t pos = 0, length; pos < piece.size(); pos += length) {
    const char32_t c = code_point_at(piece, pos, length);
    if (const uint32_t* id = chars_.find(c)) {
      flush();
      symbols.push_back(*id);
      continue;
    }
    const std::string_view bytes = piece.substr(pos, length);
    auto byte_id = [&](char byte) { return byte_ids_[static_cast<uint8_t>(byte)]; };
    if (byte_fallback_ &&
        std::all_of(bytes.begin(), bytes.end(), [&](char b) { return byte_id(b) >= 0; })) {
      for (const char byte : bytes) symbols.push_back(static_cast<uint32_t>(byte_id(byte)));
      continue;
    }
    if (!has_unk_) continue;  // dropped, as in the library
    if (!unk_id_)
      throw_error(Code::kUnsupported,
                  "{}: U+{:04X} has no token, and the unknown token '{}' isn't in model.vocab",
                  where_, static_cast<uint32_t>(c), unk_token_);
    if (!fuse_unk_) flush();
    ++pending_unks;
  }
  flush();
}

void Bpe::merge_run(uint32_t* symbols, size_t count, BpeScratch& scratch,
                    std::vector<TokenId>& ids) const {
  if (count == 1) {
    ids.push_back(static_cast<TokenId>(symbols[0]));
    return;
  }
  // The entries of the beginning are sorted once; only those that merges add need a heap.
  std::vector<uint64_t>& sorted = scratch.sorted;
  std::vector<uint64_t>& heap = scratch.heap;
  sorted.clear();
  heap.clear();
  for (size_t i = 0; i + 1 < count; ++i)
    if (const uint32_t* rank = ranks_.find(pair_key(symbols[i], symbols[i + 1])))
      sorted.push_back(pair_key(*rank, i));
  std::sort(sorted.begin(), sorted.end());
  scratch.left.resize(count);
  scratch.right.resize(count);
  uint32_t* left = scratch.left.data();
  uint32_t* right = scratch.right.data();
  for (size_t i = 0; i < count; ++i) {
    left[i] = i ? static_cast<uint32_t>(i - 1) : kNone;
    right[i] = i + 1 < count ? static_cast<uint32_t>(i + 1) : kNone;
  }
  auto push = [&](uint32_t pos, uint32_t next) {
    const uint32_t* rank = ranks_.find(pair_key(symbols[pos], symbols[next]));
    if (!rank) return;
    heap.push_back(pair_key(*rank, pos));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (size_t front = 0; front < sorted.size() || !heap.empty();) {
    uint64_t top;
    if (heap.empty() || (front < sorted.size() && sorted[front] <= heap.front())) {
      top = sorted[front++];
    } else {
      top = heap.front();
      std::pop_heap(heap.begin(), heap.end(), std::greater<>());
      heap.pop_back();
    }
    const uint32_t pos = static_cast<uint32_t>(top), merged = merged_[top >> 32];
    if (symbols[pos] == kGone || right[pos] == kNone) continue;
    const uint32_t next = right[pos];
    const uint32_t* rank = ranks_.find(pair_key(symbols[pos], symbols[next]));
    if (!rank || merged_[*rank] != merged) continue;  // the pair has changed since
    symbols[pos] = merged;
    symbols[next] = kGone;
    right[pos] = right[next];
    if (right[pos] != kNone) left[right[pos]] = pos;
    if (left[pos] != kNone) push(left[pos], pos);
    if (right[pos] != kNone) push(pos, right[pos]);
  }
  for (size_t i = 0; i < count; ++i)
    if (symbols[i] != kGone) ids.push_back(static_cast<TokenId>(symbols[i]));
}

void Bpe::encode(std::string_view piece, BpeScratch& scratch, std::vector<TokenId>& ids) const {
  if (ignore_merges_ && piece.size() <= max_token_bytes_) {
    if (const auto id = token_to_id(piece)) {
      ids.push_back(*id);
      return;
    }
  }
  std::vector<uint32_t>& symbols = scratch.symbols;
  symbols.clear();
  add_symbols(piece, symbols);
  for (size_t begin = 0, end; begin < symbols.size(); begin = end) {
    end = begin + 1;
    while (end < symbols.size() &&
           (!runs_ || joins_.find(pair_key(symbols[end - 1], symbols[end]))))
      ++end;
    merge_run(symbols.data() + begin, end - begin, scratch, ids);
  }
}

}  // namespace phial
