// SPDX-License-Identifier: Apache-2.0
// phial chat MODEL: a conversation on the terminal, or from a pipe (then without prompts).
#include <fmt/format.h>

#include "chat_settings.h"
#include "cli.h"
#include "line_reader.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

constexpr const char* kHelp =
    "  /set NAME VALUE   change a setting; /set alone shows them\n"
    "  /show             the model and the settings\n"
    "  /clear            forget the conversation\n"
    "  /bye              leave (also /exit, /quit, Ctrl-D)\n"
    "  \"\"\"               begins and ends a text of several lines\n"
    "  Ctrl-C            stops the answer\n";

class ChatLoop {
 public:
  explicit ChatLoop(const ChatOptions& options)
      : name_(options.model),
        model_(find_or_pull(options.model, options.offline), options.model_options),
        chat_(model_),
        interactive_(stdin_is_terminal()),
        interrupt_(false),
        reader_(make_line_reader(options.no_history ? std::string() : default_history_file())) {
    settings_.params = options.params;
    settings_.system = options.system;
    settings_.verbose = options.verbose;
    apply_system();
  }

  int run() {
    if (interactive_)
      write_err(dim_err(fmt::format("{}: /help for help, /bye to leave", name_)) + "\n");
    int presses = 0;  // of Ctrl-C, one after another
    std::string text;
    for (;;) {
      const LineEnd end = read_message(text);
      if (end == LineEnd::kEndOfInput) break;
      if (end == LineEnd::kInterrupted) {
        CatchInterrupt::forget();
        if (!interactive_) return kExitInterrupted;
        if (++presses >= 2) write_err("(to leave: /bye or Ctrl-D)\n");
        continue;
      }
      presses = 0;
      if (text.find_first_not_of(" \t\r\n") == std::string::npos) continue;
      try {
        if (text.front() == '/') {
          if (!command(text)) break;
        } else {
          answer(text);
        }
      } catch (const phial::Exception& e) {
        failed_ |= complain(e.what());
      } catch (const Failure& e) {
        failed_ |= complain(e.what());
      }
      if (CatchInterrupt::seen()) {
        CatchInterrupt::forget();
        if (!interactive_) return kExitInterrupted;
      }
    }
    if (interactive_ && !left_by_command_) write_out("\n");
    return failed_ && !interactive_ ? kExitError : 0;
  }

 private:
  // A line, or the lines between """ and """.
  LineEnd read_message(std::string& text) {
    constexpr std::string_view kFence = "\"\"\"";
    LineEnd end = reader_->read(">>> ", text);
    if (end != LineEnd::kLine || !text.starts_with(kFence)) return end;
    text.erase(0, kFence.size());
    while (!text.ends_with(kFence)) {
      std::string more;
      end = reader_->read("... ", more);
      if (end == LineEnd::kInterrupted) return end;
      if (end == LineEnd::kEndOfInput)
        return LineEnd::kLine;  // an open fence at the end of a file is closed by it
      text += "\n" + more;
    }
    text.erase(text.size() - kFence.size());
    if (!text.empty() && text.front() == '\n') text.erase(0, 1);
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (text.starts_with('/')) text.insert(0, " ");  // quoted: a text, not a command
    return LineEnd::kLine;
  }

  void answer(const std::string& text) {
    const std::string before = chat_.messages_json();
    chat_.add("user", text);
    bool at_line_start = true;
    phial::Result result;
    try {
      result = chat_.reply(
          settings_.params,
          [&](std::string_view piece) {
            write_out(piece);
            at_line_start = piece.back() == '\n';
            return true;
          },
          &CatchInterrupt::seen);
    } catch (const phial::Exception&) {
      chat_.set_messages_json(
          before);  // the question that can't be answered isn't part of the conversation
      throw;
    }
    if (result.stats.generated_tokens == 0) chat_.set_messages_json(before);
    if (!at_line_start) write_out("\n");
    if (interactive_) write_out("\n");
    if (settings_.verbose) write_err(dim_err(statistics_line(result)) + "\n");
  }

  // False: leave.
  bool command(const std::string& line) {
    const size_t space = line.find(' ');
    const std::string verb = line.substr(0, space);
    std::string rest =
        space == std::string::npos ? "" : line.substr(line.find_first_not_of(' ', space));
    if (verb == "/bye" || verb == "/exit" || verb == "/quit") {
      left_by_command_ = true;
      return false;
    }
    if (verb == "/help" || verb == "/?") {
      write_out(kHelp);
    } else if (verb == "/clear") {
      chat_.clear();
      if (interactive_) write_out("The conversation is forgotten.\n");
    } else if (verb == "/show") {
      show();
    } else if (verb == "/set") {
      set(rest);
    } else {
      throw Failure(fmt::format("there is no {}; /help shows what there is", verb));
    }
    return true;
  }

  void set(const std::string& rest) {
    if (rest.empty()) return write_out(show_settings(settings_));
    const size_t space = rest.find(' ');
    const std::string name = rest.substr(0, space);
    change_setting(settings_, name, space == std::string::npos ? "" : rest.substr(space + 1));
    if (name == "system") apply_system();
  }

  void show() {
    const Json facts = Json::parse(model_.describe_json());
    const Json& session = facts["session"];
    write_out(fmt::format(
                  "  {:<19} {}\n  {:<19} {} {}, {} threads\n  {:<19} {} tokens\n  {:<19} {}\n",
                  "model", name_, "device", session.value("device", ""), session.value("tier", ""),
                  session.value("threads", 0), "context", session.value("context", 0), "messages",
                  Json::parse(chat_.messages_json()).size()) +
              show_settings(settings_));
  }

  // The system message is the first one, or there is none.
  void apply_system() {
    Json messages = Json::parse(chat_.messages_json());
    if (!messages.empty() && messages[0].value("role", "") == "system")
      messages.erase(messages.begin());
    if (!settings_.system.empty()) {
      messages.insert(messages.begin(), Json{{"role", "system"}, {"content", settings_.system}});
    }
    chat_.set_messages_json(messages.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  bool complain(const std::string& message) {
    write_err("phial: " + message + "\n");
    return true;
  }

  std::string name_;
  phial::Model model_;
  phial::Chat chat_;
  bool interactive_;
  CatchInterrupt interrupt_;
  std::unique_ptr<LineReader> reader_;
  ChatSettings settings_;
  bool failed_ = false;
  bool left_by_command_ = false;
};

}  // namespace

int chat(const ChatOptions& options) { return ChatLoop(options).run(); }

void add_chat(CommandLine& line) {
  auto options = std::make_shared<ChatOptions>();
  Verb verb = line.add("chat", "Talk with a model; /help inside");
  verb.argument("MODEL", options->model, "Name or folder of the model");
  add_chat_flags(verb, *options);
  verb.action([options] { return chat(*options); });
}

}  // namespace cli
