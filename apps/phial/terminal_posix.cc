// SPDX-License-Identifier: Apache-2.0
// POSIX terminals and signals.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli.h"
#include "terminal.h"

namespace cli {

namespace {

volatile sig_atomic_t interrupt_seen = 0;
// Becomes readable when Ctrl-C is pressed, whichever thread the signal reaches.
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

// True when a byte can be read (or the end has come), false when Ctrl-C was pressed.
bool wait_for_input() {
  for (;;) {
    if (CatchInterrupt::seen()) return false;
    pollfd waiting[2] = {{STDIN_FILENO, POLLIN, 0}, {wake_pipe[0], POLLIN, 0}};
    const int n = poll(waiting, 2, -1);
    if (n < 0 && errno != EINTR) return true;  // the read will say what is wrong
    if (n > 0 && waiting[0].revents != 0 && !CatchInterrupt::seen()) return true;
  }
}

}  // namespace

std::vector<std::string> prepare_program(int argc, char** argv) { return {argv, argv + argc}; }

bool stdin_is_terminal() { return isatty(STDIN_FILENO) == 1; }
bool stdout_is_terminal() { return isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

size_t terminal_width() {
  winsize size = {};
  const bool told = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return told ? size.ws_col : 100;
}

bool stderr_has_colours() {
  const char* term = std::getenv("TERM");
  return stderr_is_terminal() && !std::getenv("NO_COLOR") && term &&
         std::string_view(term) != "dumb";
}

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Failure(fmt::format("can't write to standard output: {}", std::strerror(errno)));
}

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

int read_byte(char& byte) {
  for (;;) {
    if (!wait_for_input()) return -1;
    const ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n < 0 && errno == EINTR) continue;
    return n > 0 ? 1 : 0;
  }
}

std::string default_history_file() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state && *state) return std::string(state) + "/phial/history";
  const char* home = std::getenv("HOME");
  return home && *home ? std::string(home) + "/.local/state/phial/history" : std::string();
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

}  // namespace cli
