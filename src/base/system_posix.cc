// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "base/system.h"

namespace phial {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

uint64_t process_id() { return static_cast<uint64_t>(::getpid()); }

bool process_runs(uint64_t id) { return ::kill(static_cast<pid_t>(id), 0) == 0 || errno != ESRCH; }

fs::path user_cache_folder() {
  if (const fs::path xdg = environment("XDG_CACHE_HOME").value_or(""); xdg.is_absolute())
    return xdg / "phial";
  const fs::path home = environment("HOME").value_or("");
  return home.empty() ? home : home / ".cache" / "phial";
}

fs::path user_data_folder() {
  if (const fs::path xdg = environment("XDG_DATA_HOME").value_or(""); !xdg.empty())
    return xdg / "phial";
  const fs::path home = environment("HOME").value_or("");
  return home.empty() ? home : home / ".local" / "share" / "phial";
}

std::string local_time(const std::string& format) {
  if (format.empty()) return {};
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char buffer[4096];
  return std::string(buffer, std::strftime(buffer, sizeof buffer, format.c_str(), &local));
}

std::string message_of(const std::error_code& error) { return error.message(); }

}  // namespace phial
