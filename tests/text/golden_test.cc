// SPDX-License-Identifier: Apache-2.0
// Ids and texts against what the tokenizers library gave (tests/golden/text, made by
// tools/oracle/tokenizer_golden.py), and against published vectors where ../shared is there.
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

#include "base/json.h"
#include "text/tokenizer.h"

namespace phial {
namespace {

const fs::path kGolden = fs::path(PHIAL_SOURCE_DIR) / "tests" / "golden" / "text";
const fs::path kShared = fs::path(PHIAL_SHARED_DIR) / "data";

using Ids = std::vector<TokenId>;

void check_golden(const Tokenizer& tokenizer, const fs::path& path) {
  const Json golden = read_json(path);
  ASSERT_GT(golden.at("encode").size(), 50u);
  ASSERT_GT(golden.at("decode").size(), 50u);
  for (const Json& row : golden.at("encode")) {
    const auto text = row.at("text").get<std::string>();
    const Ids ids = row.at("ids").get<Ids>();
    EXPECT_EQ(tokenizer.encode(text), ids) << row.dump();
    EXPECT_EQ(tokenizer.encode(text, false),
              row.contains("plain") ? row.at("plain").get<Ids>() : ids)
        << row.dump();
  }
  for (const Json& row : golden.at("decode")) {
    const Ids ids = row.at("ids").get<Ids>();
    EXPECT_EQ(tokenizer.decode(ids), row.at("text").get<std::string>()) << row.dump();
    EXPECT_EQ(tokenizer.decode(ids, false), row.at("with_special").get<std::string>())
        << row.dump();
  }
}

class SmallTokenizer : public testing::TestWithParam<const char*> {};

TEST_P(SmallTokenizer, EqualsTheLibrary) {
  const fs::path folder = kGolden / GetParam();
  check_golden(*Tokenizer::open(folder), folder / "golden.json");
}

INSTANTIATE_TEST_SUITE_P(Golden, SmallTokenizer, testing::Values("spm", "cl100k", "o200k", "gpt2"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Phi3Tokenizer, EqualsTheLibrary) {
  const fs::path folder = kShared / "tokenizers" / "phi-3-mini";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " isn't there";
  const auto tokenizer = Tokenizer::open(folder);
  check_golden(*tokenizer, kGolden / "phi-3-mini.json");
  EXPECT_EQ(tokenizer->vocab_size(), 32011);
  EXPECT_EQ(tokenizer->token_to_id("<|end|>"), 32007);
  EXPECT_EQ(tokenizer->id_to_token(32010), "<|user|>");
  EXPECT_TRUE(tokenizer->is_special(32007));
  EXPECT_FALSE(tokenizer->is_special(2));  // </s> isn't, in the updated files
  EXPECT_FALSE(tokenizer->is_special(15043));
}

TEST(Phi3Tokenizer, StripFlagsComeFromTheFile) {
  const fs::path data = kShared / "tokenizers";
  if (!fs::exists(data / "phi-3")) GTEST_SKIP() << data << " isn't there";
  const std::string prompt = "<|user|>\nHello<|end|>\n<|assistant|>\n";
  EXPECT_EQ(Tokenizer::open(data / "phi-3-mini")->encode(prompt),
            (Ids{32010, 15043, 32007, 32001}));
  EXPECT_EQ(Tokenizer::open(data / "phi-3")->encode(prompt),
            (Ids{32010, 29871, 13, 10994, 32007, 29871, 13, 32001, 29871, 13}));
  EXPECT_EQ(Tokenizer::open(data / "phi-3-vision")->template_prefix(), Ids{1});
  EXPECT_EQ(Tokenizer::open(data / "phi-3-mini")->template_prefix(), Ids{});
}

TEST(Phi3Tokenizer, PassesTheVectorsOfLlamaCpp) {
  const fs::path base = kShared / "tokenizer-vectors" / "ggml-vocab-phi-3.gguf";
  if (!fs::exists(base)) GTEST_SKIP() << base << " isn't there";
  const std::string separator = "\n__ggml_vocab_test__\n";
  const std::string input = read_file(base.string() + ".inp");
  std::istringstream output(read_file(base.string() + ".out"));
  const auto tokenizer = Tokenizer::open(kShared / "tokenizers" / "phi-3-mini");
  int checked = 0;
  std::string line;
  for (size_t pos = 0; std::getline(output, line); ++checked) {
    const size_t end = std::min(input.find(separator, pos), input.size());
    std::istringstream numbers(line);
    const Ids expected{std::istream_iterator<TokenId>(numbers), std::istream_iterator<TokenId>()};
    EXPECT_EQ(tokenizer->encode(input.substr(pos, end - pos)), expected) << "vector " << checked;
    pos = end + separator.size();
  }
  EXPECT_EQ(checked, 46);  // and a last text that is empty
}

TEST(Phi3Tokenizer, PassesTheVectorsOfOrtExtensions) {
  const fs::path path = kShared / "tokenizer-vectors" / "tokenizer_vectors.json";
  if (!fs::exists(path)) GTEST_SKIP() << path << " isn't there";
  const Json vectors = read_json(path);
  int checked = 0;
  for (const auto& [name, rows] : vectors.items()) {
    const bool add_bos = name.ends_with(" (add_bos)");
    const fs::path folder = kShared / "tokenizers" / name.substr(0, name.find(' '));
    if (!fs::exists(folder / "tokenizer.json"))
      continue;  // byte-level ones are built by tokenizer_diff.py
    const auto tokenizer = Tokenizer::open(folder);
    for (const Json& row : rows) {
      Ids ids = tokenizer->encode(row.at("text").get<std::string>());
      if (add_bos) ids.insert(ids.begin(), 1);
      EXPECT_EQ(ids, row.at("ids").get<Ids>()) << name << ": " << row.at("text");
      ++checked;
    }
  }
  EXPECT_EQ(checked, 5);
}

}  // namespace
}  // namespace phial
