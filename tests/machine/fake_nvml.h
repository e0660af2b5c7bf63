// SPDX-License-Identifier: Apache-2.0
// While one lives, fake_nvml.c stands for NVIDIA's library.
#pragma once

#include "set_environment.h"

namespace phial {

struct FakeNvml {
  FakeNvml() { set_environment("PHIAL_NVML_LIB", PHIAL_FAKE_NVML); }
  ~FakeNvml() { unset_environment("PHIAL_NVML_LIB"); }
};

}  // namespace phial
