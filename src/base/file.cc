// SPDX-License-Identifier: Apache-2.0
// What is the same on every system; the rest is in file_posix.cc and file_windows.cc.
#include "base/file.h"

#include <utility>

namespace phial {

bool read_file_if_there(const fs::path& path, std::string& out, uint64_t limit) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return false;
  out = read_file(path, limit);
  return true;
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace phial
