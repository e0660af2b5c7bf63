// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

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

#if defined(MADV_POPULATE_READ)
// Faults of this thread that waited for a disk.
int64_t pages_read() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_majflt;
}
#endif

}  // namespace

bool map_resident([[maybe_unused]] std::span<const std::byte> mapped) {
#if defined(MADV_POPULATE_READ)
  constexpr uintptr_t kPiece = 4u << 20;
  const uintptr_t page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(mapped.data()) / page * page,
                  end = (reinterpret_cast<uintptr_t>(mapped.data() + mapped.size()) + page - 1) /
                        page * page;
  std::vector<unsigned char> in_memory(kPiece / page);
  for (uintptr_t at = begin; at < end; at += kPiece) {
    const size_t bytes = std::min(kPiece, end - at);
    void* const address = reinterpret_cast<void*>(at);
    const auto last = in_memory.begin() + static_cast<ptrdiff_t>(bytes / page);
    if (::mincore(address, bytes, in_memory.data()) != 0 ||
        !std::all_of(in_memory.begin(), last, [](unsigned char flags) { return flags & 1; }))
      return false;
    // mincore calls all pages of somebody else's file present; whether that was so is seen now.
    const int64_t read_before = pages_read();
    ::madvise(address, bytes, MADV_POPULATE_READ);
    if (pages_read() != read_before) return false;
  }
#endif
  return true;
}

void MappedFile::will_need(uint64_t offset, uint64_t length) const {
  advise(data_, size_, offset, length, MADV_WILLNEED);
}

void MappedFile::drop(uint64_t offset, uint64_t length) const {
  advise(data_, size_, offset, length, MADV_DONTNEED);
}

}  // namespace phial
