// SPDX-License-Identifier: Apache-2.0
// Another program that is spoken with in lines, through its standard input and output. What it says
// on standard error goes where ours goes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

class ChildProcess {
 public:
  // `command`: a program, which is looked for on PATH, and its arguments. Throws Failure.
  explicit ChildProcess(const std::vector<std::string>& command);
  ~ChildProcess();  // the end of its input, then waits for its own
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // False: it reads no more.
  bool write(std::string_view text);
  // Without the line's end. Nothing: the end, or `stop` said so meanwhile.
  std::optional<std::string> read_line(const std::function<bool()>& stop);
  // Waits for its end, once it has no more input. The exit code; 128 + n for a signal, as shells
  // have it.
  int wait();

 private:
  intptr_t process_ = -1;
  int input_ = -1, output_ = -1;
  std::string read_;  // what came behind the last line
  int exit_code_ = -1;
};

}  // namespace cli
