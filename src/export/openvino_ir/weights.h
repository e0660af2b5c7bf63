// SPDX-License-Identifier: Apache-2.0
// Weight matrices and norms as values of a graph: constants that point at the stored codes, and the
// chain of operations that undoes the quantization. Internal to openvino_ir/.
#pragma once

#include <map>

#include "export/openvino_ir/graph.h"
#include "package/artefacts.h"

namespace phial {

class IrWeights {
 public:
  IrWeights(IrGraph& graph, const PackageParts& parts) : graph_(graph), parts_(parts) {}

  // f32 [rows, cols]. lm_head of a model with tied embeddings is the embedding's very value.
  IrValue matrix(Role role, int layer);
  IrValue norm(Role role, int layer);  // f32 [1, 1, hidden]

 private:
  const StoredTensor& find(Role role, int layer) const;
  IrValue build(const StoredTensor& tensor);
  IrValue zero_point(const StoredTensor& tensor, bool grouped);

  IrGraph& graph_;
  const PackageParts& parts_;
  std::map<const StoredTensor*, IrValue> built_;
};

}  // namespace phial
