// SPDX-License-Identifier: Apache-2.0
// The filters on texts and numbers, and the table of all filters; those on lists are in
// jinja_list_filters.cc.
#include "chat/jinja_filters.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "chat/jinja_text.h"

namespace phial {
namespace {

using Kind = JinjaValue::Kind;

JinjaValue trim(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  const std::string text = r.str(input);
  if (!args.has(0) || args.at(0).is_none())
    return r.make(std::string(jinja_strip(text, true, true)));
  return r.make(std::string(jinja_strip(text, r.str(args.at(0)), true, true)));
}
JinjaValue upper(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  return r.make(jinja_to_case(r.str(input), JinjaCase::kUpper));
}
JinjaValue lower(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  return r.make(jinja_to_case(r.str(input), JinjaCase::kLower));
}
JinjaValue capitalize(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  return r.make(jinja_capitalize(r.str(input)));
}

// Jinja's own rule, not str.title(): words begin behind whitespace and -({[<.
JinjaValue title(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  const std::string text = r.str(input);
  std::string out, rest;
  bool begins = true;
  const auto flush = [&] {
    out += jinja_to_case(rest, JinjaCase::kLower);
    rest.clear();
  };
  for (const std::string_view c : jinja_characters(text)) {
    const bool border = std::string_view("-({[<").find(c) != std::string_view::npos ||
                        jinja_strip(c, true, false).empty();
    if (border || begins) {
      flush();
      out += jinja_to_case(c, JinjaCase::kUpper);
    } else {
      rest += c;
    }
    begins = border;
  }
  flush();
  return r.make(std::move(out));
}

JinjaValue length(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  return JinjaValue::integer(static_cast<int64_t>(r.length(input)));
}

JinjaValue default_value(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  if (!input.is_undefined() && !(args.flag(1) && !input.truthy())) return input;
  return args.has(0) ? args.at(0) : r.make("");
}

JinjaValue replace(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  int64_t count = -1;
  if (args.has(2) && !args.at(2).is_none()) {
    if (!args.at(2).is_integer())
      throw_error(Code::kInvalidArgument, "replace: the count isn't an integer");
    count = args.at(2).as_integer();
  }
  return r.replace(r.str(input), r.str(args.at(0)), r.str(args.at(1)), count);
}

JinjaValue string(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  return input.is_string() ? input : r.make(r.str(input));
}
JinjaValue safe(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  return r.make(r.str(input), true);
}
JinjaValue escape(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  if (input.is_string() && input.is_markup()) return input;
  const std::string text = r.str(input);
  r.budget().take(5 * text.size());
  return r.make(jinja_escape_html(text), true);
}

JinjaValue indent(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  std::string margin(4, ' ');
  if (args.has(0)) {
    const JinjaValue& width = args.at(0);
    if (!width.is_string() && !width.is_integer()) {
      throw_error(Code::kInvalidArgument, "indent: the width is a {}, expected an integer or a str",
                  width.type_name());
    }
    if (width.is_integer() && width.as_integer() > 10000)
      throw_error(Code::kUnsupported, "indent: a width above 10000");
    margin = width.is_string()
                 ? width.as_string()
                 : std::string(static_cast<size_t>(std::max<int64_t>(0, width.as_integer())), ' ');
  }
  const std::string text = r.str(input) + "\n";
  const std::vector<std::string_view> lines = jinja_split_lines(text);
  std::string out = args.flag(1) ? margin : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    r.budget().take(margin.size() + lines[i].size() + 16);
    if (i > 0) out += '\n';
    if (i > 0 && (args.flag(2) || !lines[i].empty())) out += margin;
    out += lines[i];
  }
  return r.make(std::move(out));
}

JinjaValue tojson(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  JinjaJsonStyle style;
  style.ensure_ascii = args.flag(0);
  if (args.has(1) && !args.at(1).is_none()) {
    const JinjaValue& value = args.at(1);
    style.pretty = true;
    style.item_separator = std::string(1, ',');
    if (value.is_string()) {
      style.indent = value.as_string();
    } else if (value.is_integer() && value.as_integer() <= 1000) {
      style.indent.assign(static_cast<size_t>(std::max<int64_t>(0, value.as_integer())), ' ');
    } else {
      throw_error(Code::kInvalidArgument, "tojson: expected an indent of at most 1000, or a str");
    }
  }
  if (args.has(2) && !args.at(2).is_none()) {
    const JinjaList parts = r.items(args.at(2));
    if (parts.size() != 2 || !parts[0].is_string() || !parts[1].is_string()) {
      throw_error(Code::kInvalidArgument, "tojson: expected two separators");
    }
    style.item_separator = parts[0].as_string();
    style.key_separator = parts[1].as_string();
    if (style.item_separator.size() + style.key_separator.size() > 1000) {
      throw_error(Code::kUnsupported, "tojson: separators above 1000 bytes");
    }
  }
  style.sort_keys = args.flag(3);
  std::string out;
  jinja_to_json(input, style, out, r.budget());
  return r.make(std::move(out));
}

// float(text) of Python: whitespace around and single underscores between digits are allowed.
std::optional<double> parse_real(std::string_view text) {
  text = jinja_strip(text, true, true);
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t k) {
      return k < text.size() && text[k] >= '0' && text[k] <= '9';
    };
    if (text[i] == '_' && i > 0 && digit(i - 1) && digit(i + 1)) continue;
    digits += text[i];
  }
  if (digits.starts_with('+')) digits.erase(0, 1);
  if (digits.empty() || digits.starts_with('+')) return {};
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size()) return {};
  if (error == std::errc::result_out_of_range) {
    return digits.find("e-") != std::string::npos || digits.find("E-") != std::string::npos
               ? 0.0
               : HUGE_VAL;
  }
  if (error != std::errc()) return {};
  return value;
}

