// SPDX-License-Identifier: Apache-2.0
// What this computer's memory and our own engine can do, measured once in about a second and kept
// in the user's cache folder.
#pragma once

#include <cstdint>
#include <optional>

#include "base/json.h"

namespace phial::api {

struct Roofline {
  double read_rate = 0;    // bytes/s that all threads read from memory
  double int8_rate = 0;    // operations/s of the kernels' integer products, nothing loaded
  double decode_rate = 0;  // bytes/s of weights that our engine gets through, a token at a time
  double prompt_rate = 0;  // operations/s of our engine in a prompt
  int64_t when = 0;        // seconds since 1970
};

// The one that is kept for this processor, these threads and kernels; nullopt: none is.
std::optional<Roofline> known_roofline();
// Measures, and keeps it as far as that is possible. Throws as a session does.
Roofline measure_roofline();

Json to_json(const std::optional<Roofline>& roofline);

}  // namespace phial::api
