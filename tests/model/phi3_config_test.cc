// SPDX-License-Identifier: Apache-2.0
#include "model/phi3_config.h"

#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.h"
#include "temp_folder.h"

namespace phial {
namespace {

// A small valid configuration to change.
Json small() {
  return Json::parse(
      R"({"model_type":"phi3","architectures":["Phi3ForCausalLM"],"vocab_size":256,"hidden_size":64,
    "intermediate_size":128,"num_hidden_layers":2,"num_attention_heads":4,"rope_scaling":null,"sliding_window":null})");
}

Json longrope_of(size_t half) {
  return {{"type", "longrope"},
          {"short_factor", std::vector<double>(half, 1.0)},
          {"long_factor", std::vector<double>(half, 2.0)}};
}

Json small_longrope() {
  Json c = small();
  c["max_position_embeddings"] = 131072;
  c["original_max_position_embeddings"] = 4096;
  c["rope_scaling"] = longrope_of(8);
  return c;
}

Phi3Config parse(const Json& config) { return parse_phi3_config(config, "config.json"); }

// `key` set to `value` in the small configuration is refused, naming the file and these words.
void expect_refused(Code code, const std::string& key, const Json& value,
                    std::vector<std::string> words) {
  SCOPED_TRACE(key + ": " + value.dump());
  Json c = small();
  c[key] = value;
  words.push_back("config.json");
  expect_error(code, words, [&] { parse(c); });
}

TEST(Phi3Config, MissingKeysHaveTransformersDefaults) {
  Json json = small();
  json.erase("rope_scaling");
  json.erase("sliding_window");
  const Phi3Config c = parse(json);
  EXPECT_EQ(c.n_kv_heads, 4);
  EXPECT_EQ(c.head_dim, 16);
  EXPECT_EQ(c.rotary_dim, 16);
  EXPECT_EQ(c.max_positions, 4096);
  EXPECT_EQ(c.original_max_positions, 4096);
  EXPECT_EQ(c.sliding_window, 0);
  EXPECT_EQ(c.rms_norm_eps, 1e-5f);
  EXPECT_EQ(c.rope_theta, 10000.0);
  EXPECT_FALSE(c.longrope);
  EXPECT_FALSE(c.tie_word_embeddings);
  EXPECT_EQ(c.bos_token_id, -1);
  EXPECT_TRUE(c.eos_token_ids.empty());
  EXPECT_FALSE(c.uses_long_factors(1000000));
}

TEST(Phi3Config, ReadsEveryKey) {
  Json json = small_longrope();
  json.update(Json::parse(
      R"({"num_key_value_heads":2,"head_dim":32,"partial_rotary_factor":0.75,"rope_theta":250000,
    "rms_norm_eps":1e-6,"tie_word_embeddings":true,"sliding_window":2047,"bos_token_id":1,"pad_token_id":null,
    "eos_token_id":[7,5],"torch_dtype":"bfloat16"})"));
  json["rope_scaling"] = longrope_of(12);
  const Phi3Config c = parse(json);
  EXPECT_EQ(c.n_heads, 4);
  EXPECT_EQ(c.n_kv_heads, 2);
  EXPECT_EQ(c.head_dim, 32);
  EXPECT_EQ(c.rotary_dim, 24);
  EXPECT_EQ(c.q_rows(), 128);
  EXPECT_EQ(c.kv_rows(), 64);
  EXPECT_EQ(c.rope_theta, 250000.0);
  EXPECT_EQ(c.rms_norm_eps, 1e-6f);
  EXPECT_TRUE(c.tie_word_embeddings);
  EXPECT_EQ(c.sliding_window, 2047);
  EXPECT_EQ(c.bos_token_id, 1);
  EXPECT_EQ(c.pad_token_id, -1);
  EXPECT_EQ(c.eos_token_ids, (std::vector<int32_t>{7, 5}));
  EXPECT_EQ(c.torch_dtype, "bfloat16");
  ASSERT_TRUE(c.longrope);
  EXPECT_EQ(c.longrope->long_factor, std::vector<float>(12, 2.0f));
}

TEST(Phi3Config, LongFactorsBeginAfterTheOriginalLength) {
  const Phi3Config c = parse(small_longrope());
  EXPECT_FALSE(c.uses_long_factors(4096));
  EXPECT_TRUE(c.uses_long_factors(4097));
}

TEST(Phi3Config, AttentionFactorFollowsItsRule) {
  Json json = small_longrope();
  EXPECT_NEAR(parse(json).longrope->attention_factor, 1.19023807,
              1e-8);                       // sqrt(1 + ln 32 / ln 4096)
  json["max_position_embeddings"] = 2048;  // not longer than the original: no factor
  EXPECT_EQ(parse(json).longrope->attention_factor, 1.0);
  json["rope_scaling"]["attention_factor"] = 1.5;
  EXPECT_EQ(parse(json).longrope->attention_factor, 1.5);
  json["rope_scaling"].erase("attention_factor");
  json["rope_scaling"]["short_mscale"] = 1.25;
  json["rope_scaling"]["long_mscale"] = 1.25;
  EXPECT_EQ(parse(json).longrope->attention_factor, 1.25);
  json["rope_scaling"]["long_mscale"] = 1.5;
  expect_error(Code::kUnsupported, {"long_mscale"}, [&] { parse(json); });
}

TEST(Phi3Config, OldNamesOfLongRopeAreLongRope) {
  for (const char* name : {"su", "yarn", "longrope"}) {
    Json json = small_longrope();
    json["rope_scaling"]["type"] = name;
    EXPECT_TRUE(parse(json).longrope) << name;
  }
}

TEST(Phi3Config, ReadsTheFormOfTransformers5) {
  Json json = small();
  json.erase("rope_scaling");
  json["dtype"] = "float16";
  json["max_position_embeddings"] = 131072;
  json["rope_parameters"] = {
      {"rope_type", "default"}, {"rope_theta", 500000.0}, {"partial_rotary_factor", 0.5}};
  Phi3Config c = parse(json);
  EXPECT_EQ(c.rope_theta, 500000.0);
  EXPECT_EQ(c.rotary_dim, 8);
  EXPECT_EQ(c.torch_dtype, "float16");
  EXPECT_FALSE(c.longrope);
  json["rope_parameters"].update(longrope_of(4));
  json["rope_parameters"].erase("type");
  json["rope_parameters"]["rope_type"] = "longrope";
  json["rope_parameters"]["original_max_position_embeddings"] = 8192;
  c = parse(json);
  EXPECT_EQ(c.original_max_positions, 8192);
  ASSERT_TRUE(c.longrope);
  EXPECT_NEAR(c.longrope->attention_factor, std::sqrt(1.0 + std::log(16.0) / std::log(8192.0)),
              1e-12);
}

TEST(Phi3Config, RefusesOtherArchitecturesByName) {
  for (const auto& [type, word] :
       std::vector<std::pair<std::string, std::string>>{{"phi3small", "Phi-3-small"},
                                                        {"phimoe", "MoE"},
                                                        {"phi3_v", "vision"},
                                                        {"phi4mm", "multimodal"},
                                                        {"phi", "Phi-2"},
                                                        {"llama", "llama"},
                                                        {"", "Phi-4-mini"}})
    expect_refused(Code::kUnsupported, "model_type", type, {word, "phi3", "Phi-3.5-mini"});
  expect_refused(Code::kUnsupported, "architectures", {"Phi3ForSequenceClassification"},
                 {"Phi3ForSequenceClassification"});
  expect_refused(Code::kUnsupported, "architectures", "x", {"architectures"});
  expect_refused(Code::kUnsupported, "hidden_act", "gelu", {"gelu", "silu"});
  expect_refused(Code::kUnsupported, "attention_bias", true, {"attention_bias"});
  expect_refused(Code::kUnsupported, "quantization_config", Json::object(), {"already quantized"});
  Json json = small();
  json.erase("model_type");
  expect_error(Code::kCorrupt, {"model_type"}, [&] { parse(json); });
  expect_error(Code::kCorrupt, {"config.json"}, [&] { parse(Json::array()); });
}

TEST(Phi3Config, RefusesSizesThatCannotBe) {
  for (const char* key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                          "num_attention_heads", "num_key_value_heads", "max_position_embeddings",
                          "original_max_position_embeddings"}) {
    for (const Json& value : {Json(0), Json(-1), Json(int64_t{1} << 40), Json(UINT64_MAX),
                              Json("64"), Json(1.5), Json::array()})
      expect_refused(Code::kCorrupt, key, value, {key});
  }
  for (const char* key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                          "num_attention_heads"}) {
    Json json = small();
    json.erase(key);
    expect_error(Code::kCorrupt, {key, "missing"}, [&] { parse(json); });
  }
  expect_refused(Code::kCorrupt, "num_key_value_heads", 3, {"4", "3"});
  expect_refused(Code::kCorrupt, "num_key_value_heads", 8, {"num_key_value_heads"});
  expect_refused(Code::kCorrupt, "hidden_size", 66, {"66"});
  expect_refused(Code::kCorrupt, "head_dim", 0, {"head_dim"});
  expect_refused(Code::kCorrupt, "head_dim", 15, {"rotary"});
  expect_refused(Code::kCorrupt, "partial_rotary_factor", 1.25, {"partial_rotary_factor"});
  expect_refused(Code::kCorrupt, "partial_rotary_factor", 0.2, {"3 rotary"});
  expect_refused(Code::kCorrupt, "rms_norm_eps", 0.0, {"rms_norm_eps"});
  expect_refused(Code::kCorrupt, "rope_theta", -1, {"rope_theta"});
  expect_refused(Code::kCorrupt, "rope_theta", 1e300, {"rope_theta"});
  expect_refused(Code::kCorrupt, "sliding_window", -7, {"sliding_window"});
  expect_refused(Code::kCorrupt, "eos_token_id", -7, {"eos_token_id"});
  expect_refused(Code::kCorrupt, "eos_token_id", {1, "x"}, {"eos_token_id"});
  expect_refused(Code::kCorrupt, "tie_word_embeddings", 1, {"tie_word_embeddings"});
}

