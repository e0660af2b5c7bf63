// SPDX-License-Identifier: Apache-2.0
// What a program asks its system for beside files: variables, folders, the local time, messages.
// One implementation a system, system_posix.cc and system_windows.cc. All text is UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "base/file.h"

namespace phial {

// Between the folders of PATH and its like.
#if defined(_WIN32)
inline constexpr char kPathListSeparator = ';';
#else
inline constexpr char kPathListSeparator = ':';
#endif

// nullopt: not set.
std::optional<std::string> environment(const char* name);

uint64_t process_id();
bool process_runs(uint64_t id);  // true where that can't be known

// Where this user's programs keep what can be made again; empty if unknown. Linux:
// $XDG_CACHE_HOME/phial or ~/.cache/phial; Windows: %LOCALAPPDATA%\phial\cache.
fs::path user_cache_folder();

// Where this user's programs keep what is theirs; empty if unknown. Linux: $XDG_DATA_HOME/phial or
// ~/.local/share/phial; Windows: %LOCALAPPDATA%\phial.
fs::path user_data_folder();

// The local time now, as C's strftime formats it; empty if it gives more than 4 KiB.
std::string local_time(const std::string& format);

// What the system says about a failure of std::filesystem.
std::string message_of(const std::error_code& error);

}  // namespace phial
