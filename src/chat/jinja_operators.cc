// SPDX-License-Identifier: Apache-2.0
// Attributes, items, slices, arithmetic and comparisons, with Python's meaning and Jinja's
// undefined values.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "chat/jinja_eval.h"
#include "chat/jinja_text.h"

namespace phial {
namespace {

using Kind = JinjaValue::Kind;

constexpr int kMethodValue = -1;  // a method that is looked at, not called: it is defined and true

[[noreturn]] void undefined_error(const JinjaValue& value) {
  throw_error(Code::kInvalidArgument, "{} is undefined", value.undefined_name());
}

constexpr const char* kSymbols[] = {"+", "-",  "*", "/",  "//", "%",      "**", "==", "!=",
                                    "<", "<=", ">", ">=", "in", "not in", "-",  "+"};

[[noreturn]] void operand_error(JinjaOp op, const JinjaValue& a, const JinjaValue& b) {
  if (a.is_undefined()) undefined_error(a);
  if (b.is_undefined()) undefined_error(b);
  throw_error(Code::kInvalidArgument, "'{}' isn't defined for {} and {}",
              kSymbols[static_cast<int>(op)], a.type_name(), b.type_name());
}

[[noreturn]] void overflow() { throw_error(Code::kUnsupported, "an integer grew beyond 64 bits"); }

bool is_dict_method(std::string_view name) {
  static constexpr std::string_view kNames[] = {"clear",      "copy",   "fromkeys", "get",
                                                "items",      "keys",   "pop",      "popitem",
                                                "setdefault", "update", "values"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

JinjaValue integer_power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result)) overflow();
    if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) overflow();
  }
  return JinjaValue::integer(result);
}

JinjaValue integer_operator(JinjaOp op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool bad = false;
  switch (op) {
    case JinjaOp::kAdd:
      bad = __builtin_add_overflow(a, b, &out);
      break;
    case JinjaOp::kSub:
      bad = __builtin_sub_overflow(a, b, &out);
      break;
    case JinjaOp::kMul:
      bad = __builtin_mul_overflow(a, b, &out);
      break;
    case JinjaOp::kFloorDiv:
      if (a == INT64_MIN && b == -1) overflow();
      out = a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
      break;
    case JinjaOp::kMod:
      if (b == -1) return JinjaValue::integer(0);
      out = a % b;
      if (out != 0 && ((out < 0) != (b < 0))) out += b;
      break;
    default:
      return integer_power(a, b);
  }
  if (bad) overflow();
  return JinjaValue::integer(out);
}

JinjaValue real_operator(JinjaOp op, double a, double b) {
  switch (op) {
    case JinjaOp::kAdd:
      return JinjaValue::real(a + b);
    case JinjaOp::kSub:
      return JinjaValue::real(a - b);
    case JinjaOp::kMul:
      return JinjaValue::real(a * b);
    case JinjaOp::kDiv:
      return JinjaValue::real(a / b);
    case JinjaOp::kFloorDiv:
    case JinjaOp::kMod: {  // as CPython's float_divmod: the remainder has the sign of b
      double rest = std::fmod(a, b);
      double quotient = (a - rest) / b;
      if (rest != 0 && (b < 0) != (rest < 0)) {
        rest += b;
        quotient -= 1;
      }
      if (op == JinjaOp::kMod) return JinjaValue::real(rest == 0 ? std::copysign(0.0, b) : rest);
      const double floor = std::floor(quotient);
      return JinjaValue::real(quotient - floor > 0.5 ? floor + 1 : floor);
    }
    default:
      if (a < 0 && std::floor(b) != b)
        throw_error(Code::kUnsupported, "a power that is a complex number");
      return JinjaValue::real(std::pow(a, b));
  }
}

}  // namespace

JinjaValue JinjaRenderer::make(std::string text, bool markup) {
  budget_.take(text.size() + 64);
  return JinjaValue::string(std::move(text), markup);
}
JinjaValue JinjaRenderer::make_list(JinjaList items) {
  budget_.step(items.size());
  budget_.take(48 * items.size() + 64);
  return JinjaValue::list(std::move(items));
}
std::string JinjaRenderer::str(const JinjaValue& value) {
  std::string out;
  jinja_str(value, out, budget_);
  return out;
}

