// SPDX-License-Identifier: Apache-2.0
// Standard streams, Ctrl-C, and numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

bool stdin_is_terminal();
bool stdout_is_terminal();
bool stderr_is_terminal();

// To standard output, at once. Throws Failure if it can't be written (a full disk).
void write_out(std::string_view text);
void write_err(std::string_view text);

// All of standard input, byte by byte.
std::string read_all_stdin();

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
  // Becomes readable when Ctrl-C is pressed, whichever thread the signal reaches. -1 while none
  // lives.
  static int wake_fd();
};

}  // namespace cli
