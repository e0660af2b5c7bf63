// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"

namespace phial {
namespace {

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return std::string(code_name(e.code())) + ": " + e.what();
  }
  return "no error";
}

TEST(ParseJson, KeepsOrderAndRefusesWhatIsNotJson) {
  EXPECT_EQ(parse_json(R"({"b":1,"a":[true,null]})", "f").dump(), R"({"b":1,"a":[true,null]})");
  for (const char* bad : {"", "{", "[1,]", "{\"a\":1}x", "\"\xff\"", "nul", "{\"a\" 1}"}) {
    EXPECT_NE(
        error_of([&] { parse_json(bad, "file.json"); }).find("corrupt: file.json: not valid JSON"),
        std::string::npos)
        << bad;
  }
}

TEST(ParseJson, ABombOfBracketsStops) {
  EXPECT_NE(error_of([] { parse_json(std::string(1000000, '['), "bomb"); }).find("nests deeper"),
            std::string::npos);
  EXPECT_EQ(error_of([] { parse_json(std::string(60, '[') + std::string(60, ']'), "deep"); }),
            "no error");
}

TEST(JsonView, TypedReadsNameKeyFoundAndExpected) {
  const Json json = parse_json(
      R"({"n":5,"x":1.5,"s":"t","b":true,"o":{},"z":null,"big":18446744073709551615})", "c.json");
  const JsonView view(json, "c.json");
  EXPECT_EQ(view.integer("n", 0, 10), 5);
  EXPECT_EQ(view.number("x"), 1.5);
  EXPECT_EQ(view.number("n"), 5.0);
  EXPECT_EQ(view.string("s"), "t");
  EXPECT_TRUE(view.boolean_or("b", false));
  EXPECT_TRUE(view.boolean_or("z", true));
  EXPECT_EQ(view.integer_or("none", 7, 0, 10), 7);
  EXPECT_FALSE(view.has("z"));
  EXPECT_EQ(error_of([&] { view.integer("n", 6, 10); }),
            "corrupt: c.json: 'n' is 5, expected 6 to 10");
  EXPECT_EQ(error_of([&] { view.integer("x", 0, 1); }),
            "corrupt: c.json: 'x' must be an integer, found number");
  EXPECT_EQ(error_of([&] { view.integer("big", 0, 1); }),
            "corrupt: c.json: 'big' is 18446744073709551615, expected 0 to 1");
  EXPECT_EQ(error_of([&] { view.string("none"); }), "corrupt: c.json: key 'none' is missing");
  EXPECT_EQ(error_of([&] { view.object("s"); }),
            "corrupt: c.json: 's': expected a JSON object, found string");
}

}  // namespace
}  // namespace phial
