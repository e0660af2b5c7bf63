// SPDX-License-Identifier: Apache-2.0
// phial batch IN.jsonl OUT.jsonl: many answers, in order; killed at any moment and started again,
// nothing is lost or done twice.
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "batch_job.h"
#include "cli.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

using Clock = std::chrono::steady_clock;

struct BatchOptions {
  std::string input, output, model, system;
  phial::ModelOptions model_options;
  phial::GenerateParams params;
  bool raw = false, overwrite = false, offline = false, quiet = false;
};

struct Totals {
  uint64_t answered = 0, failed = 0;
  int64_t tokens = 0;
  Clock::time_point start = Clock::now(), shown = start, saved = start;

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start).count(); }
};

// Everything that changes an answer; the device isn't, as far as answers are compared.
std::string settings_of(const BatchOptions& options) {
  const phial::GenerateParams& p = options.params;
  return dump({{"model", options.model},
               {"raw", options.raw},
               {"system", options.system},
               {"max_new_tokens", p.max_new_tokens},
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
               {"stop", p.stop}},
              -1);
}

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

// A text alone is a prompt.
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

phial::Result answer(phial::Model& model, const Json& line, const BatchOptions& options) {
  const phial::GenerateParams params = params_of(line, options.params);
  if (options.raw && line.contains("prompt"))
    return model.generate(line["prompt"].get<std::string>(), params, {}, &CatchInterrupt::seen);
  // A chat of its own for each line, so that an answer doesn't hang on what came before it.
  phial::Chat chat(model);
  chat.set_messages_json(dump(messages_of(line, options), -1));
  return chat.reply(params, {}, &CatchInterrupt::seen);
}

// The record of one line; nothing if it was stopped.
std::optional<Json> record_of(phial::Model& model, const BatchLine& line,
                              const BatchOptions& options, Totals& totals) {
  Json record = Json::object();
  try {
    const Json json = parse_line(line);
    if (json.contains("id")) record["id"] = json["id"];
    const phial::Result result = answer(model, json, options);
    if (result.finish_reason == "cancelled") return std::nullopt;
    record["text"] = result.text;
    record["finish_reason"] = result.finish_reason;
    record["prompt_tokens"] = result.stats.prompt_tokens;
    record["generated_tokens"] = result.stats.generated_tokens;
    totals.tokens += result.stats.generated_tokens;
  } catch (const phial::Exception& error) {
    if (error.code() == PHIAL_CANCELLED) return std::nullopt;
    if (error.code() == PHIAL_OUT_OF_MEMORY || error.code() == PHIAL_INTERNAL) throw;
    record["error"] = error.what();
  } catch (const Failure& error) {
    record["error"] = error.what();
  } catch (const Json::exception& error) {  // a parameter of another type
    record["error"] = fmt::format("line {}: {}", line.number, error.what());
  }
  if (record.contains("error")) ++totals.failed;
  return record;
}

void show_progress(const BatchJob& job, Totals& totals) {
  if (!stderr_is_terminal() || Clock::now() - totals.shown < std::chrono::milliseconds(200)) return;
  totals.shown = Clock::now();
  const double share = job.input_bytes() ? 100.0 * static_cast<double>(job.bytes_read()) /
                                               static_cast<double>(job.input_bytes())
                                         : 100.0;
  show_notice(
      PHIAL_NOTICE_PROGRESS,
      fmt::format("{} answers, {:.0f} %, {:.1f} tokens/s", job.were_there() + totals.answered,
                  std::min(share, 100.0), static_cast<double>(totals.tokens) / totals.seconds()));
}

int batch(const BatchOptions& options) {
  BatchJob job(options.input, options.output, settings_of(options), options.overwrite);
  const CatchInterrupt interrupt(true);
  std::unique_ptr<phial::Model> model;  // opened when there is something to answer
  Totals totals;
  while (!CatchInterrupt::seen()) {
    const auto line = job.next();
    if (!line) break;
    if (!model) {
      model = std::make_unique<phial::Model>(find_or_pull(options.model, options.offline),
                                             options.model_options);
      totals.start = Clock::now();
    }
    const auto record = record_of(*model, *line, options, totals);
    if (!record) break;
    job.write(*line, *record);
    ++totals.answered;
    if (Clock::now() - totals.saved > std::chrono::seconds(2)) {
      job.finish();
      totals.saved = Clock::now();
    }
    show_progress(job, totals);
  }
  job.finish();
  show_notice(PHIAL_NOTICE_PROGRESS, "");
  if (!options.quiet) {
    std::string text =
        fmt::format("{}: {} answers", options.output, job.were_there() + totals.answered);
    if (job.were_there()) text += fmt::format(", {} of them were there", job.were_there());
    if (totals.answered)
      text += fmt::format(", {} tokens in {}", totals.tokens, human_seconds(totals.seconds()));
    if (totals.failed) text += fmt::format(", {} with an error in their place", totals.failed);
    write_err(text + "\n");
  }
  if (CatchInterrupt::seen()) return kExitInterrupted;
  return totals.failed ? kExitError : 0;
}

}  // namespace

void add_batch(CommandLine& line) {
  auto options = std::make_shared<BatchOptions>();
  Verb verb = line.add("batch", "Answer all prompts of a file; goes on where it was stopped");
  verb.argument("IN", options->input,
                "JSON lines: a text, or an object with \"prompt\" or \"messages\", and \"id\" and "
                "generation parameters if need be");
  verb.argument("OUT", options->output, "JSON lines in the same order");
  verb.required("-m,--model", options->model, "Name or folder of the model");
  verb.option("--system", options->system, "What the model is told before each \"prompt\"");
  verb.flag("--raw", options->raw, "Continue each \"prompt\" as it is, without the chat template");
  verb.flag("--overwrite", options->overwrite, "Begin anew if OUT is there");
  verb.flag("--offline", options->offline,
            "Open no connection: a model that isn't here is an error");
  verb.flag("-q,--quiet", options->quiet, "No closing line");
  add_generate_flags(verb, options->params);
  add_model_flags(verb, options->model_options);
  verb.action([options] { return batch(*options); });
}

}  // namespace cli
