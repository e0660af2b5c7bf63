// SPDX-License-Identifier: Apache-2.0
// phial devices: what this computer offers, and why the rest can't be used.
#include <fmt/format.h>

#include <memory>

#include "cli.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

// A library that isn't found comes with all places that were looked into.
std::string first_line(const std::string& text, bool& cut) {
  const size_t end = text.find('\n');
  cut |= end != std::string::npos;
  return text.substr(0, end);
}

std::string for_people(const Json& facts) {
  std::string text =
      fmt::format("{}, {} threads, {} memory\n\ndevices\n", facts.value("cpu", ""),
                  facts.value("threads", 0), human_bytes(facts.value("memory_bytes", 0.0)));
  bool cut = false;
  for (const Json& device : facts["devices"]) {
    const bool usable = device.value("usable", true);
    text += fmt::format("  {:<16} {}{}\n", device.value("id", ""), usable ? "" : "no: ",
                        first_line(device.value(usable ? "description" : "why_not", ""), cut));
  }
  if (cut) text += "  (where libraries were looked for: phial devices --json)\n";
  text += "\nkernels of the cpu device (PHIAL_ISA chooses)\n";
  const std::string used =
      facts["tier"].is_string() ? facts["tier"].get<std::string>() : std::string();
  for (const Json& tier : facts["tiers"]) {
    const std::string name = tier.value("name", "");
    text += fmt::format("  {:<16} {}\n", name,
                        !tier.value("runs_here", false) ? tier.value("why_not", "")
                        : name == used                  ? "in use"
                                                        : "runs here");
  }
  if (facts.contains("tier_error")) text += fmt::format("\n{}\n", facts.value("tier_error", ""));
  return text;
}

}  // namespace

void add_devices(CommandLine& line) {
  auto json = std::make_shared<bool>(false);
  Verb verb = line.add("devices", "What this computer offers");
  verb.flag("--json", *json, "As one JSON object");
  verb.action([=] {
    const Json facts = Json::parse(phial::devices_json());
    write_out(*json ? dump(facts) : for_people(facts));
    return 0;
  });
}

}  // namespace cli
