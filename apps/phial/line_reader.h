// SPDX-License-Identifier: Apache-2.0
// Lines that somebody types or pipes in. On a terminal with editing and history (libedit, if phial
// was built with it; on Windows the console's own).
#pragma once

#include <memory>
#include <string>

namespace cli {

enum class LineEnd { kLine, kEndOfInput, kInterrupted };

class LineReader {
 public:
  virtual ~LineReader() = default;
  // One line without its end. kInterrupted: Ctrl-C was pressed, the line is void.
  virtual LineEnd read(const std::string& prompt, std::string& line) = 0;
};

// `history_file` is read and written only where there is editing; empty: none.
std::unique_ptr<LineReader> make_line_reader(const std::string& history_file);

// For typed lines, with editing; null if this build has none.
std::unique_ptr<LineReader> make_editing_reader(const std::string& history_file);

}  // namespace cli
