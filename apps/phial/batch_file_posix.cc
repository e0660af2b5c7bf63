// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "batch_file.h"
#include "cli.h"

namespace cli {

void LineFile::fail(const char* what) const {
  throw Failure(fmt::format("{}: can't {} it: {}", path_, what, std::strerror(errno)));
}

LineFile::LineFile(const std::string& path) : path_(path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) fail("write");
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    // Other errors: a file system without locks, where the user takes care.
    if (errno == EWOULDBLOCK) {
      close(file);
      throw Failure(path + ": another process is writing it");
    }
  }
  handle_ = file;
}

LineFile::~LineFile() {
  if (handle_ >= 0) close(static_cast<int>(handle_));
}

void LineFile::cut(uint64_t size) {
  if (ftruncate(static_cast<int>(handle_), static_cast<off_t>(size)) != 0) fail("cut");
}

void LineFile::append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(static_cast<int>(handle_), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write");
    text.remove_prefix(static_cast<size_t>(n));
  }
}

void LineFile::to_disk() { fdatasync(static_cast<int>(handle_)); }

}  // namespace cli
