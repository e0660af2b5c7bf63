// SPDX-License-Identifier: Apache-2.0
// One rendering of a chat template: scopes, output, what it may still do. Statements and
// expressions in jinja_eval.cc and jinja_operators.cc; calls, filters, tests and methods in files
// of their own.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/jinja_ast.h"
#include "chat/jinja_value.h"

namespace phial {

struct JinjaScope {
  JinjaScope* parent = nullptr;
  std::vector<std::pair<std::string_view, JinjaValue>> names;
};
struct JinjaNamespace {
  std::vector<std::pair<std::string, JinjaValue>> names;
};
struct JinjaLoop {
  JinjaList items;  // after the filter
  size_t index = 0;
  std::optional<JinjaValue> changed;  // arguments of the last loop.changed()
};
struct JinjaMacro {
  const JinjaNode* node;
  JinjaScope* scope;  // where it was defined
};

// Arguments of a call, before and after they are matched with parameter names.
struct JinjaArguments {
  std::vector<JinjaValue> values;
  std::vector<std::pair<std::string_view, JinjaValue>> named;
};
struct JinjaBound {
  std::vector<std::optional<JinjaValue>> values;  // one a parameter

  bool has(size_t i) const { return i < values.size() && values[i].has_value(); }
  const JinjaValue& at(size_t i) const { return *values[i]; }
  bool flag(size_t i) const { return has(i) && at(i).truthy(); }
};
// `parameters`: names separated by spaces. Throws kInvalidArgument for too many, unknown or
// repeated ones, and if fewer than `required` are there.
JinjaBound jinja_bind(std::string_view what, std::string_view parameters, size_t required,
                      JinjaArguments arguments);

template <class T>
struct JinjaRestore {  // sets a variable back at the end of the block
  explicit JinjaRestore(T& v) : variable(v), value(v) {}
  ~JinjaRestore() { variable = value; }
  T& variable;
  T value;
};

class JinjaRenderer {
 public:
  JinjaRenderer(const JinjaNode& root,
                JinjaValue variables);  // a dict with texts as keys; root must outlive it
  std::string render();
  int line() const { return line_; }  // where it is, for errors

  JinjaBudget& budget() { return budget_; }

  // For filters, tests and methods; all pay from the budget.
  JinjaValue make(std::string text, bool markup = false);
  JinjaValue make_list(JinjaList items);
  std::string str(const JinjaValue& value);
  JinjaList items(
      const JinjaValue& value);  // what a loop over it gives; throws if it can't be iterated
  size_t length(const JinjaValue& value);
  JinjaValue attribute(const JinjaValue& value, std::string_view name);
  JinjaValue item(const JinjaValue& value, const JinjaValue& key);
  bool contains(const JinjaValue& container, const JinjaValue& value);
  JinjaValue binary(JinjaOp op, const JinjaValue& a, const JinjaValue& b);
  bool compare(JinjaOp op, const JinjaValue& a, const JinjaValue& b);
  JinjaValue replace(std::string_view text, std::string_view from, std::string_view to,
                     int64_t count);
  JinjaValue filter(int id, const JinjaValue& input, JinjaArguments arguments);
  bool test(int id, const JinjaValue& input, JinjaArguments arguments);
  JinjaValue method(const JinjaValue& value, const std::string& name, JinjaArguments arguments);

 private:
  enum class Flow { kNext, kBreak, kContinue };
  using Node = JinjaNode;

  Flow run(const std::vector<JinjaNodePtr>& body);
  Flow run(const Node& node);
  Flow run_for(const Node& node);
  std::string capture(const std::vector<JinjaNodePtr>& body);
  JinjaValue apply_filters(const Node& filter, JinjaValue input);

  JinjaValue eval(const Node& node);
  JinjaValue eval_call(const Node& node);
  JinjaValue eval_slice(const Node& node);
  JinjaValue call_macro(const JinjaMacro& macro, JinjaArguments arguments);
  static std::span<const std::string_view> builtins();  // the functions' names; the id is the index
  JinjaValue call_builtin(int id, JinjaArguments arguments);
  JinjaArguments arguments(const Node& node);

  const JinjaValue* lookup(std::string_view name) const;
  void assign(std::string_view name, JinjaValue value);
  void assign(const Node::Target& target, const JinjaValue& value);
  void write(std::string_view text);
  JinjaScope* push_scope(JinjaScope* parent);

  const Node& root_;
  const JinjaValue variables_;
  JinjaBudget budget_;
  std::deque<JinjaScope> scopes_;  // live as long as the rendering: macros may refer to them
  std::deque<JinjaNamespace> namespaces_;
  std::deque<JinjaLoop> loops_;
  std::deque<JinjaMacro> macros_;
  JinjaScope* scope_ = nullptr;
  std::string* out_ = nullptr;
  int line_ = 1;
  int depth_ = 0;  // of the recursion
};

}  // namespace phial
