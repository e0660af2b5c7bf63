// SPDX-License-Identifier: Apache-2.0
// phial show MODEL: what is known of a model.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

std::string scalar_text(const std::string& key, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  const bool is_bytes = key == "bytes" || key.ends_with("_bytes");
  if (is_bytes && value.is_number()) return human_bytes(value.get<double>());
  if (value.is_number_float()) return fmt::format("{:.4g}", value.get<double>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_flat(const Json& value) {
  for (const Json& item : value) {
    if (item.is_structured()) return false;
  }
  return true;
}

// On one line: the first few items of a list, or an object's keys and values.
std::string line_text(const Json& value) {
  constexpr size_t kShown = 8;
  std::string text;
  size_t n = 0;
  for (const auto& [key, item] : value.items()) {
    if (n++ == kShown) return fmt::format("{}, ... ({} in all)", text, value.size());
    std::string name = value.is_object() ? key + " " : "";
    std::replace(name.begin(), name.end(), '_', ' ');
    text +=
        (n > 1 ? ", " : "") + name + (item.is_structured() ? item.dump() : scalar_text(key, item));
  }
  return text;
}

void show_object(const Json& object, int depth, std::string& out) {
  const std::string indent(static_cast<size_t>(depth) * 2, ' ');
  const int width = std::max(8, 26 - depth * 2);
  for (const auto& [key, value] : object.items()) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', ' ');
    if (value.is_null() || (value.is_structured() && value.empty())) continue;
    if (value.is_object()) {
      out += fmt::format("{}{}\n", indent, name);
      show_object(value, depth + 1, out);
    } else if (value.is_array() && !is_flat(value)) {
      out += fmt::format("{}{}\n", indent, name);
      for (const Json& item : value) out += fmt::format("{}  {}\n", indent, line_text(item));
    } else {
      out += fmt::format("{}{:<{}}  {}\n", indent, name, width,
                         value.is_array() ? line_text(value) : scalar_text(key, value));
    }
  }
}

}  // namespace

void add_show(CommandLine& line) {
  auto model = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  Verb verb = line.add("show", "What is known of a model");
  verb.argument("MODEL", *model, "Name or folder of the model");
  verb.flag("--json", *json, "As one JSON object");
  verb.action([=] {
    const Json facts = Json::parse(phial::package_json(phial::find_model(*model)));
    std::string text;
    if (*json) {
      text = dump(facts);
    } else {
      show_object(facts, 0, text);
    }
    write_out(text);
    return 0;
  });
}

}  // namespace cli
