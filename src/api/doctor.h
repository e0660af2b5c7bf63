// SPDX-License-Identifier: Apache-2.0
// The checks of `phial doctor`: the whole chain from the processor to the folder of models.
#pragma once

#include <string>
#include <vector>

#include "api/units.h"
#include "backend/backend.h"
#include "machine/machine.h"

namespace phial::api {

enum class CheckState { kOk, kNote, kProblem };

struct Check {
  std::string id, title;
  CheckState state = CheckState::kOk;
  std::string found, expected, remedy;
};

// Runtimes, as far as they are found: one check an engine.
struct EngineFacts {
  std::string name;  // "openvino"
  std::vector<Device> devices;
};

std::vector<Check> check_units(const Root& root, const Machine& machine,
                               const std::vector<Unit>& units);
std::vector<Check> check_engines(const std::vector<EngineFacts>& engines, const Machine& machine);
std::vector<Check> check_computer(const Machine& machine);
// The folders of models and caches of this user: `what` is "models" or "cache".
Check check_folder(const std::string& what, const fs::path& folder);

Json doctor_report(const std::vector<Check>& checks, const std::string& when_healthy);

// "6.14.0-29-generic" is at least "6.8". False for what isn't a version.
bool version_at_least(const std::string& version, int major, int minor);

}  // namespace phial::api
