// SPDX-License-Identifier: Apache-2.0
// An ONNX graph as it is written down: nodes in order, constants inside the model or as a piece of
// a file beside it. Knows ONNX's messages and nothing of Phi-3. Internal to ort_genai/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "export/ort_genai/protobuf.h"
#include "package/layout.h"

namespace phial {

enum class OnnxType : uint8_t { kF32 = 1, kU8 = 2, kI32 = 6, kI64 = 7, kF16 = 10 };  // ONNX's ids

using OnnxValue = std::string;  // the name of a tensor; empty: an optional one that isn't there

struct OnnxDim {
  OnnxDim(int64_t n) : value(n) {}     // NOLINT: a dimension is a number
  OnnxDim(const char* n) : name(n) {}  // NOLINT: or a name
  int64_t value = 0;
  std::string name;
};

class OnnxGraph;

// An AttributeProto.
ProtoMessage onnx_attribute(std::string_view name, int64_t value);
ProtoMessage onnx_attribute(std::string_view name, float value);
ProtoMessage onnx_attribute(std::string_view name, const OnnxGraph& value);

inline constexpr const char* kOnnxMicrosoft = "com.microsoft";  // ONNX Runtime's own operators

class OnnxGraph {
 public:
  using Attributes = std::vector<ProtoMessage>;

  explicit OnnxGraph(std::string name) : name_(std::move(name)) {}

  OnnxValue input(const std::string& name, OnnxType type, const std::vector<OnnxDim>& dims);
  void output(const std::string& name, OnnxType type, const std::vector<OnnxDim>& dims);

  void node(std::string_view op, const std::string& name, const std::vector<OnnxValue>& inputs,
            const std::vector<OnnxValue>& outputs, const Attributes& attributes = {},
            std::string_view domain = "");
  // With one output, "<name>/output_0", which is returned.
  OnnxValue node(std::string_view op, const std::string& name, const std::vector<OnnxValue>& inputs,
                 const Attributes& attributes = {}, std::string_view domain = "");
  OnnxValue cast(const std::string& name, const OnnxValue& x, OnnxType to);

  // Constants inside the model, one of each value.
  OnnxValue i64(int64_t value);  // scalar
  OnnxValue i64s(const std::vector<int64_t>& values);
  OnnxValue i32(int32_t value);
  OnnxValue u8(uint8_t value);
  OnnxValue real(float value, OnnxType type);  // kF32 or kF16
  OnnxValue f32s(const std::string& name, std::span<const float> values);

  // A constant that is a piece of `file`, which lies beside the model.
  OnnxValue stored(const std::string& name, OnnxType type, const std::vector<int64_t>& dims,
                   const std::string& file, const Extent& extent);

  ProtoMessage message() const;  // a GraphProto
  std::string model() const;     // the bytes of a model.onnx

 private:
  OnnxValue constant(const std::string& name, OnnxType type, const std::vector<int64_t>& dims,
                     std::span<const std::byte> bytes);

  std::string name_;
  ProtoMessage nodes_, constants_, inputs_, outputs_;  // fields of a GraphProto
  std::set<std::string> known_;                        // names of the constants
};

}  // namespace phial
