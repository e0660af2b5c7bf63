// SPDX-License-Identifier: Apache-2.0
// Methods of Python's str and dict that templates call, and those of a loop. What would change a
// list or dict is refused, as in the sandbox that transformers uses.
#include <algorithm>

#include "base/error.h"
#include "chat/jinja_eval.h"
#include "chat/jinja_text.h"

namespace phial {
namespace {

using Kind = JinjaValue::Kind;

struct Method {
  std::string_view name, parameters;
  size_t required;
};
constexpr Method kStringMethods[] = {
    {"strip", "chars", 0},
    {"lstrip", "chars", 0},
    {"rstrip", "chars", 0},
    {"upper", "", 0},
    {"lower", "", 0},
    {"title", "", 0},
    {"capitalize", "", 0},
    {"split", "sep maxsplit", 0},
    {"rsplit", "sep maxsplit", 0},
    {"splitlines", "", 0},
    {"startswith", "prefix", 1},
    {"endswith", "suffix", 1},
    {"replace", "old new count", 2},
    {"join", "iterable", 1},
    {"find", "sub", 1},
    {"rfind", "sub", 1},
    {"index", "sub", 1},
    {"count", "sub", 1},
    {"isdigit", "", 0},
    {"isspace", "", 0},
    {"partition", "sep", 1},
    {"rpartition", "sep", 1},
    {"removeprefix", "prefix", 1},
    {"removesuffix", "suffix", 1},
};
constexpr Method kDictMethods[] = {{"items", "", 0},
                                   {"keys", "", 0},
                                   {"values", "", 0},
                                   {"get", "key default", 1},
                                   {"copy", "", 0}};
constexpr std::string_view kLoopMethods[] = {"cycle", "changed"};

const std::string& text_of(const JinjaValue& value, std::string_view method) {
  if (!value.is_string()) {
    throw_error(Code::kInvalidArgument, "{}: found a {}, expected a str", method,
                value.type_name());
  }
  return value.as_string();
}

int64_t count_of(const JinjaBound& args, size_t i, std::string_view method) {
  if (!args.has(i)) return -1;
  if (!args.at(i).is_integer()) {
    throw_error(Code::kInvalidArgument, "{}: found a {}, expected an integer", method,
                args.at(i).type_name());
  }
  return args.at(i).as_integer();
}

// str.split() and str.rsplit(); without a separator at whitespace.
std::vector<std::string_view> split(std::string_view text, const std::string* separator,
                                    int64_t most, bool right) {
  std::vector<std::string_view> out;
  if (separator) {
    for (; most != 0; --most) {
      const size_t at = right ? text.rfind(*separator) : text.find(*separator);
      if (at == std::string_view::npos) break;
      out.push_back(right ? text.substr(at + separator->size()) : text.substr(0, at));
      text = right ? text.substr(0, at) : text.substr(at + separator->size());
    }
    out.push_back(text);
  } else {
    const std::vector<std::string_view> characters =
        jinja_characters(text);  // a space may be several bytes
    const auto is_space = [&](size_t i) { return jinja_strip(characters[i], true, false).empty(); };
    size_t begin = 0, end = characters.size();
    while (true) {
      while (begin < end && is_space(right ? end - 1 : begin)) right ? --end : ++begin;
      if (begin == end) break;
      size_t first = begin, last = end;  // the word
      if (most-- == 0) {
        begin = end;  // the rest, as it is
      } else if (right) {
        while (end > begin && !is_space(end - 1)) --end;
        first = end;
      } else {
        while (begin < end && !is_space(begin)) ++begin;
        last = begin;
      }
      const char* start = characters[first].data();
      out.emplace_back(start, static_cast<size_t>(characters[last - 1].data() +
                                                  characters[last - 1].size() - start));
      if (begin == end) break;
    }
  }
  if (right) std::reverse(out.begin(), out.end());
  return out;
}

bool has_affix(const std::string& text, const JinjaValue& affix, bool at_end,
               std::string_view method) {
  if (affix.is(Kind::kTuple)) {
    return std::any_of(affix.as_list().begin(), affix.as_list().end(),
                       [&](const JinjaValue& one) { return has_affix(text, one, at_end, method); });
  }
  const std::string& part = text_of(affix, method);
  return at_end ? text.ends_with(part) : text.starts_with(part);
}

}  // namespace

bool jinja_is_method(std::string_view name) {
  const auto has = [&](const auto& table) {
    return std::any_of(std::begin(table), std::end(table),
                       [&](const Method& m) { return m.name == name; });
  };
  return has(kStringMethods) || has(kDictMethods) ||
         std::find(std::begin(kLoopMethods), std::end(kLoopMethods), name) !=
             std::end(kLoopMethods);
}

JinjaValue JinjaRenderer::replace(std::string_view text, std::string_view from, std::string_view to,
                                  int64_t count) {
  // The result is paid before it is made: it may be far longer than what goes in.
  size_t places = from.empty() ? text.size() + 1 : 0;
  if (!from.empty()) {
    for (size_t at = text.find(from); at != std::string_view::npos;
         at = text.find(from, at + from.size()))
      ++places;
  }
  if (count >= 0) places = std::min(places, static_cast<size_t>(count));
  budget_.step(text.size() / 16);
  if (to.size() > 0 && places > INT32_MAX / to.size()) budget_.take(SIZE_MAX);
  budget_.take(places * to.size() + (from.empty() ? 16 * text.size() : 0));
  return make(jinja_replace(text, from, to, count));
}

JinjaValue JinjaRenderer::method(const JinjaValue& value, const std::string& name,
                                 JinjaArguments arguments) {
  if (value.is_undefined())
    throw_error(Code::kInvalidArgument, "{} is undefined", value.undefined_name());
  const auto find = [&](const auto& table) -> const Method* {
    const auto found = std::find_if(std::begin(table), std::end(table),
                                    [&](const Method& m) { return m.name == name; });
    return found == std::end(table) ? nullptr : &*found;
  };
  if (value.is(Kind::kLoop)) {
    JinjaLoop& loop = *value.as_loop();
    if (name == "cycle" && !arguments.values.empty())
      return arguments.values[loop.index % arguments.values.size()];
    if (name == "changed") {
      JinjaValue now = JinjaValue::tuple(std::move(arguments.values));
      const bool same = loop.changed && jinja_equal(*loop.changed, now, budget_);
      loop.changed = std::move(now);
      return JinjaValue::boolean(!same);
    }
  }
  if (value.is_dict()) {
    if (const Method* method = find(kDictMethods)) {
      const JinjaBound args =
          jinja_bind(name, method->parameters, method->required, std::move(arguments));
      if (name == "copy") return value;
      if (name == "get") {
        if (!jinja_hashable(args.at(0))) {
          throw_error(Code::kInvalidArgument, "get: a {} can't be a key", args.at(0).type_name());
        }
        if (const JinjaValue* found = value.find(args.at(0), budget_)) return *found;
        return args.has(1) ? args.at(1) : JinjaValue::none();
      }
      JinjaList list;
      for (const auto& [key, item] : value.as_dict()) {
        list.push_back(name == "items"  ? JinjaValue::tuple({key, item})
                       : name == "keys" ? key
                                        : item);
      }
      budget_.take(128 * list.size());
      return make_list(std::move(list));
    }
  }
  const Method* method = value.is_string() ? find(kStringMethods) : nullptr;
  if (!method)
    throw_error(Code::kInvalidArgument, "a {} has no method '{}' (that a template may call)",
                value.type_name(), name);

  const JinjaBound args =
      jinja_bind(name, method->parameters, method->required, std::move(arguments));
  const std::string& text = value.as_string();
  budget_.step(text.size() / 16);
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    const bool left = name != "rstrip", right = name != "lstrip";
    if (!args.has(0) || args.at(0).is_none())
      return make(std::string(jinja_strip(text, left, right)));
    return make(std::string(jinja_strip(text, text_of(args.at(0), name), left, right)));
  }
  if (name == "upper") return make(jinja_to_case(text, JinjaCase::kUpper));
  if (name == "lower") return make(jinja_to_case(text, JinjaCase::kLower));
  if (name == "title") return make(jinja_to_case(text, JinjaCase::kTitle));
  if (name == "capitalize") return make(jinja_capitalize(text));
  if (name == "split" || name == "rsplit" || name == "splitlines") {
    std::vector<std::string_view> parts;
    if (name == "splitlines") {
      parts = jinja_split_lines(text);
    } else {
      const std::string* separator =
          args.has(0) && !args.at(0).is_none() ? &text_of(args.at(0), name) : nullptr;
      if (separator && separator->empty())
        throw_error(Code::kInvalidArgument, "{}: the separator is empty", name);
      budget_.take(16 * text.size());
      parts = split(text, separator, count_of(args, 1, name), name == "rsplit");
    }
    JinjaList list;
    for (const std::string_view part : parts) list.push_back(make(std::string(part)));
    return make_list(std::move(list));
  }
  if (name == "startswith") return JinjaValue::boolean(has_affix(text, args.at(0), false, name));
  if (name == "endswith") return JinjaValue::boolean(has_affix(text, args.at(0), true, name));
  if (name == "replace") {
    const std::string &from = text_of(args.at(0), name), &to = text_of(args.at(1), name);
    return replace(text, from, to, count_of(args, 2, name));
  }
  if (name == "join") {
    std::string out;
    bool first = true;
    for (const JinjaValue& part : items(args.at(0))) {
      if (!first) out += text;
      first = false;
      out += text_of(part, name);
      budget_.take(text.size() + part.as_string().size());
    }
    return make(std::move(out));
  }
  if (name == "isspace")
    return JinjaValue::boolean(!text.empty() && jinja_strip(text, true, true).empty());
  if (name == "isdigit") {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return JinjaValue::boolean(!text.empty() && std::all_of(text.begin(), text.end(), digit));
  }
  const std::string& part = text_of(args.at(0), name);
  if (name == "removeprefix") return make(text.starts_with(part) ? text.substr(part.size()) : text);
  if (name == "removesuffix")
    return make(text.ends_with(part) ? text.substr(0, text.size() - part.size()) : text);
  if (name == "count") {
    if (part.empty()) return JinjaValue::integer(static_cast<int64_t>(jinja_length(text)) + 1);
    int64_t n = 0;
    for (size_t at = text.find(part); at != std::string::npos;
         at = text.find(part, at + part.size()))
      ++n;
    return JinjaValue::integer(n);
  }
  const bool right = name[0] == 'r';
  const size_t at = right ? text.rfind(part) : text.find(part);
  if (name == "partition" || name == "rpartition") {
    if (part.empty()) throw_error(Code::kInvalidArgument, "{}: the separator is empty", name);
    if (at != std::string::npos) {
      return JinjaValue::tuple(
          {make(text.substr(0, at)), make(part), make(text.substr(at + part.size()))});
    }
    const JinjaValue none = make("");
    return right ? JinjaValue::tuple({none, none, value}) : JinjaValue::tuple({value, none, none});
  }
  if (at == std::string::npos) {  // find, rfind, index
    if (name == "index") throw_error(Code::kInvalidArgument, "index: the text wasn't found");
    return JinjaValue::integer(-1);
  }
  return JinjaValue::integer(
      static_cast<int64_t>(jinja_length(std::string_view(text).substr(0, at))));
}

}  // namespace phial
