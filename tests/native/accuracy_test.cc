// SPDX-License-Identifier: Apache-2.0
// What rounding costs with trained weights: the demo model, quantized, on held-out conversations
// and texts, against reference_forward(), which rounds nothing, on the same dequantized weights.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/json.h"
#include "conformance/suite.h"
#include "model/reference.h"
#include "native/native_backend.h"
#include "package/package.h"
#include "package/writer.h"
#include "temp_folder.h"
#include "text/tokenizer.h"

namespace phial {
namespace {

const fs::path kDemo = fs::path(PHIAL_SOURCE_DIR) / "models" / "phial-demo";

// Every 45th line of the held-out file, as ids: user and expected answer, or the text.
std::vector<Tokens> held_out() {
  const auto tokenizer = Tokenizer::open(kDemo);
  std::ifstream file(kDemo / "heldout.jsonl");
  std::vector<Tokens> all;
  std::string line;
  for (int i = 0; std::getline(file, line); ++i) {
    if (i % 45) continue;
    const Json item = Json::parse(line);
    std::string text;
    if (item.contains("messages")) {
      for (const Json& message : item.at("messages"))
        text += "<|user|>" + message.at("content").get<std::string>() + "<|end|><|assistant|>";
      text += item.value("expected", std::string());
    } else {
      text = item.at("text").get<std::string>();
    }
    Tokens ids = tokenizer->encode(text);
    if (ids.size() > 150) ids.resize(150);
    all.push_back(std::move(ids));
  }
  return all;
}

struct Loss {
  double distance;  // relative L2 over all logits
  double agree;     // share of positions with the same most likely token
};

struct Text {
  Tokens tokens;
  Logits expected;
};

Loss loss(const std::shared_ptr<const Package>& package, const std::vector<Text>& texts,
          const std::string& activations, const std::string& kv_cache = {}) {
  SessionOptions options;
  options.kv_cache = kv_cache;
  options.activations = activations;
  const auto session = make_native_backend()->open(package, "cpu", options);
  const auto vocab = static_cast<size_t>(package->config().vocab_size);
  double error = 0, norm = 0;
  size_t same = 0, all = 0;
  for (const Text& text : texts) {
    const Logits got = feed(*session, 0, text.tokens);
    session->release(0);
    for (size_t i = 0; i < got.size(); ++i) {
      const double expected = static_cast<double>(text.expected[i]);
      const double difference = static_cast<double>(got[i]) - expected;
      error += difference * difference;
      norm += expected * expected;
    }
    for (size_t at = 0; at < got.size(); at += vocab) {
      const auto best = [&](const Logits& logits) {
        const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(at);
        return std::max_element(begin, begin + static_cast<std::ptrdiff_t>(vocab)) - begin;
      };
      same += best(got) == best(text.expected);
      ++all;
    }
  }
  EXPECT_GT(all, 500u);
  return {std::sqrt(error / norm), static_cast<double>(same) / static_cast<double>(all)};
}

class NativeAccuracy : public ::testing::TestWithParam<WeightPrecision> {};

TEST_P(NativeAccuracy, DemoModelsLogits) {
  const TempFolder folder;
  QuantizeOptions options;
  options.recipe.precision = GetParam();
  options.recipe.symmetric = GetParam() == WeightPrecision::kInt4;
  quantize(kDemo, folder.path() / "demo", options);
  const std::shared_ptr<const Package> package = Package::open(folder.path() / "demo");
  std::vector<Text> texts;
  for (Tokens& tokens : held_out()) {
    Logits expected = reference_forward(package->config(), package->weights(), tokens);
    texts.push_back({std::move(tokens), std::move(expected)});
  }
  const Loss usual = loss(package, texts, ""), all8 = loss(package, texts, "int8"),
             all16 = loss(package, texts, "int16");
  const Loss cache8 = loss(package, texts, "", "u8"),
             only_cache8 = loss(package, texts, "int16", "u8"),
             only_f16 = loss(package, texts, "int16", "f16"),
             only_i16 = loss(package, texts, "int16", "i16");
  RecordProperty("losses", fmt::format("default {:.2e} {:.4f}, int8 {:.2e} {:.4f}, int16 {:.2e} "
                                       "{:.4f}, u8 cache {:.2e} {:.4f}, with int16 {:.2e} {:.4f}, "
                                       "f16 cache with int16 {:.2e} {:.4f}, i16 {:.2e} {:.4f}",
                                       usual.distance, usual.agree, all8.distance, all8.agree,
                                       all16.distance, all16.agree, cache8.distance, cache8.agree,
                                       only_cache8.distance, only_cache8.agree, only_f16.distance,
                                       only_f16.agree, only_i16.distance, only_i16.agree));
  EXPECT_LE(usual.distance, 1e-2);
  EXPECT_GE(usual.agree, 0.99);
  EXPECT_LE(all16.distance, 1e-3);  // the cache in i16 or f16
  EXPECT_LE(only_f16.distance, 1e-3);
  EXPECT_LE(only_i16.distance, 1e-3);
  EXPECT_GE(all16.agree, 0.997);
  EXPECT_LE(all8.distance, 3e-2);
  EXPECT_GT(all8.distance, usual.distance);
  EXPECT_LE(cache8.distance, 1.5e-2);
  EXPECT_GE(cache8.agree, 0.99);
  EXPECT_GT(only_cache8.distance, all16.distance);
}

INSTANTIATE_TEST_SUITE_P(native, NativeAccuracy,
                         ::testing::Values(WeightPrecision::kInt4, WeightPrecision::kInt8),
                         [](const auto& info) { return std::string(precision_name(info.param)); });

}  // namespace
}  // namespace phial
