// SPDX-License-Identifier: Apache-2.0
// phial batch IN.jsonl OUT.jsonl: many answers, in order; killed at any moment and started again,
// nothing is lost or done twice.
#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "batch_ray.h"
#include "batch_request.h"
#include "cli.h"
#include "terminal.h"

namespace cli {

namespace {

using Clock = std::chrono::steady_clock;

struct Totals {
  uint64_t answered = 0, failed = 0, bytes = 0;
  int64_t tokens = 0;
  Clock::time_point start = Clock::now(), shown = start, saved = start;

  void add(const BatchAnswer& answer) {
    ++answered;
    failed += answer.record.contains("error");
    tokens += answer.record.value("generated_tokens", int64_t{0});
    bytes = answer.line.end;
  }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start).count(); }
};

phial::Result answer(phial::Model& model, const BatchRequest& request) {
  if (request.prompt)
    return model.generate(*request.prompt, request.params, {}, &CatchInterrupt::seen);
  // A chat of its own for each line, so that an answer doesn't hang on what came before it.
  phial::Chat chat(model);
  chat.set_messages_json(dump(request.messages, -1));
  return chat.reply(request.params, {}, &CatchInterrupt::seen);
}

// The record of one line; nothing if it was stopped.
std::optional<Json> record_of(phial::Model& model, const BatchLine& line,
                              const BatchOptions& options) {
  Json record = Json::object();
  try {
    const Json json = parse_line(line);
    if (json.contains("id")) record["id"] = json["id"];
    const phial::Result result = answer(model, request_of(json, options));
    if (result.finish_reason == "cancelled") return std::nullopt;
    record["text"] = result.text;
    record["finish_reason"] = result.finish_reason;
    record["prompt_tokens"] = result.stats.prompt_tokens;
    record["generated_tokens"] = result.stats.generated_tokens;
  } catch (const phial::Exception& error) {
    if (error.code() == PHIAL_CANCELLED) return std::nullopt;
    if (error.code() == PHIAL_OUT_OF_MEMORY || error.code() == PHIAL_INTERNAL) throw;
    record["error"] = error.what();
  } catch (const Failure& error) {
    record["error"] = error.what();
  } catch (const Json::exception& error) {
    record["error"] = sentence_of(line, error);
  }
  return record;
}

// The answers in their order; nothing at the end, and when Ctrl-C was pressed.
using NextAnswer = std::function<std::optional<BatchAnswer>()>;

NextAnswer answers_from_here(BatchJob& job, const BatchOptions& options, Totals& totals) {
  auto model = std::make_shared<std::unique_ptr<phial::Model>>();  // opened for the first line
  return [=, &job, &options, &totals]() -> std::optional<BatchAnswer> {
    const auto line = job.next();
    if (!line) return std::nullopt;
    if (!*model) {
      *model = std::make_unique<phial::Model>(find_or_pull(options.model, options.offline),
                                              options.model_options);
      totals.start = Clock::now();
    }
    auto record = record_of(**model, *line, options);
    if (!record) return std::nullopt;
    return BatchAnswer{*line, std::move(*record)};
  };
}

NextAnswer answers_from_ray(BatchJob& job, const BatchOptions& options) {
  auto answers = std::make_shared<RayAnswers>(job, options);
  return [answers] { return answers->next(); };
}

void show_progress(const BatchJob& job, Totals& totals) {
  if (!stderr_is_terminal() || Clock::now() - totals.shown < std::chrono::milliseconds(200)) return;
  totals.shown = Clock::now();
  const double share = job.input_bytes() ? 100.0 * static_cast<double>(totals.bytes) /
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
  Totals totals;
  const NextAnswer next = options.ray.empty() ? answers_from_here(job, options, totals)
                                              : answers_from_ray(job, options);
  while (!CatchInterrupt::seen()) {
    const auto answer = next();
    if (!answer) break;
    job.write(answer->line, answer->record);
    totals.add(*answer);
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
  verb.option("--ray", options->ray,
              "Answer on a Ray cluster: HOST:PORT, auto (the one of this node), or local (this "
              "computer alone); needs the Python package with Ray (pip install 'phial[ray]')");
  verb.option("--ray-actors", options->ray_actors,
              "Engines in the cluster; 0: as many as its nodes have room for");
  verb.option("--ray-cpus", options->ray_cpus,
              "CPUs, and threads, of each; 0: those of the smallest node");
  add_generate_flags(verb, options->params);
  add_model_flags(verb, options->model_options);
  verb.action([options] { return batch(*options); });
}

}  // namespace cli
