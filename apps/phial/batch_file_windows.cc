// SPDX-License-Identifier: Apache-2.0
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <fmt/format.h>
#include <windows.h>

#include <filesystem>
#include <system_error>

#include "batch_file.h"
#include "cli.h"

namespace cli {

namespace {

HANDLE as_handle(intptr_t value) { return reinterpret_cast<HANDLE>(value); }

}  // namespace

void LineFile::fail(const char* what) const {
  const auto why = std::system_category().message(static_cast<int>(GetLastError()));
  throw Failure(fmt::format("{}: can't {} it: {}", path_, what, why));
}

LineFile::LineFile(const std::string& path) : path_(path) {
  // Others may read it, not write: the lock is that of the system.
  const std::filesystem::path wide(std::u8string(path.begin(), path.end()));
  const HANDLE file = CreateFileW(wide.c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ,
                                  nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) {
    if (GetLastError() == ERROR_SHARING_VIOLATION)
      throw Failure(path + ": another process is writing it");
    fail("write");
  }
  handle_ = reinterpret_cast<intptr_t>(file);
}

LineFile::~LineFile() {
  if (handle_ != -1) CloseHandle(as_handle(handle_));
}

void LineFile::cut(uint64_t size) {
  LARGE_INTEGER where;
  where.QuadPart = static_cast<LONGLONG>(size);
  if (!SetFilePointerEx(as_handle(handle_), where, nullptr, FILE_BEGIN) ||
      !SetEndOfFile(as_handle(handle_)))
    fail("cut");
}

void LineFile::append(std::string_view text) {
  LARGE_INTEGER end = {};
  if (!SetFilePointerEx(as_handle(handle_), end, nullptr, FILE_END)) fail("write");
  while (!text.empty()) {
    DWORD n = 0;
    const DWORD piece = static_cast<DWORD>(text.size() < (1u << 30) ? text.size() : 1u << 30);
    if (!WriteFile(as_handle(handle_), text.data(), piece, &n, nullptr)) fail("write");
    text.remove_prefix(n);
  }
}

void LineFile::to_disk() { FlushFileBuffers(as_handle(handle_)); }

}  // namespace cli
