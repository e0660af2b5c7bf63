// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/write_beside.h"

namespace phial {
namespace {

[[noreturn]] void throw_io(const fs::path& path, const char* what, int error) {
  throw_error(Code::kIo, "{}: {}: {}", path.string(), what, std::strerror(error));
}

int fd(intptr_t handle) { return static_cast<int>(handle); }

}  // namespace

FileWriter::FileWriter(const fs::path& path, Existing existing) : path_(path) {
  const int truncate = existing == Existing::kTruncate ? O_TRUNC : 0;
  handle_ = ::open(path.c_str(), O_WRONLY | O_CREAT | truncate | O_CLOEXEC, 0644);
  if (handle_ == kClosed) throw_io(path, "can't be created", errno);
}

FileWriter::~FileWriter() {
  if (handle_ != kClosed) ::close(fd(handle_));
}

void FileWriter::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd(handle_), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_io(path_, "can't be written", errno);
    offset += static_cast<uint64_t>(n);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void FileWriter::finish() {
  if (handle_ == kClosed) return;
  const int synced = ::fsync(fd(handle_));
  const int sync_error = errno;
  const int closed = ::close(fd(handle_));
  handle_ = kClosed;
  if (synced != 0 && sync_error != EINVAL) throw_io(path_, "can't be flushed to disk", sync_error);
  if (closed != 0) throw_io(path_, "can't be closed", errno);
}

}  // namespace phial
