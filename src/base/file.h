// SPDX-License-Identifier: Apache-2.0
// Reading files: whole (small ones, with a limit) and memory-mapped (weights). Writing that can't
// leave half a file is in write_beside.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace phial {

namespace fs = std::filesystem;

// The whole file as bytes. Throws kNotFound, kIo, or kCorrupt if it is larger than `limit`.
std::string read_file(const fs::path& path, uint64_t limit = 256u << 20);

// Same, but nullopt-like: false if there is no such file; other failures throw.
bool read_file_if_there(const fs::path& path, std::string& out, uint64_t limit = 256u << 20);

// Of mapped bytes, the pages that are in memory already become this process's in one go: touching
// them later costs a fault every few pages, several times as much. Ends with false at the first
// ones that have to be read. Does nothing where the system has nothing like it (before Linux 5.14,
// elsewhere). Never fails.
bool map_resident(std::span<const std::byte> mapped);

// A read-only mapping of a whole file. Move-only; the bytes live as long as the object. Reading is
// thread-safe. A file that another program shortens while it is mapped raises SIGBUS on access:
// don't.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(
      const fs::path& path);  // throws kNotFound, kIo; an empty file maps to no bytes
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }
  const fs::path& path() const { return path_; }

  // Hints to the kernel; they never fail.
  void will_need(uint64_t offset, uint64_t length) const;  // start reading ahead
  void drop(uint64_t offset, uint64_t length) const;       // forget these pages of ours

 private:
  fs::path path_;
  const std::byte* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace phial
