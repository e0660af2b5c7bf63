// SPDX-License-Identifier: Apache-2.0
// phial quantize SRC DST: a Hugging Face folder to a package.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli.h"
#include "progress_bar.h"
#include "terminal.h"

namespace cli {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

uint64_t folder_bytes(const std::string& folder) {
  uint64_t sum = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored)) sum += entry.file_size(ignored);
  }
  return sum;
}

struct QuantizeOptions {
  std::optional<std::string> first, second;  // SRC and DST; with --model DST alone
  std::string model, task;
  bool trust_remote_code = false;  // optimum-cli's; phial never runs code that comes with a model
  phial::QuantizeOptions recipe;
  bool quiet = false;
};

struct Folders {
  std::string source, destination;
};

// phial's own way to name them, and optimum-cli's.
Folders folders_of(const QuantizeOptions& options) {
  constexpr const char* kHelp = " (see phial quantize --help)";
  if (!options.task.empty() && !options.task.starts_with("text-generation") &&
      options.task != "auto") {
    throw Failure("--task is " + options.task +
                      ", expected text-generation-with-past: phial has models that generate text" +
                      kHelp,
                  kExitUsage);
  }
  if (options.model.empty()) {
    if (!options.first || !options.second)
      throw Failure(std::string("quantize needs SRC and DST") + kHelp, kExitUsage);
    return {*options.first, *options.second};
  }
  if (!options.first || options.second)
    throw Failure(std::string("with --model quantize needs DST, and nothing else") + kHelp,
                  kExitUsage);
  return {options.model, *options.first};
}

int quantize(const QuantizeOptions& options) {
  const auto [source, destination] = folders_of(options);
  std::error_code ignored;
  if (!std::filesystem::exists(source, ignored) && source.find('/') != std::string::npos &&
      !source.starts_with('/') && !source.starts_with('.')) {
    throw Failure(source + ": there is no such folder; 'phial pull " + source + ":" +
                  options.recipe.weight_format +
                  "' downloads a model of that name and quantizes it while it comes");
  }
  const CatchInterrupt interrupt(false);
  const auto start = Clock::now();
  uint64_t source_bytes = 0;
  {
    ProgressBar bar;
    phial::quantize(
        source, destination, options.recipe,
        [&](uint64_t done, uint64_t total, std::string_view) {
          source_bytes = total;
          bar.show(done, total);
        },
        &CatchInterrupt::seen);
  }
  const double seconds = seconds_since(start);
  if (!options.quiet) {
    const auto read = static_cast<double>(source_bytes);
    write_err(fmt::format("{}: {} from {} in {}, {}/s, peak memory {}\n", destination,
                          human_bytes(static_cast<double>(folder_bytes(destination))),
                          human_bytes(read), human_seconds(seconds),
                          human_bytes(seconds > 0 ? read / seconds : 0),
                          human_bytes(static_cast<double>(phial::peak_rss_bytes()))));
  }
  return 0;
}

}  // namespace

void add_quantize(CommandLine& line) {
  auto options = std::make_shared<QuantizeOptions>();
  Verb verb = line.add("quantize",
                       "Make a package of a Hugging Face model: by default int4, symmetric, groups "
                       "of 128, all of it (ratio 1)");
  verb.alias("quantise");
  verb.argument("SRC", options->first, "Folder of the Hugging Face model");
  verb.argument("DST", options->second, "Folder to make");
  verb.option("-m,--model", options->model, "SRC, as optimum-cli has it; then DST alone follows");
  verb.option("--task", options->task, "As optimum-cli has it: text-generation-with-past");
  verb.flag("--trust-remote-code", options->trust_remote_code,
            "As optimum-cli has it; phial never runs code that comes with a model");
  add_recipe_flags(verb, options->recipe);
  verb.option("-t,--threads", options->recipe.threads, "Threads; 0: all that there are",
              "PHIAL_THREADS");
  verb.flag("--overwrite", options->recipe.overwrite, "Replace DST if it is there");
  verb.flag("-q,--quiet", options->quiet, "No closing line");
  verb.action([options] { return quantize(*options); });
}

}  // namespace cli
