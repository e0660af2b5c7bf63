// SPDX-License-Identifier: Apache-2.0
// The whole Phi-3 as a graph. Internal to openvino_ir/.
#pragma once

#include "export/openvino_ir/graph.h"
#include "export/openvino_ir/openvino_ir.h"

namespace phial {

void build_model(IrGraph& graph, const PackageParts& parts, const OpenVinoIrOptions& options);

}  // namespace phial
