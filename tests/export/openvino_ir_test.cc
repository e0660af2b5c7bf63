// SPDX-License-Identifier: Apache-2.0
// The graph as text: every constant lies where it says, every variant is whole. That the numbers
// are right is tests/openvino's business, with OpenVINO itself.
#include "export/openvino_ir/openvino_ir.h"

#include <gtest/gtest.h>

#include <set>

#include "export/ir_reader.h"
#include "export/tiny_export.h"

namespace phial {
namespace {

struct Recipe {
  const char* name;
  QuantRecipe recipe;
};

std::vector<Recipe> recipes() {
  QuantRecipe all = recipe_of(WeightPrecision::kInt4, false, -1);
  all.all_layers = true;
  return {{"int4 128", recipe_of(WeightPrecision::kInt4, true, 128)},
          {"int4 32", recipe_of(WeightPrecision::kInt4, true, 32)},
          {"int4 row", recipe_of(WeightPrecision::kInt4, true, -1)},
          {"int4 asymmetric 32", recipe_of(WeightPrecision::kInt4, false, 32)},
          {"int4 asymmetric row, all layers", all},
          {"int4 ratio", recipe_of(WeightPrecision::kInt4, true, 64, 0.5)},
          {"int8", recipe_of(WeightPrecision::kInt8, false, -1)},
          {"int8 symmetric", recipe_of(WeightPrecision::kInt8, true, -1)},
          {"fp16", recipe_of(WeightPrecision::kFp16)}};
}

uint64_t constant_bytes(const IrLayer& layer) {
  static const std::map<std::string, uint64_t> bits = {
      {"u4", 4}, {"u8", 8}, {"boolean", 8}, {"f16", 16}, {"i32", 32}, {"f32", 32}, {"i64", 64}};
  uint64_t n = bits.at(layer.data.at("element_type"));
  for (int64_t d : layer.outputs.at(0).dims) n *= static_cast<uint64_t>(d);
  return (n + 7) / 8;
}

// Constants in bounds, of the right size, in a stored tensor or the block; ports of one type.
void check_whole(const IrFile& ir, const StoredWeights& stored, const std::string& what) {
  std::set<uint64_t> pieces;
  for (const StoredTensor& t : stored.tensors)
    for (const Extent& e : {t.data, t.scales, t.zero_points})
      if (e.bytes) pieces.insert(e.offset);
  const Extent& block = stored.graph_constants;
  std::set<std::string> names;
  for (const auto& [id, layer] : ir.layers) {
    EXPECT_TRUE(names.insert(layer.name).second) << what << ": two layers " << layer.name;
    for (const auto& [port, source] : layer.sources)
      EXPECT_EQ(layer.inputs.at(port).precision,
                ir.layers.at(source.first).outputs.at(source.second).precision)
          << what << ": " << layer.name;
    if (layer.type != "Const") continue;
    const uint64_t offset = std::stoull(layer.data.at("offset"));
    const uint64_t size = std::stoull(layer.data.at("size"));
    EXPECT_EQ(size, constant_bytes(layer)) << what << ": " << layer.name;
    ASSERT_LE(offset + size, stored.file.size()) << what << ": " << layer.name;
    const bool in_block = offset >= block.offset && offset + size <= block.offset + block.bytes;
    EXPECT_TRUE(in_block || pieces.count(offset)) << what << ": " << layer.name;
  }
}

std::string xml_of(const Package& package, const OpenVinoIrOptions& options = {}) {
  return openvino_ir_xml(openvino_parts(package), options);
}

TEST(OpenVinoIr, EveryRecipeAndVariantIsWhole) {
  const TempFolder temp;
  for (const Json& config :
       {reference_config(), partial_config(), reference_config(R"({"sliding_window": null})")}) {
    for (const Recipe& r : recipes()) {
      const std::string name = std::string(r.name) + std::to_string(config.dump().size());
      const auto package = make_package(temp, config, r.recipe, name);
      ASSERT_GT(package->stored()->graph_constants.bytes, 0u);
      EXPECT_EQ(package->stored()->graph_constants.offset % kTensorAlignment, 0u);
      EXPECT_EQ(xml_of(*package), read_file(package->folder() / "openvino_model.xml"));
      for (bool stateless : {false, true})
        for (RopeFactors factors : {RopeFactors::kByPositions, RopeFactors::kByInput,
                                    RopeFactors::kShort, RopeFactors::kLong}) {
          OpenVinoIrOptions options;
          options.stateless = stateless;
          options.kv_f16 = options.whole_present = stateless;
          options.last_logits_only = true;
          options.rope_factors = factors;
          check_whole(read_ir(xml_of(*package, options)), *package->stored(), name);
        }
      check_whole(read_ir(xml_of(*package)), *package->stored(), name);
    }
  }
}

TEST(OpenVinoIr, WeightsAreStoredOnce) {
  const TempFolder temp;
  const auto package =
      make_package(temp, reference_config(), recipe_of(WeightPrecision::kInt4, true, 128));
  const IrFile ir = read_ir(xml_of(*package));
  const IrLayer& down = ir.named("self.model.layers.1.mlp.down_proj.weight");
  EXPECT_EQ(down.data.at("element_type"), "u4");
  EXPECT_EQ(down.data.at("shape"), "128, 2, 128");
  for (const StoredTensor& t : package->stored()->tensors)
    EXPECT_EQ(ir.named("self." + t.name).data.at("offset"), std::to_string(t.data.offset));
  // Nothing but a page of small constants has been added to the weights.
  uint64_t end = 0;
  for (const StoredTensor& t : package->stored()->tensors)
    for (const Extent& e : {t.data, t.scales, t.zero_points})
      end = std::max(end, e.offset + e.bytes);
  EXPECT_LE(package->stored()->file.size() - end, 2 * kTensorAlignment);
}

// One zero point a row: stored rows are padded to a byte, a u4 constant isn't.
TEST(OpenVinoIr, OddGroupsAreRepacked) {
  const TempFolder temp;
  const auto package =
      make_package(temp, reference_config(), recipe_of(WeightPrecision::kInt4, false, -1));
  const IrFile ir = read_ir(xml_of(*package));
  const auto file = package->stored()->file;
  int checked = 0;
  for (const StoredTensor& t : package->stored()->tensors) {
    if (t.shape.format != WeightFormat::kU4) continue;
    const IrLayer& layer = ir.named("self." + t.name + "/zero_point");
    const uint64_t offset = std::stoull(layer.data.at("offset"));
    EXPECT_GE(offset, package->stored()->graph_constants.offset);
    for (int64_t r = 0; r < t.shape.rows; ++r) {
      const auto i = static_cast<uint64_t>(r);
      const std::byte pair = file[offset + i / 2];
      ASSERT_EQ(i % 2 ? pair >> 4 : pair & std::byte{15},
                file[t.zero_points.offset + i] & std::byte{15});
    }
    ++checked;
  }
  EXPECT_EQ(checked, 8);
}

TEST(OpenVinoIr, InterfaceOfTheVariants) {
  const TempFolder temp;
  const auto package =
      make_package(temp, partial_config(), recipe_of(WeightPrecision::kInt4, true, 128));
  auto inputs = [](const IrFile& ir) {
    std::set<std::string> names;
    for (const IrLayer* p : ir.of_type("Parameter")) names.insert(p->outputs.at(0).names);
    return names;
  };
  const std::set<std::string> usual = {"input_ids", "attention_mask", "position_ids"};
  std::set<std::string> stateful = usual;
  stateful.insert("beam_idx");
  const IrFile plain = read_ir(xml_of(*package));
  EXPECT_EQ(inputs(plain), stateful);
  EXPECT_EQ(plain.of_type("ReadValue").size(), 4u);
  EXPECT_EQ(plain.of_type("Assign").size(), 4u);
  EXPECT_EQ(plain.of_type("Result").size(), 1u);
  EXPECT_EQ(plain.of_type("ReduceMax").size(), 1u);  // LongRoPE's switch

  OpenVinoIrOptions options;
  options.last_logits_only = true;
  options.rope_factors = RopeFactors::kByInput;
  const IrFile last = read_ir(xml_of(*package, options));
  stateful.insert("sequence_length");
  EXPECT_EQ(inputs(last), stateful);
  EXPECT_EQ(last.of_type("Slice").size(), plain.of_type("Slice").size() + 1);
  EXPECT_EQ(last.named("lm_head/MatMul").outputs.at(2).dims, (std::vector<int64_t>{-1, 1, 352}));

  options = {};
  options.stateless = options.kv_f16 = true;
  options.n_layers = 1;
  options.batch = 1;
  options.sequence = 8;
  options.past = 24;
  const IrFile fixed = read_ir(xml_of(*package, options));
  std::set<std::string> with_cache = usual;
  with_cache.insert({"past_key_values.0.key", "past_key_values.0.value"});
  EXPECT_EQ(inputs(fixed), with_cache);
  EXPECT_EQ(fixed.of_type("Result").size(), 3u);
  EXPECT_TRUE(fixed.of_type("ReadValue").empty());
  const IrPort& past = fixed.named("past_key_values.0.key").outputs.at(0);
  EXPECT_EQ(past.precision, "FP16");
  EXPECT_EQ(past.dims, (std::vector<int64_t>{1, 2, 24, 32}));
  EXPECT_EQ(fixed.named("attention_mask").outputs.at(0).dims, (std::vector<int64_t>{1, 32}));
  EXPECT_EQ(fixed.named("present.0.value/f16").outputs.at(1).dims,
            (std::vector<int64_t>{1, 2, 8, 32}));
  options.whole_present = true;
  EXPECT_EQ(read_ir(xml_of(*package, options)).named("present.0.value/f16").outputs.at(1).dims,
            (std::vector<int64_t>{1, 2, 32, 32}));
}

TEST(OpenVinoIr, WhatPluginsReadOfTheCompression) {
  const TempFolder temp;
  auto info = [&temp](const QuantRecipe& recipe, const std::string& name) {
    return read_ir(xml_of(*make_package(temp, reference_config(), recipe, name))).runtime_info;
  };
  auto int4 = info(recipe_of(WeightPrecision::kInt4, true, 128), "int4");
  EXPECT_EQ(int4["nncf/weight_compression/mode"], "int4_sym");
  EXPECT_EQ(int4["nncf/weight_compression/group_size"], "128");
  EXPECT_EQ(int4["conversion_parameters/framework"], "phial");
  EXPECT_EQ(int4["runtime_options/ACTIVATIONS_SCALE_FACTOR"], "8.0");
  EXPECT_EQ(int4.count("runtime_options/KV_CACHE_PRECISION"), 0u);
  auto row = info(recipe_of(WeightPrecision::kInt4, false, -1), "row");
  EXPECT_EQ(row["nncf/weight_compression/mode"], "int4_asym");
  EXPECT_EQ(row["nncf/weight_compression/group_size"], "-1");
  EXPECT_EQ(
      info(recipe_of(WeightPrecision::kInt8, false, -1), "int8")["nncf/weight_compression/mode"],
      "int8_asym");
  auto fp16 = info(recipe_of(WeightPrecision::kFp16), "fp16");
  EXPECT_EQ(fp16.count("nncf/weight_compression/mode"), 0u);
  EXPECT_EQ(fp16["runtime_options/KV_CACHE_PRECISION"], "f16");
}

// A window that no sequence reaches is no window.
TEST(OpenVinoIr, SlidingWindowOnlyWhereItActs) {
  const TempFolder temp;
  auto windows = [&temp](int window) {
    const Json config = reference_config("{\"sliding_window\": " + std::to_string(window) + "}");
    const auto package = make_package(temp, config, recipe_of(WeightPrecision::kFp16),
                                      "window" + std::to_string(window));
    const IrFile ir = read_ir(xml_of(*package));
    size_t n = 0;
    for (const IrLayer* l : ir.of_type("Greater")) n += l->name.find("mask") != std::string::npos;
    return n;
  };
  EXPECT_EQ(windows(4095), 1u);
  EXPECT_EQ(windows(4096), 0u);
}

TEST(OpenVinoIr, OptionsThatCantBeMeant) {
  const TempFolder temp;
  const auto package = make_package(temp, reference_config(), recipe_of(WeightPrecision::kFp16));
  auto error = [&package](auto&& change) {
    OpenVinoIrOptions options;
    change(options);
    return error_of([&] { xml_of(*package, options); });
  };
  EXPECT_TRUE(contains(error([](auto& o) { o.n_layers = 3; }), "3 layers asked for"));
  EXPECT_TRUE(contains(error([](auto& o) { o.n_layers = -1; }), "invalid argument"));
  EXPECT_TRUE(contains(error([](auto& o) { o.kv_f16 = true; }), "stateless"));
  EXPECT_TRUE(contains(error([](auto& o) { o.past = 8; }), "stateless"));
  EXPECT_TRUE(contains(error([](auto& o) { o.sequence = 0; }), "at least 1"));
}

}  // namespace
}  // namespace phial
