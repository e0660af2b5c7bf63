// SPDX-License-Identifier: Apache-2.0
// Reads model.onnx back, as much as the tests look at: a protobuf reader written from the format's
// description, not from our writer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace phial {

struct OnnxReadGraph;

struct OnnxReadNode {
  std::string op, name, domain;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, int64_t> integers;
  std::map<std::string, float> reals;
  std::map<std::string, std::shared_ptr<OnnxReadGraph>> graphs;
};

struct OnnxReadTensor {
  int64_t type = 0;
  std::vector<int64_t> dims;
  std::string raw;
  std::map<std::string, std::string> external;  // location, offset, length

  uint64_t bytes() const;  // what type and dims take
};

struct OnnxReadValue {
  int64_t type = 0;
  std::vector<std::string> dims;  // numbers or names
};

struct OnnxReadGraph {
  std::vector<OnnxReadNode> nodes;
  std::map<std::string, OnnxReadTensor> constants;
  std::map<std::string, OnnxReadValue> inputs, outputs;

  std::vector<const OnnxReadNode*> of_op(std::string_view op) const;
};

struct OnnxReadModel {
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;
  OnnxReadGraph graph;
};

OnnxReadModel read_onnx(std::string_view bytes);  // fails the test if that isn't one

}  // namespace phial
