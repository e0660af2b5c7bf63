// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include "machine/root.h"

namespace phial {

std::optional<NodeOwner> system_owner(const fs::path& path) {
  struct stat found;
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return NodeOwner{static_cast<uint32_t>(found.st_mode & 0777), static_cast<uint32_t>(found.st_uid),
                   static_cast<uint32_t>(found.st_gid)};
}

// With access lists, which is how a login session gets its devices.
std::optional<bool> system_may_use(const fs::path& path) {
  if (::access(path.c_str(), F_OK) != 0) return std::nullopt;
  return ::access(path.c_str(), R_OK | W_OK) == 0;
}

}  // namespace phial
