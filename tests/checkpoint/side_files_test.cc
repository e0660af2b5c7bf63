// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/side_files.h"

#include <gtest/gtest.h>

#include "expect_error.h"
#include "temp_folder.h"

namespace phial {
namespace {

TEST(SideFiles, AreAllOptional) {
  TempFolder folder;
  const SideFiles files = read_side_files(folder.path());
  EXPECT_TRUE(files.config.is_null());
  EXPECT_TRUE(files.generation_config.is_null());
  EXPECT_TRUE(files.tokenizer_config.is_null());
  EXPECT_EQ(files.chat_template, "");
  EXPECT_EQ(files.bos_token, "");
  EXPECT_FALSE(files.add_bos_token);
  EXPECT_TRUE(files.eos_ids().empty());
  EXPECT_TRUE(side_file_names(folder.path()).empty());
  expect_error(Code::kNotFound, {"none"}, [&] { read_side_files(folder.path() / "none"); });
}

TEST(SideFiles, EosIdsAreTheUnionSortedWithoutRepeats) {
  TempFolder folder;
  folder.write("config.json", R"({"eos_token_id":32000})");
  folder.write("generation_config.json", R"({"eos_token_id":[32007,32001,32000]})");
  EXPECT_EQ(read_side_files(folder.path()).eos_ids(), (std::vector<int32_t>{32000, 32001, 32007}));
  folder.write("generation_config.json", R"({"eos_token_id":null})");
  EXPECT_EQ(read_side_files(folder.path()).eos_ids(), (std::vector<int32_t>{32000}));
}

TEST(SideFiles, RefusesEosIdsThatAreNone) {
  TempFolder folder;
  for (const char* value : {"-1", "\"x\"", "[1,-2]", "[[1]]", "1.5", "2147483648", "{}", "true"}) {
    folder.write("generation_config.json", std::string(R"({"eos_token_id":)") + value + "}");
    expect_error(Code::kCorrupt, {"generation_config.json", "eos_token_id"},
                 [&] { read_side_files(folder.path()); });
  }
}

TEST(SideFiles, SpecialTokensAreTextsOrObjects) {
  TempFolder folder;
  folder.write(
      "tokenizer_config.json",
      R"({"bos_token":"<s>","eos_token":{"content":"<|end|>","lstrip":false},"pad_token":null,"add_bos_token":true})");
  folder.write("special_tokens_map.json",
               R"({"bos_token":"other","pad_token":"<pad>","unk_token":{"content":"<unk>"}})");
  const SideFiles files = read_side_files(folder.path());
  EXPECT_EQ(files.bos_token, "<s>");
  EXPECT_EQ(files.eos_token, "<|end|>");
  EXPECT_EQ(files.pad_token, "<pad>");
  EXPECT_EQ(files.unk_token, "<unk>");
  EXPECT_TRUE(files.add_bos_token);
  for (const char* value : {"7", "[]", "{}", R"({"content":7})"}) {
    folder.write("tokenizer_config.json", std::string(R"({"bos_token":)") + value + "}");
    expect_error(Code::kCorrupt, {"tokenizer_config.json", "bos_token"},
                 [&] { read_side_files(folder.path()); });
  }
}

TEST(SideFiles, ChatTemplateComesFromItsFileOrTheTokenizerConfig) {
  TempFolder folder;
  auto chat_template = [&] { return read_side_files(folder.path()).chat_template; };
  folder.write("tokenizer_config.json", R"({"chat_template":"plain"})");
  EXPECT_EQ(chat_template(), "plain");
  folder.write(
      "tokenizer_config.json",
      R"({"chat_template":[{"name":"tool_use","template":"t"},{"name":"default","template":"d"}]})");
  EXPECT_EQ(chat_template(), "d");
  folder.write("tokenizer_config.json",
               R"({"chat_template":[{"name":"tool_use","template":"t"}]})");
  EXPECT_EQ(chat_template(), "");
  folder.write("chat_template.jinja", "from the file");
  EXPECT_EQ(chat_template(), "from the file");
  folder.write("chat_template.jinja", "bad \xff byte");
  expect_error(Code::kCorrupt, {"chat_template.jinja", "4"}, chat_template);
  fs::remove(folder.path() / "chat_template.jinja");
  folder.write("tokenizer_config.json", R"({"chat_template":7})");
  expect_error(Code::kCorrupt, {"tokenizer_config.json", "chat_template"}, chat_template);
}

TEST(SideFiles, RefusesFilesThatAreNotJsonObjects) {
  for (const char* name : {"config.json", "generation_config.json", "tokenizer_config.json",
                           "special_tokens_map.json"}) {
    TempFolder folder;
    folder.write(name, "[]");
    expect_error(Code::kCorrupt, {name, "object"}, [&] { read_side_files(folder.path()); });
    folder.write(name, "{");
    expect_error(Code::kCorrupt, {name}, [&] { read_side_files(folder.path()); });
  }
}

TEST(SideFiles, NamesTheOnesThatAreThere) {
  TempFolder folder;
  for (const char* name : {"tokenizer.json", "config.json", "LICENSE.txt", "LICENSE", "README.md",
                           "model.safetensors"})
    folder.write(name, "{}");
  fs::create_directory(folder.path() / "tokenizer.model");
  EXPECT_EQ(side_file_names(folder.path()),
            (std::vector<std::string>{"config.json", "tokenizer.json", "LICENSE", "LICENSE.txt"}));
}

}  // namespace
}  // namespace phial
