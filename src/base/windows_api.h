// SPDX-License-Identifier: Apache-2.0
// <windows.h> as phial wants it, and text between its UTF-16 and our UTF-8. Only *_windows.cc files
// include it.
#pragma once

#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <string>
#include <string_view>

namespace phial {

// What isn't valid in one becomes U+FFFD in the other.
std::wstring to_wide(std::string_view utf8);
std::string to_utf8(std::wstring_view wide);

// The system's sentence for an error code of GetLastError, in the user's language.
std::string windows_message(DWORD error);

}  // namespace phial
