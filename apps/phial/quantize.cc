// SPDX-License-Identifier: Apache-2.0
// phial quantize SRC DST: a Hugging Face folder to a package.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

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
  std::string source, destination;
  phial::QuantizeOptions recipe;
  bool quiet = false;
};

int quantize(const QuantizeOptions& options) {
  const CatchInterrupt interrupt(false);
  const auto start = Clock::now();
  uint64_t source_bytes = 0;
  {
    ProgressBar bar;
    phial::quantize(
        options.source, options.destination, options.recipe,
        [&](uint64_t done, uint64_t total, std::string_view) {
          source_bytes = total;
          bar.show(done, total);
        },
        &CatchInterrupt::seen);
  }
  const double seconds = seconds_since(start);
  if (!options.quiet) {
    const auto read = static_cast<double>(source_bytes);
    write_err(fmt::format("{}: {} from {} in {}, {}/s, peak memory {}\n", options.destination,
                          human_bytes(static_cast<double>(folder_bytes(options.destination))),
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
  verb.argument("SRC", options->source, "Folder of the Hugging Face model");
  verb.argument("DST", options->destination, "Folder to make");
  add_recipe_flags(verb, options->recipe);
  verb.option("-t,--threads", options->recipe.threads, "Threads; 0: all that there are",
              "PHIAL_THREADS");
  verb.flag("--overwrite", options->recipe.overwrite, "Replace DST if it is there");
  verb.flag("-q,--quiet", options->quiet, "No closing line");
  verb.action([options] { return quantize(*options); });
}

}  // namespace cli
