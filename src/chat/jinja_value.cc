// SPDX-License-Identifier: Apache-2.0
#include "chat/jinja_value.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

namespace phial {
namespace {

using Kind = JinjaValue::Kind;

int depth_of(const JinjaList& items) {
  int depth = 0;
  for (const JinjaValue& item : items) depth = std::max(depth, item.depth());
  return depth + 1;
}

}  // namespace

void JinjaBudget::step(size_t n) {
  steps -= static_cast<int64_t>(n);
  if (steps < 0)
    throw_error(Code::kUnsupported, "the template does more than {} steps", JinjaBudget{}.steps);
}
void JinjaBudget::take(size_t n) {
  if (n > static_cast<size_t>(INT32_MAX)) n = INT32_MAX;
  bytes -= static_cast<int64_t>(n);
  if (bytes < 0)
    throw_error(Code::kUnsupported, "the template makes more than {} bytes of text",
                JinjaBudget{}.bytes);
}

JinjaValue JinjaValue::container(Kind kind, std::shared_ptr<const void> data, int depth) {
  if (depth > kJinjaMaxDepth) {
    throw_error(Code::kUnsupported, "a list or dict is nested more than {} deep", kJinjaMaxDepth);
  }
  JinjaValue out;
  out.kind_ = kind;
  out.depth_ = static_cast<uint8_t>(depth);
  out.data_ = std::move(data);
  return out;
}

JinjaValue JinjaValue::undefined(std::string what) {
  JinjaValue out;
  out.data_ = std::make_shared<const std::string>(std::move(what));
  return out;
}
std::string JinjaValue::undefined_name() const { return data_ ? as_string() : "value"; }

JinjaValue JinjaValue::none() {
  JinjaValue out;
  out.kind_ = Kind::kNone;
  return out;
}
JinjaValue JinjaValue::boolean(bool value) {
  JinjaValue out;
  out.kind_ = Kind::kBool;
  out.int_ = value;
  return out;
}
JinjaValue JinjaValue::integer(int64_t value) {
  JinjaValue out;
  out.kind_ = Kind::kInt;
  out.int_ = value;
  return out;
}
JinjaValue JinjaValue::real(double value) {
  JinjaValue out;
  out.kind_ = Kind::kFloat;
  out.real_ = value;
  return out;
}
JinjaValue JinjaValue::string(std::string value, bool markup) {
  JinjaValue out;
  out.kind_ = Kind::kString;
  out.markup_ = markup;
  out.data_ = std::make_shared<const std::string>(std::move(value));
  return out;
}
JinjaValue JinjaValue::list(JinjaList items) {
  const int depth = depth_of(items);
  return container(Kind::kList, std::make_shared<const JinjaList>(std::move(items)), depth);
}
JinjaValue JinjaValue::tuple(JinjaList items) {
  const int depth = depth_of(items);
  return container(Kind::kTuple, std::make_shared<const JinjaList>(std::move(items)), depth);
}
JinjaValue JinjaValue::dict(JinjaDict items) {
  int depth = 0;
  for (const auto& [key, value] : items) depth = std::max({depth, key.depth(), value.depth()});
  return container(Kind::kDict, std::make_shared<const JinjaDict>(std::move(items)), depth + 1);
}
JinjaValue JinjaValue::name_space(JinjaNamespace* value) {
  JinjaValue out;
  out.kind_ = Kind::kNamespace;
  out.pointer_ = value;
  return out;
}
JinjaValue JinjaValue::loop(JinjaLoop* value) {
  JinjaValue out;
  out.kind_ = Kind::kLoop;
  out.pointer_ = value;
  return out;
}
JinjaValue JinjaValue::macro(const JinjaMacro* value) {
  JinjaValue out;
  out.kind_ = Kind::kMacro;
  out.pointer_ = const_cast<JinjaMacro*>(value);
  return out;
}
JinjaValue JinjaValue::function(int id) {
  JinjaValue out;
  out.kind_ = Kind::kFunction;
  out.int_ = id;
  return out;
}

JinjaValue JinjaValue::from_json(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean:
      return boolean(json.get<bool>());
    case Json::value_t::number_integer:
      return integer(json.get<int64_t>());
    case Json::value_t::number_unsigned: {
      const uint64_t value = json.get<uint64_t>();
      if (value > INT64_MAX) return real(static_cast<double>(value));
      return integer(static_cast<int64_t>(value));
    }
    case Json::value_t::number_float:
      return real(json.get<double>());
    case Json::value_t::string:
      return string(utf8_replace_invalid(json.get_ref<const std::string&>()));
    case Json::value_t::array: {
      JinjaList items;
      items.reserve(json.size());
      for (const Json& item : json) items.push_back(from_json(item));
      return list(std::move(items));
    }
    case Json::value_t::object: {
      JinjaDict items;
      items.reserve(json.size());
      for (const auto& [key, value] : json.items()) {
        items.emplace_back(string(utf8_replace_invalid(key)), from_json(value));
      }
      return dict(std::move(items));
    }
    default:
      return none();
  }
}

