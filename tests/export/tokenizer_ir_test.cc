// SPDX-License-Identifier: Apache-2.0
// The shape of the tokenizer IRs and what is refused. That they give the right ids and texts is the
// business of tests/openvino/tokenizer_ir_test.py, which runs them.

// gcc 12 takes std::regex's own std::function for uninitialized when sanitizers are on.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "export/openvino_ir/tokenizer_ir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "base/rng.h"
#include "expect_error.h"
#include "export/openvino_ir/tokenizer_bpe.h"
#include "export/openvino_ir/tokenizer_patterns.h"
#include "text/byte_alphabet.h"

namespace phial {
namespace {

Json added(int id, const char* content, bool lstrip, bool rstrip, bool special = true) {
  return {{"id", id},          {"content", content},   {"lstrip", lstrip},
          {"rstrip", rstrip},  {"single_word", false}, {"normalized", false},
          {"special", special}};
}

// Phi-3's kind: "▁" for spaces, byte tokens.
Json spm() {
  Json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int byte = 0; byte < 256; ++byte) vocab[fmt::format("<0x{:02X}>", byte)] = 3 + byte;
  for (const char* token : {"▁", "a", "b", "<", "▁a", "ab", "acb", "ac"})
    vocab[token] = vocab.size();
  return {{"added_tokens",
           {added(0, "<unk>", false, false), added(1, "<s>", false, false),
            added(267, "<|end|>", false, true), added(268, "<|end|><", false, true, false)}},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers",
             {{{"type", "Prepend"}, {"prepend", "▁"}},
              {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}}}}},
          {"decoder",
           {{"type", "Sequence"},
            {"decoders",
             {{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
              {{"type", "ByteFallback"}},
              {{"type", "Fuse"}},
              {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}}},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "<unk>"},
            {"byte_fallback", true},
            {"vocab", vocab},
            {"merges", {"▁ a", "a b", "ac b"}}}}};
}

// Phi-4's kind: GPT-2's alphabet, a split rule.
Json byte_level() {
  Json vocab = Json::object();
  for (int byte = 0; byte < 256; ++byte)
    vocab[to_byte_alphabet(std::string(1, static_cast<char>(byte)))] = byte;
  vocab["Ġa"] = 256;
  return {{"added_tokens", {added(257, "<|im_end|>", true, true)}},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"Ġ a"}}}}};
}

TokenizerIr make(const Json& json, const SideFiles& files = {}) {
  return make_tokenizer_ir(json.dump(), files, "tokenizer.json");
}

std::map<std::string, int> operations(const std::string& xml) {
  std::map<std::string, int> counts;
  const std::regex layer("<layer id=\"\\d+\" name=\"[^\"]*\" type=\"(\\w+)\"");
  for (std::sregex_iterator it(xml.begin(), xml.end(), layer), end; it != end; ++it)
    ++counts[(*it)[1]];
  return counts;
}

// Every constant lies in the file and has its shape's size; every edge joins ports that are there.
void check_structure(const std::string& xml, const std::string& bin) {
  const std::map<std::string, uint64_t> bytes = {{"i32", 4}, {"i64", 8}, {"u8", 1}, {"boolean", 1}};
  const std::regex constant(
      "element_type=\"(\\w+)\" shape=\"(\\d*)\" offset=\"(\\d+)\" size=\"(\\d+)\"");
  int constants = 0;
  for (std::sregex_iterator it(xml.begin(), xml.end(), constant), end; it != end; ++it) {
    const uint64_t count = (*it)[2].length() ? std::stoull((*it)[2]) : 1;
    const uint64_t offset = std::stoull((*it)[3]), size = std::stoull((*it)[4]);
    EXPECT_GT(size, 0u);
    EXPECT_EQ(size, count * bytes.at((*it)[1]));
    EXPECT_LE(offset + size, bin.size());
    ++constants;
  }
  EXPECT_EQ(constants, operations(xml)["Const"]);

  std::map<int, std::set<int>> ports;  // of each layer
  int layer = -1;
  const std::regex part("<layer id=\"(\\d+)\"|<port id=\"(\\d+)\"");
  for (std::sregex_iterator it(xml.begin(), xml.end(), part), end; it != end; ++it) {
    if ((*it)[1].matched) {
      EXPECT_EQ(std::stoi((*it)[1]), ++layer);
    }
    if ((*it)[2].matched) {
      EXPECT_TRUE(ports[layer].insert(std::stoi((*it)[2])).second);
    }
  }
  const std::regex edge(
      "from-layer=\"(\\d+)\" from-port=\"(\\d+)\" to-layer=\"(\\d+)\" to-port=\"(\\d+)\"");
  int edges = 0;
  for (std::sregex_iterator it(xml.begin(), xml.end(), edge), end; it != end; ++it, ++edges) {
    EXPECT_TRUE(ports[std::stoi((*it)[1])].contains(std::stoi((*it)[2])));
    EXPECT_TRUE(ports[std::stoi((*it)[3])].contains(std::stoi((*it)[4])));
    EXPECT_LT(std::stoi((*it)[1]), std::stoi((*it)[3]));
  }
  EXPECT_GT(edges, 0);
}

