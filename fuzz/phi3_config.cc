// SPDX-License-Identifier: Apache-2.0
// Any text as a config.json: either an Error, or a configuration whose derived sizes are all sane.
#include "model/phi3_config.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/phi3_weights.h"
#include "model/rope.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace phial;
  try {
    const Json json = parse_json({reinterpret_cast<const char*>(data), size}, "input");
    const Phi3Config config = parse_phi3_config(json, "input");
    int64_t parameters = 0;
    for (const TensorSpec& spec : tensor_specs(config)) parameters += spec.rows * spec.cols;
    if (parameters != config.parameters() || config.kv_bytes_per_token(2) <= 0) std::abort();
    const Rope rope(config);
    std::vector<float> cos(static_cast<size_t>(rope.half())), sin(cos.size());
    rope.at(config.max_positions, true, cos.data(), sin.data());
    for (float value : cos)
      if (!(value > -2e3f && value < 2e3f)) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