TEST(Phi3Config, RefusesRopeScalingThatCannotBe) {
  expect_refused(Code::kCorrupt, "rope_scaling", 7, {"rope_scaling"});
  for (const char* type : {"linear", "dynamic", "llama3", "yarn"})
    expect_refused(Code::kUnsupported, "rope_scaling", {{"type", type}, {"factor", 2.0}},
                   {type, "longrope"});
  expect_refused(Code::kCorrupt, "rope_scaling", longrope_of(7), {"short_factor", "8", "7"});
  expect_refused(Code::kCorrupt, "rope_scaling", {{"type", "longrope"}}, {"short_factor"});
  for (const Json& value : {Json(0.0), Json(-1.0), Json("1"), Json(nullptr), Json(1e300)}) {
    Json scaling = longrope_of(8);
    scaling["long_factor"][3] = value;
    expect_refused(Code::kCorrupt, "rope_scaling", scaling, {"long_factor"});
  }
  Json json = small_longrope();
  json["original_max_position_embeddings"] = 1;  // its logarithm would be divided by
  expect_error(Code::kCorrupt, {"original_max_position_embeddings"}, [&] { parse(json); });
}

struct Member {
  const char* name;
  int64_t parameters, kv_bytes;
  int32_t layers, heads, kv_heads, head_dim, rotary_dim, window;
  bool longrope;
};
constexpr Member kMembers[] = {
    {"phi-3-mini", 3821079552, 393216, 32, 32, 32, 96, 96, 2047, false},
    {"phi-3-mini-128k", 3821079552, 393216, 32, 32, 32, 96, 96, 262144, true},
    {"phi-3-medium", 13960238080, 204800, 40, 40, 10, 128, 128, 2047, false},
    {"phi-3-medium-128k", 13960238080, 204800, 40, 40, 10, 128, 128, 131072, true},
    {"phi-3.5-mini", 3821079552, 393216, 32, 32, 32, 96, 96, 262144, true},
    {"phi-4", 14659507200, 204800, 40, 40, 10, 128, 128, 0, false},
    {"phi-4-mini", 3836021760, 131072, 32, 24, 8, 128, 96, 262144, true},
};