JinjaList JinjaRenderer::items(const JinjaValue& value) {
  JinjaList out;
  switch (value.kind()) {
    case Kind::kUndefined:
      break;
    case Kind::kList:
    case Kind::kTuple:
      out = value.as_list();
      break;
    case Kind::kDict:
      for (const auto& [key, item] : value.as_dict()) out.push_back(key);
      break;
    case Kind::kString:
      budget_.take(100 * value.as_string().size());
      for (const std::string_view c : jinja_characters(value.as_string())) {
        out.push_back(JinjaValue::string(std::string(c)));
      }
      break;
    default:
      throw_error(Code::kInvalidArgument, "a {} can't be iterated", value.type_name());
  }
  budget_.step(out.size());
  budget_.take(48 * out.size());
  return out;
}

size_t JinjaRenderer::length(const JinjaValue& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return 0;
    case Kind::kString:
      budget_.step(value.as_string().size() / 64);
      return jinja_length(value.as_string());
    case Kind::kList:
    case Kind::kTuple:
      return value.as_list().size();
    case Kind::kDict:
      return value.as_dict().size();
    default:
      throw_error(Code::kInvalidArgument, "a {} has no length", value.type_name());
  }
}

JinjaValue JinjaRenderer::attribute(const JinjaValue& value, std::string_view name) {
  const auto missing = [&] {
    return JinjaValue::undefined(fmt::format("attribute '{}' of a {}", name, value.type_name()));
  };
  switch (value.kind()) {
    case Kind::kUndefined:
      undefined_error(value);
    case Kind::kDict: {
      if (is_dict_method(name)) return JinjaValue::function(kMethodValue);
      budget_.step(value.as_dict().size() / 8);
      const JinjaValue* found = value.find(name);
      return found ? *found : missing();
    }
    case Kind::kNamespace:
      for (const auto& [known, item] : value.as_namespace()->names) {
        if (known == name) return item;
      }
      return missing();
    case Kind::kLoop: {
      const JinjaLoop& loop = *value.as_loop();
      const int64_t index = static_cast<int64_t>(loop.index),
                    n = static_cast<int64_t>(loop.items.size());
      if (name == "index") return JinjaValue::integer(index + 1);
      if (name == "index0") return JinjaValue::integer(index);
      if (name == "revindex") return JinjaValue::integer(n - index);
      if (name == "revindex0") return JinjaValue::integer(n - index - 1);
      if (name == "length") return JinjaValue::integer(n);
      if (name == "first") return JinjaValue::boolean(index == 0);
      if (name == "last") return JinjaValue::boolean(index + 1 == n);
      if (name == "depth") return JinjaValue::integer(1);  // only recursive loops go deeper
      if (name == "depth0") return JinjaValue::integer(0);
      if (name == "previtem")
        return index > 0 ? loop.items[loop.index - 1] : JinjaValue::undefined("previtem");
      if (name == "nextitem")
        return index + 1 < n ? loop.items[loop.index + 1] : JinjaValue::undefined("nextitem");
      return missing();
    }
    case Kind::kString:
    case Kind::kList:
      if (jinja_is_method(name) && !is_dict_method(name)) return JinjaValue::function(kMethodValue);
      return missing();
    default:
      return missing();
  }
}

JinjaValue JinjaRenderer::item(const JinjaValue& value, const JinjaValue& key) {
  if (value.is_undefined()) undefined_error(value);
  if (value.is_dict()) {
    if (jinja_hashable(key)) {
      if (const JinjaValue* found = value.find(key, budget_)) return *found;
    }
  } else if (key.is_integer() && (value.is_sequence() || value.is_string())) {
    int64_t n = static_cast<int64_t>(length(value)), index = key.as_integer();
    if (index < 0) index += n;
    if (index >= 0 && index < n) {
      if (value.is_sequence()) return value.as_list()[static_cast<size_t>(index)];
      const std::string& text = value.as_string();
      const size_t at = jinja_offset(text, static_cast<size_t>(index));
      return make(text.substr(at, jinja_offset(std::string_view(text).substr(at), 1)));
    }
  }
  if (key.is_string()) return attribute(value, key.as_string());
  std::string text;
  jinja_repr(key, text, budget_);
  return JinjaValue::undefined(
      fmt::format("item {} of a {}", text.substr(0, 60), value.type_name()));
}

