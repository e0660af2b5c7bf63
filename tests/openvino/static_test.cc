// SPDX-License-Identifier: Apache-2.0
// Models compiled ahead of time (`phial compile`), exported, imported and run: on the CPU plugin,
// which takes the same graphs as the NPU's compiler.
#include <gtest/gtest.h>

#include <fstream>

#include "base/write_beside.h"
#include "conformance/tiny_model.h"
#include "expect_error.h"
#include "openvino/environment.h"
#include "temp_folder.h"

namespace phial {
namespace {

const Tokens kPrompt = {5, 17, 3, 44, 90, 12, 7, 61, 8, 2, 33};

SessionOptions with(std::vector<std::string> settings) {
  SessionOptions options;
  options.threads = 1;
  options.settings = std::move(settings);
  return options;
}

// Prompts of 4 tokens a run in a context of 24.
void compile(const Package& package, const fs::path& folder) {
  auto settings = exact_settings();
  settings.insert(settings.end(), {"npu-prompt=4", "npu-response=20"});
  openvino_backend({})->compile(package, "openvino:CPU", folder, with(settings));
}

// Properties aren't in the blobs: without these a processor with bf16 would compute in bf16.
SessionOptions static_options(const fs::path& folder) {
  auto settings = exact_settings();
  settings.push_back("static-models=" + folder.string());
  return with(std::move(settings));
}

std::unique_ptr<Session> open(std::shared_ptr<const Package> package, const fs::path& folder) {
  return openvino_backend({})->open(std::move(package), "openvino:CPU", static_options(folder));
}

TEST(openvino_static, says_what_the_stateful_model_says) {
  TempFolder temp;
  const auto package = tiny_on_disk(TinyKind::kPlain);
  compile(*package, temp.path() / "static");
  const auto session = open(package, temp.path() / "static");
  EXPECT_EQ(session->limits().max_context, 24);
  EXPECT_EQ(session->limits().prefill_chunk, 4);
  EXPECT_TRUE(session->limits().cheap_truncate);
  const auto stateful = openvino_backend(exact_settings())->open(package, "openvino:CPU", with({}));
  const size_t vocab = static_cast<size_t>(session->limits().vocab);
  // In pieces of 4, 4 and 3; and one by one, as all logits are wanted.
  std::vector<float> pieces(vocab), singles(vocab * kPrompt.size()), expected(vocab);
  const Step whole{0, kPrompt, pieces.data(), false}, each{1, kPrompt, singles.data(), true},
      theirs{0, kPrompt, expected.data(), false};
  SessionOptions two = static_options(temp.path() / "static");
  two.max_sequences = 2;
  const auto both = openvino_backend({})->open(package, "openvino:CPU", two);
  both->step(std::vector<Step>{whole, each});
  stateful->step(std::vector<Step>{theirs});
  for (size_t i = 0; i < vocab; ++i) {
    EXPECT_NEAR(pieces[i], expected[i], 1e-3) << i;
    EXPECT_NEAR(singles[vocab * (kPrompt.size() - 1) + i], expected[i], 1e-3) << i;
  }
  EXPECT_EQ(greedy(*session, kPrompt, 10),
            greedy(*openvino_backend(exact_settings())->open(package, "openvino:CPU", with({})),
                   kPrompt, 10));
}

TEST(openvino_static, forgets_cheaply_and_ends_where_the_slots_end) {
  TempFolder temp;
  const auto package = tiny_on_disk(TinyKind::kPlain);
  compile(*package, temp.path() / "static");
  const auto session = open(package, temp.path() / "static");
  const size_t vocab = static_cast<size_t>(session->limits().vocab);
  std::vector<float> first(vocab), again(vocab);
  const std::span<const TokenId> tokens(kPrompt);
  session->step(std::vector<Step>{{0, tokens, first.data(), false}});
  session->truncate(0, 5);
  EXPECT_EQ(session->length(0), 5);
  session->step(std::vector<Step>{{0, tokens.subspan(5), again.data(), false}});
  for (size_t i = 0; i < vocab; ++i) EXPECT_NEAR(first[i], again[i], 1e-4) << i;
  const Tokens rest(14, 3);
  expect_error(Code::kContextFull, {"24"},
               [&] { session->step(std::vector<Step>{{0, rest, nullptr, false}}); });
  EXPECT_EQ(session->length(0), 11);
  session->step(std::vector<Step>{{0, std::span(rest).first(13), nullptr, false}});
  EXPECT_EQ(session->length(0), 24);
  int asked = 0;
  session->truncate(0, 0);
  expect_error(Code::kCancelled, {}, [&] {
    session->step(std::vector<Step>{{0, tokens, first.data(), false}}, [&] { return ++asked > 2; });
  });
  EXPECT_EQ(session->length(0), 0);
}

TEST(openvino_static, what_does_not_fit_is_said) {
  TempFolder temp;
  const auto package = tiny_on_disk(TinyKind::kPlain);
  const fs::path folder = temp.path() / "static";
  compile(*package, folder);
  expect_error(Code::kInvalidArgument, {"exists"}, [&] { compile(*package, folder); });
  expect_error(Code::kUnsupported, {"another package", "phial compile"},
               [&] { open(tiny_on_disk(TinyKind::kLongRope), folder); });
  expect_error(Code::kNotFound, {"npu.json"}, [&] { open(package, temp.path() / "nothing"); });
  {
    std::ofstream damaged(folder / "generate.blob", std::ios::binary | std::ios::trunc);
    damaged << "not a blob";
  }
  expect_error(Code::kCorrupt, {"generate.blob", "compile again"}, [&] { open(package, folder); });
  write_file_atomically(folder / "npu.json", "{\"format\": \"phial static models\"");
  expect_error(Code::kCorrupt, {"npu.json"}, [&] { open(package, folder); });
}

TEST(openvino_static, properties_reach_the_device) {
  TempFolder temp;
  const auto package = tiny_on_disk(TinyKind::kPlain);
  const fs::path folder = temp.path() / "static";
  compile(*package, folder);
  SessionOptions options = static_options(folder);
  options.settings.push_back("NO_SUCH_PROPERTY=1");
  expect_error(Code::kUnsupported, {"NO_SUCH_PROPERTY", "leave out the properties"},
               [&] { openvino_backend({})->open(package, "openvino:CPU", options); });
}

}  // namespace
}  // namespace phial
