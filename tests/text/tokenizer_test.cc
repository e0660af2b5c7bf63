// SPDX-License-Identifier: Apache-2.0
// What the library's answers can't show: streaming, long inputs, and tokenizer.json files that are
// wrong.
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/utf8.h"

namespace phial {
namespace {

const fs::path kGolden = fs::path(PHIAL_SOURCE_DIR) / "tests" / "golden" / "text";

using Ids = std::vector<TokenId>;

const Json& small_json() {
  static const Json json = read_json(kGolden / "spm" / "tokenizer.json");
  return json;
}

// Runs parse() on the small tokenizer after `change`; returns the error, which must be there.
Error refused(const std::function<void(Json&)>& change) {
  Json json = small_json();
  change(json);
  try {
    Tokenizer::parse(json.dump(), "small.json");
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("small.json"), std::string::npos) << error.what();
    return error;
  }
  ADD_FAILURE() << "not refused";
  return Error(Code::kInternal, "");
}

void expect_refused(Code code, const std::string& part, const std::function<void(Json&)>& change) {
  const Error error = refused(change);
  EXPECT_EQ(error.code(), code) << error.what();
  EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
}

class Streaming : public testing::TestWithParam<const char*> {};

TEST_P(Streaming, PiecesOfAnyIdsJoinToTheDecodedText) {
  const auto tokenizer = Tokenizer::open(kGolden / GetParam());
  const Ids bytes = tokenizer->encode("\xF0\x9F\xA6\x99 \xE2\x82\xAC",
                                      false);  // ids that make and break sequences
  Rng rng(11);
  for (int round = 0; round < 3000; ++round) {
    Ids ids(rng.below(20));
    for (TokenId& id : ids)
      id = rng.below(2) ? bytes[rng.below(bytes.size())]
                        : static_cast<TokenId>(rng.below(tokenizer->vocab_size()));
    for (const bool skip_special : {false, true}) {
      StreamDecoder stream(tokenizer, skip_special);
      std::string joined;
      for (const TokenId id : ids) {
        const std::string piece = stream.push(id);
        ASSERT_EQ(utf8_first_invalid(piece), std::string::npos);
        joined += piece;
      }
      joined += stream.finish();
      ASSERT_EQ(joined, tokenizer->decode(ids, skip_special)) << Json(ids).dump();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Streaming, testing::Values("spm", "o200k"),
                         [](const auto& info) { return std::string(info.param); });

TEST(StreamDecoder, HoldsBackHalfACharacter) {
  const auto tokenizer = Tokenizer::open(kGolden / "o200k");
  StreamDecoder stream(tokenizer);
  const Ids llama = tokenizer->encode("\xF0\x9F\xA6\x99");
  ASSERT_EQ(llama.size(), 4u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(stream.push(llama[i]), "");
  EXPECT_EQ(stream.push(llama[3]), "\xF0\x9F\xA6\x99");
  EXPECT_EQ(stream.push(llama[0]), "");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
  EXPECT_EQ(stream.finish(), "");
}

TEST(StreamDecoder, KeepsTheLeadingSpaceWhenAsked) {
  const auto tokenizer = Tokenizer::open(kGolden / "spm");
  const Ids ids = tokenizer->encode("the engine");
  for (const bool keep : {false, true}) {
    StreamDecoder stream(tokenizer, true, keep);
    std::string text;
    for (const TokenId id : ids) text += stream.push(id);
    EXPECT_EQ(text + stream.finish(), keep ? " the engine" : "the engine");
  }
}

TEST(Tokenizer, ReplacesInvalidUtf8) {
  for (const char* name : {"spm", "o200k"}) {
    const auto tokenizer = Tokenizer::open(kGolden / name);
    EXPECT_EQ(tokenizer->encode("a\xFFz\xE2\x82"), tokenizer->encode("a\xEF\xBF\xBDz\xEF\xBF\xBD"));
  }
}

TEST(Tokenizer, RefusesIdsOutsideTheVocabulary) {
  const auto tokenizer = Tokenizer::open(kGolden / "spm");
  // A model's matrix may have more rows than the tokenizer has tokens: such ids are no text, as for
  // the library.
  EXPECT_EQ(tokenizer->decode(Ids{tokenizer->vocab_size(), 2000000000}), "");
  StreamDecoder beyond(tokenizer);
  EXPECT_EQ(beyond.push(tokenizer->vocab_size()) + beyond.finish(), "");
  EXPECT_THROW(tokenizer->decode(Ids{-1}), Error);
  EXPECT_EQ(tokenizer->id_to_token(tokenizer->vocab_size()), "");
  EXPECT_EQ(tokenizer->id_to_token(-1), "");
  EXPECT_EQ(tokenizer->token_to_id("no such token"), std::nullopt);
}

// Both " " and what "Z9" swallowed are the same space: the library counts it once.
TEST(Tokenizer, AddedTokenWithinSwallowedSpacesIsDropped) {
  Json json = read_json(kGolden / "gpt2" / "tokenizer.json");
  const TokenId next = static_cast<TokenId>(json["model"]["vocab"].size());
  json["added_tokens"] = {
      {{"id", next}, {"content", "Z9"}, {"rstrip", true}, {"special", true}},
      {{"id", next + 1}, {"content", " "}, {"lstrip", true}, {"special", true}}};
  const auto tokenizer = Tokenizer::parse(json.dump(), "small.json");
  EXPECT_EQ(tokenizer->encode("Z9 Z9"), (Ids{next, next}));
  EXPECT_EQ(tokenizer->encode(" Z9"), (Ids{next + 1, next}));
}

TEST(Tokenizer, HolesInTheVocabularyDecodeToNothing) {
  Json json = small_json();
  for (auto& [token, id] : json["model"]["vocab"].items())
    if (id == 300) id = 600;
  json["added_tokens"] = Json::array();
  const auto tokenizer = Tokenizer::parse(json.dump(), "small.json");
  EXPECT_EQ(tokenizer->vocab_size(), 601);
  EXPECT_EQ(tokenizer->decode(Ids{300, 599}), "");
}

// A run of letters or spaces is one piece for BPE. These take milliseconds; quadratic time would
// take minutes each.
TEST(Tokenizer, LongRunsTakeLinearTime) {
  for (const char* name : {"spm", "cl100k", "o200k", "gpt2"}) {
    const auto tokenizer = Tokenizer::open(kGolden / name);
    for (const char* unit : {"a", " ", "\n", "A", "engine", "'", "é", "a "}) {
      std::string text;
      while (text.size() < (1u << 17)) text += unit;
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text) << name << " '" << unit << "'";
    }
  }
}

TEST(Tokenizer, MergesInBothFormsAreTheSame) {
  Json json = small_json();
  for (Json& merge : json["model"]["merges"]) {
    if (merge.is_array()) merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  }
  json["model"]["merges"].insert(json["model"]["merges"].begin(), "#version: 0.2");
  const std::string text = "the engine counted its tokens, they weren't many";
  EXPECT_EQ(Tokenizer::parse(json.dump(), "lines")->encode(text),
            Tokenizer::open(kGolden / "spm")->encode(text));
}

TEST(Tokenizer, MetaspaceEqualsTheNormalizer) {
  Json json = small_json();
  json["normalizer"] = nullptr;
  json["pre_tokenizer"] = {{"type", "Metaspace"},
                           {"replacement", "\xE2\x96\x81"},
                           {"prepend_scheme", "first"},
                           {"split", false}};
  json["added_tokens"] = Json::array();
  json["model"]["vocab"].erase("<s>");
  const auto tokenizer = Tokenizer::parse(json.dump(), "metaspace");
  EXPECT_EQ(tokenizer->encode("the engine"),
            Tokenizer::open(kGolden / "spm")->encode("the engine"));
}

TEST(TokenizerJson, RefusesOtherModels) {
  expect_refused(Code::kUnsupported, "Unigram",
                 [](Json& j) { j["model"] = {{"type", "Unigram"}, {"vocab", {{"a", 0}}}}; });
  expect_refused(Code::kUnsupported, "WordPiece",
                 [](Json& j) { j["model"]["type"] = "WordPiece"; });
  expect_refused(Code::kUnsupported, "dropout", [](Json& j) { j["model"]["dropout"] = 0.1; });
  expect_refused(Code::kUnsupported, "end_of_word_suffix",
                 [](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; });
  expect_refused(Code::kUnsupported, "NFKC", [](Json& j) { j["normalizer"] = {{"type", "NFKC"}}; });
  expect_refused(Code::kUnsupported, "BertPreTokenizer",
                 [](Json& j) { j["pre_tokenizer"] = {{"type", "BertPreTokenizer"}}; });
  expect_refused(Code::kUnsupported, "WordPiece",
                 [](Json& j) { j["decoder"] = {{"type", "WordPiece"}}; });
  expect_refused(Code::kUnsupported, "makes text longer",
                 [](Json& j) { j["decoder"]["decoders"][0]["content"] = "a long text"; });
  expect_refused(Code::kUnsupported, "no decoder", [](Json& j) { j["decoder"] = nullptr; });
  expect_refused(Code::kUnsupported, "\\\\w+", [](Json& j) {
    j["pre_tokenizer"] = {{"type", "Split"},
                          {"pattern", {{"Regex", "\\w+"}}},
                          {"behavior", "Isolated"},
                          {"invert", false}};
  });
}

TEST(TokenizerJson, RefusesABrokenVocabulary) {
  expect_refused(Code::kCorrupt, "vocab", [](Json& j) { j["model"].erase("vocab"); });
  expect_refused(Code::kCorrupt, "merges", [](Json& j) { j["model"].erase("merges"); });
  expect_refused(Code::kCorrupt, "no merges",
                 [](Json& j) { j["model"]["merges"] = Json::array(); });
  expect_refused(Code::kCorrupt, "['x'] is -1", [](Json& j) { j["model"]["vocab"]["x"] = -1; });
  expect_refused(Code::kCorrupt, "10000001", [](Json& j) { j["model"]["vocab"]["x"] = 10000001; });
  expect_refused(Code::kCorrupt, "18446744073709551615",
                 [](Json& j) { j["model"]["vocab"]["x"] = UINT64_MAX; });
  expect_refused(Code::kCorrupt, "number", [](Json& j) { j["model"]["vocab"]["x"] = 1.5; });
  expect_refused(Code::kCorrupt, "gives id 300 to both",
                 [](Json& j) { j["model"]["vocab"]["other"] = 300; });
  expect_refused(Code::kCorrupt, "an object",
                 [](Json& j) { j["model"]["vocab"]["x"] = Json::object(); });
  expect_refused(Code::kCorrupt, "isn't in model.vocab",
                 [](Json& j) { j["model"]["merges"].push_back({"no", "such"}); });
  expect_refused(Code::kCorrupt, "'a b c'",
                 [](Json& j) { j["model"]["merges"].push_back("a b c"); });
  expect_refused(Code::kCorrupt, "two parts",
                 [](Json& j) { j["model"]["merges"].push_back({"a", "b", "c"}); });
  expect_refused(Code::kCorrupt, "two parts",
                 [](Json& j) { j["model"]["merges"].push_back({"a"}); });
  expect_refused(Code::kCorrupt, "number", [](Json& j) { j["model"]["merges"].push_back(3); });
}

TEST(TokenizerJson, RefusesBrokenAddedTokens) {
  expect_refused(Code::kCorrupt, "array", [](Json& j) { j["added_tokens"] = "none"; });
  expect_refused(Code::kCorrupt, "is there twice",
                 [](Json& j) { j["added_tokens"].push_back(j["added_tokens"][0]); });
  expect_refused(Code::kCorrupt, "says it has id 77",
                 [](Json& j) { j["added_tokens"][0]["id"] = 77; });
  expect_refused(Code::kCorrupt, "'id'", [](Json& j) { j["added_tokens"][0]["id"] = -4; });
  expect_refused(Code::kCorrupt, "content", [](Json& j) { j["added_tokens"][0].erase("content"); });
}

TEST(TokenizerJson, RefusesWhatIsNoTokenizer) {
  for (const char* text : {"", "[]", "3", "{}", "{\"model\": 3}", "{\"model\": {\"vocab\": [",
                           "{\"model\":{\"vocab\":{\"\xFF\":1}}}"}) {
    try {
      Tokenizer::parse(text, "t");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCorrupt) << error.what();
    }
  }
  EXPECT_THROW(Tokenizer::parse(std::string(1000, '['), "t"), Error);
  EXPECT_THROW(Tokenizer::parse("{\"model\":" + std::string(1000, '['), "t"), Error);
  EXPECT_THROW(Tokenizer::open(kGolden / "nowhere"), Error);
}

TEST(TokenizerJson, RefusesVocabulariesWrittenTwice) {
  EXPECT_THROW(Tokenizer::parse(R"({"model":{"vocab":{"a":0},"vocab":{"b":1},"merges":[]}})", "t"),
               Error);
  EXPECT_THROW(Tokenizer::parse(R"({"model":{"vocab":{"a":0,"a":1},"merges":[]}})", "t"), Error);
}

}  // namespace
}  // namespace phial