JinjaValue JinjaRenderer::eval_slice(const Node& node) {
  const JinjaValue value = eval(*node.args[0]);
  std::optional<int64_t> part[3];
  for (int i = 0; i < 3; ++i) {
    if (!node.args[static_cast<size_t>(i) + 1]) continue;
    const JinjaValue bound = eval(*node.args[static_cast<size_t>(i) + 1]);
    if (bound.is_none()) continue;
    if (!bound.is_integer())
      throw_error(Code::kInvalidArgument, "a slice bound is a {}, expected an integer",
                  bound.type_name());
    part[i] = bound.as_integer();
  }
  if (value.is_undefined()) undefined_error(value);
  if (!value.is_sequence() && !value.is_string()) {
    return JinjaValue::undefined(fmt::format("a slice of a {}", value.type_name()));
  }
  // PySlice_AdjustIndices
  const int64_t n = static_cast<int64_t>(length(value)), step = part[2].value_or(1);
  if (step == 0) throw_error(Code::kInvalidArgument, "a slice step is 0, expected another number");
  const auto adjust = [&](std::optional<int64_t> bound, int64_t fallback) {
    if (!bound) return fallback;
    int64_t i = *bound < 0 ? *bound + n : *bound;
    return step > 0 ? std::clamp<int64_t>(i, 0, n) : std::clamp<int64_t>(i, -1, n - 1);
  };
  const int64_t start = adjust(part[0], step > 0 ? 0 : n - 1),
                stop = adjust(part[1], step > 0 ? n : -1);
  if (value.is_string() && step == 1) {
    const std::string& text = value.as_string();
    const size_t begin = jinja_offset(text, static_cast<size_t>(start));
    const size_t count = static_cast<size_t>(std::max<int64_t>(0, stop - start));
    return make(text.substr(begin, jinja_offset(std::string_view(text).substr(begin), count)),
                value.is_markup());
  }
  std::vector<int64_t> picked;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    picked.push_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  budget_.step(picked.size() / 8);
  budget_.take(8 * picked.size());
  if (value.is_string()) {
    const std::vector<std::string_view> characters = jinja_characters(value.as_string());
    budget_.take(16 * characters.size());
    std::string text;
    for (const int64_t i : picked) text += characters[static_cast<size_t>(i)];
    return make(std::move(text));
  }
  JinjaList list;
  for (const int64_t i : picked) list.push_back(value.as_list()[static_cast<size_t>(i)]);
  budget_.take(48 * list.size());
  return value.is(Kind::kList) ? JinjaValue::list(std::move(list))
                               : JinjaValue::tuple(std::move(list));
}

