// SPDX-License-Identifier: Apache-2.0
// Weight matrices and norms as parts of an ONNX graph: constants that point at the stored codes,
// and the few operations that turn f16 scales, one scale a row, and the like into what an operator
// takes. These have constants for inputs only, so ONNX Runtime carries them out once, when it loads
// the model. Internal to ort_genai/.
#pragma once

#include <string>

#include "export/ort_genai/onnx_graph.h"
#include "export/ort_genai/ort_genai.h"

namespace phial {

struct RowRange {
  int64_t begin = 0, end = 0;  // of a fused matrix
};

class OnnxWeights {
 public:
  OnnxWeights(OnnxGraph& graph, const PackageParts& parts, const OnnxModelOptions& options);

  OnnxType real() const { return real_; }  // of activations

  // x [..., cols] times the transposed rows of a matrix -> [..., rows].
  OnnxValue project(const std::string& name, const OnnxValue& x, Role role, int layer);
  OnnxValue project(const std::string& name, const OnnxValue& x, Role role, int layer,
                    const RowRange& rows, const std::string& output = "");
  OnnxValue embed(const OnnxValue& ids);  // [B, S] -> [B, S, hidden]
  OnnxValue norm(Role role, int layer);   // [hidden]

 private:
  const StoredTensor& find(Role role, int layer) const;
  OnnxValue piece(const std::string& name, OnnxType type, const std::vector<int64_t>& dims,
                  const Extent& whole, int64_t all_rows, const RowRange& rows);
  OnnxValue spread(const std::string& name, const OnnxValue& x, int64_t rows, int64_t groups,
                   int64_t copies);
  OnnxValue scales(const std::string& name, const StoredTensor& t, const RowRange& rows,
                   int64_t copies);
  OnnxValue zero_points(const std::string& name, const StoredTensor& t, const RowRange& rows,
                        int64_t copies);
  OnnxValue nibbles(const std::string& name, const OnnxValue& bytes);
  OnnxValue float_rows(const std::string& name, const StoredTensor& t, const OnnxValue& ids);

  OnnxGraph& graph_;
  const PackageParts& parts_;
  const OnnxModelOptions& options_;
  OnnxType real_;
};

}  // namespace phial
