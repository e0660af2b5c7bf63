// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/ops.h"

#include <fmt/format.h>

#include <algorithm>

namespace phial {
namespace {

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

int64_t known_sum(int64_t a, int64_t b) { return a < 0 || b < 0 ? -1 : a + b; }

}  // namespace

IrDims broadcast_dims(const IrDims& a, const IrDims& b) {
  IrDims out(std::max(a.size(), b.size()));
  for (size_t i = 0; i < out.size(); ++i) {
    auto at = [&](const IrDims& dims) {
      const size_t missing = out.size() - dims.size();
      return i < missing ? int64_t{1} : dims[i - missing];
    };
    const int64_t x = at(a), y = at(b);
    out[i] = x == 1 ? y : y == 1 ? x : std::max(x, y);
  }
  return out;
}

std::string IrOps::full(const std::string& name) const {
  return name.empty() || scope_.empty() ? name : fmt::format("{}/{}", scope_, name);
}

IrValue IrOps::i64(int64_t value) const { return i64_of({}, value); }

IrValue IrOps::i64s(const std::vector<int64_t>& values) const {
  return graph_.constant(IrType::kI64, {static_cast<int64_t>(values.size())}, bytes_of(values));
}

IrValue IrOps::i64_of(IrDims dims, int64_t value) const {
  return graph_.constant(IrType::kI64, std::move(dims), std::as_bytes(std::span(&value, 1)));
}

IrValue IrOps::i32(int32_t value) const {
  return graph_.constant(IrType::kI32, {}, std::as_bytes(std::span(&value, 1)));
}

IrValue IrOps::i32s(const std::vector<int32_t>& values) const {
  return graph_.constant(IrType::kI32, {static_cast<int64_t>(values.size())}, bytes_of(values));
}

IrValue IrOps::f32(float value) const { return f32_of({}, {value}); }

IrValue IrOps::f32_of(IrDims dims, const std::vector<float>& values) const {
  return graph_.constant(IrType::kF32, std::move(dims), bytes_of(values));
}

IrValue IrOps::boolean(bool value) const {
  const std::byte byte{static_cast<unsigned char>(value)};
  return graph_.constant(IrType::kBoolean, {}, std::span(&byte, 1));
}

IrValue IrOps::elementwise(const char* type, const char* version, const std::string& name,
                           const IrValue& a, const IrValue& b, IrType type_out) const {
  return graph_.node(type, version, full(name), {{"auto_broadcast", "numpy"}}, {a, b},
                     {type_out, broadcast_dims(a.dims, b.dims), ""});
}

IrValue IrOps::add(const std::string& name, const IrValue& a, const IrValue& b) const {
  return elementwise("Add", "opset1", name, a, b, a.type);
}

IrValue IrOps::subtract(const std::string& name, const IrValue& a, const IrValue& b) const {
  return elementwise("Subtract", "opset1", name, a, b, a.type);
}

IrValue IrOps::multiply(const std::string& name, const IrValue& a, const IrValue& b) const {
  return elementwise("Multiply", "opset1", name, a, b, a.type);
}

IrValue IrOps::divide(const std::string& name, const IrValue& a, const IrValue& b) const {
  return graph_.node("Divide", "opset1", full(name),
                     {{"auto_broadcast", "numpy"}, {"m_pythondiv", "true"}}, {a, b},
                     {a.type, broadcast_dims(a.dims, b.dims), ""});
}

IrValue IrOps::mod(const std::string& name, const IrValue& a, const IrValue& b) const {
  return elementwise("Mod", "opset1", name, a, b, a.type);
}

IrValue IrOps::power(const std::string& name, const IrValue& a, const IrValue& b) const {
  return elementwise("Power", "opset1", name, a, b, a.type);
}

IrValue IrOps::greater(const std::string& name, const IrValue& a, const IrValue& b) const {
  return elementwise("Greater", "opset1", name, a, b, IrType::kBoolean);
}

IrValue IrOps::less_equal(const std::string& name, const IrValue& a, const IrValue& b) const {
  return elementwise("LessEqual", "opset1", name, a, b, IrType::kBoolean);
}

IrValue IrOps::bitwise_and(const std::string& name, const IrValue& a, const IrValue& b) const {
  return elementwise("BitwiseAnd", "opset13", name, a, b, IrType::kBoolean);
}

IrValue IrOps::select(const std::string& name, const IrValue& condition, const IrValue& yes,
                      const IrValue& no) const {
  return graph_.node(
      "Select", "opset1", full(name), {{"auto_broadcast", "numpy"}}, {condition, yes, no},
      {yes.type, broadcast_dims(condition.dims, broadcast_dims(yes.dims, no.dims)), ""});
}

IrValue IrOps::unary(const char* type, const char* version, const std::string& name,
                     const IrValue& x) const {
  return graph_.node(type, version, full(name), {}, {x}, {x.type, x.dims, ""});
}

IrValue IrOps::convert(const std::string& name, const IrValue& x, IrType type) const {
  return graph_.node("Convert", "opset1", full(name), {{"destination_type", ir_type_name(type)}},
                     {x}, {type, x.dims, ""});
}

IrValue IrOps::shape_of(const std::string& name, const IrValue& x, IrType type) const {
  return graph_.node("ShapeOf", "opset3", full(name), {{"output_type", ir_type_name(type)}}, {x},
                     {type, {static_cast<int64_t>(x.dims.size())}, ""});
}

IrValue IrOps::gather(const std::string& name, const IrValue& x, const IrValue& indices,
                      const IrValue& axis, IrDims dims) const {
  return graph_.node("Gather", "opset8", full(name), {{"batch_dims", "0"}}, {x, indices, axis},
                     {x.type, std::move(dims), ""});
}

IrValue IrOps::dimension(const IrValue& shape, int64_t axis, bool as_list) const {
  const IrValue index = as_list ? i64s({axis}) : i64(axis);
  return gather("", shape, index, i64(0), index.dims);
}

IrValue IrOps::concat(const std::string& name, const std::vector<IrValue>& values,
                      int64_t axis) const {
  IrDims dims = values.front().dims;
  const size_t at = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(dims.size()) : axis);
  for (size_t i = 1; i < values.size(); ++i) dims[at] = known_sum(dims[at], values[i].dims[at]);
  return graph_.node("Concat", "opset1", full(name), {{"axis", std::to_string(axis)}}, values,
                     {values.front().type, dims, ""});
}

