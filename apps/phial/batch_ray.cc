// SPDX-License-Identifier: Apache-2.0
#include "batch_ray.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "cli.h"
#include "terminal.h"

namespace cli {

namespace {

// Lines that are asked for and not yet written. Many, because answers wait for slower ones before
// them and all actors of a large cluster have work meanwhile; few enough for memory.
constexpr size_t kMostAsked = 4096;

std::string python() {
  const char* named = std::getenv("PHIAL_PYTHON");
  return named && *named ? named : "python3";
}

// A folder by its whole path, as other nodes see it; a name as it is.
std::string place_of(const std::string& model) {
  std::error_code failed;
  const std::filesystem::path path = std::u8string(model.begin(), model.end());
  if (!std::filesystem::is_directory(path, failed)) return model;
  const std::u8string whole = std::filesystem::absolute(path, failed).u8string();
  return std::string(whole.begin(), whole.end());
}

// As the keywords of phial.Engine; what isn't set stays the engine's choice.
Json engine_of(const phial::ModelOptions& options) {
  Json engine = {{"device", options.device},    {"require_device", options.require_device},
                 {"policy", options.policy},    {"context", options.context},
                 {"threads", options.threads},  {"prefill_chunk", options.prefill_chunk},
                 {"settings", options.settings}};
  if (!options.kv_cache.empty()) engine["kv_cache"] = options.kv_cache;
  if (!options.activations.empty()) engine["activations"] = options.activations;
  return engine;
}

}  // namespace

void RayAnswers::start() {
  try {
    python_.emplace(std::vector<std::string>{python(), "-m", "phial.ray"});
  } catch (const Failure& error) {
    throw Failure(
        fmt::format("{}; --ray needs a Python with phial and Ray (pip install "
                    "'phial[ray]'), which PHIAL_PYTHON may name",
                    error.what()));
  }
  python_->write(dump({{"version", phial::version()},
                       {"address", options_.ray},
                       {"actors", options_.ray_actors},
                       {"cpus", options_.ray_cpus},
                       {"model", place_of(options_.model)},
                       {"engine", engine_of(options_.model_options)}},
                      -1));
}

RayAnswers::Asked RayAnswers::asked_of(const BatchLine& line) {
  Asked asked{{line, Json::object()}};
  asked.answer.line.text.clear();
  Json& record = asked.answer.record;
  Json message = {{"line", line.number}};
  try {
    const Json json = parse_line(line);
    if (json.contains("id")) record["id"] = json["id"];
    BatchRequest request = request_of(json, options_);
    message["params"] = json_of(request.params);
    if (!request.params.speculate.empty())
      message["params"]["speculate"] = request.params.speculate;
    if (request.prompt) {
      message["prompt"] = std::move(*request.prompt);
    } else {
      message["messages"] = std::move(request.messages);
    }
  } catch (const Json::exception& error) {
    record["error"] = sentence_of(line, error);
    asked.is_there = true;
  } catch (const Failure& error) {
    record["error"] = error.what();
    asked.is_there = true;
  }
  if (asked.is_there) return asked;
  if (!python_) start();
  python_->write(dump(message, -1));  // if it has died, reading says so
  return asked;
}

void RayAnswers::ask() {
  while (!all_asked_ && asked_.size() < kMostAsked && !CatchInterrupt::seen()) {
    const auto line = job_.next();
    if (line) {
      asked_.push_back(asked_of(*line));
    } else {
      all_asked_ = true;
    }
  }
}

void RayAnswers::fail(const std::string& why) {
  throw Failure(fmt::format(
      "{}; the answers that came are kept, and the same command goes on behind them", why));
}

// Between answers come notices.
std::optional<Json> RayAnswers::read_answer() {
  for (;;) {
    const auto text = python_->read_line(&CatchInterrupt::seen);
    if (CatchInterrupt::seen()) return std::nullopt;
    if (!text) {
      fail(fmt::format("{} -m phial.ray ended with exit code {}", python(), python_->wait()));
    }
    Json said = Json::parse(*text, nullptr, false);
    if (said.contains("answer")) return std::move(said["answer"]);
    if (said.contains("notice")) {
      show_notice(PHIAL_NOTICE_INFO, said["notice"].get<std::string>());
    } else if (said.contains("failure")) {
      fail(said["failure"].get<std::string>());
    } else {
      fail(fmt::format("{} -m phial.ray said what nobody understands: {}", python(), *text));
    }
  }
}

std::optional<BatchAnswer> RayAnswers::next() {
  ask();
  if (asked_.empty()) return std::nullopt;
  if (!asked_.front().is_there) {
    const auto answer = read_answer();
    if (!answer) return std::nullopt;
    asked_.front().answer.record.update(*answer);
  }
  BatchAnswer answer = std::move(asked_.front().answer);
  asked_.pop_front();
  return answer;
}

}  // namespace cli
