// SPDX-License-Identifier: Apache-2.0
// The console edits lines and remembers them (arrow keys, F7) when it is read in its cooked mode.
#include "console_windows.h"
#include "line_reader.h"
#include "terminal.h"

namespace cli {

namespace {

class ConsoleReader : public LineReader {
 public:
  LineEnd read(const std::string& prompt, std::string& line) override {
    write_out(prompt);
    std::wstring wide;
    const int n = read_console_line(wide);
    if (n < 0) {
      write_out("\n");
      return LineEnd::kInterrupted;
    }
    line = to_utf8(wide);
    return n == 0 ? LineEnd::kEndOfInput : LineEnd::kLine;
  }
};

}  // namespace

int read_console_line(std::wstring& line) {
  constexpr wchar_t kCtrlZ = 26;
  const WaitingForInput wait;
  line.clear();
  // Typed after the prompt had shown and before there was a reading that it could have ended.
  if (CatchInterrupt::seen()) return -1;
  for (;;) {
    wchar_t buffer[1024];
    DWORD n = 0;
    SetLastError(ERROR_SUCCESS);
    const bool read = ReadConsoleW(GetStdHandle(STD_INPUT_HANDLE), buffer, 1024, &n, nullptr);
    // After Ctrl-C nothing was read; the handler, on its own thread, may come a little later.
    if (read && n == 0 && GetLastError() == ERROR_OPERATION_ABORTED) {
      for (int i = 0; i < 100 && !CatchInterrupt::seen(); ++i) Sleep(10);
      return -1;
    }
    if (CatchInterrupt::seen()) return -1;
    if (!read || n == 0) return line.empty() ? 0 : 1;
    line.append(buffer, n);
    if (line.front() == kCtrlZ) return 0;
    if (line.back() != L'\n') continue;
    while (!line.empty() && (line.back() == L'\n' || line.back() == L'\r')) line.pop_back();
    return 1;
  }
}

std::unique_ptr<LineReader> make_editing_reader(const std::string& /*history_file*/) {
  return std::make_unique<ConsoleReader>();
}

}  // namespace cli
