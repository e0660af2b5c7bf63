// SPDX-License-Identifier: Apache-2.0
// Not there: Ray's clusters of several nodes are for Linux, and so is the one user of this.
#include "child_process.h"
#include "cli.h"

namespace cli {

ChildProcess::ChildProcess(const std::vector<std::string>&) {
  throw Failure("--ray isn't in phial for Windows: start the job on a Linux node, or in WSL");
}
ChildProcess::~ChildProcess() = default;
bool ChildProcess::write(std::string_view) { return false; }
std::optional<std::string> ChildProcess::read_line(const std::function<bool()>&) { return {}; }
int ChildProcess::wait() { return exit_code_; }

}  // namespace cli
