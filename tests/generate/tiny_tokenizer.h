// SPDX-License-Identifier: Apache-2.0
// A tokenizer of Phi-3's kind with single letters only: 0-2 <unk> <s> </s>, 3-258 the bytes, 259
// "▁", 260-285 a-z, then the special tokens <|end|> <|user|> <|assistant|> <|system|>
// <|endoftext|>, 291 "qq".
#pragma once

#include <memory>

#include "base/json.h"
#include "text/tokenizer.h"

namespace phial {

constexpr TokenId kSpace = 259, kLetterA = 260, kEnd = 286, kUser = 287, kAssistant = 288,
                  kEndOfText = 290;
constexpr int32_t kTinyVocab = 292;

inline std::shared_ptr<const Tokenizer> tiny_tokenizer() {
  Json vocab = Json::object();
  int id = 0;
  for (const char* token : {"<unk>", "<s>", "</s>"}) vocab[token] = id++;
  for (int byte = 0; byte < 256; ++byte) vocab[fmt::format("<0x{:02X}>", byte)] = id++;
  vocab["\u2581"] = id++;
  for (char c = 'a'; c <= 'z'; ++c) vocab[std::string(1, c)] = id++;
  vocab["qq"] = 291;  // the one merge: phial refuses a BPE model without any
  Json added = Json::array();
  const auto add = [&](const char* token, int token_id) {
    added.push_back({{"id", token_id},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  };
  add("<unk>", 0);
  add("<s>", 1);
  add("</s>", 2);
  for (const char* token :
       {"<|end|>", "<|user|>", "<|assistant|>", "<|system|>", "<|endoftext|>"}) {
    vocab[token] = id;  // also in the vocabulary, or the library would number them behind "qq"
    add(token, id++);
  }
  const auto replace = [](const char* from, const char* to) {
    return Json{{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
  };
  const Json json = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added},
      {"normalizer",
       {{"type", "Sequence"},
        {"normalizers",
         Json::array({Json{{"type", "Prepend"}, {"prepend", "\u2581"}}, replace(" ", "\u2581")})}}},
      {"pre_tokenizer", nullptr},
      {"post_processor", nullptr},
      {"decoder",
       {{"type", "Sequence"},
        {"decoders",
         Json::array({replace("\u2581", " "), Json{{"type", "ByteFallback"}},
                      Json{{"type", "Fuse"}},
                      Json{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}})}}},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", "<unk>"},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", true},
        {"byte_fallback", true},
        {"vocab", vocab},
        {"merges", Json::array({"q q"})}}}};
  return Tokenizer::parse(json.dump(), "tiny tokenizer");
}

inline std::vector<TokenId> letters(
    std::string_view text) {  // without the "▁" that encode() puts first
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(c == ' ' ? kSpace : kLetterA + (c - 'a'));
  return ids;
}

}  // namespace phial
