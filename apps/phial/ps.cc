// SPDX-License-Identifier: Apache-2.0
// phial ps: the models that this user's phial programs have open.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "cli.h"
#include "processes.h"
#include "terminal.h"

namespace cli {

namespace {

std::string rate_text(const Json& process) {
  const Json& rate = process.value("answer_rate", Json());
  return rate.is_number() ? fmt::format("{:.1f}", rate.get<double>()) : "n/a";
}

// Of fields that another version of phial may not write, or write otherwise.
std::string text_of(const Json& process, const char* key) {
  const Json value = process.value(key, Json());
  return value.is_string() ? value.get<std::string>() : value.is_number() ? value.dump() : "n/a";
}

}  // namespace

std::string processes_table(const Json& processes) {
  if (processes.empty()) return "no model is open\n";
  size_t model = 5, device = 6;
  for (const Json& process : processes) {
    model = std::max(model, text_of(process, "model").size());
    device = std::max(device, text_of(process, "device").size());
  }
  std::string text =
      fmt::format("{:>8}  {:<{}}  {:<{}}  {:>8}  {:<8}  {:>8}  {:>8}  {:>10}\n", "PID", "MODEL",
                  model, "DEVICE", device, "CONTEXT", "STATE", "TOKENS", "TOKENS/S", "OPEN FOR");
  for (const Json& process : processes) {
    const auto open =
        static_cast<double>(std::time(nullptr)) - (process.value("started", Json()).is_number()
                                                       ? process["started"].get<double>()
                                                       : static_cast<double>(std::time(nullptr)));
    text += fmt::format("{:>8}  {:<{}}  {:<{}}  {:>8}  {:<8}  {:>8}  {:>8}  {:>10}\n",
                        text_of(process, "pid"), text_of(process, "model"), model,
                        text_of(process, "device"), device, text_of(process, "context"),
                        text_of(process, "state"), text_of(process, "answer_tokens"),
                        rate_text(process), human_seconds(std::max(0.0, open)));
  }
  return text;
}

void add_ps(CommandLine& line) {
  auto json = std::make_shared<bool>(false);
  Verb verb = line.add("ps", "Models that phial has open now");
  verb.flag("--json", *json, "As one JSON array");
  verb.action([=] {
    const Json processes = Json::parse(phial::processes_json());
    write_out(*json ? dump(processes) : processes_table(processes));
    return 0;
  });
}

}  // namespace cli
