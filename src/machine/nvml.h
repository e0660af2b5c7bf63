// SPDX-License-Identifier: Apache-2.0
// NVIDIA's management library, which comes with its driver, loaded at run time. Only what a GPU is
// and how busy it is; running models is no business of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/root.h"

namespace phial {

struct NvidiaGpu {
  std::string name, slot;  // "0000:01:00.0"
  std::optional<uint64_t> memory_bytes, memory_used;
  std::optional<double> mhz, max_mhz, watts, busy_percent;
};

class Nvml {
 public:
  // The library of this computer, or the file in PHIAL_NVML_LIB; null if there is none, or if
  // `root` is another machine's. Loaded once.
  static const Nvml* of(const Root& root);

  std::string driver_version() const;
  std::vector<NvidiaGpu> gpus() const;

 private:
  Nvml() = default;
  bool load(const fs::path& path);

  struct Functions;
  std::shared_ptr<const Functions> functions_;  // the library stays until the process ends
};

}  // namespace phial