void expect_member(const Phi3Config& c, const Member& m) {
  SCOPED_TRACE(m.name);
  EXPECT_EQ(c.parameters(), m.parameters);
  EXPECT_EQ(c.kv_bytes_per_token(2), m.kv_bytes);
  EXPECT_EQ(c.n_layers, m.layers);
  EXPECT_EQ(c.n_heads, m.heads);
  EXPECT_EQ(c.n_kv_heads, m.kv_heads);
  EXPECT_EQ(c.head_dim, m.head_dim);
  EXPECT_EQ(c.rotary_dim, m.rotary_dim);
  EXPECT_EQ(c.sliding_window, m.window);
  ASSERT_EQ(c.longrope.has_value(), m.longrope);
  if (m.longrope) {
    EXPECT_NEAR(c.longrope->attention_factor, 1.19023807, 1e-8);
    for (size_t i = 1; i < c.longrope->long_factor.size(); ++i)
      EXPECT_GE(c.longrope->long_factor[i], c.longrope->long_factor[i - 1]);
  }
}

TEST(Phi3Config, KnownShapesAreTheFamily) {
  std::vector<std::string> names;
  for (const Member& m : kMembers) {
    names.emplace_back(m.name);
    expect_member(parse_phi3_config(known_shape_config(m.name), m.name), m);
  }
  EXPECT_EQ(known_shapes(), names);
  expect_error(Code::kInvalidArgument, {"'phi-5'", "phi-3-mini, ", "phi-4-mini"},
               [] { known_shape_config("phi-5"); });
}

