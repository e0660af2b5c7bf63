// SPDX-License-Identifier: Apache-2.0
// phial devices: what this computer has, which engine can use it, and why the rest can't.
#include <fmt/format.h>

#include <memory>

#include "cli.h"
#include "facts.h"
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

std::string kinds_text(const Json& cpu) {
  std::string text;
  for (const Json& kind : cpu["kinds"]) {
    const size_t threads = kind["cpus"].size();
    const Json& cores = kind["cores"];
    const std::string name =
        kind["kind"].is_string() ? kind["kind"].get<std::string>() + " " : std::string();
    std::string one = cores.is_number() ? fmt::format("{} {}cores", cores.get<int>(), name)
                                        : fmt::format("{} {}threads", threads, name);
    if (cores.is_number() && cores.get<size_t>() != threads)
      one += fmt::format(" ({} threads)", threads);
    if (kind["max_mhz"].is_number()) one += " up to " + clock_text(kind["max_mhz"]);
    text += (text.empty() ? "" : ", ") + one;
  }
  if (cpu["l3_bytes"].is_number())
    text += fmt::format(", L3 {:.0f} MiB", cpu["l3_bytes"].get<double>() / (1 << 20));
  return text;
}

std::string driver_text(const Json& device) {
  if (!device["driver"].is_string()) return "no driver";
  const std::string version =
      device.contains("driver_version") ? text_or(device["driver_version"], "") : "";
  return "driver " + device.value("driver", "") + (version.empty() ? "" : " " + version);
}

std::string clocks_text(const Json& device) {
  return "clock " + text_or_na(device["mhz"], &clock_text) + " of " +
         text_or_na(device["max_mhz"], &clock_text);
}

std::string gpu_text(const Json& gpu) {
  const Json& integrated = gpu["integrated"];
  const std::string memory =
      gpu["memory_bytes"].is_number()
          ? fmt::format("memory {} ({} used)", bytes_text(gpu["memory_bytes"]),
                        text_or_na(gpu["memory_used"], &bytes_text))
      : integrated == true ? "memory shared with the CPU"
                           : "memory n/a";
  return fmt::format("{}, {}, {}", driver_text(gpu), clocks_text(gpu), memory);
}

std::string npu_text(const Json& npu) {
  return fmt::format("{}, firmware {}, {}, memory in use {}", driver_text(npu),
                     text_or(npu["firmware"], "n/a"), clocks_text(npu),
                     text_or_na(npu["memory_used"], &bytes_text));
}

std::string unit_facts(const Json& unit, const Json& machine) {
  const std::string id = unit.value("id", "");
  for (const Json& gpu : machine["gpus"])
    if (gpu["id"] == id) return gpu_text(gpu);
  for (const Json& npu : machine["npus"])
    if (npu["id"] == id) return npu_text(npu);
  return kinds_text(machine["cpu"]);
}

std::string unit_text(const Json& unit, const Json& machine) {
  std::string text = fmt::format("{:<4} {:<9} {}\n", unit.value("kind", ""), unit.value("id", ""),
                                 unit.value("name", ""));
  const auto line = [&](const char* what, const std::string& rest) {
    if (!rest.empty()) text += fmt::format("     {:<9} {}\n", what, rest);
  };
  line("", unit_facts(unit, machine));
  std::string used_by;
  for (const Json& engine : unit["engines"])
    if (engine.value("usable", false))
      used_by += (used_by.empty() ? "" : ", ") + engine.value("device", "");
  line("used by", used_by);
  if (used_by.empty()) line("unused", unit.value("why_not", ""));
  line("to do", unit.value("remedy", ""));
  return text;
}

std::string for_people(const Json& facts) {
  const Json& machine = facts["machine"];
  std::string text = machine_line(machine) + "\n\n";
  for (const Json& unit : facts["units"]) text += unit_text(unit, machine);
  text += "\ndevices of the engines (--device chooses)\n";
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
  Verb verb = line.add("devices", "What this computer has, and what can use it");
  verb.flag("--json", *json, "As one JSON object");
  verb.action([=] {
    const Json facts = Json::parse(phial::devices_json());
    write_out(*json ? dump(facts) : for_people(facts));
    return 0;
  });
}

}  // namespace cli
