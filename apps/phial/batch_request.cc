// SPDX-License-Identifier: Apache-2.0
#include "batch_request.h"

#include <fmt/format.h>

#include "cli.h"

namespace cli {

namespace {

// What a line says for itself comes before the flags.
phial::GenerateParams params_of(const Json& line, phial::GenerateParams params) {
  const auto take = [&](const char* name, auto& value) {
    if (line.contains(name) && !line[name].is_null()) line[name].get_to(value);
  };
  take("max_new_tokens", params.max_new_tokens);
  take("temperature", params.temperature);
  take("top_k", params.top_k);
  take("top_p", params.top_p);
  take("min_p", params.min_p);
  take("repetition_penalty", params.repetition_penalty);
  take("presence_penalty", params.presence_penalty);
  take("frequency_penalty", params.frequency_penalty);
  take("seed", params.seed);
  if (line.contains("stop") && line["stop"].is_string()) {
    params.stop = {line["stop"].get<std::string>()};
  } else {
    take("stop", params.stop);
  }
  return params;
}

Json messages_of(const Json& line, const BatchOptions& options) {
  if (line.contains("messages")) return line["messages"];
  Json messages = Json::array();
  if (!options.system.empty())
    messages.push_back({{"role", "system"}, {"content", options.system}});
  messages.push_back({{"role", "user"}, {"content", line["prompt"]}});
  return messages;
}

}  // namespace

Json json_of(const phial::GenerateParams& p) {
  return {{"max_new_tokens", p.max_new_tokens},
          {"temperature", p.temperature},
          {"top_k", p.top_k},
          {"top_p", p.top_p},
          {"min_p", p.min_p},
          {"repetition_penalty", p.repetition_penalty},
          {"presence_penalty", p.presence_penalty},
          {"frequency_penalty", p.frequency_penalty},
          {"seed", p.seed},
          {"ignore_eos", p.ignore_eos},
          {"keep_special", p.keep_special},
          {"stop", p.stop}};
}

std::string settings_of(const BatchOptions& options) {
  Json settings = json_of(options.params);
  settings["model"] = options.model;
  settings["raw"] = options.raw;
  settings["system"] = options.system;
  settings["kv_cache"] = options.model_options.kv_cache;
  settings["activations"] = options.model_options.activations;
  return dump(settings, -1);
}

Json parse_line(const BatchLine& line) {
  Json json = Json::parse(line.text, nullptr, false);
  if (json.is_string()) json = {{"prompt", json}};
  if (!json.is_object() ||
      !(json.contains("messages") || (json.contains("prompt") && json["prompt"].is_string()))) {
    throw Failure(
        fmt::format("line {}: expected a JSON text, or an object with \"prompt\" or \"messages\"",
                    line.number));
  }
  return json;
}

BatchRequest request_of(const Json& line, const BatchOptions& options) {
  BatchRequest request;
  request.params = params_of(line, options.params);
  if (options.raw && line.contains("prompt")) {
    request.prompt = line["prompt"].get<std::string>();
  } else {
    request.messages = messages_of(line, options);
  }
  return request;
}

std::string sentence_of(const BatchLine& line, const Json::exception& error) {
  return fmt::format("line {}: {}", line.number, error.what());
}

}  // namespace cli
