// SPDX-License-Identifier: Apache-2.0
// The table of settings. Ranges are checked by the library when the next answer begins.
#include "chat_settings.h"

#include <fmt/format.h>

#include <charconv>
#include <functional>

#include "cli.h"

namespace cli {

namespace {

struct Setting {
  const char* name;
  std::function<bool(ChatSettings&, const std::string&)> change;  // false: the value can't be read
  std::function<std::string(const ChatSettings&)> show;
};

template <class Number>
bool read_number(const std::string& text, Number& out) {
  Number value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  out = value;
  return true;
}

template <class Number>
Setting number(const char* name, Number phial::GenerateParams::*field) {
  return {name,
          [field](ChatSettings& s, const std::string& text) {
            return read_number(text, s.params.*field);
          },
          [field](const ChatSettings& s) { return fmt::format("{}", s.params.*field); }};
}

bool read_switch(const std::string& text, bool& out) {
  if (text == "on" || text == "true" || text == "1" || text.empty()) return out = true;
  if (text != "off" && text != "false" && text != "0") return false;
  out = false;
  return true;
}

const std::vector<Setting>& settings_table() {
  using Params = phial::GenerateParams;
  static const std::vector<Setting> table = {
      {"system",
       [](ChatSettings& s, const std::string& text) {
         s.system = text;
         return true;
       },
       [](const ChatSettings& s) { return s.system; }},
      number("max_new_tokens", &Params::max_new_tokens),
      number("temperature", &Params::temperature),
      number("top_k", &Params::top_k),
      number("top_p", &Params::top_p),
      number("min_p", &Params::min_p),
      number("repetition_penalty", &Params::repetition_penalty),
      number("presence_penalty", &Params::presence_penalty),
      number("frequency_penalty", &Params::frequency_penalty),
      number("seed", &Params::seed),
      {"stop",
       [](ChatSettings& s, const std::string& text) {
         s.params.stop.clear();
         if (!text.empty()) s.params.stop.push_back(text);
         return true;
       },
       [](const ChatSettings& s) { return fmt::format("{}", fmt::join(s.params.stop, " ")); }},
      {"ignore_eos",
       [](ChatSettings& s, const std::string& text) {
         return read_switch(text, s.params.ignore_eos);
       },
       [](const ChatSettings& s) { return std::string(s.params.ignore_eos ? "on" : "off"); }},
      {"verbose",
       [](ChatSettings& s, const std::string& text) { return read_switch(text, s.verbose); },
       [](const ChatSettings& s) { return std::string(s.verbose ? "on" : "off"); }}};
  return table;
}

}  // namespace

void change_setting(ChatSettings& settings, const std::string& name, const std::string& value) {
  std::string names;
  for (const Setting& setting : settings_table()) {
    if (name == setting.name) {
      if (!setting.change(settings, value))
        throw Failure(fmt::format("/set {}: can't read '{}'", name, value));
      return;
    }
    names += (names.empty() ? "" : ", ") + std::string(setting.name);
  }
  throw Failure(fmt::format("/set: there is no '{}', but {}", name, names));
}

std::string show_settings(const ChatSettings& settings) {
  std::string text;
  for (const Setting& setting : settings_table()) {
    text += fmt::format("  {:<19} {}\n", setting.name, setting.show(settings));
  }
  return text;
}

}  // namespace cli
