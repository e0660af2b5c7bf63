// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/tokenizer_patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/unicode.h"

namespace phial {
namespace {

// A pattern that PCRE2 can't compile is ignored by the extension without a word. PCRE2 compiles at
// most 64 KB; a literal takes about twice its length.
constexpr size_t kMaxPatternBytes = 20'000;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<uint8_t>(c) >= 0x80;
}

void append_literal(std::string& out, char c) {
  if (is_plain(c)) {
    out += c;
  } else if (c > 0x20 && c < 0x7F) {
    out += '\\';
    out += c;
  } else {
    out += fmt::format("\\x{{{:x}}}", static_cast<unsigned>(c));
  }
}

void append_code_point(std::string& out, char32_t c) {
  if (c < 0x80) {
    append_literal(out, static_cast<char>(c));
  } else {
    utf8_append(out, c);
  }
}

// The inside of a [class]: all characters that have one of these CharClass bits.
std::string ranges_of(int any_of) {
  std::string out;
  for (size_t i = 0; i < kCharClassRangeCount;) {
    if (!(kCharClassRanges[i] & static_cast<uint32_t>(any_of))) {
      ++i;
      continue;
    }
    const char32_t first = kCharClassRanges[i] >> 8;
    while (i < kCharClassRangeCount && kCharClassRanges[i] & static_cast<uint32_t>(any_of)) ++i;
    const char32_t end = i < kCharClassRangeCount ? kCharClassRanges[i] >> 8 : 0x110000;
    append_code_point(out, first);
    if (end - first > 2) out += '-';
    if (end - first > 1) append_code_point(out, end - 1);
  }
  return out;
}

// A class of the alphabet's characters for the bytes first..last.
std::string alphabet_class(int first, int last) {
  std::string out = "[";
  for (int byte = first; byte <= last; ++byte)
    out += pcre_literal(to_byte_alphabet(std::string(1, static_cast<char>(byte))));
  return out + "]";
}

bool has_space_at_end(const std::string& text) {
  size_t length, last = text.size() - 1;
  while (last > 0 && (static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) --last;
  return (char_classes(code_point_at(text, 0, length)) |
          char_classes(code_point_at(text, last, length))) &
         kSpace;
}

}  // namespace

std::string pcre_literal(std::string_view literal) {
  std::string out;
  for (const char c : literal) append_literal(out, c);
  return out;
}

std::string pcre_replacement(std::string_view literal) {
  std::string out;
  for (const char c : literal) out += c == '$' ? std::string("$$") : std::string(1, c);
  return out;
}

// The alternatives are those of the patterns in text/split_rule.cc. Possessive where what follows
// can't begin with what was matched: it changes nothing but the time.
std::string pcre_split_rule(SplitRule rule) {
  const std::string letter = "[" + ranges_of(kLetter) + "]";
  const std::string number = "[" + ranges_of(kNumber) + "]";
  const std::string symbol = "[^" + ranges_of(kSpace | kLetter | kNumber) + "]";
  const std::string space = "[" + ranges_of(kSpace) + "]", not_space = "[^" + space.substr(1);
  const std::string spaces = space + "+(?!" + not_space + ")|" + space + "++";
  if (rule == SplitRule::kGpt2)
    return "'(?:[stmd]|re|ve|ll)|\\x{20}?" + letter + "++|\\x{20}?" + number + "++|\\x{20}?" +
           symbol + "++|" + spaces;
  // ſ (U+017F) is an s where case doesn't matter.
  const std::string contraction = "'(?:[sS\xC5\xBFtTmMdD]|[rRvV][eE]|[lL][lL])";
  const std::string lead = "[^\\r\\n" + ranges_of(kLetter | kNumber) + "]?";
  const std::string lines_or_spaces = space + "*[\\r\\n]+|" + spaces;
  if (rule == SplitRule::kCl100k)
    return contraction + "|" + lead + letter + "++|" + number + "{1,3}+|\\x{20}?" + symbol +
           "++[\\r\\n]*+|" + lines_or_spaces;
  const std::string upper = "[" + ranges_of(kUpperRun) + "]",
                    lower = "[" + ranges_of(kLowerRun) + "]";
  return lead + upper + "*" + lower + "++(?:" + contraction + ")?|" + lead + upper + "++" + lower +
         "*+(?:" + contraction + ")?|" + number + "{1,3}+|\\x{20}?" + symbol + "++[\\r\\n/]*+|" +
         lines_or_spaces;
}

std::string pcre_added_tokens(std::span<const AddedToken> tokens, const std::string& where) {
  bool any_strips = false;
  for (const AddedToken& token : tokens) any_strips |= token.lstrip || token.rstrip;
  std::vector<const AddedToken*> order;
  for (const AddedToken& token : tokens) {
    if (token.single_word)
      throw_error(Code::kUnsupported,
                  "{}: the added token '{}' is single_word, which openvino_tokenizers can't say",
                  where, token.content);
    // Where a token begins in spaces that another one swallows, the library has its own ways.
    if (any_strips && has_space_at_end(token.content))
      throw_error(Code::kUnsupported,
                  "{}: the added token '{}' begins or ends with a space beside tokens that swallow "
                  "spaces, which openvino_tokenizers can't say",
                  where, token.content);
    order.push_back(&token);
  }
  // Alternatives are tried in order, so the longest comes first; equal flags share a group.
  std::sort(order.begin(), order.end(), [](const AddedToken* a, const AddedToken* b) {
    if (a->content.size() != b->content.size()) return a->content.size() > b->content.size();
    return a->content < b->content;
  });
  const std::string space = "[" + ranges_of(kSpace) + "]";
  std::string pattern;
  for (size_t i = 0; i < order.size();) {
    const AddedToken& flags = *order[i];
    auto same = [&](const AddedToken& t) {
      return t.lstrip == flags.lstrip && t.rstrip == flags.rstrip;
    };
    std::string names;
    for (; i < order.size() && same(*order[i]); ++i)
      names += (names.empty() ? "" : "|") + pcre_literal(order[i]->content);
    pattern += pattern.empty() ? "" : "|";
    // Spaces count from the run's begin only: otherwise each of a long run would be tried.
    if (flags.lstrip) pattern += "(?:(?<!" + space + ")" + space + "++)?";
    pattern += "(" + names + ")";
    if (flags.rstrip) pattern += space + "*+";
    if (pattern.size() > kMaxPatternBytes)
      throw_error(Code::kUnsupported,
                  "{}: the added tokens make a pattern of more than {} bytes, which "
                  "openvino_tokenizers can't hold",
                  where, kMaxPatternBytes);
  }
  return pattern.empty() ? "(?!)" : "(?|" + pattern + ")";  // (?!): never
}

std::string pcre_byte_of_invalid_run(std::string_view marker) {
  const std::string m(marker), tail = m + "[89AB][0-9A-F]", byte = m + "[0-9A-F]{2}";
  // The well-formed sequences of Unicode's table 3-7.
  const std::string valid = "(?:" + m + "[0-7][0-9A-F]|" + m + "(?:C[2-9A-F]|D[0-9A-F])" + tail +
                            "|" + m + "E0" + m + "[AB][0-9A-F]" + tail + "|" + m + "E[1-9ABCEF]" +
                            tail + tail + "|" + m + "ED" + m + "[89][0-9A-F]" + tail + "|" + m +
                            "F0" + m + "[9AB][0-9A-F]" + tail + tail + "|" + m + "F[123]" + tail +
                            tail + tail + "|" + m + "F4" + m + "8[0-9A-F]" + tail + tail + ")";
  // The first byte of a run that isn't valid up to its end, or the one after such a byte (\G).
  return "(?<!" + byte + ")(?!" + valid + "++(?!" + m + "))" + byte + "|\\G(?<=" + byte + ")" +
         byte;
}

std::string pcre_invalid_part_in_alphabet() {
  auto bytes = [](int first, int last) { return alphabet_class(first, last); };
  const std::string tail = bytes(0x80, 0xBF);
  const std::string three = bytes(0xE0, 0xE0) + bytes(0xA0, 0xBF) + "|" + bytes(0xE1, 0xEC) + tail +
                            "|" + bytes(0xED, 0xED) + bytes(0x80, 0x9F) + "|" + bytes(0xEE, 0xEF) +
                            tail;  // without their last byte
  const std::string four = bytes(0xF0, 0xF0) + bytes(0x90, 0xBF) + "|" + bytes(0xF1, 0xF3) + tail +
                           "|" + bytes(0xF4, 0xF4) + bytes(0x80, 0x8F);  // without the last two
  return "(?:" + bytes(0xC2, 0xDF) + tail + "|(?:" + three + ")" + tail + "|(?:" + four + ")" +
         tail + tail + ")(*SKIP)(*FAIL)|" + three + "|(?:" + four + ")" + tail + "?|" +
         bytes(0x80, 0xFF);
}

}  // namespace phial
