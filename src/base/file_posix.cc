// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace phial {
namespace {

// Closes on scope exit; reading needs no check of close().
struct Fd {
  int fd = -1;
  ~Fd() {
    if (fd >= 0) ::close(fd);
  }
};

int open_for_reading(const fs::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    throw_error(error == ENOENT || error == ENOTDIR ? Code::kNotFound : Code::kIo,
                "{}: can't be opened: {}", path.string(), std::strerror(error));
  }
  return fd;
}

uint64_t size_of(int fd, const fs::path& path) {
  struct stat st;
  if (::fstat(fd, &st) != 0) throw_error(Code::kIo, "{}: {}", path.string(), std::strerror(errno));
  if (!S_ISREG(st.st_mode))
    throw_error(Code::kInvalidArgument, "{}: not a regular file", path.string());
  return static_cast<uint64_t>(st.st_size);
}

}  // namespace

std::string read_file(const fs::path& path, uint64_t limit) {
  Fd file{open_for_reading(path)};
  const uint64_t size = size_of(file.fd, path);
  if (size > limit)
    throw_error(Code::kCorrupt, "{}: has {} bytes, at most {} are expected here", path.string(),
                size, limit);
  std::string text(size, '\0');
  uint64_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(file.fd, text.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_error(Code::kIo, "{}: {}", path.string(), std::strerror(errno));
    if (n == 0) break;  // shortened while reading: what was there is what we return
    done += static_cast<uint64_t>(n);
  }
  text.resize(done);
  return text;
}

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  Fd file{open_for_reading(path)};
  size_ = size_of(file.fd, path);
  if (size_ == 0) return;
  void* p = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.fd, 0);
  if (p == MAP_FAILED)
    throw_error(Code::kIo, "{}: can't be memory-mapped: {}", path.string(), std::strerror(errno));
  data_ = static_cast<const std::byte*>(p);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

namespace {

void advise(const std::byte* data, uint64_t size, uint64_t offset, uint64_t length, int advice) {
  if (!data || offset >= size) return;
  const uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t begin = offset / page * page;
  const uint64_t end = length > size - offset ? size : offset + length;
  ::madvise(const_cast<std::byte*>(data) + begin, end - begin, advice);
}

}  // namespace

void MappedFile::will_need(uint64_t offset, uint64_t length) const {
  advise(data_, size_, offset, length, MADV_WILLNEED);
}

void MappedFile::drop(uint64_t offset, uint64_t length) const {
  advise(data_, size_, offset, length, MADV_DONTNEED);
}

}  // namespace phial
