// SPDX-License-Identifier: Apache-2.0
// The whole model in plain loops: no cache, no threads, no dispatch, float32 (sums in double). The
// specification that every engine is held to; far too slow for use.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/phi3_config.h"
#include "model/phi3_weights.h"

namespace phial {

// Logits of all positions of one sequence, [ids.size(), vocab]. With `last` > 0 only those of the
// last `last` positions. Throws kInvalidArgument for an id outside the vocabulary.
std::vector<float> reference_forward(const Phi3Config& config, const Phi3Weights& weights,
                                     std::span<const int32_t> ids, int64_t last = 0);

}  // namespace phial
