// SPDX-License-Identifier: Apache-2.0
// model.onnx and genai_config.json as files: what they say, and that every constant of theirs is
// the piece of the weights file that it should be. Whether ONNX Runtime computes the right thing
// with them: tests/ort.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "base/write_beside.h"
#include "export/onnx_reader.h"
#include "export/ort_genai/ort_genai.h"
#include "export/ort_genai/protobuf.h"
#include "export/tiny_export.h"

namespace phial {
namespace {

constexpr OnnxProvider kAll[] = {OnnxProvider::kCpu, OnnxProvider::kCuda, OnnxProvider::kDml};
constexpr int64_t kFloat = 1, kHalf = 10;

PackageParts parts_of(const Package& package) {
  const StoredWeights& s = *package.stored();
  return {package.folder(), package.config(), s.recipe, s.tensors, s.file, s.graph_constants};
}

OnnxReadGraph graph_of(const Package& package, OnnxProvider provider) {
  const OnnxReadModel model = read_onnx(onnx_model(parts_of(package), {provider}));
  EXPECT_EQ(model.ir_version, 10);
  EXPECT_EQ(model.opsets, (std::map<std::string, int64_t>{{"", 21}, {"com.microsoft", 1}}));
  return model.graph;
}

// Every input of a node is made before it; nothing is made twice.
void check_order(const OnnxReadGraph& graph, std::set<std::string> known) {
  for (const auto& [name, tensor] : graph.constants) known.insert(name);
  for (const auto& [name, value] : graph.inputs) known.insert(name);
  std::set<std::string> node_names;
  for (const OnnxReadNode& node : graph.nodes) {
    EXPECT_TRUE(node_names.insert(node.name).second) << node.name;
    for (const std::string& input : node.inputs)
      EXPECT_TRUE(input.empty() || known.count(input)) << node.name << " wants " << input;
    for (const auto& [name, branch] : node.graphs) check_order(*branch, known);
    for (const std::string& output : node.outputs)
      EXPECT_TRUE(output.empty() || known.insert(output).second) << output << " is made twice";
  }
  for (const auto& [name, value] : graph.outputs) EXPECT_TRUE(known.count(name)) << name;
}

std::vector<Extent> extents_of(const StoredTensor& t) {
  std::vector<Extent> all;
  for (const Extent& e : {t.data, t.scales, t.zero_points})
    if (e.bytes) all.push_back(e);
  return all;
}

// Each piece lies in one extent of the package and is as long as its shape; together they cover
// every byte of every tensor.
void check_pieces(const OnnxReadGraph& graph, const Package& package) {
  std::map<uint64_t, uint64_t> ends, covered;  // begin of an extent -> its end; how much is used
  for (const StoredTensor& t : package.stored()->tensors)
    for (const Extent& e : extents_of(t)) ends[e.offset] = e.offset + e.bytes;
  for (const auto& [name, tensor] : graph.constants) {
    if (tensor.external.empty()) {
      EXPECT_EQ(tensor.raw.size(), tensor.bytes()) << name;
      EXPECT_LE(tensor.raw.size(), 512u) << name << " is in the model, not in the weights file";
      continue;
    }
    EXPECT_EQ(tensor.external.at("location"), kWeightsFile);
    const uint64_t begin = std::stoull(tensor.external.at("offset"));
    const uint64_t length = std::stoull(tensor.external.at("length"));
    EXPECT_EQ(length, tensor.bytes()) << name;
    const auto extent = std::prev(ends.upper_bound(begin));
    EXPECT_LE(begin + length, extent->second) << name;
    covered[extent->first] += length;
  }
  for (const auto& [begin, end] : ends) EXPECT_GE(covered[begin], end - begin) << begin;
}

TEST(Protobuf, WritesTheWireFormat) {
  ProtoMessage m;
  m.integer(1, 300);
  m.bytes(2, "ab");
  m.real(3, 1.0f);
  m.integer(16, -1);
  ProtoMessage outer;
  outer.message(1, m);
  EXPECT_EQ(outer.wire(), std::string("\x0A\x18"
                                      "\x08\xAC\x02"
                                      "\x12\x02"
                                      "ab"
                                      "\x1D\x00\x00\x80\x3F"
                                      "\x80\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
                                      26));
}

TEST(Onnx, EveryRecipeEveryProvider) {
  TempFolder temp;
  std::vector<QuantRecipe> recipes = {recipe_of(WeightPrecision::kInt4, true, 32),
                                      recipe_of(WeightPrecision::kInt4, false, 32),
                                      recipe_of(WeightPrecision::kInt4, false, -1),
                                      recipe_of(WeightPrecision::kInt4, true, 64, 0.5),
                                      recipe_of(WeightPrecision::kInt8, false),
                                      recipe_of(WeightPrecision::kInt8, true),
                                      recipe_of(WeightPrecision::kFp16)};
  for (size_t i = 0; i < 3; ++i) {
    recipes.push_back(recipes[i]);
    recipes.back().all_layers = true;
  }
  int number = 0;
  for (const Json& config : {reference_config(), partial_config()})
    for (const QuantRecipe& recipe : recipes) {
      const auto package = make_package(temp, config, recipe, fmt::format("package{}", number++));
      for (OnnxProvider provider : kAll) {
        SCOPED_TRACE(fmt::format("{} {}", recipe.to_json().dump(), onnx_provider_name(provider)));
        const OnnxReadGraph graph = graph_of(*package, provider);
        check_order(graph, {});
        check_pieces(graph, *package);
        EXPECT_EQ(graph.of_op("GroupQueryAttention").size(), 2u);
        for (const OnnxReadNode* node : graph.of_op("MatMulNBits")) {
          EXPECT_EQ(node->integers.count("accuracy_level"), provider == OnnxProvider::kCpu);
          if (provider == OnnxProvider::kDml) {
            EXPECT_EQ(node->inputs.size(), 4u);
          }
        }
      }
    }
}

TEST(Onnx, ProvidersDifferAsTheyMust) {
  TempFolder temp;
  const auto package =
      make_package(temp, reference_config(), recipe_of(WeightPrecision::kInt4, true, 32));
  const OnnxReadGraph cpu = graph_of(*package, OnnxProvider::kCpu),
                      cuda = graph_of(*package, OnnxProvider::kCuda),
                      dml = graph_of(*package, OnnxProvider::kDml);
  EXPECT_EQ(cpu.outputs.at("logits").type, kFloat);
  EXPECT_EQ(cuda.outputs.at("logits").type, kHalf);
  EXPECT_EQ(dml.inputs.at("past_key_values.1.value").type, kHalf);
  EXPECT_EQ(cpu.inputs.at("past_key_values.0.key").dims,
            (std::vector<std::string>{"batch_size", "4", "past_sequence_length", "32"}));
  EXPECT_EQ(cpu.inputs.count("position_ids"), 0u);
  EXPECT_EQ(dml.inputs.count("position_ids"), 1u);
  EXPECT_EQ(cpu.of_op("RotaryEmbedding").size(), 0u);
  EXPECT_EQ(dml.of_op("RotaryEmbedding").size(), 4u);
  EXPECT_EQ(cpu.of_op("MatMulNBits").size(), 11u);  // qkv, o, gate, up, down; lm_head
  EXPECT_EQ(dml.of_op("MatMulNBits").size(), 15u);
  for (const OnnxReadGraph* g : {&cpu, &cuda, &dml})
    for (const OnnxReadNode* node : g->of_op("GroupQueryAttention")) {
      EXPECT_EQ(node->integers.at("local_window_size"), 2047);
      EXPECT_EQ(node->integers.at("do_rotary"), g == &dml ? 0 : 1);
    }
}

TEST(Onnx, LongRope) {
  TempFolder temp;
  const Json config = reference_config(
      R"({"max_position_embeddings": 131072, "sliding_window": 262144, "rope_scaling": {"type": "longrope",
      "long_factor": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
      "short_factor": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}})");
  const auto package = make_package(temp, config, recipe_of(WeightPrecision::kInt4, true, 32));
  for (OnnxProvider provider : kAll) {
    const OnnxReadGraph graph = graph_of(*package, provider);
    EXPECT_EQ(graph.of_op("If").size(), provider == OnnxProvider::kDml ? 0u : 1u);
    for (const OnnxReadNode* node : graph.of_op("GroupQueryAttention"))
      EXPECT_EQ(node->integers.at("local_window_size"), -1) << "a window that hides nothing";
    check_order(graph, {});
  }
}

