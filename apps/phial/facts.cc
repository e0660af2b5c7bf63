// SPDX-License-Identifier: Apache-2.0
#include "facts.h"

#include <fmt/format.h>

#include "terminal.h"

namespace cli {

std::string clock_text(const Json& mhz) {
  const double value = mhz.get<double>();
  return value >= 1000 ? fmt::format("{:.2f} GHz", value / 1000) : fmt::format("{:.0f} MHz", value);
}

std::string bytes_text(const Json& bytes) { return human_bytes(bytes.get<double>()); }

std::string text_or(const Json& text, const char* otherwise) {
  return text.is_string() && !text.get<std::string>().empty() ? text.get<std::string>() : otherwise;
}

std::string text_or_na(const Json& value, std::string (*to_text)(const Json&)) {
  return value.is_number() ? to_text(value) : "n/a";
}

std::string machine_line(const Json& machine) {
  std::string text = text_or(machine["system"], "system n/a");
  if (machine["kernel"].is_string()) text += ", Linux " + machine["kernel"].get<std::string>();
  const Json& memory = machine["memory"];
  text += fmt::format(", {} memory ({} available)", text_or_na(memory["total"], &bytes_text),
                      text_or_na(memory["available"], &bytes_text));
  const Json& power = machine["power"];
  if (power["on_battery"].is_boolean()) {
    text += power["on_battery"].get<bool>() ? ", on battery" : ", on mains";
    if (power["battery_percent"].is_number())
      text += fmt::format(" ({:.0f} % charged)", power["battery_percent"].get<double>());
  }
  return text;
}

std::string wrapped(const std::string& text, size_t indent, size_t width) {
  std::string result;
  size_t column = indent;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (column > indent && column + 1 + word.size() > width) {
      result.append(1, '\n').append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
    begin = end + 1;
  }
  return result;
}

}  // namespace cli
