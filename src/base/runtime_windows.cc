// SPDX-License-Identifier: Apache-2.0
// Functions of mingw's C run-time library that don't do, made anew. The linker puts them in their
// places (--wrap, cmake/phial.cmake) in every program and library of ours, so all of phial may use
// std::filesystem and std::fma as they are.
//
// - mbrtowc: libstdc++ (12) makes a path of a char string with it, one byte one character, whatever
//   the code page. Here it reads UTF-8, which is what path::string() gives.
// - _wopendir and its two companions: theirs has room for 260 characters and doesn't look whether a
//   path fits; std::filesystem::remove_all then never ends.
// - fmaf: theirs rounds twice, which is seen in the last bit of what the scalar kernels compute.
#include <dirent.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cwchar>
#include <new>
#include <string>

#include "base/utf8.h"
#include "base/windows_api.h"

namespace {

constexpr wchar_t kReplacement = 0xFFFD;

struct Folder {
  HANDLE search = INVALID_HANDLE_VALUE;
  WIN32_FIND_DATAW found{};
  bool first = true;
  struct _wdirent entry {};
};

}  // namespace

extern "C" {

// A character beyond U+FFFF comes in two calls: the first takes three of its four bytes and leaves
// the second half of the pair in the state. What isn't UTF-8 becomes U+FFFD: there is no such file.
size_t __wrap_mbrtowc(wchar_t* to, const char* from, size_t size, mbstate_t* state) {
  static thread_local mbstate_t own_state = 0;
  wchar_t ignored;
  if (!state) state = &own_state;
  if (!to) to = &ignored;
  if (!from) {
    *state = 0;
    return 0;
  }
  if (*state != 0) {
    *to = static_cast<wchar_t>(*state);
    *state = 0;
    return 1;
  }
  if (size == 0) return static_cast<size_t>(-2);
  char32_t code = 0;
  const size_t n = phial::utf8_decode({from, size}, 0, code);
  if (n == 0) {
    *to = kReplacement;
    return 1;
  }
  if (code > 0xFFFF) {
    *to = static_cast<wchar_t>(0xD800 + ((code - 0x10000) >> 10));
    *state = static_cast<mbstate_t>(0xDC00 + (code & 0x3FF));
    return n - 1;
  }
  *to = static_cast<wchar_t>(code);
  return code == 0 ? 0 : n;
}

_WDIR* __wrap__wopendir(const wchar_t* path) {
  const DWORD attributes = GetFileAttributesW(path);
  if (attributes == INVALID_FILE_ATTRIBUTES || !(attributes & FILE_ATTRIBUTE_DIRECTORY)) {
    errno = attributes == INVALID_FILE_ATTRIBUTES ? ENOENT : ENOTDIR;
    return nullptr;
  }
  std::wstring pattern = path;
  if (pattern.back() != L'\\' && pattern.back() != L'/') pattern += L'\\';
  auto* folder = new (std::nothrow) Folder;
  if (!folder) {
    errno = ENOMEM;
    return nullptr;
  }
  folder->search = FindFirstFileW((pattern + L'*').c_str(), &folder->found);
  if (folder->search == INVALID_HANDLE_VALUE) {  // an empty drive has no "."
    const bool empty = GetLastError() == ERROR_FILE_NOT_FOUND;
    if (!empty) {
      delete folder;
      errno = EACCES;
      return nullptr;
    }
  }
  return reinterpret_cast<_WDIR*>(folder);
}

struct _wdirent* __wrap__wreaddir(_WDIR* handle) {
  auto* folder = reinterpret_cast<Folder*>(handle);
  if (folder->search == INVALID_HANDLE_VALUE) return nullptr;
  if (!folder->first && !FindNextFileW(folder->search, &folder->found)) {
    if (GetLastError() != ERROR_NO_MORE_FILES) errno = EIO;
    return nullptr;
  }
  folder->first = false;
  std::wcsncpy(folder->entry.d_name, folder->found.cFileName, FILENAME_MAX - 1);
  folder->entry.d_namlen = static_cast<unsigned short>(std::wcslen(folder->entry.d_name));
  return &folder->entry;
}

int __wrap__wclosedir(_WDIR* handle) {
  auto* folder = reinterpret_cast<Folder*>(handle);
  if (folder->search != INVALID_HANDLE_VALUE) FindClose(folder->search);
  delete folder;
  return 0;
}

// The product is exact in double. The sum is made odd in its last bit where it isn't (53 bits are
// enough for 24 then), so that the rounding to float is the only one.
float __wrap_fmaf(float x, float y, float z) {
  const double product = static_cast<double>(x) * static_cast<double>(y), addend = z;
  double sum = product + addend;
  const double part = sum - product;
  const double error = (product - (sum - part)) + (addend - part);
  const auto bits = std::bit_cast<uint64_t>(sum);
  if (std::isfinite(sum) && error != 0 && (bits & 1) == 0)
    sum = std::bit_cast<double>((error > 0) == (sum > 0) ? bits + 1 : bits - 1);
  return static_cast<float>(sum);
}

}  // extern "C"
