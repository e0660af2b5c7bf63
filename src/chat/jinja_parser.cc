// SPDX-License-Identifier: Apache-2.0
// The statements of a chat template. What the subset lacks is refused here by name, with its line.
#include "chat/jinja_parser.h"

#include <algorithm>

#include "base/error.h"

namespace phial {
namespace {

using Kind = JinjaToken::Kind;

// Deeper than any real template by far; small enough for the recursion over the tree on any stack.
constexpr int kMaxLevel = 120;

constexpr std::string_view kRefusedTags[] = {"include", "import",     "from", "extends", "block",
                                             "call",    "autoescape", "do",   "trans",   "debug"};

}  // namespace

JinjaParser::Level::Level(JinjaParser& p) : parser(p) {
  if (++parser.level_ > kMaxLevel) {
    --parser.level_;
    parser.unsupported(fmt::format("nesting deeper than {}", kMaxLevel));
  }
}

void JinjaParser::fail(const std::string& what) const {
  throw_error(Code::kCorrupt, "{}:{}: {}", where_, now().line, what);
}
void JinjaParser::unsupported(const std::string& what) const {
  throw_error(Code::kUnsupported,
              "{}:{}: {} isn't in phial's subset of Jinja (docs/formats/chat_template.md)", where_,
              now().line, what);
}

std::string JinjaParser::found() const {
  switch (now().kind) {
    case Kind::kEnd:
      return "the end of the template";
    case Kind::kText:
      return "text";
    case Kind::kPrintBegin:
      return "'{{'";
    case Kind::kPrintEnd:
      return "'}}'";
    case Kind::kBlockBegin:
      return "'{%'";
    case Kind::kBlockEnd:
      return "'%}'";
    case Kind::kString:
      return "a string";
    case Kind::kInteger:
    case Kind::kFloat:
      return "a number";
    default:
      return fmt::format("'{}'", now().text.substr(0, 60));
  }
}

bool JinjaParser::skip_op(std::string_view op) {
  if (!is_op(op)) return false;
  next();
  return true;
}
bool JinjaParser::skip_name(std::string_view name) {
  if (!is_name(name)) return false;
  next();
  return true;
}
void JinjaParser::expect_op(std::string_view op) {
  if (!skip_op(op)) fail(fmt::format("found {}, expected '{}'", found(), op));
}
void JinjaParser::expect(Kind kind, const char* what) {
  if (now().kind != kind) fail(fmt::format("found {}, expected {}", found(), what));
  next();
}
std::string JinjaParser::expect_name() {
  if (now().kind != Kind::kName) fail(fmt::format("found {}, expected a name", found()));
  std::string name = now().text;
  next();
  return name;
}

JinjaNodePtr JinjaParser::binary(Node::Kind kind, JinjaOp op, Ptr left, Ptr right) const {
  Ptr node = std::make_unique<Node>(kind, left->line);
  node->op = op;
  node->args.push_back(std::move(left));
  node->args.push_back(std::move(right));
  return done(std::move(node));
}

JinjaNodePtr JinjaParser::done(Ptr node) const {
  int depth = 0;
  for (const auto* list : {&node->args, &node->body, &node->tail}) {
    for (const Ptr& child : *list) {
      if (child) depth = std::max<int>(depth, child->depth);
    }
  }
  for (const auto& [name, child] : node->named) depth = std::max<int>(depth, child->depth);
  if (depth + 1 > kMaxLevel)
    unsupported(fmt::format("an expression or block nested deeper than {}", kMaxLevel));
  node->depth = static_cast<uint16_t>(depth + 1);
  return node;
}

JinjaNodePtr JinjaParser::parse() {
  Ptr root = make(Node::Kind::kBlock);
  body({}, root->body);
  return done(std::move(root));
}

std::string_view JinjaParser::body(Names ends, std::vector<Ptr>& out) {
  for (;;) {
    switch (now().kind) {
      case Kind::kEnd:
        if (ends.size() == 0) return {};
        fail(fmt::format("the template ends inside a block, expected '{{% {} %}}'",
                         *(ends.end() - 1)));
      case Kind::kText: {
        Ptr node = make(Node::Kind::kText);
        node->text = now().text;
        next();
        out.push_back(done(std::move(node)));
        break;
      }
      case Kind::kPrintBegin: {
        Ptr node = make(Node::Kind::kPrint);
        next();
        node->args.push_back(expression_list(true));
        expect(Kind::kPrintEnd, "'}}'");
        out.push_back(done(std::move(node)));
        break;
      }
      case Kind::kBlockBegin: {
        next();
        if (now().kind != Kind::kName)
          fail(fmt::format("found {}, expected the name of a tag", found()));
        for (const std::string_view end : ends) {
          if (!is_name(end)) continue;
          next();
          return end;
        }
        out.push_back(statement());
        break;
      }
      default:
        fail(fmt::format("unexpected {}", found()));
    }
  }
}

void JinjaParser::end_tag() { expect(Kind::kBlockEnd, "'%}'"); }

JinjaNodePtr JinjaParser::statement() {
  const Level level(*this);
  if (is_name("if")) return parse_if();
  if (is_name("for")) return parse_for();
  if (is_name("set")) return parse_set();
  if (is_name("macro")) return parse_macro();
  if (is_name("with")) return parse_with();
  if (is_name("filter")) return parse_filter_block();
  if (is_name("generation")) return parse_generation();
  if (is_name("print")) {
    Ptr node = make(Node::Kind::kPrint);
    do {
      next();
      node->args.push_back(expression());
    } while (is_op(","));
    end_tag();
    return done(std::move(node));
  }
  if (is_name("break") || is_name("continue")) {
    Ptr node = make(is_name("break") ? Node::Kind::kBreak : Node::Kind::kContinue);
    if (loops_ == 0) fail(fmt::format("'{}' outside of a loop", now().text));
    next();
    end_tag();
    return done(std::move(node));
  }
  for (const std::string_view tag : kRefusedTags) {
    if (is_name(tag)) unsupported(fmt::format("the tag '{}'", tag));
  }
  fail(fmt::format("unknown or misplaced tag {}", found()));
}

JinjaNodePtr JinjaParser::parse_if() {
  Ptr node = make(Node::Kind::kIf);
  std::string_view end = "elif";
  while (end == "elif") {
    if (node->args.empty()) next();  // "if"; an elif is consumed by body()
    node->args.push_back(expression_list(false));
    skip_op(":");
    end_tag();
    Ptr branch = make(Node::Kind::kBlock);
    end = body({"elif", "else", "endif"}, branch->body);
    node->body.push_back(done(std::move(branch)));
  }
  if (end == "else") {
    skip_op(":");
    end_tag();
    body({"endif"}, node->tail);
  }
  end_tag();
  return done(std::move(node));
}

JinjaNodePtr JinjaParser::parse_for() {
  Ptr node = make(Node::Kind::kFor);
  next();
  node->targets.push_back(target(false));
  if (!skip_name("in")) fail(fmt::format("found {}, expected 'in'", found()));
  node->args.push_back(expression_list(false));
  node->args.push_back(skip_name("if") ? expression() : nullptr);
  if (is_name("recursive")) unsupported("a recursive loop");
  skip_op(":");
  end_tag();
  ++loops_;
  const std::string_view end = body({"else", "endfor"}, node->body);
  --loops_;
  if (end == "else") {
    skip_op(":");
    end_tag();
    body({"endfor"}, node->tail);
  }
  end_tag();
  return done(std::move(node));
}

JinjaNodePtr JinjaParser::parse_set() {
  Ptr node = make(Node::Kind::kSet);
  next();
  node->targets.push_back(target(true));
  if (skip_op("=")) {
    node->args.push_back(expression_list(true));
    end_tag();
    return done(std::move(node));
  }
  node->kind = Node::Kind::kSetBlock;
  Ptr filter;
  while (is_op("|")) filter = parse_filter(std::move(filter));
  node->args.push_back(std::move(filter));
  skip_op(":");
  end_tag();
  body({"endset"}, node->body);
  end_tag();
  return done(std::move(node));
}

JinjaNodePtr JinjaParser::parse_macro() {
  Ptr node = make(Node::Kind::kMacro);
  next();
  node->text = expect_name();
  expect_op("(");
  while (!is_op(")")) {
    if (!node->targets.empty()) expect_op(",");
    node->targets.push_back(target(false, true));
    if (skip_op("=")) {
      node->args.push_back(expression());
    } else if (!node->args.empty()) {
      fail("a parameter without a default behind one with a default");
    }
  }
  expect_op(")");
  skip_op(":");
  end_tag();
  const int loops = std::exchange(loops_, 0);
  body({"endmacro"}, node->body);
  loops_ = loops;
  end_tag();
  return done(std::move(node));
}

JinjaNodePtr JinjaParser::parse_with() {
  Ptr node = make(Node::Kind::kWith);
  next();
  while (now().kind != Kind::kBlockEnd && !is_op(":")) {
    if (!node->targets.empty()) expect_op(",");
    node->targets.push_back(target(false, true));
    expect_op("=");
    node->args.push_back(expression());
  }
  skip_op(":");
  end_tag();
  body({"endwith"}, node->body);
  end_tag();
  return done(std::move(node));
}

JinjaNodePtr JinjaParser::parse_filter_block() {
  Ptr node = make(Node::Kind::kFilterBlock);
  Ptr filter = parse_filter(nullptr);  // skips the word "filter" as it does "|"
  while (is_op("|")) filter = parse_filter(std::move(filter));
  node->args.push_back(std::move(filter));
  skip_op(":");
  end_tag();
  body({"endfilter"}, node->body);
  end_tag();
  return done(std::move(node));
}

// transformers marks the assistant's part with it; the text is that of the body.
JinjaNodePtr JinjaParser::parse_generation() {
  Ptr node = make(Node::Kind::kBlock);
  next();
  skip_op(":");
  end_tag();
  // The body is a macro for Jinja (a caller()), so a loop around it can't be left from inside.
  const int loops = std::exchange(loops_, 0);
  body({"endgeneration"}, node->body);
  loops_ = loops;
  end_tag();
  node->text = "generation";
  return done(std::move(node));
}

JinjaNode::Target JinjaParser::target(bool with_attribute, bool one_name) {
  const Level level(*this);
  Node::Target out;
  const auto single = [&]() -> Node::Target {
    if (skip_op("(")) {
      Node::Target inner = target(with_attribute);
      expect_op(")");
      return inner;
    }
    Node::Target name;
    name.name = expect_name();
    static constexpr std::string_view kWords[] = {"true", "false", "none", "True", "False", "None"};
    if (std::find(std::begin(kWords), std::end(kWords), name.name) != std::end(kWords)) {
      fail(fmt::format("can't assign to '{}'", name.name));
    }
    if (with_attribute && skip_op(".")) name.attribute = expect_name();
    return name;
  };
  Node::Target first = single();
  if (one_name || !is_op(",")) return first;
  out.tuple = true;
  out.parts.push_back(std::move(first));
  while (skip_op(",")) {
    if (is_name("in") || is_op("=") || is_op(")") || now().kind == Kind::kBlockEnd) break;
    out.parts.push_back(single());
  }
  return out;
}

JinjaNodePtr jinja_parse(std::string_view source, const std::string& where) {
  return JinjaParser(jinja_tokens(source, where), where).parse();
}

}  // namespace phial
