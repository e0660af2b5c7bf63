// SPDX-License-Identifier: Apache-2.0
// Statements, names and expressions. A name is looked up from the innermost scope outwards; `set`
// writes to the innermost. Calls: jinja_calls.cc.
#include "chat/jinja_eval.h"

#include <algorithm>

#include "base/error.h"

namespace phial {
namespace {

using Kind = JinjaValue::Kind;
using NodeKind = JinjaNode::Kind;

// Of evaluation, macros included; a frame is below 1 KiB, with a sanitizer below 8.
constexpr int kMaxDepth = 400;
struct Deeper {
  explicit Deeper(int& d) : depth(d) {
    if (++depth > kMaxDepth) {
      --depth;
      throw_error(Code::kUnsupported,
                  "the template nests more than {} deep (a macro that calls itself?)", kMaxDepth);
    }
  }
  ~Deeper() { --depth; }
  int& depth;
};

}  // namespace

JinjaRenderer::JinjaRenderer(const JinjaNode& root, JinjaValue variables)
    : root_(root), variables_(std::move(variables)) {
  scope_ = push_scope(nullptr);
  for (size_t i = 0; i < builtins().size(); ++i)
    scope_->names.emplace_back(builtins()[i], JinjaValue::function(static_cast<int>(i)));
  scope_ = push_scope(scope_);
  for (const auto& [name, value] : variables_.as_dict())
    scope_->names.emplace_back(name.as_string(), value);
  scope_ = push_scope(scope_);
}

std::string JinjaRenderer::render() { return capture(root_.body); }

JinjaScope* JinjaRenderer::push_scope(JinjaScope* parent) {
  budget_.take(sizeof(JinjaScope));
  JinjaScope& scope = scopes_.emplace_back();
  scope.parent = parent;
  return &scope;
}

const JinjaValue* JinjaRenderer::lookup(std::string_view name) const {
  for (const JinjaScope* scope = scope_; scope; scope = scope->parent) {
    for (const auto& [known, value] : scope->names) {
      if (known == name) return &value;
    }
  }
  return nullptr;
}

void JinjaRenderer::assign(std::string_view name, JinjaValue value) {
  for (auto& [known, old] : scope_->names) {
    if (known == name) {
      old = std::move(value);
      return;
    }
  }
  budget_.take(64);
  scope_->names.emplace_back(name, std::move(value));
}

void JinjaRenderer::assign(const Node::Target& target, const JinjaValue& value) {
  if (target.tuple) {
    const JinjaList parts = items(value);
    if (parts.size() != target.parts.size()) {
      throw_error(Code::kInvalidArgument, "{} values to unpack, expected {}", parts.size(),
                  target.parts.size());
    }
    for (size_t i = 0; i < parts.size(); ++i) assign(target.parts[i], parts[i]);
  } else if (target.attribute.empty()) {
    assign(target.name, value);
  } else {
    const JinjaValue* space = lookup(target.name);
    if (!space || !space->is(Kind::kNamespace)) {
      throw_error(Code::kInvalidArgument, "can't set attribute '{}': '{}' isn't a namespace",
                  target.attribute, target.name);
    }
    auto& names = space->as_namespace()->names;
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](auto& n) { return n.first == target.attribute; });
    if (found != names.end()) {
      found->second = value;
    } else {
      budget_.take(96);
      names.emplace_back(target.attribute, value);
    }
  }
}

void JinjaRenderer::write(std::string_view text) {
  budget_.take(text.size());
  out_->append(text);
}

std::string JinjaRenderer::capture(const std::vector<JinjaNodePtr>& body) {
  const JinjaRestore restore(out_);
  std::string text;
  out_ = &text;
  run(body);
  return text;
}

