// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/static_ir.h"

#include <algorithm>

#include "base/error.h"

namespace phial {

void check_static_shape(const Phi3Config& config, const StaticShape& shape) {
  if (shape.prompt < 1 || shape.response < 1)
    throw_error(Code::kInvalidArgument,
                "static models for prompts of {} tokens and {} after them: both must be positive",
                shape.prompt, shape.response);
  const int32_t most = config.longrope
                           ? std::min(config.original_max_positions, config.max_positions)
                           : config.max_positions;
  if (shape.context() > most)
    throw_error(Code::kInvalidArgument, "a context of {} tokens: the model holds {}{}",
                shape.context(), most,
                config.longrope ? " with the short LongRoPE factors that static models have" : "");
  if (config.sliding_window && shape.context() + shape.prompt > config.sliding_window)
    throw_error(Code::kInvalidArgument,
                "a context of {} tokens and prompts of {} make {}, more than the model's sliding "
                "window of {}: static models need both to fit into it",
                shape.context(), shape.prompt, shape.context() + shape.prompt,
                config.sliding_window);
}

std::string static_ir_xml(const PackageParts& parts, const StaticShape& shape, StaticPart part) {
  check_static_shape(parts.config, shape);
  OpenVinoIrOptions options;
  options.stateless = true;
  options.last_logits_only = true;
  options.rope_factors = RopeFactors::kShort;
  options.kv_f16 = shape.kv_f16;
  options.batch = 1;
  options.sequence = part == StaticPart::kPrefill ? shape.prompt : 1;
  options.past = shape.context();
  return openvino_ir_xml(parts, options);
}

}  // namespace phial
