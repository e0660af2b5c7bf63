// SPDX-License-Identifier: Apache-2.0
// Loading code at run time: the one place that knows the system's loader.
#pragma once

#include "base/file.h"

namespace phial {

#if defined(_WIN32)
inline constexpr const char* kSharedLibrarySuffix = ".dll";
#else
inline constexpr const char* kSharedLibrarySuffix = ".so";
#endif

// A library in this process. It stays until the process ends: what a plug-in or a vendor's runtime
// has started (threads, thread-local objects) doesn't survive being unmapped.
class SharedLibrary {
 public:
  SharedLibrary() = default;
  // `path` is a file, or a bare name that the system's loader looks up. Throws kNotFound with the
  // loader's own words, which name a dependent library that is missing. `found_by_others`: its
  // symbols resolve those of libraries that are loaded later.
  explicit SharedLibrary(const fs::path& path, bool found_by_others = false);

  // nullptr: not there.
  void* symbol(const char* name) const;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  void* handle_ = nullptr;
};

// The file (library or program) that holds the code at `address`; empty if unknown.
fs::path file_of_code(const void* address);

}  // namespace phial
