// SPDX-License-Identifier: Apache-2.0
// Field numbers are those of onnx.proto (IR version 10).
#include "export/ort_genai/onnx_graph.h"

#include <fmt/format.h>

#include "tensor/half.h"

namespace phial {
namespace {

// What every ONNX Runtime from 1.18 on reads; MatMulNBits over 8 bits is younger (1.20 refuses it,
// 1.23 has it).
constexpr int64_t kIrVersion = 10, kOpset = 21, kMicrosoftOpset = 1;

namespace model_field {
constexpr int kIrVersion = 1, kProducer = 2, kProducerVersion = 3, kGraph = 7, kOpset = 8;
}
namespace graph_field {
constexpr int kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12;
}
namespace node_field {
constexpr int kInput = 1, kOutput = 2, kName = 3, kOp = 4, kAttribute = 5, kDomain = 7;
}
namespace attribute_field {
constexpr int kName = 1, kFloat = 2, kInt = 3, kGraph = 6, kType = 20;
}
namespace attribute_type {
constexpr int kFloat = 1, kInt = 2, kGraph = 5;
}
namespace tensor_field {
constexpr int kDims = 1, kType = 2, kName = 8, kRaw = 9, kExternal = 13, kLocation = 14;
}

ProtoMessage attribute(std::string_view name, int type) {
  ProtoMessage a;
  a.bytes(attribute_field::kName, name);
  a.integer(attribute_field::kType, type);
  return a;
}

ProtoMessage value_info(const std::string& name, OnnxType type, const std::vector<OnnxDim>& dims) {
  ProtoMessage shape, tensor, typed, info;
  for (const OnnxDim& d : dims) {
    ProtoMessage dim;
    if (d.name.empty())
      dim.integer(1, d.value);
    else
      dim.bytes(2, d.name);
    shape.message(1, dim);
  }
  tensor.integer(1, static_cast<int64_t>(type));
  tensor.message(2, shape);
  typed.message(1, tensor);
  info.bytes(1, name);
  info.message(2, typed);
  return info;
}

ProtoMessage tensor(const std::string& name, OnnxType type, const std::vector<int64_t>& dims) {
  ProtoMessage t;
  for (int64_t d : dims) t.integer(tensor_field::kDims, d);
  t.integer(tensor_field::kType, static_cast<int64_t>(type));
  t.bytes(tensor_field::kName, name);
  return t;
}

ProtoMessage pair(std::string_view key, std::string_view value) {
  ProtoMessage p;
  p.bytes(1, key);
  p.bytes(2, value);
  return p;
}

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

}  // namespace

ProtoMessage onnx_attribute(std::string_view name, int64_t value) {
  ProtoMessage a = attribute(name, attribute_type::kInt);
  a.integer(attribute_field::kInt, value);
  return a;
}

ProtoMessage onnx_attribute(std::string_view name, float value) {
  ProtoMessage a = attribute(name, attribute_type::kFloat);
  a.real(attribute_field::kFloat, value);
  return a;
}

ProtoMessage onnx_attribute(std::string_view name, const OnnxGraph& value) {
  ProtoMessage a = attribute(name, attribute_type::kGraph);
  a.message(attribute_field::kGraph, value.message());
  return a;
}

OnnxValue OnnxGraph::input(const std::string& name, OnnxType type,
                           const std::vector<OnnxDim>& dims) {
  inputs_.message(graph_field::kInput, value_info(name, type, dims));
  return name;
}

void OnnxGraph::output(const std::string& name, OnnxType type, const std::vector<OnnxDim>& dims) {
  outputs_.message(graph_field::kOutput, value_info(name, type, dims));
}

void OnnxGraph::node(std::string_view op, const std::string& name,
                     const std::vector<OnnxValue>& inputs, const std::vector<OnnxValue>& outputs,
                     const Attributes& attributes, std::string_view domain) {
  ProtoMessage n;
  for (const OnnxValue& i : inputs) n.bytes(node_field::kInput, i);
  for (const OnnxValue& o : outputs) n.bytes(node_field::kOutput, o);
  n.bytes(node_field::kName, name);
  n.bytes(node_field::kOp, op);
  for (const ProtoMessage& a : attributes) n.message(node_field::kAttribute, a);
  if (!domain.empty()) n.bytes(node_field::kDomain, domain);
  nodes_.message(graph_field::kNode, n);
}

OnnxValue OnnxGraph::node(std::string_view op, const std::string& name,
                          const std::vector<OnnxValue>& inputs, const Attributes& attributes,
                          std::string_view domain) {
  const OnnxValue out = name + "/output_0";
  node(op, name, inputs, std::vector<OnnxValue>{out}, attributes, domain);
  return out;
}

OnnxValue OnnxGraph::cast(const std::string& name, const OnnxValue& x, OnnxType to) {
  return node("Cast", name, {x}, {onnx_attribute("to", static_cast<int64_t>(to))});
}

OnnxValue OnnxGraph::constant(const std::string& name, OnnxType type,
                              const std::vector<int64_t>& dims, std::span<const std::byte> bytes) {
  if (!known_.insert(name).second) return name;
  ProtoMessage t = tensor(name, type, dims);
  t.bytes(tensor_field::kRaw, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  constants_.message(graph_field::kInitializer, t);
  return name;
}

OnnxValue OnnxGraph::i64(int64_t value) {
  return constant(fmt::format("/constants/i64/{}", value), OnnxType::kI64, {}, bytes_of(value));
}

OnnxValue OnnxGraph::i64s(const std::vector<int64_t>& values) {
  return constant(fmt::format("/constants/i64/[{}]", fmt::join(values, ",")), OnnxType::kI64,
                  {static_cast<int64_t>(values.size())}, std::as_bytes(std::span(values)));
}

OnnxValue OnnxGraph::i32(int32_t value) {
  return constant(fmt::format("/constants/i32/{}", value), OnnxType::kI32, {}, bytes_of(value));
}

OnnxValue OnnxGraph::u8(uint8_t value) {
  return constant(fmt::format("/constants/u8/{}", value), OnnxType::kU8, {}, bytes_of(value));
}

OnnxValue OnnxGraph::real(float value, OnnxType type) {
  if (type == OnnxType::kF32)
    return constant(fmt::format("/constants/f32/{}", value), type, {}, bytes_of(value));
  const uint16_t half = f32_to_f16(value);
  return constant(fmt::format("/constants/f16/{}", value), type, {}, bytes_of(half));
}

OnnxValue OnnxGraph::f32s(const std::string& name, std::span<const float> values) {
  return constant(name, OnnxType::kF32, {static_cast<int64_t>(values.size())},
                  std::as_bytes(values));
}

OnnxValue OnnxGraph::stored(const std::string& name, OnnxType type,
                            const std::vector<int64_t>& dims, const std::string& file,
                            const Extent& extent) {
  if (!known_.insert(name).second) return name;
  ProtoMessage t = tensor(name, type, dims);
  t.message(tensor_field::kExternal, pair("location", file));
  t.message(tensor_field::kExternal, pair("offset", std::to_string(extent.offset)));
  t.message(tensor_field::kExternal, pair("length", std::to_string(extent.bytes)));
  t.integer(tensor_field::kLocation, 1);  // EXTERNAL
  constants_.message(graph_field::kInitializer, t);
  return name;
}

ProtoMessage OnnxGraph::message() const {
  ProtoMessage g = nodes_;
  g.bytes(graph_field::kName, name_);
  for (const ProtoMessage* fields : {&constants_, &inputs_, &outputs_}) g.append(*fields);
  return g;
}

std::string OnnxGraph::model() const {
  auto opset = [](std::string_view domain, int64_t version) {
    ProtoMessage o;
    o.bytes(1, domain);
    o.integer(2, version);
    return o;
  };
  ProtoMessage m;
  m.integer(model_field::kIrVersion, kIrVersion);
  m.bytes(model_field::kProducer, "phial");
  m.bytes(model_field::kProducerVersion, PHIAL_VERSION);
  m.message(model_field::kGraph, message());
  m.message(model_field::kOpset, opset("", kOpset));
  m.message(model_field::kOpset, opset(kOnnxMicrosoft, kMicrosoftOpset));
  return m.wire();
}

}  // namespace phial