// int(text, base)
std::optional<int64_t> parse_integer(std::string_view text, int64_t base) {
  text = jinja_strip(text, true, true);
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const char letter = text.size() > 1 && text[0] == '0' ? static_cast<char>(text[1] | 0x20) : '\0';
  const int64_t written = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
  if (written && (base == 0 || base == written)) {
    base = written;
    text.remove_prefix(2);
    if (text.starts_with('_')) text.remove_prefix(1);
  }
  if (base == 0) base = 10;
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_' && i > 0 && i + 1 < text.size() && text[i - 1] != '_') continue;
    digits += text[i];
  }
  if (base < 2 || base > 36 || digits.empty() || digits[0] == '-') return {};
  int64_t value = 0;
  if (negative) digits.insert(digits.begin(), '-');
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, static_cast<int>(base));
  if (end != digits.data() + digits.size()) return {};
  if (error != std::errc())
    throw_error(Code::kUnsupported, "int: '{}' doesn't fit 64 bits", digits.substr(0, 40));
  return value;
}

JinjaValue to_integer(JinjaRenderer&, const JinjaValue& input, JinjaBound& args) {
  const JinjaValue fallback = args.has(0) ? args.at(0) : JinjaValue::integer(0);
  if (input.is_undefined())
    throw_error(Code::kInvalidArgument, "{} is undefined", input.undefined_name());
  if (input.is_integer()) return JinjaValue::integer(input.as_integer());
  std::optional<double> real;
  if (input.is_string()) {
    const int64_t base = args.has(1) && args.at(1).is_integer() ? args.at(1).as_integer() : 10;
    if (const auto value = parse_integer(input.as_string(), base))
      return JinjaValue::integer(*value);
    real = parse_real(input.as_string());
  } else if (input.is(Kind::kFloat)) {
    real = input.as_real();
  }
  if (!real || !std::isfinite(*real)) return fallback;
  if (std::fabs(*real) >= 0x1p63)
    throw_error(Code::kUnsupported, "int: {} doesn't fit 64 bits", *real);
  return JinjaValue::integer(static_cast<int64_t>(*real));
}

JinjaValue to_real(JinjaRenderer&, const JinjaValue& input, JinjaBound& args) {
  if (input.is_undefined())
    throw_error(Code::kInvalidArgument, "{} is undefined", input.undefined_name());
  if (input.is_number()) return JinjaValue::real(input.as_real());
  if (input.is_string()) {
    if (const auto value = parse_real(input.as_string())) return JinjaValue::real(*value);
  }
  return args.has(0) ? args.at(0) : JinjaValue::real(0);
}

