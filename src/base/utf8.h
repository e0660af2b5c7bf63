// SPDX-License-Identifier: Apache-2.0
// UTF-8: decoding one code point at a time, validity, and replacing what isn't valid.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace phial {

// Decodes the code point at text[pos]; returns its length in bytes (1..4), or 0 if the bytes there
// aren't valid UTF-8 (overlong, surrogate, above U+10FFFF, or cut). `pos` must be < text.size().
size_t utf8_decode(std::string_view text, size_t pos, char32_t& code_point);

void utf8_append(std::string& out, char32_t code_point);

// Offset of the first byte that isn't valid UTF-8, or npos.
size_t utf8_first_invalid(std::string_view text);

// How many bytes at the end of `text` are the beginning of a code point that isn't complete yet
// (0..3).
size_t utf8_incomplete_tail(std::string_view text);

// Each maximal invalid part becomes U+FFFD, as Python's decode(errors="replace") does.
std::string utf8_replace_invalid(std::string_view text);

}  // namespace phial
