// SPDX-License-Identifier: Apache-2.0
// Where a package is to run: asks all engines, gathers the facts, and lets backend/placement
// decide. Opening a model and explaining it both go this way.
#pragma once

#include <phial/phial.h>

#include <memory>
#include <string>
#include <vector>

#include "api/measured.h"
#include "backend/backend.h"
#include "backend/placement.h"
#include "machine/machine.h"

namespace phial::api {

using Backends = std::vector<std::unique_ptr<Backend>>;

// Our own engine, which is always there, and the plug-ins that a wish for `device` concerns.
Backends make_backends(std::string_view device, const std::vector<std::string>& settings);

// Bytes that running takes; the workspace is our own engine's and an estimate.
struct MemoryNeed {
  uint64_t weights = 0, cache_per_token = 0, cache = 0, workspace = 0;
  int32_t tokens = 0;  // that the cache is for
  uint64_t total() const { return weights + cache + workspace; }
};
MemoryNeed memory_need(const Package& package, int32_t tokens, const phial_model_options& options);

class Choosing {
 public:
  // With `all` devices that need slow work to be asked are asked too, as they are anyway where one
  // of them was measured for this package. References must outlive it.
  Choosing(const Backends& backends, const Package& package, const phial_model_options& options,
           const SessionOptions& session_options, bool all = false);

  Placement place() const;
  // The engine of a candidate failed to open it.
  void refuse(size_t candidate, const std::string& reason);

  const std::vector<Candidate>& candidates() const { return candidates_; }
  const Backend& backend(size_t candidate) const { return *backends_of_[candidate]; }
  const PlacementFacts& facts() const { return facts_; }
  const MemoryNeed& need() const { return need_; }
  const std::vector<Measurement>& measurements() const { return measurements_; }

 private:
  void judge(const Backends& backends, const Package& package, bool all);
  void add(const Backend& backend, Verdict verdict, const std::string& kind,
           const std::string& engine);
  void gather(int32_t npu_prompt, const Package& package, bool all);

  std::vector<Candidate> candidates_;
  std::vector<const Backend*> backends_of_;
  std::vector<Measurement> measurements_;
  PlacementFacts facts_;
  MemoryNeed need_;
};

// {"wanted", "policy", "on_battery", "prompt_tokens", "device", "why", "fallback",
// "by_measurement", "refused": [{"device", "why"}]}
Json to_json(const Choosing& choosing, const Placement& placement);

}  // namespace phial::api
