// SPDX-License-Identifier: Apache-2.0
#include "base/write_beside.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace phial {
namespace {

[[noreturn]] void throw_io(const fs::path& path, const char* what, int error) {
  throw_error(Code::kIo, "{}: {}: {}", path.string(), what, std::strerror(error));
}

fs::path partial_name(fs::path destination) {
  if (!destination.has_filename())
    destination = destination.parent_path();  // "folder/" -> "folder"
  destination += ".partial-" + std::to_string(::getpid());
  return destination;
}

}  // namespace

FileWriter::FileWriter(const fs::path& path, Existing existing) : path_(path) {
  const int truncate = existing == Existing::kTruncate ? O_TRUNC : 0;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | truncate | O_CLOEXEC, 0644);
  if (fd_ < 0) throw_io(path, "can't be created", errno);
}

FileWriter::~FileWriter() {
  if (fd_ >= 0) ::close(fd_);
}

void FileWriter::write(std::span<const std::byte> bytes) {
  write_at(position_, bytes);
  position_ += bytes.size();
}

void FileWriter::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_io(path_, "can't be written", errno);
    offset += static_cast<uint64_t>(n);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void FileWriter::finish() {
  if (fd_ < 0) return;
  const int synced = ::fsync(fd_);
  const int sync_error = errno;
  const int closed = ::close(fd_);
  fd_ = -1;
  if (synced != 0 && sync_error != EINVAL) throw_io(path_, "can't be flushed to disk", sync_error);
  if (closed != 0) throw_io(path_, "can't be closed", errno);
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  const fs::path temporary = partial_name(path);
  try {
    FileWriter file(temporary);
    file.write(text);
    file.finish();
    fs::rename(temporary, path);
  } catch (const fs::filesystem_error& e) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw_error(Code::kIo, "{}: can't be put in place: {}", path.string(), e.code().message());
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

FolderBeside::FolderBeside(const fs::path& destination, bool replace)
    : destination_(destination), temporary_(partial_name(destination)), replace_(replace) {
  std::error_code error;
  if (!replace && fs::exists(destination, error) &&
      !(fs::is_directory(destination, error) && fs::is_empty(destination, error)))
    throw_error(Code::kInvalidArgument,
                "{}: already exists; choose another name or remove it first", destination.string());
  fs::remove_all(temporary_, error);
  error.clear();
  fs::create_directories(temporary_, error);
  if (error)
    throw_error(Code::kIo, "{}: folder can't be created: {}", temporary_.string(), error.message());
}

FolderBeside::~FolderBeside() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void FolderBeside::commit() {
  std::error_code error;
  fs::path old;
  if (fs::exists(destination_, error)) {
    if (!replace_) {
      fs::remove(destination_,
                 error);  // an empty folder; anything else was refused in the constructor
    } else {
      old = temporary_;
      old += ".old";
      fs::rename(destination_, old, error);
      if (error)
        throw_error(Code::kIo, "{}: can't be replaced: {}", destination_.string(), error.message());
    }
  }
  error.clear();
  fs::rename(temporary_, destination_, error);
  if (error)
    throw_error(Code::kIo, "{}: can't be put in place: {}", destination_.string(), error.message());
  committed_ = true;
  if (!old.empty()) fs::remove_all(old, error);
}

}  // namespace phial
