// SPDX-License-Identifier: Apache-2.0
// Template source to tokens, with Jinja's treatment of whitespace and newlines (trim_blocks and
// lstrip_blocks on).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace phial {

struct JinjaToken {
  enum class Kind : uint8_t {
    kText,
    kPrintBegin,
    kPrintEnd,
    kBlockBegin,
    kBlockEnd,
    kName,
    kString,
    kInteger,
    kFloat,
    kOperator,
    kEnd
  };
  Kind kind = Kind::kEnd;
  int line = 1;
  std::string text;  // of text, names, strings (unescaped) and operators
  int64_t integer = 0;
  double real = 0;
};

// The last token is kEnd. Throws kCorrupt with the line.
std::vector<JinjaToken> jinja_tokens(std::string_view source, const std::string& where);

}  // namespace phial
