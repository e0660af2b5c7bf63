// SPDX-License-Identifier: Apache-2.0
// Standard streams, Ctrl-C, and numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// To be called first: readies the standard streams and gives the program's arguments as UTF-8, its
// own name first.
std::vector<std::string> prepare_program(int argc, char** argv);

bool stdin_is_terminal();
bool stdout_is_terminal();
bool stderr_is_terminal();

// To standard output, at once. Throws Failure if it can't be written (a full disk).
void write_out(std::string_view text);
void write_err(std::string_view text);

// All of standard input, byte by byte.
std::string read_all_stdin();

// One byte of it, as soon as there is one. -1: Ctrl-C (see CatchInterrupt), 0: end, 1: a byte.
int read_byte(char& byte);

// Where what is typed is kept; empty if nowhere. Linux: $XDG_STATE_HOME/phial/history, or
// ~/.local/state/phial/history.
std::string default_history_file();

// Columns of the terminal that standard output is; 100 if it isn't one.
size_t terminal_width();

bool stderr_has_colours();

// Text in grey, where the stream is a terminal that can; else as it is.
std::string dim_err(std::string_view text);

std::string human_bytes(
    double bytes);  // "2.31 GB" (powers of ten, as disks and bandwidths are counted)
std::string human_seconds(double seconds);  // "0.42 s", "75.1 s", "2:05 min", "1:02:03"

// While one lives, Ctrl-C sets a flag instead of ending the program. With `second_kills` the next
// one ends it after all.
class CatchInterrupt {
 public:
  explicit CatchInterrupt(bool second_kills);
  ~CatchInterrupt();
  CatchInterrupt(const CatchInterrupt&) = delete;
  CatchInterrupt& operator=(const CatchInterrupt&) = delete;

  static bool seen();
  static void forget();
};

}  // namespace cli
