// SPDX-License-Identifier: Apache-2.0
#include "text/split_rule.h"

#include "text/unicode.h"

namespace phial {
namespace {

// The spellings found in published files. Possessive quantifiers and "\s*[\r\n]" for "\s*[\r\n]+"
// change how an engine searches, not what it finds; tools/oracle/tokenizer_diff.py compares each
// with the library.
constexpr std::string_view kCl100kSpellings[] = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)",
};
constexpr std::string_view kO200kSpellings[] = {
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
};

struct Char {
  char32_t code = 0;
  uint8_t classes = 0;
  size_t end = 0;  // 0: there is no character (the end of the text)

  bool is(int any_of) const { return end && classes & any_of; }
  bool is_newline() const { return end && (code == '\r' || code == '\n'); }
  bool is_symbol() const {
    return end && !(classes & (kSpace | kLetter | kNumber));
  }  // [^\s\p{L}\p{N}]
};

Char char_at(std::string_view text, size_t pos) {
  Char c;
  if (pos >= text.size()) return c;
  size_t length;
  c.code = code_point_at(text, pos, length);
  c.classes = char_classes(c.code);
  c.end = pos + length;
  return c;
}

size_t skip(std::string_view text, size_t pos, int any_of) {
  for (Char c; (c = char_at(text, pos)).is(any_of);) pos = c.end;
  return pos;
}

size_t skip_symbols(std::string_view text, size_t pos) {
  for (Char c; (c = char_at(text, pos)).is_symbol();) pos = c.end;
  return pos;
}

// 's 't 're 've 'm 'll 'd at pos: its end, or pos if there is none. With fold_case in any case,
// where the long s (U+017F) folds to s, as in every case-insensitive regex engine that knows
// Unicode.
size_t contraction_end(std::string_view text, size_t pos, bool fold_case) {
  if (pos >= text.size() || text[pos] != '\'') return pos;
  auto letter = [&](const Char& c) -> char {
    if (!c.end) return 0;
    if (fold_case && c.code == 0x17F) return 's';
    if (fold_case && c.code >= 'A' && c.code <= 'Z') return static_cast<char>(c.code + 32);
    return c.code < 0x80 ? static_cast<char>(c.code) : 0;
  };
  const Char c1 = char_at(text, pos + 1);
  const char first = letter(c1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return c1.end;
  if (first != 'r' && first != 'v' && first != 'l') return pos;
  const Char c2 = char_at(text, c1.end);
  return letter(c2) == (first == 'l' ? 'l' : 'e') ? c2.end : pos;
}

// \s+(?!\S)|\s+ at a space: a run of spaces without its last one, if something follows it.
size_t spaces_end(std::string_view text, size_t pos) {
  size_t last = pos, end = pos;
  for (Char c; (c = char_at(text, end)).is(kSpace); end = c.end) last = end;
  return end == text.size() || last == pos ? end : last;
}

// \s*[\r\n]+|\s+(?!\S)|\s+ at a space: up to the run's last line end if it has one.
size_t spaces_or_lines_end(std::string_view text, size_t pos) {
  size_t after_newline = pos, end = pos;
  for (Char c; (c = char_at(text, end)).is(kSpace);) {
    end = c.end;
    if (c.is_newline()) after_newline = end;
  }
  return after_newline > pos ? after_newline : spaces_end(text, pos);
}

size_t numbers_end(std::string_view text, size_t pos, int max) {
  for (Char c; max-- > 0 && (c = char_at(text, pos)).is(kNumber);) pos = c.end;
  return pos;
}

// " ?[^\s\p{L}\p{N}]+" and then any of `tail`; pos if it doesn't match.
size_t symbols_end(std::string_view text, size_t pos, std::string_view tail) {
  const size_t begin = text[pos] == ' ' ? pos + 1 : pos;
  size_t end = skip_symbols(text, begin);
  if (end == begin) return pos;
  while (end < text.size() && tail.find(text[end]) != std::string_view::npos) ++end;
  return end;
}

size_t gpt2_end(std::string_view text, size_t pos) {
  if (const size_t end = contraction_end(text, pos, false); end > pos) return end;
  const size_t begin = text[pos] == ' ' ? pos + 1 : pos;  // " ?" of the next three alternatives
  if (const Char c = char_at(text, begin); c.is(kLetter)) return skip(text, begin, kLetter);
  if (const Char c = char_at(text, begin); c.is(kNumber)) return skip(text, begin, kNumber);
  if (const size_t end = symbols_end(text, pos, ""); end > pos) return end;
  return spaces_end(text, pos);
}

size_t cl100k_end(std::string_view text, size_t pos) {
  if (const size_t end = contraction_end(text, pos, true); end > pos) return end;
  const Char first = char_at(text, pos);
  if (first.is(kLetter)) return skip(text, pos, kLetter);
  if (first.is(kNumber)) return numbers_end(text, pos, 3);
  if (!first.is_newline() && char_at(text, first.end).is(kLetter))
    return skip(text, first.end, kLetter);
  if (const size_t end = symbols_end(text, pos, "\r\n"); end > pos) return end;
  return spaces_or_lines_end(text, pos);
}

// U*L+ or, failing that, U+L* from pos, where U is kUpperRun, L is kLowerRun and the modifiers,
// other letters and marks are both. The longest U* that leaves an L wins. Returns pos if neither
// matches.
size_t cased_word_end(std::string_view text, size_t pos, bool& by_first) {
  size_t end = pos, after_last_lower = pos;
  for (Char c; (c = char_at(text, end)).is(kUpperRun);) {
    end = c.end;
    if (c.is(kLowerRun)) after_last_lower = end;
  }
  by_first = true;
  if (char_at(text, end).is(kLowerRun)) return skip(text, end, kLowerRun);
  if (after_last_lower > pos) return after_last_lower;  // U* gives back down to its last L
  by_first = false;
  return end;
}

size_t o200k_end(std::string_view text, size_t pos) {
  const Char first = char_at(text, pos);
  if (first.is(kNumber)) return numbers_end(text, pos, 3);
  bool by_first = false;
  size_t end = pos;
  if (first.is(kLetter)) {
    end = cased_word_end(text, pos, by_first);
  } else if (!first.is_newline()) {
    // The optional leading character is taken if the first alternative then matches; a mark can
    // also begin the word itself, and the first alternative without a lead comes before the second
    // one with it.
    const size_t with_lead = cased_word_end(text, first.end, by_first);
    if (with_lead > first.end && by_first) {
      end = with_lead;
    } else if (first.is(kLowerRun)) {
      end = cased_word_end(text, pos, by_first);
    } else if (with_lead > first.end) {
      end = with_lead;
    }
  }
  if (end > pos) return contraction_end(text, end, true);
  if (const size_t symbols = symbols_end(text, pos, "\r\n/"); symbols > pos) return symbols;
  return spaces_or_lines_end(text, pos);
}

}  // namespace

std::optional<SplitRule> split_rule_of_pattern(std::string_view pattern) {
  for (std::string_view known : kCl100kSpellings)
    if (pattern == known) return SplitRule::kCl100k;
  for (std::string_view known : kO200kSpellings)
    if (pattern == known) return SplitRule::kO200k;
  return std::nullopt;
}

size_t split_end(SplitRule rule, std::string_view text, size_t pos) {
  switch (rule) {
    case SplitRule::kGpt2:
      return gpt2_end(text, pos);
    case SplitRule::kCl100k:
      return cl100k_end(text, pos);
    case SplitRule::kO200k:
      return o200k_end(text, pos);
  }
  return text.size();
}

}  // namespace phial
