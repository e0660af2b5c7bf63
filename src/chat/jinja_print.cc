// SPDX-License-Identifier: Apache-2.0
// Values as text: str() and repr() of Python 3, and json.dumps() with its options.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/utf8.h"
#include "chat/jinja_text.h"
#include "chat/jinja_value.h"

namespace phial {
namespace {

using Kind = JinjaValue::Kind;

// repr() of a string: single quotes unless it holds those and no double ones.
void repr_string(const std::string& text, std::string& out) {
  const bool use_double =
      text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = use_double ? '"' : '\'';
  out += quote;
  for (size_t i = 0; i < text.size();) {
    char32_t c = 0;
    const size_t n = utf8_decode(text, i, c);
    if (c == U'\\' || c == static_cast<char32_t>(quote)) {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == U'\n') {
      out += "\\n";
    } else if (c == U'\r') {
      out += "\\r";
    } else if (c == U'\t') {
      out += "\\t";
    } else if (!jinja_is_printable(c)) {
      out += c < 0x100     ? fmt::format("\\x{:02x}", static_cast<uint32_t>(c))
             : c < 0x10000 ? fmt::format("\\u{:04x}", static_cast<uint32_t>(c))
                           : fmt::format("\\U{:08x}", static_cast<uint32_t>(c));
    } else {
      out.append(text, i, std::max<size_t>(n, 1));
    }
    i += std::max<size_t>(n, 1);
  }
  out += quote;
}

void json_string(const std::string& text, bool ensure_ascii, std::string& out) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    char32_t c = 0;
    const size_t n = std::max<size_t>(utf8_decode(text, i, c), 1);
    const auto unit = [&](uint32_t value) { out += fmt::format("\\u{:04x}", value); };
    switch (c) {
      case U'"':
        out += "\\\"";
        break;
      case U'\\':
        out += "\\\\";
        break;
      case U'\n':
        out += "\\n";
        break;
      case U'\r':
        out += "\\r";
        break;
      case U'\t':
        out += "\\t";
        break;
      case U'\b':
        out += "\\b";
        break;
      case U'\f':
        out += "\\f";
        break;
      default:
        if (c < 0x20 || (ensure_ascii && c > 0x7e && c < 0x10000)) {
          unit(static_cast<uint32_t>(c));
        } else if (ensure_ascii && c >= 0x10000) {
          unit(0xd800 + (static_cast<uint32_t>(c - 0x10000) >> 10));
          unit(0xdc00 + (static_cast<uint32_t>(c - 0x10000) & 0x3ff));
        } else {
          out.append(text, i, n);
        }
    }
    i += n;
  }
  out += '"';
}

std::string json_key(const JinjaValue& key) {
  switch (key.kind()) {
    case Kind::kString:
      return key.as_string();
    case Kind::kBool:
      return key.as_integer() ? "true" : "false";
    case Kind::kNone:
      return "null";
    case Kind::kInt:
      return std::to_string(key.as_integer());
    case Kind::kFloat:
      return jinja_float_repr(key.as_real());
    default:
      throw_error(Code::kInvalidArgument, "tojson: a key is a {}, expected a string or number",
                  key.type_name());
  }
}

struct JsonPrinter {
  const JinjaJsonStyle& style;
  std::string& out;
  JinjaBudget& budget;

  void line(int level) {
    if (!style.pretty) return;
    out += '\n';
    for (int i = 0; i < level; ++i) out += style.indent;
    budget.take(style.indent.size() * static_cast<size_t>(level));
  }

