// SPDX-License-Identifier: Apache-2.0
// One .safetensors file, memory-mapped, every offset checked on opening (format: 8-byte
// little-endian header length, JSON header, data). Knows no model.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "tensor/dtype.h"

namespace phial {

class Safetensors {
 public:
  // Throws kNotFound, kIo, kCorrupt (truncated, overlapping, out of range, size that doesn't match
  // shape and type, holes), naming the file and the tensor.
  explicit Safetensors(const fs::path& path);

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  // Name -> type of the tensors that are sound but of a type that phial doesn't know ("F8_E4M3",
  // ...).
  const std::map<std::string, std::string>& other_types() const { return other_types_; }
  const MappedFile& file() const { return file_; }

 private:
  MappedFile file_;
  std::map<std::string, TensorView> tensors_;  // those with a dtype that phial knows
  std::map<std::string, std::string> other_types_;
};

struct SafetensorsEntry {
  std::string name;
  DType dtype;
  Shape shape;
};

// The header of a file that will hold `entries` back to back in this order: the 8-byte length, the
// JSON, and spaces up to a multiple of 8. `metadata` becomes __metadata__.
std::string safetensors_header(const std::vector<SafetensorsEntry>& entries,
                               const Json& metadata = Json::object());

}  // namespace phial
