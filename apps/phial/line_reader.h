// SPDX-License-Identifier: Apache-2.0
// Lines that somebody types or pipes in. On a terminal with editing and history (libedit, if phial
// was built with it).
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

// $XDG_STATE_HOME/phial/history, or ~/.local/state/phial/history; empty if neither is known.
std::string default_history_file();

}  // namespace cli
