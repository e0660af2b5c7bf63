// SPDX-License-Identifier: Apache-2.0
#include "generate/stop_rule.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"

namespace phial {
namespace {

TEST(StopRule, Ids) {
  const StopRule rule({7, 3, 7}, {});
  EXPECT_TRUE(rule.is_stop(3));
  EXPECT_TRUE(rule.is_stop(7));
  EXPECT_FALSE(rule.is_stop(5));
}

TEST(StopRule, HoldsBackWhatMayBecomeAStop) {
  StopRule rule({}, {"STOP"});
  std::string out;
  EXPECT_FALSE(rule.push("abcST", out));
  EXPECT_EQ(out, "abc");
  EXPECT_FALSE(rule.push("x", out));
  EXPECT_EQ(out, "abcSTx");
  EXPECT_FALSE(rule.push("STO", out));
  EXPECT_EQ(out, "abcSTx");
  EXPECT_TRUE(rule.push("P after", out));
  EXPECT_EQ(out, "abcSTx");
  EXPECT_EQ(rule.matched(), "STOP");
}

TEST(StopRule, FinishGivesBackWhatWasHeld) {
  StopRule rule({}, {"\n\n"});
  std::string out;
  EXPECT_FALSE(rule.push("a\n", out));
  EXPECT_EQ(out, "a");
  rule.finish(out);
  EXPECT_EQ(out, "a\n");
}

TEST(StopRule, OverlappingStarts) {
  StopRule rule({}, {"aab"});
  std::string out;
  EXPECT_FALSE(rule.push("aaaa", out));
  EXPECT_EQ(out, "aa");
  EXPECT_TRUE(rule.push("b", out));
  EXPECT_EQ(out, "aa");
}

TEST(StopRule, LongestOfThoseThatEndTogether) {
  StopRule rule({}, {"end", "the end"});
  std::string out;
  EXPECT_TRUE(rule.push("this is the end", out));
  EXPECT_EQ(out, "this is ");
  EXPECT_EQ(rule.matched(), "the end");
}

TEST(StopRule, EmptyStringIsRefused) { EXPECT_THROW(StopRule({}, {""}), Error); }

// However the text is cut, the result is that of the whole text at once.
TEST(StopRule, CutsDontMatter) {
  Rng rng(5);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> stops(1 + rng.below(3));
    for (std::string& stop : stops) {
      for (uint64_t n = 1 + rng.below(4); n > 0; --n) stop += static_cast<char>('a' + rng.below(2));
    }
    std::string text;
    for (uint64_t n = rng.below(12); n > 0; --n) text += static_cast<char>('a' + rng.below(3));
    StopRule whole({}, stops), cut({}, stops);
    std::string expected, out;
    const bool stopped = whole.push(text, expected);
    if (!stopped) whole.finish(expected);
    bool cut_stopped = false;
    for (size_t pos = 0; pos < text.size() && !cut_stopped;) {
      const size_t n = 1 + rng.below(3);
      cut_stopped = cut.push(std::string_view(text).substr(pos, n), out);
      pos += n;
      for (const std::string& stop : stops) ASSERT_EQ(out.find(stop), std::string::npos);
    }
    if (!cut_stopped) cut.finish(out);
    ASSERT_EQ(cut_stopped, stopped) << text;
    ASSERT_EQ(out, expected) << text;
    ASSERT_EQ(cut.matched(), whole.matched()) << text;
  }
}

}  // namespace
}  // namespace phial
