// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "base/windows_api.h"
#include "base/write_beside.h"

namespace phial {
namespace {

[[noreturn]] void throw_io(const fs::path& path, const char* what, DWORD error) {
  throw_error(Code::kIo, "{}: {}: {}", path.string(), what, windows_message(error));
}

HANDLE handle_of(intptr_t handle) { return reinterpret_cast<HANDLE>(handle); }

}  // namespace

FileWriter::FileWriter(const fs::path& path, Existing existing) : path_(path) {
  static_assert(kClosed == -1, "the value of INVALID_HANDLE_VALUE");
  handle_ = reinterpret_cast<intptr_t>(CreateFileW(
      path.c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
      existing == Existing::kTruncate ? CREATE_ALWAYS : OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL,
      nullptr));
  if (handle_ == kClosed) throw_io(path, "can't be created", GetLastError());
}

FileWriter::~FileWriter() {
  if (handle_ != kClosed) CloseHandle(handle_of(handle_));
}

// An offset in an OVERLAPPED is where a write goes, also with a handle that isn't asynchronous.
void FileWriter::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    OVERLAPPED place = {};
    place.Offset = static_cast<DWORD>(offset);
    place.OffsetHigh = static_cast<DWORD>(offset >> 32);
    DWORD n = 0;
    if (!WriteFile(handle_of(handle_), bytes.data(),
                   static_cast<DWORD>(std::min<size_t>(bytes.size(), 1u << 30)), &n, &place))
      throw_io(path_, "can't be written", GetLastError());
    offset += n;
    bytes = bytes.subspan(n);
  }
}

void FileWriter::finish() {
  if (handle_ == kClosed) return;
  const bool flushed = FlushFileBuffers(handle_of(handle_));
  const DWORD flush_error = GetLastError();
  const bool closed = CloseHandle(handle_of(handle_));
  handle_ = kClosed;
  if (!flushed && flush_error != ERROR_INVALID_FUNCTION)  // not a disk
    throw_io(path_, "can't be flushed to disk", flush_error);
  if (!closed) throw_io(path_, "can't be closed", GetLastError());
}

}  // namespace phial
