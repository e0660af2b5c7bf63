// SPDX-License-Identifier: Apache-2.0
// Conversations over a session without a model: what is fed, what is kept from turn to turn, which
// ids stop.
#include "chat/conversation.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "generate/fake_session.h"
#include "generate/tiny_tokenizer.h"

namespace phial {
namespace {

constexpr const char* kTemplate =
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}";

SideFiles side_files() {
  SideFiles files;
  files.chat_template = kTemplate;
  files.eos_token = "<|endoftext|>";
  files.bos_token = "<s>";
  return files;
}

// Replies "ok" and <|end|> to whatever ends with <|assistant|>.
TokenId reply_ok(const std::vector<TokenId>& history) {
  const auto letter = [&](size_t back) {
    return history.size() >= back ? history[history.size() - back] : -1;
  };
  if (letter(1) == kAssistant) return kLetterA + ('o' - 'a');
  if (letter(2) == kAssistant) return kLetterA + ('k' - 'a');
  return kEnd;
}

TEST(StopIds, UnionOfFilesTemplateAndSpecialTokens) {
  SideFiles files = side_files();
  const auto tokenizer = tiny_tokenizer();
  EXPECT_EQ(stop_ids_of(files, *tokenizer),
            (std::vector<TokenId>{2, kEnd, kEndOfText}));  // </s> is special here
  files.generation_config = {{"eos_token_id", {kAssistant, kEnd}}};
  files.config = {{"eos_token_id", 7}};
  EXPECT_EQ(stop_ids_of(files, *tokenizer),
            (std::vector<TokenId>{2, 7, kEnd, kAssistant, kEndOfText}));
}

TEST(ChatPrompt, BosOnlyIfAskedAndNotWritten) {
  SideFiles files = side_files();
  const auto tokenizer = tiny_tokenizer();
  const Json messages = {{{"role", "user"}, {"content", "a"}}};
  const std::vector<TokenId> plain = {kUser, kSpace, kLetterA, kEnd, kAssistant};
  EXPECT_EQ(chat_prompt_ids(ChatTemplate(kTemplate), files, *tokenizer, messages), plain);
  files.add_bos_token = true;
  std::vector<TokenId> with_bos = plain;
  with_bos.insert(with_bos.begin(), 1);
  EXPECT_EQ(chat_prompt_ids(ChatTemplate(kTemplate), files, *tokenizer, messages), with_bos);
  const ChatTemplate writes_it(std::string("{{ bos_token }}") + kTemplate);
  EXPECT_EQ(chat_prompt_ids(writes_it, files, *tokenizer, messages), with_bos);
  std::vector<TokenId> closed = plain;
  closed.back() = kEndOfText;
  files.add_bos_token = false;
  EXPECT_EQ(chat_prompt_ids(ChatTemplate(kTemplate), files, *tokenizer, messages, false), closed);
}

TEST(ChatPrompt, MessagesAreChecked) {
  const auto tokenizer = tiny_tokenizer();
  for (const char* bad : {"{}", "[1]", "[{\"content\": \"x\"}]", "[{\"role\": 1}]",
                          "[{\"role\": \"u\", \"content\": 5}]"}) {
    EXPECT_THROW(
        chat_prompt_ids(ChatTemplate(kTemplate), side_files(), *tokenizer, Json::parse(bad)), Error)
        << bad;
  }
}

class ConversationTest : public testing::Test {
 protected:
  FakeSession session_{kTinyVocab, 64, reply_ok};
  Conversation chat_{session_, 3, tiny_tokenizer(), std::make_shared<ChatTemplate>(kTemplate),
                     side_files()};
};

TEST_F(ConversationTest, LaterTurnsFeedOnlyWhatIsNew) {
  chat_.add("system", "be kind");
  chat_.add("user", "hi");
  const GenerateResult first = chat_.reply({});
  EXPECT_EQ(first.text, "ok");
  EXPECT_EQ(first.finish_reason, FinishReason::kStop);
  EXPECT_EQ(first.stop_id, kEnd);
  EXPECT_EQ(first.stats.cached_tokens, 0);
  EXPECT_EQ(chat_.messages().back()["content"], "ok");

  chat_.add("user", "more");
  const size_t before = session_.fed();
  const GenerateResult second = chat_.reply({});
  EXPECT_EQ(second.text, "ok");
  // Up to <|assistant|>: behind it the tokenizer puts a "▁" that the model didn't write.
  EXPECT_EQ(second.stats.cached_tokens, first.stats.prompt_tokens);
  EXPECT_EQ(session_.fed() - before,
            static_cast<size_t>(second.stats.prompt_tokens - second.stats.cached_tokens + 2));
  EXPECT_EQ(chat_.messages().size(), 5u);
}

TEST_F(ConversationTest, ClearKeepsALeadingSystemMessage) {
  chat_.add("system", "s");
  chat_.add("user", "u");
  chat_.clear();
  EXPECT_EQ(chat_.messages().size(), 1u);
  chat_.set_messages({{{"role", "user"}, {"content", "x"}}});
  chat_.clear();
  EXPECT_TRUE(chat_.messages().empty());
  EXPECT_THROW(chat_.reply({}), Error);
}

TEST_F(ConversationTest, APromptTooLongChangesNothing) {
  chat_.add("user", "hi");
  chat_.reply({});
  chat_.add("user", std::string(80, 'a'));
  const std::vector<TokenId> held = session_.history(3);
  try {
    chat_.reply({});
    FAIL() << "expected kContextFull";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kContextFull);
    EXPECT_NE(std::string(error.what()).find("64"), std::string::npos);
  }
  EXPECT_EQ(chat_.messages().size(), 3u);
  EXPECT_EQ(session_.history(3), held);
}

TEST_F(ConversationTest, ACancelledReplyIsKeptAsFarAsItWent) {
  chat_.add("user", "hi");
  const GenerateResult result = chat_.reply({}, [](std::string_view) { return false; });
  EXPECT_EQ(result.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(chat_.messages().back()["content"], "o");
  chat_.clear();
  chat_.add("user", "hi");
  EXPECT_EQ(chat_.reply({}, {}, [] { return true; }).finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(chat_.messages().size(), 1u);  // nothing was said
}

}  // namespace
}  // namespace phial
