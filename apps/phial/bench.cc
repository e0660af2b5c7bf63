// SPDX-License-Identifier: Apache-2.0
// phial bench MODEL: how fast prompts are read and answers written, median of several runs.
#include "bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "cli.h"
#include "plot_file.h"
#include "terminal.h"

namespace cli {

namespace {

void check(const BenchOptions& options) {
  if (options.model.has_value() != options.synthetic.empty()) {
    throw Failure("give either MODEL or --synthetic SHAPE (see phial bench --help)", kExitUsage);
  }
  for (const auto* lengths : {&options.prompts, &options.generations, &options.depths}) {
    for (const int32_t length : *lengths) {
      if (length < 0)
        throw Failure(fmt::format("a length of {} tokens can't be measured", length), kExitUsage);
    }
  }
  for (const int32_t batch : options.batches)
    if (batch < 1 || batch > 256)
      throw Failure(fmt::format("{} sequences at once can't be measured, expected 1 to 256", batch),
                    kExitUsage);
  if (options.repetitions < 1)
    throw Failure("-r must be at least 1 (see phial bench --help)", kExitUsage);
  if (options.longest() == 0)
    throw Failure("nothing to measure: -p and -n are both 0 (see phial bench --help)", kExitUsage);
  if (options.json && options.csv)
    throw Failure("give --json or --csv, not both (see phial bench --help)", kExitUsage);
  if (options.csv && !options.devices.empty())
    throw Failure("--csv is for one device; --devices has --json (see phial bench --help)",
                  kExitUsage);
  if (options.most_sequences() > 1 && !options.devices.empty())
    throw Failure("--devices compares single answers, not --batch (see phial bench --help)",
                  kExitUsage);
  check_plot_names(options.plots);
}

int bench(BenchOptions options) {
  check(options);
  // No more cache than the tests need, so that a small PC can measure a model with a large context.
  if (options.model_options.context == 0) options.model_options.context = options.longest();
  options.model_options.max_sequences =
      std::max(options.model_options.max_sequences, options.most_sequences());
  const CatchInterrupt interrupt(true);
  if (!options.devices.empty()) return compare_devices(options);
  const auto start = std::chrono::steady_clock::now();
  phial::Model model = options.model
                           ? phial::Model(phial::find_model(*options.model), options.model_options)
                           : phial::Model::synthetic(options.synthetic, options.recipe,
                                                     options.layers, 1, options.model_options);
  const double load_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  BenchResult result = measure(model, options);
  result.load_seconds = load_seconds;
  write_out(options.json  ? dump(bench_json(result, options))
            : options.csv ? bench_csv(result, options)
                          : bench_table(result, options));
  if (!options.plots.empty()) write_plots(options.plots, bench_svg(result, options));
  return 0;
}

}  // namespace

void add_bench(CommandLine& line) {
  auto options = std::make_shared<BenchOptions>();
  Verb verb = line.add("bench", "Measure the speed of a model, or of a shape with random weights");
  verb.argument("MODEL", options->model, "Name or folder of the model");
  verb.option("--synthetic", options->synthetic,
              "Random weights in memory of this shape: phi-3-mini, ...");
  verb.list("-p,--prompt", options->prompts, "Lengths of prompts, with commas between; 0: none");
  verb.list("-n,--generate", options->generations, "Lengths of answers; 0: none");
  verb.list("-d,--depth", options->depths, "Tokens that are in the cache before");
  verb.list("-b,--batch", options->batches, "Answers written at the same time");
  verb.option("-r,--repetitions", options->repetitions, "Runs of each test");
  verb.option("--layers", options->layers, "--synthetic: only so many layers; 0: all");
  add_recipe_flags(verb, options->recipe);
  add_model_flags(verb, options->model_options);
  verb.option("--devices", options->devices,
              "Compare: all devices that can run the model, or these, with commas between");
  verb.texts("--plot", options->plots,
             "Draw latencies and the roofline, or the comparison, into this SVG or PNG file");
  verb.flag("--json", options->json, "As one JSON object");
  verb.flag("--csv", options->csv, "As lines with commas between");
  verb.action([options] { return bench(*options); });
}

}  // namespace cli
