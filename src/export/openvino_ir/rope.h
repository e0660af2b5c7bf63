// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding in the graph. Internal to openvino_ir/.
#pragma once

#include "export/openvino_ir/openvino_ir.h"
#include "export/openvino_ir/ops.h"

namespace phial {

struct IrRope {
  IrValue cos, sin;  // [B, 1, S, rotary_dim]
  int64_t rotary_dim = 0;
};

// `sequence_length` is looked at with RopeFactors::kByInput only.
IrRope make_rope(const IrOps& ops, const Phi3Config& config, RopeFactors factors,
                 const IrValue& position_ids, const IrValue& sequence_length);

// x [B, heads, S, head_dim]: the first rotary_dim of each head are rotated.
IrValue rotate(const IrOps& ops, const std::string& name, const IrValue& x, const IrRope& rope);

}  // namespace phial
