// SPDX-License-Identifier: Apache-2.0
// phial bench MODEL: how fast prompts are read and answers written, median of several runs.
#include "bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "cli.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Some text-like spread over the vocabulary; the values don't matter to the speed.
std::vector<int32_t> some_ids(int32_t n, int32_t vocab) {
  std::vector<int32_t> ids(static_cast<size_t>(n));
  uint32_t state = 12345;
  for (int32_t& id : ids) {
    state = state * 1664525u + 1013904223u;
    id = static_cast<int32_t>((state >> 8) % static_cast<uint32_t>(vocab));
  }
  return ids;
}

class Bench {
 public:
  Bench(phial::Model& model, const BenchOptions& options)
      : session_(model), options_(options), logits_(static_cast<size_t>(session_.vocab())) {}

  std::vector<Measurement> run() {
    const auto warm_up = some_ids(std::min(32, longest()), session_.vocab());
    session_.step_into(warm_up, logits_, stop_);  // every weight is in memory after this
    std::vector<Measurement> results;
    for (const int32_t depth : options_.depths) {
      for (const int32_t n : options_.prompts) measure("prefill", n, depth, results);
      for (const int32_t n : options_.generations) measure("decode", n, depth, results);
    }
    return results;
  }

  int32_t longest() const { return longest(options_); }
  static int32_t longest(const BenchOptions& options) {
    const auto most = [](const std::vector<int32_t>& list) {
      return list.empty() ? 0 : *std::max_element(list.begin(), list.end());
    };
    return most(options.depths) + std::max(most(options.prompts), most(options.generations));
  }

 private:
  void measure(const char* test, int32_t n, int32_t depth, std::vector<Measurement>& results) {
    if (n == 0) return;
    Measurement measurement{test, n, depth, {}};
    const bool prefill = measurement.test[0] == 'p';
    const std::vector<int32_t> ids = some_ids(depth + n, session_.vocab());
    const std::span<const int32_t> before(ids.data(), static_cast<size_t>(depth));
    const std::span<const int32_t> timed(ids.data() + depth, static_cast<size_t>(n));
    session_.truncate(0);
    if (depth > 0) session_.feed(before, stop_);
    for (int32_t i = 0; i < options_.repetitions; ++i) {
      session_.truncate(depth);
      const auto start = Clock::now();
      if (prefill) {
        session_.step_into(timed, logits_, stop_);
      } else {
        for (const int32_t& id : timed) session_.step_into({&id, 1}, logits_, stop_);
      }
      measurement.samples.push_back(n / seconds_since(start));
    }
    results.push_back(std::move(measurement));
  }

  phial::Session session_;
  const BenchOptions& options_;
  std::vector<float> logits_;
  phial::Interrupt stop_ = &CatchInterrupt::seen;
};

}  // namespace

