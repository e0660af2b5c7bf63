// SPDX-License-Identifier: Apache-2.0
// phial doctor: checks everything that running a model needs, and says what to do next.
#include <fmt/format.h>

#include <memory>

#include "cli.h"
#include "facts.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

std::string for_people(const Json& report) {
  std::string text = machine_line(report["machine"]) + "\n\n";
  constexpr size_t kIndent = 12;
  for (const Json& check : report["checks"]) {
    const std::string state = check.value("state", "");
    const std::string found = check.value("title", "") + ": " + check.value("found", "");
    text += fmt::format("  {:<8}  {}\n", state, wrapped(found, kIndent));
    if (state == "ok") continue;
    if (const std::string expected = check.value("expected", ""); !expected.empty())
      text += fmt::format("            expected: {}\n", wrapped(expected, kIndent));
    if (const std::string remedy = check.value("remedy", ""); !remedy.empty())
      text += fmt::format("            to do: {}\n", wrapped(remedy, kIndent));
  }
  const bool healthy = report.value("healthy", false);
  text += healthy ? "\nhealthy; next:\n" : "\nnot healthy; next:\n";
  int number = 0;
  for (const Json& step : report["next"])
    text += fmt::format("  {}. {}\n", ++number, step.get<std::string>());
  return text;
}

}  // namespace

void add_doctor(CommandLine& line) {
  auto json = std::make_shared<bool>(false);
  Verb verb = line.add("doctor", "Check everything that running a model needs");
  verb.flag("--json", *json, "As one JSON object");
  verb.action([=] {
    const Json report = Json::parse(phial::doctor_json());
    write_out(*json ? dump(report) : for_people(report));
    return report.value("healthy", false) ? 0 : kExitError;
  });
}

}  // namespace cli
