// SPDX-License-Identifier: Apache-2.0
// Compiling by way of the cache. OpenVINO itself reads and writes the compiled models (CACHE_DIR),
// in a folder that is ours and that only one model, device, driver and set of properties has: the C
// API can't give an import the weights that a weightless blob needs, CACHE_DIR can.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backend/backend.h"
#include "ov_objects.h"
#include "target.h"

namespace phial::ov {

// Names everything that what is compiled depends on.
std::string cache_key(const Core& core, const Package& package, const std::string& xml,
                      const Target& target, const Properties& properties);

struct CacheName {
  std::string key;
  std::string what;  // for people
};

// `compile` compiles with this CACHE_DIR, or without one if it is empty.
std::unique_ptr<Compiled> cached_compile(
    const CacheName& name, const Notice& notice,
    const std::function<std::unique_ptr<Compiled>(const std::string& cache_folder)>& compile);

}  // namespace phial::ov
