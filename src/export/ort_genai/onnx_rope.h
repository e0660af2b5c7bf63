// SPDX-License-Identifier: Apache-2.0
// Tables of cos and sin by position, as operations over the frequencies that ONNX Runtime carries
// out once when it loads the model: 25 megabytes of table cost 200 bytes of file. Internal to
// ort_genai/.
#pragma once

#include "export/ort_genai/onnx_weights.h"

namespace phial {

struct OnnxRope {
  OnnxValue cos, sin;      // [positions, rotary_dim / 2]
  OnnxValue position_ids;  // DirectML: which rows; elsewhere empty
};

// `total` i64 [1]: the length of the sequence so far, which decides between LongRoPE's tables
// where operators of one step can't be told apart by position_ids.
OnnxRope onnx_rope(OnnxGraph& graph, const OnnxWeights& weights, const Phi3Config& config,
                   const OnnxValue& total, const OnnxValue& position_ids);

}  // namespace phial
