// SPDX-License-Identifier: Apache-2.0
// Templates against what transformers renders (tools/oracle/chat_templates.py made the golden
// files), and what must be refused: syntax errors, constructs outside the subset, hostile
// templates.
#include "chat/chat_template.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace phial {
namespace {

const fs::path kGolden = fs::path(PHIAL_SOURCE_DIR) / "tests/golden/chat";
const fs::path kShared = fs::path(PHIAL_SHARED_DIR) / "data";

Code code_of(const std::string& source, const Json& variables = Json::object(),
             std::string* message = nullptr) {
  try {
    ChatTemplate(source, "t").render(Json::array(), false, variables);
  } catch (const Error& error) {
    if (message) *message = error.what();
    return error.code();
  }
  return Code::kInternal;
}

TEST(ChatTemplate, PublishedTemplatesRenderAsTransformers) {
  if (!fs::exists(kShared / "tokenizers")) GTEST_SKIP() << "no shared data at " << kShared;
  const Json golden = read_json(kGolden / "rendered.json");
  size_t compared = 0;
  for (const Json& expected : golden["cases"]) {
    const fs::path file = kShared / expected["file"].get<std::string>();
    if (!fs::exists(file)) continue;
    Json config = Json::object();
    if (fs::exists(file.parent_path() / "tokenizer_config.json")) {
      config = read_json(file.parent_path() / "tokenizer_config.json");
    } else {
      config["bos_token"] = "<s>";
      config["eos_token"] = "<|endoftext|>";
    }
    const bool plain = file.extension() == ".jinja";
    const std::string source = plain ? read_file(file) : config["chat_template"].get<std::string>();
    Json variables = Json::object();
    for (const char* name : {"bos_token", "eos_token", "unk_token", "pad_token"}) {
      if (config.contains(name)) variables[name] = config[name];
    }
    const Json& messages = golden["conversations"][expected["conversation"].get<std::string>()];
    const std::string text =
        ChatTemplate(source, file.string()).render(messages, expected["prompt"], variables);
    EXPECT_EQ(text, expected["rendered"].get<std::string>())
        << expected["file"] << " " << expected["conversation"];
    ++compared;
  }
  EXPECT_GE(compared, 150u);
}

TEST(ChatTemplate, FeaturesRenderAsJinja2) {
  const Json features = read_json(kGolden / "features.json");
  ASSERT_GE(features.size(), 150u);
  for (const Json& feature : features) {
    const std::string source = feature["template"];
    Json variables = feature.value("variables", Json::object());
    const Json messages = variables.contains("messages") ? variables["messages"] : Json::array();
    if (feature.contains("error")) {
      EXPECT_NE(code_of(source, variables), Code::kInternal)
          << source << " should fail: " << feature["error"];
      continue;
    }
    try {
      EXPECT_EQ(ChatTemplate(source).render(messages, false, variables),
                feature["rendered"].get<std::string>())
          << source;
    } catch (const Error& error) {
      ADD_FAILURE() << source << "\n  threw " << error.what();
    }
  }
}

TEST(ChatTemplate, SyntaxErrorsNameTheLine) {
  const char* bad[] = {"{% if x %}",
                       "{{ x",
                       "{% endif %}",
                       "{{ }}",
                       "{{ 'a }}",
                       "{# a",
                       "{% for x %}{% endfor %}",
                       "{{ 1 + }}",
                       "{% raw %}",
                       "{{ (1 }}",
                       "{{ a.1b c }}",
                       "{% set 1 = 2 %}",
                       "{% break %}",
                       "{% nonsense %}",
                       "{{ f(a=1, 2) }}",
                       "{{ \x80 }}",
                       "{% if a %}{% else %}{% else %}{% endif %}"};
  for (const char* source : bad) {
    std::string message;
    EXPECT_EQ(code_of(std::string("one\ntwo ") + source, Json::object(), &message), Code::kCorrupt)
        << source;
    EXPECT_NE(message.find("t:"), std::string::npos) << message;
  }
  std::string message;
  code_of("one\ntwo\n{{ 1 + }}", Json::object(), &message);
  EXPECT_EQ(message.substr(0, 4), "t:3:");
}

TEST(ChatTemplate, WhatTheSubsetLacksIsRefusedByName) {
  const std::pair<const char*, const char*> cases[] = {
      {"{% include 'x' %}", "include"},
      {"{% block b %}{% endblock %}", "block"},
      {"{{ x|urlize }}", "urlize"},
      {"{{ x is filter }}", "filter"},
      {"{{ x.append(1) }}", "append"},
      {"{{ f(*x) }}", "'*'"},
      {"{% for x in y recursive %}{% endfor %}", "recursive"},
      {"{% call f() %}{% endcall %}", "call"}};
  for (const auto& [source, name] : cases) {
    std::string message;
    EXPECT_EQ(code_of(source, Json::object(), &message), Code::kUnsupported) << source;
    EXPECT_NE(message.find(name), std::string::npos) << message;
    EXPECT_NE(message.find("t:1:"), std::string::npos) << message;
  }
}

TEST(ChatTemplate, HostileTemplatesEnd) {
  const std::string many(100000, '(');
  const std::string deep_not = [] {
    std::string text = "{{ ";
    for (int i = 0; i < 50000; ++i) text += "not ";
    return text + "x }}";
  }();
  std::string sums = "{{ 1";
  for (int i = 0; i < 50000; ++i) sums += "+1";
  std::string ifs, dots = "{{ x";
  for (int i = 0; i < 20000; ++i) ifs += "{% if x %}", dots += ".x";
  const std::string hostile[] = {
      "{{ " + many,
      deep_not,
      sums + " }}",
      ifs,
      dots + " }}",
      "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
      "{{ 'x' * 9999999999 }}",
      "{{ ('x' * 1000000) * 100000 }}",
      "{{ [1] * 999999999999 }}",
      "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
      "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x, ns.x] %}{% "
      "endfor %}",
      "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(90) %}{% set ns.x = [ns.x, ns.x] %}"
      "{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
      "{% set ns = namespace(x=[1]) %}{% for i in range(90) %}{% set ns.x = [ns.x, ns.x] %}{% "
      "endfor %}{{ ns.x }}",
      "{% set ns = namespace(x='ab') %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% "
      "endfor %}",
      "{% set ns = namespace(x='ab') %}{% for i in range(100) %}{% set ns.x = ns.x|replace('a', "
      "ns.x) %}{% endfor %}",
      "{{ 9223372036854775807 + 1 }}",
      "{{ 10 ** 100 }}",
      "{{ 'a'|indent(1000000000) }}",
      "{{ [1]|tojson(indent=1000000000) }}"};
  for (const std::string& source : hostile) {
    const Code code = code_of(source);
    EXPECT_TRUE(code == Code::kUnsupported || code == Code::kInvalidArgument ||
                code == Code::kCorrupt)
        << source.substr(0, 100) << " gave " << code_name(code);
  }
}

TEST(ChatTemplate, RaiseExceptionGivesTheTemplatesMessage) {
  std::string message;
  EXPECT_EQ(code_of("\n{{ raise_exception('roles must alternate') }}", Json::object(), &message),
            Code::kInvalidArgument);
  EXPECT_NE(message.find("roles must alternate"), std::string::npos) << message;
}

TEST(ChatTemplate, ClockFormats) {
  const std::string year =
      ChatTemplate("{{ strftime_now('%Y') }}").render(Json::array(), false, Json::object());
  ASSERT_EQ(year.size(), 4u);
  EXPECT_GE(std::stoi(year), 2024);
}

TEST(ChatTemplate, OneTemplateRendersManyTimes) {
  const ChatTemplate chat_template("{% set x = (x or 0) + 1 %}{{ x }}{{ messages|length }}");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(chat_template.render(Json::array(), false, Json::object()), "10");
  ChatTemplate first("{{ 1 }}");
  const ChatTemplate second(std::move(first));
  EXPECT_EQ(second.render(Json::array(), true, Json()), "1");
}

}  // namespace
}  // namespace phial
