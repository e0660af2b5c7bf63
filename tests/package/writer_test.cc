// SPDX-License-Identifier: Apache-2.0
// Writing packages: what is refused, what stays after an interruption, and that threads don't show.
#include "package/writer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "small_model.h"

namespace phial {
namespace {

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Writer, BytesDoNotDependOnThreads) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp);
  for (const QuantRecipe& recipe :
       {recipe_of(WeightPrecision::kInt4, false, 32, 0.7), recipe_of(WeightPrecision::kFp16)}) {
    for (int threads : {1, 4}) {
      QuantizeOptions options;
      options.recipe = recipe;
      options.threads = threads;
      options.overwrite = true;
      quantize(source, temp.path() / std::to_string(threads), options);
    }
    for (const char* file : {kWeightsFile, kManifestFile})
      EXPECT_EQ(read_file(temp.path() / "1" / file), read_file(temp.path() / "4" / file));
  }
}

TEST(Writer, CopiesSideFilesAndPadsTheWeights) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp);
  for (const char* name : {"tokenizer.json", "chat_template.jinja", "LICENSE", "notes.txt"})
    temp.write("plain-bf16/" + std::string(name), "{}");
  quantize_small(source, temp.path() / "p", recipe_of(WeightPrecision::kInt8));
  EXPECT_EQ(names_in(temp.path() / "p"),
            (std::vector<std::string>{"LICENSE", "chat_template.jinja", "config.json",
                                      "generation_config.json", "openvino_model.bin", "phial.json",
                                      "tokenizer.json"}));
  EXPECT_EQ(fs::file_size(temp.path() / "p" / kWeightsFile) % 4096, 0u);
  EXPECT_EQ(names_in(temp.path()),
            (std::vector<std::string>{"p", "plain-bf16"}));  // no *.partial-*
}

TEST(Writer, ProgressRisesToTheTotal) {
  const TempFolder temp;
  QuantizeOptions options;
  options.recipe = recipe_of(WeightPrecision::kInt4, true, 64, 0.5);
  uint64_t last = 0, total = 0;
  bool chose = false;
  options.progress = [&](const Progress& p) {
    EXPECT_GE(p.done_bytes, last);
    last = p.done_bytes;
    total = p.total_bytes;
    chose |= contains(p.current, "choosing 4-bit layers");
  };
  quantize(small_checkpoint(temp), temp.path() / "p", options);
  EXPECT_EQ(last, total);
  EXPECT_GT(total, 0u);
  EXPECT_TRUE(chose);  // a ratio needs a pass of its own, which the progress says
}

TEST(Writer, RefusesPlacesThatWouldHarm) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp), package = temp.path() / "p";
  const QuantRecipe recipe = recipe_of(WeightPrecision::kInt8);
  auto error = [&](const fs::path& from, const fs::path& to, bool overwrite) {
    QuantizeOptions options;
    options.recipe = recipe;
    options.overwrite = overwrite;
    return error_of([&] { quantize(from, to, options); });
  };
  for (bool overwrite : {false, true}) {
    EXPECT_TRUE(contains(error(source, source, overwrite), "inside the source"));
    EXPECT_TRUE(contains(error(source, source / "x" / "y", overwrite), "inside the source"));
    EXPECT_TRUE(contains(error(source, temp.path() / "a" / ".." / "plain-bf16", overwrite),
                         "inside the source"));
    EXPECT_TRUE(contains(error(source, temp.path(), overwrite), "contains the source"));
  }
  EXPECT_EQ(error(source, package, false), "none");
  EXPECT_TRUE(contains(error(source, package, false), "already exists"));
  EXPECT_EQ(error(source, package, true), "none");
  EXPECT_TRUE(contains(error(package, temp.path() / "again", false), "is a package already"));
  fs::create_directory(temp.path() / "letters");
  temp.write("letters/dear.txt", "keep me");
  EXPECT_TRUE(contains(error(source, temp.path() / "letters", true), "isn't a package"));
  EXPECT_EQ(read_file(temp.path() / "letters" / "dear.txt"), "keep me");
  temp.write("file", "x");
  EXPECT_TRUE(contains(error(source, temp.path() / "file" / "p", false), "input/output error"));
}

TEST(Writer, GroupThatDoesNotFitLeavesNothing) {
  const TempFolder temp;
  const std::string error = error_of([&] {
    quantize_small(small_checkpoint(temp), temp.path() / "p",
                   recipe_of(WeightPrecision::kInt4, true, 256));
  });
  EXPECT_TRUE(contains(error, "invalid argument: ") &&
              contains(error, "qkv_proj.weight' has 128 columns") &&
              contains(error, "32, 64, 128, -1"))
      << error;
  EXPECT_EQ(names_in(temp.path()), (std::vector<std::string>{"plain-bf16"}));
}

TEST(Writer, InterruptedItLeavesNothing) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp);
  for (int at = 0; at < 22; at += 3) {  // twice a matrix, and twice at the end
    QuantizeOptions options;
    options.recipe = recipe_of(WeightPrecision::kInt4);
    options.threads = 1;
    int calls = 0;
    options.interrupt = [&calls, at] { return calls++ == at; };
    EXPECT_TRUE(
        contains(error_of([&] { quantize(source, temp.path() / "p", options); }), "cancelled: "))
        << at;
    EXPECT_EQ(names_in(temp.path()), (std::vector<std::string>{"plain-bf16"}));
  }
}

TEST(Writer, DamagedWeightIsRefusedByName) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp, false, "f32"), file = source / "model.safetensors";
  std::string bytes = read_file(file);
  const uint32_t nan = 0x7FC00000, large = 0x48000000;  // 131072.0
  for (auto [bits, recipe, expected] :
       {std::tuple(nan, recipe_of(WeightPrecision::kInt4), "NaN"),
        {nan, recipe_of(WeightPrecision::kInt4, true, 64, 0.5), "NaN"},
        {large, recipe_of(WeightPrecision::kFp16), "beyond 65504"}}) {
    std::memcpy(bytes.data() + bytes.size() - 400, &bits, 4);  // in the last tensor, lm_head
    temp.write("plain-f32/model.safetensors", bytes);
    const std::string error =
        error_of([&, r = recipe] { quantize_small(source, temp.path() / "p", r); });
    EXPECT_TRUE(contains(error, "unsupported: ") && contains(error, "lm_head.weight") &&
                contains(error, expected))
        << error;
    EXPECT_FALSE(fs::exists(temp.path() / "p"));
  }
}

}  // namespace
}  // namespace phial
