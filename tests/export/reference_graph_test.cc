// SPDX-License-Identifier: Apache-2.0
// Our graphs against optimum-intel's exports of the same shapes, operation by operation: type,
// version, attributes, element types and dimensions of every output, and who feeds whom. What
// differs on purpose is brought to one form first (canonical()); nothing else may differ.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "export/ir_reader.h"
#include "export/tiny_export.h"

namespace phial {
namespace {

class Canonical {
 public:
  explicit Canonical(const IrFile& ir) : ir_(ir) {}

  // A line a visit, depth first from the outputs; what was visited before is named by its number.
  std::vector<std::string> lines() {
    for (const IrLayer* result : ir_.of_type("Result")) visit(*result, 0);
    std::map<std::string, const IrLayer*> assigns;
    for (const IrLayer* assign : ir_.of_type("Assign"))
      assigns[assign->data.at("variable_id")] = assign;
    for (const auto& [variable, assign] : assigns) visit(*assign, 0);
    return std::move(lines_);
  }

 private:
  const IrLayer& input(const IrLayer& layer, int port) const {
    return ir_.layers.at(layer.sources.at(port).first);
  }

  static bool is(const IrLayer& layer, const char* type) { return layer.type == type; }

  bool converts(const IrLayer& layer, const char* from) const {
    return is(layer, "Convert") && is(input(layer, 0), "Const") &&
           input(layer, 0).data.at("element_type") == from;
  }

  void visit(const IrLayer& layer, int port) {
    // Symmetric int4: theirs is i4, ours u4 minus 8. Symmetric weights only have a scalar there.
    if (is(layer, "Subtract") && converts(layer_of(layer, 0), "u4") &&
        input(layer_of(layer, 1), 0).outputs.at(0).dims.empty()) {
      lines_.push_back("codes of 4 bits, centered " + dims(layer.outputs.at(2)));
      return;
    }
    if (converts(layer, "i4")) {
      lines_.push_back("codes of 4 bits, centered " + dims(layer.outputs.at(1)));
      return;
    }
    // Norms and small constants of an fp16 export are f16 there and f32 here.
    if (converts(layer, "f16") && layer.decompression && layer.outputs.at(1).dims.size() != 2) {
      lines_.push_back("constant FP32" + dims(layer.outputs.at(1)));
      return;
    }
    if (is(layer, "Const")) {
      const IrPort& out = layer.outputs.at(0);
      lines_.push_back("constant " + out.precision + dims(out));
      return;
    }
    auto [it, is_new] = numbers_.try_emplace(layer.id, numbers_.size());
    std::string line = fmt::format("#{}.{}", it->second, port);
    if (!is_new) {
      lines_.push_back(line);
      return;
    }
    line += " " + layer.type + " " + layer.version;
    for (const auto& [key, value] : layer.data) line += " " + key + "=" + value;
    if (layer.decompression) line += " decompression";
    for (const auto& [p, out] : layer.outputs) line += " " + out.precision + dims(out);
    lines_.push_back(line);
    for (const auto& [p, source] : layer.sources) {
      // The shape that grouped queries are repeated to, and LongRoPE's switch, which has no
      // counterpart in these exports.
      if (is(layer, "Broadcast") && layer.outputs.at(2).dims.size() == 5 && p == 1) continue;
      const IrLayer& from = ir_.layers.at(source.first);
      if (is(layer, "MatMul") && p == 0 && is_rope(layer)) {
        lines_.push_back("frequencies");
        continue;
      }
      visit(from, source.second - static_cast<int>(from.inputs.size()));
    }
  }

  const IrLayer& layer_of(const IrLayer& layer, int port) const { return input(layer, port); }

  bool is_rope(const IrLayer& mat_mul) const {
    return is(input(mat_mul, 1), "Convert") && is(input(input(mat_mul, 1), 0), "Unsqueeze");
  }

  static std::string dims(const IrPort& port) {
    std::string text = "[";
    for (int64_t d : port.dims) text += std::to_string(d) + ",";
    return text + "]";
  }

  const IrFile& ir_;
  std::map<int, size_t> numbers_;
  std::vector<std::string> lines_;
};

void compare(const std::string& reference, const Json& config, const QuantRecipe& recipe) {
  const fs::path file =
      fs::path(PHIAL_SHARED_DIR) / "data/reference-graphs" / reference / "openvino_model.xml";
  if (!fs::exists(file)) GTEST_SKIP() << file << " isn't there: nothing to compare with";
  const TempFolder temp;
  const auto package = make_package(temp, config, recipe);
  const std::string ours_xml = openvino_ir_xml(openvino_parts(*package));
  const IrFile theirs_ir = read_ir(read_file(file)), ours_ir = read_ir(ours_xml);
  const auto theirs = Canonical(theirs_ir).lines(), ours = Canonical(ours_ir).lines();
  EXPECT_GT(theirs.size(), 400u);
  for (size_t i = 0; i < std::min(theirs.size(), ours.size()); ++i)
    ASSERT_EQ(ours[i], theirs[i]) << "line " << i << ", after " << (i ? ours[i - 1] : "");
  EXPECT_EQ(ours.size(), theirs.size());
  for (const char* key :
       {"nncf/weight_compression/mode", "nncf/weight_compression/group_size",
        "nncf/weight_compression/all_layers", "nncf/weight_compression/backup_mode",
        "runtime_options/ACTIVATIONS_SCALE_FACTOR", "runtime_options/KV_CACHE_PRECISION"}) {
    auto value = [key](const IrFile& ir) {
      const auto it = ir.runtime_info.find(key);
      return it == ir.runtime_info.end() ? "none" : it->second;
    };
    EXPECT_EQ(value(ours_ir), value(theirs_ir)) << key;
  }
}

// The references have the real vocabulary.
Json wide(Json config) {
  config["vocab_size"] = 32064;
  return config;
}

TEST(ReferenceGraph, Int4Symmetric) {
  compare("tiny-ov-int4-sym-g128-r1", wide(reference_config()),
          recipe_of(WeightPrecision::kInt4, true, 128));
}

TEST(ReferenceGraph, Int4ChannelWise) {
  compare("tiny-ov-int4-sym-cw-r1", wide(reference_config()),
          recipe_of(WeightPrecision::kInt4, true, -1));
}

TEST(ReferenceGraph, Int8) {
  compare("tiny-ov-int8", wide(reference_config()), recipe_of(WeightPrecision::kInt8, false, -1));
}

TEST(ReferenceGraph, Fp16) {
  compare("tiny-ov-fp16", wide(reference_config()), recipe_of(WeightPrecision::kFp16));
}

// Its window, 262144, hides nothing, but is in the reference's mask: so a longer context here.
TEST(ReferenceGraph, PartialRotaryGroupedQueriesTied) {
  Json config = wide(partial_config());
  config["sliding_window"] = 262144;
  config["max_position_embeddings"] = 524288;
  compare("tiny-ov-partial-int4", config, recipe_of(WeightPrecision::kInt4, true, 32));
}

TEST(ReferenceGraph, LongRope) {
  Json config = wide(reference_config(
      R"({"num_key_value_heads": 2, "max_position_embeddings": 524288, "sliding_window": 262144,
      "rope_scaling": {"type": "longrope",
        "long_factor": [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31],
        "short_factor": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}})"));
  compare("tiny-ov-longrope-fp16", config, recipe_of(WeightPrecision::kFp16));
}

}  // namespace
}  // namespace phial
