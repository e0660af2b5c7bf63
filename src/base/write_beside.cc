// SPDX-License-Identifier: Apache-2.0
// How FileWriter writes is in file_writer_posix.cc and file_writer_windows.cc.
#include "base/write_beside.h"

#include "base/error.h"
#include "base/system.h"

namespace phial {
namespace {

fs::path partial_name(fs::path destination) {
  if (!destination.has_filename())
    destination = destination.parent_path();  // "folder/" -> "folder"
  destination += ".partial-" + std::to_string(process_id());
  return destination;
}

}  // namespace

void FileWriter::write(std::span<const std::byte> bytes) {
  write_at(position_, bytes);
  position_ += bytes.size();
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
    throw_error(Code::kIo, "{}: can't be put in place: {}", path.string(), message_of(e.code()));
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
    throw_error(Code::kIo, "{}: folder can't be created: {}", temporary_.string(),
                message_of(error));
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
        throw_error(Code::kIo, "{}: can't be replaced: {}", destination_.string(),
                    message_of(error));
    }
  }
  error.clear();
  fs::rename(temporary_, destination_, error);
  if (error)
    throw_error(Code::kIo, "{}: can't be put in place: {}", destination_.string(),
                message_of(error));
  committed_ = true;
  if (!old.empty()) fs::remove_all(old, error);
}

}  // namespace phial