double Measurement::median() const {
  std::vector<double> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  const size_t half = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

std::vector<Measurement> measure(phial::Model& model, const BenchOptions& options) {
  return Bench(model, options).run();
}

namespace {

std::string name_of(const BenchOptions& options) {
  if (options.model) return *options.model;
  return options.layers > 0 ? fmt::format("{} ({} layers)", options.synthetic, options.layers)
                            : options.synthetic;
}

Json to_json(const std::vector<Measurement>& results, const BenchOptions& options,
             const Json& facts, double load_seconds) {
  Json list = Json::array();
  for (const Measurement& m : results) {
    list.push_back({{"test", m.test},
                    {"n", m.n},
                    {"depth", m.depth},
                    {"tokens_per_second", m.median()},
                    {"samples", m.samples}});
  }
  const Json& session = facts["session"];
  Json json = {{"model", name_of(options)}, {"synthetic", !options.synthetic.empty()}};
  if (facts.contains("recipe")) json["recipe"] = facts["recipe"];
  if (!options.synthetic.empty()) {
    const phial::QuantizeOptions& recipe = options.recipe;
    json["recipe"] = {{"weight_format", recipe.weight_format}};
    if (recipe.weight_format == "int4") {
      json["recipe"].update({{"group_size", recipe.group_size}, {"ratio", recipe.ratio}});
    }
    json["layers"] = facts["layers"];
  }
  json["device"] = session["device"];
  json["tier"] = session["tier"];
  json["threads"] = session["threads"];
  json["results"] = std::move(list);
  json["load_seconds"] = load_seconds;
  json["peak_rss_bytes"] = phial::peak_rss_bytes();
  json["package_bytes"] = session["weight_bytes"];
  json["decode_bytes_per_token"] = session["decode_bytes"];
  return json;
}

std::string to_table(const std::vector<Measurement>& results, const BenchOptions& options,
                     const Json& facts, double load_seconds) {
  const Json& session = facts["session"];
  const double decode_bytes = session.value("decode_bytes", 0.0);
  std::string text = fmt::format(
      "{}: {} of weights, {} {}, threads {}, loaded in {}, peak memory {}\n\n", name_of(options),
      human_bytes(session.value("weight_bytes", 0.0)), session.value("device", ""),
      session.value("tier", ""), session.value("threads", 0), human_seconds(load_seconds),
      human_bytes(static_cast<double>(phial::peak_rss_bytes())));
  text += fmt::format("{:<8}  {:>7}  {:>7}  {:>10}  {:>17}  {:>8}\n", "test", "tokens", "depth",
                      "tokens/s", "lowest - highest", "GB/s");
  for (const Measurement& m : results) {
    const auto [low, high] = std::minmax_element(m.samples.begin(), m.samples.end());
    const std::string bandwidth =
        m.test[0] == 'd' ? fmt::format("{:.1f}", decode_bytes * m.median() / 1e9) : std::string();
    text += fmt::format("{:<8}  {:>7}  {:>7}  {:>10.2f}  {:>17}  {:>8}\n", m.test, m.n, m.depth,
                        m.median(), fmt::format("{:.2f} - {:.2f}", *low, *high), bandwidth);
  }
  return text;
}

int bench(BenchOptions options) {
  if (options.model.has_value() != options.synthetic.empty()) {
    throw Failure("give either MODEL or --synthetic SHAPE (see phial bench --help)", kExitUsage);
  }
  for (const auto* lengths : {&options.prompts, &options.generations, &options.depths}) {
    for (const int32_t length : *lengths) {
      if (length < 0)
        throw Failure(fmt::format("a length of {} tokens can't be measured", length), kExitUsage);
    }
  }
  if (options.repetitions < 1)
    throw Failure("-r must be at least 1 (see phial bench --help)", kExitUsage);
  const int32_t longest = Bench::longest(options);
  if (longest == 0)
    throw Failure("nothing to measure: -p and -n are both 0 (see phial bench --help)", kExitUsage);
  if (options.devices.empty() && !options.plot.empty())
    throw Failure("--plot draws what --devices compares (see phial bench --help)", kExitUsage);
  // No more cache than the tests need, so that a small PC can measure a model with a large context.
  if (options.model_options.context == 0) options.model_options.context = longest;
  const CatchInterrupt interrupt(true);
  if (!options.devices.empty()) return compare_devices(options);
  const auto start = Clock::now();
  phial::Model model = options.model
                           ? phial::Model(phial::find_model(*options.model), options.model_options)
                           : phial::Model::synthetic(options.synthetic, options.recipe,
                                                     options.layers, 1, options.model_options);
  const double load_seconds = seconds_since(start);
  const std::vector<Measurement> results = measure(model, options);
  const Json facts = Json::parse(model.describe_json());
  write_out(options.json ? dump(to_json(results, options, facts, load_seconds))
                         : to_table(results, options, facts, load_seconds));
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
  verb.option("-r,--repetitions", options->repetitions, "Runs of each test");
  verb.option("--layers", options->layers, "--synthetic: only so many layers; 0: all");
  add_recipe_flags(verb, options->recipe);
  add_model_flags(verb, options->model_options);
  verb.option("--devices", options->devices,
              "Compare: all devices that can run the model, or these, with commas between");
  verb.option("--plot", options->plot, "--devices: draw the comparison into this SVG file");
  verb.flag("--json", options->json, "As one JSON object");
  verb.action([options] { return bench(*options); });
}

}  // namespace cli
