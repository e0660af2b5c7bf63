// SPDX-License-Identifier: Apache-2.0
// phial bench MODEL --devices all: one package on every device that can run it. A device that can't
// is a line with the reason, not an end.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "bar_chart.h"
#include "bench.h"
#include "cli.h"
#include "plot_file.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

struct Row {
  std::string device;
  std::string why_not;  // empty: it ran
  std::string tier;
  double load_seconds = 0, first_token_seconds = 0, token_seconds = 0;
  int32_t prompt = 0;
  std::vector<Measurement> results;
};

std::vector<std::string> wanted_devices(const std::string& list) {
  std::vector<std::string> devices;
  if (list == "all") {
    const Json facts = Json::parse(phial::devices_json());
    for (const Json& device : facts["devices"]) devices.push_back(device.value("id", ""));
    return devices;
  }
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    if (end > begin) devices.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return devices;
}

// Of a refusal, which has a line for the device below the first one, what that line says.
std::string reason_of(const std::string& message) {
  const size_t line = message.find("\n  "), colon = message.find(": ", line);
  const bool refusal = line != std::string::npos && colon != std::string::npos &&
                       message.rfind("no device that matches", 0) == 0;
  const std::string reason = refusal ? message.substr(colon + 2) : message;
  return reason.substr(0, reason.find('\n'));
}

Row run_on(const std::string& device, const BenchOptions& options) {
  Row row{device, {}, {}, 0, 0, 0, 0, {}};
  try {
    phial::ModelOptions model_options = options.model_options;
    model_options.device = device;
    model_options.require_device = true;
    const auto start = std::chrono::steady_clock::now();
    phial::Model model(phial::find_model(*options.model), model_options);
    row.load_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const Json session = Json::parse(model.describe_json())["session"];
    row.device = session.value("device", device);
    row.tier = session.value("tier", "");
    row.results = measure(model, options).measurements;
  } catch (const phial::Exception& error) {
    if (CatchInterrupt::seen()) throw;
    row.why_not = reason_of(error.what());
  }
  for (const Measurement& m : row.results) {  // the first of each kind stands for the device
    if (m.test[0] == 'p' && row.prompt == 0) {
      row.prompt = m.n;
      row.first_token_seconds = m.n / m.median();
    }
    if (m.test[0] == 'd' && row.token_seconds == 0) row.token_seconds = 1 / m.median();
  }
  return row;
}

std::string to_table(const std::vector<Row>& rows, const BenchOptions& options) {
  size_t width = 6;
  for (const Row& row : rows) width = std::max(width, row.device.size());
  std::string text =
      fmt::format("{}: prompt of {} tokens, answer of {}, median of {}\n\n", *options.model,
                  options.prompts.front(), options.generations.front(), options.repetitions);
  text += fmt::format("{:<{}}  {:>10}  {:>12}  {:>12}  {:>9}\n", "device", width, "loaded in",
                      "first token", "per token", "tokens/s");
  std::string others;
  for (const Row& row : rows) {
    if (row.why_not.empty())
      text += fmt::format("{:<{}}  {:>10}  {:>12}  {:>12}  {:>9.1f}\n", row.device, width,
                          human_seconds(row.load_seconds), milliseconds(row.first_token_seconds),
                          milliseconds(row.token_seconds),
                          row.token_seconds > 0 ? 1 / row.token_seconds : 0.0);
    else
      others += fmt::format("{:<{}}  no: {}\n", row.device, width, row.why_not);
  }
  return text + (others.empty() ? "" : "\n" + others);
}

Json to_json(const std::vector<Row>& rows, const BenchOptions& options) {
  Json devices = Json::array();
  for (const Row& row : rows) {
    Json one = {{"device", row.device}};
    if (!row.why_not.empty()) {
      one["why_not"] = row.why_not;
    } else {
      one.update({{"tier", row.tier}, {"load_seconds", row.load_seconds}});
      Json list = Json::array();
      for (const Measurement& m : row.results)
        list.push_back({{"test", m.test},
                        {"n", m.n},
                        {"depth", m.depth},
                        {"tokens_per_second", m.median()},
                        {"samples", m.samples}});
      one["results"] = std::move(list);
    }
    devices.push_back(std::move(one));
  }
  return {{"model", *options.model}, {"devices", std::move(devices)}};
}

void draw(const std::vector<Row>& rows, const BenchOptions& options) {
  BarChart first{fmt::format("First token after a prompt of {} tokens", options.prompts.front()),
                 {}};
  BarChart each{"Each further token", {}};
  for (const Row& row : rows) {
    if (!row.why_not.empty()) continue;
    if (row.prompt)
      first.bars.push_back(
          {row.device, row.first_token_seconds, milliseconds(row.first_token_seconds)});
    if (row.token_seconds > 0)
      each.bars.push_back({row.device, row.token_seconds,
                           fmt::format("{} ({:.1f} tokens/s)", milliseconds(row.token_seconds),
                                       1 / row.token_seconds)});
  }
  std::vector<BarChart> charts;
  for (BarChart& chart : {std::ref(first), std::ref(each)})
    if (!chart.bars.empty()) charts.push_back(std::move(chart));
  const Json facts = Json::parse(phial::devices_json());
  write_plots(options.plots,
              bar_charts_svg(*options.model,
                             fmt::format("{}, median of {} runs, shorter is better",
                                         facts.value("cpu", ""), options.repetitions),
                             charts));
}

// For "auto", unless something was measured that it wouldn't run.
void remember(const std::vector<Row>& rows, const BenchOptions& options) {
  const phial::ModelOptions& given = options.model_options;
  if (!given.settings.empty() || !given.kv_cache.empty() || given.threads != 0 ||
      given.prefill_chunk != 0)
    return;
  Json list = Json::array();
  for (const Row& row : rows)
    if (row.prompt > 0 && row.token_seconds > 0)
      list.push_back({{"device", row.device},
                      {"prompt_tokens", row.prompt},
                      {"prompt_rate", row.prompt / row.first_token_seconds},
                      {"answer_rate", 1 / row.token_seconds}});
  if (list.empty()) return;
  try {
    phial::remember_speed(phial::find_model(*options.model), list.dump());
    write_err(dim_err("remembered for --device auto (phial explain)\n"));
  } catch (const phial::Exception& error) {
    write_err(dim_err(fmt::format("not remembered: {}\n", error.what())));
  }
}

}  // namespace

int compare_devices(const BenchOptions& options) {
  if (!options.model)
    throw Failure("--devices compares a package, not --synthetic weights (see phial bench --help)",
                  kExitUsage);
  std::vector<Row> rows;
  for (const std::string& device : wanted_devices(options.devices)) {
    write_err(dim_err(fmt::format("{} ...\n", device)));
    rows.push_back(run_on(device, options));
  }
  remember(rows, options);
  bool any = false;
  for (const Row& row : rows) any |= row.why_not.empty();
  write_out(options.json ? dump(to_json(rows, options)) : to_table(rows, options));
  if (!any) throw Failure("no device can run the model");
  if (!options.plots.empty()) draw(rows, options);
  return 0;
}

}  // namespace cli
