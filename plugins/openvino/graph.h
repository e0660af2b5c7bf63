// SPDX-License-Identifier: Apache-2.0
// A package compiled for a device: the graph is made in memory over the mapped weights, compiled or
// taken from the cache, and gives infer requests. Knows nothing of sequences.
#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"
#include "ov_objects.h"
#include "settings.h"
#include "target.h"

namespace phial::ov {

// Lengths that a model for the NPU is compiled for; 0: no limit (other devices).
struct Room {
  int32_t prompt = 0;    // tokens of one prefill
  int32_t response = 0;  // tokens after the longest prompt
  int32_t total() const { return prompt + response; }
};

struct GraphOptions {
  Target target;
  Settings settings;
  Room room;
  int32_t threads = 0;
  std::string kv_cache, activations;
  Notice notice;
};

class Graph {
 public:
  // Throws kUnsupported with OpenVINO's words.
  Graph(const Api& api, std::shared_ptr<const Package> package, const GraphOptions& options);

  std::unique_ptr<Request> request() const { return compiled_->request(); }
  // The input that names the length of the whole sequence, which chooses LongRoPE's factors.
  bool takes_sequence_length() const { return takes_sequence_length_; }
  bool takes_beam_index() const { return takes_beam_index_; }
  // What executes: the device that the compiled model names, if OpenVINO lists it as available.
  std::string executes_on() const { return executes_on_; }

 private:
  std::unique_ptr<Compiled> compile(const std::string& xml, const GraphOptions& options);

  const Api& api_;
  const std::shared_ptr<const Package> package_;  // the weights stay mapped
  Core core_;
  Tensor weights_;
  std::unique_ptr<Compiled> compiled_;
  bool takes_sequence_length_ = false, takes_beam_index_ = true;
  std::string executes_on_;
};

}  // namespace phial::ov