TEST(Phi3Config, PublishedConfigurationsLoad) {
  const fs::path folder = fs::path(PHIAL_SHARED_DIR) / "data" / "configs";
  if (!fs::exists(folder)) GTEST_SKIP() << "the published configurations aren't here: " << folder;
  const std::pair<const char*, size_t> files[] = {
      {"Phi-3-mini-4k-instruct", 0},   {"Phi-3-mini-128k-instruct.2024-04", 1},
      {"Phi-3-medium-4k-instruct", 2}, {"Phi-3-medium-128k-instruct", 3},
      {"Phi-3.5-mini-instruct", 4},    {"phi-4", 5},
      {"Phi-4-mini-instruct", 6}};
  for (const auto& [name, member] : files) {
    const Json json = read_json(folder / (std::string(name) + ".json"));
    const Phi3Config c = parse_phi3_config(json, name);
    expect_member(c, kMembers[member]);
    const Phi3Config known = parse_phi3_config(known_shape_config(kMembers[member].name), "known");
    EXPECT_EQ(c.vocab_size, known.vocab_size);
    EXPECT_EQ(c.max_positions, known.max_positions);
    EXPECT_EQ(c.original_max_positions, known.original_max_positions);
    EXPECT_EQ(c.rope_theta, known.rope_theta);
    EXPECT_EQ(c.tie_word_embeddings, known.tie_word_embeddings);
    EXPECT_EQ(c.bos_token_id, known.bos_token_id);
    EXPECT_EQ(c.pad_token_id, known.pad_token_id);
    EXPECT_EQ(c.eos_token_ids, known.eos_token_ids);
    EXPECT_EQ(c.rms_norm_eps, known.rms_norm_eps);
    EXPECT_EQ(c.torch_dtype, known.torch_dtype);
  }
}

}  // namespace
}  // namespace phial
