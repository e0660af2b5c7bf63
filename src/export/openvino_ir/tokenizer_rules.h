// SPDX-License-Identifier: Apache-2.0
// What a tokenizer.json says around its BPE model, as steps that operations on strings can do one
// after the other. Reads a file that text/ has accepted; what can't be said exactly it refuses.
// Internal to openvino_ir/.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/side_files.h"
#include "export/openvino_ir/tokenizer_bpe.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace phial {

struct IrReplacement {
  std::string pattern, replacement;  // as PCRE2 reads them
};

struct EncodeRules {
  std::vector<IrAddedToken> added;
  std::string cut_out;                      // pattern of the added tokens
  std::vector<IrReplacement> replacements;  // then, of each part between added tokens
  std::vector<std::string> splits;          // then: patterns of pieces
  bool byte_level = false;                  // tokens are written in GPT-2's alphabet
  std::vector<TokenId> prefix;              // ids before the text: BOS
  TokenId pad = 0;
  bool pad_right = true;
  int32_t max_length = 0;  // where truncation cuts, if somebody asks for it
};

struct DecodeRules {
  bool byte_level = false;
  std::vector<IrReplacement> replaces;  // of each token
  bool byte_fallback = false;
  int strip = 0;  // how many leading spaces the text loses
  std::string strip_char;
};

EncodeRules read_encode_rules(const TokenizerSpec& spec, const Tokenizer& tokenizer,
                              const SideFiles& files, const std::string& where);
DecodeRules read_decode_rules(const TokenizerSpec& spec, const std::string& where);

}  // namespace phial
