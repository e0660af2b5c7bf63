// SPDX-License-Identifier: Apache-2.0
// Minima: intel_vpu runs Core Ultra's NPUs since Linux 6.8 and Lunar Lake's since 6.11; xe is
// Lunar Lake's default since 6.12; CUDA 12 needs NVIDIA's driver 525.60.13. OpenVINO's own minimum
// for the NPU's driver is the plug-in's knowledge and comes as the device's reason.
#include "api/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/system.h"
#include "kernels/dispatch.h"

namespace phial::api {
namespace {

constexpr double kGB = 1e9;
constexpr double kLeastMemory = 4 * kGB, kUsualMemory = 8 * kGB;
constexpr double kLeastDisk = 1 * kGB, kUsualDisk = 10 * kGB;
constexpr int kLeastNvidia = 525;

const char* state_name(CheckState state) {
  return state == CheckState::kOk ? "ok" : state == CheckState::kNote ? "note" : "problem";
}

std::string gigabytes(double bytes) { return fmt::format("{:.1f} GB", bytes / kGB); }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

struct NpuGeneration {
  const char* part;      // of the NPU's name
  const char* firmware;  // its file begins so
  int minor;             // Linux 6.x
};
constexpr NpuGeneration kGenerations[] = {
    {"3720", "vpu_37xx", 8}, {"4000", "vpu_40xx", 11}, {"5010", "vpu_50xx", 14}};

// What the kernel needs beside its driver, for a NPU that can't be used yet.
void check_npu_parts(const Root& root, const Machine& machine, const Npu& npu,
                     std::vector<Check>& checks) {
  for (const NpuGeneration& generation : kGenerations) {
    if (npu.name.find(generation.part) == std::string::npos) continue;
    if (!machine.kernel.empty() && !version_at_least(machine.kernel, 6, generation.minor))
      checks.push_back({npu.id + ".kernel", "Linux for " + npu.name, CheckState::kProblem,
                        machine.kernel, fmt::format("6.{} or newer", generation.minor),
                        fmt::format("install Linux 6.{} or newer", generation.minor)});
    const auto files = root.entries("lib/firmware/intel/vpu");
    const bool has = std::any_of(files.begin(), files.end(), [&](const std::string& file) {
      return file.starts_with(generation.firmware);
    });
    if (!has)
      checks.push_back({npu.id + ".firmware", "firmware of " + npu.name, CheckState::kNote,
                        "not seen in /lib/firmware/intel/vpu", generation.firmware,
                        "install Intel's NPU driver, which brings the firmware "
                        "(https://github.com/intel/linux-npu-driver/releases)"});
  }
}

void check_nvidia(const Gpu& gpu, std::vector<Check>& checks) {
  if (gpu.vendor != "NVIDIA" || gpu.driver_version.empty()) return;
  if (std::atoi(gpu.driver_version.c_str()) < kLeastNvidia)
    checks.push_back({gpu.id + ".driver", "NVIDIA's driver", CheckState::kProblem,
                      gpu.driver_version, fmt::format("{} or newer", kLeastNvidia),
                      "install a newer driver of NVIDIA's"});
}

// Whether a vendor's unit is one that phial has an engine for at all.
bool phial_could(const Unit& unit) {
  return unit.name.starts_with("Intel ") || unit.name.starts_with("NVIDIA ");
}

fs::path nearest_existing(fs::path folder) {
  std::error_code ignored;
  while (!folder.empty() && !fs::exists(folder, ignored) && folder.has_parent_path() &&
         folder != folder.parent_path())
    folder = folder.parent_path();
  return folder;
}

}  // namespace

bool version_at_least(const std::string& version, int major, int minor) {
  char* rest = nullptr;
  const long first = std::strtol(version.c_str(), &rest, 10);
  if (rest == version.c_str() || *rest != '.') return false;
  const long second = std::strtol(rest + 1, nullptr, 10);
  return first > major || (first == major && second >= minor);
}

std::vector<Check> check_computer(const Machine& machine) {
  std::vector<Check> checks;
  Check cpu{"cpu", "processor", CheckState::kOk, machine.cpu.name, "AVX2 or better", {}};
  try {
    const std::string tier = kernels::best().name;
    cpu.found += ", kernels " + tier;
    if (tier == "scalar") {
      cpu.state = CheckState::kNote;
      cpu.remedy = "it works, slowly: use a processor with AVX2, or the GPU";
    }
  } catch (const Error& error) {
    cpu.state = CheckState::kProblem;
    cpu.found = error.what();
    cpu.remedy = "unset PHIAL_ISA";
  }
  checks.push_back(cpu);
  Check memory{"memory",
               "memory",
               CheckState::kOk,
               "n/a",
               gigabytes(kUsualMemory) + " for a model of 3.8 billion parameters at 4 bits",
               {}};
  if (machine.memory.total) {
    const auto total = static_cast<double>(*machine.memory.total);
    const auto available = static_cast<double>(machine.memory.available.value_or(0));
    memory.found =
        gigabytes(total) +
        (machine.memory.available ? ", " + gigabytes(available) + " available" : std::string());
    if (total < kUsualMemory || (machine.memory.available && available < kLeastMemory)) {
      memory.state = CheckState::kNote;
      memory.remedy = "close other programs, or use a smaller --context";
    }
  } else {
    memory.state = CheckState::kNote;
  }
  checks.push_back(memory);
  if (machine.power.on_battery == true)
    checks.push_back({"power", "power", CheckState::kNote, "on battery", "",
                      "on battery the NPU comes first and clocks are lower; --policy fast says "
                      "otherwise"});
  return checks;
}

std::vector<Check> check_engines(const std::vector<EngineFacts>& engines, const Machine& machine) {
  const bool intel =
      !machine.npus.empty() || std::any_of(machine.gpus.begin(), machine.gpus.end(),
                                           [](const Gpu& gpu) { return gpu.vendor == "Intel"; });
  std::vector<Check> checks;
  for (const EngineFacts& engine : engines) {
    Check check{"engine." + engine.name, "engine " + engine.name, CheckState::kNote, {}, {}, {}};
    std::string devices;
    for (const Device& device : engine.devices) {
      if (!device.why_not.empty()) continue;
      devices += (devices.empty() ? "" : ", ") + device.id;
      check.state = CheckState::kOk;
      // "Intel(R) Arc(TM) 140V GPU, OpenVINO 2026.4.1": the version is at the end.
      check.found =
          device.description.substr(device.description.rfind(", OpenVINO") == std::string::npos
                                        ? 0
                                        : device.description.rfind(", OpenVINO") + 2);
    }
    if (check.state == CheckState::kOk) {
      check.found += " (" + devices + ")";
    } else if (!engine.devices.empty()) {
      check.found = first_line(engine.devices.front().why_not);
      // Where there is nothing that it would be for, nobody needs to do anything.
      if (engine.name == "openvino" && intel) check.remedy = "pip install openvino";
    }
    checks.push_back(std::move(check));
  }
  return checks;
}

std::vector<Check> check_units(const Root& root, const Machine& machine,
                               const std::vector<Unit>& units) {
  std::vector<Check> checks;
  for (const Unit& unit : units) {
    if (unit.kind == "cpu") continue;
    Check check{
        unit.id, (unit.kind == "npu" ? "NPU " : "GPU ") + unit.name, CheckState::kOk, {}, {}, {}};
    if (unit.why_not.empty()) {
      for (const EngineUse& use : unit.engines)
        if (use.why_not.empty())
          check.found += (check.found.empty() ? "used by " : ", ") + use.device;
    } else {
      check.state = phial_could(unit) ? CheckState::kProblem : CheckState::kNote;
      check.found = unit.why_not;
      check.remedy = unit.remedy;
    }
    checks.push_back(std::move(check));
    for (const Npu& npu : machine.npus)
      if (npu.id == unit.id && !unit.why_not.empty() && npu.vendor == "Intel")
        check_npu_parts(root, machine, npu, checks);
    for (const Gpu& gpu : machine.gpus)
      if (gpu.id == unit.id) check_nvidia(gpu, checks);
  }
  if (machine.npus.empty())
    checks.push_back({"npu", "NPU", CheckState::kNote, "none is seen", "", ""});
  return checks;
}

Check check_folder(const std::string& what, const fs::path& folder) {
  Check check{"disk." + what, "folder of " + what, CheckState::kOk, {}, {}, {}};
  if (folder.empty()) {
    check.state = CheckState::kProblem;
    check.found = "there is no place for it";
    check.remedy = what == "models" ? "set HOME or PHIAL_MODELS" : "set HOME or PHIAL_CACHE";
    return check;
  }
  const fs::path there = nearest_existing(folder);
  std::error_code failed;
  const fs::space_info space = fs::space(there, failed);
  const double free = failed ? 0 : static_cast<double>(space.available);
  check.found = fmt::format("{}, {} free", folder.string(), failed ? "n/a" : gigabytes(free));
  check.expected = gigabytes(kUsualDisk) + " free";
  if (system_may_use(there) == false || !fs::is_directory(there, failed)) {
    check.state = CheckState::kProblem;
    check.found += ", can't be written";
    check.remedy = fmt::format("let this user write in {}, or name another folder in {}",
                               there.string(), what == "models" ? "PHIAL_MODELS" : "PHIAL_CACHE");
  } else if (!failed && free < kLeastDisk) {
    check.state = CheckState::kProblem;
    check.remedy = "make room on this disk";
  } else if (!failed && free < kUsualDisk) {
    check.state = CheckState::kNote;
    check.remedy = "make room on this disk: a model of 14 billion parameters needs 8 GB";
  }
  return check;
}

Json doctor_report(const std::vector<Check>& checks, const std::string& when_healthy) {
  Json list = Json::array(), next = Json::array();
  bool healthy = true;
  for (const Check& check : checks) {
    healthy &= check.state != CheckState::kProblem;
    list.push_back({{"id", check.id},
                    {"title", check.title},
                    {"state", state_name(check.state)},
                    {"found", check.found},
                    {"expected", check.expected},
                    {"remedy", check.remedy}});
  }
  for (const Check& check : checks)
    if (check.state == CheckState::kProblem && !check.remedy.empty() &&
        std::find(next.begin(), next.end(), Json(check.remedy)) == next.end())
      next.push_back(check.remedy);
  if (healthy) next.push_back(when_healthy);
  return {{"healthy", healthy}, {"checks", std::move(list)}, {"next", std::move(next)}};
}

}  // namespace phial::api
