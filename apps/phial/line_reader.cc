// SPDX-License-Identifier: Apache-2.0
// Lines as they come, and the choice; editing is in line_editing_*.cc, of which one is built.
#include "line_reader.h"

#include "terminal.h"

namespace cli {

namespace {

class PlainReader : public LineReader {
 public:
  LineEnd read(const std::string& prompt, std::string& line) override {
    line.clear();
    if (stdin_is_terminal()) write_out(prompt);
    char byte = 0;
    for (;;) {
      const int n = read_byte(byte);
      if (n < 0) {
        write_out("\n");
        return LineEnd::kInterrupted;
      }
      if (n == 0) return line.empty() ? LineEnd::kEndOfInput : LineEnd::kLine;
      if (byte == '\n') {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return LineEnd::kLine;
      }
      line += byte;
    }
  }
};

}  // namespace

std::unique_ptr<LineReader> make_line_reader(const std::string& history_file) {
  if (stdin_is_terminal() && stdout_is_terminal())
    if (auto reader = make_editing_reader(history_file)) return reader;
  return std::make_unique<PlainReader>();
}

}  // namespace cli
