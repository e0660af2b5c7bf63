// SPDX-License-Identifier: Apache-2.0
// The engine against reference_forward() on the same (dequantized) weights: architectures x
// formats.
//
// Relative L2 distance over all logits of 40 tokens, the largest of the architectures below,
// measured with scalar kernels:
//   f32 1e-6                     f16 4.9e-4, bf16 4.6e-4, f32 with f16 cache 4.7e-4: the cache's
//   rounding u8 symmetric 2.2e-2          u8 asymmetric 2.5e-2          u8 by channel 2.6e-2 u4
//   symmetric 2.1e-2          u4 asymmetric 2.5e-2          u4 by channel 2.1e-2 mixed 2.2e-2
// Quantized weights with int8 activations: those (blocks of 32) cost 0.5 % in each of the nine
// products on the way; without any layer, lm_head alone, the distance is 4.3e-3.
#include "model/reference.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "conformance/suite.h"
#include "conformance/tiny_model.h"
#include "kernels/dispatch.h"
#include "native/native_backend.h"

namespace phial {
namespace {

struct Architecture {
  const char* name;
  Phi3Config config;
};

std::vector<Architecture> architectures() {
  std::vector<Architecture> all;
  const auto add = [&](const char* name, auto&& change) {
    Phi3Config config = tiny_config();
    change(config);
    all.push_back({name, config});
  };
  add("grouped queries", [](Phi3Config&) {});
  add("a KV head for each query head", [](Phi3Config& c) { c.n_kv_heads = 4; });
  add("one KV head for all", [](Phi3Config& c) { c.n_kv_heads = 1; });
  add("partial rotary", [](Phi3Config& c) { c.rotary_dim = 18; });
  add("tied embeddings", [](Phi3Config& c) { c.tie_word_embeddings = true; });
  add("sliding window", [](Phi3Config& c) { c.sliding_window = 5; });
  add("window of one key", [](Phi3Config& c) { c.sliding_window = 1; });
  add("long factors", [](Phi3Config& c) { make_longrope(c, 16); });
  add("short factors", [](Phi3Config& c) { make_longrope(c, 40); });
  add("long factors, partial rotary, tied", [](Phi3Config& c) {
    c.rotary_dim = 12;
    c.tie_word_embeddings = true;
    make_longrope(c, 16);
  });
  add("Phi-3-mini's and Phi-4's head sizes", [](Phi3Config& c) {
    c.head_dim = c.rotary_dim = 96;
    c.n_heads = 3;
    c.n_kv_heads = 1;
    c.hidden_size = 288;
    c.intermediate_size = 224;
  });
  return all;
}

double distance(const Phi3Config& config, const TinyFormats& formats,
                const std::string& kv_cache = {}, const std::string& activations = {}) {
  const auto package = tiny_package(config, formats);
  const auto tokens = tiny_tokens(config, 40);
  SessionOptions options;
  options.kv_cache = kv_cache;
  options.activations = activations;
  const auto session = make_native_backend()->open(package, "cpu", options);
  return relative_distance(feed(*session, 0, tokens),
                           reference_forward(package->config(), package->weights(), tokens));
}

void expect_near_reference(const TinyFormats& formats, double tolerance,
                           const std::string& kv_cache = {}, const std::string& activations = {}) {
  double largest = 0;
  for (const Architecture& architecture : architectures()) {
    const double d = distance(architecture.config, formats, kv_cache, activations);
    EXPECT_LE(d, tolerance) << architecture.name;
    largest = std::max(largest, d);
  }
  ::testing::Test::RecordProperty("largest_distance", std::to_string(largest));
}

TEST(native_reference, f32) { expect_near_reference(TinyFormats::all(WeightFormat::kF32), 2e-6); }
TEST(native_reference, f32_with_f16_cache) {
  expect_near_reference(TinyFormats::all(WeightFormat::kF32), 2e-3, "f16");
}
TEST(native_reference, f32_with_i16_cache) {
  expect_near_reference(TinyFormats::all(WeightFormat::kF32), 2e-3, "i16");
}
TEST(native_reference, f16) { expect_near_reference(TinyFormats::all(WeightFormat::kF16), 2e-3); }
TEST(native_reference, f16_with_f32_cache) {
  expect_near_reference(TinyFormats::all(WeightFormat::kF16), 2e-6, "f32");
}
TEST(native_reference, bf16) { expect_near_reference(TinyFormats::all(WeightFormat::kBF16), 2e-3); }
TEST(native_reference, u8_symmetric) {
  expect_near_reference(TinyFormats::all(WeightFormat::kU8), 3e-2, "", "int8");
}
TEST(native_reference, int16_activations_are_as_good_as_exact) {
  for (const WeightFormat format : {WeightFormat::kU8, WeightFormat::kU4})
    for (const bool asymmetric : {false, true}) {
      expect_near_reference(TinyFormats::all(format, asymmetric), 3e-4, "f32", "int16");
      expect_near_reference(TinyFormats::all(format, asymmetric, 0), 3e-4, "f32", "int16");
    }
}
TEST(native_reference, u8_asymmetric) {
  expect_near_reference(TinyFormats::all(WeightFormat::kU8, true), 3e-2, "", "int8");
}
TEST(native_reference, u8_by_channel) {
  expect_near_reference(TinyFormats::all(WeightFormat::kU8, true, 0), 3e-2, "", "int8");
}
TEST(native_reference, u4_symmetric) {
  expect_near_reference(TinyFormats::all(WeightFormat::kU4), 3e-2, "", "int8");
}
TEST(native_reference, u4_asymmetric) {
  expect_near_reference(TinyFormats::all(WeightFormat::kU4, true), 3e-2, "", "int8");
}
TEST(native_reference, u4_by_channel) {
  expect_near_reference(TinyFormats::all(WeightFormat::kU4, false, 0), 3e-2, "", "int8");
}

// A mixed-ratio package: some matrices with 4 bits, others with 8, embedding and lm_head apart.
TEST(native_reference, every_matrix_of_another_format) {
  TinyFormats formats;
  formats.qkv = WeightFormat::kU4;
  formats.o = WeightFormat::kF16;
  formats.gate_up = WeightFormat::kU8;
  formats.down = WeightFormat::kU4;
  formats.embedding = WeightFormat::kU8;
  formats.lm_head = WeightFormat::kBF16;
  formats.asymmetric = true;
  expect_near_reference(formats, 3e-2);
}

// With one layer, what a query sees is exactly its window: the key W back changes nothing, the next
// one does.
TEST(native_reference, the_window_ends_where_it_should) {
  Phi3Config config = tiny_config();
  config.n_layers = 1;
  for (const int32_t window : {1, 2, 5, 31, 32, 33}) {
    config.sliding_window = window;
    const auto package = tiny_package(config, TinyFormats::all(WeightFormat::kF32));
    auto tokens = tiny_tokens(config, 50);
    const auto logits = [&] {
      return feed(*make_native_backend()->open(package, "cpu", {}), 0, tokens, true);
    };
    const Logits before = logits();
    int32_t& outside = tokens[static_cast<size_t>(49 - window)];
    outside = (outside + 1) % config.vocab_size;
    EXPECT_EQ(logits(), before) << "window " << window;
    if (window == 1) continue;
    int32_t& inside = tokens[static_cast<size_t>(49 - window + 1)];
    inside = (inside + 1) % config.vocab_size;
    EXPECT_NE(logits(), before) << "window " << window;
  }
}

TEST(native_reference, results_do_not_depend_on_the_number_of_threads) {
  for (const WeightFormat format : {WeightFormat::kF32, WeightFormat::kU8, WeightFormat::kU4}) {
    Phi3Config config = tiny_config();
    config.vocab_size = 1001;
    config.intermediate_size = 480;
    const auto package = tiny_package(config, TinyFormats::all(format));
    const auto tokens = tiny_tokens(config, 40);
    Logits first;
    for (const int32_t threads : {1, 2, 3, 8}) {
      SessionOptions options;
      options.threads = threads;
      const auto session = make_native_backend()->open(package, "cpu", options);
      Logits logits = feed(*session, 0, tokens);
      const Logits more = feed(*session, 0, std::vector<TokenId>{5});  // and decoding
      logits.insert(logits.end(), more.begin(), more.end());
      if (first.empty()) first = logits;
      EXPECT_EQ(logits, first) << threads << " threads, " << weight_format_name(format);
    }
  }
}

}  // namespace
}  // namespace phial