IrValue IrOps::slice(const std::string& name, const IrValue& x, int64_t axis, int64_t start,
                     int64_t stop) const {
  IrDims dims = x.dims;
  int64_t& length = dims[static_cast<size_t>(axis)];
  if (start < 0)
    length = stop == kToTheEnd ? -start : -1;
  else if (stop != kToTheEnd)
    length = stop - start;
  else if (length >= 0)
    length -= start;
  return graph_.node("Slice", "opset8", full(name), {},
                     {x, i64s({start}), i64s({stop}), i64s({1}), i64s({axis})}, {x.type, dims, ""});
}

IrValue IrOps::reshape(const std::string& name, const IrValue& x, const IrValue& shape,
                       bool special_zero, IrDims dims) const {
  return graph_.node("Reshape", "opset1", full(name),
                     {{"special_zero", special_zero ? "true" : "false"}}, {x, shape},
                     {x.type, std::move(dims), ""});
}

IrValue IrOps::transpose(const std::string& name, const IrValue& x,
                         const std::vector<int32_t>& order) const {
  IrDims dims;
  for (int32_t axis : order) dims.push_back(x.dims[static_cast<size_t>(axis)]);
  return graph_.node("Transpose", "opset1", full(name), {}, {x, i32s(order)}, {x.type, dims, ""});
}

IrValue IrOps::unsqueeze(const std::string& name, const IrValue& x, const IrValue& axis,
                         int64_t axis_value) const {
  IrDims dims = x.dims;
  dims.insert(dims.begin() + axis_value, 1);
  return graph_.node("Unsqueeze", "opset1", full(name), {}, {x, axis}, {x.type, dims, ""});
}

IrValue IrOps::broadcast(const std::string& name, const IrValue& x, const IrValue& shape,
                         const char* mode, IrDims dims) const {
  return graph_.node("Broadcast", "opset3", full(name), {{"mode", mode}}, {x, shape},
                     {x.type, std::move(dims), ""});
}

IrValue IrOps::range(const std::string& name, const IrValue& start, const IrValue& stop,
                     const IrValue& step, int64_t length) const {
  return graph_.node("Range", "opset4", full(name), {{"output_type", "i64"}}, {start, stop, step},
                     {IrType::kI64, {length}, ""});
}

IrValue IrOps::mat_mul(const std::string& name, const IrValue& a, const IrValue& b,
                       bool transpose_b) const {
  IrDims dims = a.dims;
  dims.back() = b.dims[b.dims.size() - (transpose_b ? 2 : 1)];
  if (a.dims.size() == b.dims.size() && a.dims.size() > 2)
    dims.front() = broadcast_dims({a.dims.front()}, {b.dims.front()}).front();
  return graph_.node("MatMul", "opset1", full(name),
                     {{"transpose_a", "false"}, {"transpose_b", transpose_b ? "true" : "false"}},
                     {a, b}, {a.type, dims, ""});
}

IrValue IrOps::reduce(const char* type, const std::string& name, const IrValue& x,
                      const IrValue& axes, bool keep_dims, IrDims dims) const {
  return graph_.node(type, "opset1", full(name), {{"keep_dims", keep_dims ? "true" : "false"}},
                     {x, axes}, {x.type, std::move(dims), ""});
}

}  // namespace phial
