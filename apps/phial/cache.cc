// SPDX-License-Identifier: Apache-2.0
// phial cache ls | clear: the models that were compiled for a device and kept.
#include <fmt/format.h>

#include <memory>

#include "cli.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

std::string for_people(const Json& cache) {
  std::string text;
  double total = 0;
  for (const Json& entry : cache["entries"]) {
    const double bytes = entry.value("bytes", 0.0);
    text += fmt::format("{:>9}  {}  unused for {}{}\n", human_bytes(bytes), entry.value("what", ""),
                        human_seconds(entry.value("unused_seconds", 0.0)),
                        entry.value("sound", false) ? "" : "  (not usable)");
    total += bytes;
  }
  return text + fmt::format("{:>9}  in {}\n", human_bytes(total), cache.value("folder", ""));
}

}  // namespace

void add_cache(CommandLine& line) {
  struct Options {
    std::string action;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  Verb verb = line.add("cache", "Compiled models that are kept: list or remove them");
  verb.argument("ACTION", options->action, "ls or clear");
  verb.flag("--json", options->json, "ls: as one JSON object");
  verb.action([options] {
    if (options->action == "ls") {
      const Json cache = Json::parse(phial::cache_json());
      write_out(options->json ? dump(cache) : for_people(cache));
    } else if (options->action == "clear") {
      write_out(
          fmt::format("removed {}\n", human_bytes(static_cast<double>(phial::cache_clear()))));
    } else {
      throw Failure(
          fmt::format("'{}' is neither ls nor clear (see phial cache --help)", options->action),
          kExitUsage);
    }
    return 0;
  });
}

}  // namespace cli
