// SPDX-License-Identifier: Apache-2.0
// An OpenVINO graph under construction: layers with their ports, edges, and the XML of all that.
// Knows the file format, nothing of models; operations by name are in ops.h. Internal to
// openvino_ir/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "export/openvino_ir/constants.h"
#include "package/layout.h"

namespace phial {

enum class IrType : uint8_t { kBoolean, kI32, kI64, kU4, kU8, kF16, kF32, kString };

const char* ir_type_name(IrType type);  // "boolean", "i32", ...

using IrDims = std::vector<int64_t>;  // -1: dynamic

// One output of a layer.
struct IrValue {
  int32_t layer = -1, port = 0;
  IrType type = IrType::kF32;
  IrDims dims;
};

using IrAttributes = std::vector<std::pair<const char*, std::string>>;

struct IrOutput {
  IrType type;
  IrDims dims;
  std::string
      names;  // of the tensor, separated by commas; inputs and outputs of the model have one
};

class IrGraph {
 public:
  explicit IrGraph(IrConstants& constants) : constants_(constants) {}

  IrValue parameter(const std::string& name, IrType type, IrDims dims);
  void result(const std::string& name, const IrValue& value);
  // Bytes of the graph itself: they go into, or are found in, the block of constants.
  IrValue constant(IrType type, IrDims dims, std::span<const std::byte> bytes,
                   const std::string& name = "");
  // Bytes that lie in the weights file at `extent`.
  IrValue stored(const std::string& name, IrType type, IrDims dims, const Extent& extent);
  // An operation with one output. An empty name becomes "<type>_<number>".
  IrValue node(const char* type, const char* version, const std::string& name,
               const IrAttributes& attributes, const std::vector<IrValue>& inputs,
               const IrOutput& output);
  std::vector<IrValue> node(const char* type, const char* version, const std::string& name,
                            const IrAttributes& attributes, const std::vector<IrValue>& inputs,
                            const std::vector<IrOutput>& outputs);
  // Marks a Convert that only undoes a storage type, so that plugins keep the constant as it is.
  void mark_decompression(const IrValue& value);

  // To be called once, when all is there: numbers the layers and places the constants, both in the
  // order in which results reach them. So the order in which a compiler evaluates arguments, which
  // is that in which layers are made, is of no matter to the bytes.
  void finish();

  // Of a finished graph. `runtime_info` is the content of the model's rt_info element, `name` the
  // model's.
  std::string xml(const std::string& runtime_info, const char* name = "phi3") const;

 private:
  struct Layer {
    const char* type;
    const char* version;
    std::string name;
    IrAttributes attributes;
    std::vector<IrValue> inputs;
    std::vector<IrOutput> outputs;
    bool decompression = false;
    std::vector<std::byte> bytes;  // of a constant that has to be placed
  };

  std::vector<int32_t> order_of_use() const;

  IrConstants& constants_;
  std::vector<Layer> layers_;
};

}  // namespace phial