TEST(TokenizerIr, HasTheOperationsOfItsKind) {
  const TokenizerIr phi3 = make(spm()), phi4 = make(byte_level());
  auto text = operations(phi3.tokenizer_xml);
  EXPECT_EQ(text["RegexNormalization"], 2);  // Prepend, Replace
  EXPECT_EQ(text["RegexSplit"], 0);
  for (const char* once : {"Parameter", "StringTensorUnpack", "SpecialTokensSplit", "BPETokenizer",
                           "ReadValue", "Assign", "Truncate", "CombineSegments", "RaggedToDense"}) {
    EXPECT_EQ(text[once], 1) << once;
    EXPECT_EQ(operations(phi4.tokenizer_xml)[once], 1) << once;
  }
  EXPECT_EQ(operations(phi4.tokenizer_xml)["RegexSplit"], 1);
  EXPECT_EQ(operations(phi4.tokenizer_xml)["RegexNormalization"], 0);
  EXPECT_EQ(text["Result"], 2);
  EXPECT_LT(phi3.tokenizer_xml.find("names=\"input_ids\""),
            phi3.tokenizer_xml.find("names=\"attention_mask\""));
  EXPECT_EQ(operations(phi3.detokenizer_xml)["ByteFallback"], 1);
  EXPECT_EQ(operations(phi4.detokenizer_xml)["CharsToBytes"], 1);
  for (const TokenizerIr* ir : {&phi3, &phi4})
    EXPECT_EQ(operations(ir->detokenizer_xml)["VocabDecoder"], 1);
}

TEST(TokenizerIr, ConstantsAndEdgesHold) {
  for (const Json& json : {spm(), byte_level()}) {
    const TokenizerIr ir = make(json);
    check_structure(ir.tokenizer_xml, ir.tokenizer_bin);
    check_structure(ir.detokenizer_xml, ir.detokenizer_bin);
  }
}

TEST(TokenizerIr, SameFileSameBytes) {
  const TokenizerIr a = make(spm()), b = make(spm());
  EXPECT_EQ(a.tokenizer_xml, b.tokenizer_xml);
  EXPECT_EQ(a.tokenizer_bin, b.tokenizer_bin);
  EXPECT_EQ(a.detokenizer_xml, b.detokenizer_xml);
  EXPECT_EQ(a.detokenizer_bin, b.detokenizer_bin);
}

TEST(TokenizerIr, SideFilesSayIdsTemplateAndPadding) {
  SideFiles files;
  files.bos_token = "<s>";
  files.eos_token = "<|end|>";
  files.chat_template = "{{ '<a>' + \"b\" }}\n& end";
  files.tokenizer_config = {
      {"add_bos_token", true}, {"padding_side", "left"}, {"model_max_length", 77}};
  files.add_bos_token = true;
  const TokenizerIr ir = make(spm(), files);
  for (const char* there :
       {"<bos_token_id value=\"1\" />", "<eos_token_id value=\"267\" />",
        "<pad_token_id value=\"267\" />", "pad_right=\"false\"",
        "<chat_template value=\"{{ '&lt;a>' + &quot;b&quot; }}&#10;&amp; end\" />",
        "<openvino_tokenizers_version value="})
    EXPECT_NE(ir.tokenizer_xml.find(there), std::string::npos) << there;
  // BOS is one more segment: three inputs more.
  const size_t without = operations(make(spm()).tokenizer_xml)["Const"];
  EXPECT_GT(static_cast<size_t>(operations(ir.tokenizer_xml)["Const"]), without);
  const int32_t limit = 76;  // one less than model_max_length, for BOS
  const std::string_view as_bytes(reinterpret_cast<const char*>(&limit), sizeof(limit));
  EXPECT_NE(ir.tokenizer_bin.find(as_bytes), std::string::npos);
  // What XML can't hold stays in its own file.
  files.chat_template =
      "a\x01"
      "b";
  EXPECT_EQ(make(spm(), files).tokenizer_xml.find("chat_template"), std::string::npos);
}

TEST(TokenizerIr, VocabularyHoldsWhatTextCanBecome) {
  TokenizerSpec spec = read_tokenizer_json(spm().dump(), "tokenizer.json");
  const BpeTables tables = make_bpe_tables(spec, false, {}, "tokenizer.json");
  EXPECT_EQ(tables.pieces[3 + '\n'], "\n");  // a byte token is its byte
  EXPECT_EQ(tables.pieces[3 + 0xE2], "\xE2");
  EXPECT_EQ(tables.pieces[3 + 'a'], "");  // "a" has a token of its own
  EXPECT_EQ(tables.pieces[260], "a");
  EXPECT_EQ(tables.pieces[263], "▁a");
  EXPECT_EQ(tables.pieces[265], "");    // "acb": only from "ac", which nothing makes
  EXPECT_EQ(tables.merges.size(), 2u);  // "ac b" can't happen
}

