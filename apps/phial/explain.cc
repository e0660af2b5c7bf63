// SPDX-License-Identifier: Apache-2.0
// phial explain MODEL: where it would run, why, what it needs and how fast it would be.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "cli.h"
#include "facts.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

struct ExplainOptions {
  std::string model;
  phial::ModelOptions model_options;
  bool json = false, no_measure = false;
};

std::string rate_text(const Json& rate) {
  const double value = rate.get<double>();
  return value >= 100 ? fmt::format("{:.0f} tokens/s", value)
                      : fmt::format("{:.1f} tokens/s", value);
}

std::string decision_text(const Json& facts) {
  const Json& placement = facts["placement"];
  const Json& chosen = facts["devices"].front();
  std::string text = fmt::format(
      "{} would run on {}{}\n", facts.value("model", ""), chosen.value("device", ""),
      chosen["name"].is_string() ? " (" + chosen["name"].get<std::string>() + ")" : std::string());
  text += fmt::format("  why        {}\n", wrapped(placement.value("why", ""), 13));
  if (placement["fallback"].is_string()) {
    const std::string why = placement["fallback"].get<std::string>();
    text += fmt::format("  instead of {}: {}\n", placement.value("wanted", ""),
                        wrapped(why.substr(0, why.find('\n')), 13));
  }
  const Json& battery = placement["on_battery"];
  text += fmt::format("  asked for  device {}, policy {}, power: {}\n\n",
                      placement.value("wanted", ""), placement.value("policy", ""),
                      !battery.is_boolean() ? "n/a"
                      : battery.get<bool>() ? "battery"
                                            : "mains");
  return text;
}

std::string devices_text(const Json& devices) {
  size_t width = 6;
  for (const Json& device : devices) width = std::max(width, device.value("device", "").size());
  std::string text = "devices, the best first\n";
  int place = 0;
  for (const Json& device : devices) {
    const bool can = device.value("can", false);
    std::string reason = device.value("reason", "");
    reason = reason.substr(0, reason.find('\n'));
    if (device["measured"].is_object())
      reason += fmt::format("; measured here: prompt {}, answer {}",
                            rate_text(device["measured"]["prompt_rate"]),
                            rate_text(device["measured"]["answer_rate"]));
    text += fmt::format("  {:>2} {:<{}}  {}{}\n", can ? std::to_string(++place) : "-",
                        device.value("device", ""), width,
                        can ? "" : "no: ", wrapped(reason, width + 7, 130));
  }
  return text + "\n";
}

std::string memory_text(const Json& memory) {
  const double needed = memory["needed"].get<double>();
  std::string verdict;
  if (memory["available"].is_number())
    verdict = needed <= memory["available"].get<double>() ? ": it fits" : ": it doesn't fit";
  return fmt::format(
      "memory\n  weights    {}\n  cache      {} for {} tokens, {} each\n  workspace  about {}\n"
      "  together   {}, available {} of {}{}\n\n",
      bytes_text(memory["weights"]), bytes_text(memory["cache"]), memory.value("tokens", 0),
      bytes_text(memory["cache_per_token"]), bytes_text(memory["workspace"]),
      bytes_text(memory["needed"]), text_or_na(memory["available"], &bytes_text),
      text_or_na(memory["total"], &bytes_text), verdict);
}

std::string speed_text(const Json& facts, const std::string& model) {
  const Json& expected = facts["expected"];
  const Json& roofline = facts["roofline"];
  std::string text = "expected speed\n";
  const std::string from = text_or(expected["from"], "");
  const auto rate = [&](const char* key) { return text_or_na(expected[key], &rate_text); };
  text += fmt::format("  prompt     {}", rate("prompt_rate"));
  if (expected["first_token_seconds"].is_number())
    text +=
        fmt::format(", first token of {} after {}", facts["placement"].value("prompt_tokens", 0),
                    human_seconds(expected["first_token_seconds"].get<double>()));
  text += fmt::format("\n  answer     {}", rate("answer_rate"));
  if (expected["at_most"].is_number())
    text += fmt::format(", at most {} as memory is read", rate_text(expected["at_most"]));
  text += "\n  from       ";
  if (from == "measurement")
    text += "what 'phial bench --devices' measured here\n";
  else if (from == "roofline")
    text += "this computer's roofline\n";
  else
    text +=
        "nothing is known of this device: phial bench " + model + " --devices all measures it\n";
  if (roofline.is_object())
    text += fmt::format(
        "  roofline   memory is read at {:.1f} GB/s, phial's engine takes weights at {:.1f} GB/s; "
        "integer products go at {:.2f} Top/s, its prompts at {:.2f} Top/s (measured {} ago)\n",
        roofline["read_rate"].get<double>() / 1e9, roofline["decode_rate"].get<double>() / 1e9,
        roofline["int8_rate"].get<double>() / 1e12, roofline["prompt_rate"].get<double>() / 1e12,
        human_seconds(static_cast<double>(
            std::max(int64_t{0}, std::time(nullptr) - roofline.value("when", int64_t{0})))));
  return text;
}

int explain(const ExplainOptions& options) {
  const Json facts = Json::parse(phial::explain_json(phial::find_model(options.model),
                                                     options.model_options, !options.no_measure));
  if (options.json) {
    write_out(dump(facts));
    return 0;
  }
  write_out(decision_text(facts) + devices_text(facts["devices"]) + memory_text(facts["memory"]) +
            speed_text(facts, options.model));
  return 0;
}

}  // namespace

void add_explain(CommandLine& line) {
  auto options = std::make_shared<ExplainOptions>();
  Verb verb = line.add("explain", "Where a model would run, why, and how fast");
  verb.argument("MODEL", options->model, "Name or folder of the model");
  verb.option("--prompt-tokens", options->model_options.prompt_tokens,
              "Length of the prompt; 0: 512");
  verb.flag("--no-measure", options->no_measure,
            "Don't measure this computer if that wasn't done before (a second)");
  verb.flag("--json", options->json, "As one JSON object");
  add_model_flags(verb, options->model_options);
  verb.action([options] { return explain(*options); });
}

}  // namespace cli
