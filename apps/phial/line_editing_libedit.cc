// SPDX-License-Identifier: Apache-2.0
// libedit, waiting for keys with read_byte() so that Ctrl-C can end the wait.
#include <histedit.h>
#include <langinfo.h>
#include <sys/stat.h>

#include <clocale>
#include <filesystem>
#include <string_view>

#include "line_reader.h"
#include "terminal.h"

namespace cli {

namespace {

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

}  // namespace

std::unique_ptr<LineReader> make_editing_reader(const std::string& history_file) {
  return std::make_unique<EditingReader>(history_file);
}

}  // namespace cli
