// SPDX-License-Identifier: Apache-2.0
#include "text/unicode.h"

#include <algorithm>
#include <array>

namespace phial {
namespace {

uint8_t search(char32_t code_point) {
  const uint32_t* end = kCharClassRanges + kCharClassRangeCount;
  const uint32_t* after = std::upper_bound(kCharClassRanges, end, code_point << 8 | 0xFFu);
  return after == kCharClassRanges ? 0 : static_cast<uint8_t>(after[-1]);
}

}  // namespace

uint8_t char_classes(char32_t code_point) {
  static const auto low = [] {  // Latin and the combining marks: most of most texts
    std::array<uint8_t, 0x400> table;
    for (char32_t c = 0; c < table.size(); ++c) table[c] = search(c);
    return table;
  }();
  return code_point < low.size() ? low[code_point] : search(code_point);
}

char32_t code_point_at(std::string_view text, size_t pos, size_t& length) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[pos + i]); };
  const uint8_t lead = byte(0);
  length = 1;
  if (lead < 0x80) return lead;
  const size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
  if (wanted == 0 || pos + wanted > text.size()) return 0xFFFD;
  char32_t c = lead & (0xFFu >> (wanted + 1));
  for (size_t i = 1; i < wanted; ++i) c = c << 6 | (byte(i) & 0x3Fu);
  length = wanted;
  return c;
}

}  // namespace phial