TEST(Onnx, GenAiConfig) {
  TempFolder temp;
  const auto package = make_package(temp, reference_config(), recipe_of(WeightPrecision::kInt4));
  const PackageParts parts = parts_of(*package);
  const Json cpu = parse_json(genai_config(parts, OnnxProvider::kCpu, {2, 7, 9}), "cpu");
  EXPECT_EQ(cpu["model"]["eos_token_id"], Json::parse("[2, 7, 9]"));
  EXPECT_EQ(cpu["model"]["context_length"], 4096);
  EXPECT_EQ(cpu["model"]["decoder"]["filename"], "model.onnx");
  EXPECT_TRUE(cpu["model"]["decoder"]["session_options"]["provider_options"].empty());
  const Json dml = parse_json(genai_config(parts, OnnxProvider::kDml, {2}), "dml");
  EXPECT_EQ(dml["model"]["decoder"]["filename"], "model_dml.onnx");
  EXPECT_EQ(dml["model"]["context_length"], 2047) << "the window, which DirectML doesn't know";
  EXPECT_EQ(dml["search"]["max_length"], 2047);
  const Json cuda = parse_json(genai_config(parts, OnnxProvider::kCuda, {}), "cuda");
  EXPECT_EQ(cuda["model"]["eos_token_id"], Json::parse("[2]")) << "config.json's own";
}

