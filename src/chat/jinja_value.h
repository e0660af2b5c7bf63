// SPDX-License-Identifier: Apache-2.0
// The values that a chat template works with: Python's, as far as templates see them. Strings,
// lists and dicts are immutable and shared; only a namespace changes. Printing, equality and truth
// follow Python 3.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace phial {

using Json = nlohmann::ordered_json;  // as base/json.h has it, without its weight

class JinjaValue;
struct JinjaNamespace;
struct JinjaLoop;
struct JinjaMacro;
using JinjaList = std::vector<JinjaValue>;
using JinjaDict =
    std::vector<std::pair<JinjaValue, JinjaValue>>;  // in insertion order, keys distinct

// Nesting of lists and dicts; JSON from outside is limited to 64.
constexpr int kJinjaMaxDepth = 100;

// What a rendering may still do. A template is code from outside: loops, texts and comparisons are
// paid for here.
struct JinjaBudget {
  int64_t steps = 5'000'000;           // about a second; a thousand messages need some 100'000
  int64_t bytes = int64_t{256} << 20;  // of all texts and lists ever made

  void step(size_t n = 1);  // both throw kUnsupported when it is used up
  void take(size_t n);
};

class JinjaValue {
 public:
  enum class Kind : uint8_t {
    kUndefined,
    kNone,
    kBool,
    kInt,
    kFloat,
    kString,
    kList,
    kTuple,
    kDict,
    kNamespace,
    kLoop,
    kMacro,
    kFunction
  };

  JinjaValue() = default;  // undefined
  static JinjaValue undefined(
      std::string what);  // what: named in errors, e.g. "'x'" or "attribute 'x'"
  static JinjaValue none();
  static JinjaValue boolean(bool value);
  static JinjaValue integer(int64_t value);
  static JinjaValue real(double value);
  static JinjaValue string(std::string value, bool markup = false);
  static JinjaValue list(JinjaList items);  // throws kUnsupported beyond kJinjaMaxDepth
  static JinjaValue tuple(JinjaList items);
  static JinjaValue dict(JinjaDict items);
  // The renderer owns these; they live until the end of the rendering.
  static JinjaValue name_space(JinjaNamespace* value);
  static JinjaValue loop(JinjaLoop* value);
  static JinjaValue macro(const JinjaMacro* value);
  static JinjaValue function(int id);
  static JinjaValue from_json(const Json& json);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_undefined() const { return kind_ == Kind::kUndefined; }
  bool is_none() const { return kind_ == Kind::kNone; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_dict() const { return kind_ == Kind::kDict; }
  bool is_sequence() const { return kind_ == Kind::kList || kind_ == Kind::kTuple; }
  bool is_integer() const {
    return kind_ == Kind::kInt || kind_ == Kind::kBool;
  }  // bool is an int in Python
  bool is_number() const { return is_integer() || kind_ == Kind::kFloat; }
  bool is_markup() const { return markup_; }  // result of |escape or |safe

  int64_t as_integer() const { return int_; }  // bool and int; function: its id
  double as_real() const { return kind_ == Kind::kFloat ? real_ : static_cast<double>(int_); }
  const std::string& as_string() const { return *static_cast<const std::string*>(data_.get()); }
  const JinjaList& as_list() const { return *static_cast<const JinjaList*>(data_.get()); }
  const JinjaDict& as_dict() const { return *static_cast<const JinjaDict*>(data_.get()); }
  JinjaNamespace* as_namespace() const { return static_cast<JinjaNamespace*>(pointer_); }
  JinjaLoop* as_loop() const { return static_cast<JinjaLoop*>(pointer_); }
  const JinjaMacro* as_macro() const { return static_cast<const JinjaMacro*>(pointer_); }
  std::string undefined_name() const;

  bool truthy() const;
  const JinjaValue* find(const JinjaValue& key,
                         JinjaBudget& budget) const;  // of a dict; nullptr if it isn't there
  const JinjaValue* find(std::string_view key) const;
  const char* type_name() const;  // Python's: "str", "dict", ...
  int depth() const { return depth_; }

 private:
  static JinjaValue container(Kind kind, std::shared_ptr<const void> data, int depth);

  Kind kind_ = Kind::kUndefined;
  bool markup_ = false;
  uint8_t depth_ = 0;  // of lists and dicts: 1 + that of the deepest item
  union {
    int64_t int_ = 0;
    double real_;
    void* pointer_;
  };
  std::shared_ptr<const void> data_;
};

bool jinja_equal(const JinjaValue& a, const JinjaValue& b, JinjaBudget& budget);
// -1, 0, 1; throws kInvalidArgument for types that Python doesn't order.
int jinja_compare(const JinjaValue& a, const JinjaValue& b, JinjaBudget& budget);
bool jinja_hashable(const JinjaValue& value);

// str(value), as {{ value }} prints it, and repr(value), as it stands in a printed list. Append to
// `out`; the budget pays for it.
void jinja_str(const JinjaValue& value, std::string& out, JinjaBudget& budget);
void jinja_repr(const JinjaValue& value, std::string& out, JinjaBudget& budget);
std::string jinja_float_repr(double value);

struct JinjaJsonStyle {
  bool ensure_ascii = false, sort_keys = false, pretty = false;
  std::string indent, item_separator = ", ", key_separator = ": ";
};
// json.dumps(value); throws kInvalidArgument for what JSON can't hold (undefined, a macro).
void jinja_to_json(const JinjaValue& value, const JinjaJsonStyle& style, std::string& out,
                   JinjaBudget& budget);

}  // namespace phial
