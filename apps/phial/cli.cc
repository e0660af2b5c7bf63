// SPDX-License-Identifier: Apache-2.0
// The frame over CLI11: the only file that sees it.
#include "cli.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>

#include "terminal.h"

namespace cli {

namespace {

template <class Value>
CLI::Option* add_option(CLI::App& app, const char* names, Value& value, const char* help,
                        const char* environment) {
  CLI::Option* option = app.add_option(names, value, help)->capture_default_str();
  if (environment) option->envname(environment);
  return option;
}

// The verb that the user got as far as, for the hint.
std::string help_of(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "phial --help" : "phial " + chosen.front()->get_name() + " --help";
}

std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
  std::string message = error.what();
  const auto chosen = app.get_subcommands();
  const auto extras = (chosen.empty() ? app : *chosen.front()).remaining();
  if (!extras.empty()) {
    const std::string& first = extras.front();
    const std::string kind = first.starts_with('-') ? "flag" : chosen.empty() ? "verb" : "argument";
    message = "unknown " + kind + " '" + first + "'" +
              (chosen.empty() ? "" : " for " + chosen.front()->get_name());
  }
  while (!message.empty() && (message.back() == '\n' || message.back() == '.')) message.pop_back();
  for (char& c : message) {
    if (c == '\n') c = ' ';
  }
  return message;
}

int complain(const std::string& message, int exit_code) {
  std::fflush(stdout);
  write_err("phial: " + message + "\n");
  return exit_code;
}

}  // namespace

void show_notice(phial_notice_kind kind, std::string_view text) {
  static bool line_is_open = false;  // a progress line waits to be overwritten
  if (kind == PHIAL_NOTICE_PROGRESS) {
    if (!stderr_is_terminal()) return;
    write_err("\r\x1b[K" + dim_err(text));
    line_is_open = !text.empty();
    return;
  }
  if (line_is_open) write_err("\r\x1b[K");
  line_is_open = false;
  write_err("phial: " + std::string(text) + "\n");
}

void Verb::alias(const char* name) { app_.alias(name); }

void Verb::argument(const char* name, std::string& value, const char* help) {
  app_.add_option(name, value, help)->required();
}

void Verb::argument(const char* name, std::optional<std::string>& value, const char* help) {
  app_.add_option(name, value, help);
}

void Verb::required(const char* names, std::string& value, const char* help) {
  app_.add_option(names, value, help)->required();
}

void Verb::option(const char* names, std::string& value, const char* help,
                  const char* environment) {
  add_option(app_, names, value, help, environment);
}

void Verb::option(const char* names, int32_t& value, const char* help, const char* environment) {
  add_option(app_, names, value, help, environment);
}

void Verb::option(const char* names, uint64_t& value, const char* help, const char* environment) {
  add_option(app_, names, value, help, environment);
}

void Verb::option(const char* names, float& value, const char* help, const char* environment) {
  add_option(app_, names, value, help, environment);
}

void Verb::option(const char* names, double& value, const char* help, const char* environment) {
  add_option(app_, names, value, help, environment);
}

void Verb::choice(const char* names, std::string& value, const std::vector<std::string>& allowed,
                  const char* help, const char* environment) {
  add_option(app_, names, value, help, environment)->check(CLI::IsMember(allowed));
}

void Verb::list(const char* names, std::vector<int32_t>& value, const char* help) {
  app_.add_option(names, value, help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
}

void Verb::texts(const char* names, std::vector<std::string>& value, const char* help) {
  app_.add_option(names, value, help)->allow_extra_args(false);
}

void Verb::flag(const char* names, bool& value, const char* help) {
  app_.add_flag(names, value, help);
}

void Verb::either(const char* yes, const char* yes_help, const char* no, const char* no_help,
                  std::optional<bool>& value) {
  CLI::Option* first = app_.add_flag_callback(yes, [&value] { value = true; }, yes_help);
  app_.add_flag_callback(no, [&value] { value = false; }, no_help)->excludes(first);
}

void Verb::call(const char* names, const char* value_name, const char* help,
                std::function<void(const std::string&)> use, const char* environment) {
  if (!value_name) {
    app_.add_flag_callback(names, [use] { use({}); }, help);
    return;
  }
  CLI::Option* option = app_.add_option_function<std::vector<std::string>>(
                                names,
                                [use](const std::vector<std::string>& values) {
                                  for (const std::string& value : values) use(value);
                                },
                                help)
                            ->allow_extra_args(false)
                            ->type_name(value_name);
  if (environment) option->envname(environment);
}

void Verb::action(Action action) {
  app_.callback([this_choice = std::move(action), &chosen = chosen_] { chosen = this_choice; });
}

struct CommandLine::Impl {
  CLI::App app;
  Action chosen;
};

CommandLine::CommandLine(const std::string& description, const std::string& footer)
    : impl_(new Impl{CLI::App(description, "phial"), {}}) {
  // On Windows CLI11 would take "/folder", or a prompt that begins so, for a flag.
  impl_->app.allow_windows_style_options(false);
  impl_->app.set_version_flag("--version", "phial " + phial::version());
  impl_->app.require_subcommand(1);
  impl_->app.footer(footer);
}

CommandLine::~CommandLine() = default;

Verb CommandLine::add(const char* name, const char* help) {
  return Verb(*impl_->app.add_subcommand(name, help), impl_->chosen);
}

int CommandLine::run(const std::vector<std::string>& arguments) {
  CLI::App& app = impl_->app;
  if (arguments.size() <= 1) {
    write_err(app.help());
    return kExitUsage;
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend() - 1));
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help and --version
    return complain(usage_sentence(app, e) + " (see " + help_of(app) + ")", kExitUsage);
  }
  try {
    return impl_->chosen();
  } catch (const Failure& e) {
    return complain(e.what(), e.exit_code());
  } catch (const phial::Exception& e) {
    return complain(e.what(), e.code() == PHIAL_CANCELLED ? kExitInterrupted : kExitError);
  } catch (const std::bad_alloc&) {
    return complain("out of memory", kExitError);
  } catch (const std::exception& e) {
    return complain(e.what(), kExitError);
  }
}

}  // namespace cli
