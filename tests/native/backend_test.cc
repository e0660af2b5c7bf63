// SPDX-License-Identifier: Apache-2.0
// What the CPU engine says of itself, and which options it refuses.
#include <gtest/gtest.h>

#include <cstdlib>

#include "conformance/suite.h"
#include "conformance/tiny_model.h"
#include "kernels/dispatch.h"
#include "native/native_backend.h"

namespace phial {
namespace {

std::unique_ptr<Session> open(const SessionOptions& options, const TinyFormats& formats = {}) {
  return make_native_backend()->open(tiny_package(tiny_config(), formats), "cpu", options);
}

TEST(native_backend, the_forced_tier_is_the_one_that_runs) {
  const auto session = open({});
  const char* forced = std::getenv("PHIAL_ISA");
  EXPECT_EQ(session->tier(), forced && *forced ? forced : kernels::best().name);
  EXPECT_EQ(session->device(), "cpu");
}

TEST(native_backend, accepts_its_own_device_only) {
  const auto backend = make_native_backend();
  const auto package = tiny_package(tiny_config(), {});
  EXPECT_EQ(backend->name(), "native");
  ASSERT_EQ(backend->devices().size(), 1u);
  EXPECT_EQ(backend->devices()[0].id, "cpu");
  EXPECT_NE(backend->devices()[0].description.find(kernels::best().name), std::string::npos);
  const Verdict yes = backend->accepts(*package, "cpu"),
                no = backend->accepts(*package, "openvino:GPU.0");
  EXPECT_GT(yes.rank, 0);
  EXPECT_EQ(yes.device, "cpu");
  EXPECT_EQ(yes.reason, std::string("runs on ") + kernels::best().name);
  EXPECT_EQ(no.rank, 0);
  EXPECT_FALSE(no.reason.empty());
  error_of(Code::kUnsupported, [&] { backend->open(package, "npu", {}); });
}

TEST(native_backend, limits_follow_the_options) {
  EXPECT_EQ(open({})->limits().max_context, 64);
  SessionOptions options;
  options.context = 1000;  // more than the model has
  options.max_sequences = 3;
  options.prefill_chunk = 10;
  const Limits limits = open(options)->limits();
  EXPECT_EQ(limits.vocab, 101);
  EXPECT_EQ(limits.max_context, 64);
  EXPECT_EQ(limits.max_sequences, 3);
  EXPECT_EQ(limits.prefill_chunk, 10);
  EXPECT_TRUE(limits.cheap_truncate);
}

TEST(native_backend, options_that_cannot_be_are_refused) {
  for (auto change :
       {+[](SessionOptions& o) { o.context = -1; }, +[](SessionOptions& o) { o.max_sequences = 0; },
        +[](SessionOptions& o) { o.threads = -2; },
        +[](SessionOptions& o) { o.prefill_chunk = -1; },
        +[](SessionOptions& o) { o.kv_cache = "u4"; }}) {
    SessionOptions options;
    change(options);
    error_of(Code::kInvalidArgument, [&] { open(options); });
  }
}

TEST(native_backend, messages_name_numbers_and_the_way_out) {
  SessionOptions options;
  options.context = 8;
  const auto session = open(options);
  const auto full =
      error_of(Code::kContextFull, [&] { feed(*session, 4, tiny_tokens(tiny_config(), 9)); });
  EXPECT_NE(full.find("--context"), std::string::npos) << full;
  for (const char* number : {"sequence 4", " 9 ", " 8 ", "64"})
    EXPECT_NE(full.find(number), std::string::npos) << full;
  const auto outside =
      error_of(Code::kInvalidArgument, [&] { feed(*session, 4, std::vector<TokenId>{3, 101}); });
  EXPECT_NE(outside.find("token 101"), std::string::npos) << outside;
  EXPECT_NE(outside.find("vocabulary of 101"), std::string::npos) << outside;
}

// The cache's type can be seen in the logits: f32 is the default with f32 weights only.
TEST(native_backend, the_cache_type_follows_the_weights_and_the_option) {
  const auto tokens = tiny_tokens(tiny_config(), 20);
  for (const WeightFormat format : {WeightFormat::kF32, WeightFormat::kF16}) {
    Logits by_option[5];
    const char* names[5] = {"", "f32", "f16", "u8", "i16"};
    for (int i = 0; i < 5; ++i) {
      SessionOptions options;
      options.kv_cache = names[i];
      by_option[i] = feed(*open(options, TinyFormats::all(format)), 0, tokens);
    }
    EXPECT_NE(by_option[1], by_option[2]);
    EXPECT_NE(by_option[3], by_option[2]);
    EXPECT_NE(by_option[4], by_option[2]);
    EXPECT_NE(by_option[4], by_option[1]);
    const int usual = kernels::best().kv_type == kernels::KvType::kI16 ? 4 : 2;
    EXPECT_EQ(by_option[0], by_option[format == WeightFormat::kF32 ? 1 : usual]);
  }
}

// A context that no address space can hold is refused when a sequence begins, not by a crash later.
TEST(native_backend, a_cache_that_cannot_be_had_is_out_of_memory) {
  Phi3Config config = tiny_config();
  config.max_positions = config.original_max_positions = 2'000'000'000;
  config.n_layers = 64;
  config.n_heads = config.n_kv_heads =
      32;  // 2e9 positions x 64 layers x 64 areas x 48 bytes = 393 TB > 128 TB
  const auto session = make_native_backend()->open(
      tiny_package(config, TinyFormats::all(WeightFormat::kF16)), "cpu", {});
  const auto message =
      error_of(Code::kOutOfMemory, [&] { feed(*session, 0, std::vector<TokenId>{1}); });
  EXPECT_NE(message.find("--context"), std::string::npos) << message;
  EXPECT_EQ(session->length(0), 0);
}

}  // namespace
}  // namespace phial
