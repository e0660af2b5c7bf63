// SPDX-License-Identifier: Apache-2.0
// The graphs that `phial compile` makes: shapes, and lengths that are refused. That they compute
// the right thing is tests/openvino's business.
#include "export/openvino_ir/static_ir.h"

#include <gtest/gtest.h>

#include "expect_error.h"
#include "export/ir_reader.h"
#include "export/tiny_export.h"

namespace phial {
namespace {

TEST(StaticIr, HasTheLengthsThatWereAskedFor) {
  TempFolder temp;
  const auto package = make_package(temp, reference_config(), {});
  StaticShape shape;
  shape.prompt = 48;
  shape.response = 48;
  for (const StaticPart part : {StaticPart::kPrefill, StaticPart::kGenerate}) {
    const int64_t n = part == StaticPart::kPrefill ? 48 : 1;
    const IrFile ir = read_ir(static_ir_xml(openvino_parts(*package), shape, part));
    EXPECT_EQ(ir.named("input_ids").outputs.at(0).dims, (std::vector<int64_t>{1, n}));
    EXPECT_EQ(ir.named("attention_mask").outputs.at(0).dims, (std::vector<int64_t>{1, 96 + n}));
    const IrPort& past = ir.named("past_key_values.1.value").outputs.at(0);
    EXPECT_EQ(past.dims, (std::vector<int64_t>{1, 4, 96, 32}));
    EXPECT_EQ(past.precision, "FP16");
    for (const auto& [id, layer] : ir.layers) {
      EXPECT_NE(layer.type, "ReadValue");
      EXPECT_NE(layer.type, "Assign");
    }
  }
}

TEST(StaticIr, LengthsThatTheModelCantHaveAreRefused) {
  TempFolder temp;
  const auto window = make_package(temp, reference_config(), {}, "window");  // 2047
  const auto longrope = make_package(
      temp, reference_config(R"({"sliding_window": null, "max_position_embeddings": 8192,
        "rope_scaling": {"type": "longrope", "long_factor": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],
                         "short_factor": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}})"),
      {}, "longrope");
  const auto refused = [](const Package& package, int32_t prompt, int32_t context,
                          const char* says) {
    StaticShape shape;
    shape.prompt = prompt;
    shape.response = context - prompt;
    expect_error(Code::kInvalidArgument, {says},
                 [&] { static_ir_xml(openvino_parts(package), shape, StaticPart::kPrefill); });
  };
  refused(*window, 128, 1920, "sliding window of 2047");
  refused(*window, 64, 32, "positive");
  refused(*window, 0, 32, "positive");
  refused(*longrope, 128, 4097, "4096 with the short LongRoPE factors");
  StaticShape fits;
  fits.prompt = 127;
  fits.response = 1920 - 127;
  EXPECT_NO_THROW(static_ir_xml(openvino_parts(*window), fits, StaticPart::kGenerate));
}

}  // namespace
}  // namespace phial
