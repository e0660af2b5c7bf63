// SPDX-License-Identifier: Apache-2.0
// Our ONNX graphs against those of GenAI's own model builder for the same shapes, operation by
// operation: type, domain, attributes, and who feeds whom. What differs on purpose is brought to
// one form first (Canonical); nothing else may differ.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "export/onnx_reader.h"
#include "export/ort_genai/ort_genai.h"
#include "export/tiny_export.h"

namespace phial {
namespace {

class Canonical {
 public:
  explicit Canonical(const OnnxReadGraph& graph) : graph_(graph) {
    for (const OnnxReadNode& node : graph.nodes)
      for (size_t i = 0; i < node.outputs.size(); ++i)
        if (!node.outputs[i].empty()) makers_[node.outputs[i]] = {&node, i};
  }

  // A line a visit, depth first from the outputs; what was visited before is named by its number.
  std::vector<std::string> lines() {
    for (const auto& [name, value] : graph_.outputs) {
      lines_.push_back(fmt::format("{} type {}", name, value.type));
      visit(name);
    }
    return std::move(lines_);
  }

 private:
  bool is_constant(const std::string& value) {
    if (graph_.constants.count(value)) return true;
    const auto maker = makers_.find(value);
    if (maker == makers_.end()) return false;
    for (const std::string& input : maker->second.first->inputs)
      if (!input.empty() && !is_constant(input)) return false;
    return true;
  }

  std::string attributes(const OnnxReadNode& node) {
    std::string text;
    for (const auto& [name, value] : node.integers) {
      if (name == "local_window_size") continue;  // theirs: never a window
      if (node.op == "FusedMatMul") continue;
      text += fmt::format(" {}={}", name, value);
    }
    for (const auto& [name, value] : node.reals)
      if (node.op != "FusedMatMul") text += fmt::format(" {}={}", name, value);
    return text;
  }

  void visit(const std::string& value) {
    if (value.empty()) return lines_.push_back("nothing");
    if (graph_.inputs.count(value)) return lines_.push_back("input " + value);
    if (is_constant(value))
      return lines_.push_back("constant");  // computed when loading, or stored
    const auto [node, output] = makers_.at(value);
    // However the embedding is stored: the row of a token.
    if (node->name.starts_with("/model/embed_tokens/")) return lines_.push_back("embedding");
    const auto [number, fresh] = numbers_.emplace(node, numbers_.size());
    if (!fresh)
      return lines_.push_back(fmt::format("output {} of number {}", output, number->second));
    // Weights as they lie, which takes another operator where the builder transposes them.
    const bool product = node->op == "FusedMatMul";
    lines_.push_back(fmt::format("{}: output {} of {} {}{}", number->second, output,
                                 product ? "MatMul" : node->op, product ? "" : node->domain,
                                 attributes(*node)));
    std::vector<std::string> inputs = node->inputs;
    if (node->op == "MatMulNBits") inputs.resize(3);  // the zero points that we spell out
    while (!inputs.empty() && inputs.back().empty()) inputs.pop_back();
    for (const std::string& input : inputs) visit(input);
  }

  const OnnxReadGraph& graph_;
  std::map<std::string, std::pair<const OnnxReadNode*, size_t>> makers_;
  std::map<const OnnxReadNode*, size_t> numbers_;
  std::vector<std::string> lines_;
};

struct Case {
  std::string reference;
  OnnxProvider provider;
  QuantRecipe recipe;
  Json config;
};

QuantRecipe int4() {
  QuantRecipe recipe = recipe_of(WeightPrecision::kInt4, true, 32);
  recipe.all_layers = true;  // the builder's lm_head has 4 bits
  return recipe;
}

TEST(OnnxReference, SameOperations) {
  const fs::path references = fs::path(PHIAL_SHARED_DIR) / "data/reference-graphs";
  if (!fs::exists(references)) GTEST_SKIP() << references << " isn't there";
  const QuantRecipe fp16 = recipe_of(WeightPrecision::kFp16);
  const Json plain = reference_config(R"({"vocab_size": 32064})");
  Json partial = partial_config();
  partial["vocab_size"] = 32064;
  const Json longrope = reference_config(
      R"({"vocab_size": 32064, "num_key_value_heads": 2, "max_position_embeddings": 131072, "rope_scaling": {
      "type": "longrope", "long_factor": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
      "short_factor": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}})");
  const std::vector<Case> cases = {
      {"tiny-ort-cpu-int4", OnnxProvider::kCpu, int4(), plain},
      {"tiny-ort-cpu-fp32", OnnxProvider::kCpu, fp16, plain},
      {"tiny-ort-cuda-int4", OnnxProvider::kCuda, int4(), plain},
      {"tiny-ort-cuda-fp16", OnnxProvider::kCuda, fp16, plain},
      {"tiny-ort-dml-int4", OnnxProvider::kDml, int4(), plain},
      {"tiny-ort-dml-fp16", OnnxProvider::kDml, fp16, plain},
      {"tiny-ort-longrope-dml-fp16", OnnxProvider::kDml, fp16, longrope},
      {"tiny-ort-partial-dml-fp16", OnnxProvider::kDml, fp16, partial}};
  TempFolder temp;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.reference);
    const OnnxReadModel theirs = read_onnx(read_file(references / c.reference / "model.onnx"));
    const auto package = make_package(temp, c.config, c.recipe, c.reference);
    const StoredWeights& s = *package->stored();
    const PackageParts parts{package->folder(), package->config(), s.recipe, s.tensors, s.file,
                             s.graph_constants};
    const OnnxReadModel ours = read_onnx(onnx_model(parts, {c.provider}));
    const std::vector<std::string> expected = Canonical(theirs.graph).lines();
    const std::vector<std::string> found = Canonical(ours.graph).lines();
    EXPECT_GT(expected.size(), 60u);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[i]) << "line " << i;
    EXPECT_EQ(ours.graph.inputs.size(), theirs.graph.inputs.size());
    for (const auto& [name, value] : theirs.graph.inputs) {
      ASSERT_EQ(ours.graph.inputs.count(name), 1u) << name;
      EXPECT_EQ(ours.graph.inputs.at(name).type, value.type) << name;
    }
  }
}

}  // namespace
}  // namespace phial
