// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "small_model.h"

namespace phial {
namespace {

TEST(RandomCheckpoint, IsACheckpointWithTheSpreadOfAFreshModel) {
  const TempFolder temp;
  for (const char* dtype : {"bf16", "f16", "f32"}) {
    const fs::path folder = small_checkpoint(temp, false, dtype);
    const Checkpoint checkpoint(folder);
    std::vector<float> w(352 * 128);
    to_f32(checkpoint.tensor("lm_head.weight"), 0, 352 * 128, w.data());
    double squares = 0;
    for (float x : w) squares += static_cast<double>(x) * static_cast<double>(x);
    EXPECT_NEAR(std::sqrt(squares / static_cast<double>(w.size())), 0.02, 0.001) << dtype;
    std::vector<float> norm(128);
    to_f32(checkpoint.tensor("model.norm.weight"), 0, 128, norm.data());
    for (float x : norm) EXPECT_NEAR(x, 1.0f, 0.06f);
    EXPECT_EQ(Package::open(folder)->describe()["kind"], "checkpoint");
  }
}

TEST(RandomCheckpoint, SameSeedSameBytes) {
  const TempFolder temp;
  for (auto [name, seed] : {std::pair("a", 3), {"b", 3}, {"c", 4}})
    make_random_checkpoint(small_config(true), temp.path() / name, static_cast<uint64_t>(seed), {},
                           "bf16");
  auto bytes = [&temp](const char* name) {
    return read_file(temp.path() / name / "model.safetensors");
  };
  EXPECT_EQ(bytes("a"), bytes("b"));
  EXPECT_NE(bytes("a"), bytes("c"));
}

TEST(RandomCheckpoint, CopiesTokenizerFilesAndKeepsItsOwnConfig) {
  const TempFolder temp;
  fs::create_directory(temp.path() / "tok");
  temp.write("tok/tokenizer.json", "{}");
  temp.write("tok/config.json", "{\"model_type\": \"other\"}");
  make_random_checkpoint(small_config(), temp.path() / "out", 1, temp.path() / "tok", "bf16");
  EXPECT_EQ(read_file(temp.path() / "out" / "tokenizer.json"), "{}");
  EXPECT_EQ(read_json(temp.path() / "out" / "config.json")["model_type"], "phi3");
  EXPECT_EQ(read_json(temp.path() / "out" / "config.json")["torch_dtype"], "bfloat16");
  EXPECT_EQ(read_json(temp.path() / "out" / "generation_config.json")["eos_token_id"], 2);
}

TEST(RandomCheckpoint, UnknownElementTypeIsRefused) {
  const TempFolder temp;
  EXPECT_TRUE(contains(
      error_of([&] { make_random_checkpoint(small_config(), temp.path() / "x", 1, {}, "int3"); }),
      "bf16, f16 or f32"));
  EXPECT_FALSE(fs::exists(temp.path() / "x"));
}

}  // namespace
}  // namespace phial
