// SPDX-License-Identifier: Apache-2.0
// Protocol buffers' wire format, writing only, as much as ONNX needs of it: a message is the text
// of its fields, one behind the other. Not a schema: onnx_graph.cc knows the field numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace phial {

class ProtoMessage {
 public:
  void integer(int field, int64_t value);         // int32, int64, enum: a varint
  void real(int field, float value);              // float: fixed 32 bits
  void bytes(int field, std::string_view value);  // string, bytes
  void message(int field, const ProtoMessage& m) { bytes(field, m.wire()); }

  void append(const ProtoMessage& fields) { wire_ += fields.wire_; }

  const std::string& wire() const { return wire_; }

 private:
  void varint(uint64_t value);
  void tag(int field, int type) {
    varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(type));
  }

  std::string wire_;
};

}  // namespace phial
