// SPDX-License-Identifier: Apache-2.0
// What a session asks of the runtime, seen by a runtime that answers each token with the next
// higher one: the size of the cache, settings, and providers that don't append to a cache.
#include <gtest/gtest.h>

#include <algorithm>

#include "expect_error.h"
#include "onnxruntime/fake_package.h"
#include "temp_folder.h"

namespace phial {
namespace {

using Tokens = std::vector<TokenId>;

Tokens step(Session& session, const Tokens& tokens, SequenceId seq = 0) {
  const size_t vocab = static_cast<size_t>(session.limits().vocab);
  std::vector<float> logits(tokens.size() * vocab, -1.0f);
  const Step one{seq, tokens, logits.data(), true};
  session.step({&one, 1});
  Tokens said;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * vocab);
    said.push_back(static_cast<TokenId>(
        std::max_element(row, row + static_cast<std::ptrdiff_t>(vocab)) - row));
  }
  return said;
}

SessionOptions with(int32_t context, std::vector<std::string>* lines = nullptr) {
  SessionOptions options;
  options.context = context;
  if (lines)
    options.notice = [lines](NoticeKind, const std::string& text) { lines->push_back(text); };
  return options;
}

TEST(onnxruntime_session, says_what_runs_and_passes_settings_on) {
  const TempFolder temp;
  const auto package = fake_package(temp.path() / "package", "cpu",
                                    {"model.onnx", "model_cuda.onnx", "model_dml.onnx"});
  SessionOptions options = with(40);
  options.threads = 3;
  const auto session =
      open_fake(package, "onnxruntime:cpu", options, {"onnxruntime.session.log_severity_level=2"});
  EXPECT_EQ(session->device(), "onnxruntime:cpu");
  const std::string tier = session->tier();
  EXPECT_TRUE(tier.starts_with("ONNX Runtime 1.31.1, GenAI 0.18.0 on CPU")) << tier;
  for (const char* part : {"\"intra_op_num_threads\":3", "\"log_severity_level\":2",
                           "\"filename\":\"model.onnx\"", "\"context_length\":64"})
    EXPECT_NE(tier.find(part), std::string::npos) << part << " isn't in " << tier;
  EXPECT_EQ(session->limits().max_context, 40);
  EXPECT_TRUE(session->limits().cheap_truncate);
  const std::string second =
      open_fake(package, "onnxruntime:dml:1", {}, {"onnxruntime.provider.disable_metacommands=1"})
          ->tier();
  for (const char* part : {"on DML", "device_index=1", "disable_metacommands=1", "model_dml.onnx"})
    EXPECT_NE(second.find(part), std::string::npos) << part << " isn't in " << second;
  EXPECT_NE(open_fake(package, "onnxruntime:cuda:2")->tier().find("on cuda device_id=2"),
            std::string::npos);
  expect_error(Code::kInvalidArgument, {"--ort-config x", "session.KEY"},
               [&] { open_fake(package, "onnxruntime:cpu", {}, {"onnxruntime.provider.x=1"}); });
  options.kv_cache = "f16";
  expect_error(Code::kUnsupported, {"f16", "f32"},
               [&] { open_fake(package, "onnxruntime:cpu", options); });
}

// The fake refuses a cache for more than 8192 tokens, as a GPU would one for 131072.
TEST(onnxruntime_session, the_cache_is_made_for_what_is_asked) {
  const TempFolder temp;
  const auto package = fake_package(temp.path() / "package", "cpu", {"model.onnx"}, 131072);
  std::vector<std::string> lines;
  const auto grows = open_fake(package, "onnxruntime:cpu", with(0, &lines));
  EXPECT_EQ(grows->limits().max_context, 131072);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("4096"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("--context"), std::string::npos) << lines[0];
  const Tokens long_text(4090, 7);
  EXPECT_EQ(step(*grows, long_text).back(), 8);
  EXPECT_EQ(step(*grows, {20, 30}), (Tokens{21, 31}));
  EXPECT_EQ(lines.size(), 1u);
  EXPECT_EQ(step(*grows, {1, 2, 3, 4, 5}), (Tokens{2, 3, 4, 5, 6}));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[1].find("8192"), std::string::npos) << lines[1];
  EXPECT_EQ(grows->length(0), 4097);
  expect_error(Code::kOutOfMemory, {"--context"}, [&] {
    step(*grows, long_text);
    step(*grows, {1, 2, 3, 4, 5, 6});
  });
  const auto fixed = open_fake(package, "onnxruntime:cpu", with(10));
  expect_error(Code::kContextFull, {"10"}, [&] { step(*fixed, Tokens(11, 3)); });
  EXPECT_EQ(step(*fixed, Tokens(10, 3)).back(), 4);
  const auto huge = open_fake(package, "onnxruntime:cpu", with(100000));
  expect_error(Code::kOutOfMemory, {"100000"}, [&] { step(*huge, {1}); });
  EXPECT_EQ(huge->length(0), 0);
}

// As DirectML: the first run takes a prompt, after it one token at a time, which GenAI must choose
// itself; after a stop token it would choose padding.
TEST(onnxruntime_session, a_provider_that_does_not_append) {
  const TempFolder temp;
  const auto package = fake_package(temp.path() / "package", "dml", {"model_dml.onnx"});
  for (const char* device : {"onnxruntime:dml", "onnxruntime:cpu"}) {
    const bool dml = std::string(device) == "onnxruntime:dml";
    const auto session = open_fake(
        package, device, with(64),
        dml ? std::vector<std::string>{}
            : std::vector<std::string>{"onnxruntime.append=no", "onnxruntime.any-graph=1"});
    EXPECT_FALSE(session->limits().cheap_truncate);
    EXPECT_EQ(step(*session, {5, 9, 40}), (Tokens{6, 10, 41}));
    EXPECT_EQ(step(*session, {50}), Tokens{51});
    EXPECT_EQ(step(*session, {60, 61}), (Tokens{61, 62}));
    EXPECT_EQ(step(*session, {2}), Tokens{3}) << "the stop token";
    EXPECT_EQ(step(*session, {70}), Tokens{71}) << "after it";
    EXPECT_EQ(step(*session, Tokens(12, 33)), Tokens(12, 34)) << "too many to go one by one";
    session->truncate(0, 4);
    EXPECT_EQ(step(*session, {80}), Tokens{81});
    EXPECT_EQ(session->length(0), 5);
    EXPECT_EQ(step(*session, {81}), Tokens{82});
  }
}

TEST(onnxruntime_session, interrupts_act_between_runs) {
  const TempFolder temp;
  SessionOptions options = with(60);
  options.prefill_chunk = 10;
  const auto session = open_fake(fake_package(temp.path() / "package"), "onnxruntime:cpu", options);
  int polls = 0;
  const Tokens prompt(50, 3);
  const Step one{0, prompt, nullptr, false};
  expect_error(Code::kCancelled, {"30 of 50"},
               [&] { session->step({&one, 1}, [&] { return ++polls == 4; }); });
  EXPECT_EQ(session->length(0), 0);
  EXPECT_EQ(step(*session, prompt).size(), 50u);
}

}  // namespace
}  // namespace phial
