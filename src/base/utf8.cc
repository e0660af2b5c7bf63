// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <cstdint>

namespace phial {
namespace {

struct Lead {
  int length;          // total bytes, 0 if it can't begin a code point
  uint8_t min2, max2;  // allowed range of the second byte (Unicode 15, table 3-7)
};

Lead lead_of(uint8_t b) {
  if (b < 0x80) return {1, 0, 0};
  if (b < 0xC2) return {0, 0, 0};
  if (b < 0xE0) return {2, 0x80, 0xBF};
  if (b == 0xE0) return {3, 0xA0, 0xBF};
  if (b == 0xED) return {3, 0x80, 0x9F};
  if (b < 0xF0) return {3, 0x80, 0xBF};
  if (b == 0xF0) return {4, 0x90, 0xBF};
  if (b < 0xF4) return {4, 0x80, 0xBF};
  if (b == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Bytes at pos that are a valid beginning of a code point (1..length), 0 if the first byte is bad.
int valid_prefix(std::string_view text, size_t pos, Lead lead) {
  if (lead.length == 0) return 0;
  int n = 1;
  while (n < lead.length && pos + n < text.size()) {
    const uint8_t b = static_cast<uint8_t>(text[pos + n]);
    const uint8_t low = n == 1 ? lead.min2 : 0x80, high = n == 1 ? lead.max2 : 0xBF;
    if (b < low || b > high) break;
    ++n;
  }
  return n;
}

}  // namespace

size_t utf8_decode(std::string_view text, size_t pos, char32_t& code_point) {
  const uint8_t b = static_cast<uint8_t>(text[pos]);
  const Lead lead = lead_of(b);
  if (lead.length == 0 || valid_prefix(text, pos, lead) != lead.length) return 0;
  char32_t c = lead.length == 1 ? b : b & (0xFF >> (lead.length + 1));
  for (int i = 1; i < lead.length; ++i) c = (c << 6) | (static_cast<uint8_t>(text[pos + i]) & 0x3F);
  code_point = c;
  return static_cast<size_t>(lead.length);
}

void utf8_append(std::string& out, char32_t c) {
  auto put = [&](uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

size_t utf8_first_invalid(std::string_view text) {
  char32_t c;
  for (size_t pos = 0; pos < text.size();) {
    const size_t n = utf8_decode(text, pos, c);
    if (n == 0) return pos;
    pos += n;
  }
  return std::string_view::npos;
}

size_t utf8_incomplete_tail(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const size_t pos = text.size() - back;
    const Lead lead = lead_of(static_cast<uint8_t>(text[pos]));
    if (lead.length > 1)
      return lead.length > static_cast<int>(back) &&
                     valid_prefix(text, pos, lead) == static_cast<int>(back)
                 ? back
                 : 0;
    if (lead.length == 1) return 0;
  }
  return 0;
}

std::string utf8_replace_invalid(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  char32_t c;
  for (size_t pos = 0; pos < text.size();) {
    size_t n = utf8_decode(text, pos, c);
    if (n) {
      out.append(text.substr(pos, n));
    } else {
      out += "\xEF\xBF\xBD";
      const int prefix = valid_prefix(text, pos, lead_of(static_cast<uint8_t>(text[pos])));
      n = prefix > 0 ? static_cast<size_t>(prefix) : 1;
    }
    pos += n;
  }
  return out;
}

}  // namespace phial
