// SPDX-License-Identifier: Apache-2.0
// The frame of the command line: verbs with their arguments and flags, and what several verbs
// share. The parser's own header, which is slow to compile, stays in cli.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <phial/phial.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

inline constexpr int kExitError = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 130;

// A failure of the command line itself; the message is one sentence.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& message, int exit_code = kExitError)
      : std::runtime_error(message), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// What a verb does; returns the exit code, throws phial::Exception or Failure.
using Action = std::function<int()>;

// One verb under construction. The variables that are named here are written when the command line
// is parsed, so they must live until the action has run. `names`: "-n,--max-new-tokens".
// `environment`: a variable that stands for the flag.
class Verb {
 public:
  Verb(CLI::App& app, Action& chosen) : app_(app), chosen_(chosen) {}

  void alias(const char* name);
  void argument(const char* name, std::string& value, const char* help);  // required
  void argument(const char* name, std::optional<std::string>& value, const char* help);
  void required(const char* names, std::string& value, const char* help);
  void option(const char* names, std::string& value, const char* help,
              const char* environment = nullptr);
  void option(const char* names, int32_t& value, const char* help,
              const char* environment = nullptr);
  void option(const char* names, uint64_t& value, const char* help,
              const char* environment = nullptr);
  void option(const char* names, float& value, const char* help, const char* environment = nullptr);
  void option(const char* names, double& value, const char* help,
              const char* environment = nullptr);
  void choice(const char* names, std::string& value, const std::vector<std::string>& allowed,
              const char* help, const char* environment = nullptr);
  void list(const char* names, std::vector<int32_t>& value, const char* help);  // commas between
  void texts(const char* names, std::vector<std::string>& value,
             const char* help);  // one each time
  void flag(const char* names, bool& value, const char* help);
  void either(const char* yes, const char* yes_help, const char* no, const char* no_help,
              std::optional<bool>& value);
  // Calls `use` with each value given, `value_name` is how the help calls it; nullptr: it has none.
  void call(const char* names, const char* value_name, const char* help,
            std::function<void(const std::string&)> use, const char* environment = nullptr);
  void action(Action action);

 private:
  CLI::App& app_;
  Action& chosen_;
};

class CommandLine {
 public:
  CommandLine(const std::string& description, const std::string& footer);
  ~CommandLine();

  Verb add(const char* name, const char* help);
  // `arguments`: the program's own name first. Parses and runs; returns the exit code. What goes
  // wrong becomes one sentence on standard error.
  int run(const std::vector<std::string>& arguments);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

void add_run(CommandLine& line);
void add_chat(CommandLine& line);
void add_batch(CommandLine& line);
void add_quantize(CommandLine& line);
void add_export(CommandLine& line);
void add_compile(CommandLine& line);
void add_show(CommandLine& line);
void add_tokenize(CommandLine& line);
void add_detokenize(CommandLine& line);
void add_logits(CommandLine& line);
void add_bench(CommandLine& line);
void add_make_random(CommandLine& line);
void add_devices(CommandLine& line);
void add_explain(CommandLine& line);
void add_doctor(CommandLine& line);
void add_ps(CommandLine& line);
void add_top(CommandLine& line);
void add_cache(CommandLine& line);
void add_pull(CommandLine& line);
void add_list(CommandLine& line);
void add_rm(CommandLine& line);
void add_cp(CommandLine& line);

// A line of the library's for the user, on standard error; the progress of long work on a terminal
// only.
void show_notice(phial_notice_kind kind, std::string_view text);

// The folder of a model that is there, by path or by name; one that isn't but can be had is pulled.
std::string find_or_pull(const std::string& name, bool offline);

// Flags that several verbs have.
void add_model_flags(Verb& verb, phial::ModelOptions& options);
void add_openvino_flags(Verb& verb, phial::ModelOptions& options);     // add_model_flags has them
void add_onnxruntime_flags(Verb& verb, phial::ModelOptions& options);  // so has it these
void add_generate_flags(Verb& verb, phial::GenerateParams& params);
void add_recipe_flags(Verb& verb, phial::QuantizeOptions& options);

// `run` and `chat`: everything that a conversation on a terminal needs.
struct ChatOptions {
  std::string model;
  std::string system;
  phial::ModelOptions model_options;
  phial::GenerateParams params;
  bool offline = false;
  bool no_history = false;
  bool verbose = false;
};
void add_chat_flags(Verb& verb,
                    ChatOptions& options);  // system, model and generation flags, history
int chat(const ChatOptions& options);

}  // namespace cli
