// SPDX-License-Identifier: Apache-2.0
// Environment variables of this process, on every system.
#pragma once

#if defined(_WIN32)
#include "base/windows_api.h"
#else
#include <stdlib.h>
#endif

#include <string>

namespace phial {

inline void set_environment(const char* name, const std::string& value) {
#if defined(_WIN32)
  SetEnvironmentVariableW(to_wide(name).c_str(), to_wide(value).c_str());
#else
  ::setenv(name, value.c_str(), 1);
#endif
}

inline void unset_environment(const char* name) {
#if defined(_WIN32)
  SetEnvironmentVariableW(to_wide(name).c_str(), nullptr);
#else
  ::unsetenv(name);
#endif
}

}  // namespace phial
