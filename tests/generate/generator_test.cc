// SPDX-License-Identifier: Apache-2.0
#include "generate/generator.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "generate/fake_session.h"
#include "generate/tiny_tokenizer.h"

namespace phial {
namespace {

// Counts up through the alphabet from the last letter; after "z" comes <|end|>.
TokenId next_letter(const std::vector<TokenId>& history) {
  return history.back() >= kLetterA && history.back() < kEnd ? history.back() + 1 : kLetterA;
}

class GenerateTest : public testing::Test {
 protected:
  GenerateResult run(std::string_view prompt, const TextCallback& on_text = {},
                     const Interrupt& interrupt = {}) {
    return generate(session_, 0, cached_, tokenizer_, letters(prompt), params_, on_text, interrupt);
  }
  void expect_consistent() { EXPECT_EQ(cached_, session_.history(0)); }

  std::shared_ptr<const Tokenizer> tokenizer_ = tiny_tokenizer();
  FakeSession session_{kTinyVocab, 40, next_letter};
  std::vector<TokenId> cached_;
  GenerateParams params_;
};

TEST_F(GenerateTest, StopsAtAStopId) {
  params_.stop_ids = {kEnd};
  std::string shown;
  const GenerateResult result = run("vw", [&](std::string_view piece) {
    EXPECT_FALSE(piece.empty());
    shown += piece;
    return true;
  });
  EXPECT_EQ(result.text, "xyz");
  EXPECT_EQ(shown, "xyz");
  EXPECT_EQ(result.ids, letters("xyz"));
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(result.stop_id, kEnd);
  EXPECT_EQ(result.stats.generated_tokens, 4);
  EXPECT_EQ(result.stats.prompt_tokens, 2);
  EXPECT_EQ(cached_, letters("vwxyz"));  // the stop token wasn't fed
  expect_consistent();
}

TEST_F(GenerateTest, IgnoreEosGoesOn) {
  params_.stop_ids = {kEnd};
  params_.ignore_eos = true;
  params_.max_new_tokens = 5;
  const GenerateResult result = run("y");
  EXPECT_EQ(result.text, "zabc");
  EXPECT_EQ(result.ids.size(), 5u);
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
}

TEST_F(GenerateTest, StopStringAcrossTokens) {
  params_.stop_strings = {"ef", "zz"};
  std::string shown;
  const GenerateResult result = run("a", [&](std::string_view piece) {
    shown += piece;
    return true;
  });
  EXPECT_EQ(result.text, "bcd");
  EXPECT_EQ(shown, "bcd");
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(result.stop_string, "ef");
  EXPECT_EQ(result.stop_id, -1);
  expect_consistent();
}

TEST_F(GenerateTest, HeldBackTextComesAtTheEnd) {
  params_.stop_strings = {"dex"};
  params_.max_new_tokens = 4;
  EXPECT_EQ(run("a").text, "bcde");
}

TEST_F(GenerateTest, MaxNewTokens) {
  params_.max_new_tokens = 1;
  GenerateResult result = run("ab");
  EXPECT_EQ(result.text, "c");
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
  EXPECT_EQ(result.stats.generated_tokens, 1);
  params_.max_new_tokens = 0;
  result = run("ab");
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
  EXPECT_EQ(result.stats.generated_tokens, 0);
  EXPECT_EQ(cached_, letters("ab"));
  expect_consistent();
  params_.max_new_tokens = -2;
  EXPECT_THROW(run("ab"), Error);
}

TEST_F(GenerateTest, AStopIdAsTheLastAllowedTokenIsAStop) {
  params_.max_new_tokens = 1;
  params_.stop_ids = {kLetterA + 1};
  EXPECT_EQ(run("a").finish_reason, FinishReason::kStop);
}

TEST_F(GenerateTest, ContextFullWhileDecodingIsLength) {
  const GenerateResult result = run(std::string(38, 'a'));
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
  EXPECT_EQ(result.text, "bcd");  // two fit, a third is sampled from the full context
  EXPECT_EQ(cached_.size(), 40u);
  expect_consistent();
}

TEST_F(GenerateTest, PromptsThatCantBe) {
  EXPECT_THROW(run(""), Error);
  cached_ = letters("abc");
  try {
    run(std::string(40, 'a'));
    FAIL() << "expected kContextFull";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kContextFull);
    EXPECT_NE(std::string(error.what()).find("40 tokens, the context holds 40"), std::string::npos)
        << error.what();
  }
  EXPECT_EQ(cached_, letters("abc"));
}

TEST_F(GenerateTest, KeepsThePrefixOfTheLastCall) {
  params_.max_new_tokens = 3;
  run("abc");
  EXPECT_EQ(cached_, letters("abcde"));
  size_t before = session_.fed();
  GenerateResult result = run("abcdxy");
  EXPECT_EQ(result.stats.cached_tokens, 4);
  EXPECT_EQ(session_.fed() - before, 2u + 2u);
  EXPECT_EQ(cached_, session_.history(0));
  expect_consistent();
  before = session_.fed();
  result = run("abcdx");  // a true prefix: its last token is fed again for the logits
  EXPECT_EQ(result.stats.cached_tokens, 4);
  EXPECT_EQ(result.text, "yz");
  expect_consistent();
  cached_.clear();  // nothing known: everything is fed again
  result = run("abcdx");
  EXPECT_EQ(result.stats.cached_tokens, 0);
  expect_consistent();
}

TEST_F(GenerateTest, CallbackAndInterruptCancel) {
  GenerateResult result = run("a", [](std::string_view piece) { return piece != "c"; });
  EXPECT_EQ(result.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(result.text, "bc");
  expect_consistent();
  int asked = 0;
  result = run("b", {}, [&] { return ++asked > 3; });
  EXPECT_EQ(result.finish_reason, FinishReason::kCancelled);
  EXPECT_FALSE(result.text.empty());
  expect_consistent();
  result = run("abcdefg", {}, [] { return true; });  // in the prefill
  EXPECT_EQ(result.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(result.stats.generated_tokens, 0);
  expect_consistent();
}

TEST_F(GenerateTest, PiecesAreWholeCharacters) {
  // The four bytes of a llama, then <|end|>.
  FakeSession bytes(kTinyVocab, 40, [](const std::vector<TokenId>& history) -> TokenId {
    const TokenId llama[] = {3 + 0xf0, 3 + 0x9f, 3 + 0xa6, 3 + 0x99, kEnd};
    return llama[history.size() - 1];
  });
  params_.stop_ids = {kEnd};
  int pieces = 0;
  const auto on_text = [&](std::string_view piece) {
    EXPECT_EQ(piece, "🦙");
    ++pieces;
    return true;
  };
  EXPECT_EQ(generate(bytes, 0, cached_, tokenizer_, letters("a"), params_, on_text).text, "🦙");
  EXPECT_EQ(pieces, 1);
}

TEST_F(GenerateTest, LeadingSpace) {
  FakeSession spaced(kTinyVocab, 40, [](const std::vector<TokenId>& history) -> TokenId {
    return history.size() == 1 ? kSpace : history.size() == 2 ? kLetterA : kEnd;
  });
  params_.stop_ids = {kEnd};
  EXPECT_EQ(generate(spaced, 0, cached_, tokenizer_, letters("a"), params_).text, "a");
  params_.keep_leading_space = true;
  EXPECT_EQ(generate(spaced, 0, cached_, tokenizer_, letters("a"), params_).text, " a");
}

TEST(FinishReasons, HaveNames) {
  EXPECT_STREQ(finish_reason_name(FinishReason::kStop), "stop");
  EXPECT_STREQ(finish_reason_name(FinishReason::kLength), "length");
  EXPECT_STREQ(finish_reason_name(FinishReason::kCancelled), "cancelled");
}

}  // namespace
}  // namespace phial
