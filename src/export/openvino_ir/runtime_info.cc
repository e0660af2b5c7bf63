// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/runtime_info.h"

#include <fmt/format.h>

namespace phial {
namespace {

std::string entry(const char* key, const std::string& value) {
  return fmt::format("\t\t\t\t<{} value=\"{}\" />\n", key, value);
}

const char* yes_no(bool value) { return value ? "True" : "False"; }

// The keys of NNCF's section: the NPU plugin reads mode and group_size, optimum-intel shows the
// rest. No NNCF version: NNCF has not seen this model.
std::string compression(const QuantRecipe& recipe) {
  const bool int4 = recipe.precision == WeightPrecision::kInt4;
  std::string text = "\t\t<nncf>\n\t\t\t<weight_compression>\n";
  text += entry("all_layers", yes_no(recipe.all_layers));
  text += entry("awq", "False");
  text += entry("backup_mode", "int8_asym");
  text += entry("compression_format", "dequantize");
  text += entry("gptq", "False");
  text += entry("group_size", std::to_string(int4 ? recipe.group_size : -1));
  text += entry("ignored_scope", "[]");
  text += entry("lora_correction", "False");
  text += entry("mode",
                fmt::format("{}_{}", int4 ? "int4" : "int8", recipe.symmetric ? "sym" : "asym"));
  text += entry("ratio", int4 ? fmt::format("{}", recipe.ratio) : "1.0");
  text += entry("scale_estimation", "False");
  text += entry("sensitivity_metric", "weight_quantization_error");
  return text + "\t\t\t</weight_compression>\n\t\t</nncf>\n";
}

}  // namespace

std::string ir_runtime_info(const QuantRecipe& recipe) {
  const bool compressed = recipe.precision != WeightPrecision::kFp16;
  std::string text = "\t\t<conversion_parameters>\n" + entry("framework", "phial") +
                     entry("phial_version", PHIAL_VERSION) + "\t\t</conversion_parameters>\n";
  if (compressed) text += compression(recipe);
  // As optimum-intel sets them: a scale that keeps f16 activations finite on GPUs, and for
  // uncompressed weights a cache that isn't less precise than they are.
  text += "\t\t<runtime_options>\n" + entry("ACTIVATIONS_SCALE_FACTOR", "8.0");
  if (!compressed) text += entry("KV_CACHE_PRECISION", "f16");
  return text + "\t\t</runtime_options>\n";
}

}  // namespace phial
