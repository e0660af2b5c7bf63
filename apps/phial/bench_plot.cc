// SPDX-License-Identifier: Apache-2.0
// One device's result of `phial bench` as a picture: latencies as bars, and the roofline.
#include <fmt/format.h>

#include "bar_chart.h"
#include "bench.h"
#include "roofline_chart.h"

namespace cli {

namespace {

std::string label_of(const Measurement& m) {
  std::string label = m.is_prefill() ? fmt::format("prompt of {}", m.n)
                      : m.batch > 1  ? fmt::format("{} answers at once", m.batch)
                                     : std::string("answer");
  if (m.depth > 0) label += fmt::format(" after {}", m.depth);
  return label;
}

RooflineChart roofline_of(const BenchResult& result) {
  const Json& session = result.facts["session"];
  const double bytes = session.value("decode_bytes", 0.0),
               operations = session.value("prompt_operations", 0.0);
  RooflineChart chart{
      result.roofline.read_bytes_per_second, result.roofline.int8_ops_per_second, {}};
  if (bytes <= 0 || operations <= 0) return chart;
  for (const Measurement& m : result.measurements) {
    if (m.depth > 0) continue;                             // reads the cache too
    const double tokens = m.is_prefill() ? m.n : m.batch;  // that share one reading
    chart.points.push_back({label_of(m), tokens * operations / bytes, operations * m.median()});
  }
  return chart;
}

}  // namespace

std::string bench_svg(const BenchResult& result, const BenchOptions& options) {
  BarChart first{"First token", {}}, each{"Each further token", {}};
  for (const Measurement& m : result.measurements) {
    if (m.is_prefill()) {
      const double seconds = m.n / m.median();
      first.bars.push_back({label_of(m), seconds, milliseconds(seconds)});
    } else {
      const double p50 = m.step_percentile(0.5);
      each.bars.push_back({label_of(m), p50,
                           fmt::format("{}, 90 % within {} ({:.1f} tokens/s)", milliseconds(p50),
                                       milliseconds(m.step_percentile(0.9)), m.median())});
    }
  }
  std::vector<BarChart> charts;
  for (BarChart& chart : {std::ref(first), std::ref(each)})
    if (!chart.bars.empty()) charts.push_back(std::move(chart));
  const Json& session = result.facts["session"];
  const Json devices = Json::parse(phial::devices_json());
  const std::string below =
      fmt::format("{} {}, {} threads, {}", session.value("device", ""), session.value("tier", ""),
                  session.value("threads", 0), devices.value("cpu", ""));
  Drawing roofline;
  if (result.roofline.threads > 0)
    if (const RooflineChart chart = roofline_of(result); !chart.points.empty())
      roofline = {"What the processor could do", kRooflineWidth, kRooflineHeight,
                  [chart](double x, double y) { return roofline_svg(chart, x, y); }};
  return bar_charts_svg(options.name(), below, charts, roofline);
}

}  // namespace cli
