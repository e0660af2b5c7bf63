// SPDX-License-Identifier: Apache-2.0
// Piped lines by getline; typed ones by libedit, waiting for keys with poll() so that Ctrl-C can
// end the wait.
#include "line_reader.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#ifdef PHIAL_HAVE_LIBEDIT
#include <histedit.h>
#include <langinfo.h>
#endif

#include "terminal.h"

namespace cli {

namespace {

// True when a byte can be read (or the end has come), false when Ctrl-C was pressed.
bool wait_for_input() {
  for (;;) {
    if (CatchInterrupt::seen()) return false;
    pollfd waiting[2] = {{STDIN_FILENO, POLLIN, 0}, {CatchInterrupt::wake_fd(), POLLIN, 0}};
    const int n = poll(waiting, 2, -1);
    if (n < 0 && errno != EINTR) return true;  // the read will say what is wrong
    if (n > 0 && waiting[0].revents != 0 && !CatchInterrupt::seen()) return true;
  }
}

// -1: Ctrl-C, 0: end, 1: a byte.
int read_byte(char& byte) {
  for (;;) {
    if (!wait_for_input()) return -1;
    const ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n < 0 && errno == EINTR) continue;
    return n > 0 ? 1 : 0;
  }
}

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

#ifdef PHIAL_HAVE_LIBEDIT

class EditingReader : public LineReader {
 public:
  explicit EditingReader(const std::string& history_file) : history_file_(history_file) {
    // libedit turns characters into bytes by the locale; phial's text is UTF-8 whatever the locale
    // says.
    std::setlocale(LC_CTYPE, "");
    if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, 1000);
    history(history_, &event, H_SETUNIQUE, 1);
    if (!history_file_.empty()) history(history_, &event, H_LOAD, history_file_.c_str());
    edit_ = el_init("phial", stdin, stdout, stderr);
    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_PROMPT, &EditingReader::prompt_function);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 0);
    el_set(edit_, EL_GETCFN, &EditingReader::read_character);
    el_set(edit_, EL_HIST, history, history_);
  }
  ~EditingReader() override {
    save();
    el_end(edit_);
    history_end(history_);
  }

  LineEnd read(const std::string& prompt, std::string& line) override {
    prompt_ = prompt;
    interrupted_ = false;
    int n = 0;
    // libedit shows its prompt before it changes the terminal's mode: a key pressed in between
    // would be the old mode's, and Ctrl-D lost.
    el_set(edit_, EL_PREP_TERM, 1);
    const char* text = el_gets(edit_, &n);
    if (interrupted_) {
      write_out("^C\n");
      return LineEnd::kInterrupted;
    }
    if (!text || n <= 0) return LineEnd::kEndOfInput;
    line = text;
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    if (!line.empty()) {
      HistEvent event;
      history(history_, &event, H_ENTER, line.c_str());
    }
    return LineEnd::kLine;
  }

 private:
  static char* prompt_function(EditLine* edit) {
    void* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    return static_cast<EditingReader*>(self)->prompt_.data();
  }

  // One character of UTF-8. An invalid byte stands for itself as U+FFFD.
  static int read_character(EditLine* edit, wchar_t* out) {
    void* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    char byte = 0;
    int n = read_byte(byte);
    if (n <= 0) {
      static_cast<EditingReader*>(self)->interrupted_ = n < 0;
      return n;
    }
    const auto first = static_cast<unsigned char>(byte);
    const int more = first < 0x80    ? 0
                     : first >= 0xF0 ? 3
                     : first >= 0xE0 ? 2
                     : first >= 0xC0 ? 1
                                     : -1;
    if (more < 0) {
      *out = 0xFFFD;
      return 1;
    }
    unsigned value = more == 0 ? first : first & (0x3Fu >> more);
    for (int i = 0; i < more; ++i) {
      n = read_byte(byte);
      if (n <= 0) {
        static_cast<EditingReader*>(self)->interrupted_ = n < 0;
        return n;
      }
      value = value << 6 | (static_cast<unsigned char>(byte) & 0x3F);
    }
    *out = static_cast<wchar_t>(value);
    return 1;
  }

  void save() {
    if (history_file_.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(history_file_).parent_path(),
                                        ignored);
    const mode_t before = umask(0077);  // what was typed is nobody else's business
    HistEvent event;
    history(history_, &event, H_SAVE, history_file_.c_str());
    umask(before);
  }

  std::string history_file_, prompt_;
  bool interrupted_ = false;
  History* history_ = nullptr;
  EditLine* edit_ = nullptr;
};

#endif

}  // namespace

std::unique_ptr<LineReader> make_line_reader([[maybe_unused]] const std::string& history_file) {
#ifdef PHIAL_HAVE_LIBEDIT
  if (stdin_is_terminal() && stdout_is_terminal())
    return std::make_unique<EditingReader>(history_file);
#endif
  return std::make_unique<PlainReader>();
}

std::string default_history_file() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state && *state) return std::string(state) + "/phial/history";
  const char* home = std::getenv("HOME");
  return home && *home ? std::string(home) + "/.local/state/phial/history" : std::string();
}

}  // namespace cli
