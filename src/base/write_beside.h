// SPDX-License-Identifier: Apache-2.0
// Writing that can't leave half a result: files and folders are written beside their place under a
// temporary name and renamed when complete. A killed process leaves only a "*.partial-<pid>" that
// nothing opens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/file.h"

namespace phial {

// A file opened for writing; every failure (full disk, quota) throws kIo and names the file. Not
// thread-safe, except write_at, which may be called from several threads for ranges that don't
// overlap.
class FileWriter {
 public:
  enum class Existing { kTruncate, kKeep };
  // Creates the file; what an existing one has is thrown away or, for writing behind it, kept.
  explicit FileWriter(const fs::path& path, Existing existing = Existing::kTruncate);
  ~FileWriter();  // closes without a check; call finish() for a checked close
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  void write_at(uint64_t offset, std::span<const std::byte> bytes);
  uint64_t position() const { return position_; }  // bytes written by write()
  void finish();                                   // flushes to disk (fsync) and closes

 private:
  fs::path path_;
  static constexpr intptr_t kClosed = -1;
  intptr_t handle_ = kClosed;  // POSIX: a descriptor; Windows: a HANDLE
  uint64_t position_ = 0;
};

// Writes `text` to `path` whole or not at all.
void write_file_atomically(const fs::path& path, std::string_view text);

// A folder under construction. Fill path(), then commit() renames it to its destination; without
// commit() the destructor removes it.
class FolderBeside {
 public:
  // Throws kInvalidArgument if `destination` exists and isn't empty (unless `replace`), kIo if it
  // can't be created.
  explicit FolderBeside(const fs::path& destination, bool replace = false);
  ~FolderBeside();
  FolderBeside(const FolderBeside&) = delete;
  FolderBeside& operator=(const FolderBeside&) = delete;

  const fs::path& path() const { return temporary_; }
  void commit();

 private:
  fs::path destination_, temporary_;
  bool replace_ = false;
  bool committed_ = false;
};

}  // namespace phial
