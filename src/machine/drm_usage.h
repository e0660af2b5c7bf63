// SPDX-License-Identifier: Apache-2.0
// How long each engine of a GPU or NPU has worked for the processes that this user may look at:
// what DRM drivers write into /proc/<pid>/fdinfo (Documentation/gpu/drm-usage-stats.rst).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "machine/root.h"

namespace phial {

struct DrmEngine {
  uint64_t busy_ns = 0;                        // i915, amdgpu, amdxdna
  uint64_t busy_cycles = 0, total_cycles = 0;  // xe: of a clock that both count
  double capacity = 1;                         // engines of this class
};

struct DrmClient {
  std::string slot;                          // "0000:00:02.0"
  std::map<std::string, DrmEngine> engines;  // by class: "render", "rcs", "ccs", ...
  uint64_t resident_bytes = 0;
};

// By "slot/client id", which is one however many file descriptors share it.
using DrmUsage = std::map<std::string, DrmClient>;

DrmUsage read_drm_usage(const Root& root);

// The busiest class of engines of the device between two readings, in percent; nullopt: no client
// is seen.
std::optional<double> drm_busy_percent(const DrmUsage& before, const DrmUsage& after,
                                       const std::string& slot, double seconds);

// Of one fdinfo text; nullopt: not a DRM file. `id` is the client's.
std::optional<DrmClient> parse_drm_client(std::string_view text, std::string& id);

}  // namespace phial
