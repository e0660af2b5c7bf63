// SPDX-License-Identifier: Apache-2.0
// Reads an OpenVINO IR back for the tests: enough XML for what OpenVINO and we write.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace phial {

struct IrPort {
  std::string precision;
  std::vector<int64_t> dims;
  std::string names;
};

struct IrLayer {
  int id = -1;
  std::string name, type, version;
  std::map<std::string, std::string> data;
  bool decompression = false;
  std::map<int, IrPort> inputs, outputs;       // by port number
  std::map<int, std::pair<int, int>> sources;  // input port -> layer, its output port
};

struct IrFile {
  std::map<int, IrLayer> layers;
  std::map<std::string, std::string> runtime_info;  // "nncf/weight_compression/mode" -> value

  std::vector<const IrLayer*> of_type(const std::string& type) const;
  const IrLayer& named(const std::string& name) const;  // throws if there isn't exactly one
};

// Throws std::runtime_error for text that isn't well formed, or an edge from or to nowhere.
IrFile read_ir(const std::string& xml);

}  // namespace phial
