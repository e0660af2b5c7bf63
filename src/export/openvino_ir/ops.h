// SPDX-License-Identifier: Apache-2.0
// The operations that a Phi-3 needs, each a function from values to a value; shapes of the results
// are worked out here. Internal to openvino_ir/.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "export/openvino_ir/graph.h"

namespace phial {

inline constexpr int64_t kToTheEnd = INT64_MAX;  // stop of a slice

// Names of one module's operations: "model.layers.0.mlp" + "/" + what it does.
class IrOps {
 public:
  IrOps(IrGraph& graph, std::string scope) : graph_(graph), scope_(std::move(scope)) {}

  IrGraph& graph() const { return graph_; }
  IrOps in(const std::string& scope) const { return IrOps(graph_, scope); }

  // Constants. Without dims a scalar, else of these dims, filled row by row.
  IrValue i64(int64_t value) const;
  IrValue i64s(const std::vector<int64_t>& values) const;  // [n]
  IrValue i64_of(IrDims dims, int64_t value) const;
  IrValue i32(int32_t value) const;
  IrValue i32s(const std::vector<int32_t>& values) const;
  IrValue f32(float value) const;
  IrValue f32_of(IrDims dims, const std::vector<float>& values) const;
  IrValue boolean(bool value) const;

  // Element by element, with NumPy's broadcasting.
  IrValue add(const std::string& name, const IrValue& a, const IrValue& b) const;
  IrValue subtract(const std::string& name, const IrValue& a, const IrValue& b) const;
  IrValue multiply(const std::string& name, const IrValue& a, const IrValue& b) const;
  IrValue divide(const std::string& name, const IrValue& a, const IrValue& b) const;
  IrValue mod(const std::string& name, const IrValue& a, const IrValue& b) const;
  IrValue power(const std::string& name, const IrValue& a, const IrValue& b) const;
  IrValue greater(const std::string& name, const IrValue& a, const IrValue& b) const;
  IrValue less_equal(const std::string& name, const IrValue& a, const IrValue& b) const;
  IrValue bitwise_and(const std::string& name, const IrValue& a, const IrValue& b) const;
  IrValue select(const std::string& name, const IrValue& condition, const IrValue& yes,
                 const IrValue& no) const;
  IrValue unary(const char* type, const char* version, const std::string& name,
                const IrValue& x) const;
  IrValue convert(const std::string& name, const IrValue& x, IrType type) const;

  IrValue shape_of(const std::string& name, const IrValue& x, IrType type) const;
  // `axis` a value; the result's dims are given by who calls.
  IrValue gather(const std::string& name, const IrValue& x, const IrValue& indices,
                 const IrValue& axis, IrDims dims) const;
  // One dimension of a ShapeOf, as a scalar (or with `as_list` as [1]).
  IrValue dimension(const IrValue& shape, int64_t axis, bool as_list = false) const;
  IrValue concat(const std::string& name, const std::vector<IrValue>& values, int64_t axis) const;
  // `axis` counts from the end where negative; in the graph it is non-negative.
  IrValue slice(const std::string& name, const IrValue& x, int64_t axis, int64_t start,
                int64_t stop) const;
  IrValue reshape(const std::string& name, const IrValue& x, const IrValue& shape,
                  bool special_zero, IrDims dims) const;
  IrValue transpose(const std::string& name, const IrValue& x,
                    const std::vector<int32_t>& order) const;
  // `axis` as a shared scalar constant of the value given.
  IrValue unsqueeze(const std::string& name, const IrValue& x, const IrValue& axis,
                    int64_t axis_value) const;
  IrValue broadcast(const std::string& name, const IrValue& x, const IrValue& shape,
                    const char* mode, IrDims dims) const;
  IrValue range(const std::string& name, const IrValue& start, const IrValue& stop,
                const IrValue& step, int64_t length) const;
  IrValue mat_mul(const std::string& name, const IrValue& a, const IrValue& b,
                  bool transpose_b) const;
  IrValue reduce(const char* type, const std::string& name, const IrValue& x, const IrValue& axes,
                 bool keep_dims, IrDims dims) const;

 private:
  std::string full(const std::string& name) const;
  IrValue elementwise(const char* type, const char* version, const std::string& name,
                      const IrValue& a, const IrValue& b, IrType type_out) const;

  IrGraph& graph_;
  std::string scope_;
};

// Of two shapes: each dimension equal, or one of them 1. -1 with 1 is -1, with n is n.
IrDims broadcast_dims(const IrDims& a, const IrDims& b);

}  // namespace phial
