// SPDX-License-Identifier: Apache-2.0
// The character classes that the split rules and the added tokens ask for, as the tokenizers
// library sees them. Not a Unicode library: six yes/no questions a code point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace phial {

enum CharClass : uint8_t {
  kLetter = 1,     // \p{L}
  kNumber = 2,     // \p{N}
  kSpace = 4,      // \s
  kUpperRun = 8,   // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
  kLowerRun = 16,  // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
  kWord = 32,  // \w of Rust's regex crate: what may stand beside a single_word token and forbid it
};

// Bits of CharClass.
uint8_t char_classes(char32_t code_point);

// The code point at text[pos] of valid UTF-8, and how long it is. A byte that begins none counts as
// U+FFFD of length 1.
char32_t code_point_at(std::string_view text, size_t pos, size_t& length);

// Generated (unicode_tables.cc): code point << 8 | classes, ascending; each entry holds up to the
// next one.
extern const uint32_t kCharClassRanges[];
extern const size_t kCharClassRangeCount;

}  // namespace phial
