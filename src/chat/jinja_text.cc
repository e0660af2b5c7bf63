// SPDX-License-Identifier: Apache-2.0
#include "chat/jinja_text.h"

#include <algorithm>

#include "base/utf8.h"

namespace phial {
namespace {

// Decodes at `pos` and moves behind it; a bad byte (there is none in checked text) counts as one
// character.
char32_t step(std::string_view text, size_t& pos) {
  char32_t c = 0xfffd;
  const size_t n = utf8_decode(text, pos, c);
  pos += n ? n : 1;
  return c;
}

size_t back(std::string_view text, size_t end) {  // start of the character that ends at `end`
  do --end;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80);
  return end;
}

struct CaseTable {
  const JinjaCaseRun* runs;
  size_t n_runs;
  const JinjaCaseSpecial* specials;
  size_t n_specials;
};
CaseTable table_of(JinjaCase to) {
  switch (to) {
    case JinjaCase::kUpper:
      return {kJinjaUpperRuns, kJinjaUpperRunCount, kJinjaUpperSpecials, kJinjaUpperSpecialCount};
    case JinjaCase::kLower:
      return {kJinjaLowerRuns, kJinjaLowerRunCount, kJinjaLowerSpecials, kJinjaLowerSpecialCount};
    default:
      return {kJinjaTitleRuns, kJinjaTitleRunCount, kJinjaTitleSpecials, kJinjaTitleSpecialCount};
  }
}

bool changes(char32_t c, JinjaCase to) {
  if (c < 0x80) return to == JinjaCase::kLower ? c >= 'A' && c <= 'Z' : c >= 'a' && c <= 'z';
  std::string out, same;
  jinja_append_case(out, c, to);
  utf8_append(same, c);
  return out != same;
}

// A capital sigma at the end of a word becomes the final one (Unicode SpecialCasing; Python's
// lower() has this rule too).
bool is_final_sigma(std::string_view text, size_t begin, size_t end) {
  if (begin == 0) return false;
  size_t before = back(text, begin);
  if (!jinja_is_cased(step(text, before))) return false;
  return end >= text.size() || !jinja_is_cased(step(text, end));
}

}  // namespace

bool jinja_is_space(char32_t c) {
  if (c < 0x80) return (c >= 9 && c <= 13) || (c >= 28 && c <= 32);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool jinja_is_printable(char32_t c) {
  if (c < 0x7f) return c >= 0x20;
  const auto end = kJinjaUnprintable + kJinjaUnprintableCount;
  const auto run =
      std::lower_bound(kJinjaUnprintable, end, c,
                       [](const uint32_t(&r)[2], char32_t value) { return r[1] < value; });
  return run == end || c < (*run)[0];
}

std::string_view jinja_strip(std::string_view text, bool left, bool right) {
  size_t begin = 0, end = text.size();
  while (left && begin < end) {
    size_t next = begin;
    if (!jinja_is_space(step(text, next))) break;
    begin = next;
  }
  while (right && end > begin) {
    const size_t at = back(text, end);
    size_t next = at;
    if (!jinja_is_space(step(text, next))) break;
    end = at;
  }
  return text.substr(begin, end - begin);
}

std::string_view jinja_strip(std::string_view text, std::string_view chars, bool left, bool right) {
  size_t begin = 0, end = text.size();
  while (left && begin < end) {
    size_t next = begin;
    step(text, next);
    if (chars.find(text.substr(begin, next - begin)) == std::string_view::npos) break;
    begin = next;
  }
  while (right && end > begin) {
    const size_t at = back(text, end);
    if (chars.find(text.substr(at, end - at)) == std::string_view::npos) break;
    end = at;
  }
  return text.substr(begin, end - begin);
}

std::vector<std::string_view> jinja_split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t pos = 0; pos < text.size();) {
    const size_t at = pos;
    const char32_t c = step(text, pos);
    const bool line_end =
        (c >= 10 && c <= 13) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
    if (!line_end) continue;
    if (c == 13 && pos < text.size() && text[pos] == '\n') ++pos;
    lines.push_back(text.substr(begin, at - begin));
    begin = pos;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

void jinja_append_case(std::string& out, char32_t c, JinjaCase to) {
  if (c < 0x80) {
    const bool flip = changes(c, to);
    out += static_cast<char>(flip ? c ^ 0x20 : c);
    return;
  }
  const CaseTable table = table_of(to);
  const auto special_end = table.specials + table.n_specials;
  const auto special =
      std::lower_bound(table.specials, special_end, c,
                       [](const JinjaCaseSpecial& s, char32_t value) { return s.point < value; });
  if (special != special_end && special->point == c) {
    out += special->text;
    return;
  }
  const auto run_end = table.runs + table.n_runs;
  const auto run = std::lower_bound(
      table.runs, run_end, c, [](const JinjaCaseRun& r, char32_t value) { return r.last < value; });
  if (run != run_end && c >= run->first &&
      (c - run->first) % static_cast<uint32_t>(run->step) == 0) {
    c = static_cast<char32_t>(static_cast<int64_t>(c) + run->delta);
  }
  utf8_append(out, c);
}

bool jinja_is_cased(char32_t c) {
  return changes(c, JinjaCase::kUpper) || changes(c, JinjaCase::kLower);
}

std::string jinja_to_case(std::string_view text, JinjaCase to) {
  std::string out;
  out.reserve(text.size());
  bool in_word = false;
  for (size_t pos = 0; pos < text.size();) {
    const size_t at = pos;
    const char32_t c = step(text, pos);
    const JinjaCase now = to == JinjaCase::kTitle && in_word ? JinjaCase::kLower : to;
    if (now == JinjaCase::kLower && c == 0x3a3) {
      utf8_append(out, is_final_sigma(text, at, pos) ? 0x3c2 : 0x3c3);
    } else {
      jinja_append_case(out, c, now);
    }
    if (to == JinjaCase::kTitle) in_word = jinja_is_cased(c);
  }
  return out;
}

std::string jinja_capitalize(std::string_view text) {
  std::string out;
  if (text.empty()) return out;
  size_t pos = 0;
  jinja_append_case(out, step(text, pos), JinjaCase::kTitle);
  return out + jinja_to_case(text.substr(pos), JinjaCase::kLower);
}

size_t jinja_length(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

size_t jinja_offset(std::string_view text, size_t index) {
  size_t pos = 0;
  for (; index > 0 && pos < text.size(); --index) step(text, pos);
  return pos;
}

std::vector<std::string_view> jinja_characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t pos = 0; pos < text.size();) {
    const size_t at = pos;
    step(text, pos);
    out.push_back(text.substr(at, pos - at));
  }
  return out;
}

std::string jinja_replace(std::string_view text, std::string_view from, std::string_view to,
                          int64_t count) {
  std::string out;
  size_t pos = 0;
  if (from.empty()) {  // before every character and at the end
    for (const std::string_view c : jinja_characters(text)) {
      if (count != 0) {
        out += to;
        --count;
      }
      out += c;
    }
    if (count != 0) out += to;
    return out;
  }
  for (; count != 0; --count) {
    const size_t at = text.find(from, pos);
    if (at == std::string_view::npos) break;
    out.append(text, pos, at - pos);
    out += to;
    pos = at + from.size();
  }
  return out.append(text, pos, std::string_view::npos);
}

std::string jinja_escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace phial
