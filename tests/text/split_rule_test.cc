// SPDX-License-Identifier: Apache-2.0
#include "text/split_rule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text/unicode.h"

namespace phial {
namespace {

using Pieces = std::vector<std::string>;

Pieces split(SplitRule rule, const std::string& text) {
  Pieces pieces;
  for (size_t pos = 0, end; pos < text.size(); pos = end) {
    end = split_end(rule, text, pos);
    EXPECT_GT(end, pos);
    if (end <= pos) break;
    pieces.push_back(text.substr(pos, end - pos));
  }
  return pieces;
}

TEST(SplitRule, Cl100k) {
  const auto cl100k = [](const std::string& text) { return split(SplitRule::kCl100k, text); };
  EXPECT_EQ(cl100k("It's IT'S it'll've"), (Pieces{"It", "'s", " IT", "'S", " it", "'ll", "'ve"}));
  EXPECT_EQ(cl100k("it'\u017F"), (Pieces{"it", "'\u017F"}));
  EXPECT_EQ(cl100k("x12345 67"), (Pieces{"x", "123", "45", " ", "67"}));
  EXPECT_EQ(cl100k("a  b\n\n  c  "), (Pieces{"a", " ", " b", "\n\n", " ", " c", "  "}));
  EXPECT_EQ(cl100k("f(x)!\r\n\ny"), (Pieces{"f", "(x", ")!\r\n\n", "y"}));
  EXPECT_EQ(cl100k("  \n \n x"), (Pieces{"  \n \n", " x"}));
}

TEST(SplitRule, O200k) {
  const auto o200k = [](const std::string& text) { return split(SplitRule::kO200k, text); };
  EXPECT_EQ(o200k("It's camelCase HTTPServer"), (Pieces{"It's", " camel", "Case", " HTTPServer"}));
  EXPECT_EQ(o200k("ABC don't"), (Pieces{"ABC", " don't"}));
  EXPECT_EQ(o200k("!\r\n//x"), (Pieces{"!\r\n//", "x"}));
  EXPECT_EQ(o200k("\u6F22ABC"), (Pieces{"\u6F22", "ABC"}));  // U* gives back down to its last L
  EXPECT_EQ(o200k("\u0301ABC"),
            (Pieces{"\u0301", "ABC"}));  // a mark begins the word before it leads one
  EXPECT_EQ(o200k("-\u0301ABC"), (Pieces{"-\u0301", "ABC"}));
}

TEST(SplitRule, Gpt2) {
  const auto gpt2 = [](const std::string& text) { return split(SplitRule::kGpt2, text); };
  EXPECT_EQ(gpt2("It's IT'S 12345 !?  x"),
            (Pieces{"It", "'s", " IT", "'", "S", " 12345", " !?", " ", " x"}));
}

TEST(SplitRule, UnknownPatternsAreNotGuessed) {
  EXPECT_EQ(split_rule_of_pattern(R"(\p{L}+)"), std::nullopt);
  EXPECT_EQ(split_rule_of_pattern(""), std::nullopt);
}

TEST(Unicode, Classes) {
  EXPECT_EQ(char_classes('a'), kLetter | kLowerRun | kWord);
  EXPECT_EQ(char_classes('Z'), kLetter | kUpperRun | kWord);
  EXPECT_EQ(char_classes('7'), kNumber | kWord);
  EXPECT_EQ(char_classes('_'), kWord);
  EXPECT_EQ(char_classes(' '), kSpace);
  EXPECT_EQ(char_classes(0x85), kSpace);
  EXPECT_EQ(char_classes(0x3000), kSpace);
  EXPECT_EQ(char_classes(0x200B), 0);                             // zero width space isn't one
  EXPECT_EQ(char_classes(0x301), kUpperRun | kLowerRun | kWord);  // a mark
  EXPECT_EQ(char_classes(0x6F22), kLetter | kUpperRun | kLowerRun | kWord);
  EXPECT_EQ(char_classes(0x1C5), kLetter | kUpperRun | kWord);  // title case
  EXPECT_EQ(char_classes(0xBD), kNumber);                       // a half
  EXPECT_EQ(char_classes(0x10FFFF), 0);
}

}  // namespace
}  // namespace phial
