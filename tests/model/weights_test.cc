// SPDX-License-Identifier: Apache-2.0
// Names, shapes and order of the tensors; filling the weights from a checkpoint, sound and unsound.
#include <gtest/gtest.h>

#include <cstring>

#include "base/rng.h"
#include "expect_error.h"
#include "model/checkpoint_weights.h"
#include "temp_folder.h"
#include "tensor/half.h"

namespace phial {
namespace {

Json small_config(bool tied) {
  Json c =
      Json::parse(R"({"model_type":"phi3","vocab_size":10,"hidden_size":8,"intermediate_size":6,
    "num_hidden_layers":2,"num_attention_heads":2,"num_key_value_heads":1})");
  c["tie_word_embeddings"] = tied;
  return c;
}

std::vector<SafetensorsEntry> entries_of(const Phi3Config& config, DType type) {
  std::vector<SafetensorsEntry> entries;
  for (const TensorSpec& s : tensor_specs(config))
    entries.push_back({s.name, type, is_norm(s.role) ? Shape{s.cols} : Shape{s.rows, s.cols}});
  return entries;
}

void write_checkpoint(const TempFolder& folder, const Json& config,
                      const std::vector<SafetensorsEntry>& entries) {
  folder.write("config.json", config.dump());
  std::string bytes = safetensors_header(entries);
  Rng rng(1);
  for (const SafetensorsEntry& e : entries)
    for (int64_t i = 0; i < element_count(e.shape); ++i) {
      const float value = static_cast<float>(rng.below(64)) / 8;  // exact in all three types
      const uint16_t half = e.dtype == DType::kF16 ? f32_to_f16(value) : f32_to_bf16(value);
      if (e.dtype == DType::kF32)
        bytes.append(reinterpret_cast<const char*>(&value), 4);
      else
        bytes.append(reinterpret_cast<const char*>(&half), dtype_bytes(e.dtype));
    }
  folder.write("model.safetensors", bytes);
}

TEST(Phi3Weights, SpecsAreInTheOrderOfTheForwardPass) {
  const Phi3Config config = parse_phi3_config(small_config(false), "config");
  const std::vector<TensorSpec> specs = tensor_specs(config);
  ASSERT_EQ(specs.size(), 1u + 2 * 6 + 2);
  EXPECT_EQ(specs[0].name, "model.embed_tokens.weight");
  EXPECT_EQ(specs[7].name, "model.layers.1.input_layernorm.weight");
  EXPECT_EQ(specs[7].rows, 1);
  EXPECT_EQ(specs[7].cols, 8);
  EXPECT_EQ(specs[8].name, "model.layers.1.self_attn.qkv_proj.weight");
  EXPECT_EQ(specs[8].rows, 16);
  EXPECT_EQ(specs[8].cols, 8);
  EXPECT_EQ(specs[9].name, "model.layers.1.self_attn.o_proj.weight");
  EXPECT_EQ(specs[10].name, "model.layers.1.post_attention_layernorm.weight");
  EXPECT_EQ(specs[11].name, "model.layers.1.mlp.gate_up_proj.weight");
  EXPECT_EQ(specs[11].rows, 12);
  EXPECT_EQ(specs[12].name, "model.layers.1.mlp.down_proj.weight");
  EXPECT_EQ(specs[12].cols, 6);
  EXPECT_EQ(specs[13].name, "model.norm.weight");
  EXPECT_EQ(specs[14].name, "lm_head.weight");
  EXPECT_EQ(tensor_specs(parse_phi3_config(small_config(true), "config")).size(), 14u);
}

TEST(Phi3Weights, ParametersAreTheSumOfTheSpecs) {
  for (const std::string& name : known_shapes()) {
    const Phi3Config config = parse_phi3_config(known_shape_config(name), name);
    int64_t sum = 0;
    for (const TensorSpec& s : tensor_specs(config)) sum += s.rows * s.cols;
    EXPECT_EQ(sum, config.parameters()) << name;
  }
}

TEST(CheckpointWeights, ViewsEveryTypeWithTheSameValues) {
  const Json json = small_config(false);
  const Phi3Config config = parse_phi3_config(json, "config");
  std::vector<std::vector<float>> rows;
  for (DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
    TempFolder folder;
    write_checkpoint(folder, json, entries_of(config, type));
    const Checkpoint checkpoint(folder.path());
    Phi3Weights weights = weights_from_checkpoint(checkpoint, config);
    std::vector<float> all;
    for (const TensorSpec& s : tensor_specs(config)) {
      if (is_norm(s.role)) {
        const std::vector<float>& norm = weights.norm(s.role, s.layer);
        EXPECT_EQ(norm.size(), 8u) << s.name;
        all.insert(all.end(), norm.begin(), norm.end());
        continue;
      }
      const WeightMatrix& matrix = weights.matrix(s.role, s.layer);
      EXPECT_EQ(matrix.rows, s.rows) << s.name;
      EXPECT_EQ(matrix.cols, s.cols) << s.name;
      EXPECT_EQ(matrix.data, checkpoint.tensor(s.name).data) << s.name;
      for (int64_t r = 0; r < s.rows; ++r) {
        all.resize(all.size() + static_cast<size_t>(s.cols));
        dequantize_row(matrix, r, &all[all.size() - static_cast<size_t>(s.cols)]);
      }
    }
    EXPECT_EQ(static_cast<int64_t>(all.size()), config.parameters());
    rows.push_back(all);
  }
  EXPECT_EQ(rows[0], rows[1]);
  EXPECT_EQ(rows[0], rows[2]);
}

TEST(CheckpointWeights, TiedHeadIsTheEmbeddingEvenIfAnotherIsStored) {
  const Json json = small_config(true);
  const Phi3Config config = parse_phi3_config(json, "config");
  for (bool stored : {false, true}) {
    TempFolder folder;
    std::vector<SafetensorsEntry> entries = entries_of(config, DType::kBF16);
    if (stored) entries.push_back({"lm_head.weight", DType::kBF16, {10, 8}});
    write_checkpoint(folder, json, entries);
    const Checkpoint checkpoint(folder.path());
    const Phi3Weights weights = weights_from_checkpoint(checkpoint, config);
    EXPECT_EQ(weights.lm_head.data, weights.embedding.data);
    EXPECT_EQ(weights.lm_head.rows, 10);
  }
}

TEST(CheckpointWeights, NamesWhatDoesNotFit) {
  const Json json = small_config(false);
  const Phi3Config config = parse_phi3_config(json, "config");
  auto expect_refused = [&](Code code, const std::vector<SafetensorsEntry>& entries,
                            const std::vector<std::string>& words) {
    TempFolder folder;
    write_checkpoint(folder, json, entries);
    const Checkpoint checkpoint(folder.path());
    expect_error(code, words, [&] { weights_from_checkpoint(checkpoint, config); });
  };
  std::vector<SafetensorsEntry> entries = entries_of(config, DType::kF32);
  entries[8].shape = {8, 16};
  expect_refused(Code::kCorrupt, entries,
                 {"model.layers.1.self_attn.qkv_proj.weight", "[8, 16]", "[16, 8]"});
  entries[8].shape = {16, 8};
  entries[7].shape = {1, 8};
  expect_refused(Code::kCorrupt, entries,
                 {"model.layers.1.input_layernorm.weight", "[1, 8]", "[8]"});
  entries[7].shape = {8};
  entries[12].dtype = DType::kI8;
  entries[12].shape = {8, 6};
  expect_refused(Code::kUnsupported, entries,
                 {"model.layers.1.mlp.down_proj.weight", "I8", "BF16"});
  entries.pop_back();
  entries[12].dtype = DType::kF32;
  expect_refused(Code::kNotFound, entries, {"lm_head.weight"});
}

}  // namespace
}  // namespace phial
