// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <gtest/gtest.h>

namespace phial {
namespace {

TEST(Utf8, EveryCodePointRoundTrips) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    utf8_append(text, c);
    char32_t back = 0;
    ASSERT_EQ(utf8_decode(text, 0, back), text.size());
    ASSERT_EQ(back, c);
    ASSERT_EQ(utf8_incomplete_tail(text), 0u);
    for (size_t cut = 1; cut < text.size(); ++cut)
      ASSERT_EQ(utf8_incomplete_tail(text.substr(0, cut)), cut);
  }
}

TEST(Utf8, RefusesOverlongSurrogatesAndTooLarge) {
  char32_t c;
  for (std::string bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xF8\x88\x80\x80\x80", "\x80", "\xFF", "\xE2\x82"})
    EXPECT_EQ(utf8_decode(bad, 0, c), 0u);
  EXPECT_EQ(utf8_first_invalid("ab\xFF"), 2u);
  EXPECT_EQ(utf8_first_invalid("a\xC3\xA4"), std::string::npos);
}

TEST(Utf8, ReplacesAsPythonDoes) {
  // bytes.decode("utf-8", errors="replace") of the same bytes
  EXPECT_EQ(utf8_replace_invalid("a\xFF"
                                 "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(utf8_replace_invalid("\xF0\x9F\xA6"), "\xEF\xBF\xBD");
  EXPECT_EQ(utf8_replace_invalid("\xE2\x82"
                                 "A"),
            "\xEF\xBF\xBD"
            "A");
  EXPECT_EQ(utf8_replace_invalid("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(utf8_incomplete_tail("a\xED\xA0"), 0u);  // can't become valid
  EXPECT_EQ(utf8_incomplete_tail("a\xF0\x9F"), 2u);
}

}  // namespace
}  // namespace phial
