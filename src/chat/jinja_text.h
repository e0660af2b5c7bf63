// SPDX-License-Identifier: Apache-2.0
// Python's string operations on UTF-8, as far as templates need them. Lengths and positions are in
// code points where a template sees them. Texts are valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace phial {

bool jinja_is_space(char32_t c);      // str.isspace() of one character
bool jinja_is_printable(char32_t c);  // str.isprintable()

std::string_view jinja_strip(std::string_view text, bool left, bool right);
std::string_view jinja_strip(std::string_view text, std::string_view chars, bool left, bool right);
std::vector<std::string_view> jinja_split_lines(std::string_view text);

enum class JinjaCase : uint8_t { kUpper, kLower, kTitle };
void jinja_append_case(std::string& out, char32_t c, JinjaCase to);
std::string jinja_to_case(std::string_view text, JinjaCase to);  // kTitle: str.title()
std::string jinja_capitalize(std::string_view text);
bool jinja_is_cased(char32_t c);

size_t jinja_length(std::string_view text);                // in code points
size_t jinja_offset(std::string_view text, size_t index);  // in bytes, of the code point `index`
std::vector<std::string_view> jinja_characters(std::string_view text);  // one view a code point
std::string jinja_replace(std::string_view text, std::string_view from, std::string_view to,
                          int64_t count);
std::string jinja_escape_html(std::string_view text);

struct JinjaCaseRun {
  uint32_t first, last;
  int32_t step, delta;
};
struct JinjaCaseSpecial {
  uint32_t point;
  const char* text;
};
extern const JinjaCaseRun kJinjaUpperRuns[], kJinjaLowerRuns[], kJinjaTitleRuns[];
extern const size_t kJinjaUpperRunCount, kJinjaLowerRunCount, kJinjaTitleRunCount;
extern const JinjaCaseSpecial kJinjaUpperSpecials[], kJinjaLowerSpecials[], kJinjaTitleSpecials[];
extern const size_t kJinjaUpperSpecialCount, kJinjaLowerSpecialCount, kJinjaTitleSpecialCount;
extern const uint32_t kJinjaUnprintable[][2];
extern const size_t kJinjaUnprintableCount;

}  // namespace phial