TEST(Onnx, ExportAddsToAPackageAndSwitchesTheProvider) {
  TempFolder temp;
  const auto package = make_package(temp, reference_config(), recipe_of(WeightPrecision::kInt4));
  const fs::path folder = package->folder();
  const std::string weights = read_file(folder / kWeightsFile);
  OrtGenAiOptions options;
  options.stop_ids = [](const fs::path&) { return std::vector<int32_t>{3, 5}; };
  const std::vector<std::string> files = {"model.onnx", "model_cuda.onnx", "model_dml.onnx",
                                          "genai_config.json"};
  EXPECT_EQ(make_artefacts(folder, ort_genai_artefacts(options)), files);
  options.provider = OnnxProvider::kDml;
  EXPECT_EQ(make_artefacts(folder, ort_genai_artefacts(options)), files);
  EXPECT_EQ(read_file(folder / kWeightsFile), weights) << "not a byte more";
  const auto after = Package::open(folder);
  EXPECT_EQ(after->stored()->graph_constants.offset, package->stored()->graph_constants.offset);
  EXPECT_NO_THROW(openvino_ir_xml(openvino_parts(*after)));
  const Json config = parse_json(read_file(folder / kGenAiConfigFile), kGenAiConfigFile);
  EXPECT_EQ(config["model"]["decoder"]["filename"], "model_dml.onnx");
  EXPECT_EQ(config["model"]["eos_token_id"], Json::parse("[3, 5]"));
  size_t listed = 0;
  for (const Json& artefact : after->manifest()["artefacts"])
    if (artefact["kind"] == "onnx") {
      EXPECT_EQ(artefact["bytes"], fs::file_size(folder / artefact["file"].get<std::string>()));
      ++listed;
    }
  EXPECT_EQ(listed, files.size());
}

// 72 columns share a scale: no block of 16 or more divides them.
TEST(Onnx, WhatMatMulNBitsCantTake) {
  TempFolder temp;
  const Json config = reference_config(R"({"hidden_size": 72, "intermediate_size": 136})");
  const auto package = make_package(temp, config, recipe_of(WeightPrecision::kInt4, true, -1));
  OrtGenAiOptions options;
  EXPECT_TRUE(make_artefacts(package->folder(), ort_genai_artefacts(options)).empty());
  EXPECT_FALSE(fs::exists(package->folder() / "model.onnx"));
  options.required = true;
  const std::string why =
      error_of([&] { make_artefacts(package->folder(), ort_genai_artefacts(options)); });
  EXPECT_TRUE(contains(why, "72 columns") && contains(why, "MatMulNBits")) << why;
}

TEST(Onnx, ProviderNames) {
  for (OnnxProvider p : kAll) EXPECT_EQ(onnx_provider_from_name(onnx_provider_name(p)), p);
  EXPECT_TRUE(contains(error_of([] { onnx_provider_from_name("npu"); }), "cpu, cuda or dml"));
}

}  // namespace
}  // namespace phial
