// SPDX-License-Identifier: Apache-2.0
// Files are opened with every sharing allowed, as POSIX does it: who writes, renames or deletes
// meanwhile isn't hindered by us.
#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/windows_api.h"

namespace phial {
namespace {

struct File {
  HANDLE handle;
  explicit File(HANDLE h) : handle(h) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (handle && handle != INVALID_HANDLE_VALUE) CloseHandle(handle);
  }
};

HANDLE open_for_reading(const fs::path& path) {
  // A folder can't be opened for reading, and the system's word for it would be "access is denied".
  const DWORD attributes = GetFileAttributesW(path.c_str());
  if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY))
    throw_error(Code::kInvalidArgument, "{}: not a regular file", path.string());
  const HANDLE handle = CreateFileW(path.c_str(), GENERIC_READ,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) {
    const DWORD error = GetLastError();
    const bool missing = error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ||
                         error == ERROR_INVALID_NAME || error == ERROR_BAD_NETPATH;
    throw_error(missing ? Code::kNotFound : Code::kIo, "{}: can't be opened: {}", path.string(),
                windows_message(error));
  }
  return handle;
}

uint64_t size_of(HANDLE handle, const fs::path& path) {
  LARGE_INTEGER size;
  if (GetFileType(handle) != FILE_TYPE_DISK)
    throw_error(Code::kInvalidArgument, "{}: not a regular file", path.string());
  if (!GetFileSizeEx(handle, &size))
    throw_error(Code::kIo, "{}: {}", path.string(), windows_message(GetLastError()));
  return static_cast<uint64_t>(size.QuadPart);
}

}  // namespace

std::string read_file(const fs::path& path, uint64_t limit) {
  const File file(open_for_reading(path));
  const uint64_t size = size_of(file.handle, path);
  if (size > limit)
    throw_error(Code::kCorrupt, "{}: has {} bytes, at most {} are expected here", path.string(),
                size, limit);
  std::string text(size, '\0');
  uint64_t done = 0;
  while (done < size) {
    DWORD n = 0;
    const DWORD most = static_cast<DWORD>(std::min<uint64_t>(size - done, 1u << 30));
    if (!ReadFile(file.handle, text.data() + done, most, &n, nullptr))
      throw_error(Code::kIo, "{}: {}", path.string(), windows_message(GetLastError()));
    if (n == 0) break;  // shortened while reading: what was there is what we return
    done += n;
  }
  text.resize(done);
  return text;
}

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  const File file(open_for_reading(path));
  size_ = size_of(file.handle, path);
  if (size_ == 0) return;
  const File section(CreateFileMappingW(file.handle, nullptr, PAGE_READONLY, 0, 0, nullptr));
  // The view keeps the section, and the section the file.
  const void* view =
      section.handle ? MapViewOfFile(section.handle, FILE_MAP_READ, 0, 0, size_) : nullptr;
  if (!view)
    throw_error(Code::kIo, "{}: can't be memory-mapped: {}", path.string(),
                windows_message(GetLastError()));
  data_ = static_cast<const std::byte*>(view);
}

MappedFile::~MappedFile() {
  if (data_) UnmapViewOfFile(data_);
}

bool map_resident(std::span<const std::byte>) { return true; }

void MappedFile::will_need(uint64_t offset, uint64_t length) const {
  if (!data_ || offset >= size_) return;
  WIN32_MEMORY_RANGE_ENTRY range = {const_cast<std::byte*>(data_ + offset),
                                    static_cast<SIZE_T>(std::min(length, size_ - offset))};
  PrefetchVirtualMemory(GetCurrentProcess(), 1, &range, 0);
}

// Unlocking what isn't locked fails, and takes the pages out of the working set: documented so.
void MappedFile::drop(uint64_t offset, uint64_t length) const {
  if (!data_ || offset >= size_) return;
  VirtualUnlock(const_cast<std::byte*>(data_ + offset),
                static_cast<SIZE_T>(std::min(length, size_ - offset)));
}

}  // namespace phial
