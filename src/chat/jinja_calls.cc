// SPDX-License-Identifier: Apache-2.0
// Calls in a chat template: arguments matched with parameters, macros, and the functions that every
// template has. Methods: jinja_methods.cc.
#include <algorithm>

#include "base/error.h"
#include "base/system.h"
#include "chat/jinja_eval.h"

namespace phial {
namespace {

using Kind = JinjaValue::Kind;
using NodeKind = JinjaNode::Kind;

// The sandbox's own limit (jinja2.sandbox.MAX_RANGE).
constexpr int64_t kMaxRange = 100000;

constexpr std::string_view kBuiltins[] = {"range", "dict", "namespace", "raise_exception",
                                          "strftime_now"};

int64_t integer_argument(const JinjaValue& value, std::string_view what) {
  if (!value.is_integer()) {
    throw_error(Code::kInvalidArgument, "{}: found a {}, expected an integer", what,
                value.type_name());
  }
  return value.as_integer();
}

}  // namespace

JinjaBound jinja_bind(std::string_view what, std::string_view parameters, size_t required,
                      JinjaArguments arguments) {
  std::vector<std::string_view> names;
  for (size_t pos = 0; pos < parameters.size();) {
    const size_t end = std::min(parameters.find(' ', pos), parameters.size());
    names.push_back(parameters.substr(pos, end - pos));
    pos = end + 1;
  }
  if (arguments.values.size() > names.size()) {
    throw_error(Code::kInvalidArgument, "{}: {} arguments, expected at most {}", what,
                arguments.values.size(), names.size());
  }
  JinjaBound out;
  out.values.resize(names.size());
  for (size_t i = 0; i < arguments.values.size(); ++i)
    out.values[i] = std::move(arguments.values[i]);
  for (auto& [name, value] : arguments.named) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw_error(Code::kInvalidArgument, "{}: no parameter is named '{}'", what, name);
    std::optional<JinjaValue>& place = out.values[static_cast<size_t>(found - names.begin())];
    if (place) throw_error(Code::kInvalidArgument, "{}: parameter '{}' is given twice", what, name);
    place = std::move(value);
  }
  for (size_t i = 0; i < required; ++i) {
    if (!out.values[i])
      throw_error(Code::kInvalidArgument, "{}: parameter '{}' is missing", what, names[i]);
  }
  return out;
}

std::span<const std::string_view> JinjaRenderer::builtins() { return kBuiltins; }

JinjaValue JinjaRenderer::eval_call(const Node& node) {
  const Node& callee = *node.args[0];
  JinjaValue function;
  if (callee.kind == NodeKind::kAttribute) {
    const JinjaValue object = eval(*callee.args[0]);
    if (!object.is(Kind::kNamespace)) {
      JinjaArguments values = arguments(node);
      line_ = node.line;
      return method(object, callee.text, std::move(values));
    }
    function = attribute(object, callee.text);
  } else {
    function = eval(callee);
  }
  if (function.is_undefined())
    throw_error(Code::kInvalidArgument, "{} is undefined", function.undefined_name());
  JinjaArguments values = arguments(node);
  line_ = node.line;
  if (function.is(Kind::kMacro)) return call_macro(*function.as_macro(), std::move(values));
  if (!function.is(Kind::kFunction)) {
    throw_error(Code::kInvalidArgument, "a {} can't be called", function.type_name());
  }
  return call_builtin(static_cast<int>(function.as_integer()), std::move(values));
}

JinjaValue JinjaRenderer::call_macro(const JinjaMacro& macro, JinjaArguments arguments) {
  const Node& node = *macro.node;
  std::string parameters;
  for (const Node::Target& target : node.targets)
    parameters += (parameters.empty() ? "" : " ") + target.name;
  JinjaBound bound = jinja_bind("macro '" + node.text + "'", parameters, 0, std::move(arguments));
  const JinjaRestore restore(scope_);
  scope_ = push_scope(macro.scope);
  const size_t without_default = node.targets.size() - node.args.size();
  for (size_t i = 0; i < node.targets.size(); ++i) {
    if (bound.values[i]) {
      assign(node.targets[i].name, std::move(*bound.values[i]));
    } else if (i >= without_default) {
      assign(node.targets[i].name, eval(*node.args[i - without_default]));
    } else {
      assign(node.targets[i].name,
             JinjaValue::undefined("parameter '" + node.targets[i].name + "'"));
    }
  }
  return make(capture(node.body));
}

JinjaValue JinjaRenderer::call_builtin(int id, JinjaArguments arguments) {
  const std::string_view name = id >= 0 ? kBuiltins[id] : "a method kept in a variable";
  if (name == "range") {
    const JinjaBound args = jinja_bind(name, "start stop step", 1, std::move(arguments));
    int64_t start = integer_argument(args.at(0), name), stop = 0, step = 1;
    if (args.has(1)) {
      stop = integer_argument(args.at(1), name);
    } else {
      std::swap(start, stop);
    }
    if (args.has(2)) step = integer_argument(args.at(2), name);
    if (step == 0)
      throw_error(Code::kInvalidArgument, "range: the step is 0, expected another number");
    JinjaList list;
    while (step > 0 ? start < stop : start > stop) {
      if (list.size() >= kMaxRange)
        throw_error(Code::kUnsupported, "range: more than {} numbers", kMaxRange);
      list.push_back(JinjaValue::integer(start));
      if (__builtin_add_overflow(start, step, &start)) break;
    }
    return make_list(std::move(list));
  }
  if (name == "dict" || name == "namespace") {
    JinjaDict dict;
    if (arguments.values.size() > 1)
      throw_error(Code::kInvalidArgument, "{}: more than one argument", name);
    if (!arguments.values.empty()) {
      if (!arguments.values[0].is_dict()) {
        throw_error(Code::kUnsupported, "{}: found a {}, expected a dict", name,
                    arguments.values[0].type_name());
      }
      dict = arguments.values[0].as_dict();
    }
    for (auto& [key, value] : arguments.named) {
      const auto old = std::find_if(dict.begin(), dict.end(), [&, k = key](const auto& entry) {
        return entry.first.is_string() && entry.first.as_string() == k;
      });
      if (old != dict.end()) {
        old->second = std::move(value);
      } else {
        dict.emplace_back(JinjaValue::string(std::string(key)), std::move(value));
      }
    }
    budget_.take(96 * dict.size() + 64);
    if (name == "dict") return JinjaValue::dict(std::move(dict));
    JinjaNamespace& space = namespaces_.emplace_back();
    for (auto& [key, value] : dict) space.names.emplace_back(str(key), std::move(value));
    return JinjaValue::name_space(&space);
  }
  if (name == "raise_exception") {
    const JinjaBound args = jinja_bind(name, "message", 1, std::move(arguments));
    throw Error(Code::kInvalidArgument, str(args.at(0)));
  }
  if (name == "strftime_now") {
    const JinjaBound args = jinja_bind(name, "format", 1, std::move(arguments));
    if (!args.at(0).is_string() || args.at(0).as_string().size() > 200) {
      throw_error(Code::kInvalidArgument, "strftime_now: expected a format of at most 200 bytes");
    }
    return make(local_time(std::string(args.at(0).as_string())));
  }
  throw_error(Code::kUnsupported, "{} can't be called in phial's subset of Jinja", name);
}

}  // namespace phial