  void print(const JinjaValue& value, int level) {
    budget.step();
    budget.take(value.is_string() ? value.as_string().size() + 8 : 8);
    switch (value.kind()) {
      case Kind::kNone:
        out += "null";
        return;
      case Kind::kBool:
        out += value.as_integer() ? "true" : "false";
        return;
      case Kind::kInt:
        out += std::to_string(value.as_integer());
        return;
      case Kind::kFloat: {
        const double x = value.as_real();
        out += std::isnan(x)   ? "NaN"
               : std::isinf(x) ? (x > 0 ? "Infinity" : "-Infinity")
                               : jinja_float_repr(x);
        return;
      }
      case Kind::kString:
        json_string(value.as_string(), style.ensure_ascii, out);
        return;
      case Kind::kList:
      case Kind::kTuple: {
        out += '[';
        bool first = true;
        for (const JinjaValue& item : value.as_list()) {
          if (!first) out += style.item_separator;
          first = false;
          line(level + 1);
          print(item, level + 1);
        }
        if (!first) line(level);
        out += ']';
        return;
      }
      case Kind::kDict: {
        std::vector<const std::pair<JinjaValue, JinjaValue>*> items;
        for (const auto& item : value.as_dict()) items.push_back(&item);
        if (style.sort_keys) {
          std::stable_sort(items.begin(), items.end(), [&](const auto* a, const auto* b) {
            return jinja_compare(a->first, b->first, budget) < 0;
          });
        }
        out += '{';
        bool first = true;
        for (const auto* item : items) {
          if (!first) out += style.item_separator;
          first = false;
          line(level + 1);
          json_string(json_key(item->first), style.ensure_ascii, out);
          out += style.key_separator;
          print(item->second, level + 1);
        }
        if (!first) line(level);
        out += '}';
        return;
      }
      default:
        throw_error(Code::kInvalidArgument, "tojson: found a {}{}, which JSON can't hold",
                    value.type_name(),
                    value.is_undefined() ? " (" + value.undefined_name() + ")" : "");
    }
  }
};

}  // namespace

std::string jinja_float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[64];
  // Shortest digits that read back the same; Python writes an exponent below 1e-4 and from 1e16.
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr;
  std::string out(buffer, end);
  if (plain && out.find('.') == std::string::npos) out += ".0";
  return out;
}

void jinja_repr(const JinjaValue& value, std::string& out, JinjaBudget& budget) {
  budget.step();
  budget.take(value.is_string() ? value.as_string().size() + 8 : 8);
  const auto items = [&](const JinjaList& list) {
    for (size_t i = 0; i < list.size(); ++i) {
      if (i) out += ", ";
      jinja_repr(list[i], out, budget);
    }
  };
  switch (value.kind()) {
    case Kind::kUndefined:
      out += "Undefined";
      return;
    case Kind::kNone:
      out += "None";
      return;
    case Kind::kBool:
      out += value.as_integer() ? "True" : "False";
      return;
    case Kind::kInt:
      out += std::to_string(value.as_integer());
      return;
    case Kind::kFloat:
      out += jinja_float_repr(value.as_real());
      return;
    case Kind::kString:
      if (value.is_markup()) out += "Markup(";
      repr_string(value.as_string(), out);
      if (value.is_markup()) out += ')';
      return;
    case Kind::kList:
      out += '[';
      items(value.as_list());
      out += ']';
      return;
    case Kind::kTuple:
      out += '(';
      items(value.as_list());
      out += value.as_list().size() == 1 ? ",)" : ")";
      return;
    case Kind::kDict: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : value.as_dict()) {
        if (!first) out += ", ";
        first = false;
        jinja_repr(key, out, budget);
        out += ": ";
        jinja_repr(item, out, budget);
      }
      out += '}';
      return;
    }
    default:  // Python prints an address: no template can mean that
      throw_error(Code::kUnsupported, "a {} can't be printed", value.type_name());
  }
}

void jinja_str(const JinjaValue& value, std::string& out, JinjaBudget& budget) {
  if (value.is_string()) {
    budget.take(value.as_string().size());
    out += value.as_string();
  } else if (!value.is_undefined()) {
    jinja_repr(value, out, budget);
  }
}

void jinja_to_json(const JinjaValue& value, const JinjaJsonStyle& style, std::string& out,
                   JinjaBudget& budget) {
  JsonPrinter{style, out, budget}.print(value, 0);
}

}  // namespace phial