JinjaValue absolute(JinjaRenderer& r, const JinjaValue& input, JinjaBound&) {
  if (!input.is_number())
    throw_error(Code::kInvalidArgument, "abs: found a {}, expected a number", input.type_name());
  if (input.is(Kind::kFloat)) return JinjaValue::real(std::fabs(input.as_real()));
  if (input.as_integer() >= 0) return JinjaValue::integer(input.as_integer());
  return r.binary(JinjaOp::kSub, JinjaValue::integer(0), input);
}

// Python's round(): to the nearest decimal, ties (of the exact binary value) to even.
JinjaValue round(JinjaRenderer& r, const JinjaValue& input, JinjaBound& args) {
  if (!input.is_number())
    throw_error(Code::kInvalidArgument, "round: found a {}, expected a number", input.type_name());
  int64_t precision = 0;
  if (args.has(0)) {
    if (!args.at(0).is_integer())
      throw_error(Code::kInvalidArgument, "round: the precision isn't an integer");
    precision = args.at(0).as_integer();
  }
  if (precision < -30 || precision > 300)
    throw_error(Code::kUnsupported, "round: a precision of {}", precision);
  const std::string method = args.has(1) ? r.str(args.at(1)) : "common";
  const double value = input.as_real(), scale = std::pow(10.0, static_cast<double>(precision));
  if (method == "ceil") return JinjaValue::real(std::ceil(value * scale) / scale);
  if (method == "floor") return JinjaValue::real(std::floor(value * scale) / scale);
  if (method != "common")
    throw_error(Code::kInvalidArgument, "round: found '{}', expected common, ceil or floor",
                method);
  if (input.is_integer()) {
    if (precision >= 0) return JinjaValue::integer(input.as_integer());
    return JinjaValue::integer(static_cast<int64_t>(std::nearbyint(value * scale) / scale));
  }
  if (!std::isfinite(value)) return input;
  if (precision < 0) return JinjaValue::real(std::nearbyint(value * scale) / scale);
  const std::string text = fmt::format("{:.{}f}", value, static_cast<int>(precision));
  double rounded = 0;
  std::from_chars(text.data(), text.data() + text.size(), rounded);
  return JinjaValue::real(rounded);
}

constexpr JinjaFilterEntry kFilters[] = {
    {"trim", trim, "chars", 0},
    {"upper", upper, "", 0},
    {"lower", lower, "", 0},
    {"capitalize", capitalize, "", 0},
    {"title", title, "", 0},
    {"length", length, "", 0},
    {"count", length, "", 0},
    {"default", default_value, "default_value boolean", 0},
    {"d", default_value, "default_value boolean", 0},
    {"replace", replace, "old new count", 2},
    {"string", string, "", 0},
    {"safe", safe, "", 0},
    {"escape", escape, "", 0},
    {"e", escape, "", 0},
    {"indent", indent, "width first blank", 0},
    {"tojson", tojson, "ensure_ascii indent separators sort_keys", 0},
    {"int", to_integer, "default base", 0},
    {"float", to_real, "default", 0},
    {"abs", absolute, "", 0},
    {"round", round, "precision method", 0},
};

const JinjaFilterEntry& entry_of(int id) {
  const auto lists = jinja_list_filters();
  const size_t i = static_cast<size_t>(id);
  return i < std::size(kFilters) ? kFilters[i] : lists[i - std::size(kFilters)];
}

}  // namespace

int jinja_filter_id(std::string_view name) {
  const int n = static_cast<int>(std::size(kFilters) + jinja_list_filters().size());
  for (int id = 0; id < n; ++id) {
    if (entry_of(id).name == name) return id;
  }
  return -1;
}

JinjaValue JinjaRenderer::filter(int id, const JinjaValue& input, JinjaArguments arguments) {
  const JinjaFilterEntry& entry = entry_of(id);
  budget_.step();
  if (entry.raw) return entry.raw(*this, input, std::move(arguments));
  JinjaBound bound = jinja_bind(entry.name, entry.parameters, entry.required, std::move(arguments));
  return entry.run(*this, input, bound);
}

}  // namespace phial