TEST(TokenizerIr, PatternsSayTheirText) {
  EXPECT_EQ(pcre_literal("<|a.b\n|>"), "\\<\\|a\\.b\\x{a}\\|\\>");
  EXPECT_EQ(pcre_replacement("a$1"), "a$$1");
  std::vector<AddedToken> tokens(2);
  tokens[0].content = "<a>";
  tokens[1].content = "<a><";
  const std::string pattern = pcre_added_tokens(tokens, "here");
  EXPECT_LT(pattern.find("\\<a\\>\\<"), pattern.find("\\<a\\>|") + pattern.size());
  EXPECT_EQ(pattern, "(?|(\\<a\\>\\<|\\<a\\>))");  // the longest first
  // PCRE2 compiles at most 64 KB, and the extension ignores what it can't compile.
  for (const SplitRule rule : {SplitRule::kGpt2, SplitRule::kCl100k, SplitRule::kO200k})
    EXPECT_LT(pcre_split_rule(rule).size(), 50'000u);
}

TEST(TokenizerIr, RefusesWhatItCannotSay) {
  auto refused = [](const char* why, Json json, const std::function<void(Json&)>& change) {
    change(json);
    expect_error(Code::kUnsupported, {"tokenizer.json", why}, [&] { make(json); });
  };
  refused("single_word", spm(), [](Json& j) { j["added_tokens"][2]["single_word"] = true; });
  refused("normalized text", spm(), [](Json& j) { j["added_tokens"][2]["normalized"] = true; });
  refused("normalizer writes", spm(), [](Json& j) { j["added_tokens"][2]["content"] = "▁x"; });
  refused("begins or ends with a space", byte_level(),
          [](Json& j) { j["added_tokens"][0]["content"] = "\n\n"; });
  refused("can overlap", byte_level(), [](Json& j) {
    j["added_tokens"].push_back(added(258, "<|im_end|>>", false, false));
    j["added_tokens"][1]["normalized"] = true;
  });
  refused("of the 256 bytes", spm(), [](Json& j) { j["model"]["byte_fallback"] = false; });
  refused("ignore_merges", byte_level(), [](Json& j) {
    j["model"]["vocab"]["ab"] = 257;
    j["added_tokens"][0]["id"] = 258;
    j["model"]["ignore_merges"] = true;
  });
  refused("also ordinary text", spm(), [](Json& j) {
    j["model"]["vocab"]["bb"] = 267;
    j["model"]["merges"].push_back("b b");
    j["model"]["merges"].push_back("a bb");
    j["model"]["vocab"]["abb"] = 268;
    j["added_tokens"] = {added(268, "abb", false, false)};  // "ab" comes first: ab, b
  });
  refused("adds a token after the text", spm(), [](Json& j) {
    j["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single", {{{"Sequence", {{"id", "A"}}}}, {{"SpecialToken", {{"id", "</s>"}}}}}}};
  });
  refused("prepend_scheme 'first'", spm(), [](Json& j) {
    j.erase("normalizer");
    j["pre_tokenizer"] = {
        {"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}, {"split", false}};
  });
  refused("only one of", spm(), [](Json& j) { j["decoder"] = {{"type", "ByteLevel"}}; });
}

TEST(TokenizerIr, DamagedFilesAreErrors) {
  expect_error(Code::kCorrupt, {"tokenizer.json"},
               [] { make_tokenizer_ir("{", {}, "tokenizer.json"); });
  expect_error(Code::kNotFound, {"no such folder"},
               [] { make_tokenizer_ir(fs::path("no such folder")); });
  Rng rng(1);
  int refused = 0;
  for (const std::string& text : {spm().dump(), byte_level().dump()}) {
    for (int i = 0; i < 400; ++i) {
      std::string damaged = text;
      const size_t at = rng.next() % damaged.size();
      if (i % 4 == 0)
        damaged.resize(at);
      else if (i % 4 == 1)
        damaged.erase(at, 1 + rng.next() % 40);
      else
        damaged[at] = "\"{}[],:0a\\"[rng.next() % 10];
      try {
        const TokenizerIr ir = make_tokenizer_ir(damaged, {}, "damaged");
        EXPECT_FALSE(ir.detokenizer_bin.empty());
      } catch (const Error& error) {
        EXPECT_NE(error.code(), Code::kInternal) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 300);
}

TEST(TokenizerIr, PublishedTokenizers) {
  const fs::path folder = fs::path(PHIAL_SHARED_DIR) / "data" / "tokenizers";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " isn't there";
  for (const char* name : {"phi-3", "phi-3-mini", "phi-3-medium", "phi-3-vision"}) {
    const TokenizerIr ir = make_tokenizer_ir(folder / name);
    check_structure(ir.tokenizer_xml, ir.tokenizer_bin);
    check_structure(ir.detokenizer_xml, ir.detokenizer_bin);
    EXPECT_EQ(why_no_tokenizer_ir(folder / name), "");
  }
}

}  // namespace
}  // namespace phial
