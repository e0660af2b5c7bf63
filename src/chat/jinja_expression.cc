// SPDX-License-Identifier: Apache-2.0
// The expressions of a chat template, by recursive descent in Jinja's order of precedence.
#include <algorithm>

#include "base/error.h"
#include "chat/jinja_parser.h"

namespace phial {
namespace {

using Kind = JinjaToken::Kind;
using NodeKind = JinjaNode::Kind;

struct Operator {
  std::string_view text;
  JinjaOp op;
};
constexpr Operator kCompare[] = {{"==", JinjaOp::kEq}, {"!=", JinjaOp::kNe}, {"<", JinjaOp::kLt},
                                 {"<=", JinjaOp::kLe}, {">", JinjaOp::kGt},  {">=", JinjaOp::kGe}};
constexpr Operator kProduct[] = {
    {"*", JinjaOp::kMul}, {"/", JinjaOp::kDiv}, {"//", JinjaOp::kFloorDiv}, {"%", JinjaOp::kMod}};

}  // namespace

JinjaNodePtr JinjaParser::expression(bool with_if_else) {
  const Level level(*this);
  if (!with_if_else) return parse_or();
  Ptr value = parse_or();
  while (skip_name("if")) {
    Ptr node = std::make_unique<Node>(NodeKind::kIfElse, value->line);
    node->args.push_back(parse_or());
    node->args.push_back(std::move(value));
    node->args.push_back(skip_name("else") ? expression() : nullptr);
    value = done(std::move(node));
  }
  return value;
}

JinjaNodePtr JinjaParser::expression_list(bool with_if_else, bool parentheses) {
  Ptr tuple = make(NodeKind::kTuple);
  bool comma = false;
  for (;;) {
    if (is_op(")") || now().kind == Kind::kBlockEnd || now().kind == Kind::kPrintEnd) break;
    tuple->args.push_back(expression(with_if_else));
    if (!skip_op(",")) break;
    comma = true;
  }
  if (!comma && tuple->args.size() == 1) return std::move(tuple->args[0]);
  if (tuple->args.empty() && !parentheses)
    fail(fmt::format("found {}, expected an expression", found()));
  return done(std::move(tuple));
}

JinjaNodePtr JinjaParser::parse_or() {
  Ptr left = parse_and();
  while (skip_name("or")) left = binary(NodeKind::kOr, JinjaOp::kAdd, std::move(left), parse_and());
  return left;
}

JinjaNodePtr JinjaParser::parse_and() {
  Ptr left = parse_not();
  while (skip_name("and"))
    left = binary(NodeKind::kAnd, JinjaOp::kAdd, std::move(left), parse_not());
  return left;
}

JinjaNodePtr JinjaParser::parse_not() {
  if (!is_name("not")) return parse_compare();
  const Level level(*this);
  Ptr node = make(NodeKind::kNot);
  next();
  node->args.push_back(parse_not());
  return done(std::move(node));
}

JinjaNodePtr JinjaParser::parse_compare() {
  Ptr first = parse_sum();
  Ptr node;
  for (;;) {
    const Operator* found = std::find_if(std::begin(kCompare), std::end(kCompare),
                                         [&](const Operator& o) { return is_op(o.text); });
    JinjaOp op = JinjaOp::kIn;
    if (found != std::end(kCompare)) {
      op = found->op;
    } else if (is_name("not") && ahead().kind == Kind::kName && ahead().text == "in") {
      op = JinjaOp::kNotIn;
      next();
    } else if (!is_name("in")) {
      break;
    }
    next();
    if (!node) {
      node = std::make_unique<Node>(NodeKind::kCompare, first->line);
      node->args.push_back(std::move(first));
    }
    node->ops.push_back(op);
    node->args.push_back(parse_sum());
  }
  return node ? done(std::move(node)) : std::move(first);
}

JinjaNodePtr JinjaParser::parse_sum() {
  Ptr left = parse_concat();
  while (is_op("+") || is_op("-")) {
    const JinjaOp op = is_op("+") ? JinjaOp::kAdd : JinjaOp::kSub;
    next();
    left = binary(NodeKind::kBinary, op, std::move(left), parse_concat());
  }
  return left;
}

JinjaNodePtr JinjaParser::parse_concat() {
  Ptr first = parse_product();
  if (!is_op("~")) return first;
  Ptr node = std::make_unique<Node>(NodeKind::kConcat, first->line);
  node->args.push_back(std::move(first));
  while (skip_op("~")) node->args.push_back(parse_product());
  return done(std::move(node));
}

JinjaNodePtr JinjaParser::parse_product() {
  Ptr left = parse_power();
  for (;;) {
    const Operator* found = std::find_if(std::begin(kProduct), std::end(kProduct),
                                         [&](const Operator& o) { return is_op(o.text); });
    if (found == std::end(kProduct)) return left;
    next();
    left = binary(NodeKind::kBinary, found->op, std::move(left), parse_power());
  }
}

// Left-associative and looser than a sign, unlike Python's: as Jinja has it.
JinjaNodePtr JinjaParser::parse_power() {
  Ptr left = parse_unary(true);
  while (skip_op("**"))
    left = binary(NodeKind::kBinary, JinjaOp::kPow, std::move(left), parse_unary(true));
  return left;
}

JinjaNodePtr JinjaParser::parse_unary(bool with_filter) {
  const Level level(*this);
  Ptr node;
  if (is_op("-") || is_op("+")) {
    node = make(NodeKind::kUnary);
    node->op = is_op("-") ? JinjaOp::kNeg : JinjaOp::kPos;
    next();
    node->args.push_back(parse_unary(false));
    node = done(std::move(node));
  } else {
    node = parse_primary();
  }
  node = parse_postfix(std::move(node));
  return with_filter ? parse_filters(std::move(node)) : std::move(node);
}

JinjaNodePtr JinjaParser::parse_primary() {
  Ptr node = make(NodeKind::kConst);
  switch (now().kind) {
    case Kind::kName: {
      const std::string& name = now().text;
      if (name == "true" || name == "True" || name == "false" || name == "False") {
        node->value = JinjaValue::boolean(name == "true" || name == "True");
      } else if (name == "none" || name == "None") {
        node->value = JinjaValue::none();
      } else {
        node->kind = NodeKind::kName;
        node->text = name;
      }
      next();
      return node;
    }
    case Kind::kString: {
      std::string text;
      for (; now().kind == Kind::kString; next()) text += now().text;
      node->value = JinjaValue::string(std::move(text));
      return node;
    }
    case Kind::kInteger:
      node->value = JinjaValue::integer(now().integer);
      next();
      return node;
    case Kind::kFloat:
      node->value = JinjaValue::real(now().real);
      next();
      return node;
    default:
      break;
  }
  if (skip_op("(")) {
    node = expression_list(true, true);
    expect_op(")");
    return node;
  }
  if (skip_op("[")) {
    node->kind = NodeKind::kList;
    while (!is_op("]")) {
      if (!node->args.empty()) {
        expect_op(",");
        if (is_op("]")) break;
      }
      node->args.push_back(expression());
    }
    next();
    return done(std::move(node));
  }
  if (skip_op("{")) {
    node->kind = NodeKind::kDict;
    while (!is_op("}")) {
      if (!node->args.empty()) {
        expect_op(",");
        if (is_op("}")) break;
      }
      node->args.push_back(expression());
      expect_op(":");
      node->args.push_back(expression());
    }
    next();
    return done(std::move(node));
  }
  fail(fmt::format("found {}, expected an expression", found()));
}

JinjaNodePtr JinjaParser::parse_postfix(Ptr node) {
  for (;;) {
    if (is_op(".") || is_op("[")) {
      node = parse_subscript(std::move(node));
    } else if (is_op("(")) {
      if (node->kind == NodeKind::kAttribute && !jinja_is_method(node->text)) {
        unsupported(fmt::format("the method '{}'", node->text));
      }
      Ptr call = make(NodeKind::kCall);
      call->args.push_back(std::move(node));
      parse_arguments(*call);
      node = done(std::move(call));
    } else {
      return node;
    }
  }
}

JinjaNodePtr JinjaParser::parse_subscript(Ptr node) {
  Ptr out = make(NodeKind::kItem);
  out->args.push_back(std::move(node));
  if (skip_op(".")) {
    if (now().kind == Kind::kInteger) {
      Ptr index = make(NodeKind::kConst);
      index->value = JinjaValue::integer(now().integer);
      next();
      out->args.push_back(std::move(index));
      return done(std::move(out));
    }
    out->kind = NodeKind::kAttribute;
    out->text = expect_name();
    return done(std::move(out));
  }
  expect_op("[");
  // index, or start:stop:step with any of them left out
  Ptr start = is_op(":") ? nullptr : expression();
  if (!is_op(":")) {
    if (is_op(",")) unsupported("an index of several parts");
    out->args.push_back(std::move(start));
  } else {
    out->kind = NodeKind::kSlice;
    out->args.push_back(std::move(start));
    for (int part = 0; part < 2; ++part) {
      const bool there = skip_op(":") && !is_op("]") && !is_op(":");
      out->args.push_back(there ? expression() : nullptr);
    }
  }
  expect_op("]");
  return done(std::move(out));
}

JinjaNodePtr JinjaParser::parse_filters(Ptr node) {
  for (;;) {
    if (is_op("|")) {
      node = parse_filter(std::move(node));
    } else if (is_name("is")) {
      node = parse_test(std::move(node));
    } else if (is_op("(")) {
      node = parse_postfix(std::move(node));
    } else {
      return node;
    }
  }
}

JinjaNodePtr JinjaParser::parse_filter(Ptr node) {
  next();  // "|"
  Ptr out = make(NodeKind::kFilter);
  out->text = expect_name();
  const int id = jinja_filter_id(out->text);
  if (id < 0) unsupported(fmt::format("the filter '{}'", out->text));
  out->id = static_cast<uint16_t>(id);
  out->args.push_back(std::move(node));
  if (is_op("(")) parse_arguments(*out);
  return done(std::move(out));
}

JinjaNodePtr JinjaParser::parse_test(Ptr node) {
  next();  // "is"
  const bool negated = skip_name("not");
  Ptr out = make(NodeKind::kTest);
  out->text = expect_name();
  const int id = jinja_test_id(out->text);
  if (id < 0) unsupported(fmt::format("the test '{}'", out->text));
  out->id = static_cast<uint16_t>(id);
  out->args.push_back(std::move(node));
  const Kind kind = now().kind;
  if (is_op("(")) {
    parse_arguments(*out);
  } else if (is_op("[") || is_op("{") || kind == Kind::kString || kind == Kind::kInteger ||
             kind == Kind::kFloat ||
             (kind == Kind::kName && !is_name("else") && !is_name("or") && !is_name("and"))) {
    if (is_name("is")) fail("tests can't be chained with 'is'");
    out->args.push_back(parse_postfix(parse_primary()));
  }
  out = done(std::move(out));
  if (!negated) return out;
  Ptr no = std::make_unique<Node>(NodeKind::kNot, out->line);
  no->args.push_back(std::move(out));
  return done(std::move(no));
}

void JinjaParser::parse_arguments(Node& call) {
  expect_op("(");
  bool first = true;
  while (!is_op(")")) {
    if (!first) {
      expect_op(",");
      if (is_op(")")) break;
    }
    first = false;
    if (is_op("*") || is_op("**")) unsupported("passing arguments with '*'");
    if (now().kind == Kind::kName && ahead().kind == Kind::kOperator && ahead().text == "=") {
      std::string name = expect_name();
      next();
      call.named.emplace_back(std::move(name), expression());
    } else {
      if (!call.named.empty()) fail("an argument without a name behind one with a name");
      call.args.push_back(expression());
    }
  }
  next();
}

}  // namespace phial
