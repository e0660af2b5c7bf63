// SPDX-License-Identifier: Apache-2.0
// The tests of {{ x is ... }}.
#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "chat/jinja_eval.h"
#include "chat/jinja_text.h"

namespace phial {
namespace {

using Kind = JinjaValue::Kind;

enum class Test : uint8_t {
  kDefined,
  kUndefined,
  kNone,
  kBoolean,
  kTrue,
  kFalse,
  kInteger,
  kFloat,
  kNumber,
  kString,
  kMapping,
  kIterable,
  kSequence,
  kCallable,
  kEven,
  kOdd,
  kDivisibleBy,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kIn,
  kLower,
  kUpper,
  kSameAs,
  kEscaped
};
struct Entry {
  std::string_view name;
  Test test;
  size_t arguments;
};
constexpr Entry kTests[] = {
    {"defined", Test::kDefined, 0},
    {"undefined", Test::kUndefined, 0},
    {"none", Test::kNone, 0},
    {"boolean", Test::kBoolean, 0},
    {"true", Test::kTrue, 0},
    {"false", Test::kFalse, 0},
    {"integer", Test::kInteger, 0},
    {"float", Test::kFloat, 0},
    {"number", Test::kNumber, 0},
    {"string", Test::kString, 0},
    {"mapping", Test::kMapping, 0},
    {"iterable", Test::kIterable, 0},
    {"sequence", Test::kSequence, 0},
    {"callable", Test::kCallable, 0},
    {"even", Test::kEven, 0},
    {"odd", Test::kOdd, 0},
    {"divisibleby", Test::kDivisibleBy, 1},
    {"eq", Test::kEq, 1},
    {"equalto", Test::kEq, 1},
    {"==", Test::kEq, 1},
    {"ne", Test::kNe, 1},
    {"!=", Test::kNe, 1},
    {"lt", Test::kLt, 1},
    {"lessthan", Test::kLt, 1},
    {"<", Test::kLt, 1},
    {"le", Test::kLe, 1},
    {"<=", Test::kLe, 1},
    {"gt", Test::kGt, 1},
    {"greaterthan", Test::kGt, 1},
    {">", Test::kGt, 1},
    {"ge", Test::kGe, 1},
    {">=", Test::kGe, 1},
    {"in", Test::kIn, 1},
    {"lower", Test::kLower, 0},
    {"upper", Test::kUpper, 0},
    {"sameas", Test::kSameAs, 1},
    {"escaped", Test::kEscaped, 0},
};

// str.islower() and isupper(): there is a letter with a case, and none of the other case.
bool has_only_case(const std::string& text, JinjaCase wanted) {
  bool any = false;
  for (const std::string_view c : jinja_characters(text)) {
    char32_t point = 0;
    utf8_decode(c, 0, point);
    if (!jinja_is_cased(point)) continue;
    std::string same;
    jinja_append_case(same, point, wanted);
    if (same != c) return false;
    any = true;
  }
  return any;
}

bool same_object(const JinjaValue& a, const JinjaValue& b, JinjaBudget& budget) {
  if (a.kind() != b.kind()) return false;
  if (a.is_sequence()) return &a.as_list() == &b.as_list();
  if (a.is_dict()) return &a.as_dict() == &b.as_dict();
  return jinja_equal(a, b, budget);
}

}  // namespace

int jinja_test_id(std::string_view name) {
  const auto found = std::find_if(std::begin(kTests), std::end(kTests),
                                  [&](const Entry& e) { return e.name == name; });
  return found == std::end(kTests) ? -1 : static_cast<int>(found - std::begin(kTests));
}

bool JinjaRenderer::test(int id, const JinjaValue& input, JinjaArguments arguments) {
  const Entry& entry = kTests[id];
  budget_.step();
  if (arguments.values.size() != entry.arguments || !arguments.named.empty()) {
    throw_error(Code::kInvalidArgument, "the test '{}' takes {} arguments, found {}", entry.name,
                entry.arguments, arguments.values.size() + arguments.named.size());
  }
  const auto argument = [&]() -> const JinjaValue& { return arguments.values[0]; };
  const auto rest = [&](const JinjaValue& divisor) {
    return binary(JinjaOp::kMod, input, divisor).as_real();
  };
  const Kind kind = input.kind();
  const bool is_text = kind == Kind::kString;
  switch (entry.test) {
    case Test::kDefined:
      return !input.is_undefined();
    case Test::kUndefined:
      return input.is_undefined();
    case Test::kNone:
      return input.is_none();
    case Test::kBoolean:
      return kind == Kind::kBool;
    case Test::kTrue:
      return kind == Kind::kBool && input.truthy();
    case Test::kFalse:
      return kind == Kind::kBool && !input.truthy();
    case Test::kInteger:
      return kind == Kind::kInt;
    case Test::kFloat:
      return kind == Kind::kFloat;
    case Test::kNumber:
      return input.is_number();
    case Test::kString:
      return is_text;
    case Test::kMapping:
      return input.is_dict();
    case Test::kIterable:
    case Test::kSequence:
      return is_text || input.is_sequence() || input.is_dict() || input.is_undefined();
    case Test::kCallable:
      return kind == Kind::kMacro || kind == Kind::kFunction;
    case Test::kEven:
      return rest(JinjaValue::integer(2)) == 0;
    case Test::kOdd:
      return rest(JinjaValue::integer(2)) == 1;
    case Test::kDivisibleBy:
      return rest(argument()) == 0;
    case Test::kEq:
      return compare(JinjaOp::kEq, input, argument());
    case Test::kNe:
      return compare(JinjaOp::kNe, input, argument());
    case Test::kLt:
      return compare(JinjaOp::kLt, input, argument());
    case Test::kLe:
      return compare(JinjaOp::kLe, input, argument());
    case Test::kGt:
      return compare(JinjaOp::kGt, input, argument());
    case Test::kGe:
      return compare(JinjaOp::kGe, input, argument());
    case Test::kIn:
      return compare(JinjaOp::kIn, input, argument());
    case Test::kLower:
      return has_only_case(str(input), JinjaCase::kLower);
    case Test::kUpper:
      return has_only_case(str(input), JinjaCase::kUpper);
    case Test::kSameAs:
      return same_object(input, argument(), budget_);
    case Test::kEscaped:
      return is_text && input.is_markup();
  }
  return false;
}

}  // namespace phial
