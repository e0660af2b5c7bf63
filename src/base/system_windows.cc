// SPDX-License-Identifier: Apache-2.0
#include <ctime>

#include "base/system.h"
#include "base/windows_api.h"

namespace phial {

std::wstring to_wide(std::string_view utf8) {
  const int n =
      MultiByteToWideChar(CP_UTF8, 0, utf8.data(), static_cast<int>(utf8.size()), nullptr, 0);
  std::wstring wide(static_cast<size_t>(n), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, utf8.data(), static_cast<int>(utf8.size()), wide.data(), n);
  return wide;
}

std::string to_utf8(std::wstring_view wide) {
  const int n = WideCharToMultiByte(CP_UTF8, 0, wide.data(), static_cast<int>(wide.size()), nullptr,
                                    0, nullptr, nullptr);
  std::string utf8(static_cast<size_t>(n), '\0');
  WideCharToMultiByte(CP_UTF8, 0, wide.data(), static_cast<int>(wide.size()), utf8.data(), n,
                      nullptr, nullptr);
  return utf8;
}

std::string windows_message(DWORD error) {
  wchar_t text[512];
  DWORD n = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr,
                           error, 0, text, 512, nullptr);
  while (n > 0 && (text[n - 1] <= L' ' || text[n - 1] == L'.')) --n;
  if (n == 0) return "error " + std::to_string(error);
  return to_utf8({text, n});
}

// The CRT's getenv has the variables in the ANSI code page, where most characters are lost.
std::optional<std::string> environment(const char* name) {
  const std::wstring wide = to_wide(name);
  std::wstring value(256, L'\0');
  for (;;) {
    SetLastError(ERROR_SUCCESS);
    const DWORD n =
        GetEnvironmentVariableW(wide.c_str(), value.data(), static_cast<DWORD>(value.size()));
    if (n == 0 && GetLastError() == ERROR_ENVVAR_NOT_FOUND) return std::nullopt;
    const bool fits = n < value.size();
    value.resize(n);  // without the zero if it fits, with it if not
    if (fits) return to_utf8(value);
  }
}

uint64_t process_id() { return GetCurrentProcessId(); }

bool process_runs(uint64_t id) {
  const HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(id));
  if (!process) return GetLastError() != ERROR_INVALID_PARAMETER;
  const bool runs = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
  CloseHandle(process);
  return runs;
}

fs::path user_cache_folder() {
  const fs::path local = environment("LOCALAPPDATA").value_or("");
  return local.is_absolute() ? local / "phial" / "cache" : fs::path();
}

fs::path user_data_folder() {
  const fs::path local = environment("LOCALAPPDATA").value_or("");
  return local.is_absolute() ? local / "phial" : fs::path();
}

namespace {

// msvcrt's strftime knows the conversions of C89 only, and answers others with nothing at all.
std::string in_c89(const std::string& format) {
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i] == '%' ? "%%" : std::string(1, format[i]);
      continue;
    }
    switch (const char c = format[++i]) {
      case 'F':
        out += "%Y-%m-%d";
        break;
      case 'T':
        out += "%H:%M:%S";
        break;
      case 'R':
        out += "%H:%M";
        break;
      case 'D':
        out += "%m/%d/%y";
        break;
      case 'e':
        out += "%d";
        break;
      case 'h':
        out += "%b";
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      default:
        if (std::string_view("aAbBcdHIjmMpSUwWxXyYzZ%").find(c) == std::string_view::npos)
          out += "%%";
        else
          out += '%';
        out += c;
    }
  }
  return out;
}

}  // namespace

std::string local_time(const std::string& format) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  if (format.empty() || _localtime64_s(&local, &now) != 0) return {};
  wchar_t buffer[4096];
  return to_utf8({buffer, std::wcsftime(buffer, 4096, to_wide(in_c89(format)).c_str(), &local)});
}

std::string message_of(const std::error_code& error) {
  return error.category() == std::system_category()
             ? windows_message(static_cast<DWORD>(error.value()))
             : error.message();
}

}  // namespace phial
