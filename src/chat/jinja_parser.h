// SPDX-License-Identifier: Apache-2.0
// The parser's state and its two halves: statements (jinja_parser.cc) and expressions
// (jinja_expression.cc). Internal to the parser; others call jinja_parse() of jinja_ast.h.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "chat/jinja_ast.h"
#include "chat/jinja_lexer.h"

namespace phial {

class JinjaParser {
 public:
  JinjaParser(std::vector<JinjaToken> tokens, const std::string& where)
      : tokens_(std::move(tokens)), where_(where) {}
  JinjaNodePtr parse();

 private:
  using Node = JinjaNode;
  using Ptr = JinjaNodePtr;
  using Names = std::initializer_list<std::string_view>;

  // Statements. A body ends at one of `ends`, whose name is consumed and returned; its tag isn't
  // closed yet.
  std::string_view body(Names ends, std::vector<Ptr>& out);
  void end_tag();
  Ptr statement();
  Ptr parse_if();
  Ptr parse_for();
  Ptr parse_set();
  Ptr parse_macro();
  Ptr parse_with();
  Ptr parse_filter_block();
  Ptr parse_generation();
  Node::Target target(bool with_attribute, bool one_name = false);

  // Expressions, in Jinja's order of precedence.
  Ptr expression(bool with_if_else = true);
  Ptr expression_list(bool with_if_else, bool parentheses = false);  // a tuple if there is a comma
  Ptr parse_or();
  Ptr parse_and();
  Ptr parse_not();
  Ptr parse_compare();
  Ptr parse_sum();
  Ptr parse_concat();
  Ptr parse_product();
  Ptr parse_power();
  Ptr parse_unary(bool with_filter);
  Ptr parse_primary();
  Ptr parse_postfix(Ptr node);
  Ptr parse_subscript(Ptr node);
  Ptr parse_filters(Ptr node);
  Ptr parse_filter(Ptr node);
  Ptr parse_test(Ptr node);
  void parse_arguments(Node& call);

  const JinjaToken& now() const { return tokens_[at_]; }
  const JinjaToken& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  void next() { at_ += at_ + 1 < tokens_.size(); }
  bool is_op(std::string_view op) const {
    return now().kind == JinjaToken::Kind::kOperator && now().text == op;
  }
  bool is_name(std::string_view name) const {
    return now().kind == JinjaToken::Kind::kName && now().text == name;
  }
  bool skip_op(std::string_view op);
  bool skip_name(std::string_view name);
  void expect_op(std::string_view op);
  void expect(JinjaToken::Kind kind, const char* what);
  std::string expect_name();
  std::string found() const;  // the current token in words

  Ptr make(Node::Kind kind) const { return std::make_unique<Node>(kind, now().line); }
  Ptr binary(Node::Kind kind, JinjaOp op, Ptr left, Ptr right) const;
  Ptr done(Ptr node) const;  // sets the depth and bounds it

  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void unsupported(const std::string& what) const;

  // Bounds the recursion of the parser itself.
  struct Level {
    explicit Level(JinjaParser& p);
    ~Level() { --parser.level_; }
    JinjaParser& parser;
  };

  std::vector<JinjaToken> tokens_;
  const std::string& where_;
  size_t at_ = 0;
  int level_ = 0;
  int loops_ = 0;  // how many for loops enclose this place; a macro begins at 0
};

}  // namespace phial
