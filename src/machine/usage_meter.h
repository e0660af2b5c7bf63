// SPDX-License-Identifier: Apache-2.0
// How busy this computer is now: what a task manager shows. Rates are those between two calls, so
// the first one has none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "machine/drm_usage.h"
#include "machine/machine.h"

namespace phial {

struct DeviceUsage {
  std::string id, kind, name;  // "card0", "gpu", "Arc Graphics (Meteor Lake)"
  std::optional<double> busy_percent, mhz, max_mhz, watts;
  std::optional<uint64_t> memory_used, memory_bytes;
};

struct Usage {
  double seconds = 0;  // since the one before; 0: the first
  std::optional<double> cpu_percent;
  std::vector<std::optional<double>> core_percent, core_mhz;  // by number of logical processor
  std::optional<double> package_watts;  // the processor's, GPU and NPU in it included
  std::optional<double> battery_watts;
  std::optional<bool> on_battery;
  Memory memory;
  std::vector<DeviceUsage> devices;
};

class UsageMeter {
 public:
  explicit UsageMeter(Root root);

  Usage take();

 private:
  struct CpuTime {
    uint64_t busy = 0, total = 0;
  };
  struct Counters {
    double seconds = 0;
    std::vector<CpuTime> cpus;  // the first: all of them
    std::optional<double> package_joules;
    std::vector<std::optional<double>> device_joules, device_busy_seconds;
    DrmUsage drm;
  };

  void read_cpus(Counters& now) const;
  void fill_device(const Machine& machine, size_t index, DeviceUsage& device, Counters& now) const;
  Usage take_from_files();

  Root root_;
  bool first_ = true;
  Counters before_;
};

Json to_json(const Usage& sample);

// Windows' own counters; false elsewhere. machine_posix.cc, machine_windows.cc.
bool read_system_usage(Usage& sample);

}  // namespace phial
