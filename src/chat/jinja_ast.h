// SPDX-License-Identifier: Apache-2.0
// The syntax tree of a chat template: one node type, whose fields are used as the comment beside
// each kind says.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/jinja_value.h"

namespace phial {

struct JinjaNode;
using JinjaNodePtr = std::unique_ptr<JinjaNode>;

enum class JinjaOp : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kFloorDiv,
  kMod,
  kPow,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kIn,
  kNotIn,
  kNeg,
  kPos
};

struct JinjaNode {
  enum class Kind : uint8_t {
    // expressions
    kConst,      // value
    kName,       // text
    kList,       // args
    kTuple,      // args
    kDict,       // args: key, value, key, value, ...
    kAttribute,  // args[0], text
    kItem,       // args[0], args[1]
    kSlice,      // args[0]; args[1..3] start, stop, step, null if left out
    kCall,       // args[0] callee, further args; named
    kFilter,  // args[0] input (null in a filter block), further args; named; id of the filter; text
    kTest,    // args[0] input, further args; id of the test; text
    kUnary,   // op, args[0]
    kBinary,  // op, args[0], args[1]
    kCompare,  // args[0], then operands; ops beside them
    kConcat,   // args
    kNot,      // args[0]
    kAnd,      // args[0], args[1]
    kOr,       // args[0], args[1]
    kIfElse,   // args: test, then, else (null if left out)
    // statements
    kText,         // text
    kPrint,        // args
    kIf,           // args: tests; body: one kBlock a test; tail: else
    kFor,          // targets; args: iterable, filter (or null); body; tail: else
    kSet,          // targets, args[0]
    kSetBlock,     // targets, args[0] filter chain or null; body
    kMacro,        // text; targets: parameters; args: defaults of the last ones; body
    kWith,         // targets, args; body
    kFilterBlock,  // args[0] filter chain; body
    kBlock,        // body (a list of statements; `generation` is one)
    kBreak,
    kContinue,
  };
  // What a for, set, with or macro binds: a name, an attribute of a namespace, or several.
  struct Target {
    std::string name, attribute;  // attribute: empty unless name.attribute
    std::vector<Target> parts;    // several, if not empty (or `tuple`)
    bool tuple = false;
  };

  JinjaNode(Kind k, int l) : kind(k), line(l) {}

  Kind kind;
  JinjaOp op = JinjaOp::kAdd;
  uint16_t id = 0;
  uint16_t depth = 1;  // of this subtree; the parser bounds it, so that recursion over it is safe
  int line = 0;
  std::string text;
  JinjaValue value;
  std::vector<JinjaNodePtr> args, body, tail;
  std::vector<std::pair<std::string, JinjaNodePtr>> named;
  std::vector<JinjaOp> ops;
  std::vector<Target> targets;
};

// Throws kCorrupt (syntax error with its line) and kUnsupported (a construct that the subset lacks,
// by name).
JinjaNodePtr jinja_parse(std::string_view source, const std::string& where);

// The numbers of the names that the parser checks; -1 if there is no such thing. "known but
// refused" is -1 too.
int jinja_filter_id(std::string_view name);
int jinja_test_id(std::string_view name);
bool jinja_is_method(std::string_view name);

}  // namespace phial
