// SPDX-License-Identifier: Apache-2.0
// The computer's processors (units) and the engines' devices, brought together: which engine uses
// which, and what keeps the others out. The place where vendors and engines are known by name.
#pragma once

#include <string>
#include <vector>

#include "backend/backend.h"
#include "machine/machine.h"

namespace phial::api {

struct EngineUse {
  std::string device;   // "openvino:NPU"
  std::string why_not;  // empty: it can use it
};

struct Unit {
  std::string id;    // "cpu", "card0", "accel0"
  std::string kind;  // "cpu", "gpu", "npu"
  std::string name;  // with the vendor's
  std::vector<EngineUse> engines;
  std::string why_not;  // empty: an engine can use it. Else what is in the way first
  std::string remedy;   // what to do about it; may be empty: nothing can be done
};

// The unit that a device of an engine is; empty: this computer has none such.
std::string unit_of(const Machine& machine, const std::string& device, const std::string& kind);

std::vector<Unit> make_units(const Root& root, const Machine& machine,
                             const std::vector<Device>& devices);

Json to_json(const std::vector<Unit>& units);

}  // namespace phial::api
