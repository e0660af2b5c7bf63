// SPDX-License-Identifier: Apache-2.0
// POSIX terminals and signals.
#include "terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli.h"

namespace cli {

namespace {

volatile sig_atomic_t interrupt_seen = 0;
int wake_pipe[2] = {-1, -1};

void on_interrupt(int) {
  const int saved = errno;
  interrupt_seen = 1;
  const char byte = 0;
  if (write(wake_pipe[1], &byte, 1) < 0) {
    // The pipe is full: whoever waits is awake already.
  }
  errno = saved;
}

void write_to(FILE* stream, std::string_view text, const char* name) {
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fflush(stream) != 0) {
    throw Failure(fmt::format("can't write to standard {}: {}", name, std::strerror(errno)));
  }
}

}  // namespace

bool stdin_is_terminal() { return isatty(STDIN_FILENO) == 1; }
bool stdout_is_terminal() { return isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

void write_out(std::string_view text) { write_to(stdout, text, "output"); }

void write_err(std::string_view text) {
  // Nobody is left to be told if this fails.
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string read_all_stdin() {
  std::string all;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n == 0) return all;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Failure(fmt::format("can't read standard input: {}", std::strerror(errno)));
    all.append(buffer, static_cast<size_t>(n));
  }
}

std::string dim_err(std::string_view text) {
  const char* term = std::getenv("TERM");
  const bool colours =
      stderr_is_terminal() && !std::getenv("NO_COLOR") && term && std::string_view(term) != "dumb";
  return colours ? fmt::format("\033[2m{}\033[0m", text) : std::string(text);
}

std::string human_bytes(double bytes) {
  if (bytes < 1e3) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1e6) return fmt::format("{:.1f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.2f} GB", bytes / 1e9);
}

std::string human_seconds(double seconds) {
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 100) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

CatchInterrupt::CatchInterrupt(bool second_kills) {
  if (wake_pipe[0] < 0 && pipe2(wake_pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
    throw Failure(fmt::format("can't create a pipe: {}", std::strerror(errno)));
  }
  interrupt_seen = 0;
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART | (second_kills ? static_cast<int>(SA_RESETHAND) : 0);
  sigaction(SIGINT, &action, nullptr);
}

CatchInterrupt::~CatchInterrupt() { signal(SIGINT, SIG_DFL); }

bool CatchInterrupt::seen() { return interrupt_seen != 0; }

void CatchInterrupt::forget() {
  interrupt_seen = 0;
  char buffer[16];
  while (wake_pipe[0] >= 0 && read(wake_pipe[0], buffer, sizeof buffer) > 0) {
  }
}

int CatchInterrupt::wake_fd() { return wake_pipe[0]; }

}  // namespace cli
