// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "child_process.h"
#include "cli.h"

extern "C" char** environ;

namespace cli {

namespace {

// Ctrl-C may come at any time between looking and waiting.
constexpr int kLookMilliseconds = 200;

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
    throw Failure(fmt::format("can't create a pipe: {}", std::strerror(errno)));
  signal(SIGPIPE, SIG_IGN);  // a child that has died is seen where we write to it
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, to[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, from[1], STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  for (const std::string& text : command) arguments.push_back(const_cast<char*>(text.c_str()));
  arguments.push_back(nullptr);
  pid_t process = -1;
  const int failed =
      posix_spawnp(&process, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  close(to[0]);
  close(from[1]);
  input_ = to[1];
  output_ = from[0];
  if (failed) {
    close(input_);
    close(output_);
    throw Failure(fmt::format("{}: can't start it: {}", command[0], std::strerror(failed)));
  }
  process_ = process;
}

ChildProcess::~ChildProcess() {
  wait();
  close(output_);
}

bool ChildProcess::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(input_, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

std::optional<std::string> ChildProcess::read_line(const std::function<bool()>& stop) {
  for (;;) {
    if (const size_t end = read_.find('\n'); end != std::string::npos) {
      std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    if (stop()) return std::nullopt;
    pollfd waiting = {output_, POLLIN, 0};
    if (poll(&waiting, 1, kLookMilliseconds) <= 0) continue;
    char buffer[1 << 16];
    const ssize_t n = read(output_, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::nullopt;
    read_.append(buffer, static_cast<size_t>(n));
  }
}

int ChildProcess::wait() {
  if (input_ >= 0) close(input_);
  input_ = -1;
  int status = 0;
  while (exit_code_ < 0) {
    const pid_t done = waitpid(static_cast<pid_t>(process_), &status, 0);
    if (done < 0 && errno == EINTR) continue;
    exit_code_ = done < 0 ? 255 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return exit_code_;
}

}  // namespace cli
