// SPDX-License-Identifier: Apache-2.0
// The NPU's way of running a model, executed on the CPU (device npuw-on-cpu): the same tokens as
// the plain CPU device, within lengths that are compiled in. Nothing here has seen an NPU.
#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/tiny_model.h"
#include "expect_error.h"
#include "openvino/environment.h"

namespace phial {
namespace {

constexpr const char* kDevice = "openvino:npuw-on-cpu";

Tokens prompt_of(int32_t count, uint64_t seed = 5) {
  return tiny_tokens(tiny_config(), count, seed);
}

std::unique_ptr<Session> open(const std::shared_ptr<const Package>& package,
                              const std::string& device, std::vector<std::string> more = {},
                              const Notice& notice = {}) {
  std::vector<std::string> settings = exact_settings();
  settings.insert(settings.end(), more.begin(), more.end());
  SessionOptions options;
  options.threads = 1;
  options.notice = notice;
  return openvino_backend(settings)->open(package, device, options);
}

TEST(npuw_on_cpu, token_for_token_as_the_cpu) {
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kWindow}) {
    const auto package = tiny_on_disk(kind);
    const auto npu = open(package, kDevice), cpu = open(package, "openvino:CPU");
    EXPECT_EQ(npu->device(), kDevice);
    EXPECT_NE(npu->tier().find("CPU through NPUW"), std::string::npos) << npu->tier();
    for (const int32_t length : {1, 2, 7, 30}) {
      npu->release(0);
      cpu->release(0);
      EXPECT_EQ(greedy(*npu, prompt_of(length), 20), greedy(*cpu, prompt_of(length), 20))
          << "prompt of " << length << ", kind " << static_cast<int>(kind);
    }
  }
}

TEST(npuw_on_cpu, a_compiled_model_that_leaves_its_weights_in_the_package_is_used_again) {
  const auto package = tiny_on_disk(TinyKind::kPlain);
  const Tokens expected = greedy(*open(package, "openvino:CPU"), prompt_of(7), 20);
  for (const bool again : {false, true}) {
    std::string said;
    const auto session = open(package, kDevice, {"CACHE_MODE=OPTIMIZE_SIZE"},
                              [&](NoticeKind kind, const std::string& text) {
                                if (kind != NoticeKind::kProgress) said += text + "\n";
                              });
    EXPECT_EQ(said.find("this happens once") == std::string::npos, again) << said;
    EXPECT_EQ(greedy(*session, prompt_of(7), 20), expected);
  }
}

TEST(npuw_on_cpu, a_conversation_goes_on) {
  const auto package = tiny_on_disk(TinyKind::kPlain);
  const auto npu = open(package, kDevice), cpu = open(package, "openvino:CPU");
  for (Session* session : {npu.get(), cpu.get()}) {
    greedy(*session, prompt_of(6), 4);
    session->truncate(0, 8);
  }
  EXPECT_EQ(greedy(*npu, prompt_of(3, 8), 5), greedy(*cpu, prompt_of(3, 8), 5));  // token by token
  EXPECT_EQ(greedy(*npu, prompt_of(20, 9), 5),
            greedy(*cpu, prompt_of(20, 9), 5));  // prefilled again
  EXPECT_EQ(npu->length(0), cpu->length(0));
  const Logits a = feed(*npu, 0, prompt_of(4, 2)), b = feed(*cpu, 0, prompt_of(4, 2));
  EXPECT_LT(relative_distance(a, b), 2e-2);  // NPUW keeps its cache in f16
}

TEST(npuw_on_cpu, lengths_that_are_set_are_kept_to_and_named_when_exceeded) {
  const auto package = tiny_on_disk(TinyKind::kPlain, 512);
  const auto session = open(package, kDevice, {"npu-prompt=100", "npu-response=60"});
  EXPECT_EQ(session->limits().prefill_chunk, 128);  // compiled in multiples of 64
  EXPECT_EQ(session->limits().max_context, 128 + 64 - 1);
  expect_error(Code::kContextFull, {"129 tokens", "prompts of 128", "--npu-prompt 192"},
               [&] { feed(*session, 0, prompt_of(129), true); });
  EXPECT_EQ(session->length(0), 0);
  feed(*session, 0, prompt_of(128), true);
  for (int i = 0; i < 63; ++i) feed(*session, 0, prompt_of(1), true);
  EXPECT_EQ(session->length(0), 191);  // to the last place
  expect_error(Code::kContextFull, {"191"}, [&] { feed(*session, 0, prompt_of(1), true); });
  expect_error(Code::kInvalidArgument, {"--npu-prompt is 600", "512"},
               [&] { open(package, kDevice, {"npu-prompt=600"}); });
}

TEST(npuw_on_cpu, lengths_that_are_not_set_grow) {
  const auto package = tiny_on_disk(TinyKind::kPlain, 2048);
  std::vector<std::string> lines;
  const auto session = open(package, kDevice, {}, [&](NoticeKind kind, const std::string& text) {
    if (kind != NoticeKind::kProgress) lines.push_back(text);
  });
  EXPECT_EQ(session->limits().max_context, 2048);
  EXPECT_EQ(session->limits().prefill_chunk, 1024);
  feed(*session, 0, prompt_of(10), true);
  const Tokens more = prompt_of(1030, 3);
  const Logits got = feed(*session, 0, more, true);
  EXPECT_EQ(session->limits().prefill_chunk, 2048);
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("1040 tokens") != std::string::npos &&
           line.find("prompts of 1024") != std::string::npos;
  }));
  const auto cpu = open(package, "openvino:CPU");
  feed(*cpu, 0, prompt_of(10), true);
  EXPECT_LT(relative_distance(got, feed(*cpu, 0, more, true)), 2e-2);
}

TEST(npuw_on_cpu, longrope_ends_where_the_short_factors_end) {
  const auto session = open(tiny_on_disk(TinyKind::kLongRope), kDevice);
  EXPECT_EQ(session->limits().max_context, 16);
}

TEST(npu, without_one_the_verdict_says_what_is_missing) {
  const auto backend = openvino_backend({});
  for (const Device& device : backend->devices())
    if (device.kind == "npu" && device.why_not.empty()) GTEST_SKIP() << "there is an NPU";
  const Verdict verdict = backend->accepts(*tiny_on_disk(TinyKind::kPlain), "openvino:NPU");
  EXPECT_EQ(verdict.rank, 0);
  EXPECT_NE(verdict.reason.find("NPU"), std::string::npos) << verdict.reason;
  EXPECT_NE(verdict.reason.find("driver"), std::string::npos) << verdict.reason;
}

}  // namespace
}  // namespace phial