JinjaRenderer::Flow JinjaRenderer::run(const std::vector<JinjaNodePtr>& body) {
  for (const JinjaNodePtr& node : body) {
    const Flow flow = run(*node);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

JinjaRenderer::Flow JinjaRenderer::run(const Node& node) {
  const Deeper deeper(depth_);
  budget_.step();
  line_ = node.line;
  switch (node.kind) {
    case NodeKind::kText:
      write(node.text);
      return Flow::kNext;
    case NodeKind::kPrint:
      for (const JinjaNodePtr& value : node.args) write(str(eval(*value)));
      return Flow::kNext;
    case NodeKind::kIf:
      for (size_t i = 0; i < node.args.size(); ++i) {
        if (eval(*node.args[i]).truthy()) return run(node.body[i]->body);
      }
      return run(node.tail);
    case NodeKind::kFor:
      return run_for(node);
    case NodeKind::kSet:
      assign(node.targets[0], eval(*node.args[0]));
      return Flow::kNext;
    case NodeKind::kBreak:
      return Flow::kBreak;
    case NodeKind::kContinue:
      return Flow::kContinue;
    case NodeKind::kMacro:
      budget_.take(sizeof(JinjaMacro));
      assign(node.text, JinjaValue::macro(&macros_.emplace_back(JinjaMacro{&node, scope_})));
      return Flow::kNext;
    default:
      break;
  }
  // The rest have a scope of their own.
  const JinjaRestore restore(scope_);
  JinjaScope* const outer = scope_;
  JinjaScope* const inner = push_scope(outer);
  switch (node.kind) {
    case NodeKind::kBlock:
      scope_ = inner;
      return run(node.body);
    case NodeKind::kWith: {
      for (size_t i = 0; i < node.args.size(); ++i) {
        scope_ = outer;
        JinjaValue value = eval(*node.args[i]);
        scope_ = inner;
        assign(node.targets[i], value);
      }
      scope_ = inner;
      return run(node.body);
    }
    case NodeKind::kSetBlock:
    case NodeKind::kFilterBlock: {
      scope_ = inner;
      JinjaValue value = make(capture(node.body));
      if (node.args[0]) value = apply_filters(*node.args[0], std::move(value));
      scope_ = outer;
      if (node.kind == NodeKind::kSetBlock) {
        assign(node.targets[0], value);
      } else {
        write(str(value));
      }
      return Flow::kNext;
    }
    default:
      throw_error(Code::kInternal, "chat template: a node of kind {} isn't a statement",
                  int(node.kind));
  }
}

JinjaRenderer::Flow JinjaRenderer::run_for(const Node& node) {
  JinjaList all = items(eval(*node.args[0]));
  const JinjaRestore restore(scope_);
  JinjaScope* const outer = scope_;
  JinjaScope* const inner = push_scope(outer);
  if (node.args[1]) {
    JinjaList kept;
    scope_ = inner;
    for (JinjaValue& value : all) {
      inner->names.clear();
      assign(node.targets[0], value);
      if (eval(*node.args[1]).truthy()) kept.push_back(std::move(value));
    }
    scope_ = outer;
    all = std::move(kept);
  }
  if (all.empty()) {
    scope_ = inner;
    inner->names.clear();
    return run(node.tail);
  }
  budget_.take(sizeof(JinjaLoop));
  JinjaLoop& loop = loops_.emplace_back();
  loop.items = std::move(all);
  scope_ = inner;
  for (loop.index = 0; loop.index < loop.items.size(); ++loop.index) {
    budget_.step();
    inner->names.clear();
    assign("loop", JinjaValue::loop(&loop));
    assign(node.targets[0], loop.items[loop.index]);
    if (run(node.body) == Flow::kBreak) break;
  }
  if (loop.index == loop.items.size()) --loop.index;  // `loop` may have been kept in a namespace
  return Flow::kNext;
}

JinjaValue JinjaRenderer::apply_filters(const Node& filter, JinjaValue input) {
  if (filter.args[0]) input = apply_filters(*filter.args[0], std::move(input));
  return this->filter(filter.id, input, arguments(filter));
}

JinjaArguments JinjaRenderer::arguments(const Node& node) {
  JinjaArguments out;
  for (size_t i = 1; i < node.args.size(); ++i) out.values.push_back(eval(*node.args[i]));
  for (const auto& [name, value] : node.named) out.named.emplace_back(name, eval(*value));
  return out;
}

JinjaValue JinjaRenderer::eval(const Node& node) {
  const Deeper deeper(depth_);
  budget_.step();
  line_ = node.line;
  switch (node.kind) {
    case NodeKind::kConst:
      return node.value;
    case NodeKind::kName: {
      const JinjaValue* value = lookup(node.text);
      return value ? *value : JinjaValue::undefined("'" + node.text + "'");
    }
    case NodeKind::kList:
    case NodeKind::kTuple: {
      JinjaList list;
      for (const JinjaNodePtr& value : node.args) list.push_back(eval(*value));
      budget_.take(48 * list.size());
      return node.kind == NodeKind::kList ? JinjaValue::list(std::move(list))
                                          : JinjaValue::tuple(std::move(list));
    }
    case NodeKind::kDict: {
      JinjaDict dict;
      for (size_t i = 0; i < node.args.size(); i += 2) {
        JinjaValue key = eval(*node.args[i]), value = eval(*node.args[i + 1]);
        if (!jinja_hashable(key))
          throw_error(Code::kInvalidArgument, "a {} can't be a key of a dict", key.type_name());
        const auto same = [&](const auto& entry) { return jinja_equal(entry.first, key, budget_); };
        const auto old = std::find_if(dict.begin(), dict.end(), same);
        if (old != dict.end()) {
          old->second = std::move(value);
        } else {
          dict.emplace_back(std::move(key), std::move(value));
        }
      }
      budget_.take(96 * dict.size());
      return JinjaValue::dict(std::move(dict));
    }
    case NodeKind::kAttribute:
      return attribute(eval(*node.args[0]), node.text);
    case NodeKind::kItem: {
      const JinjaValue value = eval(*node.args[0]);
      return item(value, eval(*node.args[1]));
    }
    case NodeKind::kSlice:
      return eval_slice(node);
    case NodeKind::kCall:
      return eval_call(node);
    case NodeKind::kFilter: {
      const JinjaValue input = eval(*node.args[0]);
      JinjaArguments values = arguments(node);
      line_ = node.line;
      return filter(node.id, input, std::move(values));
    }
    case NodeKind::kTest: {
      const JinjaValue input = eval(*node.args[0]);
      return JinjaValue::boolean(test(node.id, input, arguments(node)));
    }
    case NodeKind::kUnary: {
      const JinjaValue value = eval(*node.args[0]);
      if (node.op == JinjaOp::kPos) return binary(JinjaOp::kAdd, JinjaValue::integer(0), value);
      if (value.is(Kind::kFloat)) return JinjaValue::real(-value.as_real());
      return binary(JinjaOp::kSub, JinjaValue::integer(0), value);
    }
    case NodeKind::kBinary: {
      const JinjaValue a = eval(*node.args[0]);
      const JinjaValue b = eval(*node.args[1]);
      line_ = node.line;
      return binary(node.op, a, b);
    }
    case NodeKind::kCompare: {
      JinjaValue left = eval(*node.args[0]);
      for (size_t i = 0; i < node.ops.size(); ++i) {
        JinjaValue right = eval(*node.args[i + 1]);
        if (!compare(node.ops[i], left, right)) return JinjaValue::boolean(false);
        left = std::move(right);
      }
      return JinjaValue::boolean(true);
    }
    case NodeKind::kConcat: {
      std::string text;
      for (const JinjaNodePtr& value : node.args) text += str(eval(*value));
      return make(std::move(text));
    }
    case NodeKind::kNot:
      return JinjaValue::boolean(!eval(*node.args[0]).truthy());
    case NodeKind::kAnd:
    case NodeKind::kOr: {
      JinjaValue left = eval(*node.args[0]);
      return left.truthy() == (node.kind == NodeKind::kOr) ? left : eval(*node.args[1]);
    }
    case NodeKind::kIfElse:
      if (eval(*node.args[0]).truthy()) return eval(*node.args[1]);
      if (node.args[2]) return eval(*node.args[2]);
      return JinjaValue::undefined("the missing else of an 'if' expression");
    default:
      throw_error(Code::kInternal, "chat template: a node of kind {} isn't an expression",
                  int(node.kind));
  }
}

}  // namespace phial
