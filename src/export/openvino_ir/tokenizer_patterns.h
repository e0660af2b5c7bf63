// SPDX-License-Identifier: Apache-2.0
// Regular expressions for the openvino_tokenizers extension, which searches with PCRE2 (UTF, UCP).
// Character classes are written out from phial's own tables, because PCRE2's \p{L} and \s follow
// another version of Unicode than the tokenizers library does. Internal to openvino_ir/.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "text/added_tokens.h"
#include "text/split_rule.h"

namespace phial {

// Matches `literal` and nothing else.
std::string pcre_literal(std::string_view literal);

// `literal` as a replacement, in which $ has a meaning.
std::string pcre_replacement(std::string_view literal);

// Matches one piece of a text, at the piece's begin.
std::string pcre_split_rule(SplitRule rule);

// Matches the next added token with the spaces that it swallows; group 1 is the token. Throws
// kUnsupported for flags that can't be said, and for more tokens than a pattern may hold.
std::string pcre_added_tokens(std::span<const AddedToken> tokens, const std::string& where);

// Bytes written as "<marker>NN", hexadecimal: matches each byte of a run that as a whole isn't
// valid UTF-8.
std::string pcre_byte_of_invalid_run(std::string_view marker);

// Bytes written in GPT-2's alphabet (text/byte_alphabet.h): matches each maximal part that isn't
// valid UTF-8.
std::string pcre_invalid_part_in_alphabet();

}  // namespace phial
