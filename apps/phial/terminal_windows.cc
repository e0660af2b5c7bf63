// SPDX-License-Identifier: Apache-2.0
// Windows' console and Ctrl-C. Consoles are written and read in UTF-16, so no code page matters and
// none is changed; files and pipes carry our bytes as they are, without any CR.
#include <fcntl.h>
#include <fmt/format.h>
#include <io.h>

#include "console_windows.h"
// after windows.h
#include <shellapi.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "cli.h"
#include "terminal.h"

namespace cli {

namespace {

std::atomic<bool> interrupt_seen{false};
std::atomic<bool> next_one_kills{false};
std::atomic<bool> catching{false};
// The thread that waits for standard input, for Ctrl-C to end the wait.
std::atomic<HANDLE> waiting{nullptr};
DWORD stderr_mode_before = 0;
bool stderr_has_sequences = false;

HANDLE standard(DWORD which) { return GetStdHandle(which); }

// NUL is a "tty" for _isatty, so we ask for the console itself.
bool is_console(DWORD which) {
  DWORD mode;
  return GetConsoleMode(standard(which), &mode) != 0;
}

// The system calls this on a thread of its own.
BOOL WINAPI on_control(DWORD event) {
  if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) return FALSE;
  if (!catching || (interrupt_seen && next_one_kills))
    return FALSE;  // the default: end the program
  interrupt_seen = true;
  if (const HANDLE thread = waiting.load()) CancelSynchronousIo(thread);
  return TRUE;
}

// Consoles of old take at most 32 KiB at once; a pair of surrogates isn't cut.
bool write_console(HANDLE console, std::wstring_view text) {
  while (!text.empty()) {
    size_t n = std::min<size_t>(text.size(), 8000);
    if (n < text.size() && IS_HIGH_SURROGATE(text[n - 1])) --n;
    DWORD written = 0;
    if (!WriteConsoleW(console, text.data(), static_cast<DWORD>(n), &written, nullptr) || !written)
      return false;
    text.remove_prefix(written);
  }
  return true;
}

bool write_to(DWORD which, std::string_view text) {
  if (is_console(which)) return write_console(standard(which), to_wide(text));
  while (!text.empty()) {
    DWORD written = 0;
    if (!WriteFile(standard(which), text.data(),
                   static_cast<DWORD>(std::min<size_t>(text.size(), 1u << 20)), &written, nullptr))
      return false;
    text.remove_prefix(written);
  }
  return true;
}

// Bytes, 0 at the end, -1 on failure. A pipe whose other end is closed has ended.
int64_t read_some(char* buffer, DWORD size) {
  DWORD n = 0;
  if (ReadFile(standard(STD_INPUT_HANDLE), buffer, size, &n, nullptr)) return n;
  const DWORD error = GetLastError();
  return error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF ? 0 : -1;
}

void restore_console() {
  if (stderr_has_sequences) SetConsoleMode(standard(STD_ERROR_HANDLE), stderr_mode_before);
}

}  // namespace

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

// The arguments that the C run-time gives are in the ANSI code page.
std::vector<std::string> prepare_program(int /*argc*/, char** /*argv*/) {
  for (FILE* stream : {stdin, stdout, stderr}) _setmode(_fileno(stream), _O_BINARY);
  const HANDLE error = standard(STD_ERROR_HANDLE);
  if (GetConsoleMode(error, &stderr_mode_before)) {
    stderr_has_sequences =
        SetConsoleMode(error, stderr_mode_before | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
    std::atexit(restore_console);
  }
  int count = 0;
  wchar_t** wide = CommandLineToArgvW(GetCommandLineW(), &count);
  std::vector<std::string> arguments;
  for (int i = 0; i < count; ++i) arguments.push_back(to_utf8(wide[i]));
  LocalFree(wide);
  return arguments;
}

bool stdin_is_terminal() { return is_console(STD_INPUT_HANDLE); }
bool stdout_is_terminal() { return is_console(STD_OUTPUT_HANDLE); }
bool stderr_is_terminal() { return is_console(STD_ERROR_HANDLE); }

size_t terminal_width() {
  CONSOLE_SCREEN_BUFFER_INFO info;
  if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &info)) return 100;
  return static_cast<size_t>(info.srWindow.Right - info.srWindow.Left + 1);
}

bool stderr_has_colours() {
  return stderr_has_sequences && GetEnvironmentVariableW(L"NO_COLOR", nullptr, 0) == 0;
}

void write_out(std::string_view text) {
  std::fflush(stdout);
  if (!write_to(STD_OUTPUT_HANDLE, text))
    throw Failure(fmt::format("can't write to standard output: error {}", GetLastError()));
}

void write_err(std::string_view text) {
  write_to(STD_ERROR_HANDLE, text);  // nobody is left to be told if this fails
}

std::string read_all_stdin() {
  std::string all;
  if (stdin_is_terminal()) {  // asked for by name: "-"
    for (std::wstring line; read_console_line(line) == 1;) all += to_utf8(line) + "\n";
    return all;
  }
  std::string buffer(1 << 16, '\0');
  for (;;) {
    const int64_t n = read_some(buffer.data(), static_cast<DWORD>(buffer.size()));
    if (n == 0) return all;
    if (n < 0) throw Failure(fmt::format("can't read standard input: error {}", GetLastError()));
    all.append(buffer, 0, static_cast<size_t>(n));
  }
}

int read_byte(char& byte) {
  const WaitingForInput wait;
  if (CatchInterrupt::seen()) return -1;
  const int64_t n = read_some(&byte, 1);
  return CatchInterrupt::seen() ? -1 : n > 0 ? 1 : 0;
}

std::string default_history_file() { return {}; }  // the console keeps what is typed by itself

WaitingForInput::WaitingForInput() {
  HANDLE thread = nullptr;
  DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &thread,
                  THREAD_TERMINATE, FALSE, 0);  // the right that CancelSynchronousIo asks for
  waiting = thread;
}

WaitingForInput::~WaitingForInput() {
  if (const HANDLE thread = waiting.exchange(nullptr)) CloseHandle(thread);
}

CatchInterrupt::CatchInterrupt(bool second_kills) {
  interrupt_seen = false;
  next_one_kills = second_kills;
  static const bool added = SetConsoleCtrlHandler(on_control, TRUE);
  (void)added;
  catching = true;
}

CatchInterrupt::~CatchInterrupt() { catching = false; }

bool CatchInterrupt::seen() { return interrupt_seen; }

void CatchInterrupt::forget() { interrupt_seen = false; }

}  // namespace cli
