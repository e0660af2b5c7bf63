// SPDX-License-Identifier: Apache-2.0
// <windows.h> as we want it, and what terminal_windows.cc and line_editing_windows.cc share.
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

namespace cli {

std::wstring to_wide(std::string_view utf8);
std::string to_utf8(std::wstring_view wide);

// One line from the console without its end, edited there with its own keys and history.
// -1: Ctrl-C, 0: Ctrl-Z and Enter, 1: a line.
int read_console_line(std::wstring& line);

// While one lives, Ctrl-C ends this thread's waiting for input.
class WaitingForInput {
 public:
  WaitingForInput();
  ~WaitingForInput();
  WaitingForInput(const WaitingForInput&) = delete;
  WaitingForInput& operator=(const WaitingForInput&) = delete;
};

}  // namespace cli