bool JinjaValue::truthy() const {
  switch (kind_) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return int_ != 0;
    case Kind::kFloat:
      return real_ != 0;
    case Kind::kString:
      return !as_string().empty();
    case Kind::kList:
    case Kind::kTuple:
      return !as_list().empty();
    case Kind::kDict:
      return !as_dict().empty();
    default:
      return true;
  }
}

const JinjaValue* JinjaValue::find(const JinjaValue& key, JinjaBudget& budget) const {
  for (const auto& [name, value] : as_dict()) {
    if (jinja_equal(name, key, budget)) return &value;
  }
  return nullptr;
}
const JinjaValue* JinjaValue::find(std::string_view key) const {
  for (const auto& [name, value] : as_dict()) {
    if (name.is_string() && name.as_string() == key) return &value;
  }
  return nullptr;
}

const char* JinjaValue::type_name() const {
  switch (kind_) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kDict:
      return "dict";
    case Kind::kNamespace:
      return "Namespace";
    case Kind::kLoop:
      return "LoopContext";
    case Kind::kMacro:
      return "Macro";
    case Kind::kFunction:
      return "function";
  }
  return "object";
}

bool jinja_equal(const JinjaValue& a, const JinjaValue& b, JinjaBudget& budget) {
  budget.step();
  if (a.is_number() && b.is_number()) {
    if (a.is_integer() && b.is_integer()) return a.as_integer() == b.as_integer();
    return a.as_real() == b.as_real();
  }
  if (a.kind() != b.kind()) return false;
  const auto same = [&](const JinjaValue& x, const JinjaValue& y) {
    return jinja_equal(x, y, budget);
  };
  switch (a.kind()) {
    case Kind::kString:
      budget.step(a.as_string().size() / 64);
      return a.as_string() == b.as_string();
    case Kind::kList:
    case Kind::kTuple: {
      const JinjaList &x = a.as_list(), &y = b.as_list();
      return &x == &y || (x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), same));
    }
    case Kind::kDict: {
      if (&a.as_dict() == &b.as_dict()) return true;
      if (a.as_dict().size() != b.as_dict().size()) return false;
      for (const auto& [key, value] : a.as_dict()) {
        const JinjaValue* other = b.find(key, budget);
        if (!other || !jinja_equal(value, *other, budget)) return false;
      }
      return true;
    }
    case Kind::kNamespace:
      return a.as_namespace() == b.as_namespace();
    case Kind::kLoop:
      return a.as_loop() == b.as_loop();
    case Kind::kMacro:
      return a.as_macro() == b.as_macro();
    case Kind::kFunction:
      return a.as_integer() == b.as_integer();
    default:
      return true;  // none, undefined
  }
}

int jinja_compare(const JinjaValue& a, const JinjaValue& b, JinjaBudget& budget) {
  budget.step();
  const auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (a.is_integer() && b.is_integer()) return sign(a.as_integer(), b.as_integer());
  if (a.is_number() && b.is_number()) return sign(a.as_real(), b.as_real());
  // The order of UTF-8 bytes is the order of code points.
  if (a.is_string() && b.is_string()) return sign(a.as_string().compare(b.as_string()), 0);
  if (a.is_sequence() && a.kind() == b.kind()) {
    const JinjaList &x = a.as_list(), &y = b.as_list();
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (!jinja_equal(x[i], y[i], budget)) return jinja_compare(x[i], y[i], budget);
    }
    return sign(x.size(), y.size());
  }
  if (a.is_undefined() || b.is_undefined()) {
    throw_error(Code::kInvalidArgument, "{} is undefined",
                (a.is_undefined() ? a : b).undefined_name());
  }
  throw_error(Code::kInvalidArgument, "'<' isn't defined between '{}' and '{}'", a.type_name(),
              b.type_name());
}

bool jinja_hashable(const JinjaValue& value) {
  if (value.is(Kind::kList) || value.is(Kind::kDict)) return false;
  if (!value.is(Kind::kTuple)) return true;
  return std::all_of(value.as_list().begin(), value.as_list().end(), jinja_hashable);
}

}  // namespace phial