JinjaValue JinjaRenderer::binary(JinjaOp op, const JinjaValue& a, const JinjaValue& b) {
  const bool divides = op == JinjaOp::kDiv || op == JinjaOp::kFloorDiv || op == JinjaOp::kMod;
  if (a.is_number() && b.is_number()) {
    if (divides && b.as_real() == 0) throw_error(Code::kInvalidArgument, "division by zero");
    if (op == JinjaOp::kPow && a.as_real() == 0 && b.as_real() < 0) {
      throw_error(Code::kInvalidArgument, "0 can't be raised to a negative power");
    }
    const bool real = op == JinjaOp::kDiv || (op == JinjaOp::kPow && b.as_real() < 0);
    if (a.is_integer() && b.is_integer() && !real)
      return integer_operator(op, a.as_integer(), b.as_integer());
    return real_operator(op, a.as_real(), b.as_real());
  }
  if (op == JinjaOp::kAdd && a.is_string() && b.is_string()) {
    // Adding to markup (|safe, |escape) escapes the other side, as markupsafe does.
    const bool markup = a.is_markup() || b.is_markup();
    const auto side = [&](const JinjaValue& value) {
      return markup && !value.is_markup() ? jinja_escape_html(value.as_string())
                                          : value.as_string();
    };
    budget_.take(a.as_string().size() + b.as_string().size());
    return make(side(a) + side(b), markup);
  }
  if (op == JinjaOp::kAdd && a.is_sequence() && a.kind() == b.kind()) {
    JinjaList list = items(a);
    for (JinjaValue& value : items(b)) list.push_back(std::move(value));
    return a.is(Kind::kList) ? JinjaValue::list(std::move(list))
                             : JinjaValue::tuple(std::move(list));
  }
  if (op == JinjaOp::kMul && (a.is_integer() || b.is_integer())) {
    const JinjaValue& many = a.is_integer() ? b : a;
    const int64_t count = std::max<int64_t>(0, (a.is_integer() ? a : b).as_integer());
    const auto pay = [&](size_t size) {  // first pay, then make it
      if (size && count > INT32_MAX / static_cast<int64_t>(size)) budget_.take(SIZE_MAX);
      budget_.take(size * static_cast<size_t>(count));
    };
    if (many.is_string()) {
      pay(many.as_string().size());
      std::string text;
      if (!many.as_string().empty()) {
        for (int64_t i = 0; i < count; ++i) text += many.as_string();
      }
      return make(std::move(text), many.is_markup());
    }
    if (many.is_sequence()) {
      pay(48 * many.as_list().size());
      JinjaList list;
      if (!many.as_list().empty()) {
        for (int64_t i = 0; i < count; ++i)
          list.insert(list.end(), many.as_list().begin(), many.as_list().end());
      }
      return many.is(Kind::kList) ? JinjaValue::list(std::move(list))
                                  : JinjaValue::tuple(std::move(list));
    }
  }
  if (op == JinjaOp::kMod && a.is_string()) {
    throw_error(Code::kUnsupported,
                "formatting a string with '%' isn't in phial's subset of Jinja");
  }
  operand_error(op, a, b);
}

bool JinjaRenderer::contains(const JinjaValue& container, const JinjaValue& value) {
  switch (container.kind()) {
    case Kind::kUndefined:
      return false;
    case Kind::kString:
      if (!value.is_string()) operand_error(JinjaOp::kIn, value, container);
      budget_.step(container.as_string().size() / 16);
      return container.as_string().find(value.as_string()) != std::string::npos;
    case Kind::kList:
    case Kind::kTuple:
      for (const JinjaValue& item : container.as_list()) {
        if (jinja_equal(item, value, budget_)) return true;
      }
      return false;
    case Kind::kDict:
      if (!jinja_hashable(value)) operand_error(JinjaOp::kIn, value, container);
      return container.find(value, budget_) != nullptr;
    default:
      operand_error(JinjaOp::kIn, value, container);
  }
}

bool JinjaRenderer::compare(JinjaOp op, const JinjaValue& a, const JinjaValue& b) {
  switch (op) {
    case JinjaOp::kEq:
      return jinja_equal(a, b, budget_);
    case JinjaOp::kNe:
      return !jinja_equal(a, b, budget_);
    case JinjaOp::kIn:
      return contains(b, a);
    case JinjaOp::kNotIn:
      return !contains(b, a);
    default:
      break;
  }
  const bool nan = (a.is(Kind::kFloat) && std::isnan(a.as_real())) ||
                   (b.is(Kind::kFloat) && std::isnan(b.as_real()));
  const int order = jinja_compare(a, b, budget_);
  if (nan) return false;
  switch (op) {
    case JinjaOp::kLt:
      return order < 0;
    case JinjaOp::kLe:
      return order <= 0;
    case JinjaOp::kGt:
      return order > 0;
    default:
      return order >= 0;
  }
}

}  // namespace phial
